"""Loops as sub-traces, and the Python way in eager code."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp
from jax import lax

from lamina.engine import (
    Closed,
    DType,
    Tensor,
    TensorSpec,
    TensorType,
    Trace,
    close,
    convert_to_tensor,
    dtypes,
    errors,
    local,
    nest,
    op,
    replace_nones,
    static_int,
    type_of,
)
from lamina.engine import vectorize as _vectorize
from lamina.ops.array import stop_gradient
from lamina.ops.checkpointed import checkpointed_while
from lamina.ops.control_flow import check_alike, distinct
from lamina.ops.looped_arrays import joined_arrays
from lamina.ops.shaping import broadcast_to
from lamina.ops.tensor_array import TensorArray

__all__ = ["foldl", "foldr", "map_elements", "map_fn", "scan", "vectorized_map", "while_loop"]


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat `body` while `cond` holds, and return the loop variables.

    In eager code this is a Python loop. Inside `tf.function` it is one loop of the program.
    There, gradients run the loop again from checkpoints: for up to 1024 iterations three forward
    passes and the memory of 64 states, beyond that slowly more, and first derivatives only. With
    `maximum_iterations` the loop runs as that many steps that do nothing once the condition is
    false: every state is kept, nothing is run again, and derivatives of any order are there.

    Args:
        cond: A function of the loop variables that returns one bool.
        body: A function of the loop variables that returns their next values.
        loop_vars: A list, tuple or other structure of what converts to Tensors, and of
            TensorArrays.
        shape_invariants: Accepted; a `tf.function` in which shapes then change runs eagerly.
        parallel_iterations: Accepted, unused.
        back_prop: Whether gradients flow through the loop of a program; eager loops have them.
        swap_memory: Accepted, unused.
        maximum_iterations: The most iterations to run, or None.
        name: Accepted, unused.

    Returns:
        The final values, in the structure of `loop_vars`.

    Raises:
        TypeError: `body` returns other structures, shapes or dtypes than it was given.

    Example:
        >>> tf.while_loop(lambda i: i < 10, lambda i: [i + 3], [tf.constant(0)])[0].numpy()
        np.int32(12)
    """
    if local.trace.eager:
        return _python_loop(cond, body, loop_vars, maximum_iterations)
    limit = maximum_iterations
    if limit is not None:
        limit = static_int(limit, "maximum_iterations")
    proceeds, once = _of_structure(cond, body, loop_vars)
    start = nest.map_structure(_loop_value, loop_vars)
    rebuilt = None
    if any(isinstance(v, TensorArray) for v in nest.flatten(start)):
        proceeds, once, start, rebuilt = joined_arrays(proceeds, once, start)
    flat = nest.flatten(start)
    test, step = _close_loop(proceeds, once, start, shape_invariants is not None)
    written, fixed, place = _arrange([*step.outer, *test.outer], step.written)
    carried = [v._as_tensor() for v in written]
    operands = [*flat, *carried, *[o if isinstance(o, Tensor) else o._as_tensor() for o in fixed]]
    outputs = _while(
        *operands,
        test=test.trace,
        trace=step.trace,
        carry=len(flat) + len(carried),
        test_inputs=tuple(len(flat) + place[id(o)] for o in test.outer),
        step_inputs=tuple(len(flat) + place[id(o)] for o in step.outer),
        limit=limit,
        count=len(flat),
    )
    for variable, value in zip(written, outputs[len(flat) :], strict=True):
        local.trace.write(variable, value)
    found = nest.pack_sequence_as(start, outputs[: len(flat)])
    found = _constant_unless(back_prop, found)
    return found if rebuilt is None else rebuilt(found)


def _constant_unless(back_prop: bool, results: Any) -> Any:
    """Return results; in a program without `back_prop` no gradient flows to them, as in TF."""
    if back_prop or local.trace.eager:
        return results
    return nest.map_structure(stop_gradient, results)


def _python_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any) -> Any:
    limit = None if maximum_iterations is None else int(maximum_iterations)
    values = loop_vars
    packed = isinstance(loop_vars, list | tuple)
    done = 0
    while (limit is None or done < limit) and bool(cond(*values) if packed else cond(values)):
        result = body(*values) if packed else body(values)
        values = _as_loop_vars(result, loop_vars)
        done += 1
    return nest.map_structure(_loop_value, values)


