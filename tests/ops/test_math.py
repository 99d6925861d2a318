"""Elementwise families: values against NumPy and SciPy, dtypes, TF's gradients, error texts."""

import numpy as np
import pytest
import scipy.special as sp

import lamina as tf
from lamina import ops
from lamina.engine import GradientTape, Variable, convert_to_tensor, dtypes, errors
from lamina.engine.signature import infer, symbolic_dim, type_of
from lamina.ops import bessel, special
from tests.tolerances import assert_close

NAN, INF = np.nan, np.inf
POSITIVE = np.array([[0.3, 0.9, 1.7], [2.2, 0.5, 3.0]], np.float32)
SIGNED = np.array([[-2.5, -0.6, 0.0], [0.5, 1.5, 2.4]], np.float32)
UNIT = np.array([[-0.9, -0.3], [0.2, 0.7]], np.float32)
OTHER = np.array([1.3, -0.7, 2.0], np.float32)

UNARY = [
    (ops.abs, np.abs, SIGNED),
    (ops.negative, np.negative, SIGNED),
    (ops.sign, np.sign, SIGNED),
    (ops.square, np.square, SIGNED),
    (ops.reciprocal, np.reciprocal, POSITIVE),
    (ops.floor, np.floor, SIGNED),
    (ops.ceil, np.ceil, SIGNED),
    (ops.round, np.round, SIGNED),
    (ops.rint, np.rint, SIGNED),
    (ops.sqrt, np.sqrt, POSITIVE),
    (ops.rsqrt, lambda x: 1 / np.sqrt(x), POSITIVE),
    (ops.exp, np.exp, SIGNED),
    (ops.expm1, np.expm1, SIGNED),
    (ops.log, np.log, POSITIVE),
    (ops.log1p, np.log1p, POSITIVE),
    (ops.sin, np.sin, SIGNED),
    (ops.cos, np.cos, SIGNED),
    (ops.tan, np.tan, UNIT),
    (ops.asin, np.arcsin, UNIT),
    (ops.acos, np.arccos, UNIT),
    (ops.atan, np.arctan, SIGNED),
    (ops.sinh, np.sinh, SIGNED),
    (ops.cosh, np.cosh, SIGNED),
    (ops.tanh, np.tanh, SIGNED),
    (ops.asinh, np.arcsinh, SIGNED),
    (ops.acosh, np.arccosh, POSITIVE + 1),
    (ops.atanh, np.arctanh, UNIT),
    (ops.is_nan, np.isnan, SIGNED),
    (ops.is_inf, np.isinf, SIGNED),
    (ops.is_finite, np.isfinite, SIGNED),
    (special.erf, sp.erf, SIGNED),
    (special.erfc, sp.erfc, SIGNED),
    (special.erfinv, sp.erfinv, UNIT),
    (special.erfcinv, sp.erfcinv, UNIT + 1),
    (special.ndtri, sp.ndtri, UNIT / 2 + 0.5),
    (special.lgamma, sp.gammaln, POSITIVE),
    (special.digamma, sp.digamma, POSITIVE),
    (special.dawsn, sp.dawsn, SIGNED),
    (special.expint, sp.expi, POSITIVE),
    (special.fresnel_cos, lambda x: sp.fresnel(x)[1], SIGNED),
    (special.fresnel_sin, lambda x: sp.fresnel(x)[0], SIGNED),
    (special.spence, sp.spence, POSITIVE),
    (bessel.bessel_i0, sp.i0, SIGNED),
    (bessel.bessel_i0e, sp.i0e, SIGNED),
    (bessel.bessel_i1, sp.i1, SIGNED),
    (bessel.bessel_i1e, sp.i1e, SIGNED),
    (bessel.bessel_j0, sp.j0, SIGNED),
    (bessel.bessel_j1, sp.j1, SIGNED),
    (bessel.bessel_k0, sp.k0, POSITIVE),
    (bessel.bessel_k0e, sp.k0e, POSITIVE),
    (bessel.bessel_k1, sp.k1, POSITIVE),
    (bessel.bessel_k1e, sp.k1e, POSITIVE),
    (bessel.bessel_y0, sp.y0, POSITIVE),
    (bessel.bessel_y1, sp.y1, POSITIVE),
]
BINARY = [
    (ops.add, np.add),
    (ops.subtract, np.subtract),
    (ops.multiply, np.multiply),
    (ops.truediv, np.divide),
    (ops.realdiv, np.divide),
    (ops.floordiv, np.floor_divide),
    (ops.floormod, np.mod),
    (ops.truncatemod, np.fmod),
    (ops.truncatediv, lambda x, y: np.trunc(x / y)),
    (ops.maximum, np.maximum),
    (ops.minimum, np.minimum),
    (ops.squared_difference, lambda x, y: (x - y) ** 2),
    (ops.atan2, np.arctan2),
    (ops.equal, np.equal),
    (ops.not_equal, np.not_equal),
    (ops.less, np.less),
    (ops.less_equal, np.less_equal),
    (ops.greater, np.greater),
    (ops.greater_equal, np.greater_equal),
]
IDS = {"ids": lambda value: getattr(value, "__name__", "")}


