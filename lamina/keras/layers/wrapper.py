"""Wrapper: a layer around another; and SpectralNormalization, which bounds its weights."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import initializers, policy
from lamina.keras.core import InputSpec, Layer, checks

__all__ = ["SpectralNormalization", "Wrapper"]


class Wrapper(Layer):
    """A layer around another, which it builds: subclass it and write `call`.

    Args:
        layer: The layer inside.
        **kwargs: See `Layer`.

    Raises:
        ValueError: `layer` is no layer.

    Example:
        >>> class Twice(tf.keras.layers.Wrapper):
        ...     def call(self, inputs):
        ...         return self.layer(self.layer(inputs))
        >>> Twice(tf.keras.layers.Dense(3))(tf.ones((2, 3))).shape
        TensorShape([2, 3])
    """

    def __init__(self, layer: Any, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(
                f"{checks.label(self)}: `layer` must be a layer; got {layer!r} "
                f"({type(layer).__name__}).\n  Fix: {type(self).__name__}(Dense(32))."
            )
        self.layer = layer

    def build(self, input_shape: Any = None):
        if not self.layer.built:
            self.layer.build(input_shape)


class SpectralNormalization(Wrapper):
    """Divide a layer's kernel by its largest singular value, in each training step.

    The value is estimated by power iteration: with W the kernel as a matrix ``(n, F)``,
    ``v = unit(u Wᵀ)``, ``u' = unit(v W)``, ``W' = W / (v W u'ᵀ)``.

    Args:
        layer: A layer with a `kernel`, or with `embeddings`.
        power_iterations: How often u is improved in each step.
        **kwargs: See `Layer`.

    Call:
        inputs: What the layer takes.
        training: Whether to normalise; otherwise the layer is called as it is.

    Returns:
        What the layer gives, in the dtype of `inputs`.
    Weights:
        vector_u: ``(1, F)``, not trained; F is the last size of the kernel.
    State:
        Training assigns u and the layer's kernel. A kernel of zeros stays.

    Raises:
        ValueError: `power_iterations` is not positive, or the layer has no kernel.

    Example:
        >>> dense = tf.keras.layers.Dense(2, kernel_initializer="ones", use_bias=False)
        >>> layer = tf.keras.layers.SpectralNormalization(dense)
        >>> layer(tf.ones((1, 2)), training=True).numpy().round(3)
        array([[1., 1.]], dtype=float32)

    Reference: Miyato et al. 2018, https://arxiv.org/abs/1802.05957, algorithm 1.
    """

    def __init__(self, layer: Any, power_iterations: int = 1, **kwargs: Any):
        super().__init__(layer, **kwargs)
        self.power_iterations = checks.positive_int(self, "power_iterations", power_iterations)

    def build(self, input_shape: Any = None):
        super().build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        names = [name for name in ("kernel", "embeddings") if hasattr(self.layer, name)]
        if not names:
            raise ValueError(
                f"{checks.label(self)}: `layer` must have a `kernel` or `embeddings`; "
                f"{checks.label(self.layer)} has neither.\n"
                f"  Fix: wrap a Dense, convolution or Embedding layer."
            )
        self.kernel = getattr(self.layer, names[0])
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if training:
            vector_u, kernel = self.normalized_weights()
            self.vector_u.assign(vector_u)
            self.kernel.assign(kernel)
        return ops.cast(self.layer(inputs), inputs.dtype)

    def normalized_weights(self) -> tuple[Tensor, Tensor]:
        """Return the next u and the kernel divided by the largest singular value."""
        kernel, u = self.kernel.value, self.vector_u.value
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        v = u
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, matrix, transpose_b=True))
            u = _unit(ops.matmul(v, matrix))
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        largest = ops.reshape(ops.matmul(ops.matmul(v, matrix), u, transpose_b=True), ())
        empty = ops.reduce_all(ops.equal(kernel, 0))
        u = ops.where(empty, self.vector_u.value, u)
        divisor = ops.where(empty, ops.ones_like(largest), largest)
        return ops.cast(u, self.vector_u.dtype), kernel / divisor


def _unit(x: Tensor) -> Tensor:
    """Return x with the norm 1; Keras bounds the factor, for a vector near 0."""
    return x * ops.minimum(ops.rsqrt(ops.reduce_sum(ops.square(x))), 1 / policy.epsilon())
