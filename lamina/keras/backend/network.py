"""Functions of tf.keras.backend: layers' computations, recurrence."""

from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, Variable, convert_to_tensor, nest
from lamina.keras import activations, policy
from lamina.ops import image as kernels
from lamina.ops.loops import run_scan

__all__ = [
    "batch_dot",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "depthwise_conv2d",
    "dot",
    "dropout",
    "elu",
    "hard_sigmoid",
    "pool2d",
    "pool3d",
    "relu",
    "resize_images",
    "resize_volumes",
    "rnn",
    "separable_conv2d",
    "softmax",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "temporal_padding",
]


# ---- products ---------------------------------------------------------------------------------


def dot(x: Any, y: Any) -> Tensor:
    """Return the product over the last axis of `x` and the last but one of `y`.

    Args:
        x: ``(…, D)``.
        y: ``(…, D, E)``.

    Returns:
        ``(*x.shape[:-1], *y.shape[:-2], E)``.

    Example:
        >>> tf.keras.backend.dot(tf.ones((2, 3, 4)), tf.ones((5, 4, 6))).shape
        TensorShape([2, 3, 5, 6])
    """
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    if x.ndim <= 2 and y.ndim <= 2:
        return ops.matmul(x, y)
    return ops.tensordot(x, y, [[x.ndim - 1], [y.ndim - 2]])


def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Return the products of the examples of two batches, over one axis of each.

    Args:
        x: ``(B, …)``, rank 2 or more.
        y: ``(B, …)``, rank 2 or more.
        axes: The axis of both, or one of each; None is the last of `x` and the last but one of
            `y` (its last at rank 2).

    Returns:
        ``(B, …)``: the other axes of `x`, then those of `y`; one of size 1 if there is none.

    Raises:
        ValueError: a rank, the batch sizes or the axes do not fit.

    Example:
        >>> tf.keras.backend.batch_dot(tf.ones((2, 3)), tf.ones((2, 3))).numpy()
        array([[3.],
               [3.]], dtype=float32)
    """
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    if axes is None:
        axes = (x.ndim - 1, y.ndim - (1 if y.ndim == 2 else 2))
    first, second = (axes, axes) if isinstance(axes, int) else tuple(axes)
    fits = x.ndim >= 2 and y.ndim >= 2 and isinstance(first, int) and isinstance(second, int)
    if not fits or first % x.ndim == 0 or second % y.ndim == 0:
        raise ValueError(
            f"backend.batch_dot: `x` and `y` must have rank 2 or more, and `axes` one axis of "
            f"each, not the batch's; got shapes {tuple(x.shape)}, {tuple(y.shape)} and {axes!r}.\n"
            f"  Fix: add a batch axis with tf.expand_dims."
        )
    first, second = first % x.ndim, second % y.ndim
    if not x.shape[:1].is_compatible_with(y.shape[:1]) or (
        None not in (x.shape[first], y.shape[second]) and x.shape[first] != y.shape[second]
    ):
        raise ValueError(
            f"backend.batch_dot: batch sizes and the axes {(first, second)} must have equal "
            f"sizes; got shapes {tuple(x.shape)} and {tuple(y.shape)}."
        )
    left, right = "abcdefgh"[: x.ndim - 1], "ijklmnop"[: y.ndim - 1]
    left = left[: first - 1] + "z" + left[first:]
    right = right[: second - 1] + "z" + right[second:]
    result = (left + right).replace("z", "")
    found = ops.einsum(f"y{left},y{right}->y{result}", x, y)
    return found if result else ops.expand_dims(found, -1)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Tensor:
    """Add a bias to each channel, or one of the shape of an example.

    Args:
        x: ``(B, …, C)``, or channels first.
        bias: ``(C,)``, or ``(…, C)``.
        data_format: "channels_last" or "channels_first"; None is the configured one.

    Raises:
        ValueError: the bias has another rank.
    """
    x, bias = convert_to_tensor(x), convert_to_tensor(bias)
    is_first = policy.standardize_data_format(data_format) == "channels_first"
    if bias.ndim not in (1, x.ndim - 1):
        raise ValueError(
            f"backend.bias_add: `bias` must have rank 1 or {x.ndim - 1}; got shape "
            f"{tuple(bias.shape)}."
        )
    if not is_first or x.ndim == 2:
        return x + bias
    if bias.ndim > 1:
        return x + ops.transpose(bias, [bias.ndim - 1, *range(bias.ndim - 1)])
    return x + ops.reshape(bias, [-1] + [1] * (x.ndim - 2))


# ---- convolutions -----------------------------------------------------------------------------


def _layout(data_format: str | None, padding: str, *allowed: str) -> str:
    if padding not in ("same", "valid", *allowed):
        raise ValueError(f"backend: `padding` must be 'same' or 'valid'; got {padding!r}.")
    return policy.standardize_data_format(data_format)


def conv1d(
    x: Any,
    kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolve sequences; see `tf.keras.ops.conv`. `padding` may be "causal"."""
    where = _layout(data_format, padding, "causal")
    return ops.conv(x, convert_to_tensor(kernel), strides, padding, where, dilation_rate)


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Convolve images; see `tf.keras.ops.conv`."""
    where = _layout(data_format, padding)
    return ops.conv(x, convert_to_tensor(kernel), strides, padding, where, dilation_rate)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Tensor:
    """Convolve volumes; see `tf.keras.ops.conv`."""
    where = _layout(data_format, padding)
    return ops.conv(x, convert_to_tensor(kernel), strides, padding, where, dilation_rate)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Return the gradient of `conv2d` for its input, of a given shape; None stands for the batch.

    Raises:
        ValueError: the padding is unknown.
    """
    x = convert_to_tensor(x)
    where = _layout(data_format, padding)
    if isinstance(output_shape, list | tuple) and output_shape[0] is None:
        output_shape = (ops.shape(x)[0], *output_shape[1:])
    return ops.conv_transpose(
        x, convert_to_tensor(kernel), output_shape, strides, padding.upper(), where, dilation_rate
    )


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Convolve each channel of images on its own; see `tf.keras.ops.depthwise_conv`."""
    where = _layout(data_format, padding)
    kernel = convert_to_tensor(depthwise_kernel)
    return ops.depthwise_conv(x, kernel, strides, padding, where, dilation_rate)


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Convolve each channel of images, then mix them; see `tf.keras.ops.separable_conv`."""
    where = _layout(data_format, padding)
    depthwise, pointwise = map(convert_to_tensor, (depthwise_kernel, pointwise_kernel))
    return ops.separable_conv(x, depthwise, pointwise, strides, padding, where, dilation_rate)


