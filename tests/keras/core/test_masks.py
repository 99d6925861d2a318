"""Masks survive operators, merging layers and nested models, and reach who needs them."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

layers = tf.keras.layers
IDS = np.array([[1, 2, 0, 0], [3, 0, 0, 0]])
MASK = IDS != 0


def embedded():
    return layers.Embedding(5, 3, mask_zero=True)(IDS)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x * 1.0,
        lambda x: 1.0 - x / 2.0,
        lambda x: x + x,
        lambda x: x * np.ones(3, "float32"),
        lambda x: tf.maximum(tf.nn.relu(x), tf.tanh(x)),
        lambda x: tf.cast(x, tf.float16),
        lambda x: tf.matmul(x, tf.ones([3, 5])),
        lambda x: tf.concat([x, x], axis=-1),
        lambda x: layers.Add()([x, x * 2.0]),
        lambda x: tf.keras.Sequential([layers.Dense(2), layers.ReLU()])(x * 2.0),
        lambda x: layers.Lambda(lambda v: v * 2.0)(x),
        tf.stop_gradient,
    ],
)
def test_masks_survive(fn):
    np.testing.assert_array_equal(fn(embedded())._keras_mask.numpy(), MASK)


@pytest.mark.parametrize(
    "fn",
    [
        lambda x: tf.reduce_mean(x, axis=1),
        lambda x: tf.transpose(x, [1, 0, 2]),
        lambda x: tf.reshape(x, [2, 12]),
        lambda x: tf.matmul(x, x, transpose_b=True),
        lambda x: tf.concat([x, x], axis=1),
    ],
)
def test_masks_end_where_the_steps_are_others(fn):
    assert fn(embedded())._keras_mask is None


def test_a_step_counts_that_counts_in_one_operand():
    x, y = (
        embedded(),
        layers.Masking()(tf.constant(np.ones([2, 4, 3], "float32") * (IDS == 0)[..., None])),
    )
    np.testing.assert_array_equal((x + y)._keras_mask.numpy(), np.ones([2, 4], bool))


@pytest.mark.parametrize("kind", ["subclass", "functional"])
def test_operators_between_embedding_and_lstm_keep_the_padding_out(kind):
    embedding, lstm = layers.Embedding(5, 3, mask_zero=True), layers.LSTM(2)
    if kind == "functional":
        ids = tf.keras.Input([4], dtype="int32")
        model = tf.keras.Model(ids, lstm(embedding(ids) * 2.0 + 1.0))
    else:

        class Tagger(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.embedding, self.lstm = embedding, lstm

            def call(self, ids):
                return self.lstm(self.embedding(ids) * 2.0 + 1.0)

        model = Tagger()
    wanted = lstm(embedding(IDS).numpy() * 2.0 + 1.0, mask=MASK)
    np.testing.assert_allclose(model(IDS).numpy(), wanted.numpy(), rtol=1e-6)
    np.testing.assert_allclose(tf.function(model)(IDS).numpy(), wanted.numpy(), rtol=1e-6)


class _Weighing(tf.keras.layers.Layer):
    def call(self, inputs, mask=None):
        return inputs * tf.cast(mask[..., tf.newaxis], inputs.dtype)


class _Twice(tf.keras.layers.Layer):
    supports_masking = True

    def call(self, inputs):
        return inputs * 2.0


def test_a_layer_that_needs_its_mask_is_called_in_a_functional_model():
    inputs = tf.keras.Input((None,), dtype="int32")
    embedded = tf.keras.layers.Embedding(10, 4, mask_zero=True)(inputs)
    outputs = _Weighing()(_Twice()(embedded + 1.0))
    model = tf.keras.Model(inputs, outputs)
    found = model(np.array([[1, 0, 2]])).numpy()
    assert (found[0, 1] == 0).all()
    assert (found[0, 0] != 0).any()


def test_symbols_know_whether_they_are_masked():
    inputs = tf.keras.Input((None,), dtype="int32")
    x = tf.keras.layers.Embedding(10, 4, mask_zero=True)(inputs)
    assert tuple(x._keras_mask.shape) == (None, None)
    assert x._keras_mask.dtype is tf.bool
    assert _Twice()(x)._keras_mask is not None
    assert tf.keras.layers.MultiHeadAttention(2, 4)(x, x)._keras_mask is not None
    assert tf.keras.layers.LSTM(3)(x)._keras_mask is None
    plain = tf.keras.layers.Embedding(10, 4)(inputs)
    assert plain._keras_mask is None


def test_a_mask_that_a_symbol_carries_may_be_passed_by_hand():
    inputs = tf.keras.Input((None,), dtype="int32")
    x = tf.keras.layers.Embedding(10, 4, mask_zero=True)(inputs)
    lstm = tf.keras.layers.LSTM(3)
    model = tf.keras.Model(inputs, [lstm(x, mask=x._keras_mask), lstm(x)])
    by_hand, by_itself = model(np.array([[1, 2, 0]]))
    assert_close(by_hand, by_itself)


class Doubled(layers.Layer):
    """A layer of operators that keep masks, which says otherwise."""

    def __init__(self, change):
        super().__init__()
        self.supports_masking = True
        self.change = change

    def call(self, inputs):
        return inputs * 2.0 + inputs[:, ::-1] * 0.0

    def compute_mask(self, inputs, mask=None):
        return self.change(mask)


@pytest.mark.parametrize("change", [lambda mask: None, tf.logical_not])
def test_what_compute_mask_says_goes_before_what_operators_carry(change):
    wanted = change(tf.constant(MASK))
    found = Doubled(change)(embedded())._keras_mask
    assert (found is None) == (wanted is None)
    if wanted is not None:
        assert found.numpy().tolist() == wanted.numpy().tolist()


def test_features_of_one_masked_and_one_whole_input_are_all_kept():
    x = embedded()
    joined = layers.Concatenate()([x, tf.ones_like(x)])
    assert joined._keras_mask.numpy().all()


def test_the_mask_of_a_symbol_is_part_of_the_graph(tmp_path):
    x = tf.keras.Input((4,), dtype="int32")
    y = layers.Dense(2)(layers.Embedding(5, 3, mask_zero=True)(x))
    weight = tf.cast(y._keras_mask, "float32")[:, :, None]
    mean = tf.reduce_sum(y * weight, axis=1) / tf.reduce_sum(weight, axis=1)
    model = tf.keras.Model(x, [mean, y._keras_mask])
    found, mask = model(IDS)
    assert mask.numpy().tolist() == MASK.tolist()
    assert_close(found[1], model.layers[2](model.layers[1](IDS))[1, 0])
    model.save(tmp_path / "m.keras")
    loaded = tf.keras.models.load_model(tmp_path / "m.keras")
    assert_close(loaded(IDS)[0], found)
    assert tf.keras.models.clone_model(model)(IDS)[1].numpy().tolist() == MASK.tolist()
