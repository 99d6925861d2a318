"""Checks on the operands of ops. Each returns what it checked, so a body reads as one formula.

Ops files import the module; its names are not tf.* functions, so none is exported.
"""

import jax.numpy as jnp
import numpy as np

from lamina.engine import errors

__all__ = []


def _require(condition, x, name, expected, fix):
    if not condition:
        raise errors.InvalidArgumentError(
            f"`{name}` must be {expected}; got {np.dtype(x.dtype).name} of shape {x.shape}.\n"
            f"  Fix: {fix}"
        )
    return x


def inexact(x, name="x"):
    """Return `x`, which must be float or complex: TF does not promote integers here."""
    return _require(
        jnp.issubdtype(x.dtype, jnp.inexact),
        x,
        name,
        "float or complex",
        "cast it first, as in `tf.cast(x, tf.float32)`.",
    )


def numeric(x, name="x"):
    """Return `x`, which must not be bool: TF does not count bools as numbers."""
    return _require(
        x.dtype != jnp.bool_,
        x,
        name,
        "a number",
        "cast it first, as in `tf.cast(x, tf.int32)`.",
    )


def integer(x, name="x"):
    """Return `x`, which must be an integer array."""
    return _require(
        jnp.issubdtype(x.dtype, jnp.integer),
        x,
        name,
        "an integer",
        "cast it first, as in `tf.cast(x, tf.int32)`.",
    )


def boolean(x, name="x"):
    """Return `x`, which must be bool. Nothing, a float32 where it was ``[]``, counts as bools."""
    if x.dtype == jnp.float32 and 0 in x.shape:
        return x.astype(bool)
    return _require(
        x.dtype == jnp.bool_, x, name, "bool", "compare it first, as in `tf.not_equal(x, 0)`."
    )


def matrix(x, name="x"):
    """Return `x`, which must have at least two dimensions."""
    return _require(
        x.ndim >= 2, x, name, "of rank 2 or more", "add a dimension, as in `x[tf.newaxis]`."
    )


def square(x, name="x"):
    """Return `x`, whose last two dimensions must agree."""
    return _require(
        x.ndim >= 2 and x.shape[-1] == x.shape[-2],
        x,
        name,
        "a square matrix, or a batch of them",
        "check the last two dimensions.",
    )


def flag(value, name="keepdims"):
    """Return `value`, one bool (None is False); arrays of bools have no truth value, as in TF.

    Raises:
        ValueError: it is several values.
    """
    if isinstance(value, tuple | list) or np.ndim(value):
        raise ValueError(f"`{name}` must be one bool; got {value!r}.\n  Fix: pass True or False.")
    return bool(value)


def axis(x, value, name="axis"):
    """Return the axis `value` of `x` counted from the front."""
    if isinstance(value, int) and -x.ndim <= value < x.ndim:
        return value % x.ndim
    low, high = (-x.ndim, x.ndim - 1) if x.ndim else (0, -1)
    raise errors.InvalidArgumentError(
        f"`{name}` must be an int in [{low}, {high}] for an input of shape {x.shape}; "
        f"got {value!r}.\n  Fix: axes count from 0, or from -1 at the end."
    )


def _flat(values):
    """Return nested tuples of axes as one: TF takes a Tensor of any shape."""
    for each in values:
        if isinstance(each, tuple | list):
            yield from _flat(each)
        else:
            yield each


def axes(x, value, name="axis"):
    """Return the axes `value` (None for all, an int, or several) of `x` as a tuple from the front.

    Raises:
        InvalidArgumentError: an axis is out of range, or given twice.
    """
    if value is None:
        return tuple(range(x.ndim))
    if isinstance(value, int):
        return (axis(x, value, name),)
    value = tuple(_flat(value))
    found = tuple(axis(x, each, name) for each in value)
    if len(set(found)) < len(found):
        raise errors.InvalidArgumentError(
            f"`{name}` must not name a dimension twice; got {value!r} for shape {x.shape}.\n"
            "  Fix: drop one of them."
        )
    return found