def _pool(
    x: Any, size: Any, strides: Any, padding: str, data_format: str | None, mode: str
) -> Tensor:
    where = _layout(data_format, padding)
    if mode not in ("max", "avg"):
        raise ValueError(f"backend: `pool_mode` must be 'max' or 'avg'; got {mode!r}.")
    pool = ops.max_pool if mode == "max" else ops.avg_pool
    return pool(x, size, strides, padding.upper(), where)


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return the maximum ("max") or mean ("avg") of each window of images.

    Raises:
        ValueError: padding or mode are unknown.
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Return the maximum ("max") or mean ("avg") of each window of volumes.

    Raises:
        ValueError: padding or mode are unknown.
    """
    return _pool(x, pool_size, strides, padding, data_format, pool_mode)


# ---- padding and sizes ------------------------------------------------------------------------


def temporal_padding(x: Any, padding: Any = (1, 1)) -> Tensor:
    """Put zeros before and after sequences ``(B, T, C)``."""
    return ops.pad(x, [[0, 0], list(padding), [0, 0]])


def _spatial_padding(x: Any, padding: Any, data_format: str | None) -> Tensor:
    sides = [list(p) for p in padding]
    is_first = policy.standardize_data_format(data_format) == "channels_first"
    return ops.pad(x, [[0, 0], [0, 0], *sides] if is_first else [[0, 0], *sides, [0, 0]])


def spatial_2d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None
) -> Tensor:
    """Put zeros around images: ``((top, bottom), (left, right))``."""
    return _spatial_padding(x, padding, data_format)


def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Tensor:
    """Put zeros around volumes: a pair (before, after) for each of the three axes."""
    return _spatial_padding(x, padding, data_format)


def resize_images(
    x: Any,
    height_factor: int,
    width_factor: int,
    data_format: str,
    interpolation: str = "nearest",
) -> Tensor:
    """Resize images by whole factors.

    Args:
        x: ``(B, H, W, C)``, or channels first.
        height_factor: Factor of the height.
        width_factor: Factor of the width.
        data_format: "channels_last" or "channels_first".
        interpolation: A name of `tf.image.ResizeMethod`.

    Raises:
        ValueError: the layout or the interpolation is unknown.
    """
    x = convert_to_tensor(x)
    is_first = policy.standardize_data_format(data_format) == "channels_first"
    x = ops.transpose(x, (0, 2, 3, 1)) if is_first else x
    sizes = ops.shape(x)
    found = kernels.resize(
        x, [sizes[1] * height_factor, sizes[2] * width_factor], method=interpolation
    )
    return ops.transpose(found, (0, 3, 1, 2)) if is_first else found


def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str
) -> Tensor:
    """Resize volumes by whole factors; entries are repeated.

    Args:
        x: ``(B, D, H, W, C)``, or channels first.
        depth_factor: Factor of the depth.
        height_factor: Factor of the height.
        width_factor: Factor of the width.
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: the layout is unknown.
    """
    first = 2 if policy.standardize_data_format(data_format) == "channels_first" else 1
    for i, factor in enumerate((depth_factor, height_factor, width_factor)):
        x = ops.repeat(x, factor, first + i)
    return x


# ---- activations ------------------------------------------------------------------------------


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return ``max(x, 0)``, with a slope, a ceiling and a threshold if they are given."""
    return activations.relu(x, alpha, max_value, threshold)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return `x` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""
    return activations.elu(x, alpha)


