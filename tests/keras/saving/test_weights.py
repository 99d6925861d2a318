"""Weights files: Keras' layout, exact loading, and files that lie."""

import shutil
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

import lamina as tf
from lamina.keras.models import Model, Sequential
from lamina.keras.saving import hdf5, load_weights, save_weights
from lamina.keras.saving.layout import saveables

layers = tf.keras.layers
FILES = Path(__file__).parent / "files"
X = np.random.default_rng(0).random((3, 4), "float32")


class Net(Model):
    """Attributes before and after "layers" in the alphabet, and a list."""

    def __init__(self, units=4):
        super().__init__()
        self.alpha = layers.Dense(units, name="explicit")
        self.zeta = layers.Dense(2)
        self.blocks = [layers.Dense(2), layers.Dense(2)]
        self.heads = {"one": layers.Dense(2), "nested": [layers.Dense(2, use_bias=False)]}

    def call(self, x):
        x = self.zeta(self.alpha(x))
        for block in self.blocks:
            x = block(x)
        return self.heads["nested"][0](self.heads["one"](x))


def built(units=4):
    model = Net(units)
    model(X)
    for v in model.weights:
        v.assign(np.random.default_rng(len(v.shape)).random(tuple(v.shape)))
    return model


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "m.weights.h5"
    built().save_weights(path)
    return path


def names_in(path):
    found = []
    with h5py.File(path) as h5:
        h5.visititems(lambda n, o: found.append(n) if isinstance(o, h5py.Dataset) else None)
    return sorted(found)


# ---- layout


def test_places_are_attribute_paths_as_in_keras(file):
    assert names_in(file) == [
        "alpha/vars/0",
        "alpha/vars/1",
        "blocks/dense/vars/0",
        "blocks/dense/vars/1",
        "blocks/dense_1/vars/0",
        "blocks/dense_1/vars/1",
        "heads/container/dense/vars/0",
        "heads/dense/vars/0",
        "heads/dense/vars/1",
        "layers/dense_1/vars/0",
        "layers/dense_1/vars/1",
    ]
    with h5py.File(file) as h5:
        assert h5["alpha/vars"].attrs["name"] == "explicit"


def test_functional_layers_are_named_by_class(tmp_path):
    i = tf.keras.Input((4,))
    inner = Model(i, layers.Dense(4)(i))
    a = tf.keras.Input((4,))
    model = Model(a, Sequential([layers.Dense(2)])(inner(layers.Dense(4, name="own")(a)) * 2.0))
    model.save_weights(tmp_path / "m.weights.h5")
    groups = {name.rsplit("/vars/", 1)[0] for name in names_in(tmp_path / "m.weights.h5")}
    assert groups == {
        "layers/dense",
        "layers/functional/layers/dense",
        "layers/sequential/layers/dense",
    }


def test_weights_of_keras_load():
    class Recurrent(Model):
        def __init__(self):
            super().__init__()
            self.alpha = layers.Dense(4, name="explicit")
            self.zeta = layers.Dense(2)
            self.blocks = [layers.Dense(2), layers.Dense(2)]
            self.rnn = layers.GRU(3)

        def call(self, x):
            x = self.zeta(self.alpha(x))
            for block in self.blocks:
                x = block(x)
            return self.rnn(x[:, None])

    wanted = np.load(FILES / "expected.npz")
    model = Recurrent()
    model.load_weights(FILES / "subclassed.weights.h5")
    found = model(wanted["subclassed_x"]).numpy()
    np.testing.assert_allclose(found, wanted["subclassed_y"], rtol=1e-5, atol=1e-6)


