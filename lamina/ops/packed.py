"""Four-bit integers: a scale and a zero for each block of values, two values to a byte.

Letters: N rows, of which blocks are made, K columns, J blocks.
"""

import jax
import jax.numpy as jnp

from lamina.engine import op

__all__ = ["dequantize_int4", "pack_int4", "quantize_int4", "unpack_int4"]

_LEAST, _MOST = -8, 7
_EPSILON = 1e-7


def _block_of(count, block):
    """Return the number of the block of each row."""
    return jnp.arange(count, dtype=jnp.int32) // (count if block == -1 else block)


@op(differentiable=False)
def quantize_int4(x, *, block, epsilon=_EPSILON):
    """Round values to integers in [-8, 7], with a scale and a zero for each block of a column.

    Args:
        x: float, ``(N, K)``; N known.
        block: Rows in a block, the last one shorter if need be; -1 takes all.
        epsilon: The least range of a block.

    Returns:
        ``(q, scale, zero)``: int8 ``(N, K)``, float32 ``(J, K)``, int8 ``(J, K)``, with
        ``x ≈ (q - zero) * scale``.

    Example:
        >>> from lamina import ops
        >>> q, scale, zero = ops.quantize_int4([[0.0], [2.1], [7.5]], block=-1)
        >>> q.numpy().ravel(), scale.numpy().ravel(), zero.numpy().ravel()
        (array([-8, -4,  7], dtype=int8), array([0.5], dtype=float32), array([-8], dtype=int8))
    """
    x = x.astype(jnp.float32)
    of = _block_of(x.shape[0], block)
    count = -(-x.shape[0] // block) if block != -1 else 1
    # 0 is among the values that come back as they are, as in Keras.
    low = jnp.minimum(jax.ops.segment_min(x, of, count), 0)
    high = jnp.maximum(jax.ops.segment_max(x, of, count), 0)
    scale = jnp.maximum(high - low, epsilon) / (_MOST - _LEAST)
    zero = jnp.clip(jnp.round(-low / scale) + _LEAST, _LEAST, _MOST)
    q = jnp.clip(jnp.round(x / scale[of]) + zero[of], _LEAST, _MOST)
    return q.astype(jnp.int8), scale, zero.astype(jnp.int8)


@op(mixed=True, differentiable=False)
def dequantize_int4(q, scale, zero, *, block):
    """Return ``(q - zero) * scale``, float32; see `quantize_int4`.

    Args:
        q: int8, ``(N, K)``.
        scale: float32, ``(J, K)``.
        zero: int8, ``(J, K)``.
        block: Rows in a block; -1 takes all.

    Example:
        >>> from lamina import ops
        >>> q, scale, zero = ops.quantize_int4([[0.0], [2.1], [7.5]], block=-1)
        >>> ops.dequantize_int4(q, scale, zero, block=-1).numpy().ravel()
        array([0. , 2. , 7.5], dtype=float32)
    """
    of = _block_of(q.shape[0], block)
    return (q.astype(jnp.float32) - zero[of].astype(jnp.float32)) * scale[of]


@op(differentiable=False)
def pack_int4(q):
    """Put two integers in [-8, 7] into each byte, along the last axis.

    Args:
        q: int8 or uint8, ``(…, K)``; where K is odd, the last byte is half empty.

    Returns:
        The dtype of `q`, ``(…, ceil(K / 2))``.

    Example:
        >>> from lamina import ops
        >>> import lamina as tf
        >>> ops.pack_int4(tf.constant([1, 2, -1], tf.int8)).numpy()
        array([33, 15], dtype=int8)
    """
    if q.shape[-1] % 2:
        q = jnp.pad(q, [(0, 0)] * (q.ndim - 1) + [(0, 1)])
    return (q[..., 0::2] & 15) | (q[..., 1::2] << 4)


@op(differentiable=False)
def unpack_int4(packed, *, size):
    """Return the integers of `pack_int4`; with uint8 they lie in [0, 15].

    Args:
        packed: int8 or uint8, ``(…, ceil(K / 2))``.
        size: K.

    Example:
        >>> from lamina import ops
        >>> import lamina as tf
        >>> ops.unpack_int4(tf.constant([33, 15], tf.int8), size=3).numpy()
        array([ 1,  2, -1], dtype=int8)
    """
    # Shifts of signed integers keep the sign.
    both = jnp.stack([(packed << 4) >> 4, packed >> 4], axis=-1)
    return both.reshape(*packed.shape[:-1], -1)[..., :size]
