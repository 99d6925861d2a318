"""Convolutions and poolings against loops over windows."""

import itertools

import jax
import numpy as np
import pytest
from jax import export

import lamina as tf
from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor, errors
from lamina.ops import pooling
from lamina.ops.convolutions import _conv, _depthwise
from lamina.ops.deconvolutions import _conv_transpose
from lamina.ops.windows import Sliding
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)


def gradient(fn, *values):
    tensors = [convert_to_tensor(v) for v in values]
    with GradientTape() as tape:
        for t in tensors:
            tape.watch(t)
        y = fn(*tensors)
    return [g.numpy() for g in tape.gradient(y, tensors)]


def same_pads(sizes, window, strides, dilations):
    pads = []
    for n, k, s, d in zip(sizes, window, strides, dilations, strict=True):
        total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def windows_of(x, window, strides, padding, dilations, fill):
    """Yield (output place, window as an array) of channels-last x, batch and channels whole."""
    rank = len(window)
    pads = [(0, 0)] * rank
    if padding == "SAME":
        pads = same_pads(x.shape[1:-1], window, strides, dilations)
    x = np.pad(x, [(0, 0), *pads, (0, 0)], constant_values=fill)
    spans = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
    counts = [(n - w) // s + 1 for n, w, s in zip(x.shape[1:-1], spans, strides, strict=True)]
    for place in itertools.product(*map(range, counts)):
        cut = tuple(
            slice(p * s, p * s + w, d)
            for p, s, w, d in zip(place, strides, spans, dilations, strict=True)
        )
        yield place, x[(slice(None), *cut, slice(None))], counts


def looped_conv(x, w, strides, padding, dilations):
    rank = w.ndim - 2
    out = None
    groups = x.shape[-1] // w.shape[-2]
    for place, seen, counts in windows_of(x, w.shape[:rank], strides, padding, dilations, 0):
        if out is None:
            out = np.zeros((x.shape[0], *counts, w.shape[-1]))
        parts = []
        for g in range(groups):
            inputs = np.split(seen, groups, -1)[g]
            outputs = np.split(w, groups, -1)[g]
            parts.append(np.tensordot(inputs, outputs, rank + 1))
        out[(slice(None), *place)] = np.concatenate(parts, -1)
    return out


def looped_pool(x, window, strides, padding, reduce):
    out = None
    axes = tuple(range(1, len(window) + 1))
    ones = [1] * len(window)
    for place, seen, counts in windows_of(x, window, strides, padding, ones, np.nan):
        if out is None:
            out = np.zeros((x.shape[0], *counts, x.shape[-1]))
        out[(slice(None), *place)] = reduce(seen, axis=axes)
    return out


CONVOLUTIONS = [
    # input, filters, stride, dilation
    ((2, 7, 3), (3, 3, 4), 1, 1),
    ((2, 7, 3), (2, 3, 4), 2, 1),
    ((2, 9, 3), (3, 3, 4), 1, 3),
    ((2, 6, 5, 4), (3, 2, 4, 6), 1, 1),
    ((2, 6, 5, 4), (3, 2, 4, 6), 2, 1),
    ((2, 6, 7, 4), (3, 2, 2, 6), 1, 2),
    ((2, 6, 5, 4), (1, 1, 4, 6), 1, 1),
    ((2, 6, 5, 4), (1, 1, 4, 6), 2, 1),
    ((1, 4, 5, 4, 2), (2, 3, 2, 2, 3), 1, 1),
    ((1, 4, 5, 4, 2), (2, 3, 2, 2, 3), 2, 1),
]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("shape", "filters", "stride", "dilation"), CONVOLUTIONS)
def test_convolution_is_the_loop(shape, filters, stride, dilation, padding):
    x, w = RNG.randn(*shape).astype("float32"), RNG.randn(*filters).astype("float32")
    rank = len(shape) - 2
    expected = looped_conv(x, w, [stride] * rank, padding, [dilation] * rank)
    kwargs = {"strides": stride, "padding": padding, "dilations": dilation}
    assert_close(ops.convolution(x, w, **kwargs).numpy(), expected, "float32")
    first = ops.convolution(np.moveaxis(x, -1, 1), w, data_format="NCHW", **kwargs).numpy()
    assert_close(np.moveaxis(first, 1, -1), expected, "float32")


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_gradients_are_slopes(padding, stride):
    x, w = RNG.randn(1, 5, 4, 2), RNG.randn(3, 2, 2, 3)

    def fn(x, w):
        return ops.reduce_sum(ops.sin(ops.conv2d(x, w, stride, padding)))

    found, step = gradient(fn, x, w), 1e-6
    for i, value in enumerate((x, w)):
        for place in [(0, 0, 0, 0), tuple(n - 1 for n in value.shape)]:
            moved = [[x.copy(), w.copy()] for _ in range(2)]
            moved[0][i][place] += step
            moved[1][i][place] -= step
            slope = (float(fn(*moved[0])) - float(fn(*moved[1]))) / (2 * step)
            assert_close(found[i][place], slope, "float32")


