"""Scaled dot-product attention, whole and in its two halves.

Letters: B batch, T queries, S keys, N heads, K heads of keys and values, H size of a head.
"""

import math

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op

__all__ = ["attend", "attention_weights", "dot_product_attention", "position_mask"]


def _check(query, key):
    if query.ndim != 4 or key.ndim != 4:
        raise ValueError(
            f"queries and keys must have rank 4, (batch, length, heads, size); got "
            f"{tuple(query.shape)} and {tuple(key.shape)}.\n"
            "  Fix: add the heads' axis with tf.expand_dims."
        )
    if query.shape[2] % key.shape[2] != 0 or query.shape[3] != key.shape[3]:
        raise ValueError(
            f"the number of query heads must be a multiple of that of key heads, and heads of one "
            f"size; got queries {tuple(query.shape)}, keys {tuple(key.shape)}.\n"
            "  Fix: project both to the same head size."
        )


def _repeated(array, heads):
    """Return keys or values with each head repeated for the queries that share it."""
    times = heads // array.shape[2]
    return array if times == 1 else jnp.repeat(array, times, axis=2)


def _allowed(mask, is_causal, logits):
    """Return the boolean mask, broadcast to 4 axes, or None; causal keys are at most queries."""
    if mask is not None:
        mask = mask.astype(bool)
        mask = mask[:, None] if mask.ndim == 3 else mask
    if is_causal:
        shape = (1, 1, *logits.shape[-2:])
        causal = lax.broadcasted_iota(jnp.int32, shape, 2) >= lax.broadcasted_iota(
            jnp.int32, shape, 3
        )
        mask = causal if mask is None else mask & causal
    return mask


def _probabilities(query, key, bias, mask, scale, is_causal, soft_cap=None):
    """Return the softmax of the scores, ``(B, N, T, S)``, in float32 for half inputs."""
    _check(query, key)
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    wide = jnp.promote_types(query.dtype, jnp.float32)
    logits = jnp.einsum(
        "btnh,bsnh->bnts", query, _repeated(key, query.shape[2]), preferred_element_type=wide
    )
    logits = logits * scale
    if bias is not None:
        logits = logits + bias.astype(wide)
    if soft_cap is not None:
        logits = soft_cap * jnp.tanh(logits / soft_cap)
    mask = _allowed(mask, is_causal, logits)
    if mask is not None:
        # A large finite number, as in Keras: a row with no key at all gets equal weights, not NaN.
        logits = jnp.where(mask, logits, -0.7 * float(jnp.finfo(wide).max))
    return jax.nn.softmax(logits, axis=-1)


@op(mixed=True)
def attention_weights(query, key, bias, mask, *, scale=None, is_causal=False):
    """Return ``softmax(query · key * scale + bias)`` over the keys that the mask allows.

    Args:
        query: ``(B, T, N, H)``, floating point.
        key: ``(B, S, K, H)``, same dtype; K divides N, and neighbouring queries share a head.
        bias: Added to the scores, broadcasts to ``(B, N, T, S)``; or None.
        mask: Boolean, broadcasts to ``(B, N, T, S)``, or ``(B, T, S)``; True where a query may
            look. None allows everything.
        scale: Factor of the scores; None is ``1 / sqrt(H)``.
        is_causal: Whether query t sees keys 0…t only.

    Returns:
        ``(B, N, T, S)``, sums to 1 over S, the dtype of ``query``; the softmax runs in float32
        at least. A query that may look nowhere gets equal weights.

    Raises:
        ValueError: ranks, heads or sizes do not fit.

    Example:
        >>> from lamina import ops
        >>> q = tf.ones((1, 1, 1, 2))
        >>> ops.attention_weights(q, tf.ones((1, 2, 1, 2)), None, None).numpy().ravel()
        array([0.5, 0.5], dtype=float32)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, eq. 1.
    """
    return _probabilities(query, key, bias, mask, scale, is_causal).astype(query.dtype)


