"""Random numbers with explicit seeds: `SeedGenerator`, and functions that take a seed or one.

Each function takes `seed`: an int gives the same numbers at each call; a SeedGenerator moves on
from call to call; None draws from the global stream, which `tf.random.set_seed` and
`tf.keras.utils.set_random_seed` start anew.
"""

import random as python_random
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from lamina import ops
from lamina.engine import Tensor, as_dtype, context
from lamina.engine.random import global_stream
from lamina.keras.capture import Captured
from lamina.keras.naming import auto_name
from lamina.keras.policy import standardize_dtype
from lamina.keras.variable import Variable
from lamina.ops.binomial import stateless_binomial

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "draw_seed",
    "dropout",
    "gamma",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]


class SeedGenerator(Captured):
    """A seed that moves on with each draw, for layers that draw at each call.

    Args:
        seed: An int; None takes one from Python's `random`.
        name: The name; None makes "seed_generator", "seed_generator_1", ….
        **kwargs: Must be empty.

    Attributes:
        state: int64 Variable of shape ``(2,)``: the seed, and the number of draws so far.

    State:
        `next` adds 1 to the second element.

    Raises:
        ValueError: `seed` is no int, or an unknown argument.

    Example:
        >>> seeds = tf.keras.random.SeedGenerator(7)
        >>> seeds.next().numpy(), seeds.next().numpy()
        (array([7, 0]), array([7, 1]))
    """

    _keras_module: ClassVar[str] = "keras.random"
    _config_as_given = ("seed",)
    _tracked_as = "seed"  # found in layers: in their `variables`, not in their `weights`

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any):
        if kwargs:
            raise ValueError(
                f"SeedGenerator: `seed` and `name` are its arguments; got {sorted(kwargs)} too.\n"
                f"  Fix: omit {sorted(kwargs)[0]!r}."
            )
        if seed is None:
            seed = python_random.randint(1, 10**9)
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise ValueError(
                f"SeedGenerator: `seed` must be an int or None; got {seed!r} of type "
                f"{type(seed).__name__}.\n  Fix: pass an int such as 42."
            )
        self.name = name or auto_name("seed_generator")
        with context.name_scope(self.name):
            self.state = Variable(
                np.array([seed, 0], np.int64),
                dtype="int64",
                trainable=False,
                autocast=False,
                name="seed_generator_state",
            )

    @property
    def variables(self) -> list[Variable]:
        """The state, as a list."""
        return [self.state]

    def next(self, ordered: bool = True) -> Tensor:
        """Return the seed of one draw, int64 of shape ``(2,)``, and move on.

        Args:
            ordered: Accepted for Keras' signature, unused.
        """
        seed = self.state.value
        self.state._set(ops.next_seed(seed))
        return seed


