"""Random numbers: pure bodies of a key and a counter, and the functions that draw from streams.

A body gets the key of a stream (uint32, shape `(2,)`) and how many draws came before. Both are
operands, so a program that draws has the same structure at every step.
"""

from random import Random
from typing import Any
from weakref import WeakKeyDictionary

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import (
    as_dtype,
    context,
    convert_to_tensor,
    dtypes,
    errors,
    host_value,
    op,
    static_int,
)
from lamina.engine.random import Stream, global_stream, set_global_seed
from lamina.ops.array import dimensions
from lamina.ops.keys import folded

__all__ = [
    "categorical",
    "gamma",
    "normal",
    "poisson",
    "set_seed",
    "shuffle",
    "truncated_normal",
    "uniform",
]

# --- bodies ---------------------------------------------------------------------------------------


def _plain_key(key, counter):
    """Return the draw's key for what draws in loops of its own, or takes no other kind of key."""
    wrapped = jax.random.wrap_key_data(key, impl="threefry2x32")
    return jax.random.fold_in(wrapped, counter.astype(jnp.uint32))


def _scaled(noise, factor, offset, shape):
    try:
        wanted = jnp.broadcast_shapes(shape, factor.shape, offset.shape)
    except ValueError:
        wanted = None
    if wanted != tuple(shape):
        raise errors.InvalidArgumentError(
            f"the parameters must broadcast to `shape`; got shapes {factor.shape} and "
            f"{offset.shape} for {tuple(shape)}.\n  Fix: give the full shape of the result."
        )
    return noise * factor.astype(noise.dtype) + offset.astype(noise.dtype)


@op(mixed=True)
def normal_from(key, counter, mean, stddev, *, shape, dtype):
    """Draw from the normal distribution."""
    noise = jax.random.normal(folded(key, counter), shape, dtype.np)
    return _scaled(noise, stddev, mean, shape)


@op(mixed=True)
def truncated_normal_from(key, counter, mean, stddev, low, high, *, shape, dtype):
    """Draw from the normal distribution, between bounds counted in standard deviations."""
    low, high = low.astype(dtype.np), high.astype(dtype.np)
    noise = jax.random.truncated_normal(folded(key, counter), low, high, shape, dtype.np)
    return _scaled(noise, stddev, mean, shape)


@op(mixed=True)
def uniform_from(key, counter, minval, maxval, *, shape, dtype):
    """Draw from `[minval, maxval)`, of a float or integer dtype."""
    if dtype.is_integer:
        return jax.random.randint(folded(key, counter), shape, minval, maxval, dtype.np)
    noise = jax.random.uniform(folded(key, counter), shape, dtype.np)
    return _scaled(noise, maxval - minval, minval, shape)


@op(mixed=True, differentiable=False)
def bits_from(key, counter, *, shape, dtype):
    """Draw integers of all values of a dtype."""
    unsigned = np.dtype(f"uint{8 * dtype.size}")
    bits = jax.random.bits(folded(key, counter), shape, unsigned)
    return jax.lax.bitcast_convert_type(bits, dtype.np)


@op(mixed=True)
def shuffled_from(key, counter, value):
    """Permute the rows of a Tensor."""
    return jax.random.permutation(folded(key, counter), value, axis=0) if value.ndim else value


@op(mixed=True, differentiable=False)
def categorical_from(key, counter, logits, *, num_samples, dtype):
    """Draw class indices from each row of unnormalized log-probabilities."""
    if logits.ndim != 2:
        raise errors.InvalidArgumentError(
            f"`logits` must have shape (batch, classes); got {logits.shape}.\n"
            "  Fix: tf.reshape it to two axes."
        )
    if logits.dtype != np.float64:
        logits = logits.astype(np.float32)
    rows, classes = logits.shape
    if isinstance(classes, int) and num_samples <= classes:
        noise = jax.random.gumbel(folded(key, counter), (rows, num_samples, classes), logits.dtype)
        return jnp.argmax(logits[:, None] + noise, -1).astype(dtype.np)
    # Many samples of few classes: invert the distribution function, in memory for samples only.
    steps = jnp.cumsum(jax.nn.softmax(logits, -1), -1)
    place = jax.random.uniform(folded(key, counter), (rows, num_samples), logits.dtype)
    found = jax.vmap(lambda s, p: jnp.searchsorted(s, p * s[-1], side="right"))(steps, place)
    return jnp.minimum(found, classes - 1).astype(dtype.np)


