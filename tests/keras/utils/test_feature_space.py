"""FeatureSpace; numbers of TF are Keras 3.15's."""

import json
import re

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

FS = tf.keras.utils.FeatureSpace
RAW = {
    "f": [0.0, 0.1, 0.2, 0.35],
    "fn": [1.0, 2.0, 3.0, 5.0],
    "fr": [1.0, 2.0, 3.0, 4.0],
    "fd": [1.0, 5.0, 2.0, 9.0],
    "s": ["zero", "one", "two", "one"],
    "i": [0, 1, 2, 1],
    "ih": [5, 6, 7, 8],
    "sh": ["a", "b", "c", "d"],
}
# f, then the places of the ones of fd, fn, fr, and of i, ih, s, sh, (i, ih), (s, i).
ROWS = [
    (0.0, 0, -1.1832160, 3.0, 3, 1, 2, 4, 0, 2),
    (0.1, 2, -0.5070926, 5.0, 1, 2, 1, 2, 1, 3),
    (0.2, 1, 0.1690309, 7.0, 2, 1, 3, 2, 0, 1),
]
SIZES = (4, 3, 4, 5, 4, 6)


def hot(place, size):
    return [float(i == place) for i in range(size)]


def expected(row):
    f, fd, fn, fr, *places = row
    tail = [x for p, n in zip(places, SIZES, strict=True) for x in hot(p, n)]
    return [f, *hot(fd, 3), fn, fr, *tail]


def make(mode="concat"):
    return FS(
        {
            "f": "float",
            "fn": "float_normalized",
            "fr": FS.float_rescaled(scale=2.0, offset=1.0),
            "fd": FS.float_discretized(num_bins=3),
            "s": "string_categorical",
            "i": "integer_categorical",
            "ih": FS.integer_hashed(num_bins=3),
            "sh": "string_hashed",
        },
        crosses=[("s", "i"), FS.cross(("i", "ih"), crossing_dim=4)],
        crossing_dim=6,
        hashing_dim=5,
        output_mode=mode,
    )


@pytest.fixture(scope="module")
def space():
    made = make()
    made.adapt(RAW)
    return made


def test_the_vector_is_that_of_tf(space):
    found = space(RAW)
    assert (found.dtype, found.shape) == (tf.float32, [4, 32])
    assert_close(found[:3], [expected(row) for row in ROWS])
    assert_close(space({k: v[1] for k, v in RAW.items()}), expected(ROWS[1]))
    assert_close(space({k: np.array(v)[:, None] for k, v in RAW.items()})[0], expected(ROWS[0]))


def test_a_dict_has_the_encodings_by_name():
    made = make("dict")
    made.adapt(RAW)
    found = made(RAW)
    names = ["f", "fd", "fn", "fr", "i", "ih", "s", "sh", "i_X_ih", "s_X_i"]
    assert list(found) == names
    assert [tuple(found[n].shape) for n in names[4:]] == [(4, n) for n in SIZES]
    one = made({k: v[1] for k, v in RAW.items()})
    assert_close(one["s_X_i"], hot(3, 6))


def test_a_model_on_the_features(space):
    assert sorted(space.get_inputs()) == sorted(RAW)
    encoded = space.get_encoded_features()
    assert tuple(encoded.shape) == (None, 32)
    model = tf.keras.Model(space.get_inputs(), L.Dense(1, kernel_initializer="ones")(encoded))
    data = {k: tf.constant(np.array(v)[:, None]) for k, v in RAW.items()}
    data |= {k: tf.cast(data[k], tf.float32) for k in ("f", "fn", "fr", "fd")}
    data |= {k: tf.cast(data[k], tf.int32) for k in ("i", "ih")}
    assert_close(model(data)[:, 0], [8.816784, 11.592907, 14.369031, 17.871278])


def test_it_is_saved_and_loaded(space, tmp_path):
    path = tmp_path / "space.keras"
    space.save(path)
    other = tf.keras.models.load_model(path)
    assert isinstance(other, FS)
    assert_close(other(RAW), space(RAW).numpy())
    assert without_builds(other.get_config()) == without_builds(space.get_config())


def without_builds(config):
    """Return a config as text, without what only a layer that was built has."""
    return re.sub(r', "build_config": \{"input_shape": [^}]*\}', "", json.dumps(config))


def test_the_config_holds_the_features(space):
    config = space.get_config()
    assert list(config) == [
        "features",
        "output_mode",
        "crosses",
        "crossing_dim",
        "hashing_dim",
        "num_discretization_bins",
    ]
    assert config["features"]["s"]["config"]["dtype"] == "string"
    assert [c["config"] for c in config["crosses"]] == [
        {"feature_names": ("s", "i"), "crossing_dim": 6, "output_mode": "one_hot"},
        {"feature_names": ("i", "ih"), "crossing_dim": 4, "output_mode": "one_hot"},
    ]
    names = [layer.name for layer in space.preprocessors.values()]
    assert names[:2] == ["f_preprocessor", "fn_preprocessor"]


def test_a_preprocessor_of_ones_own():
    texts = L.TextVectorization(output_mode="count")
    made = FS({"text": FS.feature("string", texts, "float"), "n": "float"})
    made.adapt({"text": ["a b", "b"], "n": [1.0, 2.0]})
    assert_close(made({"text": ["b b"], "n": [3.0]}), [[3.0, 0, 2, 0]])


def test_batches_of_a_dataset_adapt_too():
    class Dataset:
        element_spec = None

        def __iter__(self):
            yield {"x": tf.constant([1.0, 3.0])}
            yield {"x": tf.constant([5.0, 7.0])}

    made = FS({"x": "float_normalized"})
    made.adapt(Dataset())
    assert_close(made({"x": 4.0}), [0.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FS({}), "`features` cannot be None or empty"),
        (lambda: FS({"a": "x"}), r"`features\['a'\]` must be one of"),
        (lambda: FS({"a": "float"}, output_mode="x"), "`output_mode` must be one of"),
        (lambda: FS({"a": "float"}, crosses=[("a", "b")]), "must name columns of `features`"),
        (lambda: FS({"a": "float"}, crosses=[("a",)], crossing_dim=0), "must be given with"),
        (lambda: FS({"a": "float_normalized"})({"a": 1.0}), r"call `.adapt\(dataset\)` on the"),
        (lambda: FS({"a": "float"})([1.0]), "can only be called with a dict; got list"),
        (lambda: FS({"a": "float"})({"b": 1.0}), r"missing \['a'\], got \['b'\]"),
        (lambda: FS({"a": "float"}).adapt([1]), "takes a tf.data.Dataset or a dict"),
        (lambda: FS.cross(("a", "b"), 3, output_mode="x"), "FeatureSpace.cross: `output_mode`"),
        (lambda: FS.feature("float32", None, "x"), "FeatureSpace.feature: `output_mode`"),
        (
            lambda: FS({"a": FS.integer_categorical(output_mode="int")}).adapt({"a": [1, 2]}),
            "'a' has not been encoded, its dtype is int64",
        ),
        (
            lambda: FS({"a": FS.feature("float32", L.Rescaling(1.0), "one_hot")})({"a": 1.0}),
            "its preprocessor should return an integer dtype",
        ),
    ],
)
def test_bad_use_is_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
