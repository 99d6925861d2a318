"""Models without `get_config`: files, copies, clones and pickles of every kind of model."""

import copy
import dataclasses
import enum
import json
import os
import pickle
import subprocess
import sys
import textwrap
import warnings
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

import lamina as tf
from lamina.keras.models import Model, Sequential, clone_model
from lamina.keras.saving import exact, load_model

layers = tf.keras.layers
ROOT = Path(__file__).parents[3]
X = np.random.default_rng(0).random((3, 4), "float32")
Y = X[:, :2].copy()


class Kind(enum.Enum):
    """Which activation."""

    HARD = "relu"
    SOFT = "tanh"


Span = namedtuple("Span", "low high")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a model is made from."""

    units: int
    kind: Kind
    span: Span

    def __post_init__(self):
        counted.append(self.units)


counted: list[int] = []


@dataclasses.dataclass
class Batch:
    """Two Tensors."""

    a: object
    b: object


class Net(Model):
    """Arguments, containers and randomness; no `get_config`."""

    def __init__(self, units, *, names=("a", "b"), rates=None):
        super().__init__()
        assert isinstance(names, tuple)
        self.parts = {name: layers.Dense(4) for name in names}
        self.rest = [layers.Dense(units), (layers.BatchNormalization(),)]
        self.drop = layers.Dropout((rates or {1: 0.2})[1])
        self.out = layers.Dense(2)

    def call(self, x):
        for name in sorted(self.parts):
            x = self.parts[name](x)
        return self.out(self.drop(self.rest[1][0](self.rest[0](x))))


class Configured(Model):
    """Made from a dataclass."""

    def __init__(self, settings):
        super().__init__()
        self.dense = layers.Dense(settings.units, activation=settings.kind.value)
        self.out = layers.Dense(2)
        self.span = settings.span

    def call(self, x):
        return self.out(self.dense(x)) * self.span.high


class Connected(Model):
    """A functional model whose constructor makes the graph."""

    def __init__(self, units=3):
        i = tf.keras.Input((4,))
        super().__init__(i, layers.Dense(2)(layers.Dense(units)(i)))


class Trained(Model):
    """A functional model with a further argument."""

    def __init__(self, inputs, outputs, weight=1.0):
        super().__init__(inputs, outputs)
        self.weight = weight


class Stack(Sequential):
    """A Sequential with an argument of its own."""

    def __init__(self, units):
        super().__init__([tf.keras.Input((4,)), layers.Dense(units), layers.Dense(2)])


class Deep(Model):
    """Models in a model."""

    def __init__(self):
        super().__init__()
        self.net = Net(3)
        self.graph = shared()

    def call(self, x):
        return self.net(x) + self.graph(x)


def shared():
    i = tf.keras.Input((4,))
    twice = layers.Dense(4)
    inner = Sequential([tf.keras.Input((4,)), layers.Dense(4, "relu")])
    return Model(i, layers.Dense(2)(inner(twice(twice(i)))))


def trained():
    i = tf.keras.Input((4,))
    return Trained(i, layers.Dense(2)(i), weight=3.0)


MODELS = {
    "subclass": lambda: Net(5, names=("b", "a"), rates={1: 0.3}),
    "dataclass": lambda: Configured(Settings(3, Kind.SOFT, Span(1, 2))),
    "functional": shared,
    "sequential": lambda: Sequential([layers.Dense(3), layers.Dense(2)]),
    "connected": lambda: Connected(5),
    "trained": trained,
    "stack": lambda: Stack(5),
    "deep": Deep,
}


def _reloaded(model, tmp_path):
    model.save(tmp_path / "m.keras")
    return load_model(tmp_path / "m.keras")


STATEFUL = {
    "deepcopy": lambda m, _: copy.deepcopy(m),
    "pickle": lambda m, _: pickle.loads(pickle.dumps(m)),
    "file": _reloaded,
}
CONFIGS = {
    "clone_model": clone_model,
    "from_config": lambda m: type(m).from_config(m.get_config()),
}


def fitted(name):
    model = MODELS[name]()
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0, shuffle=False)
    return model


@pytest.mark.parametrize("way", STATEFUL)
@pytest.mark.parametrize("name", MODELS)
def test_a_copy_computes_the_same_and_trains_on_the_same(name, way, tmp_path):
    model = fitted(name)
    made = STATEFUL[way](model, tmp_path)
    assert type(made) is type(model)
    np.testing.assert_array_equal(made(X).numpy(), model(X).numpy())
    assert not {id(v) for v in made.variables} & {id(v) for v in model.variables}
    pairs = zip(model.optimizer.variables, made.optimizer.variables, strict=True)
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    wanted = model.fit(X, Y, verbose=0, shuffle=False).history
    assert made.fit(X, Y, verbose=0, shuffle=False).history == wanted


@pytest.mark.parametrize("way", CONFIGS)
@pytest.mark.parametrize("name", MODELS)
def test_a_clone_has_the_architecture_and_its_own_weights(name, way):
    model = MODELS[name]()
    wanted = model(X).numpy()
    made = CONFIGS[way](model)
    assert type(made) is type(model)
    made(X)
    assert not {id(v) for v in made.variables} & {id(v) for v in model.variables}
    made.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(made(X).numpy(), wanted)


def test_a_dataclass_comes_back_without_its_code_being_run(tmp_path):
    model = fitted("dataclass")
    counted.clear()
    assert _reloaded(model, tmp_path).span == Span(1, 2)
    assert counted == []


def test_values_of_unknown_classes_are_named():
    entry = {"module": "elsewhere", "name": "Lost", "fields": {"a": 1}}
    for kind in ("dataclass", "namedtuple", "enum"):
        config = {"class_name": f"__{kind}__", "config": entry}
        with pytest.raises(ValueError, match=f"a known {kind} was expected; got 'Lost'") as caught:
            tf.keras.utils.deserialize_keras_object(config)
        assert "custom_objects={'Lost': ...}" in str(caught.value)
    entry = {"module": "os", "name": "stat_result", "fields": {}}
    with pytest.raises(ValueError, match="got 'stat_result' of module 'os'"):
        tf.keras.utils.deserialize_keras_object({"class_name": "__namedtuple__", "config": entry})


def test_other_fields_and_members_are_errors():
    make = tf.keras.utils.deserialize_keras_object
    here = {"module": __name__, "name": "Span", "fields": {"low": 1, "width": 2}}
    with pytest.raises(ValueError, match=r"Span: the fields \['low', 'high'\] were expected"):
        make({"class_name": "__namedtuple__", "config": here})
    here = {"module": __name__, "name": "Kind", "member": "WILD"}
    with pytest.raises(ValueError, match=r"Kind: one of its members .* got 'WILD'"):
        make({"class_name": "__enum__", "config": here})


# ---- calls of any structure


class Many(Model):
    """Tensors, numbers, dicts and a keyword."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)
        self.table = layers.Embedding(5, 2)

    def call(self, a, b, n, config, nested, *, flag=None):
        y = self.dense(a) * n + self.table(b) * config["scale"] + nested["x"]["y"]
        return y if flag is None else y * flag


