"""tf.quantization.fake_quant_*; values are TensorFlow 2.21's."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import errors

q = tf.quantization
X = tf.constant([[-2.0, -0.6, 0.1, 0.49], [0.5, 1.0, 2.5, 7.0]])
G = tf.constant([[1.0, 2.0, 3.0, 4.0]] * 2)


def test_values_between_fixed_bounds():
    found = q.fake_quant_with_min_max_args(X)
    wanted = [[-1.97647, -0.61176, 0.09412, 0.47059], [0.51765, 0.98824, 2.49412, 5.97647]]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    narrow = tf.function(q.fake_quant_with_min_max_args)(X, -1.0, 2.0, 4, True)
    steps = narrow.numpy() / (3 / 14)
    np.testing.assert_allclose(steps, steps.round(), atol=1e-5)


def test_channels_have_their_own_bounds():
    low, high = [-1.0, -2.0, 0.0, 0.0], [1.0, 2.0, 0.0, 9.0]
    found = q.fake_quant_with_min_max_vars_per_channel(X, low, high, 4, narrow_range=True)
    wanted = [[-1, -0.571429, 0, 0.642857], [0.571429, 1.142857, 0, 7.071429]]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_gradients_pass_between_the_bounds_and_go_to_them_beyond():
    low, high = tf.Variable(-1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = q.fake_quant_with_min_max_vars(X, low, high, 4)
    of_x, of_low, of_high = tape.gradient(y, (X, low, high), output_gradients=G)
    assert of_x.numpy().tolist() == [[0, 2, 3, 4], [1, 2, 0, 0]]
    assert (float(of_low), float(of_high)) == (1, 7)
    named = q.fake_quant_with_min_max_vars_gradient(G, X, -1.0, 2.0, 4)
    assert float(named.backprop_wrt_max) == 7
    plain = q.fake_quant_with_min_max_args_gradient(G, X, -1.0, 2.0, 4)
    assert plain.numpy().tolist() == of_x.numpy().tolist()
    bounds = [-1.0, -0.5, 0.0, 0.0], [1.0, 0.7, 0.0, 2.0]
    each = q.fake_quant_with_min_max_vars_per_channel_gradient(G, X, *bounds, 4)
    assert each.backprop_wrt_max.numpy().tolist() == [0, 2, 0, 4]
    assert each.backprops_wrt_input.numpy().tolist() == [[0, 0, 3, 4], [1, 0, 3, 0]]


def test_forward_mode_passes_too():
    with tf.autodiff.ForwardAccumulator(X, G) as forward:
        y = q.fake_quant_with_min_max_args(X, -1.0, 2.0, 4)
    assert forward.jvp(y).numpy().tolist() == [[0, 2, 3, 4], [1, 2, 0, 0]]


def test_bounds_of_zero_give_zeros():
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = q.fake_quant_with_min_max_vars(X, 0.0, 0.0)
    assert not y.numpy().any()
    assert tape.gradient(y, X).numpy().all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: q.fake_quant_with_min_max_args(X, 2.0, 1.0), "`min` must be below `max`"),
        (lambda: q.fake_quant_with_min_max_args(X, -1.0, 1.0, 17), "`num_bits` must lie in"),
        (lambda: q.fake_quant_with_min_max_vars(X, [0.0, 1.0], [1.0, 2.0]), "must be of shape"),
        (
            lambda: q.fake_quant_with_min_max_args(tf.cast(X, tf.float64)),
            "must have one dtype|float32",
        ),
        (
            lambda: q.fake_quant_with_min_max_vars_per_channel(X, [0.0, 1.0], [1.0, 2.0]),
            "must be of shape",
        ),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(errors.InvalidArgumentError, match=text):
        call()


def test_the_integer_kernels_are_out_of_scope():
    with pytest.raises(AttributeError, match="out of scope"):
        _ = q.quantize
