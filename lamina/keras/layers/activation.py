"""Activation layers, with and without weights."""

from collections.abc import Sequence

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import Layer, checks
from lamina.keras.spelling import note_older

__all__ = [
    "ELU",
    "Activation",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Softmax",
    "ThresholdedReLU",
]


class Activation(Layer):
    """Apply a function to each element.

    Args:
        activation: A function or its name.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        What the function returns. The mask passes through.

    Raises:
        ValueError: an unknown name.

    Example:
        >>> tf.keras.layers.Activation("relu")(tf.constant([-1.0, 2.0])).numpy()
        array([0., 2.], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, activation: activations.Like, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape  # as Keras, also for glu, which halves an axis


def _non_negative(layer: Layer, argument: str, value: float | None) -> float:
    if value is None or value < 0:
        raise ValueError(
            f"{checks.label(layer)}: `{argument}` must be a number of at least 0; got {value!r}."
        )
    return value


class ReLU(Layer):
    """Return ``max(x, 0)``, with a slope, a ceiling and a threshold if they are given.

    Args:
        max_value: The greatest output, or None.
        negative_slope: The slope below the threshold.
        threshold: Inputs up to here count as negative: ``negative_slope * (x - threshold)``.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Raises:
        ValueError: an argument is negative.

    Example:
        >>> layer = tf.keras.layers.ReLU(max_value=6, negative_slope=0.5)
        >>> layer(tf.constant([-2.0, 3.0, 9.0])).numpy()
        array([-1.,  3.,  6.], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _non_negative(self, "max_value", max_value)
        self.negative_slope = _non_negative(self, "negative_slope", negative_slope)
        self.threshold = _non_negative(self, "threshold", threshold)

    def call(self, inputs: Tensor) -> Tensor:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """Return x where positive, ``negative_slope * x`` elsewhere.

    Args:
        negative_slope: The slope of the negative side; ``alpha``, its older name, is taken too.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Raises:
        ValueError: `negative_slope` is negative.

    Example:
        >>> tf.keras.layers.LeakyReLU(0.5)(tf.constant([-2.0, 3.0])).numpy()
        array([-1.,  3.], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs):
        if "alpha" in kwargs:
            note_older("tf.keras.layers.LeakyReLU(alpha=)", "negative_slope=")
            negative_slope = kwargs.pop("alpha")
        super().__init__(**kwargs)
        self.negative_slope = _non_negative(self, "negative_slope", negative_slope)

    def call(self, inputs: Tensor) -> Tensor:
        return activations.leaky_relu(inputs, self.negative_slope)


class ELU(Layer):
    """Return x where positive, ``alpha * (exp(x) - 1)`` elsewhere.

    Args:
        alpha: Minus the limit of the negative side.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Example:
        >>> tf.keras.layers.ELU()(tf.constant([-1.0, 2.0])).numpy().round(2)
        array([-0.63,  2.  ], dtype=float32)

    Reference: Clevert et al. 2015, https://arxiv.org/abs/1511.07289, eq. 15.
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Tensor) -> Tensor:
        return activations.elu(inputs, self.alpha)


class PReLU(Layer):
    """Learn the slope of the negative side: ``max(x, 0) + alpha * min(x, 0)``.

    Args:
        alpha_initializer: Start value of the slopes.
        alpha_regularizer: Penalty on the slopes, or None.
        alpha_constraint: Projection applied to the slopes after each update, or None.
        shared_axes: Axes (batch is 0) along which one slope is shared; ``(1, 2)`` gives an
            NHWC image one slope per channel. None shares nothing.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, d1, …, dn)``; only B and shared axes may be unknown.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Weights:
        alpha: ``(d1, …, dn)`` with 1 at each shared axis.

    Raises:
        ValueError: a shared axis is outside ``[1, n]``, or an unshared axis is unknown.

    Example:
        >>> tf.keras.layers.PReLU("ones")(tf.constant([[-2.0, 3.0]])).numpy()
        array([[-2.,  3.]], dtype=float32)

    Reference: He et al. 2015, https://arxiv.org/abs/1502.01852, eq. 1.
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer: initializers.Like = "Zeros",
        alpha_regularizer: regularizers.Like | None = None,
        alpha_constraint: constraints.Like | None = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = (
            None if shared_axes is None else checks.int_tuple(self, "shared_axes", shared_axes)
        )

    def build(self, input_shape: Shape):
        shared = self.shared_axes or ()
        checks.axes_in_range(self, "shared_axes", shared, 1, len(input_shape) - 1)
        slopes = [1 if i in shared else size for i, size in enumerate(input_shape)]
        self.alpha = self.add_weight(
            name="alpha",
            shape=checks.known_shape(self, slopes[1:]),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


class Softmax(Layer):
    """Return ``exp(x)`` divided by its sum along an axis.

    Args:
        axis: The axis, or several that are normalised together.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.
        mask: bool, broadcasts to `inputs`, or the shape of `inputs` without its last axes;
            where False the output is 0. None lets all take part.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Raises:
        TypeError: `axis` is neither an int nor several.

    Example:
        >>> tf.keras.layers.Softmax()(tf.zeros((1, 4))).numpy()
        array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        for axis in checks.int_tuple(self, "axis", self.axis):
            checks.axis_in_range(self, "axis", axis, inputs.ndim)
        if mask is None:
            return activations.softmax(inputs, self.axis)
        kept = ops.cast(mask, inputs.dtype)
        while 0 < kept.ndim < inputs.ndim and kept.shape[0] == inputs.shape[0]:
            kept = ops.expand_dims(kept, -1)
        sizes = zip(reversed(tuple(kept.shape)), reversed(tuple(inputs.shape)), strict=False)
        if kept.ndim > inputs.ndim or any(
            m not in (1, None, n) and n is not None for m, n in sizes
        ):
            raise ValueError(
                f"{checks.label(self)}: `mask` must broadcast to the inputs, of shape "
                f"{inputs.shape}; got shape {kept.shape}."
            )
        # Far below all others, and still finite in half precision.
        low = -3e4 if inputs.dtype.name == "float16" else -1e9
        return activations.softmax(inputs + (1.0 - kept) * low, self.axis) * kept


class ThresholdedReLU(Layer):
    """Return x where it is greater than ``theta``, 0 elsewhere.

    Args:
        theta: The threshold, at least 0.
        **kwargs: See `Layer`.

    Call:
        inputs: float, any shape.

    Returns:
        Shape and dtype of `inputs`. The mask passes through.

    Raises:
        ValueError: `theta` is negative.

    Example:
        >>> tf.keras.layers.ThresholdedReLU()(tf.constant([0.5, 2.0])).numpy()
        array([0., 2.], dtype=float32)

    Reference: Konda et al. 2014, https://arxiv.org/abs/1402.3337.
    """

    supports_masking = True

    def __init__(self, theta: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.theta = _non_negative(self, "theta", theta)

    def call(self, inputs: Tensor) -> Tensor:
        return inputs * ops.cast(ops.greater(inputs, self.theta), inputs.dtype)
