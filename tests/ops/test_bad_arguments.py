"""Arguments that TensorFlow refuses, and odd ones that it takes: array functions."""

import collections

import numpy as np
import pytest

import lamina as tf

M = np.arange(6, dtype=np.float32).reshape(2, 3)
INVALID = tf.errors.InvalidArgumentError

REFUSED = {
    "two lengths at most": (lambda: tf.sequence_mask([1, 2], maxlen=[3, 4]), ValueError),
    "no elements to unravel into": (lambda: tf.unravel_index([1], [0, 2]), INVALID),
    "unravelled out of range": (lambda: tf.unravel_index([6], [2, 3]), INVALID),
    "unravelled shape beyond int32": (lambda: tf.unravel_index([1], [1 << 20] * 2), INVALID),
    "several keepdims": (lambda: tf.reduce_max(M, keepdims=[True, False]), ValueError),
    "two axes to insert": (lambda: tf.expand_dims(M, [0, 1]), INVALID),
    "transposed vector": (lambda: tf.linalg.matrix_transpose([1, 2]), ValueError),
    "no permutation": (lambda: tf.math.invert_permutation([0, 0, 1]), INVALID),
    "no integers to invert": (lambda: tf.math.invert_permutation([0.0, 1.0]), INVALID),
    "two ellipses": (lambda: tf.constant(M)[..., 0, ...], INVALID),
    "scalar axis to reverse": (lambda: tf.reverse(M, 1), INVALID),
    "scalar coordinates": (lambda: tf.gather_nd(M, 1), INVALID),
    "float coordinates": (lambda: tf.gather_nd(M, [[0.0]]), INVALID),
    "float classes": (lambda: tf.one_hot([1.0], 2), INVALID),
    "negative depth": (lambda: tf.one_hot([1], -2), INVALID),
    "negative identity": (lambda: tf.eye(2, num_columns=-3), INVALID),
    "repeated along no axis": (lambda: tf.repeat(M, 2, axis=3), ValueError),
    "rolled along no axis": (lambda: tf.roll(M, 1, 2), INVALID),
    "more shifts than axes": (lambda: tf.roll(M, [1, 2], 0), INVALID),
    "reversed beyond the end": (lambda: tf.reverse_sequence(M, [1, 4], seq_axis=1), INVALID),
    "too few lengths": (lambda: tf.reverse_sequence(M, [1], seq_axis=1), INVALID),
    "rows along the steps": (lambda: tf.reverse_sequence(M, [1, 1], 0, 0), INVALID),
    "rows do not pair": (lambda: tf.searchsorted(M, [1.0, 2.0]), INVALID),
    "cropped to nothing": (
        lambda: tf.batch_to_space(tf.zeros((4, 1, 1, 1)), [2, 2], [[0, 3], [0, 0]]),
        INVALID,
    ),
    "float shape": (lambda: tf.shape(M, out_type=tf.float32), INVALID),
    "negative counted": (lambda: tf.math.bincount([2, -1]), INVALID),
    "range without width": (lambda: tf.histogram_fixed_width([1.0], [2.0, 2.0]), INVALID),
    "no bins": (lambda: tf.histogram_fixed_width([1.0], [0.0, 2.0], nbins=0), INVALID),
    "counts twice over": (
        lambda: tf.math.bincount([1], weights=[2.0], binary_output=True),
        ValueError,
    ),
    "segment beyond the last": (lambda: tf.math.unsorted_segment_sum([1.0], [3], 2), INVALID),
    "negative axes to contract": (lambda: tf.tensordot(M, M, -1), ValueError),
    "batch of other sizes": (lambda: tf.gather(M, [[0], [1], [2]], batch_dims=1), INVALID),
    "endless range": (lambda: tf.range(-1e38, 1), INVALID),
    "no dimensions": (lambda: tf.math.sobol_sample(0, 3), INVALID),
    "blocks of one pixel": (lambda: tf.nn.space_to_depth(tf.zeros((1, 2, 2, 1)), 1), INVALID),
    "one image as a batch": (lambda: tf.nn.depth_to_space(tf.zeros((2, 2, 4)), 2), INVALID),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tensorflow_refuses_is_refused(name):
    call, error = REFUSED[name]
    with pytest.raises(error, match=r"must|one ellipsis"):
        call()


def test_axes_may_come_as_a_matrix():
    np.testing.assert_array_equal(tf.reduce_sum(M, axis=[[0], [1]]), M.sum())
    np.testing.assert_array_equal(tf.expand_dims(M, [-1]), M[..., None])
    np.testing.assert_array_equal(tf.squeeze(tf.zeros((1, 2)), [0, -2]), [0, 0])


def test_an_empty_list_counts_as_bools():
    assert tf.reduce_all([]).numpy()
    assert not tf.reduce_any([]).numpy()
    assert tf.logical_not([]).dtype == tf.bool
    with pytest.raises(INVALID, match="must be bool"):
        tf.reduce_all([1.0])


def test_one_value_is_joined_whatever_the_axis():
    np.testing.assert_array_equal(tf.concat([M], 7), M)
    assert tf.concat([2.0], 0).shape == ()


def test_nested_empty_lists_take_any_dtype():
    assert tf.constant([[], []], tf.int64).shape == (2, 0)


def test_sequences_of_other_classes_become_tensors():
    class Pair:
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return [3, 5][i]

    np.testing.assert_array_equal(tf.constant(Pair()), [3, 5])
    np.testing.assert_array_equal(tf.constant(collections.deque([1.5, 2])), [1.5, 2])


def test_one_hot_of_strings():
    hot = tf.one_hot([1], 2, on_value="yes", off_value="no")
    assert hot.numpy().tolist() == [[b"no", b"yes"]]


def test_searchsorted_counts_rows_whatever_their_shape():
    np.testing.assert_array_equal(tf.searchsorted([[1, 4, 6]], [5, 1]), [2, 0])


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (
            [1e40 + 3j, 1 - 1e40j],
            tf.complex128,
            tf.complex64,
            [3.4028235e38 + 3j, 1 - 3.4028235e38j],
        ),
        ([-7 + 9j, 999 + 0j], tf.complex64, tf.uint8, [0, 255]),
        ([1e200, -1], tf.float64, tf.complex64, [3.4028235e38, -1]),
        ([np.inf, -np.inf], tf.float16, tf.int64, [65504, -65504]),
    ],
)
def test_saturate_cast_of_complex_numbers_and_infinities(value, source, target, expected):
    found = tf.saturate_cast(tf.constant(value, source), target)
    assert found.dtype == target
    np.testing.assert_array_equal(found, np.array(expected, target.as_numpy_dtype))


