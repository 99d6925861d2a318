"""`.keras` files: round trips, Keras' own files, and files that lie."""

import io
import json
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

import lamina as tf
from lamina.keras import registry
from lamina.keras.models import Model, Sequential
from lamina.keras.saving import SourceChanged, archive, load_model, save_model

layers = tf.keras.layers
FILES = Path(__file__).parent / "files"
ROOT = Path(__file__).parents[3]
X = np.random.default_rng(0).random((3, 4), "float32")


class Net(Model):
    """A subclass with its own arguments."""

    def __init__(self, units, act="relu"):
        super().__init__()
        self.first = layers.Dense(units, activation=act)
        self.second = layers.Dense(2)

    def call(self, x):
        return self.second(self.first(x))


class Pair(Model):
    """Its call takes two Tensors, which a shape alone does not tell."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x, y):
        return self.dense(x) + y


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def simple():
    return Sequential([tf.keras.Input((4,)), layers.Dense(2)], name="simple")


def assert_same(a, b, inputs=X):
    for p, q in zip(tf.nest.flatten(a(inputs)), tf.nest.flatten(b(inputs)), strict=True):
        np.testing.assert_array_equal(p.numpy(), q.numpy())


# ---- round trips


@pytest.mark.parametrize(
    "make",
    [
        simple,
        lambda: Sequential([layers.Dense(3), layers.BatchNormalization()]),
        lambda: Net(5, act="tanh"),
        lambda: (lambda a: Model(a, layers.Dense(2)(a) * 2.0))(tf.keras.Input((4,))),
    ],
)
def test_a_model_comes_back_with_class_config_and_outputs(make, path):
    model = make()
    model(X)
    model.save(path)
    loaded = load_model(path)
    assert type(loaded) is type(model)
    assert loaded.name == model.name or isinstance(model, Net)
    assert loaded.built
    assert_same(model, loaded)


def test_the_members_are_those_of_keras_and_one_more(path):
    simple().save(path)
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == [
            "metadata.json",
            "config.json",
            "model.weights.h5",
            "lamina.json",
        ]
        assert json.loads(file.read("metadata.json"))["keras_version"].startswith("3.")
        assert json.loads(file.read("lamina.json"))["format"] == 1


def test_training_goes_on_where_it_was(path):
    model = simple()
    model.compile(tf.keras.optimizers.Adam(0.1), "mse", metrics=["mae"])
    model.fit(X, X[:, :2], verbose=0)
    model.save(path)
    loaded = load_model(path)
    for a, b in zip(model.optimizer.variables, loaded.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    wanted = model.fit(X, X[:, :2], verbose=0).history
    assert loaded.fit(X, X[:, :2], verbose=0).history == wanted


def test_compile_false_leaves_out_the_optimizer(path):
    model = simple()
    model.compile("adam", "mse")
    model.save(path)
    assert not load_model(path, compile=False).compiled


def test_include_optimizer_false_leaves_out_its_state(path):
    model = simple()
    model.compile("adam", "mse")
    model.fit(X, X[:, :2], verbose=0)
    model.save(path, include_optimizer=False)
    assert int(load_model(path).optimizer.iterations.numpy()) == 0


def test_a_model_that_shapes_do_not_build_takes_weights_at_its_first_call(path):
    model = Pair()
    wanted = model(X, X[:, :2]).numpy()
    model.save(path)
    np.testing.assert_array_equal(load_model(path)(X, X[:, :2]).numpy(), wanted)


def test_a_model_comes_back_in_a_new_process(tmp_path):
    module = """
        import lamina as tf
        from lamina.keras.models import Model

        class Net(Model):
            def __init__(self, units):
                super().__init__()
                self.blocks = [tf.keras.layers.Dense(units) for _ in range(2)]
            def call(self, x):
                for block in self.blocks:
                    x = block(x)
                return x
        """
    (tmp_path / "my_nets.py").write_text(textwrap.dedent(module))
    use = """
        import sys
        import numpy as np
        from lamina.keras.models import load_model
        import my_nets
        x = np.ones((2, 4), "float32")
        if sys.argv[1] == "save":
            net = my_nets.Net(3)
            np.save("y.npy", net(x).numpy())
            net.save("net.keras")
        else:
            np.testing.assert_array_equal(load_model("net.keras")(x).numpy(), np.load("y.npy"))
        """
    (tmp_path / "use.py").write_text(textwrap.dedent(use))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for what in ("save", "load"):
        subprocess.run([sys.executable, "use.py", what], cwd=tmp_path, env=environment, check=True)


def test_file_objects_are_accepted():
    model, file = simple(), io.BytesIO()
    save_model(model, file)
    assert_same(model, load_model(file))


class Words(layers.Layer):
    """Keeps a file beside its weights."""

    def __init__(self, words=()):
        super().__init__()
        self.words = list(words)

    def call(self, x):
        return x + float(len(self.words))

    def get_config(self):
        return {}

    def save_assets(self, folder):
        Path(folder, "words.txt").write_text("\n".join(self.words))

    def load_assets(self, folder):
        self.words = Path(folder, "words.txt").read_text().split("\n")


def test_assets_come_back(path):
    model = Sequential([tf.keras.Input((4,)), Words(["a", "b"])])
    model.save(path)
    with zipfile.ZipFile(path) as file:
        assert "assets/layers/words/words.txt" in file.namelist()
    assert load_model(path).layers[0].words == ["a", "b"]


# ---- files of Keras


def test_a_sequential_of_keras_loads_with_its_optimizer():
    wanted = np.load(FILES / "expected.npz")
    model = load_model(FILES / "sequential.keras")
    found = model(wanted["sequential_x"]).numpy()
    np.testing.assert_allclose(found, wanted["sequential_y"], rtol=1e-5, atol=1e-6)
    assert int(model.optimizer.iterations.numpy()) == 4
    momentum = model.optimizer.variables[2].numpy()
    np.testing.assert_array_equal(momentum, wanted["sequential_kernel_momentum"])
    assert model.layers[0].name == "first"
    model.fit(wanted["sequential_x"], wanted["sequential_y"], verbose=0)


def test_a_functional_model_of_keras_loads_and_is_written_the_same(path):
    wanted = np.load(FILES / "expected.npz")
    model = load_model(FILES / "functional.keras")
    inputs = {"a": wanted["functional_a"], "b": wanted["functional_b"]}
    for i, y in enumerate(model(inputs)):
        np.testing.assert_allclose(y.numpy(), wanted[f"functional_y{i}"], rtol=1e-5, atol=1e-6)
    with zipfile.ZipFile(FILES / "functional.keras") as file:
        before = json.loads(file.read("config.json"))["config"]
    after = json.loads(json.dumps(registry.serialize_keras_object(model)))["config"]
    assert [e["class_name"] for e in after["layers"]] == [e["class_name"] for e in before["layers"]]
    for old, new in zip(before["layers"], after["layers"], strict=True):
        assert new["inbound_nodes"] == old["inbound_nodes"]
    assert after["output_layers"] == before["output_layers"]


# ---- names


def _edited(path, change, into=None):
    """Rewrite the config of an archive."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(into or path, "w") as file:
        for name, data in members.items():
            file.writestr(name, data)


