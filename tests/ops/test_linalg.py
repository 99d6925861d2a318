"""Products, norms, diagonals, decompositions, systems: values, gradients, error texts."""

import numpy as np
import pytest
import scipy.linalg as sl

from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor, dtypes, errors, function
from lamina.engine.signature import infer, symbolic_dim, type_of
from tests.tolerances import assert_close

RNG = np.random.default_rng(5)
A = RNG.normal(size=(2, 3, 4)).astype(np.float32)
B = RNG.normal(size=(2, 4, 5)).astype(np.float32)
SQUARE = RNG.normal(size=(2, 3, 3)) + 3 * np.eye(3)
SPD = SQUARE @ SQUARE.swapaxes(-1, -2) + np.eye(3)
RHS = RNG.normal(size=(2, 3, 2))
COMPLEX = (A + 1j * A[:, ::-1]).astype(np.complex64)


def swap(x):
    return np.swapaxes(x, -1, -2)


def gradient(fn, *values):
    values = [convert_to_tensor(v) for v in values]
    with GradientTape() as tape:
        tape.watch(values)
        y = fn(*values)
    found = [None if g is None else g.numpy() for g in tape.gradient(y, values)]
    return found if len(found) > 1 else found[0]


def slopes(fn, x, step=1e-6):
    """Return the gradient of the sum of `fn` by central differences, in float64."""
    out = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[place] = step
        out[place] = (fn(x + move).numpy().sum() - fn(x - move).numpy().sum()) / (2 * step)
    return out


MATMULS = [
    ({}, A, B),
    ({"transpose_a": True}, swap(A), B),
    ({"transpose_b": True}, A, swap(B)),
    ({"transpose_a": True, "transpose_b": True}, swap(A), swap(B)),
    ({}, A, B[0]),
    ({}, A[:1], B),
    ({}, A[0], B[0]),
]


@pytest.mark.parametrize(("options", "a", "b"), MATMULS)
def test_matmul(options, a, b):
    left = swap(a) if options.get("transpose_a") else a
    right = swap(b) if options.get("transpose_b") else b
    assert_close(ops.matmul(a, b, **options).numpy(), left @ right)


def test_matmul_of_complex_and_narrow_numbers():
    product = ops.matmul(COMPLEX, COMPLEX, adjoint_b=True)
    assert_close(product.numpy(), COMPLEX @ swap(COMPLEX).conj())
    narrow = np.full((1, 4), 100, np.int8)
    assert ops.matmul(narrow, narrow.T, output_type="int32").numpy() == [[40000]]
    half = ops.matmul(A[0].astype(np.float16), B[0].astype(np.float16))
    assert half.dtype.name == "float16"


def test_matmul_takes_an_unknown_batch():
    batch = symbolic_dim(0)
    kinds = [type_of((batch, 3, 4), dtypes.float32), type_of((4, 5), dtypes.float32)]
    (output,), _ = infer("matmul", ops.matmul.body, kinds)
    assert output.dims == (batch, 3, 5)


def test_products():
    assert_close(ops.matvec(A, B[:, :, 0]).numpy(), np.einsum("bij,bj->bi", A, B[:, :, 0]))
    assert_close(ops.matvec(swap(A), B[:, :, 0], transpose_a=True).numpy(), (A @ B)[:, :, 0])
    assert_close(
        ops.tensordot(A, B, [[0, 2], [0, 1]]).numpy(), np.tensordot(A, B, ([0, 2], [0, 1]))
    )
    assert_close(ops.tensordot(A[0], B[0], 1).numpy(), A[0] @ B[0])
    assert_close(ops.tensordot(A, B[0], convert_to_tensor([[2], [0]])).numpy(), A @ B[0])
    assert_close(ops.cross(A[..., :3], A[..., 1:]).numpy(), np.cross(A[..., :3], A[..., 1:]))


