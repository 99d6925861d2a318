"""Layers that make training harder: noise, dropout, penalties on the activity."""

import math
from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorShape
from lamina.keras import policy, random, regularizers
from lamina.keras.core import InputSpec, Layer, checks

__all__ = [
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class Dropout(Layer):
    """Set a share of the inputs to 0 while training, and scale the others by ``1 / (1 - rate)``.

    Args:
        rate: The share that is dropped, in [0, 1].
        noise_shape: A shape that broadcasts to the inputs': what has size 1 is dropped or kept
            as one. None in it takes the inputs' size.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.
        training: Whether to drop; without training the inputs are returned as they are.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `rate` or `seed` is wrong.

    Example:
        >>> layer = tf.keras.layers.Dropout(0.5, seed=1)
        >>> sorted(set(layer(tf.ones(100), training=True).numpy().tolist()))
        [0.0, 2.0]
        >>> layer(tf.ones(2)).numpy()
        array([1., 1.], dtype=float32)

    Reference: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html.
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = checks.fraction(self, "rate", rate)
        self.noise_shape = _sizes(self, noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return ops.zeros_like(inputs)
        return ops.stateless_dropout(
            inputs,
            self.rate,
            self.seed_generator.next(),
            noise_shape=self._noise_shape_for(inputs),
        )

    def _noise_shape_for(self, inputs: Tensor) -> Sequence[int | None] | None:
        return _fitting(self, self.noise_shape, inputs)


def _sizes(layer: Layer, noise_shape: Any) -> tuple[Any, ...] | None:
    """Return `noise_shape` as a tuple of positive sizes, None where the input's holds."""
    if noise_shape is None:
        return None
    given = noise_shape if isinstance(noise_shape, Sequence | TensorShape) else ("",)
    if not all(size is None or isinstance(size, Tensor) or _is_size(size) for size in given):
        raise ValueError(
            f"{checks.label(layer)}: `noise_shape` must be a sequence of sizes; got "
            f"{noise_shape!r}.\n"
            f"  Fix: positive integers or None: (None, 1, None) drops whole steps of sequences."
        )
    return tuple(given)


def _is_size(value: Any) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool) and value > 0


def _fitting(
    layer: Layer, noise_shape: Sequence[int | None] | None, inputs: Tensor
) -> Sequence[int | None] | None:
    """Return `noise_shape` if it has an entry for each axis of the inputs."""
    if noise_shape is not None and len(noise_shape) != inputs.ndim:
        raise ValueError(
            f"{checks.label(layer)}: `noise_shape` must have one entry for each of the input's "
            f"{inputs.ndim} axes; got {noise_shape} for shape {inputs.shape}.\n"
            f"  Fix: use 1 where one decision holds for a whole axis, None for the input's size."
        )
    return noise_shape


class SpatialDropout(Dropout):
    """Drop whole channels while training: neighbours in space are too alike to drop alone."""

    rank = 0
    _config_omit = ("dtype", "name")

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype=None,
        **kwargs,
    ):
        super().__init__(rate, seed=seed, name=name, dtype=dtype, **kwargs)
        self.data_format = policy.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _noise_shape_for(self, inputs: Tensor) -> Sequence[int | None] | None:
        ones = [1] * self.rank
        return (None, *ones, None) if self.data_format == "channels_last" else (None, None, *ones)

    def _config_head(self) -> dict[str, Any]:
        # As Keras, without `trainable`, and a plain dtype by its name.
        mixed = self.compute_dtype != self.variable_dtype
        return {"name": self.name, "dtype": self._config_dtype() if mixed else self.dtype}