def hard_sigmoid(x: Any) -> Tensor:
    """Return ``0.2 x + 0.5`` clipped to [0, 1], as Keras 2 defined it."""
    x = convert_to_tensor(x)
    return ops.clip_by_value(x * 0.2 + 0.5, 0.0, 1.0)


def softmax(x: Any, axis: Any = -1) -> Tensor:
    """Return weights along an axis that sum to 1.

    Raises:
        ValueError: `x` has rank 1 or less.
    """
    x = convert_to_tensor(x)
    if x.ndim <= 1:
        raise ValueError(
            f"backend.softmax: `x` must have rank 2 or more; got shape {tuple(x.shape)}.\n"
            f"  Fix: tf.nn.softmax takes vectors."
        )
    return activations.softmax(x, axis)


def dropout(x: Any, level: float, noise_shape: Any = None, seed: int | None = None) -> Tensor:
    """Set a fraction `level` of the entries to 0 and scale the others; see `tf.nn.dropout`."""
    return ops.dropout(x, rate=level, noise_shape=noise_shape, seed=seed)


# ---- recurrence -------------------------------------------------------------------------------


def _first_two_swapped(x: Any) -> Tensor:
    x = convert_to_tensor(x)
    return ops.transpose(x, [1, 0, *range(2, x.ndim)])


def _like(mask: Tensor, x: Tensor) -> Tensor:
    """Return a mask with axes of size 1 behind, to the rank of `x`."""
    while mask.ndim < x.ndim:
        mask = ops.expand_dims(mask, -1)
    return mask


def _chosen(mask: Tensor, x: Any, other: Any) -> Any:
    return nest.map_structure(lambda a, b: ops.where(_like(mask, a), a, b), x, other)


def _flat_mask(mask: Any, time_major: bool) -> Tensor:
    mask = ops.cast(mask, "bool")
    mask = mask if time_major else _first_two_swapped(mask)
    return ops.squeeze(mask, [2]) if mask.ndim == 3 else mask


def rnn(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, Any]:
    """Run a step along the time axis.

    Args:
        step_function: ``(input, states + constants) → (output, states)``.
        inputs: ``(B, T, …)``, or a structure of them.
        initial_states: The first states, in a list.
        go_backwards: Whether to start at the end; the outputs are then reversed too.
        mask: ``(B, T)``; where it is false, states and output stay as before.
        constants: What each step is given too.
        unroll: Accepted; the loop is one operation.
        input_length: ``(B,)``, how many steps count; or None.
        time_major: Whether time is the first axis, of inputs and outputs.
        zero_output_for_mask: Whether masked outputs are 0, not those before.
        return_all_outputs: Whether to return the outputs of all steps, or the last one's.

    Returns:
        (last output ``(B, …)``, outputs ``(B, T, …)``, last states).
    """
    items = inputs if time_major else nest.map_structure(_first_two_swapped, inputs)
    items = nest.map_structure(convert_to_tensor, items)
    fixed = tuple(constants or ())
    steps = ops.shape(nest.flatten(items)[0])[0]
    known = None if mask is None else _flat_mask(mask, time_major)
    if known is None and isinstance(input_length, Tensor | Variable):
        lengths = ops.cast(input_length, "int32")
        known = ops.expand_dims(ops.range(steps), 1) < ops.expand_dims(lengths, 0)
    if go_backwards:
        items = nest.map_structure(lambda t: ops.reverse(t, [0]), items)
        known = None if known is None else ops.reverse(known, [0])
    start = tuple(nest.map_structure(convert_to_tensor, list(initial_states)))
    first, _ = step_function(nest.map_structure(lambda t: t[0], items), start + fixed)
    zeros = nest.map_structure(ops.zeros_like, first)

    def step(carry: Any, now: Any) -> Any:
        states, before = carry
        item, keep = now if known is not None else (now, None)
        output, new = step_function(item, tuple(states) + fixed)
        new = nest.pack_sequence_as(states, nest.flatten(new))
        if keep is not None:
            output = _chosen(keep, output, zeros if zero_output_for_mask else before)
            new = _chosen(keep, new, states)
        return (new, output), output

    elems = items if known is None else (items, known)
    (states, last), outputs = run_scan(step, (start, zeros), elems, who="backend.rnn")
    if not return_all_outputs:
        outputs = nest.map_structure(lambda t: ops.expand_dims(t, 0), last)
    if not time_major:
        outputs = nest.map_structure(_first_two_swapped, outputs)
    return last, outputs, list(states)