@op(mixed=True)
def gamma_from(key, counter, alpha, beta, *, shape, dtype):
    """Draw from the gamma distribution of shape `alpha` and rate `beta`."""
    alpha = jnp.broadcast_to(alpha.astype(dtype.np), shape)
    return jax.random.gamma(_plain_key(key, counter), alpha, shape, dtype.np) / beta.astype(
        dtype.np
    )


@op(mixed=True, differentiable=False)
def poisson_from(key, counter, lam, *, shape, dtype):
    """Draw from the Poisson distribution of mean `lam`."""
    lam = jnp.broadcast_to(lam.astype(jnp.float32), shape)
    drawn = jax.random.poisson(_plain_key(key, counter), jnp.maximum(lam, 0), shape, np.int64)
    return drawn.astype(dtype.np)


# --- seeds ----------------------------------------------------------------------------------------

_DEFAULT_SEED = 87654321  # what TF takes for an op with a seed while no global seed is set
_state: dict[str, int | None] = {"seed": None}
_streams: dict[int, Stream] = {}
# Those of seeded operations inside functions, with their seeds; each lives as long as its program.
_inside: WeakKeyDictionary[Stream, int] = WeakKeyDictionary()
_on_host: dict[int | None, Random] = {}


def _mixed(op_seed):
    start = _DEFAULT_SEED if _state["seed"] is None else _state["seed"]
    return (start * 0x9E3779B97F4A7C15 + op_seed * 0xBF58476D1CE4E5B9) & (2**63 - 1)


def set_seed(seed):
    """Start all global random streams again.

    Args:
        seed: An integer. After the same seed, the same sequence of draws gives the same numbers:
            draws without a seed share one stream, and each op-level `seed` has one of its own; so
            has each operation with a `seed` inside a `tf.function`.

    State:
        The global streams start again.

    Example:
        >>> tf.random.set_seed(1)
        >>> first = tf.random.normal((2,))
        >>> tf.random.set_seed(1)
        >>> bool(tf.reduce_all(first == tf.random.normal((2,))))
        True
    """
    seed = static_int(seed, "tf.random.set_seed(seed)")
    _state["seed"] = seed
    set_global_seed(seed)
    for op_seed, stream in [*_streams.items(), *((seed, s) for s, seed in _inside.items())]:
        stream.reset(_mixed(op_seed))
    _on_host.clear()


def draw(seed):
    """Return (key, counter) of the next draw.

    Args:
        seed: An op-level seed, or None for the global stream.

    Returns:
        Two Tensors: uint32 of shape `(2,)`, and an int64 scalar.
    """
    if seed is None:
        return global_stream().next()
    if isinstance(seed, float) and seed.is_integer():  # which TensorFlow takes too
        seed = int(seed)
    seed = static_int(seed, "tf.random(seed)")
    if not context.local.trace.eager:
        # As in TensorFlow, each seeded operation of a function is a sequence of its own.
        _inside[stream := Stream(_mixed(seed))] = seed
        return stream.next()
    if seed not in _streams:
        _streams[seed] = Stream(_mixed(seed))
    return _streams[seed].next()


def next_seed(seed):
    """Return the seed of a draw that NumPy makes: another one each time, until `set_seed`.

    Nothing recorded is run to find it.

    Args:
        seed: An op-level seed, or None.
    """
    if seed not in _on_host:
        is_free = seed is None and _state["seed"] is None
        _on_host[seed] = Random(None if is_free else _mixed(-1 if seed is None else seed))
    return _on_host[seed].getrandbits(63)