EQUATIONS = ["bij,bjk->bik", "bij,bjk", "...ij,...jk->...ik", "bij,bjk->", "bij , bjk -> kib"]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation):
    assert_close(ops.einsum(equation, A, B).numpy(), np.einsum(equation, A, B), np.float32)


NORMS = [
    ("euclidean", None, lambda x: np.sqrt((x * x).sum())),
    (2, 1, lambda x: np.linalg.norm(x, axis=1)),
    (1, -1, lambda x: np.abs(x).sum(-1)),
    (np.inf, 0, lambda x: np.abs(x).max(0)),
    (3.0, 1, lambda x: (np.abs(x) ** 3).sum(1) ** (1 / 3)),
    ("fro", (0, 2), lambda x: np.sqrt((x * x).sum((0, 2)))),
    (1, [-2, -1], lambda x: np.linalg.norm(x, 1, (-2, -1))),
    (2, [-2, -1], lambda x: np.linalg.norm(x, 2, (-2, -1))),
    (np.inf, [-2, -1], lambda x: np.linalg.norm(x, np.inf, (-2, -1))),
]


@pytest.mark.parametrize(("order", "axis", "reference"), NORMS)
def test_norms(order, axis, reference):
    found = ops.norm(A, ord=order, axis=axis)
    assert_close(found.numpy(), np.asarray(reference(A)))
    kept = ops.norm(A, ord=order, axis=axis, keepdims=True)
    assert kept.shape.rank == 3
    assert_close(kept.numpy().ravel(), found.numpy().ravel())


def test_normalizing():
    unit, size = ops.normalize(A, axis=-1)
    assert_close(size.numpy(), np.linalg.norm(A, axis=-1, keepdims=True))
    assert_close(unit.numpy(), A / size.numpy())
    assert_close(ops.l2_normalize(A, axis=[1, 2]).numpy()[0], A[0] / np.linalg.norm(A[0]))
    assert_close(ops.l2_normalize([0.0, 0.0]).numpy(), [0, 0])


def test_the_gradient_of_the_norm_at_zero_is_nan_as_in_tf():
    assert np.isnan(gradient(ops.norm, np.zeros(2, np.float32))).all()
    assert gradient(ops.l2_normalize, np.zeros(1, np.float32)).tolist() == [1e6]
    assert gradient(lambda x: ops.norm(x, ord=1), np.zeros(1, np.float32)).tolist() == [0]


def test_diagonals():
    assert ops.diag([1, 2]).numpy().tolist() == [[1, 0], [0, 2]]
    assert_close(ops.diag(A[0, 0], k=-1).numpy(), np.diag(A[0, 0], -1))
    wide = ops.diag([1, 2], k=1, num_rows=3, num_cols=3, padding_value=9)
    assert wide.numpy().tolist() == [[9, 1, 9], [9, 9, 2], [9, 9, 9]]
    assert_close(ops.diag_part(A, k=1).numpy(), np.diagonal(A, 1, -2, -1))
    assert_close(ops.set_diag(SQUARE, RHS[:, :, 0]).numpy().diagonal(0, -2, -1), RHS[:, :, 0])
    assert_close(ops.trace(SQUARE).numpy(), np.trace(SQUARE, axis1=-2, axis2=-1))
    spread = ops.tensor_diag([[1, 2], [3, 4]])
    assert spread.shape == (2, 2, 2, 2)
    assert ops.tensor_diag_part(spread).numpy().tolist() == [[1, 2], [3, 4]]


def test_several_diagonals_lie_as_aligned():
    rows = [[1, 2, 3], [4, 5, 0]]
    assert ops.diag(rows, k=(0, 1)).numpy().tolist() == [[4, 2, 0], [0, 5, 3], [0, 0, 0]]
    tall = ops.diag(rows, k=(-1, 0), align="LEFT_RIGHT", num_rows=4, padding_value=9)
    assert tall.numpy().tolist() == [[1, 9, 9], [4, 2, 9], [9, 5, 3], [9, 9, 0]]
    nine = np.arange(1, 10).reshape(3, 3)
    assert ops.diag_part(nine, k=(-1, 1)).numpy().tolist() == [[0, 2, 6], [1, 5, 9], [4, 8, 0]]
    replaced = ops.set_diag(np.ones((3, 3)), [[9.0, 8.0, 7.0], [1.0, 2.0, 3.0]], k=(0, 1))
    assert replaced.numpy().tolist() == [[1, 8, 1], [1, 2, 7], [1, 1, 3]]


