"""Elementwise functions of ragged Tensors, with broadcasting."""

import numpy as np

from lamina.engine import convert_to_tensor, errors
from lamina.ops import shaping
from lamina.ops.ragged.rows import as_ragged, lengths_of, ranges, take_rows, with_lengths
from lamina.ops.ragged.tensor import flat_of, is_ragged, parts_of

__all__ = ["aligned", "broadcast_flat", "map_flat"]


def map_flat(fn, args):
    """Call `fn` with the flat values of all ragged arguments, broadcast; return it ragged.

    Args:
        fn: A function of Tensors that treats each element alone.
        args: Ragged and dense Tensors, None and Python values; a ragged one is among them.
    """
    flats, like = broadcast_flat(args)
    made = fn(*flats)
    if isinstance(made, list | tuple):
        return type(made)([like(m) for m in made])
    return like(made)


def broadcast_flat(args):
    """Return the arguments as Tensors of equal rows, and what makes ragged ones of a result."""
    found = [a for a in args if is_ragged(a)]
    first = found[0]
    rank = len(first.shape)
    inner = rank - 1 - first.ragged_rank
    if all(_same_rows(first, other) for other in found[1:]):
        others = [a for a in args if not is_ragged(a) and a is not None]
        if all(_rank(a) <= inner for a in others):
            return [flat_of(a) for a in args], first.with_flat_values
    tensors = [a if a is None or is_ragged(a) else _tensor(a, first) for a in args]
    return aligned(tensors)


def _tensor(value, like):
    if hasattr(value, "_type") or hasattr(type(value), "_as_tensor"):
        return convert_to_tensor(value)
    try:
        return convert_to_tensor(value, like.dtype)
    except TypeError as error:
        raise errors.OperandError(str(error)) from None


def _rank(value):
    if isinstance(value, int | float | bool | complex | str | bytes):
        return 0
    return len(value.shape) if hasattr(value, "shape") else np.ndim(value)


def _same_rows(a, b):
    mine, other = parts_of(a), parts_of(b)
    if len(mine) != len(other):
        return False
    for x, y in zip(mine, other, strict=True):
        if x is y or x._splits is y._splits:
            continue
        if x.static_nrows != y.static_nrows or not np.array_equal(x._numbers, y._numbers):
            return False
    return True


def aligned(tensors):
    """Return Tensors as flat values of the shape that they broadcast to.

    Args:
        tensors: Ragged and dense Tensors, or None.

    Returns:
        The flat values, and a function that makes a flat result ragged.

    Raises:
        InvalidArgumentError: two lengths differ, and neither is 1.
    """
    present = [t for t in tensors if t is not None]
    rank = max(len(t.shape) for t in present)
    depth = max(len(parts_of(t)) for t in present)
    dtype = next(parts_of(t)[0].dtype for t in present if is_ragged(t))
    whole = [_whole(t, rank, depth, dtype) for t in present]
    counts = np.stack([np.asarray([_count(w)]) for w in whole])
    size = _agreed(counts, np.ones(len(whole), bool))
    orders = [_spread(np.zeros(1, np.int64), c, size) for c in counts]
    levels = []
    for _ in range(depth):
        counts = np.stack(
            [
                lengths_of(w)[order] if w is not None else np.ones(int(size.sum()), np.int64)
                for w, order in zip(whole, orders, strict=True)
            ]
        )
        stretches = [w is None or w._partition._uniform == 1 for w in whole]
        size = _agreed(counts, np.asarray(stretches))
        uniform = {w._partition._uniform for w in whole if w is not None}
        same = int(size[0]) if len(size) and None not in uniform else None
        levels.append((size, same))
        orders = [
            order
            if w is None
            else _spread(w._partition._numbers[:-1].astype(np.int64)[order], count, size)
            for w, order, count in zip(whole, orders, counts, strict=True)
        ]
        whole = [None if w is None else w.values for w in whole]
    flats = iter([w if w is None else take_rows(w, o) for w, o in zip(whole, orders, strict=True)])
    scalars = iter(present)
    found = []
    for t in tensors:
        flat = None if t is None else next(flats)
        given = None if t is None else next(scalars)
        found.append(given if flat is None else flat)

    def like(made):
        for size, same in reversed(levels):
            made = with_lengths(made, size, dtype, same)
        return made

    return found, like


def _count(value):
    return 1 if value is None else value._partition._count


def _whole(tensor, rank, depth, dtype):
    """Return a Tensor with `rank` axes of which `depth` are cut into rows; None for few axes."""
    if len(tensor.shape) <= rank - 1 - depth:
        return None  # it broadcasts inside of each row
    missing = rank - len(tensor.shape)
    if not missing:
        return as_ragged(tensor, depth, dtype)
    if not is_ragged(tensor):
        return as_ragged(shaping.reshape(tensor, [1] * missing + list(tensor.shape)), depth, dtype)
    for _ in range(missing):
        rows = tensor._partition._count
        tensor = with_lengths(tensor, np.asarray([rows]), dtype, rows)
    return as_ragged(tensor, depth, dtype)


def _agreed(counts, stretches):
    """Return the lengths that rows of several Tensors broadcast to: (Tensors, rows) -> (rows,).

    Args:
        counts: The lengths of the rows of each Tensor.
        stretches: For each Tensor whether all its rows have length 1 by their type: these
            broadcast, rows that happen to have length 1 do not.
    """
    wide = np.where(stretches[:, None] & (counts == 1), -1, counts)
    size = wide.max(axis=0, initial=-1)
    size = np.where(size == -1, 1, size)
    wrong = np.any((wide != -1) & (wide != size), axis=0)
    if wrong.any():
        row = int(np.nonzero(wrong)[0][0])
        raise errors.InvalidArgumentError(
            f"ragged operands must have rows of equal lengths; got lengths "
            f"{counts[:, row].tolist()} in row {row}. Condition x == y did not hold.\n"
            f"  Fix: make the row lengths equal, or pad with to_tensor()."
        )
    return size


def _spread(starts, counts, size):
    """Return the places of the items of each row, one item repeated where it broadcasts."""
    if np.array_equal(counts, size):
        return ranges(starts, size)
    # What differs here has length 1.
    places = ranges(np.zeros(len(size), np.int64), size)
    return np.repeat(starts, size) + np.where(np.repeat(counts, size) == 1, 0, places)
