"""MultiHeadAttention, GroupQueryAttention, Attention, AdditiveAttention."""

import json

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)
KEYS = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1]], bool)  # B 2, S 5
QUERIES = np.array([[1, 0, 1], [1, 1, 1]], bool)  # B 2, T 3
PAIRS = RNG.random((2, 3, 5)) < 0.7
PAIRS[:, :, 1] = True  # no query is left without a key


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def numpy_heads(weights, query, value, key, allowed=None, gated=False):
    """Return (output, weights) of multi-head attention, from the layer's weights in order."""
    projections = [(w.astype(np.float64), b) for w, b in zip(*[iter(weights)] * 2, strict=True)]
    names = ["query", "key", *(["gate"] if gated else []), "value"]
    given = {"query": query, "key": key, "gate": query, "value": value}
    q, k, *gate, v = [
        np.einsum("btd,dnh->btnh", given[name], w) + b
        for name, (w, b) in zip(names, projections[:-1], strict=True)
    ]
    k, v = (np.repeat(a, q.shape[2] // a.shape[2], axis=2) for a in (k, v))
    scores = np.einsum("btnh,bsnh->bnts", q, k) / np.sqrt(q.shape[-1])
    if allowed is not None:
        scores = np.where(allowed, scores, -1e30)
    probabilities = softmax(scores)
    heads = np.einsum("bnts,bsnh->btnh", probabilities, v)
    if gated:
        heads = heads / (1 + np.exp(-gate[0]))
    w, b = projections[-1]
    return np.einsum("btnh,nhd->btd", heads, w) + b, probabilities


MAKERS = {
    "multi": lambda **k: L.MultiHeadAttention(4, 3, bias_initializer="normal", **k),
    "group": lambda **k: L.GroupQueryAttention(3, 4, 2, bias_initializer="normal", **k),
}
each_kind = pytest.mark.parametrize("kind", MAKERS)
CAUSAL = np.tril(np.ones((3, 5), bool))
WINDOW = np.abs(np.arange(3)[:, None] - np.arange(5)) < 2
CASES = [
    ({}, {}, None),
    ({}, {"query_mask": QUERIES}, None),
    ({}, {"value_mask": KEYS}, KEYS[:, None, None]),
    ({}, {"key_mask": KEYS}, KEYS[:, None, None]),
    ({}, {"attention_mask": PAIRS}, PAIRS[:, None]),
    ({}, {"attention_mask": PAIRS[:1].astype("float32")}, PAIRS[:1, None]),
    ({}, {"attention_mask": PAIRS[0]}, PAIRS[0]),
    ({}, {"attention_mask": PAIRS[:, None], "use_causal_mask": True}, PAIRS[:, None] & CAUSAL),
    ({}, {"use_causal_mask": True}, CAUSAL),
    ({"sliding_window": 2}, {"value_mask": KEYS}, WINDOW & KEYS[:, None, None]),
    ({"use_gate": True}, {}, None),
    ({"dropout": 0.5, "seed": 1}, {"training": False}, None),
    ({"flash_attention": True}, {}, None),
]


@each_kind
@pytest.mark.parametrize("separate", [False, True])
@pytest.mark.parametrize("case", range(len(CASES)))
def test_heads_agree_with_numpy(kind, separate, case):
    settings, call, allowed = CASES[case]
    if kind == "group" and "query_mask" in call:
        allowed = QUERIES[:, None, :, None]  # as in Keras, here only
    layer = MAKERS[kind](**settings)
    query, value, key = array(2, 3, 6), array(2, 5, 4), array(2, 5, 7)
    key = key if separate else value
    more = {k: tf.constant(v) if isinstance(v, np.ndarray) else v for k, v in call.items()}
    y = layer(query, value, key if separate else None, **more)
    expected, weights = numpy_heads(
        layer.get_weights(), query, value, key, allowed, "use_gate" in settings
    )
    seen = np.broadcast_to(True if allowed is None else allowed, weights.shape).any(-1)
    if seen.all():
        assert_close(y, expected, "float32")
    again, got = layer(
        query, value, key if separate else None, return_attention_scores=True, **more
    )
    rows = seen[..., None]
    assert_close(got, np.where(rows, weights, 0), "float32")
    visible = seen.all(1)[..., None]
    assert_close(np.where(visible, again, 0), np.where(visible, expected, 0), "float32")


@pytest.mark.parametrize("axes", [(1,), (2,), (-2,), (1, 2), None])
def test_attention_axes_choose_what_is_attended_over(axes):
    x = array(2, 3, 4, 6)
    layer = L.MultiHeadAttention(2, 3, attention_axes=axes, bias_initializer="normal")
    y, weights = layer(x, x, return_attention_scores=True)
    flat = {
        (1,): lambda t: t.transpose(0, 2, 1, 3).reshape(8, 3, 6),
        (2,): lambda t: t.reshape(6, 4, 6),
        (1, 2): lambda t: t.reshape(2, 12, 6),
    }[{(-2,): (2,), None: (1, 2)}.get(axes, axes)]
    rows = flat(x)
    expected, probabilities = numpy_heads(layer.get_weights(), rows, rows, rows)
    assert_close(flat(np.asarray(y)), expected, "float32")
    assert weights.numpy().size == probabilities.size
    assert_close(tf.reduce_sum(weights), 2 * 3 * 4 * 2, "float32")


@each_kind
def test_shapes_names_config_and_unknown_sizes(kind):
    layer = MAKERS[kind](use_gate=True, activity_regularizer="l2", kernel_regularizer="l1")
    config = json.loads(json.dumps(layer.get_config()))
    assert type(layer).from_config(config).get_config() == layer.get_config()
    out = layer(tf.keras.Input((None, 6)), tf.keras.Input((None, 4)), return_attention_scores=True)
    assert [tuple(t.shape) for t in out] == [(None, None, 6), (None, 4, None, None)]
    name = {"multi": "multi_head_attention", "group": "grouped_query_attention"}[kind]
    dense = ["query", "key", "gate", "value", "attention_output"]
    assert [w.path for w in layer.weights] == [
        f"{name}/{d}/{w}" for d in dense for w in ("kernel", "bias")
    ]
    layer(array(2, 3, 6), array(2, 5, 4))
    assert len(layer.losses) == 10
    starts = [w.numpy() for w in layer.weights[::2]]
    assert not np.allclose(starts[1], starts[3])  # each projection draws its own start
    assert layer.compute_output_shape((None, 3, 6), (None, 5, 4)) == (None, 3, 6)


def test_multi_head_output_shape_and_value_size():
    layer = L.MultiHeadAttention(2, 3, value_dim=5, output_shape=(2, 7))
    assert layer(array(1, 3, 4), array(1, 2, 4)).shape == (1, 3, 2, 7)
    assert layer.value_dense.kernel.shape == (4, 2, 5)
    assert layer.output_dense.kernel.shape == (2, 5, 2, 7)


def test_masks_of_the_inputs_are_used_and_that_of_the_query_passes():
    layer = L.MultiHeadAttention(2, 3)
    query, value = array(2, 3, 6), array(2, 5, 6)
    query[~QUERIES], value[~KEYS] = 9, 9
    masked = [L.Masking(9.0)(a) for a in (query, value)]
    y = layer(*masked)
    assert (y._keras_mask.numpy() == QUERIES).all()
    pairs = tf.constant(QUERIES[:, :, None] & KEYS[:, None])
    query, value = query * QUERIES[..., None], value * KEYS[..., None]
    assert_close(y, layer(query, value, attention_mask=pairs))


@each_kind
def test_dropout_acts_in_training_only(kind):
    layer, x = MAKERS[kind](dropout=0.5, seed=1), array(2, 6, 4)
    calm = layer(x, x)
    assert_close(layer(x, x, training=False), calm)
    first, second = layer(x, x, training=True), layer(x, x, training=True)
    assert not np.allclose(first, calm)
    assert not np.allclose(first, second)
    assert len(layer.variables) == len(layer.weights) + 1


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "float64"])
@pytest.mark.parametrize("kind", [*MAKERS, "dot", "additive"])
def test_policy_decides_dtypes(kind, policy):
    makers = {**MAKERS, "dot": L.Attention, "additive": L.AdditiveAttention}
    layer, plain = makers[kind](dtype=policy), makers[kind]()
    query, value = array(2, 3, 6), array(2, 5, 6)
    given = (query, value) if kind in MAKERS else ([query, value],)
    expected = plain(*given)
    layer(*given)
    layer.set_weights(plain.get_weights())
    y = layer(*given)
    assert y.dtype.name == layer.compute_dtype
    wide = "bfloat16" if "bfloat16" in policy else "float16" if "16" in policy else "float32"
    assert_close(y, expected, wide)