BANDS = [(-1, 0, np.tril), (0, -1, np.triu), (1, 0, lambda x: np.tril(np.triu(x, -1)))]


@pytest.mark.parametrize(("lower", "upper", "reference"), BANDS)
def test_bands(lower, upper, reference):
    assert_close(ops.band_part(A, lower, upper).numpy(), reference(A))


def test_identity_and_transposes():
    assert ops.eye(2, 3, batch_shape=[2]).numpy().tolist() == [np.eye(2, 3).tolist()] * 2
    assert ops.eye(2, dtype="int32").dtype.name == "int32"
    assert_close(ops.matrix_transpose(A).numpy(), swap(A))
    assert_close(ops.matrix_transpose(COMPLEX, conjugate=True).numpy(), swap(COMPLEX).conj())
    assert_close(ops.adjoint(COMPLEX).numpy(), swap(COMPLEX).conj())


def test_decompositions_give_the_matrix_back():
    lower = ops.cholesky(SPD).numpy()
    assert_close(lower @ swap(lower), SPD)
    for full in [False, True]:
        q, r = ops.qr(A, full_matrices=full)
        assert_close((q.numpy() @ r.numpy()), A)
        s, u, v = ops.svd(A, full_matrices=full)
        assert_close((u.numpy()[..., :3] * s.numpy()[:, None]) @ swap(v.numpy()[..., :3]), A)
    assert_close(ops.svd(A, compute_uv=False).numpy(), np.linalg.svd(A, compute_uv=False))
    values, vectors = ops.eigh(SPD)
    assert_close(vectors.numpy() * values.numpy()[:, None] @ swap(vectors.numpy()), SPD)
    assert_close(ops.eigvalsh(np.tril(SPD)).numpy(), np.linalg.eigvalsh(SPD))
    values, vectors = (each.numpy() for each in ops.eig(SQUARE))
    assert_close(SQUARE @ vectors, vectors * values[:, None])
    assert_close(np.sort(ops.eigvals(SPD).numpy().real), np.linalg.eigvalsh(SPD))


def test_lu_and_what_uses_it():
    packed = ops.lu(SQUARE)
    assert packed.p.dtype.name == "int32"
    assert_close(ops.lu_reconstruct(*packed).numpy(), SQUARE)
    assert_close(ops.lu_solve(*packed, RHS).numpy(), np.linalg.solve(SQUARE, RHS))
    assert_close(ops.lu_matrix_inverse(*packed).numpy(), np.linalg.inv(SQUARE))


def test_functions_of_matrices():
    assert_close(ops.expm(SQUARE[0]).numpy(), sl.expm(SQUARE[0]))
    root = ops.sqrtm(SPD).numpy()
    assert_close(root @ root, SPD)
    assert_close(ops.logm(SPD[0].astype(np.complex128)).numpy(), sl.logm(SPD[0]).astype(complex))


def test_systems():
    expected = np.linalg.solve(SQUARE, RHS)
    assert_close(ops.solve(SQUARE, RHS).numpy(), expected)
    assert_close(ops.solve(swap(SQUARE), RHS, adjoint=True).numpy(), expected)
    assert_close(ops.solve(SQUARE[0], RHS).numpy(), np.linalg.solve(SQUARE[:1], RHS))
    assert_close(ops.inv(SQUARE).numpy(), np.linalg.inv(SQUARE))
    assert_close(ops.inv(swap(SQUARE), adjoint=True).numpy(), np.linalg.inv(SQUARE))
    lower = np.tril(SQUARE)
    assert_close(ops.triangular_solve(SQUARE, RHS).numpy(), np.linalg.solve(lower, RHS))
    upper = ops.triangular_solve(SQUARE, RHS, lower=False).numpy()
    assert_close(upper, np.linalg.solve(np.triu(SQUARE), RHS))
    turned = ops.triangular_solve(SQUARE, RHS, adjoint=True).numpy()
    assert_close(turned, np.linalg.solve(swap(lower), RHS))
    assert_close(ops.cholesky_solve(ops.cholesky(SPD), RHS).numpy(), np.linalg.solve(SPD, RHS))


