"""Slices: what stands in `x[...]`, `tf.slice` and `tf.strided_slice`.

A key becomes a spec, which is static, and scalar operands, which are not: `x[i]` and `x[i:i+8]` in
a loop are one structure. A spec holds, from the left:

    None                  a new axis
    "index", "signed"     an axis taken by an integer operand; "signed": it may be negative
    (length,)             an axis cut from an operand on, to a length
    (start, stop, step)   an axis cut by Python's rules; bounds may be None or symbolic

Axes that are not mentioned are kept.
"""

import builtins
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import (
    Tensor,
    Variable,
    convert_to_tensor,
    errors,
    op,
    static_int,
    static_ints,
)
from lamina.ops.shaping import unstack

__all__ = ["slice", "strided_slice"]

_ALL = builtins.slice(None)


def _layout(shape, indices, spec):
    """Return what a spec means for an array.

    Returns:
        The static cuts; the start operand of each axis; the axis' length, None for what the cut
        leaves; the axes that disappear; the places of new axes in the result.
    """
    operands, axes = iter(indices), iter(shape)
    cuts, starts, lengths, lost, new = [], [], [], [], []
    place = 0
    for entry in spec:
        if entry is None:
            new.append(place)
            place += 1
            continue
        size, axis = next(axes), len(cuts)
        cuts.append(builtins.slice(*entry) if _is_cut(entry) else _ALL)
        start = np.int32(0) if _is_cut(entry) else next(operands)
        if entry == "signed":
            start = jnp.where(start < 0, start + jnp.asarray(size, start.dtype), start)
        starts.append(start)
        lengths.append(None if _is_cut(entry) else entry[0] if isinstance(entry, tuple) else 1)
        if isinstance(entry, str):
            lost.append(axis)
        else:
            place += 1
    return cuts, starts, lengths, lost, new


def _is_cut(entry):
    return isinstance(entry, tuple) and len(entry) == 3


def _start_and_size(x, starts, lengths):
    """Complete starts and lengths for the arguments of `lax.dynamic_slice`."""
    kept = range(len(starts), x.ndim)
    sizes = [x.shape[i] if each is None else each for i, each in enumerate(lengths)]
    kind = jnp.result_type(np.int32, *[jnp.asarray(each).dtype for each in starts])
    starts = [jnp.asarray(each, kind) for each in starts] + [jnp.zeros((), kind) for _ in kept]
    return starts, sizes + [x.shape[i] for i in kept]


def cut_at(x, starts, sizes):
    """Return `lax.dynamic_slice`, also of a size that is not known to be inside an unknown one."""
    starts = list(starts)
    for axis, (whole, size) in enumerate(zip(x.shape, sizes, strict=True)):
        if not isinstance(whole, int) and not (size is whole or size == whole or size == 1):
            x = jnp.take(x, starts[axis] + jnp.arange(size), axis, mode="clip")
            starts[axis] = jnp.zeros_like(starts[axis])
    return lax.dynamic_slice(x, starts, sizes)


def _read_on_host(x, *indices, spec):
    operands = iter(indices)
    key = []
    for entry in spec:
        if entry is None or _is_cut(entry):
            key.append(entry and builtins.slice(*entry))
        elif isinstance(entry, tuple):
            start = int(next(operands))
            key.append(builtins.slice(start, start + entry[0]))
        else:
            key.append(int(next(operands)))
    return x[tuple(key)]


@op(mixed=True, host=_read_on_host)
def _read(x, *indices, spec):
    cuts, starts, lengths, lost, new = _layout(x.shape, indices, spec)
    if any(each != _ALL for each in cuts):
        x = x[tuple(cuts)]
    if any(each is not None for each in lengths):
        x = cut_at(x, *_start_and_size(x, starts, lengths))
    if lost:
        x = lax.squeeze(x, lost)
    return jnp.expand_dims(x, new) if new else x


@op(mixed=True, host=lambda x, i: x[int(i)])
def _read_row(x, i):
    """The most frequent case, `x[i]`."""
    return lax.dynamic_index_in_dim(x, i, 0, keepdims=False)


@op(mixed=True)
def updated(x, value, *indices, spec):
    """Return a copy of `x` with a part, given by a spec and its operands, replaced.

    Args:
        x: The array.
        value: What to store; it broadcasts to the part's shape.
        *indices: The operands of the spec.
        spec: The part, as `parse_key` returns it.

    Returns:
        An array like `x`.
    """
    cuts, starts, lengths, lost, new = _layout(x.shape, indices, spec)
    cut = x[tuple(cuts)]
    starts, sizes = _start_and_size(cut, starts, lengths)
    seen = list(np.delete(np.array(sizes, dtype=object), lost))
    for place in new:
        seen.insert(place, 1)
    try:
        value = jnp.reshape(jnp.broadcast_to(value, tuple(seen)), tuple(sizes))
    except ValueError:
        raise errors.InvalidArgumentError(
            f"tf.Variable: the value must broadcast to the shape of the slice, {tuple(seen)}; got "
            f"shape {jnp.shape(value)}.\n  Fix: reshape the value or change the slice."
        ) from None
    cut = lax.dynamic_update_slice(cut, value.astype(x.dtype), starts)
    return cut if all(each == _ALL for each in cuts) else x.at[tuple(cuts)].set(cut)


