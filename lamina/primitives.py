"""Operations that TensorFlow has at top level as its graphs know them: `tf.fftnd`, ..."""

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import ShapeDtypeStruct, lax
from jax.experimental import io_callback

from lamina import ops
from lamina.engine import (
    GradientTape,
    Tensor,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    host_op,
    local,
    op,
    ready,
    type_of,
)
from lamina.ops.hashing import farmhash, fingerprint64

__all__ = [
    "approx_top_k",
    "check_pinned",
    "conv2d_backprop_filter_v2",
    "conv2d_backprop_input_v2",
    "extract_volume_patches",
    "fftnd",
    "fingerprint",
    "ifftnd",
    "irfftnd",
    "nondifferentiable_batch_function",
    "required_space_to_batch_paddings",
    "rfftnd",
    "timestamp",
]


class ApproxTopK(NamedTuple):
    """What `tf.approx_top_k` returns."""

    values: Tensor
    indices: Tensor


def approx_top_k(
    input: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    is_max_k: bool = True,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
    name: str | None = None,
) -> ApproxTopK:
    """Return about the `k` largest or smallest elements along an axis.

    Args:
        input: Float.
        k: How many.
        reduction_dimension: The axis.
        recall_target: The fraction of the true ones to be found on a TPU, in (0, 1].
        is_max_k: Whether the largest are wanted, else the smallest.
        reduction_input_size_override: The size the recall is meant for, or -1 for the axis'.
        aggregate_to_topk: Whether to return exactly `k`.
        name: Accepted, unused.

    Returns:
        `values`, in the dtype of the input, and `indices`, int32.

    Example:
        >>> tf.approx_top_k([1.0, 9.0, 5.0], 2).indices.numpy()
        array([1, 2], dtype=int32)
    """
    find = ops.approx_max_k if is_max_k else ops.approx_min_k
    found = find(
        input,
        k,
        reduction_dimension,
        recall_target,
        reduction_input_size_override,
        aggregate_to_topk,
    )
    return ApproxTopK(*found)


def check_pinned(tensor: Any, name: str | None = None) -> Tensor:
    """Return the Tensor: JAX decides which host memory a value is in.

    Args:
        tensor: A Tensor.
        name: Accepted, unused.
    """
    return ops.identity(tensor)


# ---- Fourier transforms over chosen axes ----------------------------------------------------


def fftnd(input: Any, fft_length: Any, axes: Any, name: str | None = None) -> Tensor:
    """Return the Fourier transform over chosen axes; see `tf.signal.fftnd`.

    Args:
        input: complex64 or complex128.
        fft_length: A length for each of `axes`.
        axes: The axes.
        name: Accepted, unused.
    """
    return ops.fftnd(input, fft_length, axes)


def ifftnd(input: Any, fft_length: Any, axes: Any, name: str | None = None) -> Tensor:
    """Return the inverse Fourier transform over chosen axes; see `tf.signal.ifftnd`.

    Args:
        input: complex64 or complex128.
        fft_length: A length for each of `axes`.
        axes: The axes.
        name: Accepted, unused.
    """
    return ops.ifftnd(input, fft_length, axes)


def rfftnd(
    input: Any,
    fft_length: Any,
    axes: Any,
    Tcomplex: Any = dtypes.complex64,  # TF's name
    name: str | None = None,
) -> Tensor:
    """Return the Fourier transform of real values; see `tf.signal.rfftnd`.

    Args:
        input: float32 or float64.
        fft_length: A length for each of `axes`.
        axes: The axes; half of the last one is returned.
        Tcomplex: The dtype of the result.
        name: Accepted, unused.
    """
    return ops.cast(ops.rfftnd(input, fft_length, axes), as_dtype(Tcomplex))


def irfftnd(
    input: Any,
    fft_length: Any,
    axes: Any,
    Treal: Any = dtypes.float32,  # TF's name
    name: str | None = None,
) -> Tensor:
    """Return the inverse of `rfftnd`; see `tf.signal.irfftnd`.

    Args:
        input: complex64 or complex128.
        fft_length: A length for each of `axes`.
        axes: The axes.
        Treal: The dtype of the result.
        name: Accepted, unused.
    """
    return ops.cast(ops.irfftnd(input, fft_length, axes), as_dtype(Treal))


# ---- convolutions ---------------------------------------------------------------------------


