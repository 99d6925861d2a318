"""Rows of ragged values that have none, filled."""

import collections

import numpy as np

from lamina.engine import convert_to_tensor, errors, static_int
from lamina.ops import indexing, segments, shaping
from lamina.ops.ragged.partition import on_host

__all__ = ["ragged_fill_empty_rows", "ragged_fill_empty_rows_grad"]

RaggedFillEmptyRows = collections.namedtuple(
    "RaggedFillEmptyRows",
    ["output_value_rowids", "output_values", "empty_row_indicator", "reverse_index_map"],
)
RaggedFillEmptyRowsGrad = collections.namedtuple(
    "RaggedFillEmptyRowsGrad", ["d_values", "d_default_value"]
)


def ragged_fill_empty_rows(value_rowids, values, nrows, default_value, name=None):
    """Put a value into each row that has none.

    Args:
        value_rowids: The row of each value, int64 `(V,)`.
        values: The values, `(V,)`.
        nrows: The number of rows.
        default_value: What empty rows get.
        name: Accepted, unused.

    Returns:
        `output_value_rowids` and `output_values`, `(V + empty,)`; `empty_row_indicator`, a bool
        for each row; `reverse_index_map`, where each value stands now.

    Raises:
        InvalidArgumentError: a row is out of range.

    Example:
        >>> tf.ragged_fill_empty_rows([0, 2], [5, 6], 3, 9).output_values.numpy()
        array([5, 9, 6], dtype=int32)
    """
    values, count = convert_to_tensor(values), static_int(nrows, "nrows")
    rows = on_host(convert_to_tensor(value_rowids)).astype(np.int64)
    if rows.size and (rows.min() < 0 or rows.max() >= count):
        raise errors.InvalidArgumentError(
            f"tf.ragged_fill_empty_rows: `value_rowids` must lie in [0, {count}); got "
            f"{rows.tolist()[:20]}."
        )
    empty = np.bincount(rows, minlength=count) == 0
    whole = np.concatenate([rows, np.nonzero(empty)[0]])
    order = np.argsort(whole, kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    default = shaping.broadcast_to(
        convert_to_tensor(default_value, values.dtype), [int(empty.sum())]
    )
    return RaggedFillEmptyRows(
        convert_to_tensor(whole[order]),
        indexing.gather(shaping.concat([values, default], 0), order),
        convert_to_tensor(empty),
        convert_to_tensor(places[: len(rows)].astype(np.int64)),
    )


def ragged_fill_empty_rows_grad(reverse_index_map, grad_values, name=None):
    """Return the gradients of `ragged_fill_empty_rows` for its values and default value.

    Args:
        reverse_index_map: What the function returned.
        grad_values: The gradient of the output values.
        name: Accepted, unused.

    Returns:
        `d_values`, and `d_default_value`, the sum of what belongs to filled rows.

    Example:
        >>> tf.ragged_fill_empty_rows_grad([0, 2], [1.0, 5.0, 2.0]).d_default_value.numpy()
        np.float32(5.0)
    """
    grads = convert_to_tensor(grad_values)
    places = on_host(convert_to_tensor(reverse_index_map)).astype(np.int64)
    rest = np.setdiff1d(np.arange(int(grads.shape[0])), places)
    total = segments.unsorted_segment_sum(
        indexing.gather(grads, rest), np.zeros(len(rest), np.int64), 1
    )
    return RaggedFillEmptyRowsGrad(indexing.gather(grads, places), total[0])