# --- functions ------------------------------------------------------------------------------------

_FLOATS = (dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64)
_INTEGERS = (dtypes.int32, dtypes.int64, dtypes.uint32, dtypes.uint64)


def checked_dtype(dtype, allowed, who):
    """Return a DType if it is one of those allowed, else raise ValueError."""
    dtype = as_dtype(dtype)
    if dtype not in allowed:
        raise ValueError(
            f"{who}: `dtype` must be one of {', '.join(each.name for each in allowed)}; got "
            f"{dtype.name}.\n  Fix: draw one of these, then tf.cast."
        )
    return dtype


def uniform_bounds(minval, maxval, dtype, who):
    """Return dtype and bounds of a uniform draw as Tensors.

    Raises:
        ValueError: integers have no `maxval`.
    """
    dtype = checked_dtype(dtype, (*_FLOATS, *_INTEGERS), who)
    if maxval is None:
        if dtype.is_integer:
            raise ValueError(
                f"{who}: `maxval` must be given for integer dtypes; got None for {dtype.name}.\n"
                "  Fix: pass maxval."
            )
        maxval = 1
    return dtype, convert_to_tensor(minval, dtype), convert_to_tensor(maxval, dtype)


def _require_between(low, high, who):
    """Raise if no integer lies between bounds that are known."""
    least, most = host_value(low), host_value(high)
    if least is None or most is None or object in (least.dtype, most.dtype):  # not known
        return
    if low.dtype.is_integer and np.any(least >= most):
        raise errors.InvalidArgumentError(
            f"{who}: `minval` must be below `maxval`; got {least} and {most}.\n"
            "  Fix: `maxval` is not drawn itself."
        )


def normal_draw(source, shape, mean, stddev, dtype, who, bounds=None):
    """Draw from the normal distribution, truncated if bounds are given."""
    dtype = checked_dtype(dtype, _FLOATS, who)
    mean, stddev = convert_to_tensor(mean, dtype), convert_to_tensor(stddev, dtype)
    shape = dimensions(shape, who)
    if bounds is None:
        return normal_from(*source, mean, stddev, shape=shape, dtype=dtype)
    bounds = [convert_to_tensor(each, dtype) for each in bounds]
    return truncated_normal_from(*source, mean, stddev, *bounds, shape=shape, dtype=dtype)


def uniform_draw(source, shape, minval, maxval, dtype, who):
    """Draw uniformly between bounds."""
    dtype, minval, maxval = uniform_bounds(minval, maxval, dtype, who)
    shape = dimensions(shape, who)
    if 0 not in shape:
        _require_between(minval, maxval, who)
    return uniform_from(*source, minval, maxval, shape=shape, dtype=dtype)


def categorical_draw(source, logits, num_samples, dtype, who):
    """Draw class indices."""
    count = static_int(num_samples, f"{who}(num_samples)")
    dtype = checked_dtype(dtype or dtypes.int64, _INTEGERS[:2], who)
    return categorical_from(*source, logits, num_samples=count, dtype=dtype)


def normal(
    shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed=None, name=None
):
    """Draw from the normal distribution.

    Args:
        shape: The shape of the result.
        mean: The mean; it broadcasts to `shape`.
        stddev: The standard deviation; it broadcasts to `shape`.
        dtype: A float dtype.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`. Gradients flow to `mean` and `stddev`.

    Raises:
        ValueError: `dtype` is not a float dtype.

    Example:
        >>> tf.random.normal((2, 3), mean=5.0).shape
        TensorShape([2, 3])
    """
    return normal_draw(draw(seed), shape, mean, stddev, dtype, "tf.random.normal")


def truncated_normal(
    shape, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = dtypes.float32, seed=None, name=None
):
    """Draw from the normal distribution, within two standard deviations of the mean.

    Args:
        shape: The shape of the result.
        mean: The mean of the distribution before truncation.
        stddev: Its standard deviation.
        dtype: A float dtype.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`.

    Raises:
        ValueError: `dtype` is not a float dtype.

    Example:
        >>> x = tf.random.truncated_normal((100,))
        >>> bool(tf.reduce_all(tf.abs(x) <= 2.0))
        True
    """
    who = "tf.random.truncated_normal"
    return normal_draw(draw(seed), shape, mean, stddev, dtype, who, (-2.0, 2.0))


