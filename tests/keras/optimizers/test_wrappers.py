"""Loss scaling, several optimizers at once, and optax."""

import numpy as np
import optax
import pytest

import lamina as tf
from tests.tolerances import assert_close

optimizers = tf.keras.optimizers


def test_loss_scale_skips_bad_steps_and_grows_after_good_ones():
    inner = optimizers.Adam(0.1)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    w = tf.Variable([1.0])
    scales = []
    for grad in (8.0, np.inf, np.nan, 2.0, 2.0):
        optimizer.apply_gradients([(tf.constant([grad]), w)])
        scales.append(float(optimizer.dynamic_scale))
    assert scales == [8.0, 4.0, 2.0, 2.0, 4.0]
    assert int(optimizer.iterations) == 3
    reference, v = optimizers.Adam(0.1), tf.Variable([1.0])
    for _ in range(3):
        reference.apply_gradients([(tf.constant([1.0]), v)])
    assert_close(w, v.numpy())


def test_loss_scale_scales_the_loss_and_passes_the_rate_on():
    optimizer = optimizers.LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0)
    assert float(optimizer.scale_loss(tf.constant(2.0))) == 8.0
    optimizer.learning_rate = 0.25
    assert float(optimizer.inner_optimizer.learning_rate) == 0.25
    w = tf.Variable([1.0])
    optimizer.build([w])
    assert optimizer.scale_loss(tf.constant(2.0, tf.float16)).dtype == tf.float16
    assert optimizer.get_config()["inner_optimizer"]["class_name"] == "SGD"


def test_multi_optimizer_chooses_by_path():
    fast, slow = optimizers.SGD(1.0), optimizers.SGD(0.1)
    chosen = optimizers.OptimizerMap(slow, {"enc.*": fast})
    both = optimizers.MultiOptimizer(chosen)
    v, w = tf.keras.Variable([1.0], name="encoder"), tf.keras.Variable([1.0], name="decoder")
    both.apply_gradients([(tf.constant([1.0]), v), (tf.constant([1.0]), w)])
    assert_close(np.concatenate([v.numpy(), w.numpy()]), [0.0, 0.9])
    assert (int(both.iterations), int(fast.iterations)) == (1, 1)
    again = optimizers.deserialize(optimizers.serialize(both))
    assert float(again.optimizer_map["encoder"].learning_rate) == 1.0
    with pytest.raises(AttributeError, match="each of its optimizers"):
        both.learning_rate  # noqa: B018
    with pytest.raises(ValueError, match="can be set once"):
        chosen["enc.*"] = slow
    with pytest.raises(ValueError, match="but no LossScaleOptimizer"):
        chosen["x"] = optimizers.LossScaleOptimizer(optimizers.SGD())


def test_optax_equals_the_rule_written_here():
    tx = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(0.1, weight_decay=0.01))
    ours = optimizers.AdamW(0.1, weight_decay=0.01, epsilon=1e-8, global_clipnorm=1.0)
    results = []
    for optimizer in (optimizers.Optax(tx), ours):
        rng = np.random.default_rng(0)
        v, w = tf.Variable(tf.ones((2, 3))), tf.Variable(tf.ones(3))
        for _ in range(3):
            grads = [tf.constant(rng.normal(size=x.shape), tf.float32) for x in (v, w)]
            optimizer.apply(grads, [v, w])
        results.append(np.concatenate([v.numpy().ravel(), w.numpy()]))
    assert_close(results[0], results[1])


def test_optax_keeps_state_saves_it_and_takes_new_variables():
    def make():
        return optimizers.get(optax.sgd(0.5, momentum=0.5))

    optimizer, v, w = make(), tf.keras.Variable([0.0], name="v"), tf.keras.Variable([0.0], name="w")
    optimizer.apply([tf.constant([1.0])], [v])
    optimizer.apply([tf.constant([1.0]), tf.constant([1.0])], [v, w])
    assert_close(np.concatenate([v.numpy(), w.numpy()]), [-1.25, -0.5])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, tf.constant([0.0])], [v, w])
    assert_close(np.concatenate([v.numpy(), w.numpy()]), [-1.25, -0.75])
    store = {}
    optimizer.save_own_variables(store)
    loaded = make()
    loaded.load_own_variables(store)
    loaded.build([v, w])
    assert [x.numpy().tolist() for x in loaded.variables] == [
        np.asarray(x).tolist() for x in store.values()
    ]
    with pytest.raises(TypeError, match="only plain values"):
        optimizer.get_config()
    with pytest.raises(TypeError, match="must be an optax GradientTransformation"):
        optimizers.Optax("adam")


def test_optax_masks_by_path():
    tx = optax.masked(optax.set_to_zero(), lambda tree: {k: "bias" in k for k in tree})
    tx = optax.chain(tx, optax.sgd(1.0))
    kernel = tf.keras.Variable([0.0], name="kernel")
    bias = tf.keras.Variable([0.0], name="bias")
    optimizers.Optax(tx).apply([tf.constant([1.0])] * 2, [kernel, bias])
    assert_close(np.concatenate([kernel.numpy(), bias.numpy()]), [-1.0, 0.0])