def _loop_value(value: Any) -> Any:
    return value if isinstance(value, TensorArray) else convert_to_tensor(value)


def _as_loop_vars(result: Any, loop_vars: Any) -> Any:
    if isinstance(loop_vars, list | tuple) and not isinstance(result, list | tuple):
        result = [result]
    if isinstance(loop_vars, list | tuple):
        nest.assert_same_structure(list(loop_vars), list(result))
    else:
        nest.assert_same_structure(loop_vars, result)
    return type(loop_vars)(result) if type(loop_vars) in (list, tuple) else result


def _of_structure(cond: Any, body: Any, loop_vars: Any) -> tuple[Any, Any]:
    """Return the condition and the body as functions of one structure, that of the variables."""
    packed = isinstance(loop_vars, list | tuple)

    def proceeds(values: Any) -> Any:
        return cond(*values) if packed else cond(values)

    def once(values: Any) -> Any:
        return _as_loop_vars(body(*values) if packed else body(values), loop_vars)

    return proceeds, once


def _close_loop(proceeds: Any, once: Any, start: Any, may_vary: bool) -> tuple[Closed, Closed]:
    flat = nest.flatten(start)
    kinds = [t._type for t in flat]
    test, _ = close(
        lambda *values: proceeds(nest.pack_sequence_as(start, list(values))),
        kinds,
        "tf.while_loop's condition",
    )
    closed, result = close(
        lambda *values: nest.flatten(once(nest.pack_sequence_as(start, list(values)))),
        kinds,
        "tf.while_loop's body",
    )
    if test.written:
        raise ValueError("tf.while_loop: `cond` must not assign variables.")
    for before, after in zip(flat, result, strict=True):
        if after is not None and before._type is after._type:
            continue
        if may_vary and after is not None and before.dtype is after.dtype:
            raise errors.TracedValueError(
                f"tf.while_loop: the shape of a loop variable goes from {before.shape} to "
                f"{after.shape}, as `shape_invariants` allows."
            )
        raise TypeError(
            f"tf.while_loop: `body` must keep the shape and dtype of each loop variable; got "
            f"{None if after is None else after._type} for {before._type}.\n"
            f"  Fix: tf.cast in the body, or give the first value the final dtype and shape; "
            f"with `shape_invariants` the function runs eagerly."
        )
    return test, closed


def _arrange(
    outer: Iterable[Any], written: list[Any]
) -> tuple[list[Any], list[Any], dict[int, int]]:
    """Return (variables carried, other operands, the place of each among both)."""
    carried = {id(v) for v in written}
    fixed = [o for o in distinct(outer) if id(o) not in carried]
    return written, fixed, {id(o): i for i, o in enumerate([*written, *fixed])}


def _infer_while(kinds: Sequence[TensorType], *, carry: int, **_: Any) -> Any:
    return tuple(kinds[:carry]), list


@op(mixed=True, infer=_infer_while)
def _while(*operands, test, trace, carry, test_inputs, step_inputs, limit, count):
    fixed = tuple(operands[carry:])

    def proceed(state, fixed=fixed):
        values = (*state, *fixed)
        return jnp.reshape(test.run(*state[:count], *[values[i] for i in test_inputs])[0], ())

    def step(state, fixed=fixed):
        values = (*state, *fixed)
        return tuple(trace.run(*state[:count], *[values[i] for i in step_inputs]))

    start = tuple(operands[:carry])
    if limit is None:
        return list(checkpointed_while(proceed, step, start, fixed))

    def bounded(state, _):
        return lax.cond(proceed(state), step, lambda same: same, state), None

    return list(lax.scan(bounded, start, None, length=limit)[0])


