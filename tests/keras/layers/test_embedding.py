"""Embedding and its reverse."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

TABLE = np.random.default_rng(0).normal(size=(7, 4)).astype(np.float32)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_rows_of_the_table(dtype):
    layer = L.Embedding(7, 4, weights=[TABLE])
    ids = np.array([[1, 2], [6, 0]], dtype)
    assert_close(layer(ids), TABLE[ids.astype(int)])
    assert "weights" not in layer.get_config()


def test_mask_marks_what_is_not_zero():
    ids = tf.constant([[1, 0, 2]])
    assert L.Embedding(7, 4, mask_zero=True)(ids)._keras_mask.numpy().tolist() == [
        [True, False, True]
    ]
    assert L.Embedding(7, 4)(ids)._keras_mask is None
    assert L.Embedding(7, 4, mask_zero=True).supports_masking


def test_gradient_adds_up_where_rows_repeat():
    layer = L.Embedding(7, 4, weights=TABLE)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(layer(tf.constant([1, 1, 3])))
    gradient = tf.convert_to_tensor(tape.gradient(y, layer.embeddings)).numpy()
    assert gradient.sum(1).tolist() == [0, 8, 0, 4, 0, 0, 0]


def test_mixed_precision_gives_short_rows_of_a_full_table():
    layer = L.Embedding(1000, 4, dtype="mixed_bfloat16")
    assert layer(np.array([999.0], np.float32)).dtype == tf.bfloat16
    assert layer.embeddings.dtype == tf.float32
    assert_close(layer(np.array([999.0], np.float32)), layer.embeddings.numpy()[[999]], "bfloat16")


def test_reverse_scores():
    x = np.ones((2, 3, 4), np.float32)
    layer = L.ReversibleEmbedding(7, 4, weights=[TABLE])
    assert_close(layer(x, reverse=True), x @ TABLE.T)
    capped = L.ReversibleEmbedding(7, 4, logit_soft_cap=0.5, weights=[TABLE])
    assert_close(capped(x, reverse=True), 0.5 * np.tanh(x @ TABLE.T / 0.5))
    untied = L.ReversibleEmbedding(7, 4, tie_weights=False)
    untied.build()
    assert_close(untied(x, reverse=True), x @ untied.reverse_embeddings.numpy())
    wide = L.ReversibleEmbedding(7, 4, reverse_dtype="float32", dtype="mixed_bfloat16")
    assert wide(wide(tf.constant([1])), reverse=True).dtype == tf.float32


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L.Embedding(0, 4), ValueError, "`input_dim` must be a positive integer; got 0"),
        (lambda: L.Embedding(4, 2.5), ValueError, "`output_dim` must be a positive integer"),
        (
            lambda: L.Embedding(4, 2, quantization_config="int8"),
            ValueError,
            "`quantization_config` must be a Q",
        ),
        (lambda: L.Embedding(3, 2)(tf.constant([[5]])), tf.errors.InvalidArgumentError, "5"),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match=r".") as error:
        make()
    assert message in str(error.value)


def test_scores_in_reverse_have_no_mask():
    layer = L.ReversibleEmbedding(3, 2, mask_zero=True)
    y = layer(np.array([[2, 0]]))
    assert np.array_equal(y._keras_mask, [[True, False]])
    assert layer(np.array([[[1.0, 0.0], [0.0, 0.0]]], "float32"), reverse=True)._keras_mask is None


@pytest.mark.parametrize("kind", [L.Embedding, L.ReversibleEmbedding])
def test_one_that_was_built_without_a_shape_is_built_when_it_is_loaded(kind, tmp_path):
    layer = kind(5, 2)
    layer.build()
    model = tf.keras.Sequential([layer])
    model(np.array([[1, 2]]))
    model.save(tmp_path / "m.keras")
    loaded = tf.keras.models.load_model(tmp_path / "m.keras").layers[0]
    assert loaded.built
    np.testing.assert_array_equal(loaded.embeddings, layer.embeddings)
    assert layer.get_build_config() == {"input_shape": None}


def test_the_table_of_an_untied_reversible_embedding_comes_before_its_reverse():
    layer = tf.keras.layers.ReversibleEmbedding(7, 4, tie_weights=False)
    layer.build()
    assert [w.name for w in layer.weights] == ["embeddings", "reverse_embeddings"]
    assert [w.shape for w in layer.get_weights()] == [(7, 4), (4, 7)]
