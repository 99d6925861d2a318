"""Strategies of two replicas, on two virtual CPU devices in a process of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

_SCRIPT = r"""
import jax
jax.config.update("jax_num_cpu_devices", 2)
import numpy as np
import lamina as tf
from lamina import keras

s = tf.distribute.MirroredStrategy()
assert s.num_replicas_in_sync == 2
context = tf.distribute.get_replica_context


def number():
    return tf.cast(context().replica_id_in_sync_group, tf.float32) + 1


def values(x):
    return [v.numpy().tolist() for v in s.experimental_local_results(x)]


# values and reductions
assert s.run(lambda: 5) == 5
pair = s.run(lambda: number() * tf.constant([1.0, 2.0]))
assert values(pair) == [[1, 2], [2, 4]]
assert s.reduce("SUM", pair, axis=None).numpy().tolist() == [3, 6]
assert s.reduce("MEAN", pair, axis=0).numpy() == 2.25
assert s.gather(pair, axis=0).numpy().tolist() == [1, 2, 2, 4]
try:
    s.reduce("SUM", tf.constant(2.0), axis=None)
except ValueError as error:
    assert "cannot be reduced" in str(error)

# streams, asked for by a tf.function inside
generator = tf.random.Generator.from_seed(0)
first, second = values(s.run(tf.function(lambda: generator.normal([]))))
assert first != second
words = values(s.run(tf.function(lambda: generator.state)))
assert words[0] == generator.state.numpy().tolist() != words[1]

# exchanges
assert values(s.run(lambda: context().all_reduce("SUM", number()))) == [3, 3]
assert values(s.run(lambda: context().all_gather(number()[None], axis=0))) == [[1, 2]] * 2
merge = lambda strategy, x: strategy.reduce("SUM", x, axis=None)
assert values(s.run(lambda: context().merge_call(merge, args=(number(),)))) == [3, 3]


def slope():
    x = number()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = context().all_reduce("SUM", x * x)
    return tape.gradient(y, x)


assert values(s.run(slope)) == [4, 8]

# variables, by aggregation: as real TF 2.21
Aggregation, ON_READ = tf.VariableAggregation, tf.VariableSynchronization.ON_READ
with s.scope():
    mean = tf.Variable(1.0, aggregation=Aggregation.MEAN)
    total = tf.Variable(1.0, aggregation=Aggregation.SUM)
    first = tf.Variable(1.0, aggregation=Aggregation.ONLY_FIRST_REPLICA)
    on_read = tf.Variable(0.0, synchronization=ON_READ, aggregation=Aggregation.SUM)
s.run(lambda: mean.assign(number()))
assert mean.numpy() == 1.5
s.run(lambda: total.assign_add(number()))
assert total.numpy() == 4.0
s.run(lambda: total.assign(number()))
assert total.numpy() == 3.0
s.run(lambda: first.assign_add(number() * 5))
assert first.numpy() == 6.0
s.run(lambda: on_read.assign_add(number()))
assert on_read.numpy() == 3.0
assert values(s.run(lambda: on_read.read_value())) == [1, 2]
on_read.assign(10.0)
assert values(s.run(lambda: on_read.read_value())) == [5, 5]

# keras: gradients are summed, mean losses shared out, metrics kept by replica
with s.scope():
    sgd, w, metric = keras.optimizers.SGD(0.1), tf.Variable(1.0), keras.metrics.Mean()
s.run(lambda: sgd.apply_gradients([(number(), w)]))
assert abs(w.numpy() - 0.7) < 1e-6 and sgd.iterations.numpy() == 1
s.run(lambda: metric.update_state(number()))
assert values(s.run(lambda: metric(number()))) == [1, 2] and metric.result().numpy() == 1.5
mse = keras.losses.MeanSquaredError()
assert values(s.run(lambda: mse(tf.constant([[1.0]]), tf.constant([[3.0]])))) == [2, 2]
assert values(s.run(lambda: tf.nn.compute_average_loss(tf.constant([1.0, 3.0])))) == [1, 1]

# random numbers differ; datasets are split as TF splits them
a, b = values(s.run(lambda: tf.random.uniform([])))
assert a != b
data = s.experimental_distribute_dataset(tf.data.Dataset.range(12).batch(5))
assert [values(x) for x in data] == [[[0, 1, 2], [3, 4]], [[5, 6, 7], [8, 9]], [[10], [11]]]
data = s.distribute_datasets_from_function(lambda c: tf.data.Dataset.range(5).batch(2))
assert [values(x) for x in data] == [[[0, 1], [2, 3]], [[4], []]]


