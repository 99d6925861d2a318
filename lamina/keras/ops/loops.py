"""tf.keras.ops: branches and loops."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor, nest
from lamina.keras.core import graph_function
from lamina.ops.control_flow import check_alike
from lamina.ops.loops import run_scan

__all__ = [
    "associative_scan",
    "cond",
    "fori_loop",
    "map",
    "scan",
    "switch",
    "vectorized_map",
    "while_loop",
]


# ---- branches ---------------------------------------------------------------------------------


@graph_function
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """Return `true_fn()` if `pred`, else `false_fn()`.

    Args:
        pred: bool, a single value.
        true_fn: A function without arguments.
        false_fn: Likewise; inside `tf.function`, of the same structure, shapes and dtypes.

    Returns:
        What the function returns.

    Example:
        >>> x = tf.constant(3.0)
        >>> tf.keras.ops.cond(x > 0, lambda: x, lambda: -x).numpy()
        np.float32(3.0)
    """
    return ops.cond(pred, true_fn, false_fn)


@graph_function
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """Return `branches[index](*operands)`.

    Args:
        index: int, a single value; clipped to the branches there are.
        branches: Functions of the operands.
        *operands: What the functions are given.

    Returns:
        What the function returns.

    Example:
        >>> double, halve = lambda x: x * 2, lambda x: x / 2
        >>> tf.keras.ops.switch(1, [double, halve], tf.constant(3.0)).numpy()
        np.float32(1.5)
    """
    place = ops.clip_by_value(ops.cast(index, "int32"), 0, len(branches) - 1)
    given = [convert_to_tensor(x) if isinstance(x, np.ndarray) else x for x in operands]
    return ops.switch_case(place, [lambda fn=fn: fn(*given) for fn in branches])


# ---- loops ------------------------------------------------------------------------------------


@graph_function
def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
) -> Any:
    """Repeat `body` while `cond` holds.

    Args:
        cond: A function of the loop variables that returns one bool.
        body: A function of the loop variables that returns their next values.
        loop_vars: A tuple or list of values, or one value.
        maximum_iterations: The most iterations, or None.

    Returns:
        The last values: a tuple, or one value if one was given.

    Example:
        >>> tf.keras.ops.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))[0].numpy()
        np.int32(6)
    """
    several = isinstance(loop_vars, list | tuple)
    start = tuple(loop_vars) if several else (loop_vars,)

    def step(*values: Any) -> tuple[Any, ...]:
        found = body(*values)
        return tuple(found) if several else (found,)

    values = ops.while_loop(cond, step, start, maximum_iterations=maximum_iterations)
    return values if several else values[0]


@graph_function
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """Apply `value = body_fun(i, value)` for i from `lower` to `upper - 1`.

    Args:
        lower: The first i.
        upper: One more than the last.
        body_fun: A function of i and the value.
        init_val: The first value, a Tensor or a structure of them.

    Returns:
        The last value.

    Example:
        >>> tf.keras.ops.fori_loop(0, 4, lambda i, total: total + i, 0).numpy()
        np.int32(6)
    """
    return ops.while_loop(
        lambda i, _: i < upper, lambda i, value: (i + 1, body_fun(i, value)), (lower, init_val)
    )[1]


@graph_function
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """Apply a function to each element along the first axis, and stack the results.

    Args:
        f: A function of one element.
        xs: A Tensor ``(N, …)``, or a structure of them.

    Returns:
        The structure that `f` returns, of Tensors ``(N, …)``.

    Example:
        >>> tf.keras.ops.map(lambda x: x * x, tf.constant([1.0, 2.0])).numpy()
        array([1., 4.], dtype=float32)
    """
    return ops.map_elements(f, nest.map_structure(convert_to_tensor, xs))


@graph_function
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Apply a function to all elements along the first axis at once.

    Args:
        function: A function of one element; it must not assign variables.
        elements: A Tensor ``(N, …)``, or a structure of them.

    Returns:
        The structure that the function returns, of Tensors ``(N, …)``.

    Example:
        >>> tf.keras.ops.vectorized_map(lambda x: x + 1, tf.constant([1, 2])).numpy()
        array([2, 3], dtype=int32)
    """
    return ops.vectorized_map(function, elements)


@graph_function
def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int | bool = 1,
) -> tuple[Any, Any]:
    """Carry a value along the first axis: ``carry, y = f(carry, x)``.

    Args:
        f: A function of the carry and one element, returning the next carry and an output.
        init: The first carry, a Tensor or a structure of them.
        xs: A Tensor ``(T, …)``, a structure of them, or None with `length`.
        length: The number of steps; None takes T.
        reverse: Go from the last element to the first; outputs keep the elements' order.
        unroll: Accepted; XLA decides.

    Returns:
        The last carry, and the outputs stacked along a new first axis.

    Raises:
        TypeError: `f` is no function.
        ValueError: neither `xs` nor `length` is given, or `unroll` is no positive int or bool.

    Example:
        >>> step = lambda total, x: (total + x, total * x)
        >>> last, all = tf.keras.ops.scan(step, tf.constant(0.0), tf.constant([1.0, 2.0]))
        >>> last.numpy(), all.numpy()
        (np.float32(3.0), array([0., 2.], dtype=float32))
    """
    _check_function("scan", f)
    if not isinstance(unroll, bool) and (not isinstance(unroll, int) or unroll < 1):
        raise ValueError(f"scan: `unroll` must be a positive int or a bool; got {unroll!r}.")
    if xs is None and length is None:
        raise ValueError(
            "scan: `xs` or `length` must be given; got None for both.\n"
            "  Fix: pass length= for a loop without elements."
        )
    start = nest.map_structure(convert_to_tensor, init)
    items = None if xs is None else nest.map_structure(convert_to_tensor, xs)
    if items is not None and length is not None:
        items = nest.map_structure(lambda x: x[: int(length)], items)
    return run_scan(
        f, start, items, length=None if length is None else int(length), reverse=reverse, who="scan"
    )


