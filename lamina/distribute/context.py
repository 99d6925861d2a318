"""Which strategy and which replica the code that runs now belongs to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lamina import ops
from lamina.distribute.values import PerReplica, ReduceOp, map_leaves
from lamina.distribute.values import reduce_op as op_of
from lamina.engine import local

__all__ = [
    "ReplicaContext",
    "entered",
    "experimental_set_strategy",
    "get_replica_context",
    "get_strategy",
    "has_strategy",
    "in_cross_replica_context",
    "set_default",
]


class ReplicaContext:
    """What a function that `strategy.run` calls sees of the replica that it runs for.

    Args:
        strategy: The strategy.
        replica_id_in_sync_group: The replica's number, from 0.

    Example:
        >>> context = tf.distribute.get_replica_context()
        >>> context.num_replicas_in_sync, context.replica_id_in_sync_group
        (1, 0)
    """

    def __init__(self, strategy: Any, replica_id_in_sync_group: Any) -> None:
        self._strategy = strategy
        self._id = replica_id_in_sync_group
        self.merging = False  # whether assignments count as those of all replicas at once

    @property
    def strategy(self) -> Any:
        """The strategy."""
        return self._strategy

    @property
    def num_replicas_in_sync(self) -> int:
        """How many replicas run the function."""
        return self._strategy.num_replicas_in_sync

    @property
    def replica_id_in_sync_group(self) -> Any:
        """The number of this replica: an int, or a Tensor where one program is made for all."""
        return self._id

    @property
    def devices(self) -> tuple[str, ...]:
        """The device of this replica."""
        devices = self._strategy.extended.worker_devices
        return (devices[self._id if isinstance(self._id, int) else 0],)

    def all_reduce(self, reduce_op: Any, value: Any, options: Any = None) -> Any:
        """Return values combined over all replicas, the same on each.

        Args:
            reduce_op: A `tf.distribute.ReduceOp`, or its name.
            value: A Tensor, `tf.IndexedSlices`, or a structure of them; as many and of the same
                shapes on each replica.
            options: Accepted, unused.

        Returns:
            The same structure.
        """
        mean = op_of(reduce_op) is ReduceOp.MEAN
        leaves: list[Any] = []
        map_leaves(leaves.append, value)
        tensors = [i for i, x in enumerate(leaves) if x is not None and not _is_slices(x)]
        sums = self._sums([ops.convert_to_tensor(leaves[i]) for i in tensors])
        for i, total in zip(tensors, sums, strict=True):
            leaves[i] = total / self.num_replicas_in_sync if mean else total
        for i, x in enumerate(leaves):
            if _is_slices(x):
                leaves[i] = self._joined_slices(x, mean)
        given = iter(leaves)
        return map_leaves(lambda _: next(given), value)

    def all_gather(self, value: Any, axis: int, options: Any = None) -> Any:
        """Return the replicas' values concatenated along an axis, the same on each.

        Args:
            value: A Tensor of at least one axis, or a structure of them.
            axis: The axis.
            options: Accepted, unused.
        """
        return map_leaves(
            lambda x: ops.concat(self._exchanged(ops.convert_to_tensor(x)), axis), value
        )

    def merge_call(self, merge_fn: Any, args: Sequence[Any] = (), kwargs: Any = None) -> Any:
        """Call a function once for all replicas, in cross-replica context.

        Args:
            merge_fn: Called as ``merge_fn(strategy, *args, **kwargs)``, with the values of all
                replicas as `DistributedValues`.
            args: Its arguments on this replica.
            kwargs: Its keyword arguments on this replica.

        Returns:
            What it returns; of `DistributedValues` the value of this replica.
        """
        return self._merged(merge_fn, tuple(args), dict(kwargs or {}))

    def _joined_slices(self, slices: Any, mean: bool) -> Any:
        values = slices.values / self.num_replicas_in_sync if mean else slices.values
        values = ops.concat(self._exchanged(values), 0)
        indices = ops.concat(self._exchanged(slices.indices), 0)
        return type(slices)(values, indices, slices.dense_shape)

    # -- what each way of running replicas has of its own; here that of a single replica

    def _sums(self, tensors: Sequence[Any]) -> list[Any]:
        return list(tensors)

    def _exchanged(self, tensor: Any) -> list[Any]:
        return [tensor]

    def _merged(self, merge_fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with entered(self._strategy, None):
            return merge_fn(self._strategy, *args, **kwargs)

    # -- what keras asks of the replica

    def updating(self, apply: Any, grads: Sequence[Any], variables: Any) -> None:
        """Apply gradients, summed over the replicas, as one update of all copies."""
        with_none = list(grads)
        given = [g for g in with_none if g is not None]
        summed = iter(self.all_reduce(ReduceOp.SUM, given))
        with self._together():
            apply([None if g is None else next(summed) for g in with_none], variables)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Have assignments inside the block count as those of all replicas at once."""
        here = local
        before = here.replica, self.merging
        here.replica, self.merging = None, True
        try:
            yield
        finally:
            here.replica, self.merging = before


def _is_slices(x: Any) -> bool:
    return hasattr(x, "indices") and hasattr(x, "values") and not isinstance(x, PerReplica)


class _Defaults:
    """What holds outside of every scope."""

    strategy: Any = None  # the default strategy, once it is made
    chosen: Any = None  # that of `experimental_set_strategy`


_defaults = _Defaults()


def set_default(strategy: Any) -> None:
    """Tell which strategy holds where none was entered; distribute/strategy.py does so."""
    _defaults.strategy = strategy


@contextmanager
def entered(strategy: Any, context: ReplicaContext | None) -> Iterator[None]:
    """Have a strategy hold inside the block: cross-replica, or in a replica's context."""
    here = local
    before = here.distribution, here.replica
    here.distribution = strategy, context
    here.replica = context if context is not None and context.num_replicas_in_sync > 1 else None
    try:
        yield
    finally:
        here.distribution, here.replica = before


def get_strategy() -> Any:
    """Return the strategy whose scope this is; a default one, of one replica, outside of all.

    Example:
        >>> tf.distribute.get_strategy().num_replicas_in_sync
        1
    """
    if local.distribution is not None:
        return local.distribution[0]
    return _defaults.chosen or _defaults.strategy


def has_strategy() -> bool:
    """Return whether a strategy other than the default one holds here.

    Example:
        >>> with tf.distribute.OneDeviceStrategy("/cpu:0").scope():
        ...     print(tf.distribute.has_strategy())
        True
    """
    return get_strategy() is not _defaults.strategy


def get_replica_context() -> ReplicaContext | None:
    """Return the context of the replica that runs; None in cross-replica context.

    That is inside of `strategy.scope()` and of merge functions. Outside of all strategies it is
    the default strategy's context.
    """
    if local.distribution is not None:
        return local.distribution[1]
    if _defaults.chosen is not None:
        return None
    return ReplicaContext(_defaults.strategy, 0)


def in_cross_replica_context() -> bool:
    """Return whether the code that runs stands above the replicas; see `get_replica_context`."""
    return get_replica_context() is None


def experimental_set_strategy(strategy: Any) -> None:
    """Have a strategy hold from here on, where no other was entered.

    Args:
        strategy: A strategy, or None for the default one again.

    Raises:
        RuntimeError: called inside of a scope.
    """
    if local.distribution is not None:
        raise RuntimeError(
            "tf.distribute.experimental_set_strategy: it must not be called inside "
            f"strategy.scope(); got {strategy!r}.\n  Fix: call it at the start of the program."
        )
    _defaults.chosen = strategy
