"""Attention and AdditiveAttention: one head, and no projections.

Letters: B batch, T queries, S keys, D features.
"""

from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import random
from lamina.keras.core import Layer, checks

__all__ = ["AdditiveAttention", "Attention"]


class Attention(Layer):
    """Average values by how well their keys match each query: ``softmax(scores) value``.

    Args:
        use_scale: Whether the scores are multiplied by a trained factor.
        score_mode: "dot": ``q · k``; "concat": ``w sum(tanh(scale * (q + k)))``.
        dropout: The share of the weights that is dropped while training, in [0, 1).
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: ``[query, value]`` or ``[query, value, key]``: ``(B, T, D)``, ``(B, S, D')`` and
            ``(B, S, D)``, float; without a key the value is the key.
        mask: ``[query_mask, value_mask]``, boolean ``(B, T)`` and ``(B, S)`` or None each. Where
            the query's is false, the output is 0; where the value's is false, nothing is seen.
        training: Whether to drop.
        return_attention_scores: Return the weights too.
        use_causal_mask: Whether query t sees keys 0…t only.

    Returns:
        ``(B, T, D')``, dtype of the inputs; with `return_attention_scores` a tuple of that and
        the weights, ``(B, T, S)``.
    Weights:
        scale: (), starts at 1, with `use_scale`.
        concat_score_weight: (), starts at 1, with the score mode "concat".

    Raises:
        ValueError: the inputs or masks are not such lists, or a setting is wrong.
    Masking:
        The mask of the query passes through.

    Example:
        >>> query, value = tf.ones((1, 2, 3)), tf.constant([[[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]])
        >>> tf.keras.layers.Attention()([query, value]).numpy()[0, 0]
        array([2., 2., 2.], dtype=float32)

    Reference: Luong et al. 2015, https://arxiv.org/abs/1508.04025.
    """

    supports_masking = True
    _config_as_given = ("seed",)

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.use_scale = use_scale
        self.score_mode = checks.choice(self, "score_mode", score_mode, ("dot", "concat"))
        self.dropout = checks.fraction(self, "dropout", dropout, below_one=True)
        self.seed = seed
        if self.dropout > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.scale: Any = None
        self.concat_score_weight: Any = None

    def build(self, input_shape: Shape):
        self._check_inputs(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def call(
        self,
        inputs: list[Tensor],
        mask: list[Tensor | None] | None = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        self._check_inputs(inputs)
        query_mask, value_mask = self._checked_masks(mask)
        query, value, *rest = inputs
        key = rest[0] if rest else value
        scores = self._scores(query, key)
        if value_mask is not None:
            scores = _where_allowed(value_mask[..., None, :], scores)
        if use_causal_mask:
            causal = ops.position_mask(query, key, axis=query.ndim - 2, is_causal=True)
            scores = _where_allowed(causal, scores)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        output = ops.matmul(weights, value)
        if query_mask is not None:
            output = output * ops.cast(query_mask[..., None], output.dtype)
        return (output, weights) if return_attention_scores else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self._checked_masks(mask)[0]

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Return how well keys ``(B, S, D)`` match queries ``(B, T, D)``: ``(B, T, S)``."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, key, transpose_b=True)
            return scores if self.scale is None else scores * self.scale
        sums = query[..., :, None, :] + key[..., None, :, :]  # (B, T, S, D)
        sums = sums if self.scale is None else sums * self.scale
        return self.concat_score_weight * ops.reduce_sum(ops.tanh(sums), axis=-1)

    def _check_inputs(self, inputs: Any) -> None:
        listed = isinstance(inputs, list | tuple) and len(inputs) in (2, 3)
        if not listed or any(size is None or isinstance(size, int) for size in inputs):
            raise ValueError(
                f"{checks.label(self)}: `inputs` must be a list, [query, value] or [query, "
                f"value, key]; got {_described(inputs)}.\n"
                f"  Fix: layer([x, x]) attends over x itself."
            )

    def _checked_masks(self, mask: Any) -> tuple[Tensor | None, Tensor | None]:
        if mask is None:
            return None, None
        if not isinstance(mask, list | tuple) or len(mask) not in (2, 3):
            raise ValueError(
                f"{checks.label(self)}: `mask` must be a list, [query_mask, value_mask]; got "
                f"{_described(mask)}.\n  Fix: give None for a mask that there is not."
            )
        found = [None if m is None else ops.cast(m, "bool") for m in mask[:2]]
        return found[0], found[1]


def _where_allowed(mask: Tensor, scores: Tensor) -> Tensor:
    # A large finite number, as in Keras: where nothing may be seen, weights are equal.
    lowest = ops.constant(-6e4 if scores.dtype == "float16" else -1e9, scores.dtype)
    return ops.where(mask, scores, lowest)


def _described(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{type(value).__name__}"


class AdditiveAttention(Attention):
    """Attention with the scores ``sum(scale * tanh(q + k))``.

    Args:
        use_scale: Whether `scale` is trained; else it is 1.
        dropout: The share of the weights that is dropped while training, in [0, 1).
        seed: An int for the same draws in each run, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: As in `Attention`, D' = D.
        mask: As in `Attention`.
        training: Whether to drop.
        return_attention_scores: Return the weights too.
        use_causal_mask: Whether query t sees keys 0…t only.

    Returns:
        As `Attention`.
    Weights:
        scale: ``(D,)``, with `use_scale`.

    Raises:
        ValueError: the inputs or masks are no such lists, or D is unknown.

    Example:
        >>> layer = tf.keras.layers.AdditiveAttention()
        >>> layer([tf.ones((1, 2, 3)), tf.ones((1, 4, 3))]).shape
        TensorShape([1, 2, 3])

    Reference: Bahdanau et al. 2014, https://arxiv.org/abs/1409.0473.
    """

    def __init__(
        self,
        use_scale: bool = True,
        dropout: float = 0.0,
        *,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(use_scale=use_scale, dropout=dropout, seed=seed, **kwargs)

    def build(self, input_shape: Shape):
        self._check_inputs(input_shape)
        if self.use_scale:
            size = checks.known_size(self, input_shape[0], -1)
            self.scale = self.add_weight(name="scale", shape=(size,), initializer="glorot_uniform")

    def _scores(self, query: Tensor, key: Tensor) -> Tensor:
        matches = ops.tanh(query[..., :, None, :] + key[..., None, :, :])  # (B, T, S, D)
        matches = matches if self.scale is None else self.scale * matches
        return ops.reduce_sum(matches, axis=-1)