_MSG_INDEX = (
    "Tensor.__getitem__: Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and "
    "scalar tf.int32/tf.int64 tensors are valid indices; got {got}.\n  Fix: {fix}"
)


def _bad_index(entry):
    fix = "tf.gather(x, indices) for several rows, tf.gather_nd(x, indices) for coordinates."
    if isinstance(entry, Tensor | Variable):
        got = f"a Tensor of shape {entry.shape}, dtype {entry.dtype.name}"
        if not entry.dtype.is_integer:
            fix = "tf.cast(index, tf.int32), or tf.boolean_mask for a mask of other axes."
    else:
        got = repr(entry)
    return TypeError(_MSG_INDEX.format(got=got, fix=fix))


def _bound(value):
    """Return a bound of a slice as an int, a symbolic size, or None."""
    if value is None or type(value) is int:
        return value
    if isinstance(value, bool | float | str | list | tuple):
        raise _bad_index(value)
    return static_int(value, "Tensor.__getitem__(slice bound)")


def _slice_entry(key, size, is_first):
    """Return the spec entry of a Python slice, and its operands."""
    start, stop, step = _bound(key.start), _bound(key.stop), _bound(key.step)
    if step == 0:
        raise errors.InvalidArgumentError(
            f"Tensor.__getitem__: the step of a slice must not be 0; got {key}.\n"
            "  Fix: use a positive step, or a negative one to go backwards."
        )
    # `x[i:i + n]`, how batches are cut from an array, is one structure for all i.
    if (
        is_first
        and step in (None, 1)
        and isinstance(size, int)
        and isinstance(start, int)
        and isinstance(stop, int)
        and 0 <= start < stop
        and start < size
    ):
        return (min(stop, size) - start,), (start,)
    return (start, stop, step), ()


def _index_entry(key, size, axis):
    """Return the spec entry of an integer or scalar Tensor, and its operand."""
    if isinstance(key, Tensor | Variable | np.ndarray):
        key = convert_to_tensor(key)
        if key.shape.rank != 0 or not key.dtype.is_integer:
            raise _bad_index(key)
        known = key._host
        if known is None or known.dtype == object:
            return "signed", key
        key = known.item()
    elif isinstance(key, bool) or not isinstance(key, int | np.integer):
        raise _bad_index(key)
    if not isinstance(size, int):
        return "signed", int(key)
    if not -size <= key < size:
        raise errors.InvalidArgumentError(
            f"Tensor.__getitem__: index {key} of axis {axis} is out of bounds for size {size}.\n"
            f"  Fix: use an index in [{-size}, {size})."
        )
    return "index", int(key) % size


def parse_key(dims, key):
    """Translate what stands in `x[...]`.

    Args:
        dims: The sizes of `x`, some of which may be symbolic.
        key: An index, or a tuple of them.

    Returns:
        The spec and the list of its operands.

    Raises:
        TypeError: an entry is of a kind that TF does not index with (a vector, a float).
        InvalidArgumentError: an integer is out of range, there are too many indices, or more than
            one ellipsis.
    """
    keys = list(key) if isinstance(key, tuple | list) else [key]  # TF takes x[[0, 1]] as x[0, 1]
    used = sum(each is not None and each is not Ellipsis for each in keys)
    if sum(each is Ellipsis for each in keys) > 1:
        raise errors.InvalidArgumentError(
            f"Tensor.__getitem__: one ellipsis stands for all other axes; got {key!r}.\n"
            "  Fix: write one `...`, and `:` for each other axis."
        )
    if used > len(dims):
        raise errors.InvalidArgumentError(
            f"Tensor.__getitem__: {used} indices were given for {len(dims)} axes; got {key!r}.\n"
            "  Fix: drop an index, or add an axis with tf.newaxis."
        )
    spec, operands, axis = [], [], 0
    for each in keys:
        if each is None:
            spec.append(None)
        elif each is Ellipsis:
            rest = len(dims) - used
            spec += [(None, None, None)] * rest
            axis, used = axis + rest, len(dims)
        elif isinstance(each, builtins.slice):
            entry, more = _slice_entry(each, dims[axis], axis == 0)
            spec.append(entry)
            operands += more
            axis += 1
        else:
            entry, operand = _index_entry(each, dims[axis], axis)
            spec.append(entry)
            operands.append(operand)
            axis += 1
    return tuple(spec), operands