def test_an_unknown_class_is_named_with_the_way_to_pass_it(path):
    model = Net(3)
    model(X)
    model.save(path)

    def rename(config):
        config |= {"module": "elsewhere", "class_name": "Lost", "registered_name": "Lost"}

    _edited(path, rename)
    with pytest.raises(ValueError, match="'Lost' of module 'elsewhere'") as caught:
        load_model(path)
    assert "custom_objects={'Lost': ...}" in str(caught.value)
    assert_same(model, load_model(path, custom_objects={"Lost": Net}))


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "builtins", "class_name": "function", "config": "eval"},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://x"}},
        {"module": "lamina.keras.saving", "class_name": "load_model", "config": {"filepath": "x"}},
        {"module": "keras.callbacks", "class_name": "ModelCheckpoint", "config": {"filepath": "x"}},
    ],
)
def test_only_parts_of_models_can_be_named(entry, path):
    simple().save(path)
    _edited(path, lambda config: config["config"]["layers"].append(entry))
    with pytest.raises((ValueError, TypeError)):
        load_model(path, safe_mode=False)


def test_lambdas_are_refused_in_every_mode(path):
    simple().save(path)
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None}}
    entry = {"module": "keras.layers", "class_name": "Activation", "config": {"activation": code}}
    _edited(path, lambda config: config["config"]["layers"].append(entry))
    for safe_mode in (True, False):
        with pytest.raises((ValueError, TypeError), match="lambda"):
            load_model(path, safe_mode=safe_mode)