def uniform(shape, minval: Any = 0, maxval=None, dtype: Any = dtypes.float32, seed=None, name=None):
    """Draw uniformly from `[minval, maxval)`.

    Args:
        shape: The shape of the result.
        minval: The lower bound, included.
        maxval: The upper bound, excluded; None is 1 for floats, an error for integers.
        dtype: A float dtype, int32 or int64.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`.

    Raises:
        ValueError: `maxval` is None for an integer dtype, or `dtype` is of another kind.

    Example:
        >>> tf.random.uniform((4,), maxval=10, dtype=tf.int32).dtype
        tf.int32
    """
    return uniform_draw(draw(seed), shape, minval, maxval, dtype, "tf.random.uniform")


def shuffle(value, seed=None, name=None):
    """Permute the rows of a Tensor.

    Args:
        value: A Tensor; its first axis is permuted.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor with the same rows in another order.

    Example:
        >>> sorted(tf.random.shuffle([1, 2, 3]).numpy().tolist())
        [1, 2, 3]
    """
    return shuffled_from(*draw(seed), value)


def categorical(logits, num_samples, dtype=None, seed=None, name=None):
    """Draw class indices.

    Args:
        logits: Unnormalized log-probabilities `(B, C)`.
        num_samples: How many indices to draw from each row, N.
        dtype: int64 (None) or int32.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor `(B, N)` of integers in `[0, C)`.

    Raises:
        InvalidArgumentError: `logits` does not have two axes.

    Example:
        >>> tf.random.categorical([[0.0, -1e9]], 3).numpy()
        array([[0, 0, 0]])
    """
    return categorical_draw(draw(seed), logits, num_samples, dtype, "tf.random.categorical")


def gamma(shape, alpha, beta=None, dtype: Any = dtypes.float32, seed=None, name=None):
    """Draw from gamma distributions.

    Args:
        shape: The shape of the draws from each distribution.
        alpha: The shape parameter, positive.
        beta: The rate, which broadcasts with `alpha`; None is 1.
        dtype: A float dtype, that of `alpha`.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor `shape + broadcast(alpha, beta).shape`. Gradients flow to `alpha` and `beta`.

    Example:
        >>> tf.random.gamma((3,), [1.0, 2.0]).shape
        TensorShape([3, 2])
    """
    dtype = checked_dtype(dtype, _FLOATS, "tf.random.gamma")
    alpha = convert_to_tensor(alpha, dtype)
    beta = convert_to_tensor(1 if beta is None else beta, dtype)
    rest = np.broadcast_shapes(tuple(alpha.shape), tuple(beta.shape))
    wanted = dimensions(shape, "tf.random.gamma") + rest
    return gamma_from(*draw(seed), alpha, beta, shape=wanted, dtype=dtype)


def poisson(shape, lam, dtype: Any = dtypes.float32, seed=None, name=None):
    """Draw from Poisson distributions.

    Args:
        shape: The shape of the draws from each distribution.
        lam: The means, not negative.
        dtype: A float dtype, int32 or int64.
        seed: An op-level seed: a stream of its own, which `tf.random.set_seed` starts again.
        name: Accepted, unused.

    Returns:
        A Tensor `shape + lam.shape` of whole numbers.

    Example:
        >>> tf.random.poisson((3,), [1.0, 2.0]).shape
        TensorShape([3, 2])
    """
    dtype = checked_dtype(dtype, (*_FLOATS, *_INTEGERS[:2]), "tf.random.poisson")
    lam = convert_to_tensor(lam)
    wanted = dimensions(shape, "tf.random.poisson") + tuple(lam.shape)
    return poisson_from(*draw(seed), lam, shape=wanted, dtype=dtype)
