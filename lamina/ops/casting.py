"""Changing the dtype, and the parts of complex numbers."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import as_dtype, convert_to_tensor, dtypes, errors, op
from lamina.ops import checks

__all__ = ["angle", "bitcast", "cast", "complex", "conj", "imag", "real", "saturate_cast"]


def _cast_on_host(x, *, dtype):
    if x.dtype.kind == "c" and not dtype.is_complex and not dtype.is_bool:
        x = x.real
    return x if x.dtype == object else x.astype(dtype.np)


@op(host=_cast_on_host)
def _cast(x, *, dtype):
    if jnp.iscomplexobj(x) and not dtype.is_complex:
        x = x != 0 if dtype.is_bool else x.real
    return x.astype(dtype.np)


def cast(x, dtype, name=None):
    """Return ``x`` in another dtype.

    Floats become integers by dropping the fraction, numbers bools by ``x != 0``, complex numbers
    real ones by dropping the imaginary part. A tensor that has the dtype is returned as it is.

    Args:
        x: Numbers or bools.
        dtype: The dtype wanted.
        name: Accepted, unused.

    Returns:
        The shape of `x`, in `dtype`. Between floats the gradient is cast back.

    Raises:
        UnimplementedError: `x` holds strings, or `dtype` is string.

    Example:
        >>> tf.cast([1.8, -1.8], tf.int32).numpy()
        array([ 1, -1], dtype=int32)
    """
    dtype = as_dtype(dtype)
    x = convert_to_tensor(x)
    if x.dtype is dtype:
        return x
    if dtypes.string in (x.dtype, dtype):
        raise errors.UnimplementedError(
            f"tf.cast: `x` and `dtype` must be numbers or bools; got {x.dtype.name} to "
            f"{dtype.name}.\n  Fix: convert strings with `tf.strings.to_number` or `as_string`."
        )
    return _cast(x, dtype=dtype)


def _range_of(dtype):
    """Return the least and the greatest value as Python numbers, which compare exactly."""
    number = float if dtype.is_floating else int
    return number(dtype.min), number(dtype.max)


def _limits(source, target):
    """Return the least and the greatest value of `source` that `target` can hold.

    Args:
        source: A real DType.
        target: A real DType.
    """
    (low, high), (least, most) = _range_of(source), _range_of(target)
    least, most = max(least, low), min(most, high)
    if source.is_floating:
        low, high = source.np.type(least), source.np.type(most)
        # Integers beyond the mantissa round up: step back inside.
        if not target.is_floating and int(high) > most:
            high = np.nextafter(high, source.np.type(0))
        return low, high
    return least, most


def _clipped(value, dtype):
    """Return real numbers within what a real DType holds, in their own dtype."""
    source = as_dtype(value.dtype)
    if dtype.is_bool or source.is_bool:
        return value
    least, most = _limits(source, dtype)
    return jnp.clip(value, np.asarray(least, value.dtype), np.asarray(most, value.dtype))


@op
def _saturate(value, *, dtype):
    part = dtype.real_dtype
    if jnp.iscomplexobj(value) and dtype.is_complex:
        parts = (_clipped(each, part).astype(part.np) for each in (value.real, value.imag))
        return lax.complex(*parts)
    return _clipped(jnp.real(value), part).astype(dtype.np)


def saturate_cast(value, dtype, name=None):
    """Return ``value`` in another dtype, with what does not fit moved to the nearest that does.

    Args:
        value: Numbers.
        dtype: The dtype wanted. From complex to real numbers the imaginary part is dropped;
            between complex ones both parts are moved.
        name: Accepted, unused.

    Returns:
        The shape of `value`, in `dtype`.

    Example:
        >>> tf.saturate_cast([-3.0, 1.8, 300.0], tf.uint8).numpy()
        array([  0,   1, 255], dtype=uint8)
    """
    value, dtype = convert_to_tensor(value), as_dtype(dtype)
    if value.dtype is dtype:
        return value
    return _saturate(value, dtype=dtype)


@op(differentiable=False)
def _bitcast(input, *, dtype):
    ratio = dtype.np.itemsize // input.dtype.itemsize
    if ratio > 1 and input.shape[-1:] != (ratio,):
        raise errors.InvalidArgumentError(
            f"the last dimension of `input` must be {ratio} to read {np.dtype(input.dtype).name} "
            f"as {dtype.name}; got shape {input.shape}.\n  Fix: tf.reshape(x, (-1, {ratio}))."
        )
    return lax.bitcast_convert_type(input, dtype.np)


def bitcast(input, type, name=None):
    """Return the same bits, read as another dtype.

    Args:
        input: Numbers.
        type: The dtype to read. If it is k times narrower, a last dimension of k is added; if it
            is k times wider, the last dimension, which must be k, goes.
        name: Accepted, unused.

    Returns:
        A tensor of dtype `type`. No gradient.

    Raises:
        InvalidArgumentError: the last dimension does not fit the wider dtype.

    Example:
        >>> tf.bitcast([1.0], tf.int32).numpy()
        array([1065353216], dtype=int32)
    """
    return _bitcast(input, dtype=as_dtype(type))


@op
def _complex(real, imag):
    return lax.complex(*jnp.broadcast_arrays(real, imag))


def complex(real, imag, name=None):
    """Return the complex numbers with these real and imaginary parts, with broadcasting.

    Args:
        real: float32 or float64.
        imag: The same dtype.
        name: Accepted, unused.

    Returns:
        complex64 for float32, complex128 for float64.

    Raises:
        TypeError: the parts are not both float32 or both float64.

    Example:
        >>> tf.complex(1.0, 2.0).numpy()
        np.complex64(1+2j)
    """
    real, imag = convert_to_tensor(real), convert_to_tensor(imag)
    if real.dtype is not imag.dtype or real.dtype not in (dtypes.float32, dtypes.float64):
        raise TypeError(
            "tf.complex: `real` and `imag` must both be float32 or both float64; got "
            f"{real.dtype.name} and {imag.dtype.name}.\n  Fix: tf.cast them to one of these."
        )
    return _complex(real, imag)


@op
def real(input):
    """Return the real part, elementwise; real numbers stay as they are.

    Args:
        input: Numbers.

    Returns:
        float32 for complex64, float64 for complex128, else the dtype of `input`.

    Example:
        >>> tf.math.real([1.0 + 2.0j]).numpy()
        array([1.])
    """
    return jnp.real(checks.numeric(input, "input"))


@op
def _imag(input):
    return jnp.imag(input)


@op(differentiable=False)
def _real_imag(input):
    return jnp.zeros_like(checks.numeric(input, "input"))


def imag(input, name=None):
    """Return the imaginary part, elementwise; 0 for real numbers.

    Args:
        input: Numbers.
        name: Accepted, unused.

    Returns:
        float32 for complex64, float64 for complex128, else the dtype of `input`.

    Example:
        >>> tf.math.imag([1.0 + 2.0j]).numpy()
        array([2.])
    """
    input = convert_to_tensor(input)
    return _imag(input) if input.dtype.is_complex else _real_imag(input)


@op
def _angle(input):
    return jnp.angle(input)


@op(differentiable=False)
def _real_angle(input):
    return jnp.where(checks.numeric(input, "input") < 0, np.pi, 0).astype(input.dtype)


def angle(input, name=None):
    """Return the angle in the complex plane, elementwise.

    Args:
        input: Numbers.
        name: Accepted, unused.

    Returns:
        Radians in [-pi, pi]: float32 for complex64, float64 for complex128, else the dtype of
        `input`.

    Example:
        >>> tf.math.angle([1.0j, -1.0]).numpy()
        array([1.57079..., 3.14159...])
    """
    input = convert_to_tensor(input)
    return _angle(input) if input.dtype.is_complex else _real_angle(input)


@op
def conj(x):
    """Return the complex conjugate, elementwise; real numbers stay as they are.

    Args:
        x: Numbers.

    Returns:
        The dtype of `x`.

    Example:
        >>> tf.math.conj([1.0 + 2.0j]).numpy()
        array([1.-2.j])
    """
    return jnp.conj(checks.numeric(x))