@each_kind
def test_gradients_reach_all_weights_and_tf_function_agrees(kind):
    layer, x = MAKERS[kind](use_gate=True), tf.constant(array(2, 3, 6))
    y = layer(x, x, use_causal_mask=True)
    assert_close(tf.function(lambda t: layer(t, t, use_causal_mask=True))(x), y)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, x, use_causal_mask=True) ** 2)
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.isfinite(gradient.numpy()).all()


# ---- one head without projections ---

SCORES = {
    "dot": (L.Attention, {}, lambda q, k, w: q @ k.transpose(0, 2, 1)),
    "scaled": (L.Attention, {"use_scale": True}, lambda q, k, w: w[0] * (q @ k.transpose(0, 2, 1))),
    "concat": (
        L.Attention,
        {"score_mode": "concat", "use_scale": True},
        lambda q, k, w: w[1] * np.tanh(w[0] * (q[:, :, None] + k[:, None])).sum(-1),
    ),
    "additive": (
        L.AdditiveAttention,
        {},
        lambda q, k, w: (w[0] * np.tanh(q[:, :, None] + k[:, None])).sum(-1),
    ),
    "plain": (
        L.AdditiveAttention,
        {"use_scale": False},
        lambda q, k, w: np.tanh(q[:, :, None] + k[:, None]).sum(-1),
    ),
}