def gradients(function, *values):
    """Return the gradients of the sum of the results, None where there are none."""
    values = [convert_to_tensor(v) for v in values]
    with GradientTape() as tape:
        tape.watch(values)
        result = function(*values)
    return [None if g is None else g.numpy() for g in tape.gradient(result, values)]


@pytest.mark.parametrize(("function", "reference", "x"), UNARY, **IDS)
def test_unary_agrees_with_the_reference(function, reference, x):
    result = function(x)
    assert_close(result.numpy(), np.asarray(reference(x.astype(np.float64))), np.float32)
    assert result.dtype in (dtypes.float32, dtypes.bool_)


@pytest.mark.parametrize(("function", "reference"), BINARY, **IDS)
def test_binary_broadcasts_like_numpy(function, reference):
    assert_close(function(SIGNED, OTHER).numpy(), reference(SIGNED, OTHER))


@pytest.mark.parametrize(("function", "reference", "x"), UNARY, **IDS)
def test_unary_takes_an_unknown_batch(function, reference, x):
    batch = (symbolic_dim(0), 3)
    (output,), _ = infer(function.__name__, function.body, [type_of(batch, dtypes.float32)])
    assert output.dims == batch


@pytest.mark.parametrize(("function", "reference"), BINARY, **IDS)
def test_binary_takes_an_unknown_batch(function, reference):
    batch = (symbolic_dim(0), 3)
    kinds = [type_of(batch, dtypes.float32), type_of((3,), dtypes.float32)]
    (output,), _ = infer(function.__name__, function.body, kinds)
    assert output.dims == batch


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("function", [ops.exp, ops.sqrt, ops.tanh, ops.abs, bessel.bessel_j0])
def test_floats_keep_their_dtype(function, dtype):
    x = ops.cast(POSITIVE, dtype)
    assert function(x).dtype.name == dtype
    assert_close(function(x).numpy(), function(POSITIVE).numpy(), dtype)


FAR = np.array([1e-3, 1.9, 2.1, 11.9, 12.1, 40.0, 300.0])


@pytest.mark.parametrize("name", ["j0", "j1", "y0", "y1", "k0e", "k1e"])
def test_bessel_functions_agree_where_their_series_meet(name):
    assert_close(getattr(bessel, f"bessel_{name}")(FAR).numpy(), getattr(sp, name)(FAR))


SLOPES = [
    (bessel.bessel_j0, sp.jvp, 0),
    (bessel.bessel_j1, sp.jvp, 1),
    (bessel.bessel_y0, sp.yvp, 0),
    (bessel.bessel_y1, sp.yvp, 1),
    (bessel.bessel_k0, sp.kvp, 0),
    (bessel.bessel_k1, sp.kvp, 1),
]


@pytest.mark.parametrize(("function", "slope", "order"), SLOPES, **IDS)
def test_bessel_gradients_follow_the_recurrences(function, slope, order):
    x = POSITIVE.astype(np.float64)
    assert_close(gradients(function, x)[0], slope(order, x))


