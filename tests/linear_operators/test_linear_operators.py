"""LinearOperators: each agrees with its dense matrix; the structure that operations keep."""

import numpy as np
import pytest

import lamina as tf

L = tf.linalg


def _full(seed=0, shape=(2, 2), **hints):
    matrix = np.random.default_rng(seed).normal(size=shape) + 3 * np.eye(*shape[-2:])
    return L.LinearOperatorFullMatrix(matrix.astype(np.float32), **hints)


def _positive(shape=(2, 2)):
    m = _full(1, shape).to_dense().numpy()
    m = m @ np.swapaxes(m, -1, -2) + np.eye(shape[-1], dtype=np.float32)
    return L.LinearOperatorFullMatrix(m, is_self_adjoint=True, is_positive_definite=True)


OPERATORS = {
    "diag": lambda: L.LinearOperatorDiag([2.0, -3.0]),
    "diag_batch": lambda: L.LinearOperatorDiag([[2.0, -3.0], [1.0, 4.0]]),
    "diag_complex": lambda: L.LinearOperatorDiag(tf.constant([2 + 1j, 3 - 1j], tf.complex64)),
    "full": _full,
    "full_batch": lambda: _full(shape=(3, 2, 2)),
    "positive": _positive,
    "lower": lambda: L.LinearOperatorLowerTriangular([[1.0, 9.0], [3.0, 4.0]]),
    "identity": lambda: L.LinearOperatorIdentity(2),
    "identity_batch": lambda: L.LinearOperatorIdentity(2, batch_shape=[3]),
    "scaled": lambda: L.LinearOperatorScaledIdentity(2, 3.0),
    "scaled_batch": lambda: L.LinearOperatorScaledIdentity(2, [3.0, -2.0]),
    "permutation": lambda: L.LinearOperatorPermutation([2, 0, 1]),
    "householder": lambda: L.LinearOperatorHouseholder([1.0, 2.0, -1.0]),
    "toeplitz": lambda: L.LinearOperatorToeplitz([1.0, 2.0, 3.0], [1.0, 4.0, -5.0]),
    "tridiag": lambda: L.LinearOperatorTridiag([[1.0, 2.0, 0.0], [4.0, 5.0, 6.0], [0.0, 3.0, 1.0]]),
    "circulant": lambda: L.LinearOperatorCirculant(
        tf.constant([4 + 0j, 2 + 1j, 2 - 1j], tf.complex64)
    ),
    "circulant_real": lambda: L.LinearOperatorCirculant([4.0, 2.0, 2.0], tf.float32),
    "circulant2": lambda: L.LinearOperatorCirculant2D([[4.0, 2.0], [1.0, 3.0]], tf.float32),
    "circulant3": lambda: L.LinearOperatorCirculant3D(
        np.arange(1.0, 9.0, dtype=np.float32).reshape(2, 2, 2), tf.float32
    ),
    "update": lambda: L.LinearOperatorLowRankUpdate(
        L.LinearOperatorDiag([2.0, 3.0], is_positive_definite=True), [[1.0], [2.0]], [3.0]
    ),
    "update_v": lambda: L.LinearOperatorLowRankUpdate(
        _full(), [[1.0], [2.0]], None, [[0.5], [1.0]]
    ),
    "kronecker": lambda: L.LinearOperatorKronecker(
        [L.LinearOperatorDiag([2.0, 3.0]), _full(), _full(4)]
    ),
    "kronecker_batch": lambda: L.LinearOperatorKronecker([_full(shape=(3, 2, 2)), _full(5)]),
    "composition": lambda: L.LinearOperatorComposition(
        [_full(2), L.LinearOperatorDiag([1.0, 2.0])]
    ),
    "adjoint": lambda: L.LinearOperatorAdjoint(_full()),
    "inversion": lambda: L.LinearOperatorInversion(_full()),
    "blocks": lambda: L.LinearOperatorBlockDiag([_full(), L.LinearOperatorDiag([1.0, 2.0, 3.0])]),
    "lower_blocks": lambda: L.LinearOperatorBlockLowerTriangular(
        [[_full()], [_full(6, (3, 2)), _full(7, (3, 3))], [_full(8), _full(9, (2, 3)), _full(10)]]
    ),
}


_QUICK = ("lower", "circulant", "kronecker")
_PARAMS = [n if n in _QUICK else pytest.param(n, marks=pytest.mark.slow) for n in OPERATORS]