def test_bfloat16_comes_back(tmp_path):
    layer = layers.Dense(2, dtype="bfloat16")
    layer.build((None, 3))
    before = layer.get_weights()
    save_weights(layer, tmp_path / "m.weights.h5")
    layer.set_weights([0 * w for w in before])
    load_weights(layer, tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(layer.get_weights()[0], before[0])


class Own(layers.Layer):
    """Stores its weight in its own way."""

    def build(self, input_shape):
        self.w = self.add_weight(shape=(3,), initializer="ones")

    def call(self, x):
        return x * self.w[0]

    def save_own_variables(self, store):
        store["half"] = self.w.numpy() / 2

    def load_own_variables(self, store):
        self.w.assign(2 * store["half"])


def test_overridden_methods_are_used(tmp_path):
    model = Sequential([tf.keras.Input((4,)), layers.Dense(2), Own()])
    model.layers[1].w.assign([1.0, 2.0, 3.0])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    assert "layers/own/vars/half" in names_in(path)
    model.layers[1].w.assign(np.zeros(3))
    model.load_weights(path)
    np.testing.assert_array_equal(model.layers[1].w.numpy(), [1, 2, 3])


def test_an_error_in_an_overridden_method_changes_nothing(tmp_path):
    model = Sequential([tf.keras.Input((4,)), layers.Dense(2), Own(), Own()])
    path = tmp_path / "m.weights.h5"
    model.save_weights(path)
    with h5py.File(path, "a") as h5:
        del h5["layers/own_1/vars/half"]
    model.set_weights([0 * w for w in model.get_weights()])
    with pytest.raises(ValueError, match=r"layers/own_1 .*KeyError: 'half'"):
        model.load_weights(path)
    assert all((w == 0).all() for w in model.get_weights())


class Plain(tf.Module):
    """A module that is no layer."""

    def __init__(self):
        super().__init__()
        self.v = tf.Variable([1.0, 2.0])


def test_modules_and_sets_are_saved_too(tmp_path):
    class Holder(Model):
        def __init__(self):
            super().__init__()
            self.plain = Plain()
            self.some = {layers.Dense(1, name="in_set")}

        def call(self, x):
            return next(iter(self.some))(x) * self.plain.v

    model = Holder()
    y = model(X).numpy()
    model.save_weights(tmp_path / "m.weights.h5")
    other = Holder()
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other(X).numpy(), y)


# ---- exactness