def draw_seed(seed: Any) -> Any:
    """Return what the stateless ops take for a seed.

    Args:
        seed: An int, a SeedGenerator or None.

    Returns:
        Two ints, as a list or a Tensor of shape ``(2,)``.

    Raises:
        ValueError: `seed` is something else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool):
        return [int(seed), 0]
    if seed is None:
        key, counter = global_stream().next()
        high, low = ops.unstack(ops.cast(key, "int64"))
        return ops.stack([high * 2**31 + low, counter])
    raise ValueError(
        f"keras.random: `seed` must be an int, a tf.keras.random.SeedGenerator or None; got "
        f"{seed!r} of type {type(seed).__name__}.\n  Fix: pass an int such as 42."
    )


def _float(who: str, dtype: Any) -> str:
    name = standardize_dtype(dtype)
    if not as_dtype(name).is_floating:
        raise ValueError(
            f"keras.random.{who}: `dtype` must be floating point; got {name}.\n"
            f"  Fix: use tf.keras.random.randint for integers, or cast the result."
        )
    return name


def normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw from a normal distribution.

    Args:
        shape: The shape of the result.
        mean: Its mean.
        stddev: Its standard deviation.
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` is not floating point.

    Example:
        >>> tf.keras.random.normal((2, 3), seed=1).shape
        TensorShape([2, 3])
    """
    dtype = _float("normal", dtype)
    return ops.stateless_normal(shape, draw_seed(seed), mean, stddev, dtype)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw from a normal distribution cut off at two standard deviations from its mean.

    Args:
        shape: The shape of the result.
        mean: The mean.
        stddev: The standard deviation before cutting.
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` is not floating point.

    Example:
        >>> x = tf.keras.random.truncated_normal((1000,), seed=1)
        >>> bool(tf.reduce_max(tf.abs(x)) <= 2.0)
        True
    """
    dtype = _float("truncated_normal", dtype)
    return ops.stateless_truncated_normal(shape, draw_seed(seed), mean, stddev, dtype)


def uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw from ``[minval, maxval)``, all values alike.

    Args:
        shape: The shape of the result.
        minval: The lower end.
        maxval: The upper end, not reached.
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` is not floating point.

    Example:
        >>> x = tf.keras.random.uniform((1000,), seed=1)
        >>> bool(tf.reduce_all(x < 1.0))
        True
    """
    dtype = _float("uniform", dtype)
    return ops.stateless_uniform(shape, draw_seed(seed), minval, maxval, dtype)


def randint(shape: Any, minval: int, maxval: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Draw integers from ``[minval, maxval)``, all alike.

    Args:
        shape: The shape of the result.
        minval: The least.
        maxval: One more than the greatest.
        dtype: An integer dtype.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype.

    Raises:
        ValueError: `dtype` is not an integer dtype.

    Example:
        >>> x = tf.keras.random.randint((1000,), 0, 3, seed=1)
        >>> sorted(set(x.numpy().tolist()))
        [0, 1, 2]
    """
    name = standardize_dtype(dtype)
    if not as_dtype(name).is_integer:
        raise ValueError(
            f"keras.random.randint: `dtype` must be an integer dtype; got {name}.\n"
            f"  Fix: use tf.keras.random.uniform for floats."
        )
    work = name if name in ("int32", "int64") else "int32"
    drawn = ops.stateless_uniform(shape, draw_seed(seed), minval, maxval, work)
    return ops.cast(drawn, name)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> Tensor:
    """Draw classes with the probabilities ``softmax(logits)``.

    Args:
        logits: Floating point, ``(B, C)``: B batch, C classes.
        num_samples: How many to draw for each row, S.
        dtype: The dtype of the result.
        seed: An int, a SeedGenerator or None.

    Returns:
        ``(B, S)``, classes in [0, C).

    Raises:
        ValueError: `logits` is not of rank 2.

    Example:
        >>> tf.keras.random.categorical(tf.constant([[0.0, 100.0]]), 3, seed=1).numpy()
        array([[1, 1, 1]], dtype=int32)
    """
    logits = ops.convert_to_tensor(logits)
    if logits.ndim != 2:
        raise ValueError(
            f"keras.random.categorical: `logits` must have the shape (batch, classes); got "
            f"{tuple(logits.shape)}.\n  Fix: reshape it, as in logits[None] for one row."
        )
    drawn = ops.stateless_categorical(logits, num_samples, draw_seed(seed))
    return ops.cast(drawn, standardize_dtype(dtype))


