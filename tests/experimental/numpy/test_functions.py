"""NumPy's functions on Tensors, compared with NumPy; dtypes are those of TensorFlow 2.21."""

import inspect

import numpy as np
import pytest

import lamina as tf

tnp = tf.experimental.numpy
MATRIX = np.array([[3, 1, 2], [6, 5, 4]])
REAL = np.array([[0.5, -1.25, 2.0], [3.5, 0.25, -0.75]])

ONE = (
    "abs arctan arcsinh bitwise_not cbrt ceil cos cosh deg2rad exp exp2 expm1 floor isfinite "
    "isinf isnan isneginf isposinf isreal negative positive rad2deg sign signbit sin sinc sinh "
    "square tan tanh"
)
TWO = (
    "add arctan2 divide equal floor_divide greater heaviside hypot less logaddexp logaddexp2 "
    "logical_and logical_xor maximum minimum mod multiply not_equal subtract true_divide"
)


@pytest.mark.parametrize("name", ONE.split())
def test_functions_of_one_array(name):
    x = MATRIX if name == "bitwise_not" else REAL
    found, wanted = getattr(tnp, name)(x), getattr(np, name)(x)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
    assert found.dtype == wanted.dtype


@pytest.mark.parametrize("name", TWO.split())
def test_functions_of_two_arrays(name):
    found, wanted = getattr(tnp, name)(REAL, MATRIX), getattr(np, name)(REAL, MATRIX)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert found.dtype == wanted.dtype


@pytest.mark.parametrize(
    "call",
    [
        lambda n: n.sum(MATRIX, axis=0),
        lambda n: n.prod(MATRIX.astype(np.int8)),
        lambda n: n.mean(MATRIX, axis=(0, 1), keepdims=True),
        lambda n: n.std(REAL, axis=1),
        lambda n: n.var(REAL, ddof=1),
        lambda n: n.max(MATRIX, axis=1),
        lambda n: n.amin(MATRIX),
        lambda n: n.ptp(MATRIX, axis=0),
        lambda n: n.all(MATRIX > 1, axis=1),
        lambda n: n.any(MATRIX > 5),
        lambda n: n.argmax(MATRIX),
        lambda n: n.argmin(MATRIX, axis=1),
        lambda n: n.count_nonzero(MATRIX > 2, axis=0),
        lambda n: n.average(REAL, axis=1, weights=[1.0, 2.0, 1.0]),
        lambda n: n.nansum([1.0, np.nan]),
        lambda n: n.nanmean([1.0, np.nan]),
        lambda n: n.cumsum(MATRIX),
        lambda n: n.cumprod(MATRIX, axis=1),
        lambda n: n.sort(MATRIX, axis=1),
        lambda n: n.argsort(MATRIX, axis=0),
        lambda n: n.where(MATRIX > 2, MATRIX, 0.5),
        lambda n: n.select([MATRIX > 4, MATRIX > 2], [MATRIX, -MATRIX], 9),
        lambda n: n.take_along_axis(MATRIX, np.array([[0], [2]]), 1),
        lambda n: n.compress([True, False, True], MATRIX, axis=1),
        lambda n: n.clip(MATRIX, 2, 4),
        lambda n: n.around(REAL, 1),
        lambda n: n.concatenate([MATRIX, REAL], axis=1),
        lambda n: n.stack([MATRIX, MATRIX], axis=1),
        lambda n: n.vstack([MATRIX, [1, 2, 3]]),
        lambda n: n.hstack([[1], [2, 3]]),
        lambda n: n.dstack([[1, 2], [3, 4]]),
        lambda n: n.append(MATRIX, [1]),
        lambda n: n.split(MATRIX, [1, 2], axis=1)[2],
        lambda n: n.repeat(MATRIX, [1, 2, 0], axis=1),
        lambda n: n.tile(MATRIX, (2, 1, 2)),
        lambda n: n.roll(MATRIX, 2),
        lambda n: n.rot90(MATRIX, 3),
        lambda n: n.flip(MATRIX),
        lambda n: n.moveaxis(np.zeros((1, 2, 3)), [0, 1], [2, 0]),
        lambda n: n.swapaxes(MATRIX, 0, -1),
        lambda n: n.reshape(MATRIX, (3, 2), order="F"),
        lambda n: n.atleast_3d(MATRIX),
        lambda n: n.pad(MATRIX, ((1, 0), (0, 2)), "symmetric"),
        lambda n: n.diff(MATRIX, axis=0),
        lambda n: n.matmul(MATRIX, REAL.T),
        lambda n: n.dot(MATRIX, [1, 2, 3]),
        lambda n: n.inner([1, 2], [3, 4]),
        lambda n: n.outer([1, 2], [3, 4]),
        lambda n: n.kron([1, 2], MATRIX),
        lambda n: n.cross([1, 0, 0], [0, 1, 0]),
        lambda n: n.tensordot(MATRIX, REAL, axes=[[1], [1]]),
        lambda n: n.einsum("ij,kj->ik", MATRIX, REAL),
        lambda n: n.vdot([1, 2j], [3, 4]),
        lambda n: n.diag(MATRIX, 1),
        lambda n: n.diag([1, 2], -1),
        lambda n: n.trace(MATRIX),
        lambda n: n.tril(MATRIX),
        lambda n: n.triu(MATRIX, 1),
        lambda n: n.tri(2, 3, 1),
        lambda n: n.eye(2, 3, 1, dtype=int),
        lambda n: n.vander([1, 2, 3], 2),
        lambda n: n.arange(1, 7, 2),
        lambda n: n.arange(3.0),
        lambda n: n.linspace(0, 1, 4, endpoint=False),
        lambda n: n.logspace(0, 2, 3),
        lambda n: n.geomspace(1, 100, 3),
        lambda n: n.full((2,), 1.5),
        lambda n: n.full_like([1, 2], 3.7),
        lambda n: n.polyval([1, 2, 3], 2),
        lambda n: n.isclose([1.0, 2.0], [1.0, 2.1]),
        lambda n: n.angle([1j, -1.0]),
        lambda n: n.gcd(12, 8),
        lambda n: n.power([2, 3], 2),
        lambda n: n.nonzero(MATRIX > 2)[1],
        lambda n: n.meshgrid([1, 2], [3])[0],
        lambda n: n.broadcast_to([1, 2], (2, 2)),
    ],
)
def test_as_numpy(call):
    found, wanted = call(tnp), np.asarray(call(np))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    assert found.dtype == wanted.dtype