def test_all_differences_are_listed_and_nothing_changes(file):
    model = built(5)
    model.extra = layers.Dense(1)
    model.extra.build((None, 2))
    with h5py.File(file, "a") as h5:
        del h5["blocks/dense/vars/1"]
        h5["unknown/vars/0"] = np.zeros(2, "float32")
    before = model.get_weights()
    with pytest.raises(ValueError, match="nothing was changed") as caught:
        model.load_weights(file)
    rows = {
        line.split()[0]: " ".join(line.split()[1:])
        for line in str(caught.value).splitlines()
        if line.startswith("    ") and "float32" in line
    }
    assert rows == {
        "alpha.kernel": "float32(4, 4) float32(4, 5) shape differs alpha/vars/0",
        "alpha.bias": "float32(4,) float32(5,) shape differs alpha/vars/1",
        "zeta.kernel": "float32(4, 2) float32(5, 2) shape differs layers/dense_1/vars/0",
        "blocks[0].bias": "- float32(2,) missing in the file -",
        "extra.kernel": "- float32(2, 1) missing in the file -",
        "extra.bias": "- float32(1,) missing in the file -",
        "unknown/vars/0": "float32(2,) - not in the model unknown/vars/0",
    }
    assert f"{len(rows)} differ" in str(caught.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_skip_mismatch_loads_the_rest_and_warns(file):
    model = built(5)
    model.set_weights([0 * w for w in model.get_weights()])
    with pytest.warns(UserWarning, match=r"alpha.kernel .*float32\(4, 4\) +float32\(4, 5\)"):
        model.load_weights(file, skip_mismatch=True)
    assert not model.alpha.kernel.numpy().any()
    assert model.blocks[0].kernel.numpy().any()


def test_a_dtype_that_would_lose_values_does_not_fit(tmp_path):
    class Counter(layers.Layer):
        def __init__(self, dtype):
            super().__init__()
            self.n = self.add_weight(shape=(2,), dtype=dtype, trainable=False)

    save_weights(_marked_built(Counter("float32")), tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match=r"float32\(2,\) +int32\(2,\) +dtype differs"):
        load_weights(_marked_built(Counter("int32")), tmp_path / "m.weights.h5")


def _marked_built(layer):
    layer.built = True
    return layer


def test_objects_to_skip_are_left_as_they_are(file):
    model = built(5)
    before = model.alpha.kernel.numpy()
    zeta = model.zeta.bias.numpy()
    model.load_weights(file, objects_to_skip=[model.alpha, model.zeta])
    np.testing.assert_array_equal(model.alpha.kernel.numpy(), before)
    np.testing.assert_array_equal(model.zeta.bias.numpy(), zeta)


def test_optimizer_state_comes_back(tmp_path):
    path = tmp_path / "m.weights.h5"
    model = Sequential([tf.keras.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save_weights(path)
    other = Sequential([tf.keras.Input((4,)), layers.Dense(1)])
    other.load_weights(path)  # without an optimizer its state is left
    other.compile("adam", "mse")
    other.load_weights(path)
    for a, b in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_state_of_another_optimizer_is_left_with_a_warning(tmp_path):
    path = tmp_path / "m.weights.h5"
    model = Sequential([tf.keras.Input((4,)), layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save_weights(path)
    kernel = model.layers[0].kernel.numpy()
    model.compile("sgd", "mse")
    model.layers[0].kernel.assign(np.zeros((4, 1)))
    with pytest.warns(UserWarning, match="optimizer/vars/2"):
        model.load_weights(path)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), kernel)


# ---- before the weights exist


def test_loading_before_the_first_call_is_exact(file):
    model = Net()
    model.load_weights(file)
    np.testing.assert_array_equal(model(X).numpy(), built()(X).numpy())


def test_loading_before_build_is_exact(file):
    model = Net()
    model.load_weights(file)
    model.build((None, 4))
    np.testing.assert_array_equal(model.alpha.kernel.numpy(), built().alpha.kernel.numpy())


def test_loading_before_a_traced_call_is_exact(file):
    model = Net()
    model.load_weights(file)
    np.testing.assert_allclose(tf.function(model)(X).numpy(), built()(X).numpy(), rtol=1e-6)


def test_loading_before_predict_is_exact(file):
    model = Net()
    model.load_weights(file)
    np.testing.assert_allclose(model.predict(X, verbose=0), built()(X).numpy(), rtol=1e-6)


def test_a_later_mismatch_is_an_error_at_the_first_call(file):
    model = Net(5)
    model.load_weights(file)
    with pytest.raises(ValueError, match=r"alpha.kernel .*float32\(4, 4\) +float32\(4, 5\)"):
        model(X)


def test_an_unbuilt_sequential_takes_weights_at_its_first_call(tmp_path):
    path = tmp_path / "m.weights.h5"
    first = Sequential([layers.Dense(2), layers.Dense(1)])
    y = first(X).numpy()
    first.save_weights(path)
    other = Sequential([layers.Dense(2), layers.Dense(1)])
    other.load_weights(path)
    np.testing.assert_array_equal(other(X).numpy(), y)


# ---- arguments and foreign files


def test_saving_needs_the_ending(tmp_path):
    with pytest.raises(ValueError, match=r"must end in '.weights.h5'; got .*m.keras"):
        built().save_weights(tmp_path / "m.keras")


def test_saving_needs_weights(tmp_path):
    with pytest.raises(ValueError, match="a built model was expected"):
        Net().save_weights(tmp_path / "m.weights.h5")


def test_overwrite_false_keeps_the_file(file):
    with pytest.raises(ValueError, match="must not exist with `overwrite=False`"):
        built().save_weights(file, overwrite=False)


def test_older_arguments_are_errors(file):
    with pytest.raises(ValueError, match=r"got \['by_name'\]"):
        built().load_weights(file, by_name=True)


def test_a_missing_file_names_the_path(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.weights.h5.*got no such file"):
        built().load_weights(tmp_path / "nothing.weights.h5")
    (tmp_path / "ckpt.index").touch()
    with pytest.raises(ValueError, match="got a TensorFlow checkpoint of that name"):
        load_weights(built(), tmp_path / "ckpt")
    with pytest.raises(tf.errors.DataLossError, match=r"ckpt.index: a file of a TensorFlow"):
        built().load_weights(tmp_path / "ckpt")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b"<!DOCTYPE html>", "HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        (b"abc", "an unknown format, which starts with b'abc'"),
    ],
)
def test_foreign_files_are_described(tmp_path, content, kind):
    path = tmp_path / "m.weights.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"m.weights.h5.*was expected; got {kind}"):
        built().load_weights(path)


def test_truncated_files_are_described(file):
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="got a damaged one of"):
        built().load_weights(file)


# ---- files that lie


def _tamper(file, change):
    with h5py.File(file, "a") as h5:
        del h5["alpha/vars/0"]
        change(h5, h5["alpha/vars"])


def _refused(file, message):
    model = built()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.load_weights(file)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_links_to_other_files_are_refused(file, tmp_path):
    shutil.copy(file, tmp_path / "other.h5")
    link = h5py.ExternalLink(str(tmp_path / "other.h5"), "/alpha/vars/0")
    _tamper(file, lambda h5, group: group.__setitem__("0", link))
    _refused(file, "got a link to another file at 'alpha/vars/0'")


def test_soft_links_are_refused(file):
    _tamper(file, lambda h5, group: group.__setitem__("0", h5py.SoftLink("/zeta")))
    _refused(file, "got a soft link at 'alpha/vars/0'")


def test_groups_that_hold_themselves_are_refused(file):
    _tamper(file, lambda h5, group: group.__setitem__("0", h5["alpha"]))
    _refused(file, "which the file holds twice")


def test_external_storage_is_refused(file, tmp_path):
    raw = tmp_path / "secret"
    raw.write_bytes(bytes(64))
    _tamper(
        file,
        lambda h5, group: group.create_dataset("0", (4, 4), "f4", external=[(str(raw), 0, 64)]),
    )
    _refused(file, "got the external array 'alpha/vars/0'")


def test_virtual_arrays_are_refused(file, tmp_path):
    layout = h5py.VirtualLayout((4, 4), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(4, 4))
    _tamper(file, lambda h5, group: group.create_virtual_dataset("0", layout))
    _refused(file, "got the virtual array 'alpha/vars/0'")


def test_shapes_without_bytes_are_refused(file):
    _tamper(file, lambda h5, group: group.create_dataset("0", (1 << 40,), "f4"))
    _refused(file, r"shape \(1099511627776,\), .* with 0 bytes stored")


def test_compressed_shapes_without_bytes_are_refused(file):
    options = {"chunks": (1 << 16,), "compression": "gzip"}
    _tamper(file, lambda h5, group: group.create_dataset("0", (1 << 40,), "f4", **options))
    _refused(file, "with 0 bytes stored")


def test_compressed_weights_load(file):
    value = built().alpha.kernel.numpy()
    options = {"compression": "gzip", "shuffle": True}
    _tamper(file, lambda h5, group: group.create_dataset("0", data=value, **options))
    model = built()
    model.alpha.kernel.assign(0 * value)
    model.load_weights(file)
    np.testing.assert_array_equal(model.alpha.kernel.numpy(), value)


def test_objects_in_arrays_are_refused(file):
    text = h5py.string_dtype()
    _tamper(file, lambda h5, group: group.create_dataset("0", (4, 4), text))
    _refused(file, "an array of numbers was expected")


def test_places_do_not_depend_on_where_python_puts_lists():
    model = Net()
    model.inner = [Net() for _ in range(8)]
    model(X)
    for inner in model.inner:
        inner(X)
    found = [[path for path, _ in saveables(model)] for _ in range(5)]
    assert all(paths == found[0] for paths in found)
    assert sum(path.endswith("layers/dense") for path in found[0]) == 0
    assert sum("/net" in path and "/layers/dense" in path for path in found[0]) == 8


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(3, "float32"), "bytes were expected in lamina's notes; got float32"),
        (np.zeros(3, "uint8"), "were expected to be compressed JSON"),
        (np.frombuffer(zlib.compress(b"["), "uint8"), "were expected to be compressed JSON"),
    ],
)
def test_notes_that_are_none_are_refused(file, value, message):
    with h5py.File(file, "a") as h5:
        h5.attrs["lamina0"] = value
    with pytest.raises(ValueError, match=message):
        built().load_weights(file)


def test_notes_may_be_longer_than_an_attribute_of_hdf5(tmp_path):
    names = np.random.default_rng(0).integers(0, 2**62, 12_000).tolist()
    with (tmp_path / "n.h5").open("x+b") as opened, hdf5.Writer(opened) as writer:
        writer.note({"names": names})
    with h5py.File(tmp_path / "n.h5") as h5:
        assert len(h5.attrs) > 1
        assert hdf5.notes(h5, "who") == {"names": names}