def read_part(x, key):
    """Return `x[key]` for any key but a mask; `Tensor.__getitem__` without its conversions.

    Args:
        x: A Tensor.
        key: What stands in the brackets.

    Returns:
        A Tensor.
    """
    dims = x._type.dims
    if type(key) is int and dims and isinstance(dims[0], int) and -dims[0] <= key < dims[0]:
        return _read_row(x, key % dims[0])
    spec, operands = parse_key(dims, key)
    return _read(x, *operands, spec=spec)


def slice(input_, begin, size, name=None):
    """Cut a box out of a Tensor.

    Args:
        input_: A Tensor of rank r.
        begin: r integers, the first corner; they may be computed Tensors.
        size: r sizes; -1 takes all that is left.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `size`.

    Raises:
        InvalidArgumentError: the box does not lie inside the Tensor.

    Example:
        >>> tf.slice([[1, 2, 3], [4, 5, 6]], [0, 1], [2, -1]).numpy()
        array([[2, 3],
               [5, 6]], dtype=int32)
    """
    x = convert_to_tensor(input_)
    dims, sizes = x._type.dims, static_ints(size, "tf.slice(size)")
    starts = begin if isinstance(begin, list | tuple) else _elements(begin)
    if not len(starts) == len(sizes) == len(dims):
        raise errors.InvalidArgumentError(
            f"tf.slice: `begin` and `size` must have {len(dims)} entries, one per axis of shape "
            f"{x.shape}; got {len(starts)} and {len(sizes)}.\n  Fix: give one per axis."
        )
    spec, operands = [], []
    for start, length, whole in zip(starts, sizes, dims, strict=True):
        known: Any = None if isinstance(start, Tensor) and start._host is None else start
        known = known if known is None else static_int(known, "tf.slice(begin)")
        if isinstance(length, int) and length == -1:
            length = whole - static_int(start, "tf.slice(begin)")
        if all(isinstance(n, int) for n in (known, length, whole)) and not (
            0 <= known <= whole and 0 <= length <= whole - known
        ):
            raise errors.InvalidArgumentError(
                f"tf.slice: the box must lie inside shape {x.shape}; got begin {list(starts)} and "
                f"size {list(sizes)}.\n  Fix: a size of -1 takes what is left of an axis."
            )
        if isinstance(length, int):
            spec.append((length,))
            operands.append(start if known is None else known)
        else:
            spec.append((known, known + length, None))
    return _read(x, *operands, spec=tuple(spec))


def _elements(vector):
    """Return the entries of a vector: ints where the host knows them, else scalar Tensors."""
    vector = convert_to_tensor(vector)
    return unstack(vector) if vector._host is None else list(vector._host)


def strided_slice(
    input_,
    begin,
    end,
    strides=None,
    begin_mask: Any = 0,
    end_mask: Any = 0,
    ellipsis_mask: Any = 0,
    new_axis_mask: Any = 0,
    shrink_axis_mask: Any = 0,
    var=None,
    name=None,
):
    """Cut with steps: the function behind `x[...]`, whose key is spelled as vectors and bits.

    Args:
        input_: A Tensor.
        begin: The start of each slice.
        end: The end, excluded, of each slice.
        strides: The step of each slice; None is 1.
        begin_mask: Bit i set: slice i starts at the beginning.
        end_mask: Bit i set: slice i goes to the end.
        ellipsis_mask: Bit i set: entry i is an ellipsis.
        new_axis_mask: Bit i set: entry i adds an axis.
        shrink_axis_mask: Bit i set: entry i is the index `begin[i]`, and the axis disappears.
        var: Accepted, unused.
        name: Accepted, unused.

    Returns:
        A Tensor.

    Raises:
        InvalidArgumentError: an index is out of range.

    Example:
        >>> tf.strided_slice([1, 2, 3, 4], [0], [4], [2]).numpy()
        array([1, 3], dtype=int32)
    """
    begin, end = _elements(begin), _elements(end)
    strides = [1] * len(begin) if strides is None else _elements(strides)
    key = []
    for i, (start, stop, step) in enumerate(zip(begin, end, strides, strict=True)):
        bit = 1 << i
        if ellipsis_mask & bit:
            key.append(Ellipsis)
        elif new_axis_mask & bit:
            key.append(None)
        elif shrink_axis_mask & bit:
            key.append(start)
        else:
            first = None if begin_mask & bit else start
            last = None if end_mask & bit else stop
            key.append(builtins.slice(first, last, step))
    return read_part(convert_to_tensor(input_), tuple(key))
