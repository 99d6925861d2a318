"""Initializers that draw random values."""

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import as_dtype, static_ints
from lamina.keras.initializers import host
from lamina.keras.initializers.base import Initializer
from lamina.keras.policy import standardize_dtype

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "truncated_normal",
    "variance_scaling",
]

# The standard deviation of a standard normal cut off at ±2.
_TRUNCATED_STDDEV = 0.87962566103423978


class RandomInitializer(Initializer):
    """The base of the initializers that draw: it holds the seed.

    One object draws the same values each time it is called, as in Keras: two weights of one shape
    need two objects, or a SeedGenerator. Without a seed, one is drawn from Python's `random`, which
    `tf.keras.utils.set_random_seed` seeds; the config shows None then.

    Args:
        seed: An int, a `tf.keras.random.SeedGenerator`, whose state moves on with each call, or
            None.

    Attributes:
        seed: The seed that is used.

    Raises:
        ValueError: `seed` is something else.
    """

    _config_as_given = ("seed",)

    def __init__(self, seed: Any = None):
        if seed is None:
            seed = random.randint(1, 10**9)
        elif not isinstance(seed, int | np.integer) and not hasattr(seed, "next"):
            raise ValueError(
                f"{type(self).__name__}: `seed` must be an int, a tf.keras.random.SeedGenerator "
                f"or None; got {seed!r} of type {type(seed).__name__}.\n"
                f"  Fix: pass an int such as 42."
            )
        self.seed: Any = seed

    def _draw(self, kind: str, shape: Any, first: Any, second: Any, dtype: Any) -> Any:
        """Return random values: "normal", "truncated_normal" or "uniform", by two parameters."""
        shape = static_ints(shape, "shape")
        dtype = standardize_dtype(dtype)
        if kind != "uniform" and not as_dtype(dtype).is_floating:
            raise ValueError(
                f"{type(self).__name__}: `dtype` must be floating point; got {dtype}.\n"
                f"  Fix: use RandomUniform for integers, or a float dtype."
            )
        if host.can_draw(self.seed, shape, first, second, dtype):
            return host.draw(kind, self.seed, shape, first, second, dtype)
        return getattr(ops, f"stateless_{kind}")(shape, self._next_seed(), first, second, dtype)

    def _next_seed(self) -> Any:
        """Return the seed of one draw, of shape ``(2,)``."""
        return self.seed.next() if hasattr(self.seed, "next") else [int(self.seed), 0]


class RandomNormal(RandomInitializer):
    """Draw from a normal distribution.

    Args:
        mean: Its mean.
        stddev: Its standard deviation.
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.

    Example:
        >>> tf.keras.initializers.RandomNormal(stddev=0.02, seed=1)((2, 3)).shape
        TensorShape([2, 3])
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self._draw("normal", shape, self.mean, self.stddev, dtype)


class TruncatedNormal(RandomInitializer):
    """Draw from a normal distribution cut off at two standard deviations from its mean.

    Args:
        mean: The mean.
        stddev: The standard deviation before cutting.
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.

    Example:
        >>> values = tf.keras.initializers.TruncatedNormal(stddev=1.0, seed=1)((1000,))
        >>> bool(tf.reduce_max(tf.abs(values)) <= 2.0)
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self._draw("truncated_normal", shape, self.mean, self.stddev, dtype)


