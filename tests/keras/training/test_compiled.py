"""Losses and metrics of compile, over one output and several; the numbers are worked by hand."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras.training.compiled import CompileLoss, CompileMetrics

A = tf.constant([[1.0], [2.0]])
B = tf.constant([[0.0], [4.0]])
ZERO = tf.zeros([2, 1])


def number(value):
    return float(value)


def test_one_loss_for_one_output():
    assert number(CompileLoss("mse")(ZERO, A)) == 2.5


def test_one_name_serves_all_outputs_and_each_is_tracked():
    loss = CompileLoss("mse", output_names=["a", "b"])
    assert number(loss([ZERO, ZERO], [A, B])) == 10.5
    assert {m.name: number(m.result()) for m in loss.metrics} == {"a_loss": 2.5, "b_loss": 8.0}


@pytest.mark.parametrize("weights", [[2.0, 0.5], {"a": 2.0, "b": 0.5}])
@pytest.mark.parametrize("losses", [["mse", "mae"], {"a": "mse", "b": "mae"}])
def test_lists_and_dicts_by_output_name(losses, weights):
    loss = CompileLoss(losses, weights, output_names=["a", "b"])
    assert number(loss([ZERO, ZERO], [A, B])) == 6.0


def test_a_dict_of_outputs_takes_a_dict_of_targets():
    loss = CompileLoss({"p": "mse", "q": "mae"})
    assert number(loss({"q": ZERO, "p": ZERO}, {"p": A, "q": B})) == 4.5


def test_an_output_without_a_loss_needs_no_target():
    loss = CompileLoss({"p": "mse"})
    assert number(loss({"p": ZERO}, {"p": A, "q": B})) == 2.5
    assert loss.metrics == []


def test_sample_weights_by_output_or_one_for_all():
    weights = tf.constant([2.0, 0.0])
    loss = CompileLoss("mse", output_names=["a", "b"])
    assert number(loss([ZERO, ZERO], [A, B], [weights, None])) == 9.0
    assert number(loss([ZERO, ZERO], [A, B], weights)) == 1.0


@pytest.mark.parametrize(
    ("loss", "weights", "target", "message"),
    [
        ({"zz": "mse"}, None, [ZERO, ZERO], "which the model does not have"),
        (["mse"] * 3, None, [ZERO, ZERO], "one entry for each of the 2 outputs"),
        ("mse", None, [ZERO], "must match the model's 2 outputs"),
        ("mse", None, None, "the loss needs targets"),
    ],
)
def test_what_does_not_match_is_named(loss, weights, target, message):
    with pytest.raises(ValueError, match=message):
        CompileLoss(loss, weights, output_names=["a", "b"])(target, [A, B])


def test_loss_weights_of_another_length_are_named():
    with pytest.raises(ValueError, match=r"one number for each of the 1 outputs; got \[1.0, 2.0\]"):
        CompileLoss("mse", [1.0, 2.0])(ZERO, A)


def test_an_unknown_loss_is_an_error_of_compile():
    with pytest.raises(ValueError, match="nope"):
        CompileLoss("nope")


def results(metrics, y_true, y_pred, weight=None, weighted=None, names=None):
    found = CompileMetrics(metrics, weighted, output_names=names)
    found.update_state(y_true, y_pred, weight)
    return {k: round(number(v), 4) for k, v in found.result().items()}


def test_names_stay_as_given_and_doubles_are_numbered():
    assert results(["mae", "mse", "mae"], ZERO, A) == {"mae": 1.5, "mse": 2.5, "mae_1": 1.5}


def test_weighted_metrics_that_share_a_name_say_so():
    weight = tf.constant([1.0, 0.0])
    found = results(["mae"], ZERO, A, weight, weighted=["mae", "mse"])
    assert found == {"mae": 1.5, "weighted_mae": 1.0, "mse": 1.0}


@pytest.mark.parametrize(
    "metrics", [[["mae"], ["mse"]], {"a": ["mae"], "b": "mse"}, ["mae", "mse"]]
)
def test_several_outputs_prefix_their_names(metrics):
    found = results(metrics, [ZERO, ZERO], [A, B], names=["a", "b"])
    assert found == {"a_mae": 1.5, "b_mse": 8.0}


@pytest.mark.parametrize(
    ("y_true", "y_pred", "kind"),
    [
        ([[1.0], [0.0]], [[0.9], [0.8]], "binary"),
        ([[1], [0]], [[0.1, 0.9], [0.2, 0.8]], "sparse"),
        ([1, 0], [[0.1, 0.9], [0.2, 0.8]], "sparse"),
        ([[0.0, 1.0], [1.0, 0.0]], [[0.1, 0.9], [0.2, 0.8]], "categorical"),
    ],
)
def test_accuracy_fits_itself_to_the_shapes(y_true, y_pred, kind):
    found = results(["accuracy", "acc"], tf.constant(y_true), tf.constant(y_pred))
    assert found == {"accuracy": 0.5, "acc": 0.5}, kind


def test_functions_are_averaged_under_their_name():
    def largest(y_true, y_pred):
        return tf.reduce_max(y_pred)

    assert results([largest], ZERO, A) == {"largest": 2.0}


def test_reset_state_starts_anew():
    metrics = CompileMetrics(["mae"])
    metrics.update_state(ZERO, A)
    metrics.reset_state()
    assert number(metrics.result()["mae"]) == 0.0
    np.testing.assert_array_equal([v.numpy() for v in metrics.variables], [0.0, 0.0])