@op
def attend(weights, value):
    """Return the values averaged with attention weights.

    Args:
        weights: ``(B, N, T, S)``.
        value: ``(B, S, K, H)``, same dtype; K divides N.

    Returns:
        ``(B, T, N, H)``, same dtype.

    Example:
        >>> from lamina import ops
        >>> ops.attend(tf.ones((1, 1, 1, 2)), tf.ones((1, 2, 1, 3))).numpy().ravel()
        array([2., 2., 2.], dtype=float32)
    """
    return jnp.einsum("bnts,bsnh->btnh", weights, _repeated(value, weights.shape[1]))


@op(mixed=True)
def dot_product_attention(
    query, key, value, bias, mask, *, scale=None, is_causal=False, soft_cap=None
):
    """Return the values averaged by how well their keys match each query.

    Args:
        query: ``(B, T, N, H)``, floating point.
        key: ``(B, S, K, H)``, same dtype; K divides N (K = 1 is multi-query attention).
        value: ``(B, S, K, V)``, same dtype.
        bias: Added to the scores, broadcasts to ``(B, N, T, S)``; or None.
        mask: Boolean, broadcasts to ``(B, N, T, S)``, or ``(B, T, S)``; True where a query may
            look. None allows everything.
        scale: Factor of the scores; None is ``1 / sqrt(H)``.
        is_causal: Whether query t sees keys 0…t only.
        soft_cap: Bound of the scores, reached like tanh; None is no bound.

    Returns:
        ``(B, T, N, V)``, the dtype of ``query``; the softmax runs in float32 at least.

    Raises:
        ValueError: ranks, heads or sizes do not fit.

    Example:
        >>> from lamina import ops
        >>> q, kv = tf.ones((1, 1, 1, 2)), tf.ones((1, 2, 1, 2))
        >>> ops.dot_product_attention(q, kv, kv, None, None).numpy().ravel()
        array([1., 1.], dtype=float32)

    Reference: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, eq. 1; shared key heads:
    Ainslie et al. 2023, https://arxiv.org/abs/2305.13245.
    """
    fits = soft_cap is None and value.shape[-1] == query.shape[-1] and query.ndim == key.ndim == 4
    if fits and query.dtype == jnp.bfloat16:
        # The form that JAX keeps fast on accelerators; on CPU it takes no float16.
        _check(query, key)
        mask = _allowed(mask, False, query)
        bias = None if bias is None else bias.astype(query.dtype)
        return jax.nn.dot_product_attention(
            query, key, value, bias, mask, scale=scale, is_causal=is_causal
        )
    weights = _probabilities(query, key, bias, mask, scale, is_causal, soft_cap)
    value = _repeated(value, query.shape[2])
    return jnp.einsum("bnts,bsnh->btnh", weights.astype(query.dtype), value)


@op(mixed=True, differentiable=False)
def position_mask(query, key, *, axis=1, is_causal=False, window=None):
    """Return which keys each query may see by their places alone.

    Args:
        query: Any Tensor whose `axis` has the size T.
        key: Any Tensor whose `axis` has the size S.
        axis: The axis that is counted.
        is_causal: Whether query t sees keys 0…t only.
        window: How far a key may be, exclusive: with 1 a query sees its own place only. None is
            any distance.

    Returns:
        Boolean ``(T, S)``.

    Example:
        >>> from lamina import ops
        >>> ops.position_mask(tf.ones((1, 2)), tf.ones((1, 2)), is_causal=True).numpy()
        array([[ True, False],
               [ True,  True]])
    """
    shape = (query.shape[axis], key.shape[axis])
    rows = lax.broadcasted_iota(jnp.int32, shape, 0)
    columns = lax.broadcasted_iota(jnp.int32, shape, 1)
    allowed = rows >= columns if is_causal else jnp.ones(shape, bool)
    return allowed if window is None else allowed & (jnp.abs(rows - columns) < window)