class RandomUniform(RandomInitializer):
    """Draw from ``[minval, maxval)``, all values alike.

    Args:
        minval: The lower end.
        maxval: The upper end, not reached.
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.

    Example:
        >>> values = tf.keras.initializers.RandomUniform(0, 10, seed=1)((100,), dtype="int32")
        >>> int(tf.reduce_max(values)) < 10
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return self._draw("uniform", shape, self.minval, self.maxval, dtype)


class VarianceScaling(RandomInitializer):
    """Draw with the variance ``scale / n``, where n follows from the shape of the weight.

    Args:
        scale: Positive.
        mode: "fan_in": n is the number of inputs of a unit; "fan_out": that of outputs;
            "fan_avg": the mean of both.
        distribution: "truncated_normal", "untruncated_normal" or "uniform".
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: Axes of the weight that hold inputs; None takes all but the last.
        output_axes: Axes that hold outputs; None takes the last, and the axes of a convolution's
            window. Both must be given, or neither counts.

    Raises:
        ValueError: `scale` is not positive, `mode` or `distribution` is unknown.

    Example:
        >>> initializer = tf.keras.initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1)
        >>> bool(tf.reduce_max(tf.abs(initializer((100, 6)))) <= 1.0)
        True

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852, section 2.2.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(seed)
        who = type(self).__name__
        if not scale > 0:
            raise ValueError(
                f"{who}: `scale` must be positive; got {scale!r}.\n"
                f"  Fix: pass 2.0 for ReLU layers, 1.0 for others."
            )
        _one_of(who, "mode", mode, ("fan_in", "fan_out", "fan_avg"))
        if distribution == "normal":  # Keras' older name
            distribution = "truncated_normal"
        kinds = ("truncated_normal", "untruncated_normal", "uniform")
        _one_of(who, "distribution", distribution, kinds)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = static_ints(shape, "shape")
        fan_in, fan_out = self._fans(shape)
        size = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
        variance = self.scale / max(1.0, size[self.mode])
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return self._draw("uniform", shape, -limit, limit, dtype)
        if self.distribution == "untruncated_normal":
            return self._draw("normal", shape, 0.0, math.sqrt(variance), dtype)
        stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
        return self._draw("truncated_normal", shape, 0.0, stddev, dtype)

    def _fans(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Return how many inputs and outputs one unit has."""
        if self.input_axes is not None and self.output_axes is not None:
            return (
                math.prod(shape[axis] for axis in self.input_axes),
                math.prod(shape[axis] for axis in self.output_axes),
            )
        if len(shape) < 2:
            size = math.prod(shape)
            return size, size
        window = math.prod(shape[:-2])
        return window * shape[-2], window * shape[-1]


def _one_of(who: str, argument: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise ValueError(
            f"{who}: `{argument}` must be one of {listed}; got {value!r}.\n"
            f"  Fix: pass one of these names."
        )


class _NamedScaling(VarianceScaling):
    """VarianceScaling with everything but the seed and the axes fixed."""

    scaling: tuple[float, str, str]

    def __init__(
        self,
        seed: Any = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(*self.scaling, seed, input_axes, output_axes)


class GlorotUniform(_NamedScaling):
    """Draw from ``[-a, a)``, ``a = sqrt(6 / (fan_in + fan_out))``: the default of most layers.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.GlorotUniform(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, eq. 16.
    """

    scaling = (1.0, "fan_avg", "uniform")


class GlorotNormal(_NamedScaling):
    """Draw from a truncated normal of variance ``2 / (fan_in + fan_out)``.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.GlorotNormal(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: Glorot and Bengio 2010, https://proceedings.mlr.press/v9/glorot10a.html, eq. 12.
    """

    scaling = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_NamedScaling):
    """Draw from ``[-a, a)``, ``a = sqrt(6 / fan_in)``: for layers with ReLU.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.HeUniform(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852, eq. 10.
    """

    scaling = (2.0, "fan_in", "uniform")


class HeNormal(_NamedScaling):
    """Draw from a truncated normal of variance ``2 / fan_in``: for layers with ReLU.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.HeNormal(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852, eq. 10.
    """

    scaling = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_NamedScaling):
    """Draw from ``[-a, a)``, ``a = sqrt(3 / fan_in)``.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.LecunUniform(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, section 3.
    """

    scaling = (1.0, "fan_in", "uniform")


class LecunNormal(_NamedScaling):
    """Draw from a truncated normal of variance ``1 / fan_in``: for layers with SELU.

    Args:
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.
        input_axes: See `VarianceScaling`.
        output_axes: See `VarianceScaling`.

    Example:
        >>> tf.keras.initializers.LecunNormal(seed=1)((4, 2)).shape
        TensorShape([4, 2])

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, section 3.
    """

    scaling = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """Draw a matrix with orthonormal columns, or rows if it has fewer of them.

    Axes before the last are flattened into rows. The matrix is the Q of a normal one, with the
    signs that make it uniform over all orthogonal matrices.

    Args:
        gain: What the matrix is multiplied by.
        seed: See `RandomInitializer`: an int, a SeedGenerator or None.

    Raises:
        ValueError: the shape asked for has less than two axes.

    Example:
        >>> q = tf.keras.initializers.Orthogonal(seed=1)((3, 2))
        >>> np.round(tf.transpose(q) @ q, 4) + 0.0
        array([[1., 0.],
               [0., 1.]], dtype=float32)

    Reference: Saxe et al. 2014, https://arxiv.org/abs/1312.6120.
    """

    def __init__(self, gain: float = 1.0, seed: Any = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = static_ints(shape, "shape")
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal: `shape` must have at least two axes; got {shape}.\n"
                f"  Fix: use another initializer for vectors, such as 'zeros'."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        dtype = standardize_dtype(dtype)
        tall = (max(rows, columns), min(rows, columns))
        if host.can_draw(self.seed, tall, 0.0, self.gain, dtype):
            q = host.orthogonal(self.seed, tall, dtype)
            q = q.T if rows < columns else q
            return host.tensor(self.gain * q.reshape(shape), dtype)
        work = "float64" if dtype == "float64" else "float32"  # there is no half-precision QR
        q, r = ops.qr(ops.stateless_normal(tall, self._next_seed(), 0.0, 1.0, work))
        q = q * ops.sign(ops.diag_part(r))
        q = ops.transpose(q) if rows < columns else q
        return ops.cast(self.gain * ops.reshape(q, shape), dtype)


random_normal = RandomNormal
random_uniform = RandomUniform
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
orthogonal = OrthogonalInitializer = Orthogonal
