"""tf.saved_model: what comes back without the class, and what is refused."""

import collections
import functools
import json

import numpy as np
import pytest

import lamina as tf


class Scale(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable(1.0, name="vv")
        self.items = [tf.Variable(2.0), {"k": tf.Variable(3.0)}]
        self.number = 5

    @tf.function
    def __call__(self, x, flag=False):
        return (x * self.v, {"z": x}) if flag else x * self.v

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="qq")])
    def add(self, y):
        self.v.assign_add(1.0)
        return [y + self.items[0], y]

    @tf.function
    def untraced(self, x):
        return x


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved")
    module = Scale()
    module(tf.constant([1.0]))
    module(tf.constant([1.0]), True)
    tf.saved_model.save(module, path)
    return path


@pytest.fixture
def loaded(folder):
    return tf.saved_model.load(folder)


def test_traced_functions_run_by_their_arguments(loaded):
    x = tf.constant([2.0])
    np.testing.assert_array_equal(loaded(x).numpy(), [2.0])
    scaled, rest = loaded(x, flag=True)
    np.testing.assert_array_equal(scaled.numpy(), rest["z"].numpy())
    with pytest.raises(ValueError, match="Could not find matching concrete function"):
        loaded(tf.ones([2, 2]))
    with pytest.raises(ValueError, match="Found zero restored functions"):
        loaded.untraced(x)
    assert not hasattr(loaded, "number")


def test_variables_are_assigned_shared_and_trained(loaded):
    total, same = loaded.add(tf.ones([5, 2]))
    assert total.numpy()[0, 0] == 3.0
    assert float(loaded.v) == 2.0
    np.testing.assert_array_equal(same.numpy(), np.ones((5, 2)))
    with tf.GradientTape() as tape:
        loss = loaded(tf.constant([3.0]))[0]
    assert float(tape.gradient(loss, loaded.v)) == 3.0
    assert len(loaded.trainable_variables) == 3
    assert float(loaded.items[1]["k"]) == 3.0


def test_the_only_function_with_a_signature_is_the_default(loaded):
    served = loaded.signatures["serving_default"]
    assert served.structured_input_signature == (
        (),
        {"qq": tf.TensorSpec([None, 2], tf.float32, "qq")},
    )
    assert list(served.structured_outputs) == ["output_0", "output_1"]
    assert served(tf.ones([3, 2]))["output_1"].shape == [3, 2]
    with pytest.raises(TypeError, match=r"must fit TensorSpec\(shape=\(None, 2\)"):
        served(qq=tf.ones([3, 3]))
    with pytest.raises(TypeError, match="Binding inputs"):
        served(other=1.0)


def test_signatures_that_are_asked_for(tmp_path):
    module = Scale()
    call = module.__call__.get_concrete_function(tf.TensorSpec(None, tf.float32))
    array = module.__call__.get_concrete_function(tf.TensorSpec([None], tf.float32))
    tf.saved_model.save(module, tmp_path, signatures={"any": call, "array": array})
    loaded = tf.saved_model.load(tmp_path)
    assert sorted(loaded.signatures) == ["any", "array"]
    assert loaded.signatures["array"](x=[1.0, 2.0])["output_0"].shape == [2]
    assert loaded(tf.ones([2, 3])).shape == [2, 3]
    assert loaded(tf.constant(1.0)).shape == []
    with pytest.raises(ValueError, match="Expected a TensorFlow function"):
        tf.saved_model.save(module, tmp_path, signatures=module.__call__)
    with pytest.raises(ValueError, match="Expected a TensorFlow function"):
        tf.saved_model.save(module, tmp_path, signatures={"x": lambda x: x})


def test_what_was_loaded_is_saved_again(loaded, tmp_path):
    loaded.v.assign(7.0)
    tf.saved_model.save(loaded, tmp_path)
    again = tf.saved_model.load(tmp_path)
    np.testing.assert_array_equal(again(tf.constant([2.0])).numpy(), [14.0])


def test_the_variables_are_a_checkpoint(folder):
    module = Scale()
    module.v.assign(9.0)
    tf.train.Checkpoint(module).restore(folder).assert_existing_objects_matched()
    assert float(module.v) == 1.0


def test_generators_and_assets_come_back(tmp_path):
    class Draws(tf.Module):
        def __init__(self, path):
            super().__init__()
            self.g = tf.random.Generator.from_seed(3)
            self.words = tf.saved_model.Asset(path)

        @tf.function
        def __call__(self):
            return self.g.normal([2])

    words = tmp_path / "words.txt"
    words.write_text("a b")
    module = Draws(words)
    module()
    tf.saved_model.save(module, tmp_path / "m")
    words.unlink()
    loaded = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_array_equal(loaded().numpy(), module().numpy())
    path = loaded.words.asset_path.numpy().decode()
    assert path == str(tmp_path / "m" / "assets" / "words.txt")
    with open(path) as file:
        assert file.read() == "a b"


