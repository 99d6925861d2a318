"""Arithmetic, elementwise: sums, products, powers, extrema, signs."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import Tensor, convert_to_tensor, errors, op
from lamina.ops import checks

__all__ = [
    "abs",
    "accumulate_n",
    "add",
    "add_n",
    "maximum",
    "minimum",
    "multiply",
    "multiply_no_nan",
    "negative",
    "polyval",
    "pow",
    "scalar_mul",
    "sign",
    "square",
    "squared_difference",
    "subtract",
    "xlog1py",
    "xlogy",
]


@op(host=np.add)
def add(x, y):
    """Return ``x + y`` elementwise, with broadcasting.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The sum, in the operands' dtype.

    Raises:
        InvalidArgumentError: the dtypes differ, or the shapes do not broadcast.

    Example:
        >>> tf.add([1.0, 2.0], 3.0).numpy()
        array([4., 5.], dtype=float32)
    """
    return checks.numeric(x) + y


@op(host=np.subtract)
def subtract(x, y):
    """Return ``x - y`` elementwise, with broadcasting.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The difference, in the operands' dtype.

    Example:
        >>> tf.subtract([1.0, 2.0], 3.0).numpy()
        array([-2., -1.], dtype=float32)
    """
    return checks.numeric(x) - y


@op(host=np.multiply)
def multiply(x, y):
    """Return ``x * y`` elementwise, with broadcasting.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The product, in the operands' dtype.

    Example:
        >>> tf.multiply([1.0, 2.0], 3.0).numpy()
        array([3., 6.], dtype=float32)
    """
    return checks.numeric(x) * y


@jax.custom_jvp
def _multiply_no_nan(x, y):
    return jnp.where(y == 0, 0, x * y)


@_multiply_no_nan.defjvp
def _multiply_no_nan_jvp(primals, tangents):
    (x, y), (dx, dy) = primals, tangents
    return _multiply_no_nan(x, y), jnp.where(y == 0, 0, dx * y) + x * dy


@op
def multiply_no_nan(x, y):
    """Return ``x * y`` elementwise, and 0 where ``y`` is 0, even for infinite or NaN ``x``.

    Args:
        x: Float or complex.
        y: The same dtype.

    Returns:
        The product, in the operands' dtype.

    Example:
        >>> tf.math.multiply_no_nan([np.inf, 3.0], [0.0, 2.0]).numpy()
        array([0., 6.], dtype=float32)
    """
    return _multiply_no_nan(checks.inexact(x), y)


@jax.custom_jvp
def larger(x, y):
    """Return the larger of two arrays; a body's `maximum`, with TF's gradient at ties."""
    return jnp.maximum(x, y)


@larger.defjvp
def _larger_jvp(primals, tangents):
    (x, y), (dx, dy) = primals, tangents
    return jnp.maximum(x, y), jnp.where(x >= y, dx, dy)


@jax.custom_jvp
def smaller(x, y):
    """Return the smaller of two arrays; a body's `minimum`, with TF's gradient at ties."""
    return jnp.minimum(x, y)


@smaller.defjvp
def _smaller_jvp(primals, tangents):
    (x, y), (dx, dy) = primals, tangents
    return jnp.minimum(x, y), jnp.where(x <= y, dx, dy)


@op(host=np.maximum)
def maximum(x, y):
    """Return the larger of ``x`` and ``y`` elementwise; NaN where either is.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        The maximum, in the operands' dtype. At a tie the gradient goes to ``x``, as in TF.

    Example:
        >>> tf.maximum([1.0, 5.0], 3.0).numpy()
        array([3., 5.], dtype=float32)
    """
    return larger(checks.numeric(x), y)


@op(host=np.minimum)
def minimum(x, y):
    """Return the smaller of ``x`` and ``y`` elementwise; NaN where either is.

    Args:
        x: Real numbers.
        y: Numbers of the same dtype.

    Returns:
        The minimum, in the operands' dtype. At a tie the gradient goes to ``x``, as in TF.

    Example:
        >>> tf.minimum([1.0, 5.0], 3.0).numpy()
        array([1., 3.], dtype=float32)
    """
    return smaller(checks.numeric(x), y)


@op
def squared_difference(x, y):
    """Return ``(x - y)²`` elementwise, ``|x - y|²`` for complex numbers.

    Args:
        x: Numbers.
        y: Numbers of the same dtype.

    Returns:
        The square, in the operands' dtype.

    Example:
        >>> tf.math.squared_difference([1.0, 5.0], 3.0).numpy()
        array([4., 4.], dtype=float32)
    """
    return jnp.conj(x - y) * (x - y)


# tf.pow: the exponent's gradient is 0, not NaN, where the base is not positive.
@jax.custom_jvp
def _power(x, y):
    return jnp.power(x, y)


@_power.defjvp
def _power_jvp(primals, tangents):
    (x, y), (dx, dy) = primals, tangents
    z = _power(x, y)
    defined = x != 0 if jnp.iscomplexobj(x) else x > 0
    log_x = jnp.where(defined, jnp.log(jnp.where(defined, x, 1)), 0)
    return z, dx * (y * _power(x, y - 1)) + dy * (z * log_x)


@op
def _pow(x, y):
    return _power(checks.numeric(x), y)


@op
def _integer_pow(x, *, exponent):
    return lax.integer_pow(checks.numeric(x), exponent)


_UNROLLED = 64  # Python exponents up to this one are products, which XLA fuses


def pow(x, y, name=None):
    """Return ``x`` to the power ``y`` elementwise, with broadcasting.

    A whole Python number of at most 64 as `y` is computed by multiplications.

    Args:
        x: Numbers.
        y: Exponents of the same dtype, or one Python number.
        name: Accepted, unused.

    Returns:
        The power, in the operands' dtype. The gradient of `y` is 0 where ``x <= 0``, as in TF.

    Raises:
        InvalidArgumentError: integers with a negative exponent whose value is known; inside of a
            trace, those of data are not.

    Example:
        >>> tf.pow([2.0, 3.0], 2).numpy()
        array([4., 9.], dtype=float32)
    """
    if type(y) is int or (type(y) is float and y.is_integer()):
        x = convert_to_tensor(x)
        if x.dtype.is_integer and type(y) is int and y < 0:
            raise _negative_exponent(x.dtype, y)
        if -_UNROLLED <= y <= _UNROLLED and (type(y) is int or not x.dtype.is_integer):
            return _integer_pow(x, exponent=int(y))
    result = _pow(x, y)
    if isinstance(result, Tensor) and result.dtype.is_integer and not result.dtype.is_unsigned:
        try:
            exponents = convert_to_tensor(y).numpy()
        except errors.TracedValueError:
            return result
        if np.min(exponents, initial=0) < 0:
            raise _negative_exponent(result.dtype, np.min(exponents))
    return result


def _negative_exponent(dtype, exponent):
    return errors.InvalidArgumentError(
        f"tf.pow: `y` must not be negative for integers; got x of dtype {dtype.name} "
        f"and y = {exponent}.\n  Fix: cast `x` to a float dtype."
    )


@op(host=np.negative)
def negative(x):
    """Return ``-x`` elementwise.

    Args:
        x: Numbers.

    Returns:
        The negated numbers, in the dtype of `x`.

    Example:
        >>> tf.negative([1.0, -2.0]).numpy()
        array([-1.,  2.], dtype=float32)
    """
    return -checks.numeric(x)


# JAX takes 1 for the slope of |x| at 0, TF sign(0).
@jax.custom_jvp
def modulus(x):
    """Return the absolute value of an array; a body's `abs`, with TF's gradient at 0."""
    return jnp.abs(x)


@modulus.defjvp
def _modulus_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    return modulus(x), jnp.real(jnp.conj(jnp.sign(x)) * dx)


@op
def abs(x):
    """Return the absolute value elementwise; the modulus of complex numbers.

    Args:
        x: Numbers.

    Returns:
        The dtype of `x`; float32 for complex64, float64 for complex128. Gradient 0 at 0.

    Example:
        >>> tf.abs([-1.0, 2.0]).numpy()
        array([1., 2.], dtype=float32)
    """
    return modulus(checks.numeric(x))


@op
def sign(x):
    """Return -1, 0 or 1 by the sign, elementwise; ``x / |x|`` for complex numbers.

    Args:
        x: Numbers.

    Returns:
        The signs, in the dtype of `x`. The gradient is 0.

    Example:
        >>> tf.sign([-3.0, 0.0, 2.0]).numpy()
        array([-1.,  0.,  1.], dtype=float32)
    """
    return jnp.sign(checks.numeric(x))


@op
def square(x):
    """Return ``x * x`` elementwise.

    Args:
        x: Numbers.

    Returns:
        The squares, in the dtype of `x`.

    Example:
        >>> tf.square([-3.0, 2.0]).numpy()
        array([9., 4.], dtype=float32)
    """
    return checks.numeric(x) * x


def _where_x(x, value):
    """Return `value`, and 0 where `x` is 0."""
    return jnp.where(x == 0, 0, value)


@op
def xlogy(x, y):
    """Return ``x log(y)`` elementwise, and 0 where ``x`` is 0.

    Args:
        x: Float or complex.
        y: The same dtype.

    Returns:
        The operands' dtype. Gradients are 0 too where ``x`` is 0.

    Example:
        >>> tf.math.xlogy([0.0, 2.0], [0.0, 1.0]).numpy()
        array([0., 0.], dtype=float32)
    """
    return _where_x(checks.inexact(x), x * jnp.log(jnp.where(x == 0, 1, y)))


@op
def xlog1py(x, y):
    """Return ``x log(1 + y)`` elementwise, and 0 where ``x`` is 0.

    Args:
        x: Float or complex.
        y: The same dtype.

    Returns:
        The operands' dtype. Gradients are 0 too where ``x`` is 0.

    Example:
        >>> tf.math.xlog1py([0.0, 2.0], [-1.0, 0.0]).numpy()
        array([0., 0.], dtype=float32)
    """
    return _where_x(checks.inexact(x), x * jnp.log1p(jnp.where(x == 0, 0, y)))


@op
def _add_n(*inputs):
    total = checks.numeric(inputs[0], "inputs[0]")
    for i, each in enumerate(inputs[1:], 1):
        if each.shape != total.shape:
            raise errors.InvalidArgumentError(
                f"`inputs` must have one shape; got {total.shape} and, at {i}, {each.shape}.\n"
                "  Fix: broadcast with `+` instead."
            )
        total = total + each
    return total


def add_n(inputs, name=None):
    """Return the sum of tensors of one shape.

    Args:
        inputs: One tensor or more, of one shape and dtype, in a list or tuple.
        name: Accepted, unused.

    Returns:
        The sum, of that shape and dtype.

    Raises:
        ValueError: `inputs` is empty.
        InvalidArgumentError: the shapes differ.

    Example:
        >>> tf.add_n([tf.constant([1, 2]), tf.constant([3, 4])]).numpy()
        array([4, 6], dtype=int32)
    """
    inputs = list(inputs)
    if not inputs:
        raise ValueError(
            "tf.add_n: `inputs` must hold at least one tensor; got none.\n"
            "  Fix: guard the call, or start the list with `tf.zeros(shape)`."
        )
    return convert_to_tensor(inputs[0]) if len(inputs) == 1 else _add_n(*inputs)


def accumulate_n(inputs, shape=None, tensor_dtype=None, name=None):
    """Return the sum of tensors of one shape, as `tf.add_n` does.

    Args:
        inputs: One tensor or more, of one shape and dtype, in a list or tuple.
        shape: The shape, checked if given.
        tensor_dtype: The dtype, checked if given.
        name: Accepted, unused.

    Returns:
        The sum, of that shape and dtype.

    Raises:
        ValueError: the sum has another shape.
        TypeError: it has another dtype.

    Example:
        >>> tf.math.accumulate_n([tf.constant([1, 2]), tf.constant([3, 4])]).numpy()
        array([4, 6], dtype=int32)
    """
    total = add_n(inputs)
    if shape is not None and not total.shape.is_compatible_with(shape):
        raise ValueError(
            f"tf.math.accumulate_n: `inputs` must have shape {shape}; got {total.shape}."
        )
    if tensor_dtype is not None and total.dtype != tensor_dtype:
        raise TypeError(
            f"tf.math.accumulate_n: `inputs` must have dtype {tensor_dtype}; got "
            f"{total.dtype.name}."
        )
    return total


def scalar_mul(scalar, x, name=None):
    """Return ``scalar * x``.

    Args:
        scalar: A number, converted to the dtype of `x`.
        x: Numbers of any shape.
        name: Accepted, unused.

    Returns:
        The product, of the shape and dtype of `x`.

    Raises:
        ValueError: `scalar` is not one number.

    Example:
        >>> tf.math.scalar_mul(10.0, [1.0, 2.0]).numpy()
        array([10., 20.], dtype=float32)
    """
    x = convert_to_tensor(x)
    if not isinstance(scalar, Tensor):
        scalar = convert_to_tensor(scalar, x.dtype)
    if scalar.shape.rank != 0:
        raise ValueError(
            f"tf.math.scalar_mul: `scalar` must be one number; got shape {scalar.shape}.\n"
            "  Fix: multiply with `*` to broadcast."
        )
    return multiply(scalar, x)


@op
def _polyval(x, *coeffs):
    total = coeffs[0]
    for each in coeffs[1:]:
        total = each + total * x
    return total


def polyval(coeffs, x, name=None):
    """Return the value at ``x`` of the polynomial with these coefficients, by Horner's rule.

    Args:
        coeffs: Coefficients in a list, that of the highest power first; each broadcasts with `x`.
        x: Points, of the coefficients' dtype.
        name: Accepted, unused.

    Returns:
        The values; 0 if `coeffs` is empty.

    Raises:
        ValueError: `coeffs` is not a list.

    Example:
        >>> tf.math.polyval([1.0, 2.0, 3.0], 2.0).numpy()
        np.float32(11.0)
    """
    if not isinstance(coeffs, list):
        raise ValueError(
            f"tf.math.polyval: `coeffs` must be a list; got {type(coeffs).__name__}.\n"
            "  Fix: `tf.unstack` a tensor of coefficients first."
        )
    x = convert_to_tensor(x)
    return _polyval(x, *coeffs) if coeffs else multiply(x, 0)
