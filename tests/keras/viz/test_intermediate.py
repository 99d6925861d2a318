import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import lamina as tf
from lamina.engine import stats
from tests.keras.viz.models import ResNet

layers = tf.keras.layers
X = np.random.default_rng(0).standard_normal((2, 16, 16, 3)).astype("float32")


def test_output_of_one_layer_is_what_it_gives_in_the_call():
    model = ResNet()
    pooled = model.intermediate(X, "pool")
    assert pooled.shape == (2, 8)
    np.testing.assert_allclose(model.head(pooled), model(X), rtol=1e-5, atol=1e-6)


def test_repeats_are_a_list_in_order():
    model = ResNet()
    first, second = model.intermediate(X, "blocks[0].relu")
    block = model.intermediate(X, "blocks[0]")
    np.testing.assert_array_equal(second, block)
    assert first.shape == second.shape


def test_patterns_and_lists_give_a_dict():
    model = ResNet()
    found = model.intermediate(X, "blocks[*].conv1")
    assert list(found) == ["blocks[0].conv1", "blocks[1].conv1"]
    found = model.intermediate(X, ["stem", "blocks[*]"])
    assert list(found) == ["stem", "blocks[0]", "blocks[1]"]
    assert list(model.intermediate(X, ["stem"])) == ["stem"]


def test_runs_compiled_and_once_for_each_structure():
    model = ResNet()
    model.intermediate(X, "pool").numpy()
    before = stats.compiles
    for _ in range(3):
        model.intermediate(X, "pool").numpy()
    assert stats.compiles == before


def test_training_can_be_given():
    model = ResNet()
    at_rest, dropped = (
        model.intermediate(X, "drop", training=flag).numpy() for flag in (False, True)
    )
    assert (dropped == 0).mean() > (at_rest == 0).mean()


def test_functional_and_sequential_models_go_by_names():
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, layers.Dense(2)(layers.Dense(3, name="hidden")(x)))
    assert model.intermediate(np.ones((5, 4), "float32"), "hidden").shape == (5, 3)
    model = tf.keras.Sequential([layers.Dense(3, name="hidden"), layers.Dense(2)])
    assert model.intermediate(np.ones((5, 4), "float32"), "layers[0]").shape == (5, 3)


def test_layers_made_in_build_are_found_on_a_model_that_was_never_called():
    class Late(tf.keras.Model):
        def build(self, input_shape):
            self.dense = layers.Dense(input_shape[-1])

        def call(self, x):
            return self.dense(x)

    assert Late().intermediate(np.ones((2, 3), "float32"), "dense").shape == (2, 3)


def test_structures_come_as_they_are():
    class Pair(layers.Layer):
        def call(self, x):
            return {"twice": x * 2.0, "same": x}

    class Model(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.pair = Pair()

        def call(self, x):
            return self.pair(x)["twice"]

    found = Model().intermediate(np.ones((1, 2), "float32"), "pair")
    np.testing.assert_array_equal(found["twice"], [[2, 2]])
    np.testing.assert_array_equal(found["same"], [[1, 1]])


def test_wrong_path_lists_what_there_is():
    with pytest.raises(ValueError, match=r"no layer's path fits 'blocks\[9\]'") as caught:
        ResNet().intermediate(X, "blocks[9]")
    assert "stem, blocks[0], blocks[0].conv1" in str(caught.value)


def test_layer_that_is_not_called():
    with pytest.raises(ValueError, match="the layer 'spare' is not called for these inputs"):
        ResNet().intermediate(X, "spare")


def test_layer_inside_a_loop():
    class Cell(layers.GRUCell):
        def call(self, inputs, states, training=None):
            return super().call(inputs * 2.0, states, training=training)

    model = tf.keras.Sequential([layers.RNN(Cell(3), name="rnn")])
    with pytest.raises(ValueError, match=r"'rnn.cell' is called inside a loop or branch"):
        model.intermediate(np.ones((2, 4, 3), "float32"), "rnn.cell")


def test_copies_and_files_leave_the_compiled_functions_behind():
    model = ResNet()
    pooled = model.intermediate(X, "pool").numpy()
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.intermediate(X, "pool").numpy(), pooled)
    assert copy.deepcopy(model).intermediate(X, "pool").shape == (2, 8)


def test_the_model_is_not_kept_alive():
    model = ResNet()
    model.intermediate(X, "pool")
    kept = weakref.ref(model)
    del model
    gc.collect()
    assert kept() is None