INCOMPLETE = [
    (special.igamma, sp.gammainc, 2),
    (special.igammac, sp.gammaincc, 2),
    (special.polygamma, lambda n, x: sp.polygamma(n.astype(int), x), 2),
    (special.zeta, sp.zeta, 2),
    (special.betainc, sp.betainc, 3),
]


@pytest.mark.parametrize(("function", "reference", "count"), INCOMPLETE, **IDS)
def test_functions_of_several_parameters(function, reference, count):
    operands = [np.array([2.0, 3.0]), np.array([1.5, 2.5]), np.array([0.3, 0.6])][:count]
    assert_close(function(*operands).numpy(), reference(*operands))


@pytest.mark.parametrize("kind", ["int8", "int16", "uint8", "int32", "int64"])
def test_true_division_of_integers_gives_the_float_tf_gives(kind):
    result = ops.truediv(np.array([7, 2], kind), 2)
    assert result.dtype.name == ("float32" if np.dtype(kind).itemsize <= 2 else "float64")
    assert result.numpy().tolist() == [3.5, 1.0]


# Numbers whose product with their float32 reciprocal is below 1.
NOT_RECIPROCAL = [41.0, 47.0, 55.0, 61.0]


@pytest.mark.parametrize("n", NOT_RECIPROCAL)
def test_quotients_are_rounded_once_where_the_divisor_is_broadcast(n):
    x = convert_to_tensor(np.array([n, 2 * n, -n, 252, np.inf, 0.0], np.float32))
    expected = x.numpy() / np.float32(n)
    assert ops.truediv(x, n).numpy().tolist() == expected.tolist()
    assert ops.realdiv(x, n).numpy().tolist() == expected.tolist()
    assert ops.divide_no_nan(x, n).numpy().tolist() == expected.tolist()
    assert ops.xdivy(x, n).numpy().tolist() == expected.tolist()
    assert ops.floordiv(x, n).numpy()[:4].tolist() == np.floor(expected[:4]).tolist()
    assert ops.truncatediv(x, n).numpy()[:4].tolist() == np.trunc(expected[:4]).tolist()
    assert ops.truediv(convert_to_tensor(np.array([n], np.int32)), int(n)).numpy() == 1
    assert np.isnan(ops.truediv(convert_to_tensor(np.array([NAN, 0], np.float32)), 0.0)).all()


@pytest.mark.parametrize("n", NOT_RECIPROCAL)
def test_quotients_by_a_broadcast_divisor_have_plain_gradients(n):
    x, y = convert_to_tensor(np.array([n, 3.0], np.float32)), convert_to_tensor(np.float32(n))
    with GradientTape() as tape:
        tape.watch([x, y])
        quotient = ops.truediv(x, y)
    of_x, of_y = tape.gradient(quotient, [x, y])
    assert_close(of_x.numpy(), np.full(2, 1 / n, np.float32))
    assert_close(of_y.numpy(), np.float32(-(n + 3) / n**2))


@pytest.mark.parametrize("n", [int(n) for n in NOT_RECIPROCAL])
def test_means_of_ones_are_one(n):
    ones = convert_to_tensor(np.ones((2, n), np.float32))
    assert ops.reduce_mean(ones).numpy() == 1
    assert ops.reduce_mean(ones, 1).numpy().tolist() == [1, 1]
    assert ops.moments(ones, 1)[0].numpy().tolist() == [1, 1]
    assert ops.avg_pool1d(ones[..., None], n, 1, "VALID").numpy().ravel().tolist() == [1, 1]
    assert ops.normalize(ones[:, :1] * n, axis=1)[0].numpy().ravel().tolist() == [1, 1]


def test_integer_division_and_remainders_follow_the_signs():
    x, y = np.array([7, -7, 7, -7]), np.array([3, 3, -3, -3])
    assert ops.floordiv(x, y).numpy().tolist() == [2, -3, -3, 2]
    assert ops.floormod(x, y).numpy().tolist() == [1, 2, -2, -1]
    assert ops.truncatediv(x, y).numpy().tolist() == [2, -2, -2, 2]
    assert ops.truncatemod(x, y).numpy().tolist() == [1, -1, 1, -1]


