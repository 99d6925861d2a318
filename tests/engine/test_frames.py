"""Series and data frames of pandas, as Tensors and as inputs of layers and models."""

import numpy as np
import pytest

import lamina as tf

pd = pytest.importorskip("pandas")

FRAME = {"number": [1, 2, 3], "name": ["x", "y", "z"], "size": [1.0, 2.0, 3.0]}


@pytest.fixture
def frame():
    return pd.DataFrame(FRAME)


@pytest.mark.parametrize("kind", [object, "str", "category"])
def test_a_series_of_strings_is_a_string_tensor_whatever_pandas_calls_its_dtype(frame, kind):
    found = tf.constant(frame["name"].astype(kind))
    assert found.dtype is tf.string
    assert found.numpy().tolist() == [b"x", b"y", b"z"]
    assert tf.strings.length(frame["name"].astype(kind)).numpy().tolist() == [1, 1, 1]


def test_integers_with_gaps_are_floats_with_nan():
    found = tf.constant(pd.Series([1, 2, None], dtype="Int64"))
    np.testing.assert_array_equal(found, np.array([1.0, 2.0, np.nan]))
    assert found.dtype is tf.float64


def test_a_frame_of_strings_is_a_matrix(frame):
    assert tf.constant(frame[["name"]]).shape == (3, 1)


def test_a_dict_of_series_is_a_dataset(frame):
    spec = tf.data.Dataset.from_tensor_slices(dict(frame)).element_spec
    assert [(k, s.dtype, s.shape.rank) for k, s in spec.items()] == [
        ("number", tf.int64, 0),
        ("name", tf.string, 0),
        ("size", tf.float64, 0),
    ]


def test_a_functional_model_takes_a_dict_of_series_in_calls_and_in_predict(frame):
    kinds = {"number": "int64", "name": "string", "size": "float32"}
    inputs = {k: tf.keras.Input((1,), name=k, dtype=t) for k, t in kinds.items()}
    names = tf.keras.layers.StringLookup(vocabulary=["x", "y"], output_mode="one_hot")
    parts = [inputs["number"], names(inputs["name"]), inputs["size"]]
    model = tf.keras.Model(inputs, tf.keras.layers.Concatenate()(parts))
    expected = [[1, 0, 1, 0, 1], [2, 0, 0, 1, 2], [3, 1, 0, 0, 3]]
    np.testing.assert_array_equal(model(dict(frame)), expected)
    np.testing.assert_array_equal(model.predict(dict(frame), verbose=0), expected)


def test_a_layer_called_on_a_frame_returns_a_tensor(frame):
    found = tf.keras.layers.Rescaling(2.0)(frame[["number", "size"]])
    assert isinstance(found, tf.Tensor)
    np.testing.assert_array_equal(found, [[2, 2], [4, 4], [6, 6]])