@pytest.fixture(params=_PARAMS, name="operator")
def _operator(request):
    return OPERATORS[request.param]()


def _close(found, expected):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=2e-4, atol=2e-4)


def test_shapes(operator):
    dense = operator.to_dense()
    assert operator.shape == dense.shape
    assert operator.shape_tensor().numpy().tolist() == list(dense.shape)
    assert operator.batch_shape == dense.shape[:-2]
    assert (operator.range_dimension, operator.domain_dimension) == tuple(dense.shape[-2:])
    assert operator.dtype is dense.dtype


@pytest.mark.parametrize("adjoint", [False, True])
def test_products_and_systems(operator, adjoint):
    dense = operator.to_dense().numpy()
    a = np.conj(np.swapaxes(dense, -1, -2)) if adjoint else dense
    x = np.random.default_rng(3).normal(size=(dense.shape[-1], 2)).astype(dense.dtype)
    _close(operator.matmul(x, adjoint=adjoint), a @ x)
    _close(operator.matmul(np.conj(x.T), adjoint=adjoint, adjoint_arg=True), a @ x)
    _close(operator.matvec(x[:, 0], adjoint=adjoint), a @ x[:, 0])
    _close(operator.solve(a @ x, adjoint=adjoint), np.broadcast_to(x, (a @ x).shape))
    flat = np.linalg.solve(a, np.broadcast_to(x[:, :1], (*a.shape[:-1], 1)))[..., 0]
    _close(operator.solvevec(x[:, 0], adjoint=adjoint), flat)


def test_numbers(operator):
    dense = operator.to_dense().numpy()
    _close(operator.determinant(), np.linalg.det(dense))
    _close(operator.log_abs_determinant(), np.log(np.abs(np.linalg.det(dense))))
    _close(operator.trace(), np.trace(dense, axis1=-2, axis2=-1))
    _close(operator.diag_part(), np.diagonal(dense, axis1=-2, axis2=-1))
    _close(operator.cond() / np.linalg.cond(dense), np.ones(dense.shape[:-2]))
    _close(operator.add_to_tensor(np.ones_like(dense)), dense + 1)
    operator.assert_non_singular()
    if operator.is_self_adjoint:
        _close(np.sort(np.real(operator.eigvals())), np.linalg.eigvalsh(dense))
        operator.assert_self_adjoint()


def test_other_operators(operator):
    dense = operator.to_dense().numpy()
    _close(operator.adjoint().to_dense(), np.conj(np.swapaxes(dense, -1, -2)))
    _close(operator.H.to_dense(), np.conj(np.swapaxes(dense, -1, -2)))
    _close(operator.inverse().to_dense(), np.linalg.inv(dense))
    _close((operator @ operator).to_dense(), dense @ dense)
    _close(
        operator.solve(operator).to_dense(), np.broadcast_to(np.eye(dense.shape[-1]), dense.shape)
    )


def test_cholesky():
    for operator in (
        _positive(),
        L.LinearOperatorDiag([4.0, 9.0], is_positive_definite=True),
        L.LinearOperatorKronecker([_positive(), _positive()], is_positive_definite=True),
        L.LinearOperatorBlockDiag([_positive(), _positive()]),
    ):
        factor = operator.cholesky()
        _close(factor.matmul(factor, adjoint_arg=True).to_dense(), operator.to_dense())
    with pytest.raises(ValueError, match="Not a positive definite self adjoint matrix"):
        _full().cholesky()


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("diag", "diag", "Diag"),
        ("diag", "scaled", "Diag"),
        ("scaled", "scaled", "ScaledIdentity"),
        ("diag", "lower", "LowerTriangular"),
        ("lower", "diag", "LowerTriangular"),
        ("identity", "full", "FullMatrix"),
        ("full", "identity", "FullMatrix"),
        ("circulant_real", "circulant_real", "Circulant"),
        ("full", "full", "Composition"),
    ],
)
def test_structure_of_products(left, right, expected):
    product = OPERATORS[left]() @ OPERATORS[right]()
    assert type(product).__name__ == f"LinearOperator{expected}"