def test_attribute_paths_keep_weights_apart_that_keras_paths_mix_up(path):
    class Twins(Model):
        def __init__(self):
            super().__init__()
            for name in order:
                setattr(self, name, layers.Dense(4))

        def call(self, x):
            return self.x1(x) - 2.0 * self.x2(x)

    order = ["x1", "x2"]  # after "layers": Keras numbers them in the order of creation
    model = Twins()
    model(X)
    model.save(path)
    order = ["x2", "x1"]
    assert_same(model, load_model(path))


def test_a_changed_call_is_told(path):
    def define(sign):
        class Signed(Model):
            def __init__(self):
                super().__init__()
                self.dense = layers.Dense(2)

        if sign > 0:

            def call(self, x):
                return self.dense(x)
        else:

            def call(self, x):
                return -self.dense(x)

        Signed.call = call
        return Signed

    model = define(1)()
    model._lm_spec  # noqa: B018
    model(X)
    model.save(path)
    define(1)
    load_model(path)
    changed = define(-1)
    with pytest.warns(SourceChanged, match="is not the code that the file was saved with") as told:
        load_model(path, custom_objects={"Signed": changed})
    text = str(told[0].message)
    assert "`call` of" in text
    assert "-    return self.dense(x)\n" in text
    assert "+    return -self.dense(x)" in text


# ---- arguments


def test_other_endings_are_errors(tmp_path):
    with pytest.raises(ValueError, match=r"must end in '.keras'; got .*m.zip"):
        simple().save(tmp_path / "m.zip")


def test_overwrite_false_keeps_the_file(path):
    simple().save(path)
    with pytest.raises(ValueError, match="must not exist with `overwrite=False`"):
        simple().save(path, overwrite=False)


def test_other_formats_are_errors(path):
    with pytest.raises(ValueError, match="`save_format` must be 'keras' or 'h5'; got 'tf'"):
        simple().save(path, save_format="tf")


def test_saving_without_weights_warns(path):
    with pytest.warns(UserWarning, match="is not built, so the file will hold no weights"):
        Net(2).save(path)
    load_model(path)(X)


def test_a_failure_leaves_the_older_file(path, monkeypatch):
    simple().save(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr(archive, "_write_assets", fail)
    with pytest.raises(OSError, match="disk full"):
        simple().save(path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


# ---- files that are not what they should be


def test_a_missing_file_names_the_path(path):
    with pytest.raises(FileNotFoundError, match=r"model.keras'; got no such file"):
        load_model(path)
    with pytest.raises(ValueError, match="got no such file"):
        load_model(str(path))


def test_foreign_files_are_described(path):
    path.write_bytes(b"\x89PNG\r\n\x1a\n more")
    with pytest.raises(ValueError, match=r"a zip archive, was expected; got "):
        load_model(path)
    with pytest.raises(ValueError, match="a directory"):
        load_model(path.parent)


def test_truncated_files_are_described(path):
    simple().save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=r"model.keras.*got a damaged one of"):
        load_model(path)


def test_damaged_weights_are_described(path):
    simple().save(path)
    content = bytearray(path.read_bytes())
    start = content.index(b"\x89HDF")
    content[start + 2000 : start + 2400] = bytes(400)
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="got a damaged one of"):
        load_model(path)


