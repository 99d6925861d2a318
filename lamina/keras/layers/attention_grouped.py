"""GroupQueryAttention: several query heads share one head of keys and values.

Letters: B batch, T queries, S keys, N query heads, K key heads, H size of a head, D features.
"""

from typing import Any

from lamina.engine import Shape, Tensor
from lamina.keras import constraints, initializers, regularizers
from lamina.keras.core import checks
from lamina.keras.layers.attention import HeadProjections

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(HeadProjections):
    """Multi-head attention with fewer heads of keys and values than of queries.

    With one key head it is multi-query attention, with as many as query heads it is
    `MultiHeadAttention`.

    Args:
        head_dim: H.
        num_query_heads: N.
        num_key_value_heads: K; it divides N.
        dropout: The share of the weights that is dropped while training, in [0, 1).
        use_bias: Whether projections add a bias.
        sliding_window: How far a key may be from a query, exclusive, or None.
        flash_attention: Accepted; the compiler chooses. Excludes dropout.
        kernel_initializer: Start value of the kernels.
        bias_initializer: Start value of the biases.
        kernel_regularizer: Penalty on the kernels, or None.
        bias_regularizer: Penalty on the biases, or None.
        activity_regularizer: Penalty on the outputs of the projections, or None.
        kernel_constraint: Projection applied to the kernels after each update, or None.
        bias_constraint: Projection applied to the biases after each update, or None.
        use_gate: Whether the heads' results are multiplied by ``sigmoid`` of a projection of the
            query.
        seed: An int for the same draws of dropout in each run, or None.
        **kwargs: See `Layer`.

    Call:
        query: float, ``(B, T, D)``.
        value: float, ``(B, S, D')``.
        key: float, ``(B, S, D")``; None is `value`.
        query_mask: Accepted; it becomes the mask of the output.
        value_mask: Boolean ``(B, S)``, true for what may be seen; or None.
        key_mask: As `value_mask`.
        attention_mask: Boolean ``(B, T, S)`` or ``(B, N, T, S)``, true where a query may see a
            key; or None.
        return_attention_scores: Return the weights too.
        training: Whether to drop.
        use_causal_mask: Whether query t sees keys 0…t only.

    Returns:
        ``(B, T, D)``, dtype of the query; with `return_attention_scores` a tuple of that and the
        weights before dropout, ``(B, N, T, S)``.
    Weights:
        query: kernel ``(D, N, H)``, bias ``(N, H)``.
        key, value: kernels ``(D, K, H)``, biases ``(K, H)``.
        gate: kernel ``(D, N, H)``, bias ``(N, H)``, with `use_gate`.
        attention_output: kernel ``(N, H, D)``, bias ``(D,)``.

    Raises:
        ValueError: a setting is out of range, K does not divide N, or an input is not of rank 3.
    Masking:
        The mask of the query passes through.

    Example:
        >>> layer = tf.keras.layers.GroupQueryAttention(4, num_query_heads=4, num_key_value_heads=2)
        >>> x = tf.ones((3, 5, 8))
        >>> layer(x, x).shape
        TensorShape([3, 5, 8])

    Reference: Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ):
        weights = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "activity_regularizer": activity_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        super().__init__(
            dropout, use_bias, sliding_window, flash_attention, use_gate, seed, weights, **kwargs
        )
        self.head_dim = checks.positive_int(self, "head_dim", head_dim)
        self.num_query_heads = checks.positive_int(self, "num_query_heads", num_query_heads)
        self.num_key_value_heads = checks.positive_int(
            self, "num_key_value_heads", num_key_value_heads
        )
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"{checks.label(self)}: `num_key_value_heads` must divide `num_query_heads`; got "
                f"{num_key_value_heads} and {num_query_heads}.\n"
                f"  Fix: each key head serves the same number of query heads."
            )

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None):
        key_shape = value_shape if key_shape is None else key_shape
        for shape in (query_shape, value_shape, key_shape):
            checks.rank(self, shape, 3)
        queries = (self.num_query_heads, self.head_dim)
        keys = (self.num_key_value_heads, self.head_dim)
        self._query_dense = self._heads("query", query_shape, queries)
        self._key_dense = self._heads("key", key_shape, keys)
        if self.use_gate:
            self._gate_dense = self._heads("gate", query_shape, queries)
        self._value_dense = self._heads("value", value_shape, keys)
        size = checks.known_size(self, query_shape, -1)
        self._output_dense = self._project("attention_output", "abyz,yzD->abD", (None, size), "D")
        self._output_dense.build((*query_shape[:-1], *queries))

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        key = value if key is None else key
        if key is not value:
            self._check_pairs(value.shape, key.shape)
        allowed = self._allowed(
            query,
            key,
            value_mask,
            key_mask,
            attention_mask,
            use_causal_mask,
            query_mask=query_mask,
        )
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        wants = return_attention_scores
        if type(self)._compute_attention is GroupQueryAttention._compute_attention:
            heads, weights = self._attend(q, k, v, allowed, bool(training), wants)
        else:
            heads, weights = self._compute_attention(q, k, v, allowed, training=bool(training))
        output = self._output_dense(self._gated(heads, query))
        return (output, weights) if wants else output

    def _compute_attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None = None,
        training: bool | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the heads' results and the weights: Keras' hook, which subclasses override."""
        return self._attend(query, key, value, attention_mask, training, True)


# Keras exports its class GroupedQueryAttention under this name: files name the class by the one,
# and layers are called by the other.
GroupQueryAttention.__name__ = "GroupedQueryAttention"