def test_zeros():
    zeros = L.LinearOperatorZeros(2)
    assert type(zeros @ _full()).__name__ == "LinearOperatorZeros"
    assert zeros.matmul([[1.0], [2.0]]).numpy().tolist() == [[0.0], [0.0]]
    assert zeros.determinant().numpy() == 0.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="always non-invertible"):
        zeros.assert_non_singular()
    with pytest.raises(NotImplementedError, match="the operator is singular"):
        zeros.solve([[1.0], [2.0]])
    with pytest.raises(ValueError, match="represents a singular matrix"):
        zeros.inverse()
    wide = L.LinearOperatorZeros(2, 3, is_self_adjoint=False, is_square=False)
    assert wide.adjoint().shape == (3, 2)
    with pytest.raises(ValueError, match="`is_square` is always False"):
        L.LinearOperatorZeros(2, 3)


def test_blocks_take_lists():
    operator = OPERATORS["lower_blocks"]()
    x = [np.ones((n, 1), np.float32) for n in (2, 3, 2)]
    parts = operator.matmul(x)
    _close(np.concatenate(parts), operator.matmul(np.concatenate(x)))
    for found, given in zip(operator.solve(parts), x, strict=True):
        _close(found, given)
    vectors = operator.matvec([v[:, 0] for v in x])
    assert [len(v) for v in vectors] == [2, 3, 2]


def test_blocks_that_are_not_square():
    operator = L.LinearOperatorBlockDiag([_full(0, (2, 3)), L.LinearOperatorDiag([1.0, 2.0])])
    assert operator.is_square is False
    assert operator.adjoint().shape == (5, 4)
    with pytest.raises(NotImplementedError, match="not square"):
        operator.determinant()
    square = L.LinearOperatorBlockDiag([_full(0, (2, 3)), _full(1, (3, 2))])
    with pytest.raises(NotImplementedError, match="each block must be square"):
        square.trace()


def test_parts_of_the_batch():
    operator = OPERATORS["diag_batch"]()[1]
    assert operator.diag.numpy().tolist() == [1.0, 4.0]
    assert OPERATORS["full_batch"]()[:2].batch_shape == (2,)
    assert OPERATORS["identity_batch"]()[1:].shape == (2, 2, 2)
    assert L.LinearOperatorZeros(2, batch_shape=[3, 4])[..., 1].shape == (3, 2, 2)
    assert OPERATORS["scaled_batch"]()[1].multiplier.numpy() == -2.0
    three = [[[1.0, 2.0]], [[4.0, 5.0]], [[0.0, 3.0]]]
    part = L.LinearOperatorTridiag(three, "sequence")[0]
    assert part.to_dense().numpy().tolist() == [[4.0, 1.0], [3.0, 5.0]]
    with pytest.raises(tf.errors.InvalidArgumentError, match="only axes of the batch"):
        _full()[0]


def test_products_of_thin_and_wide_factors_are_singular():
    """Each factor has full rank, 3 x 2 and 2 x 3; their product is square, of rank 4 of 6."""
    operator = L.LinearOperatorKronecker([_full(0, (3, 2)), _full(5, (2, 3))])
    assert operator.cond().numpy() > 1e6
    with pytest.raises(tf.errors.InvalidArgumentError, match="Singular matrix"):
        operator.assert_non_singular()


def test_hints_that_follow_from_the_parts():
    assert L.LinearOperatorKronecker([_positive(), _positive()]).is_positive_definite
    skewed = _full(is_positive_definite=True)
    assert L.LinearOperatorKronecker([skewed, skewed]).is_positive_definite is None
    assert L.LinearOperatorBlockDiag([_positive(), skewed]).is_positive_definite
    diag = L.LinearOperatorDiag([2.0, 3.0], is_positive_definite=True)
    update = L.LinearOperatorLowRankUpdate(diag, [[1.0], [2.0]], [-0.1])
    assert (update.is_self_adjoint, update.is_positive_definite) == (True, None)
    given = L.LinearOperatorKronecker([diag, diag], is_non_singular=False, name="mine")
    assert (given.is_non_singular, given.name) == (False, "mine")


def test_gradients_and_functions():
    v = tf.Variable([2.0, 4.0])
    operator = L.LinearOperatorDiag(v)
    assert operator.trainable_variables == (v,)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(operator.solvevec([1.0, 1.0]))
    _close(tape.gradient(y, v), [-0.25, -0.0625])
    positive = OPERATORS["positive"]()
    x = tf.constant([1.0, 2.0])
    _close(tf.function(positive.solvevec)(x), positive.solvevec(x))