def test_archives_of_something_else_are_described(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("hello.txt", "hello")
    with pytest.raises(ValueError, match=r"with 'config.json' in it.*\['hello.txt'\]"):
        load_model(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "JSON was expected in 'config.json'"),
        ("[1]", "the config of a model was expected"),
        ("[" * 100_000, "JSON was expected in 'config.json'"),
        ('{"class_name": "Zeros", "module": "keras.initializers", "config": {}}', "got 'Zeros'"),
    ],
)
def test_other_configs_are_errors(text, message, path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", text)
    with pytest.raises(ValueError, match=message):
        load_model(path)


def _with_member(path, name, data=b"x", **fields):
    simple().save(path)
    info = zipfile.ZipInfo(name)
    for key, value in fields.items():
        setattr(info, key, value)
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(info, data)


@pytest.mark.parametrize(
    "name", ["../evil", "assets/../../evil", "/etc/evil", "C:/evil", "a\\..\\b", "assets//x"]
)
def test_names_that_lead_out_of_the_archive_are_refused(name, path):
    _with_member(path, name)
    with pytest.raises(ValueError, match="plain members of a model's archive were expected"):
        load_model(path)
    assert os.listdir(path.parent) == [path.name]


def test_links_are_refused(path):
    _with_member(path, "assets/link", b"/etc/passwd", external_attr=0o120777 << 16)
    with pytest.raises(ValueError, match="got a link at 'assets/link'"):
        load_model(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(path):
    _with_member(path, "config.json", b"{}")
    with pytest.raises(ValueError, match="a second member of that name"):
        load_model(path)


def test_sizes_without_bytes_are_refused(path):
    simple().save(path)
    content = path.read_bytes()
    with zipfile.ZipFile(path) as file:
        size = file.getinfo("model.weights.h5").file_size
    huge = (0xFFFFFF00).to_bytes(4, "little")
    at = content.rindex(size.to_bytes(4, "little") * 2)  # sizes in the central directory
    path.write_bytes(content[: at + 4] + huge + content[at + 8 :])
    with pytest.raises(ValueError, match="4,294,967,040 bytes declared with"):
        load_model(path)


def test_weights_of_another_shape_are_an_error_with_the_file(path):
    simple().save(path)
    _edited(path, lambda config: config["config"]["layers"][1]["config"].update(units=3))
    with pytest.raises(ValueError, match=r"model.keras.*2 differ") as caught:
        load_model(path)
    assert "layers/dense/vars/0" in str(caught.value)


def test_a_model_that_was_compiled_and_never_trained(path):
    model = Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
    model.compile(tf.keras.optimizers.Adam(0.25), "mse")
    model.save(path)
    loaded = load_model(path)
    assert float(loaded.optimizer.learning_rate) == 0.25
    np.testing.assert_array_equal(loaded(tf.ones([1, 3])), model(tf.ones([1, 3])))
    loaded.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert int(loaded.optimizer.iterations.numpy()) == 1


def test_a_class_with_its_own_compile_is_loaded_without(path):
    @registry.register_keras_serializable("own_compile")
    class Own(Sequential):
        def compile(self, rate, **kwargs):
            super().compile(tf.keras.optimizers.SGD(rate), "mse", **kwargs)

    model = Own([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
    model.compile(0.5)
    model.save(path)
    with pytest.warns(UserWarning, match="`compile` was not called"):
        loaded = load_model(path)
    assert not loaded.compiled
    np.testing.assert_array_equal(loaded(tf.ones([1, 3])), model(tf.ones([1, 3])))
