import pytest

import lamina as tf

debugging = tf.debugging


@pytest.fixture
def checked():
    debugging.enable_check_numerics()
    yield
    debugging.disable_check_numerics()


def test_check_numerics_names_the_operation_and_the_line(checked):
    with pytest.raises(tf.errors.InvalidArgumentError, match='op "Log"') as caught:
        tf.math.log(tf.constant([-1.0]))
    assert "NaN: 1 of 1" in str(caught.value)
    assert "test_inspecting.py" in str(caught.value)


def test_check_numerics_looks_into_functions(checked):
    with pytest.raises(tf.errors.InvalidArgumentError, match="-Inf: 1"):
        tf.function(lambda x: tf.math.log(x))(tf.constant([0.0]))


def test_disabled_it_checks_nothing():
    assert tf.math.is_nan(tf.math.log(tf.constant(-1.0)))


def test_device_placement_is_said(capsys):
    debugging.set_log_device_placement(True)
    try:
        assert debugging.get_log_device_placement()
        _ = tf.constant(1.0) + 2.0
    finally:
        debugging.set_log_device_placement(False)
    assert "Executing op Add in device /job:localhost" in capsys.readouterr().err


def test_assertions_on_kinds_of_values():
    debugging.assert_integer([1])
    debugging.assert_negative([-1.0])
    debugging.assert_rank_in([1.0], (0, 1))
    assert debugging.assert_same_float_dtype([tf.constant(1.0)]) == tf.float32
    with pytest.raises(TypeError, match="expected an integer dtype"):
        debugging.assert_integer([1.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="x <= 0"):
        debugging.assert_non_positive([1.0])
    with pytest.raises(ValueError, match="a rank in"):
        debugging.assert_rank_in([1.0], (0, 2))
    with pytest.raises(TypeError, match="'proper' iterable"):
        debugging.assert_proper_iterable(tf.constant([1]))