@pytest.mark.parametrize("mode", SCORES)
@pytest.mark.parametrize("masked", [False, True])
def test_single_head_scores(mode, masked):
    make, settings, scores = SCORES[mode]
    layer = make(**settings)
    query, value, key = array(2, 3, 4), array(2, 5, 6), array(2, 5, 4)
    layer.build([query.shape, value.shape, key.shape])
    for w in layer.weights:
        w.assign(array(*w.shape) if w.shape else np.float32(0.7))
    mask = [tf.constant(QUERIES), tf.constant(KEYS)] if masked else None
    y, weights = layer(
        [query, value, key], mask=mask, return_attention_scores=True, use_causal_mask=masked
    )
    expected = scores(query, key, layer.get_weights())
    if masked:
        expected = np.where(KEYS[:, None] & CAUSAL, expected, -1e9)
    expected = softmax(expected)
    assert_close(weights, expected, "float32")
    output = expected @ value * (QUERIES[..., None] if masked else 1)
    assert_close(y, output, "float32")
    config = json.loads(json.dumps(layer.get_config()))
    assert make.from_config(config).get_config() == layer.get_config()
    assert_close(tf.function(lambda: layer([query, value, key]))(), layer([query, value, key]))


@pytest.mark.parametrize("make", [L.Attention, L.AdditiveAttention])
def test_single_head_dropout_masks_and_symbols(make):
    layer, x = make(dropout=0.5, seed=1), array(2, 5, 4)
    assert_close(layer([x, x]), layer([x, x], training=False))
    assert not np.allclose(layer([x, x], training=True), layer([x, x], training=True))
    assert layer([tf.keras.Input((None, 4)), tf.keras.Input((5, 4))]).shape == (None, None, 4)
    x[~KEYS] = 9
    masked = L.Masking(9.0)(x)
    assert (layer([masked, masked])._keras_mask.numpy() == KEYS).all()