def test_sizes_that_the_function_fixes_are_found(tmp_path):
    class Fixed(tf.Module):
        def __init__(self):
            super().__init__()
            self.mean = tf.Variable(tf.zeros([30]))
            self.w = tf.Variable(tf.ones([784, 3]))

        @tf.function(input_signature=[tf.TensorSpec([None, None])])
        def norm(self, x):
            return x - self.mean

        @tf.function(input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8)])
        def flat(self, x):
            return tf.cast(tf.reshape(x, [-1, 784]), tf.float32) @ self.w

    tf.saved_model.save(Fixed(), tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    assert loaded.norm(tf.zeros([5, 30])).shape == [5, 30]
    assert loaded.flat(tf.zeros([5, 28, 28, 1], tf.uint8)).shape == [5, 3]


def model():
    return tf.keras.Sequential(
        [tf.keras.Input((2,)), tf.keras.layers.Dense(2), tf.keras.layers.Dropout(0.5)]
    )


def test_models_have_a_serving_signature(tmp_path):
    made = model()
    tf.saved_model.save(made, tmp_path)
    served = tf.saved_model.load(tmp_path).signatures["serving_default"]
    assert list(served.structured_input_signature[1]) == ["inputs"]
    x = np.ones((3, 2), "float32")
    np.testing.assert_allclose(served(inputs=x)["output_0"].numpy(), made(x).numpy(), rtol=1e-6)


def test_exported_models_serve_and_become_layers(tmp_path):
    made = model()
    made.export(tmp_path / "m")
    x = np.ones((3, 2), "float32")
    loaded = tf.saved_model.load(tmp_path / "m")
    np.testing.assert_allclose(loaded.serve(x).numpy(), made(x).numpy(), rtol=1e-6)
    layer = tf.keras.layers.TFSMLayer(tmp_path / "m")
    np.testing.assert_allclose(layer(x).numpy(), made(x).numpy(), rtol=1e-6)
    assert len(layer.trainable_weights) == 2
    with pytest.raises(ValueError, match="The endpoint 'none' is neither an attribute"):
        tf.keras.layers.TFSMLayer(tmp_path / "m", call_endpoint="none")
    made.export(tmp_path / "m.zip")
    assert tf.saved_model.load(tmp_path / "m.zip").serve(x).shape == [3, 2]


def test_a_variable_that_no_attribute_holds_is_refused(tmp_path):
    outside = tf.Variable(1.0)

    class Uses(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([])])
        def __call__(self, x):
            return x * outside

    with pytest.raises(AssertionError, match="'untracked' resource"):
        tf.saved_model.save(Uses(), tmp_path)


def test_mistakes_are_named(folder, tmp_path):
    assert tf.saved_model.contains_saved_model(folder)
    with pytest.raises(ValueError, match="Expected an object of type `Trackable`"):
        tf.saved_model.save(3, tmp_path)
    with pytest.raises(OSError, match="SavedModel file does not exist at"):
        tf.saved_model.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    assert tf.saved_model.contains_saved_model(tmp_path)
    with pytest.raises(ValueError, match="only TensorFlow runs"):
        tf.saved_model.load(tmp_path)


def test_a_namespace_is_no_list_of_them():
    with pytest.raises(TypeError, match="must be a list of strings; got 'a'"):
        tf.saved_model.SaveOptions(namespace_whitelist="a")


def test_tags_other_than_serve_are_refused(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(1.0)
    tf.saved_model.save(module, tmp_path)
    assert tf.saved_model.load(tmp_path, tags=["serve"]).v.numpy() == 1.0
    with pytest.raises(ValueError, match="incompatible argument to `tags`: 'train'"):
        tf.saved_model.load(tmp_path, tags="train")


@pytest.mark.parametrize(
    "change",
    [
        lambda notes: notes["nodes"][0]["children"].append(["x", 99]),
        lambda notes: notes["concretes"][0].update(program="../../x"),
        lambda notes: notes["concretes"][0].update(program=-1),
        lambda notes: notes.pop("signatures"),
    ],
)
def test_a_damaged_structure_is_refused(change, tmp_path):
    class One(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([])])
        def __call__(self, x):
            return x + 1.0

    tf.saved_model.save(One(), tmp_path)
    path = tmp_path / "lamina_model.json"
    notes = json.loads(path.read_text())
    change(notes)
    path.write_text(json.dumps(notes))
    with pytest.raises(ValueError, match="is damaged"):
        tf.saved_model.load(tmp_path)


