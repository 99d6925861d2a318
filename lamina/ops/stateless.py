"""Random numbers as pure functions of a seed."""

from typing import Any

import jax
import jax.numpy as jnp

from lamina.engine import (
    convert_to_tensor,
    dtypes,
    op,
    static_int,
)
from lamina.ops.array import dimensions
from lamina.ops.keys import folded
from lamina.ops.random import (
    bits_from,
    categorical_draw,
    checked_dtype,
    gamma_from,
    normal_draw,
    poisson_from,
    shuffled_from,
    uniform_draw,
)

__all__ = [
    "next_seed",
    "stateless_categorical",
    "stateless_fold_in",
    "stateless_gamma",
    "stateless_normal",
    "stateless_parameterized_truncated_normal",
    "stateless_poisson",
    "stateless_shuffle",
    "stateless_split",
    "stateless_truncated_normal",
    "stateless_uniform",
]

_FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)


@op(differentiable=False)
def _source(seed):
    """Return the (key, counter) that a stateless seed stands for."""
    if seed.shape != (2,):
        raise ValueError(
            f"`seed` must be two integers; got shape {seed.shape}.\n  Fix: pass seed=(a, b)."
        )
    key = seed.astype(jnp.uint32)
    if seed.dtype.itemsize == 8:
        high = (seed >> 32).astype(jnp.uint32)
        moved = jax.random.fold_in(folded(key, high[0]), high[1])
        same = (high[0] == 0) & (high[1] == 0)
        key = jnp.where(same, key, jax.random.key_data(moved))
    return key, jnp.zeros((), jnp.int64)


@op(differentiable=False)
def next_seed(state):
    """Return the seed after this one: two integers, the second of which counts draws.

    Example:
        >>> from lamina import ops
        >>> ops.next_seed([7, 0]).numpy()
        array([7, 1], dtype=int32)
    """
    return state + jnp.asarray([0, 1], state.dtype)


def stateless_normal(
    shape,
    seed,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name=None,
    alg="auto_select",
):
    """Draw from the normal distribution; the same seed gives the same numbers.

    Args:
        shape: The shape of the result.
        seed: Two integers, as a list or Tensor.
        mean: The mean; it broadcasts to `shape`.
        stddev: The standard deviation; it broadcasts to `shape`.
        dtype: A float dtype.
        name: Accepted, unused.
        alg: Accepted, unused: the algorithm is Threefry.

    Returns:
        A Tensor of shape `shape`. Gradients flow to `mean` and `stddev`.

    Example:
        >>> a, b = (tf.random.stateless_normal((2,), seed=(1, 2)) for _ in "ab")
        >>> bool(tf.reduce_all(a == b))
        True
    """
    return normal_draw(_source(seed), shape, mean, stddev, dtype, "tf.random.stateless_normal")


def stateless_truncated_normal(
    shape,
    seed,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name=None,
    alg="auto_select",
):
    """Draw from the normal distribution, within two standard deviations of the mean.

    Args:
        shape: The shape of the result.
        seed: Two integers, as a list or Tensor.
        mean: The mean before truncation.
        stddev: The standard deviation before truncation.
        dtype: A float dtype.
        name: Accepted, unused.
        alg: Accepted, unused: the algorithm is Threefry.

    Returns:
        A Tensor of shape `shape`.

    Example:
        >>> tf.random.stateless_truncated_normal((2,), seed=(1, 2)).shape
        TensorShape([2])
    """
    who = "tf.random.stateless_truncated_normal"
    return normal_draw(_source(seed), shape, mean, stddev, dtype, who, (-2.0, 2.0))


def stateless_parameterized_truncated_normal(
    shape,
    seed,
    means: Any = 0.0,
    stddevs: Any = 1.0,
    minvals: Any = -2.0,
    maxvals: Any = 2.0,
    name=None,
):
    """Draw from normal distributions between bounds.

    Args:
        shape: The shape of the result.
        seed: Two integers, as a list or Tensor.
        means: The means before truncation; like the others, broadcast to `shape`.
        stddevs: The standard deviations before truncation.
        minvals: The lower bounds.
        maxvals: The upper bounds.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`, of the dtype of `means`.

    Example:
        >>> draw = tf.random.stateless_parameterized_truncated_normal
        >>> draw((2,), (1, 2), 5.0, 1.0, 4.0, 6.0).shape
        TensorShape([2])
    """
    mean = convert_to_tensor(means)
    stddev, low, high = (convert_to_tensor(v, mean.dtype) for v in (stddevs, minvals, maxvals))
    bounds = (low - mean) / stddev, (high - mean) / stddev
    who = "tf.random.stateless_parameterized_truncated_normal"
    return normal_draw(_source(seed), shape, mean, stddev, mean.dtype, who, bounds)