def test_spellings_of_strides_padding_and_layout_agree():
    x, w = RNG.randn(2, 6, 6, 2), RNG.randn(3, 3, 2, 4)
    expected = ops.conv2d(x, w, 2, "SAME").numpy()
    for strides in ([2], [2, 2], [1, 2, 2, 1], np.array([2, 2])):
        assert_close(ops.conv2d(x, w, strides, "same").numpy(), expected)
    explicit = [[0, 0], [0, 1], [0, 1], [0, 0]]
    assert_close(ops.conv2d(x, w, 2, explicit).numpy(), expected)
    assert_close(ops.conv(x, w, (2, 2), "same").numpy(), expected)


def test_extra_batch_axes_and_causal_padding():
    x, w = RNG.randn(2, 3, 6, 2), RNG.randn(3, 2, 4)
    folded = ops.conv1d(x.reshape(6, 6, 2), w, 1, "VALID").numpy()
    assert_close(ops.conv1d(x, w, 1, "VALID").numpy(), folded.reshape(2, 3, 4, 4))
    padded = np.pad(x[0], ((0, 0), (4, 0), (0, 0)))
    causal = ops.conv(x[0], w, padding="causal", dilation_rate=2).numpy()
    assert_close(causal, ops.conv(padded, w, dilation_rate=2).numpy())


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("size", [3, 9])  # 9 × 9 taps go to the grouped convolution
def test_depthwise_convolution_is_one_convolution_a_channel(
    size, stride, dilation, multiplier, first
):
    x, w = RNG.randn(2, 18, 17, 3), RNG.randn(size, size, 3, multiplier)
    parts = [
        looped_conv(x[..., c : c + 1], w[:, :, c : c + 1], [stride] * 2, "SAME", [dilation] * 2)
        for c in range(3)
    ]
    value = np.moveaxis(x, -1, 1) if first else x
    layout = "channels_first" if first else "channels_last"
    y = ops.depthwise_conv(value, w, stride, "same", layout, dilation).numpy()
    assert_close(np.moveaxis(y, 1, -1) if first else y, np.concatenate(parts, -1))


def test_separable_convolution_is_two():
    x, d, p = RNG.randn(2, 5, 5, 3), RNG.randn(2, 2, 3, 2), RNG.randn(1, 1, 6, 4)
    y = ops.conv2d(ops.depthwise_conv2d(x, d, [1, 2, 2, 1], "SAME"), p, 1, "VALID")
    assert_close(ops.separable_conv2d(x, d, p, [1, 2, 2, 1], "SAME").numpy(), y.numpy())
    assert_close(ops.separable_conv(x, d, p, 2, "same").numpy(), y.numpy())