class Structured(Model):
    """A dataclass, a namedtuple and None."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, batch, span, nothing=None):
        assert nothing is None
        return self.dense(batch.a) + batch.b + span.low


IDS = np.array([1, 2, 3])
NESTED = {"x": {"y": tf.constant(Y)}}
CALLS = {
    "many": (Many, (X, IDS, 3, {"scale": 2.0}, NESTED), {}),
    "flag": (Many, (X, IDS, 3, {"scale": 2.0}, NESTED), {"flag": tf.constant(2.0)}),
    "structured": (
        Structured,
        (Batch(tf.constant(X), tf.constant(Y)), Span(tf.constant(1.0), 2), None),
        {},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_model_is_built_when_it_is_loaded_whatever_it_takes(name, tmp_path):
    cls, args, kwargs = CALLS[name]
    model = cls()
    wanted = model(*args, **kwargs).numpy()
    optimizer = tf.keras.optimizers.Adam(0.1)
    model.compile(optimizer, "mse")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(*args, **kwargs))
    optimizer.apply_gradients(
        zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
    )
    wanted = model(*args, **kwargs).numpy()
    made = _reloaded(model, tmp_path)
    assert made.built
    for a, b in zip(model.weights, made.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    for a, b in zip(model.optimizer.variables, made.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    np.testing.assert_array_equal(made(*args, **kwargs).numpy(), wanted)


def test_an_argument_without_a_plain_form_defers_to_the_first_call(tmp_path):
    class Odd(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x, how, y):
            return how(self.dense(x)) + y

    model = Odd()
    wanted = model(X, abs, Y).numpy()
    made = _reloaded(model, tmp_path)
    assert not made.built
    np.testing.assert_array_equal(made(X, abs, Y).numpy(), wanted)


# ---- replaced layers


class Scaled(layers.Layer):
    """A layer around another."""

    def __init__(self, inner, factor=2.0):
        super().__init__()
        self.inner = inner
        self.factor = factor

    def call(self, x):
        return self.inner(x) * self.factor


@pytest.mark.parametrize("name", ["subclass", "deep", "functional", "sequential"])
def test_replaced_layers_are_saved_and_cloned(name, tmp_path):
    model = MODELS[name]()
    model(X)
    pattern = {"subclass": "rest[0]", "deep": "net.parts['a']"}.get(name, "layers[1]")
    (path,) = model.replace(pattern, Scaled)
    wanted = model(X).numpy()
    for made in (_reloaded(model, tmp_path), clone_model(model), copy.deepcopy(model)):
        made(X)
        made.load_state_dict(model.state_dict())
        np.testing.assert_array_equal(made(X).numpy(), wanted)
        assert made.replace(path, lambda old: None) == []
        assert sum(isinstance(la, Scaled) for la in made.submodules) == 1
    made = _reloaded(_reloaded(model, tmp_path), tmp_path)
    np.testing.assert_array_equal(made(X).numpy(), wanted)


# ---- a new process


def test_everything_comes_back_in_a_new_process_and_changes_are_told(tmp_path):
    module = """
        import dataclasses
        import lamina as tf

        @dataclasses.dataclass
        class Settings:
            units: int

        class Net(tf.keras.Model):
            def __init__(self, settings, sizes=(3,)):
                super().__init__()
                self.blocks = [tf.keras.layers.Dense(settings.units) for _ in sizes + (2,)]

            def call(self, x, other):
                for block in self.blocks:
                    x = block(x)
                return x + other["y"]  # HERE
        """
    use = """
        import sys
        import numpy as np
        import lamina as tf
        import my_nets
        x = np.linspace(0, 1, 8, dtype="float32").reshape(2, 4)
        y = {"y": tf.ones([2, 3])}
        if sys.argv[1] == "save":
            net = my_nets.Net(my_nets.Settings(3))
            net.compile("adam", "mse")
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(net(x, y) ** 2)
            grads = tape.gradient(loss, net.trainable_variables)
            net.optimizer.apply(grads, net.trainable_variables)
            np.savez("y.npz", net(x, y).numpy(), *[v.numpy() for v in net.optimizer.variables])
            net.save("net.keras")
        else:
            net = tf.keras.models.load_model("net.keras")
            wanted = list(np.load("y.npz").values())
            found = [net(x, y).numpy(), *[v.numpy() for v in net.optimizer.variables]]
            if sys.argv[1] == "changed":
                wanted[0] = wanted[0] + 0.5
            for a, b in zip(wanted, found, strict=True):
                np.testing.assert_array_equal(a, b)
        """
    (tmp_path / "my_nets.py").write_text(textwrap.dedent(module))
    (tmp_path / "use.py").write_text(textwrap.dedent(use))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(what):
        command = [sys.executable, "-B", "use.py", what]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    run("save")
    assert "SourceChanged" not in run("load")
    changed = textwrap.dedent(module).replace('other["y"]  # HERE', 'other["y"] + 0.5')
    (tmp_path / "my_nets.py").write_text(changed)
    told = run("changed")
    assert "SourceChanged: load_model('net.keras'): `call` of my_nets.Net is not the code" in told
    assert '-    return x + other["y"]  # HERE' in told
    assert '+    return x + other["y"] + 0.5' in told


def test_comments_and_layout_are_no_change(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _reloaded(fitted("subclass"), tmp_path)


def test_a_file_with_replaced_layers_that_the_class_has_not_is_an_error(tmp_path):
    model = MODELS["subclass"]()
    model(X)
    model.replace("rest[0]", Scaled)

    class Other(Model):
        def __init__(self, units, *, names=(), rates=None):
            super().__init__()

        def call(self, x):
            return x

    model.save(tmp_path / "m.keras")
    with pytest.raises(
        ValueError, match=r"was expected at 'rest\[0\]'; the model has none.\n  Fix"
    ):
        load_model(tmp_path / "m.keras", custom_objects={"Net": Other})


def test_what_json_loses_is_noted_and_wrong_notes_do_nothing():
    config = {"module": "mine", "config": {"a": (1, (2,)), "b": {3: [4], None: (5,)}}}
    found = exact.notes(config)
    read = json.loads(json.dumps(config))
    assert exact.restored(read, json.loads(json.dumps(found))) == config
    assert exact.notes({"module": "keras.layers", "config": {"a": (1,)}}) == []
    wrong = [[["config", "z"], "tuple"], [["config", "a", 9], "tuple"], 3, ["x", [1]]]
    assert exact.restored({"config": {"a": [1]}}, wrong) == {"config": {"a": [1]}}