# a custom loop: even and uneven batches, compiled and not, values asked for
def loop(batch, count, wrap, ask=False):
    rng = np.random.RandomState(0)
    x, y = rng.randn(count, 3).astype("float32"), rng.randn(count, 1).astype("float32")
    data = s.experimental_distribute_dataset(
        tf.data.Dataset.from_tensor_slices((x, y)).batch(batch)
    )
    constant = keras.initializers.Constant
    with s.scope():
        model = keras.Sequential([
            keras.Input((3,)),
            keras.layers.Dense(4, activation="tanh", kernel_initializer=constant(0.1)),
            keras.layers.BatchNormalization(momentum=0.5),
            keras.layers.Dense(1, kernel_initializer=constant(0.2)),
        ])
        adam = keras.optimizers.Adam(0.1)
        loss_of = keras.losses.MeanSquaredError(reduction="none")

    def step(inputs):
        a, b = inputs
        with tf.GradientTape() as tape:
            p = model(a, training=True)
            loss = tf.nn.compute_average_loss(loss_of(b, p), global_batch_size=batch)
        g = tape.gradient(loss, model.trainable_variables)
        adam.apply_gradients(zip(g, model.trainable_variables))
        if ask:
            float(loss)
        return loss

    def whole(inputs):
        return s.reduce("SUM", s.run(step, args=(inputs,)), axis=None)

    call = tf.function(whole) if wrap else whole
    return [round(float(call(b)), 4) for _ in range(2) for b in data]


# Losses of real TensorFlow 2.21 with MirroredStrategy on two virtual CPU devices.
assert loop(4, 8, True) == loop(4, 8, False) == [2.1424, 1.0059, 1.7458, 0.7416]
assert loop(4, 8, False, ask=True) == [2.1424, 1.0059, 1.7458, 0.7416]
uneven = [0.4785, 1.5797, 0.4535, 0.5978, 1.5739, 0.4164]
assert np.allclose(loop(5, 12, True), uneven, atol=2e-4)
assert np.allclose(loop(5, 12, False), uneven, atol=2e-4)


# fit gives the numbers of one device
def fit(scope):
    rng = np.random.RandomState(0)
    x, y = rng.randn(10, 3).astype("float32"), rng.randn(10, 1).astype("float32")
    with scope:
        model = keras.Sequential([
            keras.Input((3,)),
            keras.layers.Dense(4, kernel_initializer="ones", kernel_regularizer="l2"),
            keras.layers.Dense(1, kernel_initializer="ones"),
        ])
        model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    history = model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    assert model.predict(x, verbose=0, batch_size=4).shape == (10, 1)
    return [*history["loss"], *history["mae"], *model.evaluate(x, y, verbose=0)]


import contextlib

assert np.allclose(fit(contextlib.nullcontext()), fit(s.scope()), rtol=1e-5)

# more replicas than devices run on one
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    gpus = tf.distribute.MirroredStrategy(["/gpu:0", "/gpu:1", "/gpu:2"])
assert "not there" in str(caught[0].message)
three = gpus.run(lambda: context().all_reduce("SUM", number()))
assert [v.numpy() for v in three.values] == [6, 6, 6]
print("all is well")
"""


def _run(script):
    environment = os.environ | {"PYTHONPATH": str(_ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_two_replicas_do_what_tensorflow_does():
    assert "all is well" in _run(_SCRIPT)


def test_virtual_devices_make_replicas():
    script = """
import lamina as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
    v = tf.Variable(2.0)
replica = lambda: tf.distribute.get_replica_context().replica_id_in_sync_group
out = strategy.run(lambda: v * tf.cast(replica() + 1, tf.float32))
print(strategy.num_replicas_in_sync, strategy.reduce("SUM", out, axis=None).numpy())
try:
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
except RuntimeError as error:
    print(str(error).splitlines()[0])
"""
    assert _run(script).splitlines() == [
        "2 6.0",
        "Virtual devices cannot be modified after being initialized.",
    ]


def test_ragged_and_sparse_batches_are_split_and_numbers_of_functions_are_tensors():
    script = """
import lamina as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
s = tf.distribute.MirroredStrategy()
local = s.experimental_local_results
rows = {
    "ragged": tf.ragged.constant([[1], [2, 3], [4, 5, 6], []]),
    "sparse": tf.sparse.from_dense([[0, 1], [2, 0], [3, 4], [0, 0]]),
}
data = tf.data.Dataset.from_tensor_slices(rows).batch(3)
for batch in s.experimental_distribute_dataset(data):
    print([v.to_list() for v in local(batch["ragged"])])
    out = s.run(lambda b: tf.reduce_sum(b["ragged"]), args=(batch,))
    print([int(v) for v in local(out)])
    out = s.run(lambda b: tf.sparse.to_dense(b["sparse"]), args=(batch,))
    print([v.numpy().tolist() for v in local(out)])
each = iter(s.distribute_datasets_from_function(lambda context: data))
print([v.to_list() for v in local(next(each)["ragged"])])
print([v.numpy() for v in local(s.run(tf.function(lambda: {"n": 2.5}))["n"])])
with s.scope():
    v = tf.Variable(1.0)
types = tf.types.experimental.distributed
print(isinstance(v, types.Mirrored), isinstance(out, types.PerReplica))
"""
    assert _run(script).splitlines() == [
        "[[[1], [2, 3]], [[4, 5, 6]]]",
        "[6, 15]",
        "[[[0, 1], [2, 0]], [[3, 4]]]",
        "[[[]], []]",
        "[0, 0]",
        "[[[0, 0]], []]",
        "[[[1], [2, 3], [4, 5, 6]], [[]]]",
        "[np.float32(2.5), np.float32(2.5)]",
        "True True",
    ]
