"""Models as programs; and any structure of inputs and outputs, through everything."""

import collections
import dataclasses
import io
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest

import lamina as tf

Pair = collections.namedtuple("Pair", "left right")


@dataclasses.dataclass
class Config:
    x: object
    scale: float = 1.0
    extra: object = None


class Odd(tf.keras.Model):
    """A model whose `call` takes every kind of argument."""

    def __init__(self, units=2):
        super().__init__()
        self.first = tf.keras.layers.Dense(units)
        self.second = tf.keras.layers.Dense(units)

    def call(self, a, b, times, config, tree, *, flag=None):
        y = self.first(a) + self.second(b.left) + self.second(b.right)
        y = y * times + tree["x"]["y"] + tf.reduce_sum(config.x) * config.scale
        if flag is not None:
            y = y + flag
        return {"pair": Pair(y, None), "config": Config(y * 2.0, 3.0)}


def arguments(batch=4, times=3):
    x = np.arange(batch * 3, dtype="float32").reshape(batch, 3) / 10
    return x, Pair(x, x * 2), times, Config(x, 2.0), {"x": {"y": np.ones([batch, 1], "float32")}}


@pytest.fixture
def odd():
    model = Odd()
    model(*arguments())
    return model


def test_any_structure_returns_as_it_was_made(odd):
    out = odd(*arguments(), flag=1.0)
    assert type(out["pair"]) is Pair
    assert out["pair"].right is None
    assert type(out["config"]) is Config
    assert out["config"].scale == 3.0


@pytest.mark.parametrize("decorate", [lambda f: f, tf.function])
def test_any_structure_trains(odd, decorate):
    optimizer = tf.keras.optimizers.SGD(1e-3)

    @decorate
    def step(*args, **kwargs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(odd(*args, **kwargs)["pair"].left ** 2)
        weights = odd.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    losses = [float(step(*arguments(), flag=1.0)) for _ in range(4)]
    assert losses[-1] < losses[0]


def test_any_structure_is_summarised_and_drawn_as_a_graph(odd):
    lines = []
    odd.summary(print_fn=lines.append)
    text = "\n".join(lines)
    assert "shared" in text
    assert "Total params: 16" in text
    assert {call.kind for call in odd.graph().calls if call.path} >= {"Dense"}


def test_any_structure_is_saved(odd, tmp_path):
    path = tmp_path / "odd.keras"
    odd.save(path)
    loaded = tf.keras.models.load_model(path)
    got, wanted = loaded(*arguments()), odd(*arguments())
    np.testing.assert_array_equal(got["pair"].left.numpy(), wanted["pair"].left.numpy())


def test_any_structure_is_exported_with_an_open_batch(odd, tmp_path):
    path = tmp_path / "odd.zip"
    odd.export(path)
    program = tf.keras.export.load(path)
    got, wanted = program(*arguments(7)), odd(*arguments(7))
    np.testing.assert_allclose(got["pair"][0].numpy(), wanted["pair"].left.numpy(), rtol=1e-6)
    assert got["pair"][1] is None
    assert got["config"]["scale"].numpy() == 3.0


def test_functional_and_nested_models_are_exported(tmp_path):
    inner = tf.keras.Sequential([tf.keras.layers.Dense(4, "relu"), tf.keras.layers.Dropout(0.5)])
    x = tf.keras.Input((None, 3))
    model = tf.keras.Model(x, [inner(x), tf.keras.layers.GRU(2)(x)])
    path = tmp_path / "m.zip"
    model.export(path)
    program = tf.keras.export.load(path)
    data = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    for got, wanted in zip(program(data), model(data), strict=True):
        np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_a_signature_says_what_to_export(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, dtype="bfloat16")])
    path = tmp_path / "m.zip"
    model.export(path, input_signature=[tf.TensorSpec([4, 3])])
    program = tf.keras.export.load(path)
    assert program(np.ones([4, 3], "float32")).dtype == tf.bfloat16
    with pytest.raises(ValueError, match=r"`args\[0\]` must have shape \(4, 3\); got \(5, 3\)"):
        program(np.ones([5, 3], "float32"))


def test_the_program_runs_on_jax_alone(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
    path = tmp_path / "m.zip"
    model.export(path)
    data = np.ones([2, 3], "float32")
    code = f"""
import io, json, sys, zipfile
import jax, numpy as np
archive = zipfile.ZipFile({str(path)!r})
program = jax.export.deserialize(bytearray(archive.read("program.bin")))
kept = np.load(io.BytesIO(archive.read("values.npz")))
kinds = json.loads(archive.read("structure.json"))["values"]
values = [
    np.frombuffer(kept[f"arr_{{i}}"].tobytes(), dtype).reshape(shape)
    for i, (dtype, shape) in enumerate(kinds)
]
with jax.enable_x64(True):
    print(np.asarray(program.call([np.ones([2, 3], "float32")], values)[0]).tolist())
assert "lamina" not in sys.modules
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    np.testing.assert_allclose(json.loads(run.stdout), model(data).numpy(), rtol=1e-6)


def with_callback():
    model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2, name="d")])
    model.hook("d", lambda layer, i, o: None, values=True)
    return model


@pytest.mark.parametrize(
    ("mistake", "error", "text"),
    [
        (
            lambda path: Odd().export(path),
            ValueError,
            r"its inputs are not known; it has never been called\.\n  Fix: call it on data first",
        ),
        (
            lambda path: Odd().export(path, format="onnx"),
            ValueError,
            "`format` must be 'tf_saved_model' or 'jax'; got 'onnx'",
        ),
        (
            lambda path: with_callback().export(path),
            tf.errors.InvalidArgumentError,
            "the program calls Python functions",
        ),
        (
            lambda path: path.write_bytes(b"PK\x03\x04") and tf.keras.export.load(path),
            ValueError,
            "must be a file that Model.export wrote",
        ),
    ],
)
def test_mistakes_are_named(mistake, error, text, tmp_path):
    with pytest.raises(error, match=text):
        mistake(tmp_path / "m.zip")


def test_other_values_and_structures_are_refused(odd, tmp_path):
    path = tmp_path / "odd.zip"
    odd.export(path)
    program = tf.keras.export.load(path)
    with pytest.raises(ValueError, match=r"`args\[2\]` is 3 in the program; got 4"):
        program(*arguments(times=4))
    with pytest.raises(ValueError, match=r"5 arguments by position and .* were expected; got 1"):
        program(1)
    given = list(arguments())
    given[4] = {"x": {}}
    with pytest.raises(ValueError, match=r"`args\[4\]\['x'\]` must have \['y'\]; got \[\]"):
        program(*given)
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {"program.bin", "values.npz", "structure.json"}
        assert np.load(io.BytesIO(archive.read("values.npz")))["arr_0"].dtype == np.uint8


def test_export_says_when_the_batch_size_stays_fixed(tmp_path):
    class Fixed(tf.keras.Model):
        def call(self, x):
            return tf.concat([x[i : i + 1] * float(i) for i in range(x.shape[0])], 0)

    model = Fixed()
    model(np.ones((3, 2), "float32"))
    with pytest.warns(UserWarning, match=r"the batch size of the call that built the model alone"):
        model.export(tmp_path / "fixed.zip")
    restored = tf.keras.export.load(tmp_path / "fixed.zip")
    np.testing.assert_array_equal(
        restored(tf.ones([3, 2])).numpy(), [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]
    )