def test_depthwise_backprops_are_the_gradients():
    x, w, g = RNG.randn(2, 5, 4, 3), RNG.randn(2, 2, 3, 2), RNG.randn(2, 3, 2, 6)

    def fn(x, w):
        return ops.reduce_sum(ops.depthwise_conv2d(x, w, [1, 2, 2, 1], "SAME") * g)

    to_x, to_w = gradient(fn, x, w)
    rest = ([1, 2, 2, 1], "SAME")
    assert_close(ops.depthwise_conv2d_backprop_input(x.shape, w, g, *rest).numpy(), to_x)
    assert_close(ops.depthwise_conv2d_backprop_filter(x, w.shape, g, *rest).numpy(), to_w)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_transposed_convolution_is_the_gradient(rank, stride, padding):
    window, size = [3, 2, 2][:rank], [5, 6, 7][:rank]
    w = RNG.randn(*window, 2, 3)
    x = RNG.randn(2, *size, 2)

    def fn(v):
        return ops.convolution(v, w, stride, padding)

    g = RNG.randn(*fn(x).shape)
    (expected,) = gradient(lambda v: ops.reduce_sum(fn(v) * g), x)
    assert_close(ops.conv_transpose(g, w, x.shape, stride, padding).numpy(), expected)
    front = np.moveaxis(g, -1, 1)
    shape = (2, 2, *size)
    y = ops.conv_transpose(front, w, shape, stride, padding, data_format="NCHW").numpy()
    assert_close(np.moveaxis(y, 1, -1), expected)


@pytest.mark.parametrize(
    ("window", "stride", "padding", "output_padding", "dilation", "size"),
    [
        (3, 2, "same", None, 1, 8),
        (3, 2, "valid", None, 1, 9),
        (2, 3, "valid", None, 1, 12),
        (3, 2, "same", 1, 1, 8),
        (3, 2, "same", 0, 1, 7),
        (3, 2, "valid", 1, 1, 10),
        (3, 1, "valid", None, 2, 8),
        (3, 1, "same", None, 2, 4),
    ],
)
def test_transposed_conv_has_keras_s_sizes(window, stride, padding, output_padding, dilation, size):
    x, w = np.ones((1, 4, 2)), np.ones((window, 5, 2))
    y = ops.transposed_conv(x, w, stride, padding, output_padding, None, dilation)
    assert y.shape == (1, size, 5)


def test_atrous_convolutions():
    x, w = RNG.randn(1, 6, 6, 2), RNG.randn(2, 2, 2, 3)
    y = ops.atrous_conv2d(x, w, 2, "VALID")
    assert_close(y.numpy(), ops.conv2d(x, w, 1, "VALID", dilations=2).numpy())
    g = RNG.randn(*y.shape)
    (expected,) = gradient(lambda v: ops.reduce_sum(ops.atrous_conv2d(v, w, 2, "VALID") * g), x)
    assert_close(ops.atrous_conv2d_transpose(g, w, x.shape, 2, "VALID").numpy(), expected)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(
    ("window", "stride"), [((2,), 2), ((3,), 2), ((2, 3), 1), ((2, 2), 2), ((3, 2, 2), 2)]
)
def test_pools_are_loops(window, stride, padding):
    x = RNG.randn(2, *[6, 7, 5][: len(window)], 3)
    strides = [stride] * len(window)
    for fn, reduce in ((ops.max_pool, np.nanmax), (ops.avg_pool, np.nanmean)):
        expected = looped_pool(x, window, strides, padding, reduce)
        assert_close(fn(x, window, strides, padding).numpy(), expected)
        first = fn(np.moveaxis(x, -1, 1), window, strides, padding, "NCHW").numpy()
        assert_close(np.moveaxis(first, 1, -1), expected)


@pytest.mark.parametrize("fn", [ops.max_pool1d, ops.avg_pool1d])
def test_a_large_window_takes_the_other_path(fn):
    x = RNG.randn(2, 40, 3)
    reduce = np.nanmax if fn is ops.max_pool1d else np.nanmean
    expected = looped_pool(x, (20,), [10], "VALID", reduce)
    assert_close(fn(x, 20, 10, "VALID").numpy(), expected)
    (found,) = gradient(lambda v: ops.reduce_sum(fn(v, 20, 10, "VALID")), x)
    assert_close(found.sum(), expected.size, "float64")


def test_max_pool_gradient_goes_to_the_first_of_a_tie():
    x = np.zeros((1, 4, 4, 1), "float32")
    (found,) = gradient(lambda v: ops.reduce_sum(ops.max_pool2d(v, 2, 2, "VALID")), x)
    expected = np.zeros((4, 4))
    expected[::2, ::2] = 1
    assert_close(found[0, :, :, 0], expected, "float32")