def test_determinants_and_ranks():
    assert_close(ops.det(SQUARE).numpy(), np.linalg.det(SQUARE))
    sign, size = ops.slogdet(SQUARE)
    assert_close(sign.numpy() * np.exp(size.numpy()), np.linalg.det(SQUARE))
    assert_close(ops.logdet(SPD).numpy(), np.log(np.linalg.det(SPD)))
    assert ops.matrix_rank([[1.0, 2.0], [2.0, 4.0]]).numpy() == 1
    assert_close(ops.pinv(A).numpy(), np.linalg.pinv(A))


@pytest.mark.parametrize("fast", [True, False])
def test_least_squares(fast):
    tall, wide = A[0].T.astype(np.float64), A[0].astype(np.float64)
    for matrix in [tall, wide]:
        rhs = RNG.normal(size=(matrix.shape[0], 2))
        found = ops.lstsq(matrix, rhs, fast=fast)
        assert_close(found.numpy(), np.linalg.lstsq(matrix, rhs)[0])
    assert_close(ops.lstsq([[1.0]], [[4.0]], l2_regularizer=1.0).numpy(), [[2.0]])


def test_tridiagonal_matrices():
    above, middle, below = [1.0, 2.0, 9.0], [4.0, 5.0, 6.0], [9.0, 1.0, 2.0]
    dense = np.diag(middle) + np.diag(above[:2], 1) + np.diag(below[1:], -1)
    for form, given in [("compact", [above, middle, below]), ("matrix", dense)]:
        given = np.array(given)
        found = ops.tridiagonal_solve(given, RHS[0], diagonals_format=form)
        assert_close(found.numpy(), np.linalg.solve(dense, RHS[0]))
        found = ops.tridiagonal_matmul(given, RHS[0], diagonals_format=form)
        assert_close(found.numpy(), dense @ RHS[0])
    parts = [np.array(each) for each in (above, middle, below)]
    found = ops.tridiagonal_solve(parts, RHS[0, :, 0], diagonals_format="sequence")
    assert_close(found.numpy(), np.linalg.solve(dense, RHS[0, :, 0]))


DIFFERENTIABLE = [
    (ops.inv, SQUARE),
    (ops.det, SQUARE),
    (ops.logdet, SPD),
    (lambda x: ops.solve(x, RHS), SQUARE),
    (lambda x: ops.triangular_solve(x, RHS), SQUARE),
    (lambda x: ops.norm(x, axis=[-2, -1]), SQUARE),
    (lambda x: ops.set_diag(x, RHS[:, :, 0]), SQUARE),
    (lambda x: ops.diag(x, k=(0, 1)), SQUARE[:, :2]),
]


@pytest.mark.parametrize(("fn", "x"), DIFFERENTIABLE)
def test_gradients_agree_with_differences(fn, x):
    assert_close(gradient(fn, x), slopes(fn, x), np.float32)


def test_the_gradient_of_eigvalsh_lies_in_the_lower_triangle_as_in_tf():
    found = gradient(lambda x: ops.eigvalsh(x)[..., -1], SPD)
    assert (np.triu(found, 1) == 0).all()
    assert_close(found, slopes(lambda x: ops.eigvalsh(x)[..., -1], SPD), np.float32)


def test_a_trace_cannot_ask_whether_a_matrix_is_singular():
    inverted = function(ops.inv)(np.zeros((2, 2), np.float32))
    assert not np.isfinite(inverted.numpy()).all()


