"""tf.keras.ops.numpy: values against NumPy, dtypes and gradients against numbers of Keras 3.15."""

import importlib
import inspect

import numpy as np
import pytest

import lamina as tf
from lamina.keras.core import operations

knp = importlib.import_module("lamina.keras.ops.numpy")


def reals(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ints(*shape, seed=0, low=-5, high=6):
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.int32)


X, Y, V = reals(3, 4), reals(4, seed=1), reals(5, seed=2)
HOLES = np.array([[1.0, np.nan, 2.0], [np.nan, 5.0, 3.0]], np.float32)
N, J = ints(3, 4), ints(4, low=1, seed=1)

# name, arguments, keyword arguments: NumPy has the same function, called the same way.
SAME = [
    *[(name, (X,), {}) for name in ("abs", "arctan", "cbrt", "ceil", "cos", "cosh", "deg2rad")],
    *[(name, (X,), {}) for name in ("exp", "exp2", "expm1", "fabs", "floor", "i0", "negative")],
    *[(name, (X,), {}) for name in ("rad2deg", "reciprocal", "sign", "signbit", "sin", "sinc")],
    *[(name, (X,), {}) for name in ("sinh", "square", "tan", "tanh", "trunc", "isreal")],
    *[(name, (np.abs(X) / 4,), {}) for name in ("arccos", "arcsin", "arctanh", "log", "log10")],
    *[(name, (np.abs(X) + 1,), {}) for name in ("arccosh", "log1p", "log2", "sqrt", "arcsinh")],
    *[(name, (HOLES,), {}) for name in ("isfinite", "isinf", "isnan", "isposinf", "isneginf")],
    *[(name, (N,), {}) for name in ("bitwise_not", "bitwise_invert", "logical_not")],
    *[(name, (X, Y), {}) for name in ("add", "arctan2", "divide", "fmax", "fmin", "fmod")],
    *[(name, (X, Y), {}) for name in ("floor_divide", "heaviside", "hypot", "logaddexp")],
    *[(name, (X, Y), {}) for name in ("logaddexp2", "maximum", "minimum", "mod", "multiply")],
    *[(name, (X, Y), {}) for name in ("nextafter", "subtract", "true_divide", "equal", "less")],
    *[(name, (N, J), {}) for name in ("greater", "greater_equal", "less_equal", "not_equal")],
    *[(name, (N, J), {}) for name in ("gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor")],
    *[(name, (N, J), {}) for name in ("left_shift", "right_shift", "fmod", "mod", "power")],
    *[(name, (N, J), {}) for name in ("logical_and", "logical_or", "logical_xor", "floor_divide")],
    ("ldexp", (X, J), {}),
    ("round", (X,), {"decimals": 1}),
    ("round", (N * 7,), {"decimals": -1}),
    ("isclose", (X, X + 1e-7), {"rtol": 1e-3}),
    ("nan_to_num", (HOLES,), {"nan": 4.0}),
    *[(name, (X,), {"axis": 1}) for name in ("amax", "amin", "max", "mean", "min", "prod", "ptp")],
    *[(name, (X,), {"axis": (0, 1)}) for name in ("std", "sum", "var", "median", "all", "any")],
    *[(name, (X,), {"axis": 0}) for name in ("argmax", "argmin", "count_nonzero", "average")],
    *[(name, (X,), {"axis": 1}) for name in ("cumsum", "cumprod", "argsort", "sort")],
    *[(name, (X,), {}) for name in ("cumsum", "cumprod", "argmax", "median", "sum")],
    *[(name, (HOLES,), {"axis": 1}) for name in ("nanargmax", "nanargmin", "nanmax", "nanmin")],
    *[(name, (HOLES,), {"axis": 0}) for name in ("nancumsum", "nancumprod", "nanmean", "nansum")],
    *[(name, (HOLES,), {"axis": 1}) for name in ("nanmedian", "nanprod", "nanstd", "nanvar")],
    ("max", (X,), {"initial": 0.5}),
    ("min", (X,), {"initial": 0.5, "axis": 1}),
    ("average", (X,), {"axis": 1, "weights": np.abs(Y)}),
    ("quantile", (X, [0.2, 0.5]), {"axis": 1}),
    ("quantile", (X, 0.3), {"axis": (0, 1), "keepdims": True}),
    ("quantile", (X, [[0.2], [0.7]]), {"axis": 0, "method": "nearest"}),
    ("percentile", (X, 30.0), {"method": "midpoint"}),
    ("nanquantile", (HOLES, 0.4), {"axis": 1}),
    ("nanpercentile", (HOLES, 40.0), {"axis": 0, "method": "lower"}),
    ("append", (X, Y), {}),
    ("append", (X, X), {"axis": 1}),
    ("array_split", (V, 3), {}),
    ("split", (X, [1, 3]), {"axis": 1}),
    ("hsplit", (X, 2), {}),
    ("vsplit", (X, 3), {}),
    ("dsplit", (reals(2, 2, 4), 2), {}),
    ("concatenate", ([X, X],), {"axis": 1}),
    ("stack", ([X, X],), {"axis": -1}),
    ("hstack", ([V, V],), {}),
    ("vstack", ([X, X],), {}),
    ("dstack", ([X, X],), {}),
    ("meshgrid", (V, Y), {"indexing": "ij"}),
    ("broadcast_to", (Y, (3, 4)), {}),
    ("diag", (V,), {"k": -1}),
    ("diag", (X,), {"k": 1}),
    ("diagflat", (X,), {}),
    ("diagonal", (reals(2, 3, 4),), {"offset": 1, "axis1": 2, "axis2": 1}),
    ("trace", (reals(2, 3, 4),), {"axis1": 0, "axis2": 2}),
    ("tril", (X,), {"k": 1}),
    ("triu", (X,), {"k": -1}),
    ("diff", (X,), {"n": 2}),
    ("expand_dims", (X, (0, -1)), {}),
    ("squeeze", (X[None],), {"axis": 0}),
    *[(name, (X,), {}) for name in ("flip", "fliplr", "flipud", "ravel", "transpose", "copy")],
    ("flip", (X,), {"axis": 1}),
    ("moveaxis", (reals(2, 3, 4), [0, 1], [2, 0]), {}),
    ("swapaxes", (reals(2, 3, 4), 0, 2), {}),
    *[("rot90", (X,), {"k": k}) for k in range(4)],
    ("rot90", (reals(2, 3, 4),), {"k": 3, "axes": (1, 2)}),
    ("roll", (X, 2), {}),
    ("roll", (X, (1, 2)), {"axis": (0, 1)}),
    ("reshape", (X, (2, -1)), {}),
    ("repeat", (X, [1, 0, 2]), {"axis": 0}),
    ("repeat", (X, 2), {}),
    ("tile", (X, (2, 1, 2)), {}),
    ("pad", (X, ((1, 2), (0, 1))), {"constant_values": 7.0}),
    *[("pad", (X, 2), {"mode": m}) for m in ("reflect", "symmetric", "edge", "wrap")],
    ("take", (X, [[0, -1]]), {"axis": 1}),
    ("take", (X, [5, -2]), {}),
    ("take_along_axis", (X, np.argsort(X, 1)), {"axis": 1}),
    ("unravel_index", ([3, 11], (3, 4)), {}),
    ("where", (X > 0, X, 0.0), {}),
    ("nonzero", (X > 0,), {}),
    ("select", ([X < -1, X < 1], [X, 2 * X]), {"default": 9.0}),
    ("clip", (X, -0.5, 0.5), {}),
    ("dot", (reals(2, 3, 4), reals(4, 5)), {}),
    ("matmul", (reals(2, 3, 4), reals(4)), {}),
    ("matmul", (reals(2, 3, 4), reals(4, 5)), {}),
    ("inner", (X, Y), {}),
    ("outer", (V, X), {}),
    ("vdot", (X, X), {}),
    ("tensordot", (reals(2, 3, 4), reals(4, 3, 5)), {"axes": [[1, 2], [1, 0]]}),
    ("einsum", ("ij,kj->ik", X, X), {}),
    ("kron", (X, V), {}),
    ("cross", (reals(4, 3), reals(4, 3, seed=1)), {}),
    ("cross", (reals(3, 4), reals(3, 4, seed=1)), {"axis": 0}),
    *[("correlate", (V, Y), {"mode": m}) for m in ("valid", "same", "full")],
    ("corrcoef", (X,), {}),
    ("trapezoid", (X,), {"dx": 0.5, "axis": 0}),
    ("trapezoid", (X,), {"x": np.sort(Y)}),
    ("vander", (V,), {"N": 3, "increasing": True}),
    ("searchsorted", (np.sort(V), X), {"side": "right"}),
    ("digitize", (X, np.sort(V)), {}),
    ("isin", (N, [1, 2]), {"invert": True}),
    ("bincount", (np.abs(ints(9)),), {"minlength": 8}),
    ("bincount", (np.abs(ints(9)),), {"weights": reals(9)}),
    ("histogram", (reals(20),), {"bins": 5, "range": (-1.0, 1.0)}),
    ("histogram", (reals(20),), {"bins": 4}),
    ("unique", (N,), {}),
    ("unique", (N,), {"return_index": True, "return_inverse": True, "return_counts": True}),
    ("unique", (N % 2,), {"axis": 0, "return_counts": True}),
    ("arange", (2, 9, 3), {}),
    ("arange", (0.0, 1.0, 0.25), {}),
    ("linspace", (0.0, 1.0), {"num": 5, "endpoint": False, "retstep": True}),
    ("linspace", (V, 2.0), {"num": 3, "axis": -1}),
    ("logspace", (0.0, 2.0), {"num": 5, "base": 2.0}),
    ("geomspace", (1.0, 64.0), {"num": 4}),
    ("geomspace", (-1.0, -64.0), {"num": 4, "endpoint": False}),
    ("eye", (3,), {"M": 4, "k": 1}),
    ("tri", (3,), {"k": -1}),
    ("identity", (2,), {}),
    ("full", ((2, 3), 7.0), {}),
    ("full_like", (X, 2.0), {}),
    *[(name, ((2, 3),), {}) for name in ("zeros", "ones")],
    *[(name, (X,), {}) for name in ("zeros_like", "ones_like", "ndim", "size")],
    *[(name, (7,), {}) for name in ("bartlett", "blackman", "hamming", "hanning")],
    ("kaiser", (6, 8.6), {}),
    *[(name, (X + 1j * X,), {}) for name in ("angle", "conj", "real", "imag", "isreal")],
]


