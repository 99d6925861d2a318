"""Layers that look up vectors for integers."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, as_dtype
from lamina.keras import constraints, initializers, regularizers
from lamina.keras.core import Adaptable, AdaptedWeight, checks
from lamina.keras.core.quantizing import dequantized, dequantized_rows, quantized_inputs
from lamina.keras.quantizers import settings
from lamina.ops.sparse.calculating import dense_of

__all__ = ["Embedding", "ReversibleEmbedding"]


class Embedding(Adaptable):
    """Return a learned vector for each integer.

    Args:
        input_dim: The number of vectors, V: one more than the greatest integer.
        output_dim: The size of each vector, D.
        embeddings_initializer: Start value of the vectors.
        embeddings_regularizer: Penalty on the vectors, or None.
        embeddings_constraint: Projection applied to the vectors after each update, or None.
        mask_zero: Whether 0 is padding, that later layers are to skip.
        weights: The vectors to start with, as an array or a list with one array; or None.
        lora_rank: r: freeze the vectors, and train a product of rank r that is added to them;
            None trains the vectors. See `enable_lora`.
        lora_alpha: α: the product counts with ``α / r``; None is r.
        quantization_config: How `quantize`, or a quantized dtype policy, is to round; None is the
            default of its mode.
        activity_regularizer: Penalty on the output, or None.
        **kwargs: See `Layer`; ``input_length`` is accepted, and not needed.

    Call:
        inputs: integers in [0, V), any shape ``(B, …)``; floats are cut off to integers. Sparse
            ones count as 0 where they have none.

    Returns:
        ``(B, …, D)``, in the layer's compute dtype.

    Weights:
        embeddings: ``(V, D)``.
        lora_embeddings_a, lora_embeddings_b: ``(V, r)`` and ``(r, D)``, with `lora_rank`.

    Raises:
        ValueError: `input_dim` or `output_dim` is not positive.

    Masking:
        With `mask_zero`, the mask of the output is ``inputs != 0``.

    Example:
        >>> layer = tf.keras.layers.Embedding(3, 2, weights=[np.eye(3, 2)])
        >>> layer(tf.constant([1, 2])).numpy()
        array([[0., 1.],
               [0., 0.]], dtype=float32)
    """

    embeddings = AdaptedWeight("embeddings")
    _lm_adapted = "embeddings"
    _config_omit = ("weights", "lora_rank", "lora_alpha")

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: initializers.Like = "uniform",
        embeddings_regularizer: regularizers.Like | None = None,
        embeddings_constraint: constraints.Like | None = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        *,
        activity_regularizer: regularizers.Like | None = None,
        **kwargs,
    ):
        # Inputs are indices: cast to a short float, large ones would change.
        kwargs.setdefault("autocast", False)
        super().__init__(lora_rank, lora_alpha, activity_regularizer=activity_regularizer, **kwargs)
        self.quantization_config = settings.checked(checks.label(self), quantization_config)
        self.input_dim = checks.positive_int(self, "input_dim", input_dim)
        self.output_dim = checks.positive_int(self, "output_dim", output_dim)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self._start_with(weights)

    def _start_with(self, weights: Any) -> None:
        if weights is not None:
            self.build()
            self.built = True
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None):
        if self.built:
            return
        self._add_tables()
        self.start_lora()

    def _add_tables(self):
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Tensor) -> Tensor:
        inputs = dense_of(inputs)
        if not inputs.dtype.is_integer:
            inputs = checks.real(self, inputs, "int32")
        # Read uncast: only the rows that are looked up are brought to the compute dtype.
        table = self.embeddings if self.lora_enabled else self.embeddings._read()
        rows = ops.gather(table, inputs)
        return ops.cast(rows, self.compute_dtype)

    def _quantized_weights(self) -> dict[str, tuple[int, ...]]:
        return {"embeddings": (-1,)}

    def _quantized_call(self, inputs: Tensor) -> Tensor:
        inputs = dense_of(inputs)
        if not inputs.dtype.is_integer:
            inputs = ops.cast(inputs, "int32")
        rows = ops.cast(dequantized_rows(self, inputs), self.compute_dtype)
        return self._with_adapter(rows, lambda table: ops.gather(table, inputs))

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        return ops.not_equal(dense_of(inputs), 0) if self.mask_zero else None

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the layer was built for; it can be built without any."""
        return super().get_build_config() or ({"input_shape": None} if self.built else None)


