"""Dilated operations by way of `space_to_batch`."""

import numpy as np

from lamina.engine import convert_to_tensor, static_ints
from lamina.ops.padding import batch_to_space, space_to_batch

__all__ = ["with_space_to_batch"]


def _fitting(sizes, block, least):
    """Return the paddings that make sizes multiples of the block, and the crops that undo them."""
    extra = -(np.asarray(sizes) + least.sum(axis=1)) % block
    paddings = np.stack([least[:, 0], least[:, 1] + extra], 1).astype(np.int32)
    return paddings, np.stack([np.zeros_like(extra), extra], 1).astype(np.int32)


def with_space_to_batch(
    input,
    dilation_rate,
    padding,
    op,
    filter_shape=None,
    spatial_dims=None,
    data_format=None,
):
    """Run an operation with dilated windows: on each of the interleaved grids of the input.

    Args:
        input: A Tensor of N space axes, `(batch, …, channels)`, or `(batch, channels, …)`.
        dilation_rate: The distance of the window's taps along each space axis.
        padding: "VALID" or "SAME".
        op: `(input, num_spatial_dims, padding) -> output`, called with the padding "VALID" if
            anything is dilated.
        filter_shape: The size of the window, needed for "SAME".
        spatial_dims: The space axes, ascending; None are those after the batch (or after the
            channels, as `data_format` says).
        data_format: None or a name that ends in C; one that starts with "NC" has channels first.

    Returns:
        What `op` returns, put together.

    Raises:
        ValueError: `padding` is unknown, `filter_shape` is missing, or the axes do not fit.

    Example:
        >>> x = tf.reshape(tf.range(4.0), [1, 4, 1])
        >>> double = lambda x, num_spatial_dims, padding: 2.0 * x
        >>> tf.reshape(tf.nn.with_space_to_batch(x, [2], "VALID", double), [-1]).numpy()
        array([0., 2., 4., 6.], dtype=float32)
    """
    who = "tf.nn.with_space_to_batch"
    x = convert_to_tensor(input)
    rates = np.asarray(static_ints(dilation_rate, "dilation_rate"))
    if (rates < 1).any():
        raise ValueError(f"{who}: `dilation_rate` must be positive; got {rates.tolist()}.")
    if spatial_dims is None:
        first = 2 if data_format is not None and data_format.startswith("NC") else 1
        spatial_dims = range(first, first + len(rates))
    axes = list(spatial_dims)
    if len(axes) != len(rates) or axes != sorted(set(axes)) or axes[0] < 1:
        raise ValueError(
            f"{who}: `spatial_dims` must be {len(rates)} ascending axes from 1; got {axes}."
        )
    if padding not in ("SAME", "VALID"):
        raise ValueError(f'{who}: `padding` must be "SAME" or "VALID"; got {padding!r}.')
    if (rates == 1).all():
        return op(x, num_spatial_dims=len(rates), padding=padding)
    base = np.zeros((len(rates), 2), np.int64)
    if padding == "SAME":
        if filter_shape is None:
            raise ValueError(f'{who}: `filter_shape` must be given for padding "SAME".')
        window = np.asarray(static_ints(filter_shape, "filter_shape"))[: len(rates)]
        reach = (window - 1) * rates
        base = np.stack([reach // 2, reach - reach // 2], 1)
    # Axes between that are not dilated have a block of 1.
    block, least = np.ones(axes[-1], np.int64), np.zeros((axes[-1], 2), np.int64)
    for axis, rate, pair in zip(axes, rates, base, strict=True):
        block[axis - 1], least[axis - 1] = rate, pair
    sizes = [int(n) for n in x.shape[1 : axes[-1] + 1]]
    paddings, crops = _fitting(sizes, block, least)
    parts = space_to_batch(x, block, paddings)
    made = op(parts, num_spatial_dims=len(rates), padding="VALID")
    return batch_to_space(made, block, crops)