X = np.zeros((2, 3, 4), np.float32)
ERRORS = [
    (lambda: L.MultiHeadAttention(0, 3), "`num_heads` must be a positive integer; got 0"),
    (lambda: L.MultiHeadAttention(2, 0), "`key_dim` must be a positive integer; got 0"),
    (lambda: L.MultiHeadAttention(2, 3, dropout=1.0), r"`dropout` must be a number in \[0, 1\)"),
    (
        lambda: L.MultiHeadAttention(2, 3, dropout=0.1, flash_attention=True),
        "`flash_attention` must not be combined with dropout",
    ),
    (lambda: L.MultiHeadAttention(2, 3, sliding_window=0), "`sliding_window` must be a positive"),
    (lambda: L.MultiHeadAttention(2, 3)(X, X, X[:, :2]), "same axes but the last; got value"),
    (
        lambda: L.MultiHeadAttention(2, 3, attention_axes=3)(X, X),
        r"`attention_axes` must lie in \[1, 1\]",
    ),
    (lambda: L.GroupQueryAttention(3, 4, 3), "must divide `num_query_heads`; got 3 and 4"),
    (lambda: L.GroupQueryAttention(3, 4, 2)(X[0], X[0]), "must have 3 axes; got 2"),
    (lambda: L.Attention(score_mode="cosine"), "`score_mode` must be one of"),
    (lambda: L.Attention()(X), "`inputs` must be a list"),
    (lambda: L.Attention()([X]), "got a list of 1"),
    (lambda: L.Attention()([X, X], mask=tf.ones((2, 3), bool)), "`mask` must be a list"),
]


@pytest.mark.parametrize(("make", "message"), ERRORS, ids=[row[1] for row in ERRORS])
def test_messages(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_grouped_queries_that_are_masked_see_all_keys_alike():
    layer = L.GroupQueryAttention(3, 4, 2)
    x = RNG.normal(size=(1, 3, 6)).astype(np.float32)
    nowhere = x * np.array([[[1], [0], [1]]], np.float32)  # without bias, it matches all alike
    y = layer(x, x, query_mask=np.array([[True, False, True]]))
    assert_close(y, layer(nowhere, x))


def test_additive_attention_wants_a_list():
    with pytest.raises(ValueError, match=r"`inputs` must be a list"):
        L.AdditiveAttention()(X)


@each_kind
def test_later_calls_need_a_key_for_each_value_too(kind):
    layer, x = MAKERS[kind](), array(2, 3, 6)
    layer(x, x)
    with pytest.raises(ValueError, match="value and key must have the same axes but the last"):
        layer(x, array(2, 5, 6), array(2, 4, 6))


@pytest.mark.parametrize("kind", ["MultiHeadAttention", "GroupQueryAttention"])
def test_subclasses_may_say_how_heads_attend(kind):
    class Mean(getattr(tf.keras.layers, kind)):
        def _compute_attention(
            self,
            query,
            key,
            value,
            attention_mask=None,
            training=None,
            **kwargs,
        ):
            seen.append(attention_mask.shape)
            means = tf.reduce_mean(value, axis=1, keepdims=True) + 0.0 * query
            return means, None

    seen = []
    settings = (
        {"num_heads": 2, "key_dim": 3}
        if kind[0] == "M"
        else {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 2}
    )
    x = tf.random.normal((2, 4, 5))
    found = Mean(**settings)(x, x, use_causal_mask=True)
    assert [s.as_list()[-2:] for s in seen] == [[4, 4]]
    assert_close(found[:, 0], found[:, 3])


def test_subclasses_find_the_projections_under_keras_names():
    class Cached(tf.keras.layers.MultiHeadAttention):
        def call(self, query, value):
            q, k, v = self._query_dense(query), self._key_dense(value), self._value_dense(value)
            assert q.shape[-2:] == (self._num_heads, self._key_dim)
            heads, _ = self._compute_attention(q, k, v)
            return self._output_dense(heads)

    x = tf.random.normal((2, 4, 5))
    layer = Cached(2, 3)
    found = layer(x, x)
    plain = tf.keras.layers.MultiHeadAttention(2, 3)
    plain(x, x)
    plain.set_weights(layer.get_weights())
    assert_close(found, plain(x, x))
    assert len(layer.weights) == 8


def test_a_grouped_subclass_gets_the_weights_of_its_hook():
    class Same(tf.keras.layers.GroupQueryAttention):
        def _compute_attention(self, query, key, value, attention_mask=None, training=None):
            return super()._compute_attention(query, key, value, attention_mask, training)

    x = tf.random.normal((2, 4, 5))
    settings = {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 2}
    layer, plain = Same(**settings), tf.keras.layers.GroupQueryAttention(**settings)
    layer(x, x)
    plain(x, x)
    plain.set_weights(layer.get_weights())
    found, wanted = (each(x, x, return_attention_scores=True) for each in (layer, plain))
    assert_close(found[1], wanted[1])
    assert_close(layer(x, x), wanted[0])
