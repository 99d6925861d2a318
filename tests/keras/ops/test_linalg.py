"""tf.keras.ops.linalg: NumPy's results, and errors."""

import numpy as np
import pytest

import lamina as tf

ops = tf.keras.ops
RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 3, 4)).astype(np.float32)
SQUARE = (RNG.normal(size=(2, 4, 4)) + 4 * np.eye(4)).astype(np.float32)
POSITIVE = SQUARE @ SQUARE.transpose(0, 2, 1)


def close(found, want, tolerance=1e-4):
    np.testing.assert_allclose(np.asarray(found), want, rtol=tolerance, atol=tolerance)


def test_decompositions():
    factor = np.linalg.cholesky(POSITIVE)
    close(ops.cholesky(POSITIVE), factor, 1e-3)
    close(ops.cholesky(POSITIVE, upper=True), factor.transpose(0, 2, 1), 1e-3)
    inverse = np.linalg.inv(POSITIVE)
    close(ops.cholesky_inverse(factor), inverse)
    close(ops.cholesky_inverse(factor.transpose(0, 2, 1), upper=True), inverse)
    close(ops.det(SQUARE), np.linalg.det(SQUARE), 1e-3)
    close(ops.eigh(POSITIVE)[0], np.linalg.eigvalsh(POSITIVE), 1e-3)
    values = np.sort(np.asarray(ops.eig(POSITIVE[0])[0]).real)
    close(values, np.linalg.eigvalsh(POSITIVE[0]), 1e-3)
    found, order = ops.lu_factor(SQUARE[0])
    lower = np.tril(found, -1) + np.eye(4)
    rebuilt = (lower @ np.triu(found))[np.argsort(np.argsort(np.asarray(order)))]
    assert sorted(np.asarray(order)) == [0, 1, 2, 3]
    close(np.sort(np.abs(rebuilt), 0), np.sort(np.abs(SQUARE[0]), 0), 1e-3)


@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr(mode):
    q, r = ops.qr(X.transpose(0, 2, 1), mode=mode)
    close(q @ r, X.transpose(0, 2, 1))
    assert q.shape[-1] == (3 if mode == "reduced" else 4)


@pytest.mark.parametrize("full", [False, True])
def test_svd(full):
    u, s, v = ops.svd(X, full_matrices=full)
    assert tuple(v.shape) == ((2, 4, 4) if full else (2, 3, 4))
    close(np.asarray(u) * np.asarray(s)[:, None] @ np.asarray(v)[:, :3], X)
    close(ops.svd(X, compute_uv=False), np.linalg.svd(X, compute_uv=False))


def test_equations():
    close(ops.inv(SQUARE), np.linalg.inv(SQUARE))
    close(ops.solve(SQUARE, X.transpose(0, 2, 1)), np.linalg.solve(SQUARE, X.transpose(0, 2, 1)))
    close(ops.solve(SQUARE[0], X[0, 0]), np.linalg.solve(SQUARE[0], X[0, 0]))
    close(
        ops.solve_triangular(SQUARE[0], X[0, 0], lower=True),
        np.linalg.solve(np.tril(SQUARE[0]), X[0, 0]),
    )
    tall = X[0].T
    close(ops.lstsq(tall, X[1, 0]), np.linalg.lstsq(tall, X[1, 0], rcond=None)[0])
    close(ops.lstsq(X[0], X[1, :, :2]), np.linalg.lstsq(X[0], X[1, :, :2], rcond=None)[0])
    close(ops.pinv(X), np.linalg.pinv(X))
    assert int(ops.matrix_rank(np.ones((3, 3), np.float32))) == 1


@pytest.mark.parametrize("ord", [None, 1, 2, 3, 0, 0.5, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_vector_norms(ord, keepdims):
    want = np.linalg.norm(X, ord, 1, keepdims)
    close(ops.norm(X, ord=ord, axis=1, keepdims=keepdims), want)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_matrix_norms(ord, keepdims):
    want = np.linalg.norm(X, ord, (0, 2), keepdims)
    close(ops.norm(X, ord=ord, axis=(0, 2), keepdims=keepdims), want)


@pytest.mark.parametrize(
    ("dtype", "want"), [("int64", "float32"), ("int32", "float32"), ("float16", "float16")]
)
def test_norms_are_floating_point(dtype, want):
    found = ops.norm(np.array([3, 4], dtype))
    assert (found.dtype, float(found)) == (want, 5.0)


def test_jvp_moves_along_the_tangents():
    x = tf.constant([0.5, 1.0])
    y, dy = ops.jvp(lambda a, b: ops.sin(a) * b, (x, x), (tf.ones(2), tf.zeros(2)))
    close(y, np.sin(x) * np.asarray(x))
    close(dy, np.cos(x) * np.asarray(x))
    y, dy, aux = ops.jvp(lambda a: (a * a, a + 1), (x,), (tf.ones(2),), has_aux=True)
    close(dy, 2 * np.asarray(x))
    close(aux, np.asarray(x) + 1)


def test_jvp_reads_variables_and_runs_in_functions():
    v = tf.Variable(3.0)
    f = tf.function(lambda x: ops.jvp(lambda a: a * a * v, (x,), (tf.constant(1.0),))[1])
    assert float(f(tf.constant(2.0))) == 12.0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.cholesky(X), ValueError, "cholesky: `x` must hold square matrices"),
        (lambda: ops.det(X[0, 0]), ValueError, "det: `x` must hold square matrices"),
        (lambda: ops.svd(X[0, 0]), ValueError, "svd: `x` must hold matrices"),
        (lambda: ops.qr(X, "full"), ValueError, "`mode` must be 'reduced'"),
        (lambda: ops.solve(SQUARE, X), ValueError, "solve: `b` must have shape"),
        (lambda: ops.lstsq(X, X), TypeError, "`a` must have rank 2"),
        (lambda: ops.lstsq(X[0], X[0].T), ValueError, "must have as many rows"),
        (lambda: ops.norm(X), ValueError, "`axis` must name one or two axes"),
        (lambda: ops.norm(X, axis=5), ValueError, "`axis` must name one or two axes"),
        (lambda: ops.norm(X, ord="fro", axis=1), ValueError, "must be a number or None"),
        (lambda: ops.norm(X, ord=3, axis=(0, 1)), ValueError, "must be 'fro', 'nuc'"),
        (lambda: ops.jvp(ops.sin, (1.0,), ()), ValueError, "must have as many Tensors"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