# function, x, y, value, gradient of x, gradient of y
EDGES = [
    (ops.maximum, [1, 2, NAN], [1, 3, 1], [1, 3, NAN], [1, 0, 0], [0, 1, 1]),
    (ops.minimum, [1, 2, NAN], [1, 3, 1], [1, 2, NAN], [1, 1, 0], [0, 0, 1]),
    (ops.pow, [0, 2, -2, 0], [2, -1, 3, 1], [0, 0.5, -8, 0], [0, -0.25, 12, 1], [0, 0.34657, 0, 0]),
    (ops.divide_no_nan, [1, 3], [0, 2], [0, 1.5], [0, 0.5], [0, -0.75]),
    (ops.multiply_no_nan, [INF, 2], [0, 3], [0, 6], [0, 3], [INF, 2]),
    (ops.xlogy, [0, 2], [0, 1], [0, 0], [0, 0], [0, 2]),
    (ops.xlog1py, [0, 2], [-1, 1], [0, 1.386294], [0, 0.693147], [0, 1]),
    (ops.xdivy, [0, 2], [0, 4], [0, 0.5], [0, 0.25], [0, -0.125]),
    (ops.floormod, [7.5, -7.5], [2, 2], [1.5, 0.5], [1, 1], [-3, 4]),
    (ops.nextafter, [1.0], [1.0], [1.0], [1], [0]),
]


@pytest.mark.parametrize(("function", "x", "y", "value", "dx", "dy"), EDGES, **IDS)
def test_values_and_gradients_at_edges_are_tfs(function, x, y, value, dx, dy):
    x, y = np.array(x, np.float32), np.array(y, np.float32)
    assert_close(function(x, y).numpy(), value)
    found = gradients(function, x, y)
    assert_close(found[0], dx)
    assert_close(found[1], dy)


POINTS = [
    (ops.abs, [-1, 0, 2], [-1, 0, 1]),
    (ops.sign, [-1, 0, 2], [0, 0, 0]),
    (ops.sqrt, [0, 4], [INF, 0.25]),
    (ops.rsqrt, [0, 1], [-INF, -0.5]),
    (ops.reciprocal_no_nan, [0, 2], [0, -0.25]),
    (lambda x: ops.pow(x, 2), [-1, 0], [-2, 0]),
    (lambda x: ops.pow(x, -1), [1, 2], [-1, -0.25]),
    (lambda x: ops.clip_by_value(x, -1.0, 1.0), [-2, -1, 0, 1, 2], [0, 1, 1, 1, 0]),
    (lambda x: ops.clip_by_norm(x, 1.0), [0, 0], [1, 1]),
]


@pytest.mark.parametrize(("function", "x", "slope"), POINTS)
def test_unary_gradients_at_edges_are_tfs(function, x, slope):
    assert_close(gradients(function, np.array(x, np.float32))[0], slope)


WITHOUT = [ops.floor, ops.ceil, ops.round, ops.rint, ops.imag, ops.angle, ops.is_nan]


@pytest.mark.parametrize("function", WITHOUT)
def test_no_gradient_where_tf_has_none(function):
    assert gradients(function, SIGNED) == [None]


@pytest.mark.parametrize("function", [ops.floordiv, ops.truncatediv, ops.truncatemod, ops.less])
def test_no_gradients_where_tf_has_none(function):
    assert gradients(function, SIGNED, POSITIVE) == [None, None]


def test_power_by_a_python_number_is_not_an_operand():
    x = Variable([2.0, 3.0])
    assert ops.pow(x, 3).numpy().tolist() == [8.0, 27.0]
    assert ops.pow(x, 0.5).numpy()[0] == pytest.approx(2**0.5)
    assert ops.pow(2, 3).numpy() == 8
    assert ops.pow(x, 100).numpy()[0] == pytest.approx(2.0**100)


