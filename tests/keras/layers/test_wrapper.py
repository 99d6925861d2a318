"""Wrapper, SpectralNormalization, TimeDistributed's mask, JaxLayer, and layers not offered."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close


class Twice(L.Wrapper):
    def call(self, inputs):
        return self.layer(self.layer(inputs))


def test_a_wrapper_builds_its_layer_and_is_saved_with_it():
    layer = Twice(L.Dense(3))
    layer.build((None, 3))
    assert layer.layer.built
    copy = Twice.from_config(layer.get_config())
    assert copy.layer.units == 3
    assert [w.path for w in layer.weights] == ["twice/dense/kernel", "twice/dense/bias"]


def test_a_wrapper_needs_a_layer():
    with pytest.raises(ValueError, match=r"`layer` must be a layer; got 3 \(int\)"):
        L.Wrapper(3)


# --- SpectralNormalization ------------------------------------------------------------------------


def test_spectral_values_are_those_of_keras():
    dense = L.Dense(2, use_bias=False)
    layer = L.SpectralNormalization(dense, power_iterations=2)
    layer.build((1, 3))
    layer.vector_u.assign([[1.0, 0.5]])
    dense.kernel.assign([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
    assert_close(layer(tf.ones((1, 3)), training=True), [[0.883095, 1.275582]])
    assert_close(layer.vector_u, [[0.579754, 0.814792]])
    assert_close(dense.kernel[0], [0.098122, 0.196243])


def test_spectral_normalization_brings_the_largest_singular_value_to_one():
    layer = L.SpectralNormalization(L.Conv2D(4, 2), power_iterations=50)
    x = tf.ones((1, 5, 5, 3))
    layer(x, training=True)
    values = np.linalg.svd(layer.kernel.numpy().reshape(-1, 4), compute_uv=False)
    assert_close(values[0], np.float32(1))


def test_spectral_normalization_rests_at_inference_and_on_zeros():
    layer = L.SpectralNormalization(L.Dense(2, kernel_initializer="ones"))
    layer(tf.ones((1, 3)))
    assert_close(layer.kernel, np.ones((3, 2)))
    zeros = L.SpectralNormalization(L.Embedding(3, 2, embeddings_initializer="zeros"))
    zeros(tf.constant([[1.0, 2.0]]), training=True)
    assert_close(zeros.layer.embeddings, np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.SpectralNormalization(L.Dense(2), 0), "`power_iterations` must be a positive"),
        (lambda: L.SpectralNormalization(L.ReLU())(tf.ones((1, 2))), "must have a `kernel`"),
        (
            lambda: L.TimeDistributed(L.Dense(2))(tf.ones((2, 3, 4)), mask=tf.ones((2, 4), bool)),
            "`mask` must start with the axes (batch, time), (2, 3); got (2, 4)",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message in str(error.value)


def test_a_mask_passed_by_hand_goes_on():
    mask = tf.constant([[True, False, True]])
    layer = L.TimeDistributed(L.Dense(2))
    assert_close(layer(tf.ones((1, 3, 4)), mask=mask)._keras_mask, mask)


# --- models of other JAX libraries ----------------------------------------------------------------


def affine(params, inputs):
    return inputs @ params["w"] + params["b"]


def counted(params, state, inputs, training):
    new = {"calls": state["calls"] + 1}
    return inputs * params * (2.0 if training else 1.0), new


def ones_of(rng, inputs):
    return {"w": inputs[0][:, None] * 0 + 1, "b": inputs[0, 0] * 0}


def test_a_jax_function_is_trained():
    layer = L.JaxLayer(affine, params={"w": np.ones((3, 1), "float32"), "b": np.float32(0)})
    model = tf.keras.Sequential([tf.keras.Input((3,)), layer])
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    x = np.eye(3, dtype="float32")
    first = model.evaluate(x, 2 * x.sum(1), verbose=0)
    model.fit(x, 2 * x.sum(1), epochs=5, verbose=0)
    assert model.evaluate(x, 2 * x.sum(1), verbose=0) < first / 2
    assert layer.count_params() == 4


def test_parameters_are_made_for_the_input():
    layer = L.JaxLayer(affine, ones_of)
    assert layer(tf.keras.Input((4,))).shape == (None, 1)
    assert_close(layer(tf.ones((2, 4))), [[4.0], [4.0]])
    assert {w.dtype for w in layer.weights} == {"float32"}


def test_state_is_assigned_and_training_is_told():
    layer = L.JaxLayer(counted, params=np.float32(3), state={"calls": np.int32(0)})
    assert float(layer(tf.ones(()))) == 3
    assert float(layer(tf.ones(()), training=True)) == 6
    assert int(layer.state["calls"].numpy()) == 2
    assert [w.trainable for w in layer.weights] == [True, False]


def test_keys_come_while_training_only_and_differ():
    seen = []

    def call_fn(rng, inputs):
        seen.append(rng is not None)
        return inputs if rng is None else inputs + rng.astype("float32").sum()

    layer = L.JaxLayer(call_fn, seed=3)
    assert_close(layer(tf.ones((2,))), [1.0, 1.0])
    one, two = (layer(tf.ones((2,)), training=True).numpy() for _ in range(2))
    assert not np.array_equal(one, two)
    assert set(seen) == {True, False}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.JaxLayer(lambda x: x), "`call_fn` must take `inputs`"),
        (lambda: L.JaxLayer(lambda inputs, foo: inputs), "`call_fn` must take `inputs`"),
        (lambda: L.JaxLayer(affine), "`init_fn`, `params` or `state` must be given"),
        (lambda: L.JaxLayer(affine, init_fn=lambda rng: rng), "`init_fn` must take `inputs`"),
        (
            lambda: L.JaxLayer(
                lambda state, inputs: (inputs, {"other": state["n"]}), state={"n": np.float32(0)}
            )(tf.ones(2)),
            "the state that `call_fn` returns must have the structure",
        ),
    ],
)
def test_jax_layer_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message in str(error.value)


def test_a_flax_module_is_a_layer():
    linen = pytest.importorskip("flax.linen")
    layer = L.FlaxLayer(linen.Dense(4))
    assert layer(tf.ones((2, 3))).shape == (2, 4)
    assert [tuple(w.shape) for w in layer.weights] == [(4,), (3, 4)]


def test_flax_is_named_where_it_is_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "flax", None)
    with pytest.raises(
        ImportError, match=r"flax must be installed; it is not.\n  Fix: pip install"
    ):
        L.FlaxLayer(object())


def test_layers_of_other_frameworks_say_what_to_do():
    with pytest.raises(NotImplementedError, match=r"runs.*\n  Fix: "):
        L.TorchModuleWrapper("model")
