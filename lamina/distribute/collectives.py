"""What replicas exchange: the recorded operations that a replica's program sends values with."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.sharding import PartitionSpec

from lamina.engine import Tensor, TensorType, Trace, call_trace, dtypes, op, type_of

__all__ = [
    "AXIS",
    "all_gather",
    "all_sum",
    "from_first",
    "index",
    "own_key",
    "resumed",
    "run_on_all",
    "take",
]

AXIS = "replica"
"""The mesh axis that replicas lie along."""


def _same(kinds: Sequence[TensorType]) -> Any:
    return tuple(kinds), list


@op(mixed=True, infer=_same)
def all_sum(*values: Any) -> list[Any]:
    """Return the sums of values over all replicas; the gradient is summed likewise, as in TF."""
    return list(lax.psum(values, AXIS))


def _first(kinds: Sequence[TensorType]) -> Any:
    return (kinds[0],), None


@op(mixed=True, infer=_first, differentiable=False)
def from_first(value: Any) -> Any:
    """Return the value that the first replica has."""
    mine = jnp.where(lax.axis_index(AXIS) == 0, value, jnp.zeros_like(value))
    return (
        lax.psum(mine.astype(jnp.int32), AXIS) != 0 if value.dtype == bool else lax.psum(mine, AXIS)
    )


def _gathered(kinds: Sequence[TensorType], *, count: int) -> Any:
    return (type_of((count, *kinds[0].dims), kinds[0].dtype),), None


@op(mixed=True, infer=_gathered)
def all_gather(value: Any, *, count: int) -> Any:
    """Return the values of all replicas, stacked along a new first axis: ``(count, …)``."""
    return lax.all_gather(value, AXIS)


def _index_type(kinds: Sequence[TensorType]) -> Any:
    return (type_of((), dtypes.int32),), None


@op(mixed=True, infer=_index_type, differentiable=False)
def _index(*nothing: Any) -> Any:
    return lax.axis_index(AXIS).astype(jnp.int32)


def index() -> Tensor:
    """Return the number of the replica that runs, int32, from 0."""
    return _index()


@op(mixed=True, differentiable=False)
def own_key(key: Any, replica: Any) -> Any:
    """Return the key of a random stream that one replica draws from; replica 0 keeps the key."""
    return jnp.where(replica == 0, key, jax.random.fold_in(key, replica))


@op(mixed=True)
def take(stacked: Any, *, at: int) -> Any:
    """Return one entry along the first axis."""
    return stacked[at]


def _of_all(
    kinds: Sequence[TensorType],
    *,
    trace: Trace,
    mapped: tuple[bool, ...],
    shared: tuple[bool, ...],
    count: int,
    mesh: Any,
) -> Any:
    outputs = zip(trace.types, shared, strict=True)
    return tuple(t if s else type_of((count, *t.dims), t.dtype) for t, s in outputs), list


@op(mixed=True, infer=_of_all)
def _run_on_all(
    *operands: Any,
    trace: Trace,
    mapped: tuple[bool, ...],
    shared: tuple[bool, ...],
    count: int,
    mesh: Any,
) -> list[Any]:
    if mesh is None:
        axes = tuple(0 if m else None for m in mapped)
        outputs = jax.vmap(trace.run, axes, axis_name=AXIS, axis_size=count)(*operands)
        return [o[0] if s else o for o, s in zip(outputs, shared, strict=True)]

    # A process can only read what lies on its own devices: with several, each gets all values.
    gathers = mesh.is_multi_process

    def one(*values: Any) -> list[Any]:
        mine = [v[0] if m else v for v, m in zip(values, mapped, strict=True)]
        outputs = zip(trace.run(*mine), shared, strict=True)
        if gathers:
            return [o if s else lax.all_gather(o, AXIS) for o, s in outputs]
        return [o if s else o[None] for o, s in outputs]

    on_axis, on_all = PartitionSpec(AXIS), PartitionSpec()
    return jax.shard_map(
        one,
        mesh=mesh,
        in_specs=tuple(on_axis if m else on_all for m in mapped),
        out_specs=[on_all if s or gathers else on_axis for s in shared],
        check_vma=False,
    )(*operands)


def run_on_all(
    trace: Trace,
    operands: Sequence[Tensor],
    mapped: Sequence[bool],
    shared: Sequence[bool],
    count: int,
    mesh: Any,
) -> list[Tensor]:
    """Record one equation that runs a replica's program for all replicas at once.

    Args:
        trace: The program of one replica.
        operands: Its inputs; those that differ between replicas are stacked along a first axis.
        mapped: For each input whether it is stacked.
        shared: For each output whether it is the same on all replicas; the others come stacked.
        count: How many replicas there are.
        mesh: A `jax.sharding.Mesh` with the one axis `AXIS`, a device for each replica; None
            runs all replicas on one device, as a batch.
    """
    how = {"mapped": tuple(mapped), "shared": tuple(shared), "count": count, "mesh": mesh}
    return call_trace(trace, operands, _run_on_all, **how)


def _like_plain(kinds: Sequence[TensorType], **_: Any) -> Any:
    return (kinds[0],), None


@op(mixed=True, infer=_like_plain, differentiable=False)
def resumed(plain: Any, part: Any, *, sums: bool, count: int) -> Any:
    """Return a replica's own part of a variable whose replicas add up to `plain`.

    That is the part it had, unless the variable was assigned since: then the value is shared out.
    """
    total = lax.psum(part, AXIS)
    if not sums:
        return jnp.where(plain == (total / count).astype(plain.dtype), part, plain)
    if jnp.issubdtype(plain.dtype, jnp.inexact):
        share = plain / count
    else:
        share = jnp.where(lax.axis_index(AXIS) == 0, plain, jnp.zeros_like(plain))
    return jnp.where(plain == total, part, share.astype(plain.dtype))
