"""Functions and objects that round values to small integers, with scales."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor, as_dtype
from lamina.keras import registry
from lamina.keras.capture import Captured
from lamina.ops import quantizing

__all__ = [
    "AbsMaxQuantizer",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]

_EPSILON = 1e-7


# ---- integers ------------------------------------------------------------------------------------


def abs_max_quantize(
    inputs: Any,
    axis: int | Sequence[int] | None,
    value_range: Sequence[float] = (-127, 127),
    dtype: Any = "int8",
    epsilon: float = _EPSILON,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return ``round(s x)`` and the scale ``s = most / max|x|``.

    Args:
        inputs: x, float, any shape.
        axis: The axes that share a scale; None is all of them.
        value_range: The least and the greatest integer.
        dtype: The dtype of the integers.
        epsilon: What is added to ``max|x|``.
        to_numpy: Accepted for Keras' signature: there is one way to compute.

    Returns:
        The integers, in the shape of `inputs`; the scale, of their dtype, with size 1 along `axis`.

    Example:
        >>> q, scale = tf.keras.quantizers.abs_max_quantize([[1.0, -2.0]], axis=-1)
        >>> q.numpy(), scale.numpy()
        (array([[  64, -127]], dtype=int8), array([[63.5]], dtype=float32))
    """
    x = ops.convert_to_tensor(inputs)
    least, most = value_range
    greatest = ops.reduce_max(ops.abs(x), axis=axis, keepdims=True)
    scale = ops.cast(most / (greatest + epsilon), x.dtype)
    q = ops.clip_by_value(ops.round(x * scale), least, most)
    return ops.cast(q, dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Any,
    block_size: int,
    value_range: Sequence[int] = (-8, 7),
    dtype: Any = "int8",
    epsilon: float = _EPSILON,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Round a matrix, with a scale and a zero for each block of rows and each column.

    Args:
        inputs: float, ``(N, K)``.
        block_size: Rows in a block, the last one shorter if need be.
        value_range: Must be (-8, 7): integers of 4 bits.
        dtype: The dtype of the integers.
        epsilon: The least range of a block.
        to_numpy: Accepted for Keras' signature: there is one way to compute.

    Returns:
        The integers ``(N, K)``, the scales ``(J, K)``, and the zeros, int8 ``(J, K)``, of J blocks:
        ``inputs ≈ (integers - zero) * scale``.

    Raises:
        ValueError: `value_range` is another.

    Example:
        >>> x = tf.constant([[0.0], [2.1], [7.5]])
        >>> q, scale, zero = tf.keras.quantizers.abs_max_quantize_grouped_with_zero_point(x, 128)
        >>> q.numpy().ravel(), scale.numpy(), zero.numpy()
        (array([-8, -4,  7], dtype=int8), array([[0.5]], dtype=float32), array([[-8]], dtype=int8))
    """
    if tuple(value_range) != (-8, 7):
        raise ValueError(
            "abs_max_quantize_grouped_with_zero_point: `value_range` must be (-8, 7); got "
            f"{value_range}.\n  Fix: abs_max_quantize takes other ranges."
        )
    x = ops.convert_to_tensor(inputs)
    q, scale, zero = ops.quantize_int4(ops.cast(x, "float32"), block=block_size, epsilon=epsilon)
    return ops.cast(q, dtype), ops.cast(scale, x.dtype), zero


def _require_bytes(who: str, dtype: Any, x: Tensor, allowed: Sequence[str]) -> None:
    if dtype not in ("int8", "uint8"):
        raise ValueError(f"{who}: `dtype` must be 'int8' or 'uint8'; got {dtype!r}.")
    if x.dtype.name not in allowed:
        raise TypeError(
            f"{who}: a Tensor of {' or '.join(allowed)} was expected; got {x.dtype.name}.\n"
            f"  Fix: tf.cast(x, tf.{allowed[0]})."
        )


def _at_end(x: Tensor, axis: int) -> Tensor:
    """Return a Tensor with one axis swapped for the last."""
    order = list(range(x.ndim))
    order[axis], order[-1] = order[-1], order[axis]
    return x if axis % x.ndim == x.ndim - 1 else ops.transpose(x, order)


def pack_int4(arr: Any, axis: int = 0, dtype: str = "int8") -> tuple[Tensor, tuple[int, ...], int]:
    """Put two integers of 4 bits into each byte: the lower half is the first of them.

    Args:
        arr: Integers of `dtype` in [-8, 7], or in [0, 15] for "uint8".
        axis: Along which neighbours share a byte.
        dtype: "int8" or "uint8".

    Returns:
        The bytes, of which there are half as many along `axis` (one more where the number is odd);
        their shape; the size of `axis` before.

    Raises:
        ValueError: `dtype` is another, or there is no such axis.
        TypeError: `arr` has another dtype.

    Example:
        >>> packed, shape, size = tf.keras.quantizers.pack_int4(np.int8([1, 2, -1]))
        >>> packed.numpy(), shape, size
        (array([33, 15], dtype=int8), (2,), 3)
    """
    x = ops.convert_to_tensor(arr)
    _require_bytes("pack_int4", dtype, x, [dtype])
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"pack_int4: `axis` must be one of {x.ndim}; got {axis}.")
    size = x.shape[axis]
    packed = _at_end(ops.pack_int4(_at_end(x, axis)), axis)
    return packed, tuple(packed.shape), size


def unpack_int4(packed: Any, orig_len: int, axis: int = 0, dtype: str = "int8") -> Tensor:
    """Return the integers that `pack_int4` put into bytes.

    Args:
        packed: The bytes, int8 or uint8.
        orig_len: The size of `axis` before.
        axis: Along which neighbours share a byte.
        dtype: "int8" for integers in [-8, 7], "uint8" for such in [0, 15].

    Raises:
        ValueError: `dtype` is another.
        TypeError: `packed` has another dtype.

    Example:
        >>> tf.keras.quantizers.unpack_int4(np.int8([33, 15]), 3).numpy()
        array([ 1,  2, -1], dtype=int8)
    """
    x = ops.convert_to_tensor(packed)
    _require_bytes("unpack_int4", dtype, x, ["int8", "uint8"])
    # The shifts that take a byte apart keep the sign, or not, by the dtype.
    x = x if x.dtype.name == dtype else ops.bitcast(x, dtype)
    return _at_end(ops.unpack_int4(_at_end(x, axis), size=orig_len), axis)


# ---- quantizers ----------------------------------------------------------------------------------


class Quantizer(Captured):
    """What turns values into integers and a scale; a subclass writes `__call__`.

    Args:
        output_dtype: The dtype of the integers.

    Example:
        >>> tf.keras.Quantizer("int8").get_config()
        {'output_dtype': 'int8'}
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(self, output_dtype: Any = "int8"):
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """Return the integers and the scale of values.

        Raises:
            NotImplementedError: a subclass writes it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: `__call__` must be written by the subclass.\n"
            f"  Fix: def __call__(self, x): return integers, scale"
        )


class AbsMaxQuantizer(Quantizer):
    """Round values by their greatest size; see `abs_max_quantize`.

    Args:
        axis: The axes that share a scale; None leaves it to the call, where it is -1 if not given.
        value_range: The least and the greatest integer.
        epsilon: What is added to the greatest size.
        output_dtype: The dtype of the integers.

    Raises:
        ValueError: the range is wider than int8, and `output_dtype` is that.

    Example:
        >>> q, scale = tf.keras.quantizers.AbsMaxQuantizer()(tf.constant([[1.0, -2.0]]))
        >>> q.numpy()
        array([[  64, -127]], dtype=int8)
    """

    _keras_module: ClassVar[str] = "keras.quantizers"
    _config_omit_none = ("axis",)

    def __init__(
        self,
        axis: int | Sequence[int] | None = None,
        value_range: Sequence[float] = (-127, 127),
        epsilon: float = _EPSILON,
        output_dtype: Any = "int8",
    ):
        super().__init__(output_dtype)
        self.axis = (axis,) if isinstance(axis, int) else axis if axis is None else tuple(axis)
        self.value_range = tuple(value_range)
        self.epsilon = epsilon
        if output_dtype == "int8" and (value_range[0] < -128 or value_range[1] > 127):
            raise ValueError(
                "AbsMaxQuantizer: `value_range` must lie in [-128, 127] for output_dtype 'int8'; "
                f"got value_range={value_range}."
            )

    def __call__(self, x: Any, axis: Any = None, to_numpy: bool = False) -> tuple[Tensor, Tensor]:
        """Return the integers and the scale of values.

        Args:
            x: float, any shape.
            axis: The axes that share a scale; None takes the constructor's, else -1.
            to_numpy: Accepted for Keras' signature.
        """
        found = self.axis if axis is None else axis
        found = -1 if found is None else found
        return abs_max_quantize(x, found, self.value_range, self.output_dtype, self.epsilon)


def get(identifier: Any, **kwargs: Any) -> Any:
    """Return the quantizer that an identifier names.

    Args:
        identifier: A name such as "abs_max_quantizer", a config, a class, a quantizer, or None.
        **kwargs: Arguments for the class, if a name or a class is given.

    Raises:
        ValueError: the name is unknown, or the identifier is none of the above.

    Example:
        >>> tf.keras.quantizers.get("abs_max_quantizer", axis=0).axis
        (0,)
    """
    if kwargs and isinstance(identifier, str):
        identifier = registry.find(identifier, "keras.quantizers") or identifier
    if kwargs and isinstance(identifier, type):
        return identifier(**kwargs)
    return registry.resolve(identifier, "keras.quantizers", "quantizer")


def serialize(initializer: Any) -> Any:
    """Return the config of a quantizer, with its class.

    Args:
        initializer: The quantizer; the name is Keras'.

    Example:
        >>> tf.keras.quantizers.serialize(tf.keras.quantizers.AbsMaxQuantizer())["class_name"]
        'AbsMaxQuantizer'
    """
    return registry.serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Return the quantizer that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class, for those that are not registered.

    Example:
        >>> tf.keras.quantizers.deserialize({"class_name": "AbsMaxQuantizer", "config": {}})
        <AbsMaxQuantizer>
    """
    return registry.deserialize_keras_object(config, custom_objects, hint="keras.quantizers")


# ---- floats --------------------------------------------------------------------------------------


def fake_quant_with_min_max_vars(
    inputs: Any,
    min_vals: Any,
    max_vals: Any,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Tensor:
    """Round to the ``2ⁿ`` values that n bits tell apart between bounds; gradients pass through.

    Args:
        inputs: float, any shape.
        min_vals: The lower bound, or one for each place along `axis`.
        max_vals: The upper bound, likewise.
        num_bits: n, from 2 to 16.
        narrow_range: Whether the lowest value is left out.
        axis: The axis of the bounds; None has one of each.

    Returns:
        The shape and dtype of `inputs`.

    Raises:
        InvalidArgumentError: `num_bits` is out of range, or shapes do not fit.

    Example:
        >>> tf.keras.quantizers.fake_quant_with_min_max_vars([0.3], -1.0, 2.0, num_bits=2).numpy()
        array([0.], dtype=float32)

    Reference: Jacob et al. 2017, https://arxiv.org/abs/1712.05877, section 3.
    """
    given = ops.convert_to_tensor(inputs)
    x, low, high = (ops.cast(v, "float32") for v in (given, min_vals, max_vals))
    if axis is None:
        low, high = (v if v.ndim == 0 else ops.reshape(v, []) for v in (low, high))
        y = quantizing.fake_quant_with_min_max_vars(x, low, high, num_bits, narrow_range)
    else:
        at_end = _at_end(x, axis)
        y = quantizing.fake_quant_with_min_max_vars_per_channel(
            at_end, low, high, num_bits, narrow_range
        )
        y = _at_end(y, axis)
    return ops.cast(y, given.dtype)


def compute_float8_scale(amax: Any, scale: Any, dtype_max: float, margin: int = 0) -> Tensor:
    """Return the scale by which values fit a float of 8 bits: ``2ᵐ amax / dtype_max``.

    Args:
        amax: The greatest size of late.
        scale: The scale of before, which stays where `amax` is 0 or no number.
        dtype_max: The greatest float of 8 bits.
        margin: m, how many powers of two are kept free.

    Example:
        >>> float(tf.keras.quantizers.compute_float8_scale(2.0, 1.0, 448.0) * 448.0)
        2.0

    Reference: Micikevicius et al. 2022, https://arxiv.org/abs/2209.05433.
    """
    amax, scale = ops.convert_to_tensor(amax), ops.convert_to_tensor(scale)
    inverse = (dtype_max / amax) / 2.0**margin
    good = ops.logical_and(amax > 0.0, ops.is_finite(amax))
    return 1.0 / ops.where(good, inverse, 1.0 / scale)


def compute_float8_amax_history(x: Any, amax_history: Any) -> Tensor:
    """Return the greatest sizes of the last steps, with that of `x` at the front.

    Args:
        x: float, any shape.
        amax_history: ``(n,)``: those of before; the second makes place.

    Example:
        >>> tf.keras.quantizers.compute_float8_amax_history([-3.0], [1.0, 2.0]).numpy()
        array([3., 1.], dtype=float32)
    """
    history = ops.convert_to_tensor(amax_history)
    newest = ops.cast(ops.reduce_max(ops.abs(x)), history.dtype)
    rolled = ops.roll(history, -1, 0)
    return ops.tensor_scatter_nd_update(rolled, [[0]], ops.reshape(newest, [1]))


def quantize_and_dequantize(
    inputs: Any, scale: Any, quantized_dtype: Any, compute_dtype: Any
) -> Tensor:
    """Return values as a float of 8 bits would give them.

    Args:
        inputs: float, any shape.
        scale: What they are divided by meanwhile.
        quantized_dtype: "float8_e4m3fn" or "float8_e5m2".
        compute_dtype: The dtype of the result.

    Example:
        >>> short = "float8_e4m3fn"
        >>> tf.keras.quantizers.quantize_and_dequantize([0.54], 0.5, short, "float32").numpy()
        array([0.5625], dtype=float32)
    """
    x, scale = (ops.cast(v, compute_dtype) for v in (inputs, scale))
    most = ops.cast(as_dtype(quantized_dtype).max, compute_dtype)
    short = ops.cast(ops.clip_by_value(x / scale, -most, most), quantized_dtype)
    return ops.cast(short, compute_dtype) * scale


registry.builtin("keras.quantizers", "abs_max_quantizer")(AbsMaxQuantizer)
