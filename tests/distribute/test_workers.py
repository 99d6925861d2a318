"""MultiWorkerMirroredStrategy with two processes on this machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lamina as tf

_ROOT = Path(__file__).resolve().parents[2]
_MODEL = """
import numpy as np
X = np.random.RandomState(0).randn(64, 3).astype("float32")
Y = X.sum(1, keepdims=True)
def make():
    layers = [tf.keras.Input((3,)), tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dense(1)]
    model = tf.keras.Sequential(layers)
    model.set_weights([np.full(w.shape, 0.1 * i + 0.1, "f") for i, w in enumerate(model.weights)])
    model.compile(tf.keras.optimizers.SGD(0.05, 0.9), "mse", metrics=["mae"])
    return model
data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(16)
def numbers(model):
    losses = model.fit(data, epochs=3, verbose=0).history["loss"]
    return [losses, model.evaluate(data, verbose=0), model.predict(X[:4], verbose=0).tolist()]
"""
_WORKER = """
import json, sys
import lamina as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
worker = strategy.cluster_resolver.task_id
tf.keras.utils.set_random_seed(worker)
found = {"replicas": strategy.num_replicas_in_sync}
exec(sys.argv[1])
with strategy.scope():
    model, drawn = make(), tf.Variable(tf.random.normal([]))
found["fit"] = numbers(model)
found["drawn"] = float(drawn)

def total(x):
    return tf.distribute.get_replica_context().all_reduce("sum", x)

each = strategy.run(total, args=(tf.constant(worker + 1.0),))
found["local"] = [float(v) for v in strategy.experimental_local_results(each)]
found["reduced"] = float(strategy.reduce("SUM", each, axis=None))

def own(context):
    start = 10 * context.input_pipeline_id
    return tf.data.Dataset.range(start, start + 3).map(lambda x: tf.cast(x, tf.float32)[None])

seen = [strategy.run(total, args=(b,)) for b in strategy.distribute_datasets_from_function(own)]
found["sums"] = [strategy.experimental_local_results(s)[0].numpy().tolist() for s in seen]
try:
    model.fit(X[:5], Y[:5], batch_size=5, verbose=0)
except ValueError as error:
    found["uneven"] = str(error)
print("FOUND" + json.dumps(found))
"""


def _ports():
    with socket.socket() as one, socket.socket() as other:
        one.bind(("localhost", 0))
        other.bind(("localhost", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _start(number, cluster):
    task = {"cluster": cluster, "task": {"type": "worker", "index": number}}
    environment = os.environ | {
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": str(_ROOT),
        "TF_CONFIG": json.dumps(task),
        "XLA_FLAGS": "",
    }
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER, _MODEL],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_workers_train_one_model():
    cluster = {"worker": [f"localhost:{port}" for port in _ports()]}
    workers = [_start(i, cluster) for i in range(2)]
    found = []
    try:
        for worker in workers:
            out, err = worker.communicate(timeout=300)
            assert worker.returncode == 0, err[-3000:]
            found.append(json.loads(out.partition("FOUND")[2]))
    finally:
        for worker in workers:
            worker.kill()
    first, second = found
    assert first == second
    assert first["replicas"] == 2
    assert first["local"] == [3.0]
    assert first["reduced"] == 6.0
    assert first["sums"] == [[10.0], [12.0], [14.0]]
    assert "batches that 2 divides" in first["uneven"]
    alone: dict = {"tf": tf}
    exec(_MODEL, alone)  # the mean loss of both halves is that of the whole batch
    for together, expected in zip(first["fit"], alone["numbers"](alone["make"]()), strict=True):
        np.testing.assert_allclose(together, expected, rtol=1e-4)
