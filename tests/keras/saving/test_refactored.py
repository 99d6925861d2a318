"""Weights by attribute path: reordered containers, and models that changed since."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras.models import Model, Sequential
from lamina.keras.saving.mapping import propose

layers = tf.keras.layers
X = np.random.default_rng(0).random((3, 4), "float32")


def model_of(**held):
    """Return a model that applies all Dense layers it holds, of the given sizes, one by one."""

    class Chain(Model):
        def __init__(self):
            super().__init__()
            for name, size in held.items():
                setattr(self, name, _made(size))

        def call(self, x):
            for layer in self._flatten_layers(include_self=False):
                if isinstance(layer, layers.Dense):
                    layer(x)
            return x

    model = Chain()
    model(X)
    rng = np.random.default_rng(1)
    for v in model.variables:
        v.assign(rng.random(tuple(v.shape)))
    return model


class Block(layers.Layer):
    """Holds layers under names."""

    def __init__(self, **held):
        super().__init__()
        for name, size in held.items():
            setattr(self, name, _made(size))

    def call(self, x):
        return x


def _made(size):
    if isinstance(size, dict) and "block" in size:
        return Block(**size["block"])
    if isinstance(size, dict):
        return {k: _made(v) for k, v in size.items()}
    return [_made(v) for v in size] if isinstance(size, list) else layers.Dense(size)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.weights.h5"


def moved(path, old, new, **options):
    """Save one model and load it into another; returns both states."""
    a, b = model_of(**old), model_of(**new)
    for v in b.variables:
        v.assign(np.zeros(tuple(v.shape)))
    a.save_weights(path)
    b.load_weights(path, **options)
    return a, b


def test_a_reordered_dict_keeps_its_weights(path):
    a, b = moved(path, {"heads": {"x": 2, "y": 2}}, {"heads": {"y": 2, "x": 2}})
    np.testing.assert_array_equal(a.heads["x"].kernel.numpy(), b.heads["x"].kernel.numpy())
    np.testing.assert_array_equal(a.heads["y"].kernel.numpy(), b.heads["y"].kernel.numpy())


def test_another_key_of_the_same_shape_is_no_match(path):
    with pytest.raises(ValueError, match=r"4 differ, and nothing was changed") as caught:
        moved(path, {"heads": {"x": 2, "y": 2}}, {"heads": {"x": 2, "z": 2}})
    text = str(caught.value)
    assert "heads['z'].kernel" in text
    assert "missing in the file" in text
    assert "not in the model" in text
    assert "\"heads['y']\": \"heads['z']\"" in text


def test_the_error_proposes_a_mapping_that_loads(path):
    old = {"enc": {"block": {"proj": 3, "out": 5}}, "head": 2}
    new = {"encoder": {"block": {"projection": 3, "out": 5}}, "head": 2}
    with pytest.raises(ValueError, match="If they were renamed or moved, pass:") as caught:
        moved(path, old, new)
    text = str(caught.value)
    start = text.index("mapping={") + len("mapping=")
    mapping = eval(text[start : text.index("}", start) + 1])
    assert mapping == {"enc.proj": "encoder.projection", "enc.out": "encoder.out"}
    a, b = moved(path, old, new, mapping=mapping)
    for p, q in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_array_equal(p, q)


def test_a_mapping_of_single_weights_loads(path):
    mapping = {"a.kernel": "b.kernel", "a.bias": "b.bias"}
    a, b = moved(path, {"a": 2}, {"b": 2}, mapping=mapping)
    np.testing.assert_array_equal(a.a.kernel.numpy(), b.b.kernel.numpy())


def test_swapped_names_are_what_the_mapping_says(path):
    a, b = moved(path, {"a": 2, "b": 2}, {"a": 2, "b": 2}, mapping={"a": "b", "b": "a"})
    np.testing.assert_array_equal(a.a.kernel.numpy(), b.b.kernel.numpy())
    np.testing.assert_array_equal(a.b.kernel.numpy(), b.a.kernel.numpy())


def test_arrays_split_and_join_along_the_last_axis(path):
    split = {"qkv.kernel": ("q.kernel", "k.kernel"), "qkv.bias": ("q.bias", "k.bias")}
    a, b = moved(path, {"qkv": 4}, {"q": 1, "k": 3}, mapping=split)
    np.testing.assert_array_equal(a.qkv.kernel.numpy()[:, :1], b.q.kernel.numpy())
    np.testing.assert_array_equal(a.qkv.bias.numpy()[1:], b.k.bias.numpy())
    a, b = moved(path, {"q": 1, "k": 3}, {"qkv": 4}, mapping={v: k for k, v in split.items()})
    np.testing.assert_array_equal(a.k.kernel.numpy(), b.qkv.kernel.numpy()[:, 1:])


def test_a_split_is_hinted_at_and_not_proposed(path):
    with pytest.raises(ValueError, match="Not clear, so not proposed") as caught:
        moved(path, {"qkv": 4}, {"q": 1, "k": 3})
    assert "qkv.kernel (4, 4) may be split: {'qkv.kernel': ('q.kernel', 'k.kernel')}" in str(
        caught.value
    )


def test_equal_candidates_are_listed_and_not_guessed(path):
    with pytest.raises(ValueError, match="Not clear, so not proposed") as caught:
        moved(path, {"p": 2, "q": 2}, {"v": 2, "w": 2})
    text = str(caught.value)
    assert "p.kernel (4, 2) may be v.kernel or w.kernel" in text
    assert "mapping={" not in text


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"nowhere": "b"}, r"names 'nowhere', which is not in the file.\n  Fix: take one of 'a"),
        ({"a": "nowhere"}, r"names 'nowhere', which is not in Chain .*\n  Fix: take one of 'b"),
        ({"a.kernel": ("b.kernel", "b.bias")}, r"must add up to that of 'a.kernel', of shape \(4"),
        ({("a.kernel", "a.bias"): "b.kernel"}, "must be alike but for their last axis"),
        ({"a": "b", ("a.bias",): "b.bias"}, "must name each variable once; got two arrays"),
    ],
)
def test_wrong_mappings_are_errors(mapping, message, path):
    with pytest.raises(ValueError, match=message):
        moved(path, {"a": 2}, {"b": 2}, mapping=mapping)


def test_a_mapping_of_other_things_is_an_error(path):
    with pytest.raises(TypeError, match=r"needs a path, or a tuple of paths .* got 'a': 3"):
        moved(path, {"a": 2}, {"b": 2}, mapping={"a": 3})


def test_functional_models_map_by_place(path):
    old = Sequential([tf.keras.Input((4,)), layers.Dense(2)])
    old.save_weights(path)

    class New(Model):
        def __init__(self):
            super().__init__()
            self.d = layers.Dense(2)

        def call(self, x):
            return self.d(x)

    new = New()
    new(X)
    with pytest.raises(ValueError, match="layers/dense/vars/0"):
        new.load_weights(path)
    new.load_weights(
        path, mapping={"layers/dense/vars/0": "d.kernel", "layers/dense/vars/1": "d.bias"}
    )
    np.testing.assert_array_equal(new(X).numpy(), old(X).numpy())


def test_a_deferred_load_takes_the_mapping(path):
    model_of(a=2).save_weights(path)

    class New(Model):
        def __init__(self):
            super().__init__()
            self.b = layers.Dense(2)

        def call(self, x):
            return self.b(x)

    new = New()
    new.load_weights(path, mapping={"a": "b"})
    assert new(X).shape == (3, 2)
    np.testing.assert_array_equal(new.b.kernel.numpy(), model_of(a=2).a.kernel.numpy())


def test_siblings_follow_a_pair():
    found = propose(
        [("a.kernel", (2, 3)), ("a.bias", (3,)), ("c.kernel", (4, 3)), ("c.bias", (3,))],
        [("x.kernel", (4, 3)), ("x.bias", (3,)), ("y.kernel", (2, 3)), ("y.bias", (3,))],
    )
    assert found.mapping == {"a": "y", "c": "x"}
    assert not found.unclear


def test_a_prefix_that_others_share_is_not_proposed():
    found = propose([("enc.a.kernel", (2,))], [("dec.a.kernel", (2,))], ["enc.b.kernel"])
    assert found.mapping == {"enc.a": "dec.a"}