class ReversibleEmbedding(Embedding):
    """Return a vector for each integer, or in reverse a score of each integer for vectors.

    Args:
        input_dim: The number of vectors, V: one more than the greatest integer.
        output_dim: The size of each vector, D.
        tie_weights: Whether the reverse uses the same vectors, or a matrix of its own.
        embeddings_initializer: Start value of the vectors.
        embeddings_regularizer: Penalty on the vectors, or None.
        embeddings_constraint: Projection applied to the vectors after each update, or None.
        mask_zero: Whether 0 is padding, that later layers are to skip.
        reverse_dtype: The dtype of the reverse's computation; None is the compute dtype.
        logit_soft_cap: Bound c of the scores: ``c * tanh(scores / c)``; None has none.
        weights: As in `Embedding`.
        activity_regularizer: Penalty on the output, or None.
        quantization_config: How `quantize`, or a quantized dtype policy, is to round; None is the
            default of its mode.
        **kwargs: See `Embedding`.

    Call:
        inputs: integers, ``(B, …)``; in reverse float, ``(B, …, D)``.
        reverse: Whether to return scores.

    Returns:
        ``(B, …, D)``; in reverse ``(B, …, V)``.

    Weights:
        embeddings: ``(V, D)``.
        reverse_embeddings: ``(D, V)``, unless `tie_weights`.

    Raises:
        ValueError: `input_dim` or `output_dim` is not positive.

    Masking:
        As `Embedding`.

    Example:
        >>> layer = tf.keras.layers.ReversibleEmbedding(5, 2)
        >>> layer(layer(tf.constant([[1, 2, 3]])), reverse=True).shape
        TensorShape([1, 3, 5])

    Reference: Press and Wolf 2016, https://arxiv.org/abs/1608.05859.
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        tie_weights: bool = True,
        embeddings_initializer: initializers.Like = "uniform",
        embeddings_regularizer: regularizers.Like | None = None,
        embeddings_constraint: constraints.Like | None = None,
        mask_zero: bool = False,
        reverse_dtype: Any = None,
        logit_soft_cap: float | None = None,
        *,
        weights: Any = None,
        activity_regularizer: regularizers.Like | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            activity_regularizer=activity_regularizer,
            quantization_config=quantization_config,
            **kwargs,
        )
        self.tie_weights = tie_weights
        self.reverse_dtype = None if reverse_dtype is None else as_dtype(reverse_dtype).name
        self.logit_soft_cap = logit_soft_cap
        self._start_with(weights)

    def _add_tables(self):
        super()._add_tables()
        if not self.tie_weights:
            self.reverse_embeddings = self.add_weight(
                name="reverse_embeddings",
                shape=(self.output_dim, self.input_dim),
                initializer=self.embeddings_initializer,
                regularizer=self.embeddings_regularizer,
                constraint=self.embeddings_constraint,
            )

    def call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            y = super().call(inputs)
            y._keras_mask = super().compute_mask(inputs)
            return y
        table = self.embeddings if self.tie_weights else self.reverse_embeddings
        return self._scores(checks.real(self, inputs, self._reverse_dtype), table)

    @property
    def _reverse_dtype(self) -> str:
        return self.reverse_dtype or self.compute_dtype

    def _scores(self, x: Tensor, table: Any) -> Tensor:
        """Return the scores of vectors with a table: ``(V, D)`` if weights are tied."""
        table = ops.cast(table, self._reverse_dtype)
        scores = ops.matmul(x, table, transpose_b=self.tie_weights)
        cap = self.logit_soft_cap
        return scores if cap is None else ops.tanh(scores / cap) * cap

    def _quantized_weights(self) -> dict[str, tuple[int, ...]]:
        reverse = {} if self.tie_weights else {"reverse_embeddings": (0,)}
        return super()._quantized_weights() | reverse

    def _quantized_call(self, inputs: Tensor, reverse: bool = False) -> Tensor:
        if not reverse:
            y = super()._quantized_call(inputs)
            y._keras_mask = super().compute_mask(inputs)
            return y
        x = quantized_inputs(self, checks.real(self, inputs, self._reverse_dtype), -1)
        return self._scores(
            x, dequantized(self, "embeddings" if self.tie_weights else "reverse_embeddings")
        )

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> None:
        """Return None: `call` masks what it looks up, and scores of vectors have no padding."""
