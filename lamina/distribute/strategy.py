"""Strategy: on which devices a program runs, and how its replicas share the work."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

import jax
import numpy as np
from jax.sharding import Mesh

from lamina import ops
from lamina.distribute import copies, inputs
from lamina.distribute.collectives import AXIS
from lamina.distribute.context import ReplicaContext, entered, get_strategy, set_default
from lamina.distribute.together import run_together
from lamina.distribute.turns import run_in_turns
from lamina.distribute.values import (
    PerReplica,
    ReduceOp,
    ValueContext,
    is_composite,
    is_value,
    map_leaves,
    reduce_op,
)
from lamina.engine import Function, Tensor, convert_to_tensor, errors, local
from lamina.ops.placement import kind_of

__all__ = ["Strategy", "StrategyExtended"]


class StrategyExtended:
    """What a strategy does for libraries; programs use the Strategy.

    Args:
        container_strategy: The strategy.
    """

    def __init__(self, container_strategy: Any) -> None:
        self._strategy = container_strategy

    @property
    def worker_devices(self) -> tuple[str, ...]:
        """The names of the devices, one for each replica."""
        return self._strategy._device_names

    parameter_devices = worker_devices

    @property
    def should_checkpoint(self) -> bool:
        """Whether this worker writes checkpoints: the first one does."""
        return jax.process_index() == 0 if self._strategy._workers > 1 else True

    should_save_summary = should_checkpoint
    experimental_require_static_shapes = False

    @property
    def experimental_between_graph(self) -> bool:
        """Whether each worker runs the program itself."""
        return self._strategy._workers > 1

    def variable_created_in_scope(self, v: Any) -> bool:
        """Return whether a variable was made under this strategy."""
        return True

    def colocate_vars_with(self, colocate_with_variable: Any) -> Any:
        """Return a context manager without effect: variables lie on all devices."""
        return _nothing()

    def batch_reduce_to(
        self, reduce_op: Any, value_destination_pairs: Any, options: Any = None
    ) -> list[Any]:
        """Return each value of (value, destination) pairs reduced."""
        return [self.reduce_to(reduce_op, value, None) for value, _ in value_destination_pairs]

    def reduce_to(self, reduce_op: Any, value: Any, destinations: Any, options: Any = None) -> Any:
        """Return a value reduced over the replicas; it is there on all devices."""
        return self._strategy.reduce(reduce_op, value, axis=None)

    def broadcast_to(self, tensor: Any, destinations: Any) -> Any:
        """Return a Tensor that is there on all devices: itself."""
        return tensor

    def update(
        self, var: Any, fn: Any, args: Sequence[Any] = (), kwargs: Any = None, group: bool = True
    ) -> Any:
        """Return ``fn(var, *args, **kwargs)``, which updates all copies of a variable."""
        return fn(var, *args, **dict(kwargs or {}))

    def value_container(self, value: Any) -> Any:
        """Return what holds a value: itself."""
        return value


@contextmanager
def _nothing() -> Iterator[None]:
    yield


class Strategy:
    """Base class of strategies; see `MirroredStrategy`.

    Args:
        extended: Accepted for TF's signature, unused.
    """

    _workers = 1
    _device_names: Any  # one for each replica

    def __init__(self, extended: Any = None) -> None:
        self._set_devices(jax.devices()[:1])

    def _set_devices(
        self, devices: Sequence[Any], names: Sequence[str] | None = None, count: int | None = None
    ) -> None:
        """Have a replica on each device; several on the first one if `count` is larger."""
        self._devices = list(devices)
        self._count = count or len(self._devices)
        spread = self._count > 1 and len(self._devices) == self._count
        self._mesh = Mesh(np.array(self._devices), (AXIS,)) if spread else None
        self._device_names = tuple(names or map(_name_of, self._devices))
        self._extended = StrategyExtended(self)
        if self._mesh is not None:
            copies.watch_creation(_mesh_of_now)

    # -- facts

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas work together."""
        return self._count

    @property
    def extended(self) -> StrategyExtended:
        """What the strategy does for libraries."""
        return self._extended

    @property
    def cluster_resolver(self) -> Any:
        """The cluster of a strategy over several workers; None for one worker."""
        return None

    # -- running

    @contextmanager
    def scope(self) -> Iterator["Strategy"]:
        """Have the strategy hold inside the block: variables made there lie on all its devices.

        Raises:
            RuntimeError: another strategy holds already.

        Example:
            >>> strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            >>> with strategy.scope():
            ...     v = tf.Variable(1.0)
            ...     print(tf.distribute.get_strategy() is strategy)
            True
        """
        outer = local.distribution
        if outer is not None and outer[0] is not self:
            raise RuntimeError(
                f"Mixing different tf.distribute.Strategy objects: {self!r} is not {outer[0]!r}.\n"
                f"  Fix: leave the scope of one before entering that of another."
            )
        with entered(self, None):
            yield self

    def run(
        self, fn: Callable[..., Any], args: Any = (), kwargs: Any = None, options: Any = None
    ) -> Any:
        """Call a function on each replica, with that replica's values.

        Inside, `tf.distribute.get_replica_context()` is the replica's, optimizers sum their
        gradients over all replicas, Keras' mean losses are divided by their number, and random
        numbers differ between replicas.

        Args:
            fn: The function of one replica.
            args: Its arguments; of `DistributedValues` each replica gets its own.
            kwargs: Its keyword arguments, likewise.
            options: Accepted, unused; see `tf.distribute.RunOptions`.

        Returns:
            What the function returns, its Tensors as `DistributedValues` with a value for each
            replica; with one replica as they are.

        Raises:
            RuntimeError: called from inside a replica.

        Example:
            >>> strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            >>> strategy.run(lambda x: 2.0 * x, args=(tf.constant(3.0),)).numpy()
            np.float32(6.0)
        """
        kwargs = dict(kwargs or {})
        here = local.distribution
        if here is not None and here[1] is not None and here[0] is self and self._count > 1:
            raise RuntimeError(
                "strategy.run: it must be called in cross-replica context; it was called from a "
                "function that strategy.run runs.\n  Fix: call the inner function itself."
            )
        args = tuple(args) if isinstance(args, list | tuple) else args
        if self._count == 1:
            args, kwargs = map_leaves(_only, (args, kwargs))
            with entered(self, ReplicaContext(self, 0)):
                return fn(*args, **kwargs)
        if not isinstance(fn, Function):
            return self._run_on_many(fn, args, kwargs)
        found = self._run_on_many(fn.python_function, args, kwargs)
        return map_leaves(self._as_result, found)

    def _as_result(self, value: Any) -> Any:
        """Return a number that a `tf.function` gives on each replica as Tensors."""
        if isinstance(value, bool | int | float):
            return PerReplica([convert_to_tensor(value)] * self._count)
        return value

    def _run_on_many(self, fn: Any, args: Any, kwargs: Any) -> Any:
        body = fn if local.convert is None else local.convert(fn)
        uneven = False

        def check(x: Any) -> Any:
            nonlocal uneven
            if isinstance(x, PerReplica) and x.as_stacked() is None:
                first = x.values[0]
                one = is_value(first) or is_composite(first)
                uneven = uneven or one or any(v != first for v in x.values)
            return x

        map_leaves(check, (args, kwargs))
        if self._workers > 1:
            return self._run_on_workers(body, args, kwargs, uneven)
        marker = getattr(fn, "__code__", None)
        if not uneven and (marker is None or marker not in _untraceable):
            try:
                return run_together(self, body, args, kwargs, self._count, self._mesh)
            except errors.TracedValueError:
                if not local.trace.eager:
                    raise  # the tf.function around decides
                if marker is not None:
                    _untraceable.add(marker)
        return run_in_turns(self, body, args, kwargs, self._count)

    def _run_on_workers(self, body: Any, args: Any, kwargs: Any, uneven: bool) -> Any:
        """Run one program on all workers; what one program cannot hold is refused."""
        if uneven:
            raise ValueError(
                f"{type(self).__name__}.run: values of one shape were expected for all "
                f"{self._count} replicas of {self._workers} workers, or the same; they differ.\n"
                f"  Fix: batches that {self._count} divides, as batch(n, drop_remainder=True)."
            )
        return run_together(self, body, args, kwargs, self._count, self._mesh)

    def step_of_model(self, model: Any, method: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Return a step over a whole batch that runs a model's step on each replica.

        Args:
            model: The model.
            method: Its `train_step`, `test_step` or `predict_step`.

        Returns:
            A function of a batch. Results by name are those of the metrics over all replicas, or
            the replicas' means; outputs are concatenated.
        """

        def split(x: Any) -> Any:
            if x is None or isinstance(x, PerReplica):
                return x
            x = x if is_composite(x) else convert_to_tensor(x)
            return inputs.divided(x, inputs.shares(int(x.shape[0]), self._count))

        def step(batch: Any) -> Any:
            found = self.run(method, args=(map_leaves(split, batch),))
            if not isinstance(found, dict) or not model.compiled:
                return self.gather(found, axis=0)
            results = model.get_metrics_result()
            if set(results) == set(found) and method.__name__ != "predict_step":
                return results
            if method.__name__ == "predict_step":
                return self.gather(found, axis=0)
            return self.reduce(ReduceOp.MEAN, found, axis=None)

        return step

    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """Return one value for all replicas.

        Args:
            reduce_op: A `tf.distribute.ReduceOp`, or its name.
            value: What `run` returned.
            axis: An axis of each replica's value to reduce too, such as the batch's: a mean is
                then over all entries of all replicas. None keeps the shape.

        Returns:
            A Tensor, or a structure of them.

        Raises:
            ValueError: a sum of a value that is the same on several replicas.
        """
        how = _reduce_op(reduce_op)
        return map_leaves(lambda x: self._reduced(how, x, axis), value)

    def _reduced(self, how: ReduceOp, value: Any, axis: int | None) -> Any:
        if value is None:
            return None
        if not isinstance(value, PerReplica):
            if self._count > 1 and how is ReduceOp.SUM:
                raise ValueError(
                    f"A non-DistributedValues value {value} cannot be reduced with the given "
                    f"reduce op {how}.\n  Fix: reduce what strategy.run returned."
                )
            if axis is None:
                return value
            value = convert_to_tensor(value)
            reduce = ops.reduce_sum if how is ReduceOp.SUM else ops.reduce_mean
            return reduce(value, axis)
        if axis is not None:
            return _along_axis(how, value.values, axis)
        stacked = value.as_stacked()
        total = ops.add_n(list(value.values)) if stacked is None else ops.reduce_sum(stacked, 0)
        return total if how is ReduceOp.SUM else total / len(value.values)

    def gather(self, value: Any, axis: int) -> Any:
        """Return the values of all replicas concatenated along an axis.

        Args:
            value: What `run` returned: Tensors of at least one axis.
            axis: The axis.
        """

        def one(x: Any) -> Any:
            if not isinstance(x, PerReplica):
                return convert_to_tensor(x)
            if axis == 0 and x.stacked is not None and len(x.stacked.shape) > 1:
                shape = x.stacked.shape.as_list()
                return ops.reshape(x.stacked, [shape[0] * shape[1], *shape[2:]])
            return ops.concat(list(x.values), axis)

        return map_leaves(one, value)

    def experimental_local_results(self, value: Any) -> Any:
        """Return the values of the replicas of this worker, as a tuple."""
        if isinstance(value, PerReplica):
            return tuple(value.values[i] for i in self._own)
        if isinstance(value, list | tuple | dict) and _holds_parts(value):
            return tuple(map_leaves(lambda x, i=i: _entry(x, i), value) for i in self._own)
        return (value,)

    @property
    def _own(self) -> Sequence[int]:
        """The numbers of the replicas that run in this process."""
        if self._workers == 1:
            return range(self._count)
        here = jax.process_index()
        return [i for i, device in enumerate(self._devices) if device.process_index == here]

    unwrap = experimental_local_results

    def group(self, value: Any, name: str | None = None) -> Any:
        """Return an operation that runs what `value` stands for: None, since it ran."""
        return None

    # -- data

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """Return a dataset whose batches are split between the replicas.

        Args:
            dataset: A `tf.data.Dataset` of batches of the global size.
            options: `tf.distribute.InputOptions`.
        """
        inputs.check_options(options)
        if self._count == 1:
            return inputs.DistributedDataset(self, [dataset])
        return inputs.DistributedDataset(self, [dataset], split=True)

    def distribute_datasets_from_function(self, dataset_fn: Any, options: Any = None) -> Any:
        """Return a dataset of the elements of a function's dataset, one for each replica in turn.

        Args:
            dataset_fn: Takes a `tf.distribute.InputContext`, and returns a dataset of batches of
                the size of a replica.
            options: `tf.distribute.InputOptions`.
        """
        per_replica = inputs.check_options(options)
        pipelines = self._count // self._workers if per_replica else 1
        made = [dataset_fn(c) for c in self._input_contexts(pipelines)]
        return inputs.DistributedDataset(self, made)

    experimental_distribute_datasets_from_function = distribute_datasets_from_function

    def _input_contexts(self, pipelines: int) -> list[Any]:
        return [inputs.InputContext(pipelines, i, self._count) for i in range(pipelines)]

    def experimental_distribute_values_from_function(self, value_fn: Any) -> Any:
        """Return the values that a function gives for each replica.

        Args:
            value_fn: Takes a `ValueContext` with `replica_id_in_sync_group` and
                `num_replicas_in_sync`.

        Example:
            >>> strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
            >>> strategy.experimental_distribute_values_from_function(
            ...     lambda context: context.replica_id_in_sync_group
            ... )
            0
        """
        values = [value_fn(ValueContext(i, self._count)) for i in range(self._count)]
        if self._count == 1:
            return values[0]
        return map_leaves(lambda *each: PerReplica(each), *values)

    # -- older names

    def experimental_run(self, fn: Any, input_iterator: Any = None) -> Any:
        """Run `fn` on each replica with the next element of an iterator; see `run`."""
        return self.run(fn, () if input_iterator is None else (next(input_iterator),))

    def make_dataset_iterator(self, dataset: Any) -> Any:
        """Return an iterator of the distributed dataset."""
        return iter(self.experimental_distribute_dataset(dataset))

    def make_input_fn_iterator(self, input_fn: Any, replication_mode: Any = None) -> Any:
        """Return an iterator of the dataset of a function."""
        return iter(self.distribute_datasets_from_function(input_fn))

    def colocate_vars_with(self, colocate_with_variable: Any) -> Any:
        """Return a context manager without effect: variables lie on all devices."""
        return _nothing()

    def configure(
        self,
        session_config: Any = None,
        cluster_spec: Any = None,
        task_type: Any = None,
        task_id: Any = None,
    ) -> None:
        """Refuse: there are no sessions.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "strategy.configure: it sets up sessions of TF 1, which do not exist here.\n"
            "  Fix: set TF_CONFIG before tf.distribute.MultiWorkerMirroredStrategy()."
        )

    def update_config_proto(self, config_proto: Any) -> Any:
        """Return the session configuration as it is."""
        return config_proto


