"""Shapes, order of axes, borders, upsampling, and the basic layers."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

X = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("layer", "x", "expected"),
    [
        (L.Flatten(), X, X.reshape(2, 60)),
        (L.Flatten(), X[:, 0, 0, 0], X[:, :1, 0, 0]),
        (L.Flatten("channels_first"), X, np.moveaxis(X, 1, -1).reshape(2, 60)),
        (L.Reshape((4, -1)), X, X.reshape(2, 4, 15)),
        (L.Reshape(()), X[:, :1, 0, 0], X[:, 0, 0, 0]),
        (L.Reshape([60]), X, X.reshape(2, 60)),
        (L.Permute((3, 1, 2)), X, X.transpose(0, 3, 1, 2)),
        (L.RepeatVector(2), X[:, 0, 0], np.repeat(X[:, :1, 0], 2, 1)),
        (L.ZeroPadding1D((1, 2)), X[0], np.pad(X[0], ((0, 0), (1, 2), (0, 0)))),
        (L.ZeroPadding2D((1, 2)), X, np.pad(X, ((0, 0), (1, 1), (2, 2), (0, 0)))),
        (
            L.ZeroPadding2D(((0, 1), (2, 0)), "channels_first"),
            X,
            np.pad(X, ((0, 0), (0, 0), (0, 1), (2, 0))),
        ),
        (L.ZeroPadding3D(1), X[None], np.pad(X[None], ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))),
        (L.Cropping1D((1, 0)), X[0], X[0][:, 1:]),
        (L.Cropping2D(1), X, X[:, 1:-1, 1:-1]),
        (L.Cropping2D(((0, 1), (2, 0)), "channels_first"), X, X[:, :, :-1, 2:]),
        (L.Cropping3D((0, 1, 1)), X[None], X[None, :, 1:-1, 1:-1]),
        (L.UpSampling1D(3), X[0], np.repeat(X[0], 3, 1)),
        (L.UpSampling2D((2, 3)), X, np.repeat(np.repeat(X, 2, 1), 3, 2)),
        (L.UpSampling2D(2, "channels_first"), X, np.repeat(np.repeat(X, 2, 2), 2, 3)),
        (L.UpSampling3D((1, 2, 1)), X[None], np.repeat(X[None], 2, 2)),
    ],
)
def test_values(layer, x, expected):
    y = layer(x)
    assert_close(y, expected)
    assert layer(x.astype(np.int32)).dtype == tf.int32


def test_interpolation_is_that_of_resize_in_both_layouts():
    y = L.UpSampling2D((2, 3), interpolation="bilinear")(X)
    assert_close(y, tf.image.resize(X, (6, 12)))
    first = L.UpSampling2D((2, 3), "channels_first", "bilinear")(np.moveaxis(X, -1, 1))
    assert_close(np.moveaxis(first.numpy(), 1, -1), y)


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        (L.Flatten(), (None, 4), (None, None)),
        (L.Flatten(), (3, 4), (None, 12)),
        (L.Reshape((-1, 2)), (None, 4), (None, None, 2)),
        (L.Cropping1D((1, 2)), (None, 4), (None, None, 4)),
        (L.UpSampling2D(2), (None, None, 3), (None, None, None, 3)),
    ],
)
def test_unknown_sizes(layer, shape, expected):
    out = layer(tf.keras.Input(shape))
    assert tuple(out.shape) == expected
    x = np.ones([2, *[4 if n is None else n for n in shape]], np.float32)
    y = layer(x)
    assert all(a in (None, b) for a, b in zip(expected, y.shape, strict=True))


def test_empty_batches_keep_their_shape():
    assert tuple(L.Flatten()(np.zeros((0, 3, 4), np.float32)).shape) == (0, 12)
    assert tuple(L.Reshape((2, -1))(np.zeros((0, 6), np.float32)).shape) == (0, 2, 3)


def test_lambda_passes_what_the_function_takes():
    layer = L.Lambda(lambda x, scale, training: x * scale + training, arguments={"scale": 3.0})
    assert_close(layer(tf.ones(2), training=True), [4.0, 4.0])
    assert_close(layer(tf.ones(2), training=False), [3.0, 3.0])
    masked = L.Lambda(lambda x: x, mask=lambda x, mask: x > 0)
    assert masked.compute_mask(tf.constant([-1.0, 1.0])).numpy().tolist() == [False, True]


def test_masking_zeroes_and_masks():
    y = L.Masking(1.0)(tf.constant([[[1.0, 2.0], [1.0, 1.0]]]))
    assert_close(y, [[[1.0, 2.0], [0.0, 0.0]]])
    assert y._keras_mask.numpy().tolist() == [[True, False]]


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: L.Reshape((7,))(tf.ones((2, 6))), ValueError, "must hold the 6 elements"),
        (lambda: L.Reshape((3,))(tf.ones((2, 6))), ValueError, "must hold the 6 elements"),
        (lambda: L.Reshape((-1, -1)), ValueError, "-1 at most once"),
        (lambda: L.Reshape("ab"), TypeError, "`target_shape` must be integers"),
        (lambda: L.Permute((2, 2)), ValueError, "`dims` must hold each of 1 … 2 once"),
        (lambda: L.Permute((2, 1))(tf.ones((2, 3, 4, 5))), ValueError, "must have 3 axes; got 4"),
        (lambda: L.RepeatVector(2.0), TypeError, "`n` must be an integer; got 2.0"),
        (lambda: L.ZeroPadding2D("a"), ValueError, "`padding` must be an int, or 2 ints or pairs"),
        (lambda: L.ZeroPadding1D(-1), ValueError, "`padding` must be a non-negative integer"),
        (lambda: L.Cropping1D((3, 3))(tf.ones((1, 4, 1))), ValueError, "must leave something"),
        (lambda: L.UpSampling2D(0), ValueError, "`size` must be a positive integer"),
        (lambda: L.UpSampling2D(interpolation="x"), ValueError, "`interpolation` must be one of"),
        (lambda: L.Lambda(3), TypeError, "`function` must be callable; got 3"),
    ],
)
def test_errors(make, kind, message):
    with pytest.raises(kind, match=r".") as error:
        make()
    assert message in str(error.value)


def test_repeat_vector_repeats_at_least_once():
    with pytest.raises(ValueError, match="`n` must be a positive integer; got 0"):
        L.RepeatVector(0)


@pytest.mark.parametrize(
    ("size", "target", "expected"),
    [
        ((None,), (2, -1), (None, 2, None)),
        ((None, None, 3), (-1, 6), (None, None, 6)),
        ((None, 4), (-1, 8), (None, None, 8)),
    ],
)
def test_reshape_infers_a_size_from_unknown_ones(size, target, expected):
    x = tf.keras.Input(size)
    model = tf.keras.Model(x, L.Reshape(target)(x))
    assert model.output_shape == expected
    value = np.arange(48, dtype="float32").reshape(1, *(s or 4 for s in size[:-1]), -1)
    value = (
        value.reshape(1, *value.shape[1:])
        if size[-1] is None
        else value.reshape(-1, *(s or 4 for s in size))
    )
    assert_close(model(value), value.reshape(len(value), *target))


@pytest.mark.parametrize(
    "made",
    [
        lambda: L.Cropping1D((1,)),
        lambda: L.ZeroPadding1D(1.5),
        lambda: L.ZeroPadding1D(None),
        lambda: L.ZeroPadding2D(1.5),
        lambda: L.UpSampling2D((2,)),
        lambda: L.MaxPooling2D((2,)),
    ],
)
def test_sizes_are_one_or_one_for_each_axis(made):
    with pytest.raises(ValueError, match=r"must be (an int|a (positive|non-negative) integer)"):
        made()