def test_fingerprints_tell_models_apart(folder, tmp_path):
    first = tf.saved_model.experimental.read_fingerprint(folder)
    tf.saved_model.save(Scale(), tmp_path)
    assert first != tf.saved_model.experimental.read_fingerprint(tmp_path)
    assert first.singleprint().count("/") == 3


class _Rows(tf.Module):
    def __init__(self):
        super().__init__()
        self.v = tf.Variable(100.0)

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], tf.float32)])
    def grow(self, x):
        return {"values": x * self.v, "sums": tf.reduce_sum(x, axis=1)}

    @tf.function(input_signature=[tf.SparseTensorSpec([None, 2], tf.int32)])
    def double(self, x):
        return tf.sparse.map_values(tf.multiply, x, 2)


def test_ragged_and_sparse_arguments_and_results_are_saved(tmp_path):
    tf.saved_model.save(_Rows(), tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    for rows in ([[1.0, 4.0], [], [3.0]], [[2.0]]):
        found = loaded.grow(tf.ragged.constant(rows))
        assert found["values"].to_list() == [[100 * v for v in row] for row in rows]
        assert found["sums"].numpy().tolist() == [sum(row) for row in rows]
    doubled = loaded.double(tf.sparse.from_dense([[0, 2], [3, 0], [1, 0]]))
    assert tf.sparse.to_dense(doubled).numpy().tolist() == [[0, 4], [6, 0], [2, 0]]
    spec = tf.RaggedTensorSpec([None, None], tf.float32)
    (concrete,) = loaded.grow.concretes
    assert concrete.structured_input_signature == ((spec,), {})
    with pytest.raises(TypeError, match=r"Binding inputs to tf\.function failed"):
        loaded.grow(tf.ragged.constant([[1]]))


# ---- what programs cannot hold ------------------------------------------------------------------


def _module_of(function, *specs):
    module = tf.Module()
    module.f = tf.function(function, input_signature=specs)
    return module


@pytest.mark.filterwarnings("ignore:.*it runs eagerly from now on")
def test_functions_without_a_program_are_named_when_saved_and_when_called(tmp_path):
    module = tf.Module()
    module.f = tf.function(
        lambda x: tf.numpy_function(np.sqrt, [x], tf.float32), input_signature=[tf.TensorSpec([2])]
    )
    named = r"(?s)these are not saved.*\n  f: [^\n]*tf.numpy_function runs in Python"
    with pytest.warns(UserWarning, match=named) as notes:
        tf.saved_model.save(module, tmp_path)
    assert str(notes[-1].message).count("Fix:") == 1
    loaded = tf.saved_model.load(tmp_path)
    reason = r"(?s)Reason: .*tf.numpy_function runs in Python.*\n  Fix: save a function of numbers"
    with pytest.raises(ValueError, match=reason):
        loaded.f(tf.constant([1.0, 4.0]))


# ---- arguments that do not fit ------------------------------------------------------------------


class _Bound(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def fixed(self, x):
        return x + 1.0

    @tf.function
    def free(self, x):
        return x + 1.0


@pytest.mark.parametrize(
    ("name", "arguments", "error", "text"),
    [
        ("fixed", ([1.0], 3), TypeError, "failed due to `too many positional arguments`: 'fixed'"),
        ("fixed", (), TypeError, "failed due to `missing a required argument: 'x'`: 'fixed' takes"),
        ("fixed", (tf.constant([1]),), TypeError, "the arguments do not fit the input_signature"),
        ("free", (tf.constant([1.0]), 3), TypeError, "failed due to `too many positional argumen"),
        ("free", (tf.constant([1]),), ValueError, "Could not find matching concrete function"),
    ],
)
def test_wrong_arguments_raise_what_tensorflow_raises(name, arguments, error, text, tmp_path):
    module = _Bound()
    module.free(tf.constant([1.0]))
    tf.saved_model.save(module, tmp_path / "a")
    once = tf.saved_model.load(tmp_path / "a")
    tf.saved_model.save(once, tmp_path / "b")
    for loaded in (once, tf.saved_model.load(tmp_path / "b")):
        with pytest.raises(error, match=text):
            getattr(loaded, name)(*arguments)


def test_an_exported_model_takes_what_it_was_built_for(tmp_path):
    model = tf.keras.Sequential([tf.keras.Input([3]), tf.keras.layers.Dense(2)])
    model.export(str(tmp_path), verbose=False)
    serve = tf.saved_model.load(tmp_path).serve
    for arguments in ((tf.ones([2, 4]),), (tf.ones([2, 3], tf.int32),), (), (tf.ones([2, 3]), 1)):
        with pytest.raises(TypeError, match=r"Binding inputs to tf\.function failed"):
            serve(*arguments)


def test_functions_without_arguments_are_signatures(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda: 3.0, input_signature=[])
    tf.saved_model.save(module, tmp_path, signatures={"f": module.f})
    assert tf.saved_model.load(tmp_path).signatures["f"]()["output_0"].numpy() == 3.0


@pytest.mark.parametrize("default", [np.array(5.0), tf.constant(5.0)])
def test_arrays_are_defaults_and_arguments(tmp_path, default):
    module = tf.Module()
    module.f = tf.function(lambda x=default: x + 1.0, input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    assert loaded.f().numpy() == 6.0
    assert loaded.f(np.array(2.0)).numpy() == 3.0


Pair = collections.namedtuple("Pair", "low high")


def test_namedtuples_come_back(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x: Pair(x - 1.0, x + 1.0), input_signature=[tf.TensorSpec([])])
    tf.saved_model.save(module, tmp_path)
    found = tf.saved_model.load(tmp_path).f(tf.constant(2.0))
    assert (found.low.numpy(), found.high.numpy()) == (1.0, 3.0)
    assert type(found).__name__ == "Pair"


def test_concrete_functions_are_called_by_names(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda x, times=2: x * times)
    concrete = module.f.get_concrete_function(tf.TensorSpec([], name="value"), 3)
    assert concrete(value=tf.constant(4.0)).numpy() == 12.0
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path).f.get_concrete_function(tf.TensorSpec([]), 3)
    assert loaded(x=tf.constant(4.0)).numpy() == 12.0
    assert loaded(value=tf.constant(4.0)).numpy() == 12.0
    with pytest.raises(TypeError, match="Binding inputs"):
        loaded(other=tf.constant(4.0))


def test_signatures_is_no_name_for_an_attribute(tmp_path):
    module = tf.Module()
    module.f = tf.function(lambda: 1.0, input_signature=[])
    module.signatures = {"f": module.f}
    with pytest.raises(ValueError, match="the attribute `signatures`"):
        tf.saved_model.save(module, tmp_path)
    del module.signatures
    tf.saved_model.save(module, tmp_path / "a", signatures=module.f)
    loaded = tf.saved_model.load(tmp_path / "a")
    tf.saved_model.save(loaded, tmp_path / "b")
    assert tf.saved_model.load(tmp_path / "b").f().numpy() == 1.0


def test_a_signature_for_tensors_of_any_rank_takes_them(tmp_path):
    module = tf.Module()
    module.v = tf.Variable(3.0)
    module.f = tf.function(lambda x: module.v * x, input_signature=[tf.TensorSpec(None)])
    tf.saved_model.save(module, tmp_path / "a", module.f.get_concrete_function())
    loaded = tf.saved_model.load(tmp_path / "a")
    tf.saved_model.save(loaded, tmp_path / "b", loaded.signatures)
    for name in ("a", "b"):
        served = tf.saved_model.load(tmp_path / name).signatures["serving_default"]
        assert served.structured_input_signature[1]["x"].shape.rank is None
        assert served.structured_outputs["output_0"].shape.rank is None
        for x in (2.0, [1.0, 2.0], [[[-1.0]]]):
            found = served(x=tf.constant(x))["output_0"].numpy()
            np.testing.assert_allclose(found, 3.0 * np.asarray(x))
        with pytest.raises(TypeError, match="must fit"):
            served(x=tf.constant(1))
        with pytest.raises(TypeError, match="saved for other ranks"):
            served(x=tf.zeros([1] * 7))


def test_a_loaded_concrete_function_takes_tensors_by_flat_names(tmp_path):
    module = tf.Module()
    named = [tf.TensorSpec([], name="first"), tf.TensorSpec([], name="second")]
    module.f = tf.function(lambda *args: args[0] - 2.0 * args[1])
    module.g = tf.function(lambda pair: pair[0] - 2.0 * pair[1])
    module.f.get_concrete_function(*named)
    module.g.get_concrete_function(named)
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    a, b = tf.constant(5.0), tf.constant(1.0)
    for concrete in (loaded.f.concretes[0], loaded.g.concretes[0]):
        assert concrete(second=b, first=a).numpy() == 3.0
        with pytest.raises(TypeError, match="Binding inputs"):
            concrete(first=a)


def test_variables_keep_how_replicas_make_them_one(tmp_path):
    kinds = tf.VariableSynchronization.ON_READ, tf.VariableAggregation.MEAN
    module = tf.Module()
    module.v = tf.Variable(1.0, synchronization=kinds[0], aggregation=kinds[1])
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path).v
    assert (loaded.synchronization, loaded.aggregation) == kinds


def test_a_partial_function_keeps_the_argument_it_has_by_name(tmp_path):
    module = tf.Module()
    module.f = tf.function(functools.partial(lambda x, y: x - y, x=5))
    module.f(y=tf.constant(7))
    tf.saved_model.save(module, tmp_path)
    assert tf.saved_model.load(tmp_path).f(y=tf.constant(1)).numpy() == 4