def test_max_pool_keeps_dtypes_and_nan():
    assert ops.max_pool1d(np.array([[[-5], [-7]]], "int32"), 2, 1, "SAME").numpy().tolist() == [
        [[-5], [-7]]
    ]
    assert ops.max_pool1d(ops.ones((1, 2, 1), "bfloat16"), 2, 2, "VALID").dtype.name == "bfloat16"
    x = np.array([[[np.nan], [1.0], [2.0], [np.nan]]])
    assert np.isnan(ops.max_pool1d(x, 2, 2, "VALID").numpy()).all()


def test_pool_dilates():
    x = RNG.randn(1, 7, 1)
    y = ops.pool(x, [3], "AVG", dilations=[2]).numpy()
    assert_close(y.ravel(), [x[0, i : i + 5 : 2].mean() for i in range(3)])


def test_max_pool_with_argmax_names_the_place():
    x = RNG.randn(2, 4, 5, 3)
    y, where = ops.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=True)
    assert_close(x.ravel()[where.numpy()], y.numpy())
    _, where = ops.max_pool_with_argmax(x, 2, 2, "SAME", output_dtype="int32")
    assert where.dtype.name == "int32"
    assert_close(x[1].ravel()[where.numpy()[1]], y.numpy()[1])


@pytest.mark.parametrize(("size", "count"), [(6, 3), (7, 3), (5, 4), (3, 1), (4, 4)])
def test_adaptive_pools_cover_their_windows(size, count):
    x = RNG.randn(2, size, 3)
    parts = [x[:, i * size // count : -(-(i + 1) * size // count)] for i in range(count)]
    mean = np.stack([p.mean(1) for p in parts], 1)
    assert_close(ops.adaptive_average_pool(x, count).numpy(), mean)
    best = np.stack([p.max(1) for p in parts], 1)
    assert_close(ops.adaptive_max_pool(x, count).numpy(), best)
    front = ops.adaptive_max_pool(np.moveaxis(x, -1, 1), count, "channels_first").numpy()
    assert_close(np.moveaxis(front, 1, -1), best)


def test_morphology_of_a_flat_filter_is_pooling():
    x, ones = RNG.randn(1, 5, 5, 2), [1, 1, 1, 1]
    w = np.zeros((2, 2, 2))
    y = ops.dilation2d(x, w, ones, "VALID", "NHWC", ones).numpy()
    assert_close(y, ops.max_pool2d(x, 2, 1, "VALID").numpy())
    y = ops.erosion2d(x, w, ones, "VALID", "NHWC", ones).numpy()
    assert_close(y, -ops.max_pool2d(-x, 2, 1, "VALID").numpy())


X4, W4 = np.ones((1, 4, 4, 3), "float32"), np.ones((2, 2, 3, 2), "float32")
MISTAKES = [
    (ValueError, "`padding` must be", lambda: ops.conv2d(X4, W4, 1, "BOGUS")),
    (ValueError, "`data_format` must be", lambda: ops.conv2d(X4, W4, 1, "SAME", "HWCN")),
    (ValueError, "1, 2 or 4 entries", lambda: ops.conv2d(X4, W4, [1, 2, 3], "SAME")),
    (ValueError, "must be positive", lambda: ops.conv2d(X4, W4, 0, "SAME")),
    (
        errors.InvalidArgumentError,
        "batch and channels",
        lambda: ops.conv2d(X4, W4, [2, 1, 1, 1], "SAME"),
    ),
    (
        ValueError,
        "got 4 channels",
        lambda: ops.conv2d(np.ones((1, 4, 4, 4), "float32"), W4, 1, "SAME"),
    ),
    (
        errors.InvalidArgumentError,
        "spans 3, an input of size 1",
        lambda: ops.conv2d(X4[:, :1], W4, 1, "VALID", dilations=2),
    ),
    (ValueError, "rank 4 or more", lambda: ops.conv2d(X4[0], W4, 1, "VALID")),
    (ValueError, "rank 3, 4 or 5", lambda: ops.convolution(X4, W4[0, 0])),
    (ValueError, "'MAX' or 'AVG'", lambda: ops.pool(X4, [2, 2], "MIN")),
    (ValueError, "must have rank 4", lambda: ops.max_pool2d(X4[0], 2, 2, "VALID")),
    (
        ValueError,
        "input's channels",
        lambda: ops.depthwise_conv2d(X4[..., :2], W4, [1] * 4, "SAME"),
    ),
    (
        errors.InvalidArgumentError,
        "whose convolution has the input's size",
        lambda: ops.conv2d_transpose(X4, W4.swapaxes(2, 3), [1, 20, 20, 2], 2),
    ),
]


@pytest.mark.parametrize(("kind", "text", "call"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_mistakes_are_named(kind, text, call):
    with pytest.raises(kind, match=text):
        call()


B, S = export.symbolic_shape("b, s")
ONE = {"how": Sliding((1,), "SAME", (1,), False)}
TWO = {"how": Sliding((2, 2), "VALID", (1, 1), False, window=(2, 2))}
SYMBOLIC = {
    "conv1d, unknown time": (_conv, [(B, S, 3), (3, 3, 4)], ONE, (B, S, 4)),
    "conv2d": (_conv, [(B, 5, 5, 3), (3, 3, 3, 4)], TWO, (B, 2, 2, 4)),
    "pointwise": (_conv, [(B, 5, 5, 3), (1, 1, 3, 4)], TWO, (B, 3, 3, 4)),
    "depthwise": (_depthwise, [(B, 5, 5, 3), (3, 3, 3, 2)], TWO, (B, 2, 2, 6)),
    "transposed": (
        _conv_transpose,
        [(B, S, 3), (3, 4, 3)],
        {"how": Sliding((2,), "SAME", (1,), False)},
        (B, 2 * S, 4),
    ),
    "max pool": (pooling._max_pool, [(B, 4, 4, 3)], TWO, (B, 2, 2, 3)),
    "average pool": (pooling._avg_pool, [(B, 4, 4, 3)], TWO, (B, 2, 2, 3)),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_kernel_takes_an_unknown_batch(name):
    fn, shapes, kwargs, expected = SYMBOLIC[name]
    with jax.enable_x64(True):
        out = jax.eval_shape(
            lambda *v: fn.body(*v, **kwargs),
            *[jax.ShapeDtypeStruct(s, np.float32) for s in shapes],
        )
    assert out.shape == expected


@pytest.mark.parametrize(
    ("rank", "options"),
    [
        (2, {"strides": 2, "padding": "same"}),
        (2, {"strides": 2, "padding": "valid", "output_padding": 1}),
        (2, {"strides": (1, 3), "padding": "same", "data_format": "channels_first"}),
        (2, {"strides": 1, "padding": "valid", "dilation_rate": 2}),
        (1, {"strides": 3, "padding": "valid"}),
        (3, {"strides": 2, "padding": "same"}),
    ],
)
def test_gradients_of_a_transposed_convolution(rank, options):
    """It is linear in its filters and in its input, which says what the gradients are."""
    first = options.get("data_format") == "channels_first"
    sizes = (5, 4, 3)[:rank]
    rng = np.random.default_rng(0)
    x = tf.constant(rng.normal(size=(2, 3, *sizes) if first else (2, *sizes, 3)))
    k = tf.constant(rng.normal(size=(*(4, 3, 2)[:rank], 2, 3)))
    dx, dk = rng.normal(size=x.shape), rng.normal(size=k.shape)
    y = ops.transposed_conv(x, k, **options)
    g = rng.normal(size=y.shape)

    def value(x, k):
        return tf.reduce_sum(g * ops.transposed_conv(x, k, **options))

    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch([x, k])
            loss = value(x, k)
        in_x, in_k = tape.gradient(loss, [x, k])
        mixed = tf.reduce_sum(in_k * dk)
    assert_close(tf.reduce_sum(in_x * dx), value(dx, k))
    assert_close(mixed, value(x, dk))
    # The gradient in k is linear in x: its own gradient is the change of in_x with k.
    assert_close(tf.reduce_sum(outer.gradient(mixed, x) * dx), value(dx, dk))
    with tf.autodiff.ForwardAccumulator([x, k], [tf.constant(dx), tf.constant(dk)]) as forward:
        loss = value(x, k)
    assert_close(forward.jvp(loss), value(dx, k) + value(x, dk))