CASTS = [
    ([-1.7, 0.0, 2.5], "int32", [-1, 0, 2]),
    ([-1.7, 0.0, 2.5], "bool", [True, False, True]),
    ([1 + 2j, 3j], "float32", [1, 0]),
    ([True, False], "float16", [1, 0]),
    ([1, 2], "complex64", [1, 2]),
]


@pytest.mark.parametrize(("value", "dtype", "expected"), CASTS)
def test_cast(value, dtype, expected):
    result = ops.cast(value, dtype)
    assert result.dtype.name == dtype
    assert result.numpy().tolist() == expected


def test_bitcast_reads_the_same_bits():
    assert ops.bitcast([1.0], "int32").numpy().tolist() == [1065353216]
    parts = ops.bitcast(np.array([258], np.int32), "uint8")
    assert parts.numpy().tolist() == [[2, 1, 0, 0]]
    assert ops.bitcast(parts, "int32").numpy().tolist() == [258]


def test_cast_to_the_same_dtype_is_the_same_tensor():
    x = convert_to_tensor([1.0])
    assert ops.cast(x, "float32") is x


SATURATED = [
    ([-300.0, -1.5, 127.6, 300.0], "int8", [-128, -1, 127, 127]),
    ([3e9, -3e9], "int32", [2147483520, -2147483648]),
    ([-3, 300], "uint8", [0, 255]),
    ([1e6, 1.5], "float16", [65504.0, 1.5]),
]


@pytest.mark.parametrize(("value", "dtype", "expected"), SATURATED)
def test_saturate_cast_stays_in_range(value, dtype, expected):
    assert ops.saturate_cast(value, dtype).numpy().tolist() == expected


def test_parts_of_complex_numbers():
    z = np.array([3 + 4j, -1j], np.complex64)
    assert_close(ops.complex(z.real, z.imag).numpy(), z)
    pairs = [(ops.real, np.real), (ops.imag, np.imag), (ops.angle, np.angle), (ops.conj, np.conj)]
    for function, reference in [*pairs, (ops.abs, np.abs)]:
        assert_close(function(z).numpy(), reference(z))
    assert_close(ops.sign(z).numpy(), z / np.abs(z))


def test_logic_and_bits():
    t, f = [True, True, False, False], [True, False, True, False]
    assert ops.logical_and(t, f).numpy().tolist() == [True, False, False, False]
    assert ops.logical_or(t, f).numpy().tolist() == [True, True, True, False]
    assert ops.logical_xor(t, f).numpy().tolist() == [False, True, True, False]
    assert ops.logical_not(t).numpy().tolist() == [False, False, True, True]
    x, y = np.array([6, -8], np.int32), np.array([3, 1], np.int32)
    bits = [
        (ops.bitwise_and, x & y),
        (ops.bitwise_or, x | y),
        (ops.bitwise_xor, x ^ y),
        (ops.left_shift, x << y),
        (ops.right_shift, x >> y),
    ]
    for function, expected in bits:
        assert function(x, y).numpy().tolist() == expected.tolist()
    assert ops.invert(x).numpy().tolist() == (~x).tolist()
    assert ops.right_shift(np.array([255], np.uint8), np.array([4], np.uint8)).numpy() == [15]


def test_sorted_checks():
    assert ops.is_non_decreasing([1, 1, 2]).numpy()
    assert not ops.is_strictly_increasing([1, 1, 2]).numpy()
    assert ops.is_strictly_increasing(3.0).numpy()


def test_sums_of_lists_and_polynomials():
    parts = [convert_to_tensor([1.0, 2.0]), convert_to_tensor([3.0, 4.0])]
    assert ops.add_n(parts).numpy().tolist() == [4.0, 6.0]
    assert ops.add_n(parts[:1]) is parts[0]
    assert ops.accumulate_n(parts).numpy().tolist() == [4.0, 6.0]
    assert ops.scalar_mul(2, [1.5]).numpy().tolist() == [3.0]
    assert ops.polyval([1.0, 2.0, 3.0], [0.0, 2.0]).numpy().tolist() == [3.0, 11.0]
    assert ops.polyval([], [5.0]).numpy().tolist() == [0.0]
    assert_close(special.lbeta([[1.0, 2.0], [2.0, 4.0]]).numpy(), [-0.6931472, -2.9957323])