def test_a_class_of_ones_own_needs_matmul_and_shape():
    class Twice(L.LinearOperator):
        def _shape(self):
            return tf.TensorShape([2, 2])

        def _matmul(self, x, adjoint=False, adjoint_arg=False):
            return 2 * (tf.linalg.adjoint(x) if adjoint_arg else x)

    operator = Twice(tf.float32, is_self_adjoint=True)
    assert operator.determinant().numpy() == 4.0
    assert operator.solvevec([2.0, 4.0]).numpy().tolist() == [1.0, 2.0]

    class Empty(L.LinearOperator):
        def _shape(self):
            return tf.TensorShape([2, 2])

    with pytest.raises(NotImplementedError, match=r"must define _matmul\(\)"):
        Empty(tf.float32).to_dense()


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: L.LinearOperatorFullMatrix([[1, 2], [3, 4]]), TypeError, "floating or complex"),
        (lambda: L.LinearOperatorFullMatrix([1.0, 2.0]), ValueError, "at least 2 axes"),
        (lambda: L.LinearOperatorDiag([1.0], is_square=False), ValueError, "is always True"),
        (lambda: L.LinearOperatorIdentity(-1), ValueError, "at least 0"),
        (lambda: L.LinearOperatorComposition([]), ValueError, "non-empty list"),
        (
            lambda: L.LinearOperatorComposition([_full(), L.LinearOperatorIdentity(3)]),
            ValueError,
            "not compatible",
        ),
        (
            lambda: L.LinearOperatorKronecker(
                [_full(), L.LinearOperatorIdentity(2, dtype=tf.float64)]
            ),
            TypeError,
            "must have one dtype",
        ),
        (
            lambda: L.LinearOperatorTridiag([[1.0], [4.0]], "zz"),
            ValueError,
            "compact, matrix, or sequence",
        ),
        (lambda: L.LinearOperatorPermutation([1.0, 0.0]), TypeError, "must hold integers"),
        (
            lambda: L.LinearOperatorBlockLowerTriangular([[_full(), _full()]]),
            ValueError,
            "must hold 1 blocks",
        ),
        (
            lambda: _full(is_positive_definite=True, is_non_singular=False),
            ValueError,
            "always non-singular",
        ),
        (lambda: _full().matvec(tf.ones([3])), ValueError, "Dimensions 2 and 3 are not compatible"),
        (lambda: _full().matvec(tf.ones([2], tf.float64)), TypeError, "must have dtype float32"),
        (lambda: _full().eigvals(), NotImplementedError, "Only self-adjoint"),
        (lambda: _full(shape=(2, 3)).determinant(), NotImplementedError, "not square"),
        (lambda: _full(shape=(2, 3)).inverse(), ValueError, "non square matrix"),
        (
            lambda: _full().assert_self_adjoint(),
            tf.errors.InvalidArgumentError,
            "not equal to its adjoint",
        ),
        (
            lambda: _full(shape=(3, 2)).assert_positive_definite(),
            tf.errors.InvalidArgumentError,
            "only a square matrix can be positive definite",
        ),
        (lambda: L.LinearOperatorIdentity([2]), ValueError, "must be one number"),
        (lambda: L.LinearOperatorIdentity(2, [[1]]), ValueError, "must be a list of sizes"),
        (lambda: L.LinearOperatorPermutation([1, 1]), ValueError, "must hold each of 0 … 1 once"),
        (lambda: L.LinearOperatorBlockDiag(_full()), TypeError, "must be a list of LinearOper"),
        (lambda: L.LinearOperatorKronecker([np.eye(2)]), TypeError, "must be a list of LinearO"),
        (lambda: L.LinearOperatorAdjoint(np.eye(2)), TypeError, "must be a LinearOperator"),
        (
            lambda: L.LinearOperatorLowRankUpdate(_full(), [[1.0], [2.0]], [1.0, 2.0]),
            ValueError,
            "a number for each of the 1 columns",
        ),
        (
            lambda: L.LinearOperatorLowRankUpdate(_full(), [[1.0], [2.0]], v=[[1.0, 2.0]] * 2),
            ValueError,
            "must have the rows and columns of `u`",
        ),
    ],
)
def test_errors(make, error, match):
    with pytest.raises(error, match=match):
        make()
