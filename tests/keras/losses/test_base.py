"""What all losses share: reductions, weights, masks, dtypes, configs, names."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

Y = np.array([[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]], "float32")
P = np.array([[1.0, 1.0], [0.0, 3.0], [1.0, 4.0]], "float32")
VALUES = np.array([0.5, 2.0, 4.5])  # of the mean squared error
WEIGHTS = np.array([1.0, 0.0, 2.0], "float32")


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted"),
    [
        ("sum_over_batch_size", 7.0 / 3, 9.5 / 3),
        ("auto", 7.0 / 3, 9.5 / 3),
        ("mean", 7.0 / 3, 9.5 / 3),
        ("sum", 7.0, 9.5),
        ("mean_with_sample_weight", 7.0 / 3, 9.5 / 3.0),
        ("none", VALUES, VALUES * WEIGHTS),
        (None, VALUES, VALUES * WEIGHTS),
    ],
)
def test_reduction(reduction, plain, weighted):
    loss = tf.keras.losses.MeanSquaredError(reduction)
    assert_close(loss(Y, P), plain)
    assert_close(loss(Y, P, sample_weight=WEIGHTS), weighted)


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [("sum_over_batch_size", 2.5), ("sum", 5.0), ("mean_with_sample_weight", 2.5)],
)
def test_masked_values_do_not_count(reduction, expected):
    predictions = tf.constant(P)
    predictions._keras_mask = tf.constant([True, False, True])
    loss = tf.keras.losses.MeanSquaredError(reduction)
    assert_close(loss(Y, predictions), expected)
    doubled = loss(Y, predictions, sample_weight=[2.0, 2.0, 2.0])
    assert_close(doubled, expected * (1 if reduction == "mean_with_sample_weight" else 2))


@pytest.mark.parametrize("shape", [(), (2,), (1,), (2, 1)])
def test_weights_broadcast_with_the_values(shape):
    y = np.ones((2, 2, 3), "float32")
    loss = tf.keras.losses.MeanAbsoluteError("none")
    weights = np.full(shape, 3.0, "float32")
    assert_close(loss(y, 2 * y, sample_weight=weights), np.full((2, 2), 3.0))


def test_weights_that_do_not_fit_are_refused():
    y = tf.ones((3, 2, 4))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`sample_weight` must broadcast"):
        tf.keras.losses.MeanSquaredError()(y, y, sample_weight=tf.ones((3,)))


@pytest.mark.parametrize(("true", "predicted"), [((4,), (4, 1)), ((4, 1), (4,)), ((4, 1), (4, 1))])
def test_a_last_axis_of_size_one_does_not_broadcast(true, predicted):
    y = np.arange(4.0, dtype="float32")
    values = tf.keras.losses.MeanSquaredError("none")(y.reshape(true), y.reshape(predicted))
    assert_close(values, np.zeros(4))


def test_all_weights_zero_gives_zero():
    loss = tf.keras.losses.MeanSquaredError("mean_with_sample_weight")
    assert_close(loss(Y, P, sample_weight=np.zeros(3, "float32")), 0.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_dtype_is_that_of_the_result(dtype):
    loss = tf.keras.losses.MeanSquaredError(dtype=dtype)
    assert loss.dtype == dtype
    assert_close(loss(Y.astype("int32"), P), 7.0 / 3, dtype)


def test_lists_of_numbers_are_tensors_and_nests_are_not():
    assert_close(tf.keras.losses.MeanSquaredError()([[1.0, 2.0]], [[1.0, 4.0]]), 2.0)

    class Both(tf.keras.losses.Loss):
        def call(self, y_true, y_pred):
            return sum(tf.reduce_sum(y_true[key] * y_pred[key], -1) for key in sorted(y_true))

    assert_close(Both()({"a": Y, "b": Y}, {"a": P, "b": P}), 2 * np.mean(np.sum(Y * P, -1)))


def test_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match=r"`reduction` must be one of .* got 'most'"):
        tf.keras.losses.MeanSquaredError("most")


def test_a_loss_without_call_says_so():
    with pytest.raises(NotImplementedError, match="needs a method `call"):
        tf.keras.losses.Loss()([1.0], [1.0])


class Cubed(tf.keras.losses.Loss):
    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * tf.reduce_mean(tf.abs(y_true - y_pred) ** 3, axis=-1)


def test_a_users_loss_has_name_config_and_copy():
    loss = Cubed(2.0, reduction="sum")
    assert (loss.name, Cubed().name) == ("cubed", "cubed_1")
    assert loss.get_config() == {"factor": 2.0, "name": "cubed", "reduction": "sum"}
    assert_close(Cubed.from_config(loss.get_config())(Y, P), loss(Y, P))


def test_function_wrapper_hands_on_its_options():
    loss = tf.keras.losses.LossFunctionWrapper(tf.keras.losses.huber, delta=2.0)
    assert loss.name == "huber"
    assert_close(loss(Y, P), tf.keras.losses.Huber(2.0)(Y, P))


def test_gradients_reach_the_predictions():
    predictions = tf.constant(P)
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        value = tf.keras.losses.MeanSquaredError()(Y, predictions, sample_weight=WEIGHTS)
    assert_close(tape.gradient(value, predictions), (P - Y) * WEIGHTS[:, None] / 3)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("mse", tf.keras.losses.mean_squared_error),
        ("MSE", tf.keras.losses.mean_squared_error),
        ("kullback_leibler_divergence", tf.keras.losses.kl_divergence),
        (None, None),
        (len, len),
    ],
)
def test_get_gives_the_function(identifier, expected):
    assert tf.keras.losses.get(identifier) is expected


@pytest.mark.parametrize(
    "identifier",
    [
        "Huber",
        tf.keras.losses.Huber,
        {"class_name": "Huber", "config": {"name": "huber_loss"}},
    ],
)
def test_get_makes_an_instance(identifier):
    assert isinstance(tf.keras.losses.get(identifier), tf.keras.losses.Huber)


def test_get_refuses_an_unknown_name():
    with pytest.raises(ValueError, match=r"got 'msq'"):
        tf.keras.losses.get("msq")


def test_docs_of_a_class_list_the_options_of_its_function():
    doc = tf.keras.losses.Huber.__doc__
    assert "delta: Error, in y's unit" in doc
    assert "'huber_loss'" in doc
    assert "y_true" not in doc