def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None
) -> Tensor:
    """Set a share of the values to 0, and scale the others up by ``1 / (1 - rate)``.

    Args:
        inputs: Floating point, any shape.
        rate: The share, in [0, 1].
        noise_shape: A shape that broadcasts to that of the inputs: what shares one draw has size
            1; None in it takes the size of the inputs. None draws for each value.
        seed: An int, a SeedGenerator or None.

    Returns:
        Shape and dtype of `inputs`.

    Example:
        >>> x = tf.keras.random.dropout(tf.ones((1000,)), 0.5, seed=1)
        >>> sorted(set(x.numpy().tolist()))
        [0.0, 2.0]

    Reference: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.
    """
    inputs = ops.convert_to_tensor(inputs)
    if isinstance(rate, int | float) and rate == 1:
        return ops.zeros_like(inputs)
    if noise_shape is None:
        shape: Any = ops.shape(inputs)
    else:
        sizes = ops.shape(inputs)
        shape = [sizes[i] if size is None else size for i, size in enumerate(noise_shape)]
    work = "float64" if inputs.dtype == "float64" else "float32"
    noise = ops.stateless_uniform(shape, draw_seed(seed), 0.0, 1.0, work)
    kept = ops.cast(ops.greater_equal(noise, rate), inputs.dtype)
    return inputs * kept * (1.0 / (1.0 - rate))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> Tensor:
    """Return the values in random order along an axis.

    Args:
        x: Any shape but a scalar.
        axis: The axis; slices across it stay together.
        seed: An int, a SeedGenerator or None.

    Returns:
        Shape and dtype of `x`.

    Example:
        >>> sorted(tf.keras.random.shuffle(tf.range(4), seed=1).numpy().tolist())
        [0, 1, 2, 3]
    """
    x = ops.convert_to_tensor(x)
    noise = ops.stateless_uniform([ops.shape(x)[axis]], draw_seed(seed), 0.0, 1.0, "float32")
    return ops.gather(x, ops.argsort(noise), axis=axis)


def gamma(shape: Any, alpha: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draw from a gamma distribution of rate 1.

    Args:
        shape: The shape of the result; `alpha` broadcasts to it.
        alpha: The shape parameter, positive.
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype.

    Example:
        >>> bool(tf.reduce_all(tf.keras.random.gamma((100,), 2.0, seed=1) > 0.0))
        True
    """
    dtype = _float("gamma", dtype)
    return ops.stateless_gamma(shape, draw_seed(seed), ops.cast(alpha, dtype), dtype=dtype)


def beta(shape: Any, alpha: Any, beta: Any, dtype: Any = None, seed: Any = None) -> Tensor:
    """Draw from a beta distribution.

    Args:
        shape: The shape of the result; `alpha` and `beta` broadcast to it.
        alpha: The first parameter, positive.
        beta: The second parameter, positive.
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype, values in [0, 1].

    Example:
        >>> x = tf.keras.random.beta((100,), 2.0, 3.0, seed=1)
        >>> bool(tf.reduce_all((x > 0.0) & (x < 1.0)))
        True
    """
    dtype = _float("beta", dtype)
    # A beta is the first of two gammas over their sum. The second seed follows from the first.
    first = ops.cast(draw_seed(seed), "int64")
    second = first + ops.constant([12, 0], "int64")
    one: Any = ops.stateless_gamma(shape, first, ops.cast(alpha, dtype), dtype=dtype)
    other: Any = ops.stateless_gamma(shape, second, ops.cast(beta, dtype), dtype=dtype)
    return one / (one + other)


def binomial(
    shape: Any, counts: Any, probabilities: Any, dtype: Any = None, seed: Any = None
) -> Tensor:
    """Draw how many of a number of trials succeed.

    Args:
        shape: The shape of the result; `counts` and `probabilities` broadcast to it.
        counts: The number of trials.
        probabilities: The chance of success of each, in [0, 1].
        dtype: A float dtype; None is floatx.
        seed: An int, a SeedGenerator or None.

    Returns:
        A Tensor of that shape and dtype, whole numbers in [0, counts].

    Example:
        >>> tf.keras.random.binomial((2,), 5.0, 1.0, seed=1).numpy()
        array([5., 5.], dtype=float32)
    """
    dtype = _float("binomial", dtype)
    counts, chances = ops.cast(counts, dtype), ops.cast(probabilities, dtype)
    return stateless_binomial(shape, draw_seed(seed), counts, chances, dtype)
