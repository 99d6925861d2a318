"""Reductions, running sums, order, segments and counts: values, dtypes, gradients, errors."""

import numpy as np
import pytest
import scipy.special as sp

from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor, dtypes, errors
from lamina.engine.signature import infer, symbolic_dim, type_of
from tests.tolerances import assert_close

X = np.random.default_rng(3).normal(size=(2, 3, 4)).astype(np.float32)
NAN = np.nan


def logsumexp(x, axis, keepdims):
    return sp.logsumexp(x, axis=axis, keepdims=keepdims)


def euclidean(x, axis, keepdims):
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


REDUCTIONS = [
    (ops.reduce_sum, np.sum),
    (ops.reduce_mean, np.mean),
    (ops.reduce_prod, np.prod),
    (ops.reduce_max, np.max),
    (ops.reduce_min, np.min),
    (ops.reduce_variance, np.var),
    (ops.reduce_std, np.std),
    (ops.reduce_logsumexp, logsumexp),
    (ops.reduce_euclidean_norm, euclidean),
]
AXES = [None, 0, -1, [0, 2], (1,), [-1, -2], []]
IDS = {"ids": lambda value: getattr(value, "__name__", None)}


def gradient(function, x):
    x = convert_to_tensor(np.asarray(x, np.float32))
    with GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    found = tape.gradient(y, x)
    return None if found is None else found.numpy()


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize(("function", "reference"), REDUCTIONS, **IDS)
def test_reductions_agree_with_numpy(function, reference, axis, keepdims):
    axes = tuple(axis) if isinstance(axis, list) else axis
    expected = np.asarray(reference(X.astype(np.float64), axis=axes, keepdims=keepdims))
    assert_close(function(X, axis, keepdims).numpy(), expected, np.float32)


@pytest.mark.parametrize(("function", "reference"), REDUCTIONS, **IDS)
def test_reductions_take_an_unknown_batch(function, reference):
    kind = type_of((symbolic_dim(0), 3), dtypes.float32)
    for axis, dims in [(0, (3,)), (1, kind.dims[:1]), (None, ())]:
        (output,), _ = infer("x", lambda x, axis=axis: function.body(x, axis=axis), [kind])
        assert output.dims == dims


def test_the_axis_may_be_a_tensor():
    axis = convert_to_tensor([0, 2])
    assert_close(ops.reduce_sum(X, axis=axis).numpy(), X.sum((0, 2)))
    assert_close(ops.reduce_sum(X, axis=convert_to_tensor(1)).numpy(), X.sum(1))


@pytest.mark.parametrize("kind", ["uint8", "int32", "int64"])
def test_integers_stay_integers(kind):
    x = np.array([[1, 2], [4, 7]], kind)
    results = [
        (ops.reduce_sum, [5, 9]),
        (ops.reduce_mean, [2, 4]),
        (ops.reduce_prod, [4, 14]),
        (ops.reduce_max, [4, 7]),
    ]
    for function, expected in results:
        result = function(x, axis=0)
        assert result.dtype.name == kind
        assert result.numpy().tolist() == expected
    assert ops.reduce_mean([-1, -2, -2, 0]).numpy() == -1
    assert ops.reduce_mean(np.zeros((0, 2), kind), axis=0).numpy().tolist() == [0, 0]


EMPTY = [
    (ops.reduce_sum, 0.0),
    (ops.reduce_prod, 1.0),
    (ops.reduce_max, -np.inf),
    (ops.reduce_min, np.inf),
    (ops.reduce_mean, NAN),
    (ops.reduce_logsumexp, -np.inf),
]


@pytest.mark.parametrize(("function", "value"), EMPTY, **IDS)
def test_reductions_of_nothing(function, value):
    assert_close(function(np.zeros((0, 2), np.float32), axis=0).numpy(), [value, value])


def test_reductions_of_bools():
    x = np.array([[True, False], [True, True]])
    assert ops.reduce_all(x, axis=0).numpy().tolist() == [True, False]
    assert ops.reduce_any(x, axis=1, keepdims=True).numpy().tolist() == [[True], [True]]


POINTS = [
    (ops.reduce_max, [1, 1, 0], [0.5, 0.5, 0]),
    (ops.reduce_min, [1, 1, 2], [0.5, 0.5, 0]),
    (ops.reduce_prod, [0, 2, 3], [6, 0, 0]),
    (ops.reduce_prod, [0, 2, 0], [0, 0, 0]),
    (ops.reduce_euclidean_norm, [0, 0], [NAN, NAN]),
    (ops.reduce_std, [1, 1], [NAN, NAN]),
    (ops.reduce_logsumexp, [0, 0], [0.5, 0.5]),
    (ops.cumsum, [1, 2, 3], [3, 2, 1]),
    (lambda x: ops.top_k(x, 2).values, [1, 3, 2], [0, 1, 1]),
    (lambda x: ops.sort(x) * [1.0, 10.0, 100.0], [2, 3, 1], [10, 100, 1]),
    (lambda x: ops.segment_max(x, [0, 0, 2]), [1, 1, -3], [0.5, 0.5, 1]),
    (lambda x: ops.segment_prod(x, [0, 0, 1]), [0, 2, 5], [2, 0, 1]),
    (lambda x: ops.segment_prod(x, [0, 0, 1]), [0, 0, 5], [0, 0, 1]),
    (lambda x: ops.unsorted_segment_mean(x, [1, 1, 0], 2), [1, 2, 3], [0.5, 0.5, 1]),
    (lambda x: ops.unsorted_segment_min(x, [1, -1, 1], 2), [1, 0, 3], [1, 0, 0]),
]