INVALID = errors.InvalidArgumentError
ERRORS = [
    (lambda: ops.matmul([[1.0, 2.0]], [[1.0, 2.0]]), INVALID, "tf.matmul: the columns of `a`"),
    (lambda: ops.matmul([1.0], [1.0]), INVALID, "must be of rank 2 or more; got float32"),
    (lambda: ops.matmul([[1.0]], [[1.0]], True, adjoint_a=True), ValueError, "`adjoint_a` may be"),
    (lambda: ops.tensordot([1.0], [1.0], [[0]]), ValueError, "an int or two lists; got [[0]]"),
    (lambda: ops.einsum("ij,jk->ik", A[0], A[0]), INVALID, "'j' in 'ij,jk->ik' must stand for"),
    (lambda: ops.einsum("ijk->ik", A[0]), INVALID, "input 0 must have rank 3"),
    (lambda: ops.einsum("ij->ik", A[0]), ValueError, "got ['k'] in 'ij->ik'"),
    (lambda: ops.einsum("ij->i", A[0], A[0]), ValueError, "must name each input"),
    (lambda: ops.einsum("ij->i", A[0], x=1), TypeError, "got ['x']"),
    (lambda: ops.cross([1.0, 2.0], [1.0, 2.0]), INVALID, "must be of shape (…, 3)"),
    (lambda: ops.norm([1.0], ord="fro"), ValueError, "a vector norm; got 'fro'"),
    (lambda: ops.norm([[1.0]], ord=3, axis=[0, 1]), ValueError, "a matrix norm; got 3"),
    (lambda: ops.diag([1.0], align="UP"), INVALID, "`align` must be one of"),
    (lambda: ops.diag([1.0], k=(1, 0)), INVALID, "got (1, 0)"),
    (lambda: ops.diag([1.0], num_rows=0), INVALID, "must fit diagonals of length 1"),
    (lambda: ops.diag([[1.0]], k=(0, 1)), INVALID, "must hold 2 diagonals"),
    (lambda: ops.set_diag([[1.0]], [1.0, 2.0]), INVALID, "must be of shape (1,)"),
    (lambda: ops.tensor_diag_part([1.0]), INVALID, "a shape of two equal halves; got (1,)"),
    (lambda: ops.cholesky([[1.0, 2.0]]), INVALID, "must be a square matrix"),
    (lambda: ops.logm([[1.0]]), INVALID, "must be complex; got float32"),
    (lambda: ops.solve([[1.0]], [1.0]), INVALID, "must be of rank 2 or more"),
    (lambda: ops.solve([[1.0]], [[1.0], [2.0]]), INVALID, "as many rows as `matrix`"),
    (lambda: ops.inv(np.zeros((2, 2))), INVALID, "must be invertible; got a singular matrix"),
    (lambda: ops.solve([[0.0]], [[1.0]]), INVALID, "must be invertible; got a singular one"),
    (lambda: ops.tridiagonal_solve([1.0], [1.0], "x"), ValueError, "got 'x'"),
]


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS)
def test_errors_say_what_was_expected(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_tridiagonal_solve_does_not_perturb():
    with pytest.raises(ValueError, match="`perturb_singular` must be False; got True"):
        ops.tridiagonal_solve(
            [[1.0, 0.0], [2.0, 2.0], [0.0, 1.0]], [3.0, 3.0], perturb_singular=True
        )


def test_diagonals_of_booleans():
    matrix = np.array([[True, True], [False, True]])
    assert ops.diag_part(matrix).numpy().tolist() == [True, True]
    assert ops.diag_part(matrix, k=(0, 1)).numpy().tolist() == [[False, True], [True, True]]
    assert ops.diag([True, False]).numpy().tolist() == [[True, False], [False, False]]
    assert ops.diag([False], padding_value=True, k=1).numpy().tolist() == [
        [True, False],
        [True, True],
    ]