def test_clipping_by_norms():
    assert_close(
        ops.clip_by_norm([[3.0, 4.0], [0.3, 0.4]], 1.0, axes=[1]).numpy()[:, 0], [0.6, 0.3]
    )
    clipped, norm = ops.clip_by_global_norm([convert_to_tensor([3.0]), None, [4.0]], 1.0)
    assert norm.numpy() == 5.0
    assert clipped[1] is None
    assert_close([clipped[0].numpy()[0], clipped[2].numpy()[0]], [0.6, 0.8], np.float32)
    kept, _ = ops.clip_by_global_norm([[3.0]], 1.0, use_norm=0.5)
    assert kept[0].numpy().tolist() == [3.0]
    broken, norm = ops.clip_by_global_norm([[INF]], 1.0)
    assert np.isnan(broken[0].numpy()).all()
    assert np.isinf(norm.numpy())


ERRORS = [
    (lambda: ops.exp([1, 2]), errors.InvalidArgumentError, "tf.exp: `x` must be float or complex"),
    (lambda: ops.floor([1]), errors.InvalidArgumentError, "got int32 of shape"),
    (lambda: ops.add([True], [True]), errors.InvalidArgumentError, "must be a number; got bool"),
    (lambda: ops.add([1.0, 2.0], [1.0, 2.0, 3.0]), errors.InvalidArgumentError, "tf.add"),
    (lambda: ops.logical_and([1], [0]), errors.InvalidArgumentError, "must be bool; got int32"),
    (lambda: ops.bitwise_and([1.0], [1.0]), errors.InvalidArgumentError, "must be an integer"),
    (lambda: ops.pow([2], -1), errors.InvalidArgumentError, "must not be negative for integers"),
    (lambda: ops.pow([2, 3], [1, -1]), errors.InvalidArgumentError, "got x .* int32 and y = -1"),
    (lambda: ops.add_n([]), ValueError, "at least one tensor; got none"),
    (lambda: ops.add_n([[1.0], [1.0, 2.0]]), errors.InvalidArgumentError, "must have one shape"),
    (lambda: ops.accumulate_n([[1.0]], shape=[5]), ValueError, "must have shape"),
    (lambda: ops.accumulate_n([[1.0]], tensor_dtype="int32"), TypeError, "must have dtype int32"),
    (lambda: ops.scalar_mul([1.0, 2.0], [1.0]), ValueError, "one number; got shape"),
    (lambda: ops.polyval(3.0, 1.0), ValueError, "`coeffs` must be a list; got float"),
    (lambda: ops.clip_by_value([1.0], [0.0, 1.0], 2.0), ValueError, "must broadcast to the shape"),
    (lambda: ops.global_norm(convert_to_tensor([1.0])), TypeError, "a list of tensors; got"),
    (lambda: ops.cast("a", "float32"), errors.UnimplementedError, "got string to float32"),
    (
        lambda: ops.bitcast(np.zeros(3, "int8"), "int32"),
        errors.InvalidArgumentError,
        "must be 4 to read",
    ),
    (lambda: ops.complex([1], [2]), TypeError, "got int32 and int32"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors_say_what_was_expected(call, kind, text):
    with pytest.raises(kind, match=text.replace("(", r"\(")):
        call()


def test_segments_of_an_unknown_number_of_rows():
    data, ids = tf.constant([[1.0], [2.0], [3.0]]), tf.constant([0, 0, 1])
    for segments in (
        lambda x: tf.math.segment_sum(x, ids),
        lambda x: tf.math.unsorted_segment_sum(x, ids, 2),
    ):
        f = tf.function(segments, input_signature=[tf.TensorSpec([None, 1])])
        assert f(data).numpy().tolist() == [[3.0], [3.0]]
