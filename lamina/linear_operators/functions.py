"""What the functions of tf.linalg do with operators; importing this installs it."""

from typing import Any

from lamina import ops
from lamina.linear_operators.base import LinearOperator
from lamina.ops.composite import extend

__all__ = []


def _require_plain(flags: dict[str, Any], who: str) -> None:
    given = [key for key, value in flags.items() if value]
    if given:
        raise ValueError(
            f"{who}: an operator takes `adjoint_a` and `adjoint_b` only; got {given[0]}.\n"
            "  Fix: use these, or to_dense()."
        )


def _matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    output_type: Any = None,
    grad_a: bool = False,
    grad_b: bool = False,
    name: str | None = None,
) -> Any:
    flags = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    _require_plain({**flags, "a_is_sparse": a_is_sparse, "b_is_sparse": b_is_sparse}, "tf.matmul")
    if isinstance(a, LinearOperator):
        return a.matmul(b, adjoint=adjoint_a, adjoint_arg=adjoint_b)
    # a B = (Bᴴ aᴴ)ᴴ
    return ops.adjoint(b.matmul(a, adjoint=not adjoint_b, adjoint_arg=not adjoint_a))


def _matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Any:
    flags = {"transpose_a": transpose_a, "a_is_sparse": a_is_sparse, "b_is_sparse": b_is_sparse}
    _require_plain(flags, "tf.linalg.matvec")
    return a.matvec(b, adjoint=adjoint_a)


def _solve(matrix: Any, rhs: Any, adjoint: bool = False, name: str | None = None) -> Any:
    if not isinstance(matrix, LinearOperator):
        raise ValueError(
            f"tf.linalg.solve: `matrix` must be an operator where `rhs` is one; got "
            f"{type(matrix).__name__}.\n  Fix: tf.linalg.LinearOperatorFullMatrix(matrix)."
        )
    return matrix.solve(rhs, adjoint=adjoint)


def _inv(input: Any, adjoint: bool = False, name: str | None = None) -> Any:
    inverse = input.inverse()
    return inverse.adjoint() if adjoint else inverse


extend(
    (LinearOperator,),
    ops,
    {
        "adjoint": lambda matrix, name=None: matrix.adjoint(),
        "cholesky": lambda input, name=None: input.cholesky(),
        "det": lambda input, name=None: input.determinant(),
        "diag_part": lambda input, name="diag_part", **_: input.diag_part(),
        "inv": _inv,
        "logdet": lambda matrix, name=None: matrix.log_abs_determinant(),
        "matmul": _matmul,
        "matvec": _matvec,
        "solve": _solve,
        "trace": lambda x, name=None: x.trace(),
    },
)