class SpatialDropout1D(SpatialDropout):
    """Drop whole channels of sequences while training; see `SpatialDropout2D`.

    Args:
        rate: The share of channels that is dropped, in [0, 1].
        seed: An int for the same draws in each run, or None.
        name: The layer's name.
        dtype: The dtype or policy.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, T, C)``.
        training: Whether to drop.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `rate` or `seed` is wrong, or the input has another rank.

    Example:
        >>> y = tf.keras.layers.SpatialDropout1D(0.5)(tf.ones((2, 3, 4)), training=True)
        >>> bool(tf.reduce_all(y[:, 0] == y[:, 1]))
        True

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280, section 3.2.
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: int | None = None,
        name: str | None = None,
        dtype=None,
        **kwargs,
    ):
        super().__init__(rate, "channels_last", seed, name, dtype, **kwargs)


class SpatialDropout2D(SpatialDropout):
    """Drop whole channels of images while training.

    Args:
        rate: The share of channels that is dropped, in [0, 1].
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        seed: An int for the same draws in each run, or None.
        name: The layer's name.
        dtype: The dtype or policy.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, H, W, C)``, or ``(B, C, H, W)``.
        training: Whether to drop.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `rate` or `seed` is wrong, or the input has another rank.

    Example:
        >>> y = tf.keras.layers.SpatialDropout2D(0.5)(tf.ones((2, 3, 3, 8)), training=True)
        >>> bool(tf.reduce_all(y[:, 0, 0] == y[:, 2, 1]))
        True

    Reference: Tompson et al. 2014, https://arxiv.org/abs/1411.4280, section 3.2.
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Drop whole channels of volumes while training; arguments as in `SpatialDropout2D`.

    Call:
        inputs: float, ``(B, D, H, W, C)``, or ``(B, C, D, H, W)``.
        training: Whether to drop.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Example:
        >>> y = tf.keras.layers.SpatialDropout3D(0.5)(tf.ones((2, 3, 3, 3, 8)), training=True)
        >>> bool(tf.reduce_all(y[:, 0, 0, 0] == y[:, 2, 1, 0]))
        True
    """

    rank = 3


class GaussianDropout(Layer):
    """Multiply by noise around 1 while training, of variance ``rate / (1 - rate)``.

    Args:
        rate: The share that a dropout of the same variance drops, in [0, 1).
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.
        training: Whether to multiply.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `rate` or `seed` is wrong.

    Example:
        >>> layer = tf.keras.layers.GaussianDropout(0.5, seed=1)
        >>> float(tf.math.reduce_std(layer(tf.ones(10000), training=True)).numpy().round(1))
        1.0

    Reference: Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html, section 10.
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, rate: float, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.rate = checks.fraction(self, "rate", rate, below_one=True)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        deviation = math.sqrt(self.rate / (1 - self.rate))
        return inputs * _normal_like(inputs, 1.0, deviation, self.seed_generator)


class GaussianNoise(Layer):
    """Add noise of mean 0 while training.

    Args:
        stddev: The noise's standard deviation, in [0, 1].
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.
        training: Whether to add noise.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `stddev` or `seed` is wrong.

    Example:
        >>> layer = tf.keras.layers.GaussianNoise(0.5, seed=1)
        >>> float(tf.math.reduce_std(layer(tf.zeros(10000), training=True)).numpy().round(1))
        0.5
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, stddev: float, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = checks.fraction(self, "stddev", stddev)
        self.seed = seed
        if stddev > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.stddev == 0:
            return inputs
        return inputs + _normal_like(inputs, 0.0, self.stddev, self.seed_generator)


def _normal_like(x: Tensor, mean: float, stddev: float, seeds: random.SeedGenerator) -> Tensor:
    return random.normal(ops.shape(x), mean, stddev, x.dtype, seeds)


class AlphaDropout(Layer):
    """Set a share of the inputs to SELU's least value while training; mean and variance stay.

    Args:
        rate: The share that is dropped, in [0, 1].
        noise_shape: A shape that broadcasts to the inputs': what has size 1 is dropped or kept
            as one. None in it takes the inputs' size.
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape, of mean 0 and variance 1.
        training: Whether to drop.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    State:
        seed_generator: moves on by one draw at each call with training.

    Raises:
        ValueError: `rate` or `seed` is wrong.

    Example:
        >>> layer = tf.keras.layers.AlphaDropout(0.5, seed=1)
        >>> len(set(layer(tf.zeros(100), training=True).numpy().tolist()))
        2

    Reference: Klambauer et al. 2017, https://arxiv.org/abs/1706.02515, section "New dropout".
    """

    _lm_needs_no_build = True
    supports_masking = True
    _config_omit = ("noise_shape",)

    def __init__(
        self,
        rate: float,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.rate = checks.fraction(self, "rate", rate)
        self.noise_shape = _sizes(self, noise_shape)
        self.seed = seed
        if rate > 0:
            self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return inputs
        least = -1.6732632423543772 * 1.0507009873554805  # SELU's limit at minus infinity
        # y = a * kept + b, with a and b such that mean 0 and variance 1 stay (the paper's names).
        a = ((1 - self.rate) * (1 + self.rate * least**2)) ** -0.5 if self.rate < 1 else 0.0
        b = -a * least * self.rate
        sizes = ops.shape(inputs) if self.noise_shape is None else self._sizes(inputs)
        noise = random.uniform(sizes, seed=self.seed_generator)
        kept = ops.cast(ops.greater_equal(noise, self.rate), inputs.dtype)
        return a * (inputs * kept + least * (1 - kept)) + b

    def _sizes(self, inputs: Tensor) -> list[int | Tensor]:
        known = ops.shape(inputs)
        noise_shape: Any = _fitting(self, self.noise_shape, inputs)
        return [known[i] if size is None else size for i, size in enumerate(noise_shape)]


class ActivityRegularization(Layer):
    """Return the inputs, and add a penalty on them to the loss: the mean over the batch.

    Args:
        l1: Factor of each example's sum of absolute values.
        l2: Factor of each example's sum of squares.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        `inputs`. The mask passes through.

    Example:
        >>> layer = tf.keras.layers.ActivityRegularization(l2=0.5)
        >>> y = layer(tf.constant([[1.0, 2.0], [0.0, 0.0]]))
        >>> float(layer.losses[0])
        1.25
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs: Tensor) -> Tensor:
        return inputs