def conv2d_backprop_input_v2(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = (),
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Return the gradient of a convolution with respect to its input.

    Args:
        input: A Tensor of the input's shape; its values do not matter.
        filter: ``(H, W, C, C')``.
        out_backprop: The gradient with respect to the result.
        strides: Four numbers, as of `tf.nn.conv2d`, and so are the others.
        padding: "SAME", "VALID" or "EXPLICIT".
        use_cudnn_on_gpu: Accepted, unused.
        explicit_paddings: With "EXPLICIT", eight numbers: before and after each axis.
        data_format: "NHWC" or "NCHW".
        dilations: Four numbers.
        name: Accepted, unused.

    Returns:
        The shape of `input`.
    """
    how = _convolution(strides, padding, explicit_paddings, data_format, dilations)
    return _pulled(lambda x: how(x, filter), input, out_backprop)


def conv2d_backprop_filter_v2(
    input: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: Any = (),
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Return the gradient of a convolution with respect to its filter.

    Args:
        input: ``(B, H, W, C)``.
        filter: A Tensor of the filter's shape; its values do not matter.
        out_backprop: The gradient with respect to the result.
        strides: Four numbers, as of `tf.nn.conv2d`, and so are the others.
        padding: "SAME", "VALID" or "EXPLICIT".
        use_cudnn_on_gpu: Accepted, unused.
        explicit_paddings: With "EXPLICIT", eight numbers: before and after each axis.
        data_format: "NHWC" or "NCHW".
        dilations: Four numbers.
        name: Accepted, unused.

    Returns:
        The shape of `filter`.
    """
    how = _convolution(strides, padding, explicit_paddings, data_format, dilations)
    return _pulled(lambda kernel: how(input, kernel), filter, out_backprop)


def _convolution(strides: Any, padding: str, explicit: Any, layout: str, dilations: Any) -> Any:
    pads: Any = padding
    if padding == "EXPLICIT":
        numbers = list(explicit)
        pads = [numbers[i : i + 2] for i in range(0, 8, 2)]
    return functools.partial(
        ops.conv2d, strides=strides, padding=pads, data_format=layout, dilations=dilations
    )


def _pulled(function: Callable[[Tensor], Tensor], x: Any, cotangent: Any) -> Tensor:
    x = convert_to_tensor(x)
    with GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x, convert_to_tensor(cotangent, y.dtype))


def extract_volume_patches(
    input: Any, ksizes: Any, strides: Any, padding: str, name: str | None = None
) -> Tensor:
    """Cut patches out of volumes, laid out in the last axis.

    Args:
        input: ``(B, D, H, W, C)``.
        ksizes: Five numbers, the sizes of a patch with 1 first and last.
        strides: Five numbers, the distances of patches with 1 first and last.
        padding: "VALID" or "SAME" (zeros).
        name: Accepted, unused.

    Returns:
        ``(B, D', H', W', d h w C)`` for patches of d x h x w, same dtype.

    Raises:
        ValueError: `ksizes` or `strides` are not five numbers with 1 first and last.

    Example:
        >>> x = tf.reshape(tf.range(8.0), [1, 2, 2, 2, 1])
        >>> how = dict(ksizes=[1, 2, 1, 1, 1], strides=[1, 2, 1, 1, 1], padding="VALID")
        >>> tf.extract_volume_patches(x, **how)[0, 0, 0].numpy()
        array([[0., 4.],
               [1., 5.]], dtype=float32)
    """
    inner: list[list[int]] = []
    for what, given in (("ksizes", ksizes), ("strides", strides)):
        numbers = [int(n) for n in given]
        if len(numbers) != 5 or numbers[0] != 1 or numbers[4] != 1:
            raise ValueError(
                f"tf.extract_volume_patches: `{what}` must be five numbers with 1 first and "
                f"last; got {given}."
            )
        inner.append(numbers[1:4])
    return ops.cut_patches(
        input, sizes=inner[0], strides=inner[1], dilations=[1, 1, 1], padding=padding
    )


def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Return what `tf.space_to_batch` must pad so that blocks fit, and what to crop after.

    Args:
        input_shape: The sizes of N spatial axes, int32.
        block_shape: The sizes of a block, int32 ``(N,)``.
        base_paddings: The least paddings, ``(N, 2)``; None is zeros.
        name: Accepted, unused.

    Returns:
        Paddings and crops, int32 ``(N, 2)``.

    Example:
        >>> paddings, crops = tf.required_space_to_batch_paddings([5, 7], [2, 3])
        >>> paddings.numpy()
        array([[0, 1],
               [0, 2]], dtype=int32)
    """
    sizes = convert_to_tensor(input_shape, dtypes.int32)
    blocks = convert_to_tensor(block_shape, dtypes.int32)
    if base_paddings is None:
        base = ops.zeros([sizes.shape[0], 2], dtypes.int32)
    else:
        base = convert_to_tensor(base_paddings, dtypes.int32)
    before, after = base[:, 0], base[:, 1]
    full = sizes + before + after
    extra = (blocks - full % blocks) % blocks
    paddings = ops.stack([before, after + extra], axis=1)
    crops = ops.stack([ops.zeros_like(extra), extra], axis=1)
    return paddings, crops


# ---- fingerprints ---------------------------------------------------------------------------


_OF_NOTHING = np.array([0x9AE16A3B2F90404F], "<u8").view(np.uint8)  # FarmHash64 of no bytes


def fingerprint(data: Any, method: str = "farmhash64", name: str | None = None) -> Tensor:
    """Return a 64-bit hash of each row.

    Args:
        data: Any dtype, of at least one axis.
        method: "farmhash64".
        name: Accepted, unused.

    Returns:
        uint8, ``(N, 8)``: the bytes of the hashes, lowest first.

    Raises:
        InvalidArgumentError: `data` has no axis, or the method is unknown.

    Example:
        >>> tf.fingerprint(["abc"]).numpy()
        array([[105, 243, 231, 116, 160, 179, 165,  36]], dtype=uint8)
    """
    data = convert_to_tensor(data)
    if method != "farmhash64":
        raise errors.InvalidArgumentError(
            f"tf.fingerprint: `method` must be 'farmhash64'; got {method!r}."
        )
    if len(data.shape) == 0:
        raise errors.InvalidArgumentError(
            "tf.fingerprint: `data` must have at least one axis; got shape ()."
        )
    if data.shape.num_elements() == 0:
        return convert_to_tensor(np.tile(_OF_NOTHING, (data.shape[0], 1)))
    if data.dtype is not dtypes.string:
        return _hashed(data)
    hashes = _bytes_of(fingerprint64(data))
    return hashes if len(data.shape) == 1 else _hashed(hashes)


@op(differentiable=False)
def _hashed(data):
    if data.dtype == jnp.bool_:
        data = data.astype(jnp.uint8)
    if jnp.iscomplexobj(data):
        data = jnp.stack([data.real, data.imag], axis=-1)
    rows = jnp.reshape(lax.bitcast_convert_type(data, jnp.uint8), (data.shape[0], -1))
    return lax.bitcast_convert_type(farmhash(rows), jnp.uint8)


@host_op(lambda kinds, **_: ((type_of((*kinds[0].dims, 8), dtypes.uint8),), None))
def _bytes_of(numbers):
    little = np.ascontiguousarray(numbers.astype("<u8"))
    return little.view(np.uint8).reshape(*numbers.shape, 8)


def nondifferentiable_batch_function(
    num_batch_threads: int,
    max_batch_size: int,
    batch_timeout_micros: int,
    allowed_batch_sizes: Any = None,
    max_enqueued_batches: int = 10,
    autograph: bool = True,
    enable_large_batch_splitting: bool = True,
) -> Callable[..., Any]:
    """Return a decorator of functions that a server calls with batches of many requests.

    Here each call is a batch of its own, computed at once: the results are the same.

    Args:
        num_batch_threads: Accepted, unused, as all the others.
        max_batch_size: Unused.
        batch_timeout_micros: Unused.
        allowed_batch_sizes: Unused.
        max_enqueued_batches: Unused.
        autograph: Unused.
        enable_large_batch_splitting: Unused.

    Example:
        >>> @tf.nondifferentiable_batch_function(1, 10, 100)
        ... def double(x):
        ...     return x * 2.0
        >>> double(tf.constant([1.0])).numpy()
        array([2.], dtype=float32)
    """

    def decorate(fn: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(fn)
        def call(*args: Any) -> Any:
            found = fn(*[convert_to_tensor(a) for a in args])
            if isinstance(found, Tensor):
                return ops.stop_gradient(found)
            return [ops.stop_gradient(convert_to_tensor(f)) for f in found]

        return call

    return decorate


# ---- the clock -----------------------------------------------------------------------------


@op(
    mixed=True,
    differentiable=False,
    calls_host=True,
    infer=lambda kinds: ((type_of((), dtypes.float64),), None),
)
def _timestamp():
    return io_callback(lambda: np.float64(time.time()), ShapeDtypeStruct((), np.float64))


def timestamp(name: str | None = None) -> Tensor:
    """Return the time in seconds since 1970, float64; in a `tf.function` that of each call.

    Args:
        name: Accepted, unused.
    """
    if local.trace.eager:
        return ready(np.float64(time.time()))
    return _timestamp()