def test_gather_counts_negative_batch_dims_from_the_indices():
    rows = tf.gather(M, [[2], [0]], batch_dims=-1)
    np.testing.assert_array_equal(rows, [[2], [3]])
    np.testing.assert_array_equal(tf.gather(M, [1], axis=1, batch_dims=None), M[:, [1]])


def test_strings_are_gathered_scattered_and_reversed_by_rows():
    words = tf.constant([["a", "b", "c"], ["d", "e", "f"]])
    found = tf.gather(words, [[2, 0], [1, 1]], batch_dims=1)
    assert found.numpy().tolist() == [[b"c", b"a"], [b"e", b"e"]]
    found = tf.scatter_nd([[2], [0], [2]], ["x", "y", "z"], [3])
    assert found.numpy().tolist() == [b"y", b"", b"xz"]
    found = tf.reverse_sequence(words, [1, 3], seq_axis=1)
    assert found.numpy().tolist() == [[b"a", b"b", b"c"], [b"f", b"e", b"d"]]
    assert tf.math.count_nonzero([["", "a"], ["b", "c"]], axis=0).numpy().tolist() == [1, 2]


def test_bools_scatter_as_their_disjunction():
    assert tf.scatter_nd([[1], [1]], [True, True], [2]).numpy().tolist() == [False, True]


def test_special_functions_are_nan_where_tensorflow_has_no_value():
    for value in (
        tf.math.igamma(0.0, 1.0),
        tf.math.igammac(0.0, 1.0),
        tf.math.betainc(0.0, 1.0, 0.5),
        tf.math.digamma(0.0),
        tf.math.special.expint(-1.0),
    ):
        assert np.isnan(value.numpy())


def test_bincount_drops_the_fraction_of_floats():
    assert tf.math.bincount([1.5, 1.0, 0.2]).numpy().tolist() == [1, 2]


def test_the_fingerprint_of_nothing_is_empty():
    assert tf.fingerprint(tf.zeros((0, 3))).shape == (0, 8)