@pytest.mark.parametrize(("function", "x", "slope"), POINTS)
def test_gradients_at_edges_are_tfs(function, x, slope):
    assert_close(gradient(function, x), slope, np.float32)


@pytest.mark.parametrize("function", [ops.argmax, ops.argsort, ops.count_nonzero])
def test_no_gradient_where_tf_has_none(function):
    assert gradient(function, [1.0, 2.0]) is None


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
def test_running_sums(axis, exclusive, reverse):
    cases = [(ops.cumsum, np.cumsum, 0), (ops.cumprod, np.cumprod, 1)]
    cases.append((ops.cumulative_logsumexp, lambda x, a: np.logaddexp.accumulate(x, a), -np.inf))
    for function, reference, start in cases:
        x = np.flip(X, axis) if reverse else X
        expected = reference(x.astype(np.float64), axis)
        if exclusive:
            first = np.full_like(np.take(expected, [0], axis), start)
            rest = np.take(expected, range(X.shape[axis] - 1), axis)
            expected = np.concatenate([first, rest], axis)
        expected = np.flip(expected, axis) if reverse else expected
        assert_close(function(X, axis, exclusive, reverse).numpy(), expected, np.float32)


def test_running_sums_of_integers_keep_their_dtype():
    result = ops.cumsum(np.array([100, 100], np.int8))
    assert result.dtype.name == "int8"
    assert result.numpy().tolist() == [100, -56]


def test_places_of_extrema():
    x = np.array([[1.0, NAN, 3.0], [2.0, 2.0, 1.0]], np.float32)
    assert ops.argmax(x, axis=1).numpy().tolist() == [2, 0]
    assert ops.argmin(x, axis=-1).numpy().tolist() == [0, 2]
    assert ops.argmax(x).numpy().tolist() == [1, 1, 0]
    assert ops.argmax(x).dtype.name == "int64"
    assert ops.argmin(x, 1, "int32").dtype.name == "int32"


def test_sorting_is_stable_in_both_directions():
    x = [3, 1, 3, 2]
    assert ops.sort(x).numpy().tolist() == [1, 2, 3, 3]
    assert ops.sort(x, direction="DESCENDING").numpy().tolist() == [3, 3, 2, 1]
    assert ops.argsort(x).numpy().tolist() == [1, 3, 0, 2]
    assert ops.argsort(x, direction="DESCENDING").numpy().tolist() == [0, 2, 3, 1]
    assert ops.argsort(x).dtype.name == "int32"


def test_the_largest_few():
    found = ops.top_k([[1, 9, 5, 9]], k=3)
    assert found.values.numpy().tolist() == [[9, 9, 5]]
    assert found.indices.numpy().tolist() == [[1, 3, 2]]
    assert ops.top_k([1.0, 2.0], index_type="int64").indices.dtype.name == "int64"
    assert ops.approx_max_k([1.0, 9.0, 5.0], 2)[1].numpy().tolist() == [1, 2]
    assert ops.approx_min_k([1.0, 9.0, 5.0], 2)[0].numpy().tolist() == [1.0, 5.0]
    assert ops.invert_permutation([2, 0, 1]).numpy().tolist() == [1, 2, 0]


def test_in_top_k_counts_ties_and_rejects_what_is_not_finite():
    scores = [[0.1, 0.5, 0.5], [0.1, 0.5, 0.5], [1.0, np.inf, 2.0], [0.1, 0.5, 0.5]]
    assert ops.in_top_k([0, 2, 1, 7], scores, 1).numpy().tolist() == [False, True, False, False]


DATA = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], np.float32)
LOWEST, HIGHEST = np.finfo(np.float32).min, np.finfo(np.float32).max
SEGMENTS = [
    ("sum", [[4, 6], [0, 0], [5, 6]], 0),
    ("mean", [[2, 3], [0, 0], [5, 6]], 0),
    ("prod", [[3, 8], [1, 1], [5, 6]], 1),
    ("max", [[3, 4], [0, 0], [5, 6]], LOWEST),
    ("min", [[1, 2], [0, 0], [5, 6]], HIGHEST),
]


