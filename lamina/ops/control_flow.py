"""Branches as sub-traces, and the Python way in eager code; loops.py has the loops."""

import builtins
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from lamina.engine import (
    Closed,
    Tensor,
    TensorType,
    Trace,
    close,
    convert_to_tensor,
    errors,
    local,
    nest,
    op,
    replace_nones,
)
from lamina.ops.tensor_array import TensorArray

__all__ = ["cond", "group", "no_op", "switch_case"]


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return `true_fn()` if `pred`, else `false_fn()`.

    In eager code only the branch taken is called. Inside `tf.function` both are recorded, and
    the one taken runs; variables that either assigns keep their value in the other.

    Args:
        pred: bool, a single value.
        true_fn: A function without arguments; its result is a structure of Tensors.
        false_fn: Likewise, of the same structure, shapes and dtypes.
        name: Accepted, unused.

    Raises:
        TypeError: the branches return different structures, shapes or dtypes.

    Example:
        >>> tf.cond(tf.constant(True), lambda: 1.0, lambda: 2.0)
        1.0
    """
    if true_fn is None or false_fn is None:
        raise TypeError("tf.cond: `true_fn` and `false_fn` must be given, functions both.")
    for what, fn in (("true_fn", true_fn), ("false_fn", false_fn)):
        if not callable(fn):
            raise TypeError(
                f"tf.cond: `{what}` must be a function without arguments; got {fn!r}.\n"
                f"  Fix: lambda: value."
            )
    if not isinstance(pred, Tensor) and not hasattr(type(pred), "_as_tensor"):
        return true_fn() if pred else false_fn()
    pred = _single(convert_to_tensor(pred), "tf.cond", "pred")
    if local.trace.eager:
        return true_fn() if pred else false_fn()
    return _branch(_to_index(pred), [false_fn, true_fn], "tf.cond")


def switch_case(
    branch_index: Any,
    branch_fns: Any,
    default: Callable[[], Any] | None = None,
    name: str = "switch_case",
) -> Any:
    """Return `branch_fns[branch_index]()`.

    Args:
        branch_index: int32, a single value.
        branch_fns: Functions, (index, function) pairs, or a dict; indices from 0 without gaps.
        default: The function for an index outside; None takes the last.
        name: Accepted, unused.
    """
    pairs = branch_fns.items() if isinstance(branch_fns, dict) else branch_fns
    pairs = list(pairs)
    if pairs and isinstance(pairs[0], tuple):
        pairs.sort(key=lambda pair: pair[0])
        places = [int(i) for i, _ in pairs]
        if places != [*builtins.range(len(pairs))]:
            raise ValueError(
                f"tf.switch_case: the indices of `branch_fns` must be 0 to {len(pairs) - 1}; got "
                f"{places}.\n  Fix: number the branches from 0 without gaps."
            )
        pairs = [fn for _, fn in pairs]
    fns = [*pairs, default or pairs[-1]]
    index = _single(convert_to_tensor(branch_index), "tf.switch_case", "branch_index")
    last = len(fns) - 1
    if local.trace.eager:
        at = int(index)
        return fns[at if 0 <= at < last else last]()
    return _branch(_clamped_index(index, last=last), fns, "tf.switch_case")


def _single(value: Tensor, who: str, what: str) -> Tensor:
    if value.shape.num_elements() != 1:
        raise errors.InvalidArgumentError(
            f"{who}: `{what}` must be a single value; got shape {value.shape}, dtype "
            f"{value.dtype.name}.\n  Fix: tf.reduce_any(x) or tf.reduce_all(x)."
        )
    return value


def _branch(index: Tensor, fns: Sequence[Callable[[], Any]], who: str) -> Any:
    """Record the branches, give them equal inputs and outputs, and emit one equation."""
    arrays: dict[int, TensorArray] = {}
    closed, results = _close_branches([_joining(fn, arrays) for fn in fns], who)
    first = results[0]
    for k, other in enumerate(results[1:], 1):
        check_alike(who, first, other, "the first branch", f"branch {k}", varies=True)
    outer = distinct(o for c in closed for o in c.outer)
    place = {id(o): i for i, o in enumerate(outer)}
    operands = [o if isinstance(o, Tensor) else o._as_tensor() for o in outer]
    written = closed[0].written
    outputs = _switch(
        index,
        *operands,
        branches=tuple(c.trace for c in closed),
        inputs=tuple(tuple(place[id(o)] for o in c.outer) for c in closed),
    )
    count = len(outputs) - len(written)
    for variable, value in zip(written, outputs[count:], strict=True):
        local.trace.write(variable, value)
    found = replace_nones(first, outputs[:count])
    if not arrays:
        return found
    flat = [arrays[i].of_joined(v) if i in arrays else v for i, v in enumerate(nest.flatten(found))]
    return nest.pack_sequence_as(found, flat)


def _joining(fn: Callable[[], Any], arrays: dict[int, TensorArray]) -> Callable[[], Any]:
    """Return a branch that gives TensorArrays as one Tensor, and notes them by their places."""

    def run() -> Any:
        result = fn()
        flat = nest.flatten(result)
        found = {i: v for i, v in enumerate(flat) if isinstance(v, TensorArray)}
        if not found:
            return result
        arrays.update(found)
        return nest.pack_sequence_as(
            result, [v.joined() if i in found else v for i, v in enumerate(flat)]
        )

    return run


def _close_branches(fns: Sequence[Callable[[], Any]], who: str) -> tuple[list[Closed], list[Any]]:
    """Record each branch, so that all of them return the variables that any of them assigns."""
    found = [close(fn, [], who) for fn in fns]
    written = distinct(v for c, _ in found for v in c.written)
    if any(len(c.written) != len(written) for c, _ in found):
        found = [close(fn, [], who, also_write=written) for fn in fns]
    for closed, _ in found:
        _reorder(closed, found[0][0].written)
    return [c for c, _ in found], [r for _, r in found]


def _reorder(closed: Closed, order: list[Any]) -> None:
    """Put the variables that a branch assigns into the given order."""
    place = {id(v): closed.outputs + i for i, v in enumerate(closed.written)}
    at = [place[id(v)] for v in order]
    trace, n = closed.trace, closed.outputs
    places = [*builtins.range(n), *at]
    closed.trace = Trace.of(
        trace.inputs,
        trace.equations,
        [trace.outputs[i] for i in places],
        [trace.types[i] for i in places],
        trace.paths,
    )
    closed.written = list(order)


def distinct(items: Iterable[Any]) -> list[Any]:
    """Return the items without repetitions, by identity: `==` on Tensors is elementwise."""
    return list({id(o): o for o in items}.values())


def check_alike(
    who: str, first: Any, other: Any, name: str, other_name: str, varies: bool = False
) -> None:
    """Raise a TypeError unless two results agree in structure, shapes and dtypes.

    Args:
        who: The caller's name.
        first: A structure of Tensors.
        other: What must be alike.
        name: Where `first` comes from.
        other_name: Where `other` comes from.
        varies: Whether shapes may differ in eager code: then it is a TracedValueError.
    """
    try:
        nest.assert_same_structure(first, other)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{who}: all branches must return the same structure.\n  Reason: {error}"
        ) from None
    for a, b in zip(nest.flatten(first), nest.flatten(other), strict=True):
        kinds = [None if t is None else t._type for t in (a, b)]
        if varies and None not in kinds and a.dtype is b.dtype and a.shape != b.shape:
            raise errors.TracedValueError(
                f"{who}: the shape of a result depends on a Tensor; {name} returns {a.shape}, "
                f"{other_name} {b.shape}."
            )
        if kinds[0] is not kinds[1]:
            raise TypeError(
                f"{who}: all branches must return the same shapes and dtypes; {name} returns "
                f"{kinds[0]}, {other_name} {kinds[1]}.\n"
                f"  Fix: tf.cast or tf.reshape the results to agree."
            )


def _infer_switch(kinds: Sequence[TensorType], *, branches: Any, inputs: Any) -> Any:
    return branches[0].types, list


@op(mixed=True, infer=_infer_switch)
def _switch(index, *operands, branches, inputs):
    def run(branch, places):
        return lambda values: branch.run(*[values[i] for i in places])

    fns = [run(b, p) for b, p in zip(branches, inputs, strict=True)]
    return lax.switch(jnp.reshape(index, ()), fns, operands)


@op(differentiable=False)
def _to_index(pred):
    return jnp.asarray(pred, jnp.int32)


@op(differentiable=False)
def _clamped_index(index, *, last):
    index = jnp.asarray(index, jnp.int32)
    return jnp.where((index < 0) | (index > last), last, index)


def group(*inputs: Any, **kwargs: Any) -> None:
    """Do nothing: operations run in program order here. TF groups the ops of a graph."""


def no_op(name: str | None = None) -> None:
    """Do nothing."""