def stateless_uniform(
    shape,
    seed,
    minval: Any = 0,
    maxval=None,
    dtype: Any = dtypes.float32,
    name=None,
    alg="auto_select",
):
    """Draw uniformly from `[minval, maxval)`; the same seed gives the same numbers.

    Args:
        shape: The shape of the result.
        seed: Two integers, as a list or Tensor.
        minval: The lower bound, included; None with `maxval` None draws all of an integer dtype.
        maxval: The upper bound, excluded; None is 1 for floats.
        dtype: A float dtype, or an integer one of 32 or 64 bits.
        name: Accepted, unused.
        alg: Accepted, unused: the algorithm is Threefry.

    Returns:
        A Tensor of shape `shape`.

    Raises:
        ValueError: only one bound is given for an integer dtype.

    Example:
        >>> tf.random.stateless_uniform((2,), (1, 2), 0, 10, tf.int32).dtype
        tf.int32
    """
    if minval is None and maxval is None:
        sizes = dimensions(shape, "tf.random.stateless_uniform")
        return bits_from(*_source(seed), shape=sizes, dtype=dtype)
    who = "tf.random.stateless_uniform"
    return uniform_draw(_source(seed), shape, minval, maxval, dtype, who)


def stateless_categorical(logits, num_samples, seed, dtype: Any = dtypes.int64, name=None):
    """Draw class indices; the same seed gives the same numbers.

    Args:
        logits: Unnormalized log-probabilities `(B, C)`.
        num_samples: How many indices to draw from each row, N.
        seed: Two integers, as a list or Tensor.
        dtype: int64 or int32.
        name: Accepted, unused.

    Returns:
        A Tensor `(B, N)` of integers in `[0, C)`.

    Example:
        >>> tf.random.stateless_categorical([[0.0, -1e9]], 3, (1, 2)).numpy()
        array([[0, 0, 0]])
    """
    who = "tf.random.stateless_categorical"
    return categorical_draw(_source(seed), logits, num_samples, dtype, who)


def stateless_gamma(shape, seed, alpha, beta=None, dtype: Any = dtypes.float32, name=None):
    """Draw from gamma distributions; the same seed gives the same numbers.

    Args:
        shape: The shape of the result, to which the parameters broadcast.
        seed: Two integers, as a list or Tensor.
        alpha: The shape parameter, positive.
        beta: The rate; None is 1.
        dtype: A float dtype.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`.

    Example:
        >>> tf.random.stateless_gamma((3, 2), (1, 2), [1.0, 2.0]).shape
        TensorShape([3, 2])
    """
    dtype = checked_dtype(dtype, _FLOATS, "tf.random.stateless_gamma")
    alpha = convert_to_tensor(alpha, dtype)
    beta = convert_to_tensor(1 if beta is None else beta, dtype)
    sizes = dimensions(shape, "tf.random.stateless_gamma")
    return gamma_from(*_source(seed), alpha, beta, shape=sizes, dtype=dtype)


def stateless_poisson(shape, seed, lam, dtype: Any = dtypes.int32, name=None):
    """Draw from Poisson distributions; the same seed gives the same numbers.

    Args:
        shape: The shape of the result, to which `lam` broadcasts.
        seed: Two integers, as a list or Tensor.
        lam: The means, not negative.
        dtype: int32, int64 or a float dtype.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`.

    Example:
        >>> tf.random.stateless_poisson((3, 2), (1, 2), [1.0, 2.0]).shape
        TensorShape([3, 2])
    """
    sizes = dimensions(shape, "tf.random.stateless_poisson")
    return poisson_from(*_source(seed), lam, shape=sizes, dtype=dtype)


def stateless_shuffle(value, seed, alg="auto_select", name=None):
    """Permute the rows of a Tensor; the same seed gives the same order.

    Args:
        value: A Tensor; its first axis is permuted.
        seed: Two integers, as a list or Tensor.
        alg: Accepted, unused: the algorithm is Threefry.
        name: Accepted, unused.

    Returns:
        A Tensor with the same rows in another order.

    Example:
        >>> sorted(tf.random.stateless_shuffle([1, 2, 3], (1, 2)).numpy().tolist())
        [1, 2, 3]
    """
    return shuffled_from(*_source(seed), value)


@op(mixed=True, differentiable=False)
def seeds_from(key, counter, *, num, dtype):
    """Return `num` seeds of two integers each, drawn from a key."""
    return jax.random.key_data(jax.random.split(folded(key, counter), num)).astype(dtype.np)


def stateless_split(seed, num: Any = 2, alg="auto_select"):
    """Make several seeds of one.

    Args:
        seed: Two integers, as a list or Tensor.
        num: How many seeds to make.
        alg: Accepted, unused: the algorithm is Threefry.

    Returns:
        An integer Tensor `(num, 2)`: each row is a seed.

    Example:
        >>> tf.random.stateless_split((1, 2), 3).shape
        TensorShape([3, 2])
    """
    seed = convert_to_tensor(seed)
    num = static_int(num, "tf.random.split(num)")
    return seeds_from(*_source(seed), num=num, dtype=seed.dtype)


def stateless_fold_in(seed, data, alg="auto_select"):
    """Make a seed of a seed and a number, such as a step or the index of a replica.

    Args:
        seed: Two integers, as a list or Tensor.
        data: An integer scalar.
        alg: Accepted, unused: the algorithm is Threefry.

    Returns:
        An integer Tensor of shape `(2,)`.

    Example:
        >>> tf.random.stateless_fold_in((1, 2), 3).shape
        TensorShape([2])
    """
    seed = convert_to_tensor(seed)
    return seeds_from(_source(seed)[0], data, num=1, dtype=seed.dtype)[0]
