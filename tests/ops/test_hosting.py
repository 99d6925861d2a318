"""Python functions as operations: tf.py_function, tf.numpy_function."""

import numpy as np
import pytest

import lamina as tf


def test_py_function_gets_tensors_with_values():
    y = tf.py_function(lambda x: x if float(x[0]) > 0 else -x, [[-1.0, 2.0]], tf.float32)
    assert y.numpy().tolist() == [1.0, -2.0]


def test_results_are_as_tout_says():
    x = tf.constant([1.0])
    assert isinstance(tf.py_function(lambda x: x, [x], [tf.float32]), list)
    assert tf.py_function(lambda x: None, [x], []) == []
    assert tf.py_function(lambda x: 3, [x], tf.float32).dtype is tf.float32
    both = tf.py_function(lambda x: (x, x), [x], (tf.float32, tf.float32))
    assert [t.numpy().tolist() for t in both] == [[1.0], [1.0]]


def test_decorator():
    @tf.py_function(Tout=tf.float32)
    def add(x, y=2.0):
        return x + y

    assert add(tf.constant(1.0)).numpy() == 3.0
    assert add.__name__ == "add"
    with pytest.raises(TypeError, match="unexpected keyword"):
        add(tf.constant(1.0), y=1.0)


def test_py_function_in_a_tf_function_has_gradients():
    @tf.function
    def loss(x):
        y = tf.py_function(lambda a: a * a if float(a[0]) > 0 else a, [x], tf.float32)
        return tf.reduce_sum(y)

    x = tf.constant([1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    assert value.numpy() == 5.0
    assert tape.gradient(value, x).numpy().tolist() == [2.0, 4.0]


def test_a_tf_function_calls_it_each_time():
    seen = []

    @tf.function
    def step(x):
        tf.py_function(lambda v: seen.append(float(v)), [x], [])
        return x + 1.0

    step(tf.constant(1.0))
    step(tf.constant(2.0))
    assert seen == [1.0, 2.0]


def test_numpy_function_has_no_gradient():
    x = tf.constant([1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.numpy_function(lambda a: a * 2, [x], tf.float32)
    assert y.numpy().tolist() == [2.0]
    assert tape.gradient(y, x) is None


def test_one_result_of_a_list_is_a_list_in_functions_only():
    double = lambda a: a * 2  # noqa: E731
    assert tf.numpy_function(double, [tf.constant([1.0])], [tf.float32]).shape == (1,)
    inside = tf.function(lambda x: tf.numpy_function(double, [x], [tf.float32])[0])
    assert inside(tf.constant([1.0])).numpy().tolist() == [2.0]


def test_numpy_function_checks_dtypes_in_functions():
    inside = tf.function(lambda x: tf.numpy_function(lambda a: a.astype("f8"), [x], tf.float32))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must return float32"):
        inside(tf.constant([1.0]))


def test_map():
    data = tf.data.Dataset.from_tensor_slices([1.0, 2.0, 3.0])
    mapped = data.map(lambda x: tf.py_function(lambda v: v * v, [x], tf.float32)).batch(3)
    assert next(iter(mapped)).numpy().tolist() == [1.0, 4.0, 9.0]


def test_map_gives_strings_as_bytes():
    data = tf.data.Dataset.from_tensor_slices(["a", "bb"])
    mapped = data.map(lambda s: tf.numpy_function(lambda b: len(b.decode()), [s], tf.int64))
    assert list(mapped.as_numpy_iterator()) == [1, 2]


def test_fit_with_a_numpy_metric():
    def mean_of(y_true, y_pred):
        return tf.numpy_function(lambda a, b: np.float32(a.mean()), [y_true, y_pred], tf.float32)

    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[mean_of])
    history = model.fit(np.ones((4, 2)), np.full((4, 1), 3.0), verbose=0)
    assert history.history["mean_of"] == [3.0]


@pytest.mark.parametrize(
    ("function", "error", "match"),
    [
        (lambda x: tf.cast(x, tf.int32), tf.errors.InvalidArgumentError, "raised ValueError"),
        (lambda x: 1 / 0, tf.errors.UnknownError, "raised ZeroDivisionError"),
        (lambda x: None, tf.errors.InvalidArgumentError, "must return 1 values"),
        (lambda x: next(iter([])), tf.errors.OutOfRangeError, "raised StopIteration"),
    ],
)
def test_errors_of_py_function(function, error, match):
    with pytest.raises(error, match=match):
        tf.py_function(function, [1.0], tf.float32)


def test_errors_of_numpy_function_are_the_functions_own():
    with pytest.raises(ZeroDivisionError):
        tf.numpy_function(lambda x: 1 / 0, [1.0], tf.float32)


def test_tout_is_needed():
    with pytest.raises(TypeError, match="`Tout` must say"):
        tf.py_function(lambda x: x, [1.0])


def test_a_functional_model_refuses_it():
    class Doubled(tf.keras.layers.Layer):
        def call(self, x):
            return tf.py_function(lambda v: v * 2, [x], tf.float32)

    with pytest.raises(TypeError, match="runs in Python"):
        Doubled()(tf.keras.Input((3,)))