def _check_function(who: str, f: Any) -> None:
    if not callable(f):
        raise TypeError(f"{who}: `f` must be a function; got {f!r} ({type(f).__name__}).")


@graph_function
def associative_scan(
    f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0
) -> Any:
    """Return all partial results of an associative operation along an axis, in parallel.

    With n elements, it takes ``log2(n)`` steps that each combine many pairs.

    Args:
        f: A function of two structures like `elems`, with as many entries along `axis` in both,
            that returns their combinations, entry by entry.
        elems: A Tensor, or a structure of them, with n entries along `axis`.
        reverse: Start from the end.
        axis: The axis.

    Returns:
        The structure, shapes and dtypes of `elems`.

    Raises:
        TypeError: `f` is no function.
        ValueError: the axis has different sizes.

    Example:
        >>> add = lambda a, b: a + b
        >>> tf.keras.ops.associative_scan(add, tf.constant([1, 2, 3, 4])).numpy()
        array([ 1,  3,  6, 10], dtype=int32)

    Reference: Blelloch 1990, "Prefix sums and their applications".
    """
    _check_function("associative_scan", f)
    flat = [convert_to_tensor(e) for e in nest.flatten(elems)]
    sizes = [t.shape[axis] for t in flat]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"associative_scan: all elements must have one size along axis {axis}; got shapes "
            f"{[tuple(t.shape) for t in flat]}."
        )

    def combine(a: list[Tensor], b: list[Tensor]) -> list[Tensor]:
        packed = f(nest.pack_sequence_as(elems, a), nest.pack_sequence_as(elems, b))
        return nest.flatten(packed)

    if reverse:
        flat = [ops.reverse(t, [axis % t.ndim]) for t in flat]
    if sizes[0] is None:
        flat = _one_by_one(combine, flat, axis)
    else:
        flat = _in_parallel(combine, flat, axis)
    if reverse:
        flat = [ops.reverse(t, [axis % t.ndim]) for t in flat]
    return nest.pack_sequence_as(elems, flat)


_Combine = Callable[[list[Tensor], list[Tensor]], list[Tensor]]


def _cut(tensors: list[Tensor], axis: int, start: int, stop: int | None, step: int) -> list[Tensor]:
    key = [slice(None)] * (axis % tensors[0].ndim)
    return [t[(*key, slice(start, stop, step))] for t in tensors]


def _in_parallel(combine: _Combine, elems: list[Tensor], axis: int) -> list[Tensor]:
    """Combine neighbours, scan the half as many results, and fill in the places between."""
    size = elems[0].shape[axis]
    if size < 2:
        return elems
    pairs = combine(_cut(elems, axis, 0, size - 1, 2), _cut(elems, axis, 1, None, 2))
    odd = _in_parallel(combine, pairs, axis)
    first = _cut(elems, axis, 0, 1, 1)
    if size == 2:
        return [ops.concat(each, axis) for each in zip(first, odd, strict=True)]
    rest = _cut(elems, axis, 2, None, 2)
    before = _cut(odd, axis, 0, (size - 1) // 2, 1)
    even = [ops.concat(each, axis) for each in zip(first, combine(before, rest), strict=True)]
    return [_interleaved(a, b, axis) for a, b in zip(even, odd, strict=True)]


def _interleaved(even: Tensor, odd: Tensor, axis: int) -> Tensor:
    place = axis % even.ndim
    count = odd.shape[place]
    (head,) = _cut([even], place, 0, count, 1)
    both = ops.stack([head, odd], place + 1)
    sizes = [*even.shape[:place], 2 * count, *even.shape[place + 1 :]]
    known = [s if s is not None else ops.shape(even)[i] for i, s in enumerate(sizes)]
    joined = ops.reshape(both, known)
    if even.shape[place] == count:
        return joined
    return ops.concat([joined, *_cut([even], place, count, None, 1)], place)


def _one_by_one(combine: _Combine, elems: list[Tensor], axis: int) -> list[Tensor]:
    """The same for an axis of unknown size: in sequence."""
    moved = [_swapped(t, axis) for t in elems]

    def step(before: list[Tensor], now: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        def whole(tensors: list[Tensor]) -> list[Tensor]:
            return [_swapped(ops.expand_dims(t, 0), axis) for t in tensors]

        joined = [_swapped(t, axis)[0] for t in combine(whole(before), whole(now))]
        check_alike("associative_scan", before, joined, "an element", "`f`")
        return joined, joined

    first = [t[0] for t in moved]
    rest = run_scan(step, first, [t[1:] for t in moved], who="associative_scan")[1]
    joined = [ops.concat([ops.expand_dims(a, 0), b], 0) for a, b in zip(first, rest, strict=True)]
    return [_swapped(t, axis) for t in joined]


def _swapped(x: Tensor, axis: int) -> Tensor:
    order = list(range(x.ndim))
    order[0], order[axis] = order[axis], order[0]
    return ops.transpose(x, order)
