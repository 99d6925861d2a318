"""MultiHeadAttention.

Letters: B batch, T queries, S keys, N heads, H size of a query head, V size of a value head,
D features.
"""

import math
import string
from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import constraints, initializers, regularizers
from lamina.keras.core import KerasTensor, Layer, checks
from lamina.keras.layers.linear import EinsumDense
from lamina.keras.layers.regularization import Dropout

__all__ = ["MultiHeadAttention"]


class HeadProjections(Layer):
    """What layers with attention heads share: settings of their projections, and masks."""

    supports_masking = True
    _config_as_given = ("seed",)
    _config_omit = ("flash_attention",)
    _gate_dense: Any  # made by `build` with `use_gate`

    def __init__(
        self,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        flash_attention: bool | None,
        use_gate: bool,
        seed: int | None,
        weights: dict[str, Any],
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._activity_regularizer = regularizers.get(weights["activity_regularizer"])
        self.dropout = checks.fraction(self, "dropout", dropout, below_one=True)
        if flash_attention and self.dropout > 0:
            raise ValueError(
                f"{checks.label(self)}: `flash_attention` must not be combined with dropout; got "
                f"dropout {dropout}.\n  Fix: dropout=0.0, or flash_attention=None."
            )
        self.use_bias = use_bias
        self.use_gate = use_gate
        self.sliding_window = (
            None
            if sliding_window is None
            else checks.positive_int(self, "sliding_window", sliding_window)
        )
        self.flash_attention = flash_attention
        self.seed = seed
        self.kernel_initializer = initializers.get(weights["kernel_initializer"])
        self.bias_initializer = initializers.get(weights["bias_initializer"])
        self.kernel_regularizer = regularizers.get(weights["kernel_regularizer"])
        self.bias_regularizer = regularizers.get(weights["bias_regularizer"])
        self.kernel_constraint = constraints.get(weights["kernel_constraint"])
        self.bias_constraint = constraints.get(weights["bias_constraint"])
        self._dropout_layer = (
            Dropout(self.dropout, seed=seed, dtype=self.dtype_policy) if self.dropout > 0 else None
        )

    @property
    def activity_regularizer(self) -> Any:
        """The penalty on the outputs of the projections; the last one's is the layer's own."""
        return self._activity_regularizer

    def _project(self, name: str, equation: str, shape: Any, bias_axes: str) -> Any:
        """Return a projection that has the settings of this layer; it makes no weights yet."""
        return EinsumDense(
            equation,
            output_shape=shape,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=_copied(self.kernel_initializer),
            bias_initializer=_copied(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            activity_regularizer=self.activity_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            dtype=self.dtype_policy,
            name=name,
        )

    def _heads(self, name: str, shape: Shape, heads: tuple[int, int]) -> EinsumDense:
        """Return the projection ``(…, D) → (…, N, H)``, built."""
        free = string.ascii_lowercase[: len(shape) - 1]
        known = [None] * (len(shape) - 2)
        dense = self._project(name, f"{free}x,xyz->{free}yz", (*known, *heads), "yz")
        dense.build(shape)
        return dense

    def _check_pairs(self, value_shape: Any, key_shape: Any) -> None:
        """Raise unless there is one key for each value."""
        pairs = zip(tuple(value_shape)[1:-1], tuple(key_shape)[1:-1], strict=False)
        known = [pair for pair in pairs if None not in pair]
        if len(value_shape) != len(key_shape) or any(n != m for n, m in known):
            raise ValueError(
                f"{checks.label(self)}: value and key must have the same axes but the last; got "
                f"value {tuple(value_shape)}, key {tuple(key_shape)}.\n"
                f"  Fix: give one key for each value."
            )

    def _allowed(
        self,
        query: Tensor,
        key: Tensor,
        value_mask: Tensor | None,
        key_mask: Tensor | None,
        attention_mask: Tensor | None,
        is_causal: bool,
        axis: int = 1,
        query_mask: Tensor | None = None,
    ) -> Tensor | None:
        """Return which keys queries may see, or None for all.

        Shapes: `query_mask` ``(B, T)``, masks of keys ``(B, S)``, `attention_mask` ``(B, T, S)``
        or ``(B, N, T, S)`` or what broadcasts to one of them → ``(B, T, S)`` or the shape of
        `attention_mask`.
        """
        found = [ops.cast(m, "bool")[:, None, :] for m in (value_mask, key_mask) if m is not None]
        if query_mask is not None:
            found.append(ops.cast(query_mask, "bool")[:, :, None])
        if is_causal or self.sliding_window is not None:
            places = {"axis": axis, "is_causal": is_causal, "window": self.sliding_window}
            found.append(ops.position_mask(query, key, **places)[None])
        if attention_mask is not None:
            given: Any = ops.cast(attention_mask, "bool")
            # Between batch and queries the given mask may have axes that the others have not.
            extra = max(given.ndim - 3, 0)
            found = [_with_axes(m, extra) for m in found]
            found.append(given)
        allowed = None
        for mask in found:
            allowed = mask if allowed is None else ops.logical_and(allowed, mask)
        return allowed

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        allowed: Tensor | None,
        training: bool | None,
        with_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the heads' results ``(B, T, N, V)``, and the weights if they are wanted.

        Shapes: query ``(B, T, N, H)``, key ``(B, S, K, H)``, value ``(B, S, K, V)``.
        """
        if not with_weights and not (training and self._dropout_layer is not None):
            return ops.dot_product_attention(query, key, value, None, allowed), None
        weights = ops.attention_weights(query, key, None, allowed)
        weights = _nothing_where_masked(weights, allowed, 1)
        return ops.attend(self._dropped(weights, training), value), weights

    def _dropped(self, weights: Tensor, training: bool | None) -> Tensor:
        layer = self._dropout_layer
        return weights if layer is None else layer(weights, training=bool(training))

    def _gated(self, output: Tensor, query: Tensor) -> Tensor:
        return output * ops.sigmoid(self._gate_dense(query)) if self.use_gate else output


def _copied(initializer: Any) -> Any:
    """Return an initializer with the same settings that draws on its own."""
    return type(initializer).from_config(initializer.get_config())


def _with_axes(mask: Tensor, count: int) -> Tensor:
    for _ in range(count):
        mask = ops.expand_dims(mask, 1)
    return mask


def _kept_in(name: str) -> Any:
    """Return a property that reads and sets another attribute."""
    return property(lambda self: getattr(self, name), lambda self, to: setattr(self, name, to))


class MultiHeadAttention(HeadProjections):
    """Average projected values by how well their keys match each query, in several heads.

    ``softmax(Q Kᵀ / √H) V`` in each head, Q, K and V linear in query, key and value; the heads'
    results, side by side, are projected to the size of the query.

    Args:
        num_heads: N.
        key_dim: H, the size of a head of queries and keys.
        value_dim: V, the size of a head of values; None is `key_dim`.
        dropout: The share of the weights that is dropped while training, in [0, 1).
        use_bias: Whether projections add a bias.
        output_shape: The size, or sizes, of the output's last axes; None takes the query's.
        attention_axes: The axes that are attended over; None takes all but batch and features.
        sliding_window: How far a key may be from a query, exclusive, or None.
        flash_attention: Accepted; the compiler chooses. Excludes dropout.
        kernel_initializer: Start value of the kernels.
        bias_initializer: Start value of the biases.
        kernel_regularizer: Penalty on the kernels, or None.
        bias_regularizer: Penalty on the biases, or None.
        activity_regularizer: Penalty on the output and the projections, or None.
        kernel_constraint: Projection applied to the kernels after each update, or None.
        bias_constraint: Projection applied to the biases after each update, or None.
        use_gate: Whether the heads' results are multiplied by ``sigmoid`` of a projection of the
            query.
        seed: An int for the same draws of dropout in each run, or None.
        **kwargs: See `Layer`.

    Call:
        query: float, ``(B, T, D)``, or with more axes between B and D.
        value: float, ``(B, S, D')``.
        key: float, ``(B, S, D")``; None is `value`.
        query_mask: Accepted. The mask that the query carries says which queries see nothing, and
            passes to the output.
        value_mask: Boolean ``(B, S)``, true for what may be seen; or None.
        key_mask: As `value_mask`.
        attention_mask: Boolean ``(B, T, S)``, true where a query may see a key; or with an axis
            for the heads, ``(B, N, T, S)``; or None.
        return_attention_scores: Return the weights too.
        training: Whether to drop.
        use_causal_mask: Whether query t sees keys 0…t only.

    Returns:
        ``(B, T, D)``, dtype of the query; with `return_attention_scores` a tuple of that and the
        weights before dropout, ``(B, N, T, S)``. A query that may see nothing gets weights of 0
        if weights are returned or dropped, else equal ones, as in Keras.
    Weights:
        query, key: kernels ``(D, N, H)``, biases ``(N, H)``.
        value: kernel ``(D, N, V)``, bias ``(N, V)``.
        gate: kernel ``(D, N, V)``, bias ``(N, V)``, with `use_gate`.
        attention_output: kernel ``(N, V, D)``, bias ``(D,)``.

    Raises:
        ValueError: a setting is out of range, or the shapes of value and key differ.
    Masking:
        The mask of the query passes through.

    Example:
        >>> layer = tf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> x = tf.ones((3, 5, 8))
        >>> y, weights = layer(x, x, return_attention_scores=True, use_causal_mask=True)
        >>> y.shape, weights.shape
        (TensorShape([3, 5, 8]), TensorShape([3, 2, 5, 5]))

    Differs from TF: the shape of the weights is right for KerasTensors with S other than T.

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.2.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
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
        self.num_heads = checks.positive_int(self, "num_heads", num_heads)
        self.key_dim = checks.positive_int(self, "key_dim", key_dim)
        self.value_dim = (
            self.key_dim if value_dim is None else checks.positive_int(self, "value_dim", value_dim)
        )
        self.output_shape = (
            None if output_shape is None else checks.int_tuple(self, "output_shape", output_shape)
        )
        self.attention_axes = (
            None
            if attention_axes is None
            else checks.int_tuple(self, "attention_axes", attention_axes)
        )

    # Keras' names of the attributes, which subclasses with a `call` of their own read.
    _query_dense = _kept_in("query_dense")
    _key_dense = _kept_in("key_dense")
    _value_dense = _kept_in("value_dense")
    _output_dense = _kept_in("output_dense")
    _num_heads = _kept_in("num_heads")
    _key_dim = _kept_in("key_dim")
    _value_dim = _kept_in("value_dim")

    def build(self, query_shape: Shape, value_shape: Shape, key_shape: Shape | None = None):
        key_shape = value_shape if key_shape is None else key_shape
        self._check_pairs(value_shape, key_shape)
        heads, size = (self.num_heads, self.key_dim), (self.num_heads, self.value_dim)
        self.query_dense = self._heads("query", query_shape, heads)
        self.key_dense = self._heads("key", key_shape, heads)
        if self.use_gate:
            self._gate_dense = self._heads("gate", query_shape, size)
        self.value_dense = self._heads("value", value_shape, size)
        self.output_dense = self._output(query_shape, size)

    def _output(self, query_shape: Shape, heads: tuple[int, int]) -> EinsumDense:
        """Return the projection ``(…, N, V) → (…, D)``, built."""
        sizes = self.output_shape or (checks.known_size(self, query_shape, -1),)
        free = string.ascii_lowercase[: len(query_shape) - 1]
        out = string.ascii_uppercase[: len(sizes)]
        known = [None] * (len(query_shape) - 2)
        equation = f"{free}yz,yz{out}->{free}{out}"
        dense = self._project("attention_output", equation, (*known, *sizes), out)
        dense.build((*query_shape[:-1], *heads))
        return dense

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
        axes = self._attention_axes(query.ndim)
        allowed = self._allowed(
            query,
            key,
            value_mask,
            key_mask,
            attention_mask,
            use_causal_mask,
            axes[0],
            # As Keras: the mask that the query carries counts, not one that is given.
            query._keras_mask if query.ndim == 3 else None,
        )
        q, k, v = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        heads, weights = self._compute_attention(
            q, k, v, allowed, training=training, return_attention_scores=return_attention_scores
        )
        output = self.output_dense(self._gated(heads, query))
        return (output, weights) if return_attention_scores else output

    def _compute_attention(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attention_mask: Tensor | None = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the heads' results and the weights: Keras' hook, which subclasses override.

        Shapes: query ``(B, T, N, H)``, key ``(B, S, N, H)``, value ``(B, S, N, V)``.
        """
        if query.ndim == 4:
            return self._attend(
                query, key, value, attention_mask, training, return_attention_scores
            )
        axes = self._attention_axes(query.ndim - 1)
        weights = _weights_over_axes(query, key, attention_mask, axes)
        return _averages_over_axes(self._dropped(weights, training), value, axes), weights

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        found = super().compute_output_spec(*args, **kwargs)
        if not isinstance(found, tuple):
            return found
        # As Keras: scores of as many keys as queries, along one axis.
        batch, length = found[0].shape[:2]
        shape = (batch, self.num_heads, length, length)
        return found[0], KerasTensor(shape, self.compute_dtype)

    def _attention_axes(self, ndim: int) -> tuple[int, ...]:
        if self.attention_axes is None:
            return tuple(range(1, ndim - 1))
        axes = tuple(a % ndim if -ndim <= a < 0 else a for a in self.attention_axes)
        checks.axes_in_range(self, "attention_axes", axes, 1, ndim - 2)
        return axes


# ---- attention over any axes --------------------------------------------------------------------


def _letters(ndim: int, axes: Sequence[int]) -> tuple[str, str, str, str]:
    """Return letters for the axes of queries and of keys, heads left out, and for what both scan.

    (queries "abc", keys "aBc", T "b", S "B") for three axes of which the second is attended over.
    """
    queries = string.ascii_lowercase[:ndim]
    keys = "".join(c.upper() if i in axes else c for i, c in enumerate(queries))
    return queries, keys, "".join(queries[i] for i in axes), "".join(keys[i] for i in axes)


def _weights_over_axes(
    query: Tensor, key: Tensor, allowed: Tensor | None, axes: Sequence[int]
) -> Tensor:
    """Return the softmax of the scores, ``(B, …, N, T…, S…)``; … are the axes not attended over.

    Shapes: query ``(B, …, N, H)``, key ``(B, …, N, H)`` with other sizes at the `axes`.
    """
    queries, keys, t, s = _letters(query.ndim - 2, axes)
    shared = "".join(c for c in queries if c not in t)
    scale = 1.0 / math.sqrt(query.shape[-1])
    equation = f"{keys}yz,{queries}yz->{shared}y{t}{s}"
    wide = "float64" if query.dtype == "float64" else "float32"
    scores = ops.cast(ops.einsum(equation, key, query * scale), wide)
    if allowed is not None:
        mask = _with_rank(allowed, scores.ndim, len(axes))
        scores = ops.where(mask, scores, ops.constant(-1e30, wide))
    last = list(range(scores.ndim - len(axes), scores.ndim))
    weights = ops.exp(scores - ops.reduce_logsumexp(scores, axis=last, keepdims=True))
    return _nothing_where_masked(ops.cast(weights, query.dtype), allowed, len(axes))


def _with_rank(allowed: Tensor, ndim: int, count: int) -> Tensor:
    """Return a mask with axes added before its `count` axes of queries and of keys."""
    for _ in range(ndim - allowed.ndim):
        allowed = ops.expand_dims(allowed, -2 * count - 1)
    return allowed


def _nothing_where_masked(weights: Tensor, allowed: Tensor | None, count: int) -> Tensor:
    """Return weights that are 0 in rows where nothing may be seen, as Keras' Softmax gives."""
    if allowed is None:
        return weights
    return ops.where(_with_rank(allowed, weights.ndim, count), weights, ops.zeros_like(weights))


def _averages_over_axes(weights: Tensor, value: Tensor, axes: Sequence[int]) -> Tensor:
    """Return the values averaged with the weights, ``(B, …, N, V)`` with the queries' axes."""
    queries, keys, t, s = _letters(value.ndim - 2, axes)
    shared = "".join(c for c in queries if c not in t)
    return ops.einsum(f"{shared}y{t}{s},{keys}yz->{queries}yz", weights, value)
