"""The three programs lamina was made for, verbatim but for the import line; then trained."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

ROOT = Path(__file__).parents[1]


def run_program(path, capsys):
    """Run a program with lamina for TensorFlow; return its names and what it printed."""
    source = path.read_text()
    assert source.count("import tensorflow as tf") == 1
    names = {"__name__": "__main__"}
    exec(
        compile(source.replace("import tensorflow as tf", "import lamina as tf"), path, "exec"),
        names,
    )
    return names, capsys.readouterr().out


@pytest.fixture
def program(shared, capsys):
    def run(number):
        return run_program(shared / "mission" / f"example{number}.py", capsys)

    return run


def dense(x, layer):
    kernel, bias = layer.get_weights()
    return x.astype("float64") @ kernel.astype("float64") + bias


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def inputs(size, count=6):
    return np.random.default_rng(0).normal(size=(count, size)).astype("float32")


# ---- the programs -------------------------------------------------------------------------------


def test_summary_of_a_subclassed_model_that_was_never_called(program):
    _, printed = program(1)
    assert 'Model: "simple_sequential_model"' in printed
    rows = re.findall(r"│ (\w+) \(Dense\) +│ (\(.*?\)) +│ +([\d,]+) │", printed)
    assert rows == [("dense", "(None, 64)", "2,112"), ("dense_1", "(None, 10)", "650")]
    assert "Total params: 2,762 (10.79 KB)" in printed
    assert "Trainable params: 2,762 (10.79 KB)" in printed
    assert "Non-trainable params: 0 (0.00 B)" in printed


def test_the_first_model_computes_what_numpy_does(program):
    model = program(1)[0]["model"]
    x = inputs(32)
    expected = softmax(dense(relu(dense(x, model.dense1)), model.dense2))
    assert_close(model(x), expected)


def test_the_second_model_computes_what_numpy_does(program):
    model = program(2)[0]["model"]
    assert [tuple(v.shape) for v in model.weights] == [(10,), (10, 1), (1,)]
    x = inputs(10)
    assert_close(model(x), dense(x * model.custom_layer.w.numpy(), model.dense))


def test_the_third_model_branches_on_training(program):
    names, printed = program(3)
    assert printed.splitlines() == [
        "Training Output Shape: (1, 10)",
        "Inference Output Shape: (1, 10)",
    ]
    model = names["model"]
    x = inputs(32)
    hidden = relu(dense(x, model.dense1))
    assert_close(model(x, training=True), softmax(dense(hidden, model.dense2)))
    assert_close(model(x, training=False), sigmoid(dense(hidden, model.dense3)))
    assert_close(model(x), sigmoid(dense(hidden, model.dense3)))


# ---- training and saving ------------------------------------------------------------------------

TASKS = {
    1: (32, 10, "sparse_categorical_crossentropy"),
    2: (10, 1, "mse"),
    3: (32, 10, "sparse_categorical_crossentropy"),
}


def task(number, count=256):
    """Return data that a model of the program can learn."""
    size, classes, loss = TASKS[number]
    x = inputs(size, count)
    target = x @ np.random.default_rng(1).normal(size=(size, classes)).astype("float32")
    return x, target if loss == "mse" else target.argmax(-1).astype("int32"), loss


def fit(model, number, epochs):
    """Return the losses of `fit`; in the third program training leaves one head unused."""
    x, y, loss = task(number)
    model.compile(optimizer=tf.keras.optimizers.Adam(0.01), loss=loss)
    unused = pytest.warns(UserWarning, match=r"Gradients do not exist for .*dense_2/kernel")
    with unused if number == 3 else contextlib.nullcontext():
        return model.fit(x, y, epochs=epochs, verbose=0).history["loss"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_fit_learns(program, number):
    losses = fit(program(number)[0]["model"], number, epochs=12)
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_loop_by_hand_learns(program, number):
    model = program(number)[0]["model"]
    x, y, loss = task(number)
    loss_fn, optimizer = tf.keras.losses.get(loss), tf.keras.optimizers.Adam(0.01)
    losses = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss_fn(y, model(x, training=True)))
        # In the third program one of two heads is not used while training.
        weights = [v for v in model.trainable_variables if "dense_2" not in v.path or number != 3]
        gradients = tape.gradient(value, weights)
        assert all(g is not None for g in gradients)
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
        losses.append(float(value))
    assert losses[-1] < 0.75 * losses[0]


RELOAD = """
import sys
import numpy as np
import lamina as tf

source, file, kept = sys.argv[1:]
text = open(source).read().replace("import tensorflow as tf", "import lamina as tf")
names = {"__name__": "__main__"}
exec(compile(text, source, "exec"), names)
classes = {k: v for k, v in names.items() if isinstance(v, type)}
model = tf.keras.models.load_model(file, custom_objects=classes)
data = np.load(kept)
np.testing.assert_array_equal(model(data["x"]).numpy(), data["y"])
np.testing.assert_array_equal(model.predict(data["x"], verbose=0), data["p"])
"""


@pytest.mark.parametrize("number", [1, 2, 3])
def test_saved_model_gives_equal_outputs_in_a_new_process(program, shared, tmp_path, number):
    model = program(number)[0]["model"]
    fit(model, number, epochs=1)
    x, _, _ = task(number)
    model.save(tmp_path / "model.keras")
    kept = tmp_path / "kept.npz"
    np.savez(kept, x=x, y=model(x).numpy(), p=model.predict(x, verbose=0))
    source = shared / "mission" / f"example{number}.py"
    done = subprocess.run(
        [sys.executable, "-c", RELOAD, source, tmp_path / "model.keras", kept],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
