"""lamina.functional: a model as a pure function."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.norm = layers.BatchNormalization(momentum=0.5)
        self.dense = layers.Dense(2)

    def call(self, x, scale=None, training=None):
        y = self.dense(self.norm(x, training=training))
        return {"y": y if scale is None else y * scale, "none": None}


@pytest.fixture
def net():
    model = Net()
    model(tf.ones([1, 3]))
    return model


X = jnp.arange(6.0).reshape(2, 3)


def test_outputs_equal_the_models(net):
    fn, params, state = tf.functional(net)
    assert set(params) | set(state) == {v.path for v in net.variables}
    outputs, new = fn(params, state, X)
    np.testing.assert_allclose(outputs["y"], net(X)["y"].numpy(), rtol=1e-6)
    assert outputs["none"] is None
    assert set(new) == set(state)


def test_it_is_pure(net):
    fn, params, state = tf.functional(net)
    before = net.norm.moving_mean.numpy()
    _, new = fn(params, state, X, training=True)
    mean = next(k for k in state if k.endswith("moving_mean"))
    assert np.array_equal(net.norm.moving_mean.numpy(), before)
    np.testing.assert_allclose(new[mean], 0.5 * np.asarray(X).mean(0), rtol=1e-6)


def test_jit_grad_and_vmap(net):
    fn, params, state = tf.functional(net)

    def loss(params, x):
        return fn(params, state, x)[0]["y"].sum()

    grads = jax.jit(jax.grad(loss))(params, X)
    bias = next(k for k in grads if k.endswith("bias"))
    np.testing.assert_allclose(grads[bias], [2.0, 2.0])
    assert jax.vmap(lambda x: loss(params, x[None]))(X).shape == (2,)


def test_keywords_in_any_order(net):
    fn, params, state = tf.functional(net)
    scale = jnp.array(2.0, jnp.float32)
    plain = fn(params, state, X)[0]["y"]
    np.testing.assert_allclose(fn(params, state, x=X, scale=scale)[0]["y"], 2 * plain, rtol=1e-6)
    np.testing.assert_allclose(fn(params, state, scale=scale, x=X)[0]["y"], 2 * plain, rtol=1e-6)


def test_layers_of_one_name_keep_their_own_weights():
    class Two(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.a, self.b = (layers.Dense(1, name="fc", use_bias=False) for _ in range(2))
            self.a.build((None, 1))
            self.b.build((None, 1))

        def call(self, x):
            return self.b(self.a(x))

    model = Two()
    model.set_weights([np.array([[2.0]]), np.array([[5.0]])])
    fn, params, state = tf.functional(model)
    assert len(params) == 2
    assert fn(params, state, jnp.ones((1, 1)))[0].tolist() == [[10.0]]


def test_unbuilt_model_is_refused():
    with pytest.raises(ValueError, match=r"has no variables yet.\n  Fix: call it on data first."):
        tf.functional(layers.Dense(1))
