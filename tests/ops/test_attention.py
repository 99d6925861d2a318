"""Attention against loops over examples and heads."""

import jax
import numpy as np
import pytest
from jax import export

from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)
Q, K, V = RNG.randn(2, 4, 4, 3), RNG.randn(2, 5, 2, 3), RNG.randn(2, 5, 2, 6)
BIAS = RNG.randn(2, 4, 4, 5)
MASK = RNG.rand(2, 1, 4, 5) > 0.4
MASK[..., 0] = True


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def looped(q, k, v, bias=None, mask=None, scale=None, causal=False):
    out = np.zeros((*q.shape[:3], v.shape[-1]))
    group = q.shape[2] // k.shape[2]
    for b in range(q.shape[0]):
        for n in range(q.shape[2]):
            scores = q[b, :, n] @ k[b, :, n // group].T
            scores = scores * (1 / np.sqrt(q.shape[-1]) if scale is None else scale)
            if bias is not None:
                scores = scores + bias[b, n]
            if mask is not None:
                scores = np.where(mask[b, 0], scores, -np.inf)
            if causal:
                scores = np.where(np.tri(*scores.shape, dtype=bool), scores, -np.inf)
            out[b, :, n] = softmax(scores) @ v[b, :, n // group]
    return out


@pytest.mark.parametrize(
    ("bias", "mask", "kwargs"),
    [
        (None, None, {}),
        (BIAS, MASK, {}),
        (None, MASK, {"scale": 0.3}),
        (BIAS, None, {"is_causal": True}),
        (None, MASK, {"is_causal": True, "scale": 2.0}),
    ],
)
def test_attention_is_the_loop(bias, mask, kwargs):
    expected = looped(Q, K, V, bias, mask, kwargs.get("scale"), kwargs.get("is_causal", False))
    assert_close(ops.dot_product_attention(Q, K, V, bias, mask, **kwargs).numpy(), expected)
    weights = ops.attention_weights(Q, K, bias, mask, **kwargs)
    assert weights.shape == (2, 4, 4, 5)
    assert_close(weights.numpy().sum(-1), np.ones((2, 4, 4)))
    assert_close(ops.attend(weights, V).numpy(), expected)


def test_one_key_head_serves_all_queries():
    k, v = K[:, :, :1], V[:, :, :1]
    assert_close(ops.dot_product_attention(Q, k, v, None, None).numpy(), looped(Q, k, v))


def test_a_mask_without_heads_is_for_all_heads():
    found = ops.dot_product_attention(Q, K, V, None, MASK[:, 0])
    assert_close(found.numpy(), looped(Q, K, V, mask=MASK))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_a_query_that_may_look_nowhere_averages(dtype):
    q, k, v = (ops.cast(x, dtype) for x in (Q, K, K))
    y = ops.dot_product_attention(q, k, v, None, np.zeros((2, 1, 4, 5), bool))
    expected = np.repeat(K.mean(1, keepdims=True), 2, 2).repeat(4, 1)
    assert y.dtype.name == dtype
    assert_close(y.numpy(), expected, dtype)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_inputs_have_a_float32_softmax(dtype):
    q, k, v, b = (ops.cast(x, dtype) for x in (Q, K, V, BIAS))
    wide = [np.asarray(x.numpy(), "float64") for x in (q, k, v, b)]
    y = ops.dot_product_attention(q, k, v, b, MASK)
    assert y.dtype.name == dtype
    assert_close(y.numpy(), looped(*wide, MASK))
    same = ops.dot_product_attention(q, k, k, b, MASK)  # the fused form
    assert_close(same.numpy(), looped(wide[0], wide[1], wide[1], wide[3], MASK), dtype)
    ones = ops.cast(np.full((1, 1, 1, 1), 300.0), dtype)
    assert np.isfinite(ops.dot_product_attention(ones, ones, ones, None, None).numpy()).all()


def test_soft_cap_bounds_the_scores():
    capped = ops.dot_product_attention(1e3 * Q, K, V, None, None, soft_cap=1e-6)
    assert_close(capped.numpy(), looped(0 * Q, K, V), "float32")


def test_gradients_reach_all_operands_and_are_finite_where_all_is_masked():
    tensors = [convert_to_tensor(v) for v in (Q, K, V, BIAS)]
    mask = MASK.copy()
    mask[0, 0, 1] = False
    with GradientTape() as tape:
        for t in tensors:
            tape.watch(t)
        y = ops.reduce_sum(ops.sin(ops.dot_product_attention(*tensors, mask)))
    for g in tape.gradient(y, tensors):
        assert np.isfinite(g.numpy()).all()
        assert abs(g.numpy()).max() > 0


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="must have rank 4"):
        ops.dot_product_attention(Q[0], K[0], V[0], None, None)
    with pytest.raises(ValueError, match="must be a multiple"):
        ops.dot_product_attention(Q[:, :, :3], K, V, None, None)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_unknown_batch_and_lengths(dtype):
    b, t, s = export.symbolic_shape("b, t, s")
    shapes = [(b, t, 4, 3), (b, s, 2, 3), (b, s, 2, 3)]
    structs = [jax.ShapeDtypeStruct(x, dtype) for x in shapes]
    mask = jax.ShapeDtypeStruct((b, 1, t, s), np.bool_)

    def call(q, k, v, m):
        return ops.dot_product_attention.body(q, k, v, None, m, is_causal=True)

    with jax.enable_x64(True):
        assert jax.eval_shape(call, *structs, mask).shape == (b, t, 4, 3)