@pytest.mark.parametrize(("kind", "expected", "empty"), SEGMENTS)
def test_segments(kind, expected, empty):
    found = getattr(ops, f"segment_{kind}")(DATA, [0, 0, 2])
    assert_close(found.numpy(), expected, np.float32)
    expected = np.array([*expected[:1], [empty, empty], *expected[2:], [empty, empty]])
    found = getattr(ops, f"unsorted_segment_{kind}")(DATA, [0, 0, 2], 4)
    assert_close(found.numpy(), expected, np.float32)


def test_unsorted_segments_leave_negative_ids_out():
    assert ops.unsorted_segment_sum([1, 2, 4], [1, -1, 1], 2).numpy().tolist() == [0, 5]
    grid = ops.unsorted_segment_sum(DATA, [[0, 1], [1, 0], [0, 0]], 2)
    assert grid.numpy().tolist() == [16.0, 5.0]
    root = ops.unsorted_segment_sqrt_n([1.0, 2.0, 4.0], [0, 0, 1], 2)
    assert_close(root.numpy(), [3 / 2**0.5, 4])


def test_bincount():
    assert ops.bincount([0, 1, 1, 5]).numpy().tolist() == [1, 2, 0, 0, 0, 1]
    assert ops.bincount([0, 1], minlength=3).numpy().tolist() == [1, 1, 0]
    assert ops.bincount([0, 1, 1, 3], maxlength=2).numpy().tolist() == [1, 2]
    assert ops.bincount([0, 1, 1], weights=[1.0, 2.0, 3.0]).numpy().tolist() == [1.0, 5.0]
    assert ops.bincount([[0, 1], [1, 1]], axis=-1).numpy().tolist() == [[1, 1], [0, 2]]
    assert ops.bincount([1, 1], binary_output=True).numpy().tolist() == [0, 1]
    assert ops.bincount([], minlength=2).numpy().tolist() == [0, 0]
    assert ops.bincount([1], dtype="int64").dtype.name == "int64"


def test_confusion_matrix():
    assert ops.confusion_matrix([0, 1, 1], [0, 1, 0]).numpy().tolist() == [[1, 0], [1, 1]]
    weighted = ops.confusion_matrix([[1], [2]], [1, 2], num_classes=3, weights=[2, 3])
    assert weighted.numpy().tolist() == [[0, 0, 0], [0, 2, 0], [0, 0, 3]]


def test_histograms_and_counts():
    values, limits = [-1.0, 0.0, 1.5, 2.0, 5.0, 15.0], [0.0, 5.0]
    places = ops.histogram_fixed_width_bins(values, limits, nbins=5)
    assert places.numpy().tolist() == [0, 0, 1, 2, 4, 4]
    assert ops.histogram_fixed_width(values, limits, nbins=5).numpy().tolist() == [2, 1, 1, 0, 2]
    assert ops.count_nonzero([[0, 1], [2, 3]], axis=0).numpy().tolist() == [1, 2]
    assert ops.count_nonzero([True, False]).dtype.name == "int64"
    assert ops.zero_fraction([0, 1]).numpy() == np.float32(0.5)


INVALID = errors.InvalidArgumentError
ERRORS = [
    (lambda: ops.reduce_sum([1.0], axis=3), INVALID, "must be an int in [-1, 0]"),
    (lambda: ops.reduce_sum([1.0], axis=[0, 0]), INVALID, "must not name a dimension twice"),
    (lambda: ops.reduce_sum([True]), INVALID, "must be a number; got bool"),
    (lambda: ops.reduce_all([1]), INVALID, "must be bool; got int32"),
    (lambda: ops.reduce_variance([1, 2]), INVALID, "must be float or complex; got int32"),
    (lambda: ops.cumsum([1.0], axis=2), INVALID, "tf.cumsum: `axis` must be an int in"),
    (lambda: ops.argmax([1.0], axis=2), INVALID, "tf.argmax: `axis` must be an int in"),
    (lambda: ops.argmax(np.zeros((0,))), INVALID, "must not be empty along axis 0"),
    (lambda: ops.sort([1.0], direction="up"), ValueError, "'ASCENDING' or 'DESCENDING'; got 'up'"),
    (lambda: ops.top_k([1.0], k=3), INVALID, "got k = 3 for shape (1,)"),
    (lambda: ops.in_top_k([[0]], [[1.0]], 1), INVALID, "`targets` must be of shape (B,)"),
    (lambda: ops.segment_sum([1, 2], [1, 0]), INVALID, "a vector of ascending ids from 0; got"),
    (lambda: ops.unsorted_segment_sum([1, 2], [1], 2), INVALID, "must start with that of"),
    (lambda: ops.bincount([0], axis=1), ValueError, "`axis` must be None, 0 or -1; got 1"),
    (lambda: ops.confusion_matrix([5], [1], num_classes=3), INVALID, "must lie in [0, 3)"),
    (lambda: ops.confusion_matrix([1, 2], [1]), INVALID, "must have one shape; got (2,) and (1,)"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors_say_what_was_expected(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)