_untraceable: WeakSet[Any] = WeakSet()
_reduce_op = reduce_op


def _mesh_of_now() -> Any:
    strategy = get_strategy()
    return None if strategy is None else strategy._mesh


def _name_of(device: Any) -> str:
    job = "localhost" if jax.process_count() == 1 else "worker"
    where = f"/job:{job}/replica:0/task:{device.process_index}"
    return f"{where}/device:{kind_of(device)}:{device.id}"


def _only(x: Any) -> Any:
    return x.values[0] if isinstance(x, PerReplica) else x


def _entry(x: Any, number: int) -> Any:
    return x.values[number] if isinstance(x, PerReplica) else x


def _holds_parts(value: Any) -> bool:
    leaves: list[Any] = []
    map_leaves(leaves.append, value)
    return any(isinstance(x, PerReplica) for x in leaves)


def _along_axis(how: ReduceOp, values: Sequence[Any], axis: int) -> Tensor:
    tensors = [convert_to_tensor(v) for v in values]
    total = ops.add_n([ops.reduce_sum(t, axis) for t in tensors])
    if how is ReduceOp.SUM:
        return total
    count = sum(int(t.shape[axis]) for t in tensors)
    return total / ops.cast(count, total.dtype)


class DefaultStrategy(Strategy):
    """The strategy that holds outside of all scopes: one replica, on the default device."""

    def __init__(self) -> None:
        self._devices = []
        self._count = 1
        self._mesh = None
        self._extended = StrategyExtended(self)

    @property
    def _device_names(self) -> tuple[str, ...]:
        return (_name_of(jax.devices()[0]),)

    def experimental_distribute_dataset(self, dataset: Any, options: Any = None) -> Any:
        """Return the dataset itself."""
        return dataset

    def distribute_datasets_from_function(self, dataset_fn: Any, options: Any = None) -> Any:
        """Return the function's dataset."""
        return dataset_fn(inputs.InputContext())


set_default(DefaultStrategy())
