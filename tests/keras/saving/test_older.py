"""Files of weights of Keras 2: read by the order of layers."""

import h5py
import numpy as np
import pytest

import lamina as tf

layers = tf.keras.layers


def _model(units=3):
    inputs = tf.keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="conv")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = tf.keras.Sequential([layers.Dense(2, name="one"), layers.Dense(units)], name="pair")(x)
    return tf.keras.Model(inputs, layers.GlobalAveragePooling2D()(x))


def _write(h5, model, prefix="old_"):
    """Write the weights as Keras 2 does; the names of the layers differ from the model's."""
    names = [f"{prefix}{la.name}" for la in model.layers]
    h5.attrs["layer_names"] = [n.encode() for n in names]
    values = {}
    for name, layer in zip(names, model.layers, strict=True):
        group = h5.create_group(name)
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        places = [f"{name}/{i}/{v.name}:0" for i, v in enumerate(weights)]
        group.attrs["weight_names"] = [p.encode() for p in places]
        for place, v in zip(places, weights, strict=True):
            values[v.path] = np.random.default_rng(len(values)).random(v.shape).astype("float32")
            group.create_dataset(place, data=values[v.path])
    return values


@pytest.fixture
def file(tmp_path):
    return tmp_path / "old.h5"


def test_layers_are_matched_by_their_order(file):
    model = _model()
    with h5py.File(file, "w") as h5:
        values = _write(h5, model)
    model.load_weights(file)
    for v in model.weights:
        np.testing.assert_array_equal(v.numpy(), values[v.path])


def test_files_of_whole_models_are_read(file):
    model = _model()
    with h5py.File(file, "w") as h5:
        values = _write(h5.create_group("model_weights"), model)
        h5.create_group("optimizer_weights")
    model.load_weights(file)
    for v in model.weights:
        np.testing.assert_array_equal(v.numpy(), values[v.path])


def test_long_lists_of_names_are_split(file):
    model = _model()
    with h5py.File(file, "w") as h5:
        values = _write(h5, model)
        names = list(h5.attrs["layer_names"])
        del h5.attrs["layer_names"]
        h5.attrs["layer_names0"], h5.attrs["layer_names1"] = names[:2], names[2:]
    model.load_weights(file)
    np.testing.assert_array_equal(model.weights[-1].numpy(), values[model.weights[-1].path])


def test_another_number_of_layers_is_an_error(file):
    with h5py.File(file, "w") as h5:
        _write(h5, _model(), prefix="")
    inputs = tf.keras.Input((8, 8, 3))
    model = tf.keras.Model(inputs, layers.Conv2D(4, 3, name="other")(inputs))
    message = "were expected, 1; got 3 layers. They part at 'other' here, 'conv' there"
    with pytest.raises(ValueError, match=message):
        model.load_weights(file)


def test_another_number_of_weights_is_an_error(file):
    with h5py.File(file, "w") as h5:
        _write(h5, _model())
        h5["old_conv"].attrs["weight_names"] = h5["old_conv"].attrs["weight_names"][:1]
    with pytest.raises(ValueError, match="2 weights were expected for the layer 'conv'; got 1 in"):
        _model().load_weights(file)


def test_another_shape_is_an_error_and_can_be_left_out(file):
    with h5py.File(file, "w") as h5:
        values = _write(h5, _model())
    model = _model(units=5)
    with pytest.raises(ValueError, match="2 differ, and nothing was changed"):
        model.load_weights(file)
    with pytest.warns(UserWarning, match="2 weights do not fit"):
        model.load_weights(file, skip_mismatch=True)
    np.testing.assert_array_equal(model.weights[0].numpy(), values["conv/kernel"])


def test_groups_and_arrays_that_are_missing_are_named(file):
    with h5py.File(file, "w") as h5:
        _write(h5, _model())
        del h5["old_conv/old_conv/0"]
    with pytest.raises(ValueError, match=r"\['old_conv/old_conv/0/kernel:0'\] are missing"):
        _model().load_weights(file)
    with h5py.File(file, "a") as h5:
        del h5["old_conv"]
    with pytest.raises(ValueError, match="a group was expected for the layer 'old_conv'; got none"):
        _model().load_weights(file)


def test_the_model_must_be_built(file):
    with h5py.File(file, "w") as h5:
        _write(h5, _model())
    model = tf.keras.Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match="a built model was expected for a file of Keras 2"):
        model.load_weights(file)
