"""Conversion of values, the dtype rule of @op, its attributes, and what it says when they fail."""

import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as tf
from lamina.engine import convert, host_value, op, static_ints
from lamina.engine.dispatch import Op


@op
def _scale(x, y, *, by=1):
    return (x + y) * by


@op(mixed=True)
def _maybe_add(x, y):
    return x if y is None else x + y.astype(x.dtype)


@op(mixed=True)
def _kind(x, *, by=1):
    return jnp.full(x.shape, type(by) is bool, bool), jnp.asarray(by)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (1, "int32"),
        (1.0, "float32"),
        (True, "bool"),
        (1j, "complex128"),
        ("a", "string"),
        ([1, 2.5], "float32"),
        (np.float64(1.0), "float64"),
        (np.arange(3), "int64"),
        ([np.float16(1)], "float16"),
        ([[1], [2]], "int32"),
    ],
)
def test_values_get_tf_dtypes(value, dtype):
    tensor = tf.convert_to_tensor(value)
    assert tensor.dtype.name == dtype
    assert tuple(tensor.shape) == np.shape(value)


def test_numpy_input_is_copied():
    array = np.zeros(100, np.float32)
    tensor = tf.convert_to_tensor(array)
    array[:] = 1.0
    assert not tensor.numpy().any()


def test_numpy_output_is_a_copy():
    tensor = tf.zeros([3])
    tensor.numpy()[:] = 1.0
    assert not tensor.numpy().any()


def test_dtype_hint_is_only_a_hint():
    assert tf.convert_to_tensor(1, dtype_hint=tf.float32).dtype is tf.float32
    assert tf.convert_to_tensor(1.5, dtype_hint=tf.int32).dtype is tf.float32


def test_lists_with_tensors_are_stacked():
    assert tf.convert_to_tensor([tf.constant(1.0), 2.0]).numpy().tolist() == [1.0, 2.0]


def test_x64_stays_off_outside():
    before = jax.config.jax_enable_x64
    assert (tf.constant(1.0, tf.float64) + 1.0).numpy().dtype == np.float64
    assert jax.config.jax_enable_x64 == before
    assert jnp.arange(2.0).dtype == jnp.float32


@pytest.mark.parametrize(
    ("convert", "error", "text"),
    [
        (
            lambda: tf.convert_to_tensor(tf.ones([2]), tf.int32),
            ValueError,
            "`value` must have dtype int32; got a Tensor of dtype float32, shape (2,).\n  Fix: tf",
        ),
        (lambda: tf.convert_to_tensor(1.5, tf.int32), TypeError, "1.5 (float) does not convert"),
        (lambda: tf.convert_to_tensor([1.5], tf.int32), TypeError, "got [1.5] of dtype float32"),
        (lambda: tf.convert_to_tensor([[1], [1, 2]]), ValueError, "rectangular numbers of dtype"),
        (lambda: tf.convert_to_tensor([300], tf.uint8), ValueError, "does not fit into uint8"),
        (lambda: tf.convert_to_tensor(300, tf.uint8), ValueError, "does not fit into uint8"),
    ],
)
def test_bad_values_are_explained(convert, error, text):
    with pytest.raises(error) as raised:
        convert()
    assert text in str(raised.value)


def test_first_tensor_decides_the_dtype():
    assert _scale(1, tf.constant(2.0, tf.float64)).dtype is tf.float64
    assert _scale(tf.constant(1.0, tf.float16), 2).dtype is tf.float16
    assert _scale(np.float32(1), 2).dtype is tf.float32
    assert _scale(1, 2.5).dtype is tf.float32


def test_different_tensor_dtypes_raise():
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        _scale(tf.constant(1), tf.ones([2]))
    assert str(raised.value) == (
        "tf.scale: all inputs must have one dtype; got int32(), float32(2,).\n"
        "  Fix: tf.cast(x, tf.int32) for the float32 input."
    )


def test_python_number_that_does_not_fit_raises():
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tf.scale: .*1.5 .float. does not"):
        _scale(tf.constant(1), 1.5)
    with pytest.raises(TypeError, match=r"1.5"):
        _ = tf.constant(1) * 1.5


def test_none_operand_arrives_as_none():
    assert _maybe_add(tf.constant(1.0), None).numpy() == 1.0
    assert _maybe_add(tf.constant(1.0), tf.constant(2)).numpy() == 3.0
    x = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = _maybe_add(x, None)
    assert tape.gradient(y, x).numpy() == 1.0


def test_equal_attributes_of_different_types_are_different():
    kinds = [_kind(tf.constant(0.0), by=by) for by in (1, 1.0, True)]
    assert [bool(k[0]) for k in kinds] == [False, False, True]
    assert [k[1].dtype.name for k in kinds] == ["int64", "float64", "bool"]


def test_attributes_are_frozen():
    x = tf.ones([2, 3])
    results = [
        tf.reduce_sum(x, axis=axis).numpy().tolist()
        for axis in ([0, 1], (0, 1), np.array([0, 1]), tf.constant([0, 1]))
    ]
    assert results == [6.0] * 4
    assert tf.reduce_sum(x, np.int64(0)).shape == (3,)


def test_structure_errors_name_the_arguments():
    with pytest.raises(TypeError) as raised:
        tf.reduce_sum(tf.ones([2]), axes=0)
    assert str(raised.value) == (
        "tf.reduce_sum: expected arguments (input_tensor, axis=None, keepdims=False, name=None); "
        "got unexpected arguments ['axes']."
    )
    with pytest.raises(TypeError, match=r"tf.scale: expected arguments"):
        _scale(1.0)
    with pytest.raises(TypeError, match=r"tf.scale: expected arguments"):
        _scale(1.0, 2.0, x=3.0)


