"""Dense and EinsumDense."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import flush, local
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5), (2, 3, 4, 5)])
def test_dense_is_a_matrix_product_plus_bias(shape):
    layer, x = L.Dense(3, "tanh", bias_initializer="ones"), array(*shape)
    y = layer(x)
    assert_close(y, np.tanh(x @ layer.kernel.numpy() + 1))
    assert [w.path for w in layer.weights] == ["dense/kernel", "dense/bias"]


@pytest.mark.parametrize(
    ("arguments", "count"), [({"use_bias": False}, 1), ({}, 1), ({"activation": "relu"}, 2)]
)
def test_dense_records_only_what_is_asked(arguments, count):
    layer, x = L.Dense(3, **arguments), tf.constant(array(2, 4))
    layer(x)
    flush()
    y = layer(x)
    assert len(local.trace.equations) == count
    assert tuple(y.shape) == (2, 3)


def test_dense_gradients_are_the_textbook_ones():
    layer, x = L.Dense(3), tf.constant(array(4, 5))
    layer(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(layer(x))
    dx, dw, db = tape.gradient(y, [x, layer.kernel, layer.bias])
    assert_close(dx, np.ones((4, 3)) @ layer.kernel.numpy().T)
    assert_close(dw, x.numpy().T @ np.ones((4, 3)))
    assert_close(db, np.full(3, 4.0))


def test_dense_penalties_and_constraints():
    layer = L.Dense(
        2,
        kernel_initializer="ones",
        kernel_regularizer="l2",
        activity_regularizer=lambda y: tf.reduce_sum(y),
        kernel_constraint="non_neg",
    )
    layer(np.ones((4, 3), np.float32))
    assert [float(v) for v in layer.losses] == pytest.approx([6.0, 0.06])
    assert layer.kernel.constraint is layer.kernel_constraint


@pytest.mark.parametrize(
    ("equation", "output_shape", "bias_axes", "input_shape", "kernel", "bias"),
    [
        ("ab,bc->ac", 3, "c", (4, 5), (5, 3), (3,)),
        ("abc,cd->abd", (None, 3), None, (2, 6, 5), (5, 3), None),
        ("abc,cd->abd", (6, 3), "bd", (2, 6, 5), (5, 3), (6, 3)),
        ("abc,cde->abde", (6, 2, 3), "d", (2, 6, 5), (5, 2, 3), (2, 1)),
        ("...x,xy->...y", 3, "y", (2, 6, 5), (5, 3), (3,)),
        ("ab...,bc->ac...", 3, "c", (2, 5, 4), (5, 3), (3, 1)),
        ("btnh,nhd->btd", (None, 4), "d", (2, 3, 4, 5), (4, 5, 4), (4,)),
    ],
)
def test_einsum_dense(equation, output_shape, bias_axes, input_shape, kernel, bias):
    layer = L.EinsumDense(equation, output_shape, bias_axes=bias_axes, bias_initializer="ones")
    x = array(*input_shape)
    y = layer(x)
    assert tuple(layer.kernel.shape) == kernel
    assert (None if layer.bias is None else tuple(layer.bias.shape)) == bias
    assert_close(y, np.einsum(equation, x, layer.kernel.numpy()) + (0 if bias is None else 1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Dense(0), "`units` must be a positive integer; got 0"),
        (lambda: L.Dense(2.0), "`units` must be a positive integer; got 2.0"),
        (lambda: L.Dense(2, quantization_config="int8"), "`quantization_config` must be a Q"),
        (lambda: L.Dense(2).build((None, None)), "axis -1 of the input must have a known size"),
        (lambda: L.Dense(2)(tf.ones(3)), "the input must have at least 2 axes; got 1"),
        (lambda: L.EinsumDense("ab->ac", 3), "`equation` must have the form"),
        (lambda: L.EinsumDense("ab,bz->ac", 3), "each axis of the kernel must be one of"),
        (lambda: L.EinsumDense("ab,bc->ac", 3).build((2, 3, 4)), "must have the axes of 'ab'"),
        (lambda: L.EinsumDense("abc,cd->abd", (7, 3)).build((2, 6, 5)), "6 in the input, 7 in"),
        (
            lambda: L.EinsumDense("ab,bc->ac", 3, bias_axes="z").build((2, 3)),
            "`bias_axes` must be axes of the output 'ac'; got 'z'",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match="ense") as error:
        make()
    assert message in str(error.value)


def test_another_number_of_features_is_refused():
    layer = L.Dense(2)
    layer(tf.ones((1, 3)))
    with pytest.raises(ValueError, match="the input must have size 3 along axis -1; got size 4"):
        layer(tf.ones((1, 4)))


@pytest.mark.parametrize("dtype", ["int32", "bool", "float32"])
def test_dense_takes_sparse_values_of_any_real_dtype(dtype):
    inputs = tf.keras.Input((4,), sparse=True)
    dense = tf.keras.layers.Dense(3)
    model = tf.keras.Model(inputs, dense(inputs))
    values = tf.cast([1, 1, 1], dtype)
    st = tf.SparseTensor([(0, 0), (0, 1), (4, 3)], values, dense_shape=(6, 4))
    wanted = tf.sparse.to_dense(st).numpy().astype("float32") @ dense.kernel.numpy()
    assert_close(model(st), wanted)
    assert_close(model.predict(st, verbose=0), wanted)


@pytest.mark.parametrize(
    "made",
    [
        lambda: L.Dense(2, "relu"),
        lambda: L.EinsumDense("ab,bc->ac", 2, activation="relu"),
        lambda: L.Conv1D(2, 1, activation="relu"),
        lambda: L.SeparableConv1D(2, 1, activation="relu"),
    ],
)
def test_the_activation_can_be_taken_away(made):
    layer = made()
    x = -np.ones((1, 3) if isinstance(layer, L.Dense | L.EinsumDense) else (1, 2, 3), "float32")
    layer(x)
    layer.set_weights([np.ones_like(w) for w in layer.get_weights()])
    assert (layer(x).numpy() == 0).all()
    layer.activation = None
    assert (layer(x).numpy() < 0).all()


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_sizes_of_a_wrong_kind_are_both_errors(error):
    with pytest.raises(error, match=r"`units` must be an integer; got 2\.5"):
        L.Dense(2.5)
    with pytest.raises(error, match=r"`output_shape` must be integers; got 8\.0"):
        L.MultiHeadAttention(2, 3, output_shape=8.0)


@pytest.mark.parametrize(
    ("equation", "output_shape", "shape", "fans"),
    [
        ("abc,cde->abde", (None, 6, 20), (None, 9, 30), (30, 120)),
        ("abcd,cde->abe", (None, 30), (None, 9, 6, 20), (120, 30)),
        ("ab,bc->ac", 60, (None, 50), (50, 60)),
    ],
)
def test_kernels_start_scaled_by_what_the_equation_sums(equation, output_shape, shape, fans):
    layer = L.EinsumDense(equation, output_shape, kernel_initializer="lecun_normal")
    layer.build(shape)
    assert abs(np.std(layer.kernel) * fans[0] ** 0.5 - 1) < 0.1
    layer = L.EinsumDense(equation, output_shape)
    layer.build(shape)
    assert abs(np.std(layer.kernel) * (sum(fans) / 2) ** 0.5 - 1) < 0.1
    assert layer.get_config()["kernel_initializer"]["config"]["input_axes"] is None
