"""Functions of keras.ops on KerasTensors with unknown sizes, on ragged and on sparse values."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import ops
from tests.tolerances import assert_close


def _model(shape, function):
    x = tf.keras.Input(shape)
    return tf.keras.Model(x, function(x))


def test_inverses_and_solutions_in_a_model():
    model = _model((2, 2), lambda x: ops.matmul(ops.inv(x), ops.solve(x, x)))
    matrix = np.array([[[2.0, 1.0], [0.0, 4.0]]], "float32")
    assert_close(model(matrix)[0], np.linalg.inv(matrix[0]))


@pytest.mark.parametrize("given", [{"top_cropping": 1}, {"bottom_cropping": 2}])
def test_images_of_unknown_size_are_cropped_to_a_known_one(given):
    def crop(x):
        return ops.image.crop_images(x, left_cropping=0, target_height=3, target_width=2, **given)

    model = _model((None, None, 1), crop)
    image = np.arange(24, dtype="float32").reshape(1, 6, 4, 1)
    assert model.output_shape == (None, 3, 2, 1)
    np.testing.assert_array_equal(model(image), crop(image))


@pytest.mark.parametrize("given", [{"top_padding": 1}, {"bottom_padding": 2}])
def test_images_of_unknown_size_are_padded_to_a_known_one(given):
    def pad(x):
        return ops.image.pad_images(x, right_padding=1, target_height=8, target_width=7, **given)

    model = _model((None, None, 1), pad)
    image = np.arange(1, 25, dtype="float32").reshape(1, 6, 4, 1)
    assert model.output_shape == (None, 8, 7, 1)
    np.testing.assert_array_equal(model(image), pad(image))


def test_unstack_takes_num_where_the_size_is_unknown():
    model = _model((None, 2), lambda x: ops.unstack(x, num=2, axis=1)[1])
    np.testing.assert_array_equal(model(np.array([[[1.0, 2.0], [3.0, 4.0]]])), [[3.0, 4.0]])
    with pytest.raises(ValueError, match="`num` must be given"):
        ops.unstack(tf.keras.KerasTensor((2, None)), axis=1)


def test_ragged_and_sparse_values_stay_so_unless_told():
    ragged = tf.ragged.constant([[1, 2], [3]])
    sparse = tf.sparse.from_dense([[0.0, 2.0]])
    assert isinstance(ops.convert_to_tensor(ragged), tf.RaggedTensor)
    assert ops.convert_to_tensor(ragged, ragged=False).numpy().tolist() == [[1, 2], [3, 0]]
    assert isinstance(ops.convert_to_tensor(sparse), tf.SparseTensor)
    assert ops.convert_to_tensor(sparse, sparse=False).numpy().tolist() == [[0.0, 2.0]]
    assert ops.shape(ragged) == (2, None)
    assert ops.shape(sparse) == (1, 2)


def test_sparse_crossentropy_along_any_axis():
    scores = np.random.default_rng(3).random((2, 3, 4)).astype("float32")
    classes = np.array([[0, 1, 2, 1], [2, 2, 0, 1]])
    found = ops.sparse_categorical_crossentropy(classes, scores, from_logits=True, axis=1)
    moved = np.moveaxis(scores, 1, -1)
    wanted = ops.sparse_categorical_crossentropy(classes, moved, from_logits=True)
    assert_close(found, wanted)


def test_softmax_of_one_class_warns():
    with pytest.warns(UserWarning, match="the result is 1 everywhere"):
        ops.softmax(tf.ones([3, 1]))


@pytest.mark.parametrize("name", ["rgb_to_hsv", "hsv_to_rgb"])
def test_colours_need_three_channels(name):
    with pytest.raises(ValueError, match="must have 3 channels; got 4"):
        getattr(ops.image, name)(tf.ones([2, 2, 4]))


def test_sizes_of_volume_patches_are_checked():
    volume = tf.ones([1, 4, 4, 4, 1])
    with pytest.raises(TypeError, match="an int or three"):
        ops.image.extract_patches_3d(volume, size=(2, 2))
    with pytest.raises(ValueError, match="an int or three"):
        ops.image.extract_patches_3d(volume, size=2, strides=(2, 2))


def test_products_with_sparse_matrices():
    left = np.array([[0.0, 2.0], [1.0, 0.0]], "float32")
    right = np.array([[1.0, 3.0, 0.0], [0.0, 4.0, 5.0]], "float32")
    kinds = (tf.constant, tf.sparse.from_dense)
    for make_left in kinds:
        for make_right in kinds:
            found = ops.matmul(make_left(left), make_right(right))
            both = make_left is make_right is tf.sparse.from_dense
            assert isinstance(found, tf.SparseTensor) is both
            assert_close(ops.convert_to_numpy(found), left @ right)


def test_the_range_of_a_histogram_is_a_pair():
    with pytest.raises(ValueError, match="must be a pair"):
        ops.histogram(np.ones(3), range=(1.0,))