NN_REFUSED = {
    "rate as text": lambda: tf.nn.dropout(M, "a"),
    "a rate for each": lambda: tf.nn.dropout(M, tf.constant([0.5, 0.1])),
    "integer rate": lambda: tf.nn.dropout(M, tf.constant(1)),
    "other channels": lambda: tf.nn.conv2d_transpose(
        tf.ones((1, 2, 2, 3)), tf.ones((2, 2, 5, 3)), [1, 4, 4, 6], 2
    ),
}


@pytest.mark.parametrize("name", NN_REFUSED)
def test_what_layers_functions_refuse(name):
    with pytest.raises(ValueError, match="must"):
        NN_REFUSED[name]()


def test_relu_takes_no_bools():
    with pytest.raises(INVALID, match="must be a number"):
        tf.nn.relu(True)


def test_several_results_have_tensorflows_names():
    found = tf.nn.max_pool_with_argmax(tf.reshape(tf.range(4.0), (1, 2, 2, 1)), 2, 2, "SAME")
    assert found._fields == ("output", "argmax")
    assert tf.nn.isotonic_regression([2.0, 1.0])._fields == ("output", "segments")
    assert tf.math.approx_max_k([2.0, 1.0], 1).indices.numpy().tolist() == [0]
    assert tf.math.approx_min_k([2.0, 1.0], 1).values.numpy().tolist() == [1.0]


def test_means_of_nothing_are_zero():
    for moment in tf.nn.weighted_moments([1.0, 5.0], [0], [0.0, 0.0]):
        assert moment.numpy() == 0
    assert tf.nn.compute_average_loss([1.0, 5.0], global_batch_size=0).numpy() == 0


def test_the_shift_of_sufficient_statistics_is_a_tensor():
    assert tf.is_tensor(tf.nn.sufficient_statistics([1.0, 5.0], [0], shift=2.0)[3])


@pytest.mark.parametrize("reverse", [False, True])
def test_exclusive_sums_of_nothing_are_nothing(reverse):
    empty = tf.zeros((2, 0))
    assert tf.cumsum(empty, 1, exclusive=True, reverse=reverse).shape == (2, 0)
    assert tf.math.cumprod(empty, 1, exclusive=True, reverse=reverse).shape == (2, 0)


@pytest.mark.parametrize("elems", [[], 2.0, (M, 1.0)])
def test_map_fn_wants_elements(elems):
    with pytest.raises(ValueError, match=r"tf.map_fn: `elems` must be"):
        tf.map_fn(lambda x: x, elems)


RGB = np.linspace(0, 1, 48, dtype=np.float32).reshape(4, 4, 3)
IMAGES_REFUSED = {
    "two channels to hsv": lambda: tf.image.rgb_to_hsv(RGB[..., :2]),
    "integers to yuv": lambda: tf.image.rgb_to_yuv(tf.zeros((2, 2, 3), tf.uint8)),
    "hue of gray": lambda: tf.image.adjust_hue(RGB[..., :1], 0.1),
    "saturation of gray": lambda: tf.image.adjust_saturation(RGB[..., :1], 0.1),
    "flipped matrix": lambda: tf.image.flip_left_right(RGB[0]),
    "hue beyond half a turn": lambda: tf.image.random_hue(RGB, 0.6),
    "negative contrast": lambda: tf.image.random_contrast(RGB, -0.2, 0.2),
    "boxes of three numbers": lambda: tf.image.crop_and_resize(RGB[None], [[0.0] * 3], [0], [2, 2]),
    "more indices than boxes": lambda: tf.image.crop_and_resize(
        RGB[None], [[0.0] * 4], [0, 0], [2, 2]
    ),
    "empty crops": lambda: tf.image.crop_and_resize(RGB[None], [[0.0] * 4], [0], [0, 2]),
    "overlap above one": lambda: tf.image.non_max_suppression(
        [[0.0, 0.0, 1.0, 1.0]], [0.5], 1, iou_threshold=2.0
    ),
    "fewer than no boxes": lambda: tf.image.non_max_suppression([[0.0, 0.0, 1.0, 1.0]], [0.5], -1),
}


@pytest.mark.parametrize("name", IMAGES_REFUSED)
def test_what_image_functions_refuse(name):
    with pytest.raises(ValueError, match="must"):
        IMAGES_REFUSED[name]()


def test_python_complex_numbers_keep_their_precision_in_fft():
    assert tf.signal.fft([1.0 + 0j, 2.0]).dtype == tf.complex128
    assert tf.signal.fft(tf.ones(2, tf.complex64)).dtype == tf.complex64
