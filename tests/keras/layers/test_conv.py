"""Convolutions: ordinary, transposed, depthwise, separable."""

import inspect

import numpy as np
import pytest

import lamina as tf
from lamina.keras import layers as L
from tests.tolerances import assert_close

RNG = np.random.default_rng(0)


def array(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def convolve1d(x, kernel, stride=1, dilation=1, pad=(0, 0)):
    """Return a convolution of (B, T, C) with (K, C, F), by the definition."""
    x = np.pad(x, ((0, 0), pad, (0, 0)))
    span = (len(kernel) - 1) * dilation + 1
    starts = range(0, x.shape[1] - span + 1, stride)
    return np.stack(
        [np.einsum("bkc,kcf->bf", x[:, i : i + span : dilation], kernel) for i in starts], 1
    )


@pytest.mark.parametrize(
    ("arguments", "pad"),
    [
        ({}, (0, 0)),
        ({"strides": 2, "padding": "same"}, (0, 1)),
        ({"dilation_rate": 2, "padding": "causal"}, (4, 0)),
        ({"padding": "SAME"}, (1, 1)),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_conv1d_by_definition(arguments, pad, data_format):
    layer, x = (
        L.Conv1D(4, 3, data_format=data_format, bias_initializer="ones", **arguments),
        array(2, 8, 2),
    )
    first = data_format == "channels_first"
    y = layer(np.swapaxes(x, 1, 2) if first else x).numpy()
    expected = 1 + convolve1d(
        x, layer.kernel.numpy(), arguments.get("strides", 1), arguments.get("dilation_rate", 1), pad
    )
    assert_close(np.swapaxes(y, 1, 2) if first else y, expected)


def test_groups_are_separate_convolutions():
    layer, x = L.Conv2D(4, 2, groups=2, use_bias=False), array(1, 4, 4, 6)
    y = layer(x)
    halves = []
    for i in range(2):
        half = L.Conv2D(2, 2, use_bias=False)
        half.build((None, None, None, 3))
        half.set_weights([layer.kernel.numpy()[..., 2 * i : 2 * i + 2]])
        halves.append(half(x[..., 3 * i : 3 * i + 3]).numpy())
    assert_close(y, np.concatenate(halves, -1))


def test_transposed_convolution_is_the_gradient_of_a_convolution():
    forward = L.Conv2D(3, 3, strides=2, padding="same", use_bias=False)
    x, y = tf.constant(array(2, 6, 6, 2)), tf.constant(array(2, 3, 3, 3))
    forward(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        out = forward(x)
    expected = tape.gradient(out, x, output_gradients=y)
    back = L.Conv2DTranspose(2, 3, strides=2, padding="same", use_bias=False)
    back.build((None, None, None, 3))
    back.set_weights(forward.get_weights())
    assert_close(back(y), expected)


def test_depthwise_and_separable_are_convolutions_of_each_channel():
    x = array(2, 7, 3)
    layer = L.DepthwiseConv1D(2, depth_multiplier=2, use_bias=False)
    y = layer(x).numpy()
    for c in range(3):
        alone = convolve1d(x[..., c : c + 1], layer.kernel.numpy()[:, c : c + 1])
        assert_close(y[..., 2 * c : 2 * c + 2], alone)
    separable = L.SeparableConv1D(5, 2, depth_multiplier=2, use_bias=False)
    separable.build((None, 7, 3))
    separable.depthwise_kernel.assign(layer.kernel)
    assert_close(separable(x), y @ separable.pointwise_kernel.numpy()[0])


@pytest.mark.parametrize(
    ("layer", "sizes"),
    [
        (lambda: L.Conv2D(1, 3), [(5, 3), (6, 4)]),
        (lambda: L.Conv2D(1, 3, 2, "same"), [(5, 3), (6, 3)]),
        (lambda: L.Conv2DTranspose(1, 3, 2), [(5, 11), (2, 5)]),
        (lambda: L.Conv2DTranspose(1, 3, 2, output_padding=1), [(5, 12), (2, 6)]),
        (lambda: L.Conv2DTranspose(1, 3, 2, "same"), [(5, 10), (2, 4)]),
    ],
)
def test_sizes(layer, sizes):
    made = layer()
    for n, expected in sizes:
        assert made.compute_output_shape((None, n, n, 2)) == (None, expected, expected, 1)


def test_unknown_spatial_sizes():
    out = L.Conv2D(4, 3, padding="same")(tf.keras.Input((None, None, 3)))
    assert tuple(out.shape) == (None, None, None, 4)
    out = L.Conv2D(4, 3, strides=2, padding="same")(tf.keras.Input((None, None, 3)))
    assert tuple(out.shape) == (None, None, None, 4)


def test_defaults_of_a_rank_and_docs():
    defaults = {n: p.default for n, p in inspect.signature(L.Conv2D).parameters.items()}
    assert (defaults["strides"], defaults["dilation_rate"], defaults["groups"]) == (
        (1, 1),
        (1, 1),
        1,
    )
    assert inspect.signature(L.Conv1D).parameters["strides"].default == 1
    for kind in (L.Conv1D, L.Conv3D, L.Conv2DTranspose, L.SeparableConv2D):
        sections = [kind.__doc__.index(s) for s in ("Args:", "Weights:", "Raises:", "Example:")]
        assert sections == sorted(sections)

    class Mine(L.Conv2D):
        pass

    assert Mine(2, 3).strides == (1, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: L.Conv2D(0, 3), "`filters` must be a positive integer; got 0"),
        (lambda: L.Conv2D(4, (3, 3, 3)), "`kernel_size` must be a positive integer or 2 of them"),
        (lambda: L.Conv2D(4, 3, padding="causal"), "`padding` must be one of ['valid', 'same']"),
        (lambda: L.Conv2D(4, 3, strides=0), "`strides` must be a positive integer or 2 of them"),
        (lambda: L.Conv2D(4, 3, 2, dilation_rate=2), "`strides` or `dilation_rate` must be 1"),
        (lambda: L.Conv2D(4, 3, groups=3), "`groups` must divide filters; got 3 for 4"),
        (lambda: L.Conv2D(4, 3, data_format="last"), "data_format"),
        (lambda: L.Conv2D(4, 3, groups=2)(tf.ones((1, 5, 5, 3))), "divide the number of channels"),
        (lambda: L.Conv2D(4, 3)(tf.ones((1, 5, 5))), "the input must have at least 4 axes; got 3"),
        (
            lambda: L.Conv2D(4, 3).build((None, 5, 5, None)),
            "axis -1 of the input must have a known",
        ),
        (lambda: L.Conv1DTranspose(4, 3, output_padding=1), "must be less than `strides`"),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "`depth_multiplier` must be a positive"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=r".") as error:
        make()
    assert message in str(error.value)


@pytest.mark.parametrize("kind", ["DepthwiseConv1D", "SeparableConv1D"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_depthwise_kernels_are_dilated_and_stepped_at_once(kind, padding):
    settings = {"kernel_size": 2, "strides": 2, "dilation_rate": 2, "padding": padding}
    settings |= {"filters": 4} if kind == "SeparableConv1D" else {}
    layer, dense = getattr(L, kind)(**settings), getattr(L, kind)(**{**settings, "strides": 1})
    x = RNG.normal(size=(1, 9, 3)).astype(np.float32)
    y = layer(x)
    dense(x)
    dense.set_weights(layer.get_weights())
    assert_close(y, dense(x)[:, ::2])  # 9 is odd: "same" fills both sides alike


def test_channels_first_bias_goes_where_keras_on_tensorflow_puts_it():
    layer = L.Conv1D(4, 1, data_format="channels_first", kernel_initializer="zeros")
    layer.build((None, 3, None))
    layer.bias.assign([1.0, 2.0, 3.0, 4.0])
    assert_close(layer(tf.ones((1, 3, 5)))[0, :, 0], [1, 2, 3, 4])
    # As many places as filters: `keras.ops.add` takes the last axis for the channels.
    assert_close(layer(tf.ones((1, 3, 4)))[0, 0], [1, 2, 3, 4])


def test_a_subclass_changes_the_convolution():
    class Doubled(L.Conv2D):
        def convolution_op(self, inputs, kernel):
            return super().convolution_op(inputs, 2 * kernel)

    x = array(1, 4, 4, 3)
    layer, plain = Doubled(2, 3, use_bias=False), L.Conv2D(2, 3, use_bias=False)
    layer(x), plain(x)
    layer.set_weights(plain.get_weights())
    assert_close(layer(x), 2 * plain(x).numpy())


@pytest.mark.parametrize("kind", [L.Conv2D, L.DepthwiseConv2D, L.SeparableConv2D])
def test_windows_larger_than_the_input_are_refused(kind):
    layer = kind(
        kernel_size=3, dilation_rate=4, **({} if kind is L.DepthwiseConv2D else {"filters": 2})
    )
    with pytest.raises(
        ValueError, match=r"windows of \(9, 9\) must fit .* shape \(None, 8, 20, 3\)"
    ):
        layer(tf.keras.Input((8, 20, 3)))
