"""Pooling over windows, over all positions, into cells."""

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

X = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)


def windows(x, size, stride):
    """Return {(i, j): window} of images."""
    rows = range(0, x.shape[1] - size + 1, stride)
    columns = range(0, x.shape[2] - size + 1, stride)
    return np.stack(
        [np.stack([x[:, i : i + size, j : j + size] for j in columns], 1) for i in rows], 1
    )


@pytest.mark.parametrize(("kind", "reduce"), [("Max", np.max), ("Average", np.mean)])
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 1), (2, 3)])
@pytest.mark.parametrize("first", [False, True])
def test_windows_by_definition(kind, reduce, size, stride, first):
    data_format = "channels_first" if first else "channels_last"
    layer = getattr(L, f"{kind}Pooling2D")(size, stride, data_format=data_format)
    y = layer(np.moveaxis(X, -1, 1) if first else X).numpy()
    expected = reduce(windows(X, size, stride or size), axis=(3, 4))
    assert_close(np.moveaxis(y, 1, -1) if first else y, expected)


def test_padding_does_not_count():
    ones = tf.ones((1, 3, 3, 1))
    assert_close(L.AveragePooling2D(2, padding="same")(ones), np.ones((1, 2, 2, 1)))
    assert_close(L.MaxPooling2D(2, padding="same")(-ones), -np.ones((1, 2, 2, 1)))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(("kind", "reduce"), [("Max", np.max), ("Average", np.mean)])
def test_global_pooling(kind, reduce, keepdims):
    layer = getattr(L, f"Global{kind}Pooling2D")(keepdims=keepdims)
    assert_close(layer(X), reduce(X, axis=(1, 2), keepdims=keepdims))
    first = getattr(L, f"Global{kind}Pooling2D")("channels_first", keepdims)
    assert_close(first(X), reduce(X, axis=(2, 3), keepdims=keepdims))


def test_global_average_counts_what_the_mask_keeps():
    x = np.array([[[1.0], [3.0], [100.0]]], np.float32)
    embedded = tf.constant(x)
    embedded._keras_mask = tf.constant([[True, True, False]])
    layer = L.GlobalAveragePooling1D()
    y = layer(embedded)
    assert_close(y, [[2.0]])
    assert y._keras_mask is None
    first = L.GlobalAveragePooling1D("channels_first")
    assert_close(first(np.swapaxes(x, 1, 2), mask=tf.constant([[True, True, False]])), [[2.0]])


def test_adaptive_pooling_equals_pooling_where_sizes_divide():
    x = X[:, :4]
    assert_close(L.AdaptiveAveragePooling2D((2, 3))(x), L.AveragePooling2D(2)(x))
    assert_close(L.AdaptiveMaxPooling2D((2, 3))(x), L.MaxPooling2D(2)(x))
    assert_close(L.AdaptiveMaxPooling2D(5)(X)[:, :, 0], X[:, :, :2].max(2))


def test_names_of_one_class():
    assert (L.MaxPool2D, L.AvgPool1D) == (L.MaxPooling2D, L.AveragePooling1D)
    assert L.GlobalAvgPool2D is L.GlobalAveragePooling2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.MaxPooling2D(0), "`pool_size` must be a positive integer or 2 of them; got 0"),
        (lambda: L.AveragePooling1D(2, -1), "`strides` must be a positive integer or 1 of them"),
        (lambda: L.MaxPooling2D(padding="causal"), "`padding` must be one of ['valid', 'same']"),
        (lambda: L.MaxPooling2D()(tf.ones((2, 3))), "the input must have 4 axes; got 2"),
        (lambda: L.GlobalMaxPooling1D()(tf.ones((2, 3))), "the input must have 3 axes; got 2"),
        (lambda: L.AdaptiveMaxPooling1D(0), "`output_size` must be a positive integer"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match="Pooling") as error:
        make()
    assert message in str(error.value)