def test_name_is_accepted_everywhere():
    assert tf.add(1, 2, "sum").numpy() == tf.add(1, 2, name="sum").numpy() == 3


def test_shape_errors_come_at_once_with_shapes_and_without_jax_advice():
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)) as raised:
        tf.ones([2, 3]) + tf.ones([2, 4])
    assert "tf.add" in str(raised.value)
    assert "(2, 3), (2, 4)" in str(raised.value)
    assert not getattr(raised.value, "__notes__", [])


def test_shape_arithmetic_is_known_on_the_host():
    x = tf.zeros([2, 3, 4])
    shape = tf.shape(x)
    rows = shape[0] * shape[1] + 1
    assert host_value(rows) == 7
    assert host_value(tf.stack([shape[0], -1])).tolist() == [2, -1]
    assert static_ints([rows, 2], "shape") == (7, 2)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda x: tf.squeeze(x, []), [3, 1, 2]),
        (lambda x: tf.squeeze(x, [0]), [3, 1, 2]),
        (lambda x: tf.squeeze(x), [3, 1, 2]),
        (lambda x: tf.unstack(x)[0], [3, 1, 2]),
        (lambda x: tf.unstack(x, axis=-2)[0], [3, 1, 2]),
        (lambda x: tf.expand_dims(x, -3), [[[3, 1, 2]]]),
        (lambda x: tf.reshape(x, [-1, 3, 1]), [[[3], [1], [2]]]),
        (lambda x: tf.cast(tf.cast(x, tf.complex64), tf.int32), [[3, 1, 2]]),
        (lambda x: tf.cast(x, tf.float32) // 0.1, [[30.0, 10.0, 20.0]]),
        (lambda x: tf.cast(x, tf.float32) // 0.0, [[np.inf, np.inf, np.inf]]),
    ],
)
def test_what_is_known_on_the_host_is_what_the_program_gives(call, wanted):
    found = call(tf.constant([[3, 1, 2]]))
    assert host_value(found).tolist() == found.numpy().tolist() == wanted


def test_an_integer_divided_by_a_known_zero_is_an_error():
    for divide in (tf.math.floordiv, tf.math.floormod):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Integer division by zero"):
            divide(tf.constant([4, 5]), tf.constant([1, 0]))


def test_static_value_of_a_trace_is_asked_for_clearly():
    @tf.function
    def f(n):
        return tf.zeros([2], tf.float32) + tf.cast(tf.ones(static_ints(n, "shape")), tf.float32)

    with (
        pytest.warns(UserWarning, match="runs eagerly"),
    ):
        assert f(tf.constant([2])).shape == (2,)
    with pytest.raises(TypeError, match=r"`shape` must hold integers; got 2.5"):
        static_ints([2.5], "shape")
    with pytest.raises(ValueError, match="`shape` must be known here; got None"):
        static_ints([None], "shape")


def test_op_object_knows_its_parameters():
    assert isinstance(_scale, Op)
    assert str(_scale.__signature__) == "(x, y, *, by=1, name=None)"
    assert repr(_scale) == "<op _scale>"


def test_jax_and_numpy_take_tensors():
    x = tf.constant([1.0, 4.0])
    assert np.sqrt(x).tolist() == [1.0, 2.0]
    assert jnp.sqrt(jnp.asarray(x)).tolist() == [1.0, 2.0]
    assert tf.sqrt(jnp.array([9.0])).numpy() == [3.0]


def test_numpy_methods_are_pointed_to():
    with pytest.raises(AttributeError, match=r"Fix: tf.reduce_mean\(x\), or x.numpy\(\).mean"):
        tf.ones([2]).mean()


@pytest.mark.parametrize("dtype", ["int32", "string", "bool", "complex64"])
def test_lists_without_items_take_any_dtype(dtype):
    found = tf.constant([[], []], dtype)
    assert (found.shape, found.dtype) == ((2, 0), dtype)


def test_lists_of_many_numbers_are_not_looked_at_one_by_one(monkeypatch):
    seen = []
    look = convert.holds_tensor
    monkeypatch.setattr(convert, "holds_tensor", lambda v: seen.append(1) or look(v))
    assert not look([[float(i)] * 50 for i in range(40)])
    assert len(seen) == 40
    assert look([[1.0, 2.0], [3.0, tf.constant(4.0)]])
    assert tf.constant([[1, 2], (3, tf.constant(4))]).numpy().tolist() == [[1, 2], [3, 4]]


def test_what_an_operation_cannot_take_is_the_error_of_eager_code_and_of_functions():
    for kind in (tf.errors.InvalidArgumentError, ValueError):
        with pytest.raises(kind, match="shapes"):
            tf.add(tf.ones((2, 3)), [1.0, 2.0])
        with pytest.raises(kind, match="must be a square"):
            tf.function(tf.linalg.inv)(tf.ones((2, 3)))


def test_errors_of_arguments_are_shown_as_tensorflow_and_can_be_pickled():
    with pytest.raises(ValueError, match=r"tf\.matmul") as raised:
        tf.matmul(tf.ones([2, 3]), tf.ones([2, 3]))
    error = raised.value
    assert type(error).__qualname__ == "InvalidArgumentError"
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ValueError)
    assert isinstance(again, tf.errors.InvalidArgumentError)
    assert str(again) == str(error)