def leaves(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def arrays(value):
    return [np.asarray(v.numpy() if hasattr(v, "numpy") else v) for v in leaves(value)]


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), SAME, ids=[f"{c[0]}-{i}" for i, c in enumerate(SAME)]
)
def test_values_are_numpys(name, args, kwargs):
    got = arrays(getattr(knp, name)(*args, **kwargs))
    wanted = leaves(getattr(np, name)(*args, **kwargs))
    assert len(got) == len(wanted)
    for mine, theirs in zip(got, wanted, strict=True):
        assert mine.shape == np.shape(theirs)
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=2e-6)


# --- dtypes ---------------------------------------------------------------------------------------

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]
CODES = ["b", "u1", "i1", "i4", "i8", "f2", "bf", "f4", "f8"]
SHORT = dict(zip(CODES, DTYPES, strict=True))
BY_DTYPE = {  # the results for DTYPES, as Keras gives them
    "sin sqrt exp log floor ceil mean var std median": "f4 f4 f4 f4 f4 f2 bf f4 f8",
    "cbrt deg2rad rad2deg": "f4 f4 f4 f4 f8 f2 bf f4 f8",
    "abs sort max min copy ravel trunc flip": "b u1 i1 i4 i8 f2 bf f4 f8",
    "square cumsum cumprod": "i4 u1 i1 i4 i8 f2 bf f4 f8",
    "argmax argmin argsort count_nonzero size": "i4 i4 i4 i4 i4 i4 i4 i4 i4",
    "isnan isfinite signbit logical_not all any": "b b b b b b b b b",
}


