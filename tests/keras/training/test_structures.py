"""compile's losses and metrics in the structure of the outputs, and the state as a tree."""

from collections import namedtuple

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers
from lamina.keras.training.compiled import CompileLoss, CompileMetrics

A = tf.constant([[1.0], [2.0]])
B = tf.constant([[0.0], [4.0]])
ZERO = tf.zeros([2, 1])


def _names(loss):
    return [m.name for m in loss.metrics]


def test_several_losses_for_one_output():
    loss = CompileLoss(["mse", ["mae", "mse"]], output_names=["a", "b"])
    assert float(loss([ZERO, ZERO], [A, B])) == 2.5 + 2.0 + 8.0
    assert _names(loss) == ["a_loss", "b_loss", "b_loss"]


def test_nested_outputs_take_nested_losses():
    loss = CompileLoss({"p": ["mae", "mse"], "q": {"r": "mae"}})
    outputs = {"p": [A, B], "q": {"r": B, "s": A}}
    targets = {"p": (ZERO, ZERO), "q": {"r": ZERO, "s": ZERO}}
    assert float(loss(targets, outputs)) == 1.5 + 8.0 + 2.0
    assert _names(loss) == ["p/mae_loss", "p/mse_loss", "q/r_loss"]


def test_a_loss_of_several_outputs_gets_their_structure():
    pair = namedtuple("pair", ["left", "right"])

    def apart(y_true, y_pred):
        assert type(y_true) is pair
        return tf.abs(y_pred.left - y_pred.right)

    loss = CompileLoss({"both": apart, "one": "mae"})
    total = loss({"both": pair(ZERO, ZERO), "one": ZERO}, {"both": pair(A, B), "one": A})
    assert float(total) == 1.5 + 1.5
    assert _names(loss) == ["both_loss", "one_loss"]


def test_targets_for_outputs_with_a_loss_alone():
    loss = CompileLoss([None, "mae", "mse"])
    assert float(loss([ZERO, ZERO], [A, B, A])) == 2.0 + 2.5


def test_one_target_for_a_dict_with_one_output():
    assert float(CompileLoss("mae")(ZERO, {"only": A})) == 1.5


def test_a_loss_where_the_outputs_have_none_is_a_key_error():
    with pytest.raises(KeyError, match="an entry at 'z'"):
        CompileLoss({"p": "mse", "z": "mse"})({"p": ZERO, "z": ZERO}, {"p": A, "q": B})


def test_loss_weights_may_be_arrays():
    loss = CompileLoss({"p": "mae", "q": "mae"}, {"p": np.array([1.0, 3.0]), "q": 2.0})
    np.testing.assert_allclose(loss({"p": ZERO, "q": ZERO}, {"p": A, "q": B}), [5.5, 8.5])


def test_crossentropy_fits_itself_to_the_shapes():
    probabilities = tf.constant([[0.5, 0.5], [0.25, 0.75]])
    sparse = CompileLoss("crossentropy")(tf.constant([[0], [1]]), probabilities)
    categorical = CompileLoss("ce")(tf.constant([[1.0, 0.0], [0.0, 1.0]]), probabilities)
    np.testing.assert_allclose(sparse, categorical, rtol=1e-6)


def test_outputs_without_names_are_called_by_their_losses():
    class Twice(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            y = self.dense(x)
            return [y, y]

    model = Twice()
    model.compile("sgd", loss=["mse", "mae"], metrics=[["mae"], ["mae"]])
    history = model.fit(A, [ZERO, ZERO], verbose=0).history
    assert set(history) == {"loss", "mse_loss", "mae_loss", "mae", "mae_1"}


def test_metrics_in_nested_structures():
    metrics = CompileMetrics({"p": ["mae", "mse"], "q": {"r": "mae"}})
    outputs = {"p": [A, B], "q": {"r": B}}
    metrics.update_state({"p": [ZERO, ZERO], "q": {"r": ZERO}}, outputs)
    assert {k: float(v) for k, v in metrics.result().items()} == {
        "mae": 1.5,
        "mse": 8.0,
        "mae_1": 2.0,
    }


def _model():
    dense = layers.Dense(1, name="d")
    model = tf.keras.Sequential([tf.keras.Input((1,)), dense], name="m")
    model.compile(tf.keras.optimizers.Adam(name="opt"), "mse")
    return model


def test_a_state_tree_restores_weights_optimizer_and_metrics():
    first, second = _model(), _model()
    first.fit(A, B, verbose=0)
    tree = first.get_state_tree("numpy_array")
    assert sorted(tree["trainable_variables"]["m"]["d"]) == ["bias", "kernel"]
    assert tree["metrics_variables"]["loss"]["count"] == 2.0
    second.set_state_tree(tree)
    for a, b in zip(first.optimizer.variables, second.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(first(A), second(A))


def test_a_state_tree_needs_paths_of_their_own():
    class Same(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = layers.Dense(1, name="x"), layers.Dense(1, name="x")

        def call(self, x):
            return self.b(self.a(x))

    model = Same()
    model(A)
    with pytest.raises(ValueError, match="two have 'same/x/kernel'"):
        model.get_state_tree()


def test_wrong_formats_and_trees_are_named():
    with pytest.raises(ValueError, match="`value_format` must be one of"):
        _model().get_state_tree("json")
    with pytest.raises(ValueError, match=r"got \['weights'\]"):
        _model().set_state_tree({"weights": {}})
