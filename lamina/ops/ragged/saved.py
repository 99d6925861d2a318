"""What depends on the lengths of rows, in programs that are saved: it runs on the host there."""

import numpy as np

from lamina.engine import TensorShape, host_op, symbolic_dim, type_of

__all__ = ["saved_rows"]


def _infer_padded(kinds, *, width):
    values, splits = kinds[:2]
    rows = splits.dims[0] - 1
    wide = symbolic_dim("columns") if width is None else width
    return (type_of((rows, wide, *values.dims[1:]), values.dtype),), None


@host_op(_infer_padded)
def _rows_padded(values, splits, fill, width=None):
    """Return rows of values as one array, shorter ones filled up."""
    lengths = np.diff(splits)
    wide = int(lengths.max(initial=0)) if width is None else width
    dtype = object if values.dtype.kind in "OSU" else values.dtype
    out = np.empty((len(lengths), wide, *values.shape[1:]), dtype)
    out[...] = fill[()] if fill.ndim == 0 else fill
    for row, start, length in zip(out, splits, lengths, strict=False):
        count = min(int(length), wide)
        row[:count] = values[start : start + count]
    return out


def saved_rows(ragged, fill, shape):
    """Return `to_tensor` of a value with one ragged axis, as an operation that files can name.

    Args:
        ragged: The value; its row splits are not known yet.
        fill: What stands behind the rows.
        shape: The shape asked for, or None; only its second size counts.
    """
    width = None if shape is None else TensorShape(shape)[1]
    return _rows_padded(ragged.values, ragged.row_splits, fill, width=width)