@pytest.mark.parametrize(
    ("name", "wanted"), [(n, row) for names, row in BY_DTYPE.items() for n in names.split()]
)
def test_dtype_of_one_operand(name, wanted):
    for given, code in zip(DTYPES, wanted.split(), strict=True):
        x = tf.keras.Input(batch_shape=(2, 3), dtype=given)
        assert getattr(knp, name)(x).dtype == SHORT[code], given


@pytest.mark.parametrize("name", ["sum", "prod"])
def test_totals_of_small_integers_are_32_bits(name):
    for given, wanted in [("bool", "int32"), ("uint8", "uint32"), ("int8", "int32")]:
        assert getattr(knp, name)(tf.ones(3, given)).dtype == wanted


PAIRS = [  # operands, then the dtypes of add, divide, arctan2, mod, hypot
    ("int32", "float16", "f2 f2 f2 f2 f2"),
    ("uint8", "int8", "- f4 f4 - f4"),
    ("int64", "int32", "i8 f4 f4 i8 f8"),
    ("bool", "int32", "i4 f4 f4 i4 f4"),
    ("float16", "bfloat16", "f4 f4 f4 f4 f4"),
    ("float32", "float64", "f8 f8 f8 f8 f8"),
    ("int8", 2, "i1 f4 f4 i4 f4"),
    ("int8", 1.5, "f4 f4 f4 f4 f4"),
    ("float16", 2, "f2 f2 f2 f2 f2"),
    ("float16", 1.5, "f2 f2 f4 f4 f4"),
    (3, 2, "i4 f4 f4 i4 f4"),
]


