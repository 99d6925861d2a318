"""What strategies take and give: values of several replicas, options, and how they are reduced."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lamina import ops
from lamina.distribute import collectives
from lamina.engine import Tensor, TensorSpec, nest
from lamina.engine.aggregation import VariableAggregation, VariableSynchronization
from lamina.engine.composite import Composite

__all__ = [
    "CollectiveCommunication",
    "CollectiveHints",
    "CommunicationImplementation",
    "CommunicationOptions",
    "DistributedValues",
    "InputContext",
    "InputOptions",
    "InputReplicationMode",
    "PerReplica",
    "PerReplicaSpec",
    "ReduceOp",
    "RunOptions",
    "ValueContext",
    "VariableAggregation",
    "VariableSynchronization",
    "map_leaves",
    "reduce_op",
]


class ReduceOp(enum.Enum):
    """How the values of replicas become one: `SUM` or `MEAN`."""

    SUM = "SUM"
    MEAN = "MEAN"


def reduce_op(value: Any) -> ReduceOp:
    """Return a ReduceOp from one, or from its name in any case.

    Raises:
        ValueError: another name.
    """
    if isinstance(value, ReduceOp):
        return value
    if isinstance(value, str) and value.upper() in ReduceOp.__members__:
        return ReduceOp[value.upper()]
    raise ValueError(
        f"{value!r} is not a valid ReduceOp: it must be tf.distribute.ReduceOp.SUM or MEAN, or "
        f'"SUM" or "MEAN".'
    )


class CommunicationImplementation(enum.Enum):
    """What carries values between workers; XLA chooses, so all mean `AUTO` here."""

    AUTO = "AUTO"
    RING = "RING"
    NCCL = "NCCL"


CollectiveCommunication = CommunicationImplementation


class InputReplicationMode(enum.Enum):
    """Whether each worker, or each replica, has an input pipeline of its own."""

    PER_WORKER = "PER_WORKER"
    PER_REPLICA = "PER_REPLICA"


@dataclass(frozen=True)
class CommunicationOptions:
    """Hints for the exchange between replicas.

    Args:
        bytes_per_pack: Accepted, unused: XLA combines exchanges by itself.
        timeout_seconds: Accepted, unused; see `jax.distributed.initialize`.
        implementation: Accepted, unused: XLA chooses.
    """

    bytes_per_pack: int = 0
    timeout_seconds: float | None = None
    implementation: CommunicationImplementation = CommunicationImplementation.AUTO


@dataclass(frozen=True)
class CollectiveHints:
    """Hints as `CommunicationOptions`, in TF's older spelling."""

    bytes_per_pack: int = 0
    timeout_seconds: float | None = None


@dataclass(frozen=True)
class InputOptions:
    """How datasets are distributed.

    Args:
        experimental_fetch_to_device: Accepted, unused: batches go to the devices with the program.
        experimental_replication_mode: `InputReplicationMode`; `PER_REPLICA` calls the function of
            `distribute_datasets_from_function` once for each replica.
        experimental_place_dataset_on_device: Accepted, unused.
        experimental_per_replica_buffer_size: Accepted, unused.
    """

    experimental_fetch_to_device: bool | None = None
    experimental_replication_mode: InputReplicationMode = InputReplicationMode.PER_WORKER
    experimental_place_dataset_on_device: bool = False
    experimental_per_replica_buffer_size: int = 1


@dataclass(frozen=True)
class RunOptions:
    """Options of `Strategy.run`; all accepted and unused, since XLA needs none of them."""

    experimental_enable_dynamic_batch_size: bool = True
    experimental_bucketizing_dynamic_shape: bool = False
    experimental_xla_options: Any = None


@dataclass(frozen=True)
class ValueContext:
    """What `experimental_distribute_values_from_function` passes to its function."""

    replica_id_in_sync_group: int = 0
    num_replicas_in_sync: int = 1


class InputContext:
    """What the function of `distribute_datasets_from_function` gets.

    Args:
        num_input_pipelines: How many there are: one for each worker.
        input_pipeline_id: The number of this one, from 0.
        num_replicas_in_sync: How many replicas there are, over all workers.

    Example:
        >>> context = tf.distribute.InputContext(num_replicas_in_sync=4)
        >>> context.get_per_replica_batch_size(64)
        16
    """

    def __init__(
        self,
        num_input_pipelines: int = 1,
        input_pipeline_id: int = 0,
        num_replicas_in_sync: int = 1,
    ) -> None:
        self.num_input_pipelines = num_input_pipelines
        self.input_pipeline_id = input_pipeline_id
        self.num_replicas_in_sync = num_replicas_in_sync

    def get_per_replica_batch_size(self, global_batch_size: int) -> int:
        """Return the samples of a batch that each replica gets.

        Raises:
            ValueError: the batch cannot be split evenly.
        """
        if global_batch_size % self.num_replicas_in_sync:
            raise ValueError(
                f"The `global_batch_size` {global_batch_size} is not divisible by "
                f"`num_replicas_in_sync` {self.num_replicas_in_sync}.\n"
                f"  Fix: take a multiple of it."
            )
        return global_batch_size // self.num_replicas_in_sync

    def __repr__(self) -> str:
        return (
            f"tf.distribute.InputContext(input pipeline id {self.input_pipeline_id}, total: "
            f"{self.num_input_pipelines})"
        )


