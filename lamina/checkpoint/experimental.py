"""tf.train.experimental: Python objects in checkpoints, and rules for several files."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lamina.checkpoint.edges import PythonState

__all__ = [
    "MaxShardSizePolicy",
    "PythonState",
    "ShardByTaskPolicy",
    "ShardableTensor",
    "ShardingCallback",
]


class ShardableTensor(NamedTuple):
    """A tensor of a checkpoint, as a `ShardingCallback` is shown it.

    Attributes:
        tensor: The array.
        dtype: Its dtype.
        device: Where it is.
        name: The key of the checkpoint.
        shape: Its shape.
        slice_spec: The part that it is of a larger one.
        checkpoint_key: The key of the checkpoint.
        trackable: The object that holds it.
    """

    tensor: Any
    dtype: Any = None
    device: Any = None
    name: str = ""
    shape: Any = None
    slice_spec: Any = ""
    checkpoint_key: str = ""
    trackable: Any = None


class ShardingCallback:
    """Says which tensors go to which file; one process writes one file, so it is not asked."""

    @property
    def description(self) -> str:
        """What the rule is, in words."""
        return type(self).__doc__ or ""

    def __call__(self, shardable_tensors: Sequence[ShardableTensor]) -> Any:
        """Return the tensors of each file, by key."""
        return [{t.checkpoint_key: {t.slice_spec: t.tensor} for t in shardable_tensors}]


class ShardByTaskPolicy(ShardingCallback):
    """One file for each task; there is one task."""


class MaxShardSizePolicy(ShardingCallback):
    """Files of at most a size.

    Args:
        max_shard_size: The size in bytes.
    """

    def __init__(self, max_shard_size: int) -> None:
        self.max_shard_size = max_shard_size

    def __call__(self, shardable_tensors: Sequence[ShardableTensor]) -> Any:
        """Return the tensors of each file, by key, in their order."""
        files: list[dict[str, Mapping[Any, Any]]] = [{}]
        size = 0
        for t in shardable_tensors:
            added = t.tensor.nbytes if hasattr(t.tensor, "nbytes") else 0
            if files[-1] and size + added > self.max_shard_size:
                files.append({})
                size = 0
            files[-1][t.checkpoint_key] = {t.slice_spec: t.tensor}
            size += added
        return files