def test_errors():
    with pytest.raises(ValueError, match="step must be non-zero"):
        tnp.arange(0, 3, 0)
    with pytest.raises(ValueError, match="Not more than one of"):
        tnp.clip([1], None, None)
    with pytest.raises(ValueError, match="'raise' mode to take"):
        tnp.take([1], [0], mode="raise")
    with pytest.raises(ValueError, match="Unsupported padding mode: edge"):
        tnp.pad([1], 1, "edge")
    with pytest.raises(ValueError, match="Invalid value for argument `kind`"):
        tnp.sort([1], kind="mergesort")


def test_types_and_constants():
    assert tnp.ndarray is tf.Tensor
    assert tnp.float_ is np.float64
    assert tnp.result_type(tf.int32, tf.float32) is tf.float64
    assert tnp.promote_types("int8", np.uint8) == np.int16
    assert tnp.newaxis is None
    assert tnp.iscomplexobj([1j])


def test_random():
    tnp.random.seed(3)
    first = tnp.random.randn(2, 3)
    tnp.random.seed(3)
    np.testing.assert_array_equal(first, tnp.random.randn(2, 3))
    assert first.dtype is tf.float64
    drawn = tnp.random.randint(2, 5, size=(50,)).numpy()
    assert drawn.dtype == np.int64
    assert set(drawn) <= {2, 3, 4}
    assert tnp.random.uniform([0.0, 1.0], 2.0).shape == (2,)
    assert tnp.random.poisson(2.0, (3,)).dtype is tf.int64


def test_numpy_functions_take_tensors():
    assert isinstance(np.sum(tnp.ones([2, 3])), np.float64)
    assert isinstance(tnp.ones([2]) + np.ones([2]), tf.Tensor)


def test_functions_work_in_programs():
    @tf.function
    def scaled(x):
        return tnp.add(tnp.mean(x, axis=0), tnp.asarray([1.0, 2.0]))

    assert scaled(tf.ones([3, 2])).numpy().tolist() == [2.0, 3.0]


def test_signatures():
    assert str(inspect.signature(tnp.add)).replace(": 'Any'", "").startswith("(x1, x2)")
    assert list(inspect.signature(tnp.var).parameters) == [
        *("a", "axis", "dtype", "out", "ddof", "keepdims")
    ]