class PerReplicaSpec(Composite):
    """The specs of the values of a `PerReplica`, one for each replica.

    In an `input_signature` it stands for values of one shape, the same on all replicas.

    Args:
        *value_specs: A TensorSpec for each replica.
    """

    def __init__(self, *value_specs: Any) -> None:
        self.value_specs = value_specs

    def _components(self) -> list[Any]:
        spec = self.value_specs[0]
        return [TensorSpec([len(self.value_specs), *spec.shape.as_list()], spec.dtype)]

    def _rebuilt(self, components: Sequence[Any]) -> Any:
        return PerReplica(None, components[0])

    def _kind(self) -> Any:
        return PerReplica, False

    def _like(self) -> Any:
        return PerReplica

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PerReplicaSpec) and self.value_specs == other.value_specs

    def __hash__(self) -> int:
        return hash(self.value_specs)

    def __repr__(self) -> str:
        return f"PerReplicaSpec({', '.join(map(repr, self.value_specs))})"


class DistributedValues:
    """Base class of values that differ between replicas."""

    @property
    def values(self) -> tuple[Any, ...]:
        """The value of each replica."""
        raise TypeError(
            "tf.distribute.DistributedValues: it has no values of its own.\n"
            "  Fix: strategy.run and the distributed datasets make the values."
        )


class PerReplica(DistributedValues, Composite):
    """A value for each replica.

    Args:
        values: The values; Tensors of any shapes, or any objects.
        stacked: Instead of them, one Tensor that holds them along its first axis.
    """

    def __init__(self, values: Sequence[Any] | None, stacked: Tensor | None = None) -> None:
        self._values = None if values is None else tuple(values)
        self.stacked = stacked

    @property
    def values(self) -> tuple[Any, ...]:
        """The value of each replica."""
        if self._values is None:
            assert self.stacked is not None
            count = int(self.stacked.shape[0])
            return tuple(collectives.take(self.stacked, at=i) for i in range(count))
        return self._values

    @property
    def is_tensor(self) -> bool:
        """Whether all values are Tensors."""
        return self.stacked is not None or all(isinstance(v, Tensor) for v in self.values)

    def as_stacked(self) -> Tensor | None:
        """Return the values as one Tensor, or None if they differ in shape or dtype."""
        if self.stacked is None:
            if any(map(is_composite, self.values)):
                return None
            values = [ops.convert_to_tensor(v) for v in self.values if is_value(v)]
            if len(values) != len(self.values):
                return None
            if any(v._type is not values[0]._type for v in values):
                return None
            if values[0].dtype.name == "string":
                return None
            self.stacked = ops.stack(values)
        return self.stacked

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values[0].dtype if self.stacked is None else self.stacked.dtype

    @property
    def shape(self) -> Any:
        """The shape of the first replica's value."""
        return self.values[0].shape

    # What `tf.nest` and `tf.function` ask of a value that is made of Tensors.

    def _components(self) -> list[Any]:
        return [self.stacked] if self.stacked is not None else list(self.values)

    def _rebuilt(self, components: Sequence[Any]) -> "PerReplica":
        if self.stacked is not None:
            return PerReplica(None, components[0])
        return PerReplica(components)

    def _kind(self) -> Any:
        return type(self), self.stacked is None

    def __str__(self) -> str:
        return self._shown(str)

    def __repr__(self) -> str:
        return self._shown(repr)

    def _shown(self, text: Any) -> str:
        lines = [f"  {i}: {text(v)}" for i, v in enumerate(self.values)]
        return "PerReplica:{\n" + ",\n".join(lines) + "\n}"


def is_composite(x: Any) -> bool:
    """Return whether `x` is one replica's value made of several Tensors: a ragged one, say."""
    return isinstance(x, Composite) and not isinstance(x, PerReplica)


def is_value(x: Any) -> bool:
    """Return whether `x` is a Tensor, a Variable or an array."""
    return isinstance(x, Tensor) or hasattr(type(x), "_as_tensor") or hasattr(x, "__array__")


def map_leaves(fn: Any, *structures: Any) -> Any:
    """As `tf.nest.map_structure`, with each PerReplica as a leaf."""
    first = structures[0]
    if isinstance(first, PerReplica) or not nest.is_nested(first):
        return fn(*structures)
    if isinstance(first, dict):
        made = {k: map_leaves(fn, *[s[k] for s in structures]) for k in first}
        return made if type(first) is dict else type(first)(made)
    if isinstance(first, list | tuple):
        items = [map_leaves(fn, *some) for some in zip(*structures, strict=True)]
        return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
    return fn(*structures)