def scan(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """Apply `fn(accumulator, element)` along the first axis, and return all accumulators.

    Args:
        fn: A function of the accumulator and one element, returning the next accumulator.
        elems: A Tensor, or a structure of Tensors, of shape `(T, ...)`.
        initializer: The first accumulator; None takes the first element.
        parallel_iterations: Accepted, unused.
        back_prop: Whether gradients flow through a program's loop; eager loops have them.
        swap_memory: Accepted, unused.
        infer_shape: Accepted, unused.
        reverse: Go from the last element to the first.
        name: Accepted, unused.

    Returns:
        The accumulators, stacked: shape `(T, ...)`.

    Example:
        >>> tf.scan(lambda a, x: a + x, tf.constant([1, 2, 3])).numpy()
        array([1, 3, 6], dtype=int32)
    """
    found = _fold(fn, elems, initializer, reverse, "tf.scan", keep_all=True)
    return _constant_unless(back_prop, found)


def foldl(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """Apply `fn(accumulator, element)` along the first axis, and return the last accumulator."""
    found = _fold(fn, elems, initializer, False, "tf.foldl", keep_all=False)
    return _constant_unless(back_prop, found)


def foldr(
    fn: Callable[..., Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl`, from the last element to the first."""
    found = _fold(fn, elems, initializer, True, "tf.foldr", keep_all=False)
    return _constant_unless(back_prop, found)


def _fold(
    fn: Callable[..., Any], elems: Any, start: Any, reverse: bool, who: str, keep_all: bool
) -> Any:
    tensors = nest.map_structure(convert_to_tensor, elems)
    first: Any = None
    if start is None:
        flat = nest.flatten(tensors)
        at = -1 if reverse else 0
        first = nest.pack_sequence_as(tensors, [t[at] for t in flat])
        rest = [t[:-1] if reverse else t[1:] for t in flat]
        start, tensors = first, nest.pack_sequence_as(tensors, rest)
    start = nest.map_structure(convert_to_tensor, start)
    last, stacked = run_scan(
        lambda state, x: (fn(state, x),) * 2, start, tensors, reverse=reverse, who=who
    )
    if not keep_all:
        return last
    if first is None:
        return stacked
    parts = zip(nest.flatten(first), nest.flatten(stacked), strict=True)
    return nest.pack_sequence_as(stacked, [_join(f, s, reverse=reverse) for f, s in parts])


@op
def _join(first, rest, *, reverse):
    parts = (rest, first[None]) if reverse else (first[None], rest)
    return jnp.concatenate(parts, axis=0)


def run_scan(
    fn: Callable[[Any, Any], tuple[Any, Any]],
    start: Any,
    elems: Any,
    length: int | None = None,
    reverse: bool = False,
    who: str = "scan",
) -> tuple[Any, Any]:
    """Record `fn(state, element) -> (state, output)` once, and run it along the first axis.

    What recurrent layers over a user's cell stand on. Variables that `fn` assigns are carried
    from step to step.

    Args:
        fn: The step.
        start: The first state, a structure of Tensors.
        elems: A structure of Tensors of shape `(T, ...)`; None with `length`.
        length: The number of steps if there are no elements.
        reverse: Go from the last element to the first; outputs keep the elements' order.
        who: The caller's name, for messages.

    Returns:
        (last state, outputs stacked along a new first axis).

    Raises:
        TypeError: the state changes its structure, shape or dtype.
    """
    states, items = nest.flatten(start), nest.flatten(elems) if elems is not None else []
    if len({t._type.dims[:1] for t in items}) > 1:
        raise ValueError(
            f"{who}: all elements must have the same first axis; got shapes "
            f"{[tuple(t.shape) for t in items]}."
        )
    kinds = [t._type for t in states] + [type_of(t._type.dims[1:], t.dtype) for t in items]

    def step(*values: Tensor) -> Any:
        state = nest.pack_sequence_as(start, list(values[: len(states)]))
        item = nest.pack_sequence_as(elems, list(values[len(states) :])) if items else None
        return fn(state, item)

    closed, (state, output) = close(step, kinds, who)
    check_alike(who, start, state, "the state", "the step")
    written, fixed, place = _arrange(closed.outer, closed.written)
    carried = [v._as_tensor() for v in written]
    results = _scan(
        *states,
        *carried,
        *items,
        *[o if isinstance(o, Tensor) else o._as_tensor() for o in fixed],
        trace=closed.trace,
        states=len(states),
        carried=len(carried),
        items=len(items),
        outer=tuple(place[id(o)] for o in closed.outer),
        length=length,
        reverse=reverse,
    )
    n = len(states)
    for variable, value in zip(written, results[n : n + len(written)], strict=True):
        local.trace.write(variable, value)
    stacked = results[n + len(written) :]
    return nest.pack_sequence_as(start, results[:n]), replace_nones(output, stacked)


def _infer_scan(
    kinds: Sequence[TensorType],
    *,
    trace: Trace,
    states: int,
    carried: int,
    items: int,
    length: int | None,
    **_: Any,
) -> Any:
    steps = kinds[states + carried].dims[0] if items else length
    outputs = trace.types[states : len(trace.types) - carried]
    stacked = tuple(type_of((steps, *t.dims), t.dtype) for t in outputs)
    return (*kinds[: states + carried], *stacked), list


@op(mixed=True, infer=_infer_scan)
def _scan(*operands, trace, states, carried, items, outer, length, reverse):
    carry = states + carried
    fixed = operands[carry + items :]

    def step(state, item):
        around = (*state[states:], *fixed)
        out = trace.run(*state[:states], *item, *[around[i] for i in outer])
        written = out[len(out) - carried :] if carried else []
        return (*out[:states], *written), tuple(out[states : len(out) - carried])

    xs = tuple(operands[carry : carry + items]) if items else ()
    state, stacked = lax.scan(
        step, tuple(operands[:carry]), xs, length=None if items else length, reverse=reverse
    )
    return [*state, *stacked]


def map_fn(
    fn: Callable[..., Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
    fn_output_signature: Any = None,
) -> Any:
    """Apply `fn` to each element along the first axis, and stack the results.

    `fn` is recorded once and runs as one loop; a `fn` that asks for values runs in Python.

    Args:
        fn: A function of one element (of the structure of `elems`).
        elems: A Tensor, or a structure of Tensors, of shape `(N, ...)`.
        dtype: An older name of `fn_output_signature`.
        parallel_iterations: Accepted, unused.
        back_prop: Whether gradients flow through a program's loop; eager loops have them.
        swap_memory: Accepted, unused.
        infer_shape: Accepted, unused.
        name: Accepted, unused.
        fn_output_signature: The structure of `fn`'s results, of dtypes or TensorSpecs; None for
            that of `elems`.

    Returns:
        `fn`'s structure of results, each of shape `(N, ...)`.

    Raises:
        ValueError: `elems` holds no Tensor, or a scalar; or the results have another structure or
            shape than the signature.
        InvalidArgumentError: they have another dtype.

    Example:
        >>> tf.map_fn(lambda x: x * x, tf.constant([1.0, 2.0, 3.0])).numpy()
        array([1., 4., 9.], dtype=float32)
    """
    tensors = nest.map_structure(convert_to_tensor, elems)
    found = map_elements(fn, tensors, back_prop)
    wanted = dtype if fn_output_signature is None else fn_output_signature
    _require_signature(found, wanted, tensors)
    return found


def map_elements(fn, elems, back_prop=True):
    """Apply a function to each element, whatever it returns; see `map_fn`.

    Args:
        fn: A function of one element.
        elems: A Tensor, or a structure of Tensors, of shape `(N, ...)`.
        back_prop: Whether gradients flow through a program's loop.

    Returns:
        `fn`'s structure of results, each of shape `(N, ...)`.

    Raises:
        ValueError: `elems` holds no Tensor, or a scalar.

    Example:
        >>> from lamina import ops
        >>> ops.map_elements(lambda x: tf.cast(x, tf.float32) / 2, tf.constant([1, 2])).numpy()
        array([0.5, 1. ], dtype=float32)
    """
    tensors = nest.map_structure(convert_to_tensor, elems)
    if not all(t.ndim for t in nest.flatten(tensors)) or not nest.flatten(tensors):
        raise ValueError(
            f"tf.map_fn: `elems` must be a Tensor of rank 1 or more, or a structure of such; got "
            f"{elems!r}.\n  Fix: add an axis to map over."
        )
    flat = nest.flatten(tensors)
    # Strings do not enter a program: `fn` runs on the host for each element of them.
    strings = any(t.dtype is dtypes.string for t in flat)
    if not strings or not flat[0].shape[0]:
        try:
            found = run_scan(lambda _, x: ((), fn(x)), (), tensors, who="tf.map_fn")[1]
            return _constant_unless(back_prop, found)
        except errors.TracedValueError:
            if not local.trace.eager:
                raise
    results = [
        nest.map_structure(
            convert_to_tensor, fn(nest.pack_sequence_as(tensors, [t[i] for t in flat]))
        )
        for i in range(len(flat[0]))
    ]
    columns = zip(*map(nest.flatten, results), strict=True)
    return nest.pack_sequence_as(results[0], [convert_to_tensor(list(c)) for c in columns])


def _require_signature(found, wanted, tensors):
    """Raise unless what `tf.map_fn` found is what its signature says."""
    if wanted is None:
        wanted = nest.map_structure(lambda t: t.dtype, tensors)
    leaves, results = nest.flatten(wanted), nest.flatten(found)
    if not all(isinstance(each, DType | TensorSpec) for each in leaves):
        return  # dtypes by name, and composite values
    try:
        nest.assert_same_structure(wanted, found)
    except (TypeError, ValueError):
        raise ValueError(
            f"tf.map_fn: `fn` must return the structure of `fn_output_signature`, {wanted!r}; got "
            f"{found!r}.\n  Fix: pass `fn_output_signature`; None stands for that of `elems`."
        ) from None
    for leaf, result in zip(leaves, results, strict=True):
        dtype = leaf.dtype if isinstance(leaf, TensorSpec) else leaf
        if result.dtype is not dtype:
            raise errors.InvalidArgumentError(
                f"tf.map_fn: `fn` must return {dtype.name}, as `fn_output_signature` says; got "
                f"{result.dtype.name}.\n  Fix: pass fn_output_signature=tf.{result.dtype.name}."
            )
        if isinstance(leaf, TensorSpec) and not leaf.shape.is_compatible_with(result.shape[1:]):
            raise ValueError(
                f"tf.map_fn: `fn` must return the shape {leaf.shape} of `fn_output_signature`; got "
                f"{result.shape[1:]}.\n  Fix: change one of them."
            )


def vectorized_map(
    fn: Callable[..., Any], elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """Apply `fn` to all elements along the first axis at once.

    Args:
        fn: A function of one element; it must not assign variables.
        elems: A Tensor, or a structure of Tensors, of shape `(N, ...)`, some `(1, ...)`: each
            call gets their one element.
        fallback_to_while_loop: Accepted; every operation vectorizes.
        warn: Accepted, unused.

    Returns:
        `fn`'s structure of results, each of shape `(N, ...)`.

    Raises:
        ValueError: `elems` holds no Tensor, a scalar, or Tensors of different N.

    Example:
        >>> tf.vectorized_map(lambda x: tf.reduce_sum(x * x), tf.constant([[1, 2], [3, 4]])).numpy()
        array([ 5, 25], dtype=int32)
    """
    tensors = nest.map_structure(convert_to_tensor, elems)
    flat = nest.flatten(tensors)
    sizes = {t._type.dims[0] for t in flat if t.ndim}
    if not flat or not all(t.ndim for t in flat) or len(sizes - {1}) > 1:
        raise ValueError(
            f"tf.vectorized_map: `elems` must be Tensors of one size along the first axis, or of "
            f"size 1; got shapes {[str(t.shape) for t in flat]}.\n  Fix: add an axis to map over."
        )
    if len(sizes) > 1:
        (count,) = sizes - {1}
        flat = [_repeated(t, count) if t._type.dims[0] == 1 else t for t in flat]
    return _vectorize(lambda *values: fn(nest.pack_sequence_as(tensors, list(values))), *flat)


def _repeated(tensor: Tensor, count: Any) -> Tensor:
    """Return a Tensor of one row with that row `count` times."""
    return broadcast_to(tensor, [count, *tensor._type.dims[1:]])