@pytest.mark.parametrize(("one", "other", "wanted"), PAIRS)
def test_dtype_of_two_operands(one, other, wanted):
    a, b = (
        tf.keras.Input(batch_shape=(3,), dtype=v) if isinstance(v, str) else v for v in (one, other)
    )
    names = ["add", "divide", "arctan2", "mod", "hypot"]
    for name, code in zip(names, wanted.split(), strict=True):
        expected = "int16" if code == "-" else SHORT[code]
        assert getattr(knp, name)(a, b).dtype == expected, name


def test_floats_follow_floatx():
    tf.keras.backend.set_floatx("float64")
    assert knp.sin(tf.constant([1])).dtype == "float64"
    assert knp.zeros(2).dtype == knp.hanning(3).dtype == "float64"


@pytest.mark.parametrize("name", ["linspace", "logspace", "geomspace"])
def test_spaces_of_integers_are_cut_off(name):
    got = getattr(knp, name)(1, 3, num=4, dtype="int32")
    assert got.dtype == "int32"


# --- gradients ------------------------------------------------------------------------------------

SMOOTH = ["cbrt", "exp2", "log2", "log10", "sinc", "deg2rad", "median", "var", "std", "nanvar"]
SMOOTH += ["cumsum", "cumprod", "sort", "diff", "ravel", "tril", "trapezoid", "fabs", "nansum"]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient_is_the_slope(name):
    function, step = getattr(knp, name), 1e-6
    x = tf.constant(np.linspace(0.5, 2.0, 6).reshape(2, 3) ** 2)
    direction = np.cos(np.arange(6)).reshape(2, 3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(function(x) ** 2)
    slope = np.sum(tape.gradient(total, x).numpy() * direction)
    ends = [np.sum(function(x + s * direction).numpy() ** 2) for s in (step, -step)]
    np.testing.assert_allclose(slope, (ends[0] - ends[1]) / (2 * step), rtol=1e-5)


@pytest.mark.parametrize("name", ["floor", "trunc", "isnan", "argmax", "argsort", "signbit"])
def test_what_is_flat_has_no_gradient(name):
    x = tf.constant([0.5, 1.5])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(getattr(knp, name)(x), tf.float32)
    assert tape.gradient(y, x) is None


def test_hypot_has_a_finite_gradient_at_zero():
    x = tf.constant([0.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = knp.hypot(x, 4.0 * x)
    assert np.isfinite(tape.gradient(y, x).numpy()).all()


# --- where functions are used ---------------------------------------------------------------------


def test_nodes_of_a_functional_model():
    x = tf.keras.Input((4,))
    y = knp.concatenate([knp.add(x, 1), knp.sinc(x), knp.median(x, axis=1, keepdims=True)], 1)
    model = tf.keras.Model(x, [y, knp.where(knp.greater(x, 0), x, 0.0)])
    both, kept = model(X)
    wanted = np.concatenate([X + 1, np.sinc(X), np.median(X, 1, keepdims=True)], 1)
    np.testing.assert_allclose(both, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(kept, np.maximum(X, 0))
    assert y.shape.as_list() == [None, 9]


def test_a_model_of_them_is_rebuilt_from_its_config():
    x = tf.keras.Input((4,))
    model = tf.keras.Model(x, knp.hypot(knp.roll(x, 1, axis=1), knp.sum(x, axis=1, keepdims=True)))
    again = tf.keras.Model.from_config(model.get_config())
    np.testing.assert_array_equal(again(X), model(X))


def test_kernels_leave_the_names_of_other_operations_alone():
    assert operations.name_of(tf.matmul) == "matmul"


SYMBOLIC = {
    "std": lambda x: knp.std(x, axis=0),
    "moveaxis": lambda x: knp.moveaxis(x, 0, 1),
    "flip": knp.flip,
    "roll": lambda x: knp.roll(x, 1),
    "tile": lambda x: knp.tile(x, (2, 1)),
    "repeat": lambda x: knp.repeat(x, 2, axis=0),
    "outer": lambda x: knp.outer(x, x),
    "quantile": lambda x: knp.quantile(x, [0.25, 0.5], axis=0),
    "cumsum": knp.cumsum,
    "take": lambda x: knp.take(x, [0, -1], axis=0),
    "diff": lambda x: knp.diff(x, axis=0),
    "argsort": lambda x: knp.argsort(x, axis=0),
    "argpartition": lambda x: knp.argpartition(x, 1, axis=0),
    "full_like": lambda x: knp.full_like(x, 2.0),
    "average": lambda x: knp.average(x, axis=1, weights=[1.0, 2.0, 3.0, 4.0]),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_a_traced_function_of_unknown_size_gives_the_same(name):
    function = SYMBOLIC[name]
    spec = tf.TensorSpec([None, 4], tf.float32)
    traced = tf.function(function, input_signature=[spec])
    np.testing.assert_allclose(traced(tf.constant(X)), function(X), rtol=1e-6)


def test_unique_of_a_given_size_is_traced():
    traced = tf.function(lambda x: knp.unique(x, return_counts=True, size=4, fill_value=-1))
    values, counts = traced(tf.constant([3, 1, 3, 3, 7]))
    assert values.numpy().tolist() == [1, 3, 7, -1]
    assert counts.numpy().tolist() == [1, 3, 1, 0]


def test_unique_in_order_of_appearance():
    values, inverse = knp.unique([3, 1, 2, 1], sorted=False, return_inverse=True)
    assert values.numpy().tolist() == [3, 1, 2]
    assert inverse.numpy().tolist() == [0, 1, 2, 1]


def test_argpartition_orders_what_is_before_and_behind():
    assert knp.argpartition([3, 1, 2, 0, 4], 2).numpy().tolist() == [3, 1, 2, 4, 0]


def test_vstack_joins_vectors_end_to_end_as_keras_does():
    assert knp.vstack([[1, 2], [3, 4]]).numpy().tolist() == [1, 2, 3, 4]


def test_cross_of_vectors_in_the_plane():
    assert knp.cross([1.0, 2.0], [3.0, 5.0]).numpy() == -1.0
    assert knp.cross([1.0, 2.0, 3.0], [3.0, 5.0]).numpy().tolist() == [-15.0, 9.0, -1.0]


def test_view_changes_the_last_axis():
    assert knp.view(tf.ones((2, 8), "float32"), "uint8").shape == (2, 32)
    assert knp.view(tf.ones((2, 8), "uint8"), "int32").shape == (2, 2)


def test_vectorize_leaves_out_what_is_excluded():
    scale = knp.vectorize(lambda x, power: x**power, excluded=[1])
    np.testing.assert_allclose(scale(X, 2), X**2, rtol=1e-6)


def test_vectorize_with_a_signature_broadcasts_the_other_axes():
    product = knp.vectorize(lambda a, b: tf.linalg.matvec(a, b), signature="(m,n),(n)->(m)")
    a, b = reals(2, 1, 3, 4), reals(5, 4)
    wanted = np.einsum("abmn,bn->abm", a + 0 * b[:, None], b)
    np.testing.assert_allclose(product(a, b), wanted, rtol=1e-5)


# --- errors ---------------------------------------------------------------------------------------

ERRORS = [
    (ValueError, "at most one -1", lambda: knp.reshape(X, (-1, -1))),
    (ValueError, "`axis` must lie in", lambda: knp.expand_dims(X, 5)),
    (ValueError, "axes of size 1", lambda: knp.squeeze(X, 0)),
    (ValueError, "must have one length", lambda: knp.moveaxis(X, [0, 1], [0])),
    (ValueError, "at least 2 axes", lambda: knp.fliplr(V)),
    (ValueError, "two different axes", lambda: knp.rot90(X, axes=(0, 0))),
    (tf.errors.InvalidArgumentError, "must have one length", lambda: knp.roll(X, (1, 2), 0)),
    (ValueError, "a vector or a matrix", lambda: knp.diag(reals(2, 2, 2))),
    (ValueError, "must name two axes", lambda: knp.diagonal(X, axis2=0)),
    (ValueError, '"xy" or "ij"', lambda: knp.meshgrid(V, indexing="zz")),
    (tf.errors.InvalidArgumentError, "divide axis 0", lambda: knp.split(V, 2)),
    (ValueError, "`axis` must lie in", lambda: knp.split(V, [1], axis=3)),
    (ValueError, "at least 3 axes", lambda: knp.dsplit(X, 2)),
    (tf.errors.InvalidArgumentError, "must not be negative", lambda: knp.repeat(X, -1)),
    (ValueError, "one per element", lambda: knp.repeat(X, [1, 2], axis=0)),
    (ValueError, "`pad_width` must be", lambda: knp.pad(X, ((1, 1),) * 3)),
    (ValueError, "`mode` must be one of", lambda: knp.pad(X, 1, mode="bogus")),
    (ValueError, "`constant_values` goes", lambda: knp.pad(X, 1, "edge", constant_values=1)),
    (tf.errors.InvalidArgumentError, r"lie in \[-3, 3\)", lambda: knp.take(X, [3], axis=0)),
    (tf.errors.InvalidArgumentError, "must be integers", lambda: knp.take(X, [1.0])),
    (tf.errors.InvalidArgumentError, "`axis` must lie in", lambda: knp.take(X, [0], axis=2)),
    (ValueError, "as many axes", lambda: knp.take_along_axis(X, [0], axis=0)),
    (ValueError, "must broadcast but", lambda: knp.take_along_axis(X, [[0], [1]], axis=1)),
    (TypeError, "sequence of sizes", lambda: knp.unravel_index([3], 5)),
    (ValueError, "both or neither", lambda: knp.where(X > 0, X)),
    (ValueError, "must be lists", lambda: knp.select(X > 0, X)),
    (ValueError, "one length, at least 1", lambda: knp.select([], [])),
    (tf.errors.InvalidArgumentError, "last axis of `x1`", lambda: knp.dot(X, X)),
    (tf.errors.InvalidArgumentError, "last axes must be equal", lambda: knp.inner(X, V)),
    (tf.errors.InvalidArgumentError, "as many elements", lambda: knp.vdot(X, V)),
    (tf.errors.InvalidArgumentError, "equal in size", lambda: knp.tensordot(X, X, 1)),
    (ValueError, "2 or 3 elements", lambda: knp.cross(X, X)),
    (ValueError, "`mode` must be", lambda: knp.correlate(V, V, "bogus")),
    (ValueError, "must be vectors", lambda: knp.correlate(X, V)),
    (ValueError, "at most two axes", lambda: knp.corrcoef(reals(2, 2, 2))),
    (ValueError, "must have an axis", lambda: knp.diff(1.0)),
    (ValueError, "`method` must be one of", lambda: knp.quantile(X, 0.5, method="bogus")),
    (ValueError, "vector along one `axis`", lambda: knp.average(X, weights=Y)),
    (ValueError, "`kth` must lie in", lambda: knp.argpartition(V, 7)),
    (ValueError, "`side` must be", lambda: knp.searchsorted(V, V, side="middle")),
    (ValueError, "must be a vector", lambda: knp.searchsorted(X, V)),
    (TypeError, "`bins` must be an int", lambda: knp.histogram(V, bins=[0.0, 1.0])),
    (ValueError, "at least 1", lambda: knp.histogram(V, bins=0)),
    (ValueError, "must not be below", lambda: knp.histogram(V, range=(1, -1))),
    (ValueError, "must be a vector", lambda: knp.histogram(X)),
    (ValueError, "`axis` must lie in", lambda: knp.unique(V, axis=1)),
    (ValueError, "must be a vector", lambda: knp.vander(X)),
    (ValueError, "`num` must not be negative", lambda: knp.linspace(0, 1, num=-1)),
    (TypeError, "must be integers", lambda: knp.gcd(X, 2)),
    (TypeError, "`x2` must be integers", lambda: knp.ldexp(X, 1.5)),
    (ValueError, "must divide into", lambda: knp.view(tf.ones((2, 3), "uint8"), "float32")),
    (TypeError, "must be a function", lambda: knp.vectorize(3)),
    (ValueError, "must name axes", lambda: knp.vectorize(abs, signature="n->m")),
    (ValueError, "axes of 2 arguments", lambda: knp.vectorize(abs, signature="(),()->()")(X)),
]


@pytest.mark.parametrize(("kind", "text", "call"), ERRORS, ids=range(len(ERRORS)))
def test_errors_say_what_was_expected(kind, text, call):
    with pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize("name", ["nonzero", "unique", "bincount"])
def test_shapes_that_depend_on_data_leave_the_trace(name):
    traced = tf.function(getattr(knp, name))
    with pytest.warns(UserWarning, match="needs a value while it is traced"):
        traced(tf.constant([1, 2]))


# --- documentation --------------------------------------------------------------------------------


def test_every_name_is_documented_and_exported_once():
    assert len(knp.__all__) == len(set(knp.__all__)) == 220
    for name in knp.__all__:
        text = inspect.getdoc(getattr(knp, name))
        assert text is not None
        assert [part for part in ("Args:", "Returns:", "Example:") if part not in text] == [], name
