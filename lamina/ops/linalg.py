"""Products of matrices and tensors, and norms."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import Tensor, Variable, as_dtype, convert_to_tensor, errors, op, static_ints
from lamina.ops import checks
from lamina.ops.math import larger, modulus
from lamina.ops.quotient import divided

__all__ = [
    "affine",
    "cross",
    "einsum",
    "l2_normalize",
    "matmul",
    "matvec",
    "norm",
    "normalize",
    "tensordot",
]


def _adjoint(x, conjugate):
    x = jnp.swapaxes(x, -1, -2)
    return jnp.conj(x) if conjugate else x


def _oriented(x, transpose, adjoint, name):
    """Return the matrix `x` transposed as asked.

    Raises:
        ValueError: both the transpose and the adjoint are asked for.
    """
    if transpose and adjoint:
        raise ValueError(
            f"only one of `transpose_{name}` and `adjoint_{name}` may be True; got both.\n"
            f"  Fix: `adjoint_{name}` alone transposes and conjugates."
        )
    return _adjoint(x, adjoint) if transpose or adjoint else x


def _contract(a, b):
    """Return ``a @ b`` of matrices whose inner sizes agree.

    Raises:
        InvalidArgumentError: they do not.
    """
    inner, other = a.shape[-1], b.shape[-2]
    if isinstance(inner, int) and isinstance(other, int) and inner != other:
        raise errors.InvalidArgumentError(
            f"the columns of `a` and the rows of `b` must agree; got {inner} and {other}, of "
            f"shapes {a.shape} and {b.shape}.\n  Fix: transpose one, or check the layer before."
        )
    return jnp.matmul(a, b)


@op
def matmul(
    a,
    b,
    transpose_a=False,
    transpose_b=False,
    adjoint_a=False,
    adjoint_b=False,
    a_is_sparse=False,
    b_is_sparse=False,
    output_type=None,
    grad_a=False,
    grad_b=False,
):
    """Return the matrix product of the last two dimensions; those before broadcast.

    Args:
        a: Numbers ``(…, M, K)``.
        b: Numbers ``(…, K, N)`` of the same dtype.
        transpose_a: Whether `a` is given as ``(…, K, M)``.
        transpose_b: Whether `b` is given as ``(…, N, K)``.
        adjoint_a: Whether `a` is given transposed and conjugated.
        adjoint_b: Whether `b` is given transposed and conjugated.
        a_is_sparse: Accepted, unused.
        b_is_sparse: Accepted, unused.
        output_type: The dtype of the sums and the result; None for that of the operands.
        grad_a: Accepted, unused.
        grad_b: Accepted, unused.

    Returns:
        ``(…, M, N)``. Sums of 16-bit floats are taken in float32.

    Raises:
        InvalidArgumentError: an operand has fewer than two dimensions, or K differs.
        ValueError: an operand is both to be transposed and conjugated.

    Example:
        >>> tf.matmul([[1, 2], [3, 4]], [[1], [10]]).numpy()
        array([[21],
               [43]], dtype=int32)
    """
    a = _oriented(checks.matrix(a, "a"), transpose_a, adjoint_a, "a")
    b = _oriented(checks.matrix(b, "b"), transpose_b, adjoint_b, "b")
    if output_type is not None:
        dtype = as_dtype(output_type).np
        a, b = a.astype(dtype), b.astype(dtype)
    return _contract(a, b)


@op
def affine(x, kernel, bias):
    """Return ``x @ kernel + bias``: a dense layer in one operation.

    Args:
        x: Floats ``(…, K)``, with at least two dimensions.
        kernel: ``(K, N)``, of the same dtype.
        bias: ``(N,)``, of the same dtype.

    Returns:
        ``(…, N)``, dtype of the operands.

    Raises:
        InvalidArgumentError: K differs.
    """
    return _contract(x, kernel) + bias


@op
def matvec(a, b, transpose_a=False, adjoint_a=False, a_is_sparse=False, b_is_sparse=False):
    """Return the product of matrices and vectors; dimensions before them broadcast.

    Args:
        a: Numbers ``(…, M, K)``.
        b: Numbers ``(…, K)`` of the same dtype.
        transpose_a: Whether `a` is given as ``(…, K, M)``.
        adjoint_a: Whether `a` is given transposed and conjugated.
        a_is_sparse: Accepted, unused.
        b_is_sparse: Accepted, unused.

    Returns:
        ``(…, M)``.

    Raises:
        InvalidArgumentError: `a` is not a matrix, or K differs.

    Example:
        >>> tf.linalg.matvec([[1, 2], [3, 4]], [1, 10]).numpy()
        array([21, 43], dtype=int32)
    """
    a = _oriented(checks.matrix(a, "a"), transpose_a, adjoint_a, "a")
    return _contract(a, b[..., None])[..., 0]


@op
def _tensordot(a, b, *, axes):
    return jnp.tensordot(a, b, axes)


def tensordot(a, b, axes, name=None):
    """Return the sum of products of `a` and `b` over some axes of each.

    Args:
        a: Numbers.
        b: Numbers of the same dtype.
        axes: How many last axes of `a` meet as many first ones of `b`; or two lists, of the axes
            of `a` and of those of `b`.
        name: Accepted, unused.

    Returns:
        The other axes of `a`, then those of `b`.

    Raises:
        InvalidArgumentError: sizes that meet differ.
        ValueError: `axes` has neither form.

    Example:
        >>> tf.tensordot([[1, 2], [3, 4]], [1, 10], axes=1).numpy()
        array([21, 43], dtype=int32)
    """
    if isinstance(axes, Tensor | Variable | np.ndarray):
        axes = convert_to_tensor(axes).numpy().tolist()
    if isinstance(axes, int):
        if axes < 0:
            raise ValueError(
                f"tf.tensordot: `axes` must be at least 0; got {axes}.\n"
                "  Fix: give two lists of axes, where negative ones count from the end."
            )
    else:
        if len(axes) != 2:
            raise ValueError(
                f"tf.tensordot: `axes` must be an int or two lists; got {axes!r}.\n"
                "  Fix: `axes=[[axes of a], [axes of b]]`."
            )
        axes = tuple(static_ints(each, "tf.tensordot: `axes`") for each in axes)
    return _tensordot(a, b, axes=axes)


@op
def _einsum(*inputs, equation):
    return jnp.einsum(equation, *inputs)


def _labels(equation, count):
    """Return the subscripts of each input, once the equation's form is checked.

    Raises:
        ValueError: the number of inputs differs, or the output has a label that no input has.
    """
    left, _, right = equation.replace(" ", "").partition("->")
    subscripts = left.split(",")
    if len(subscripts) != count:
        raise ValueError(
            f"tf.einsum: `equation` must name each input; got {equation!r} for {count} inputs.\n"
            "  Fix: separate the subscripts of inputs by commas."
        )
    unknown = set(right) - set(left)
    if unknown:
        raise ValueError(
            f"tf.einsum: labels of the output must stand in an input; got {sorted(unknown)} in "
            f"{equation!r}.\n  Fix: name them in an input, or drop them."
        )
    return subscripts


def _require_sizes(equation, subscripts, inputs):
    """Check that each label stands for one size.

    Raises:
        InvalidArgumentError: it does not, or an input has another rank than its subscripts.
    """
    sizes = {}
    for i, (labels, x) in enumerate(zip(subscripts, inputs, strict=True)):
        if "..." in labels:
            continue
        if x.shape.rank is not None and len(labels) != x.shape.rank:
            raise errors.InvalidArgumentError(
                f"tf.einsum: input {i} must have rank {len(labels)} for {equation!r}; got shape "
                f"{x.shape}.\n  Fix: one label for each dimension."
            )
        for label, size in zip(labels, x.shape, strict=True):
            if size is not None and sizes.setdefault(label, size) != size:
                raise errors.InvalidArgumentError(
                    f"tf.einsum: {label!r} in {equation!r} must stand for one size; got "
                    f"{sizes[label]} and, in input {i}, {size}.\n  Fix: check the shapes: "
                    f"{', '.join(str(each.shape) for each in inputs)}."
                )


def einsum(equation, *inputs, **kwargs):
    """Return the sum of products that `equation` describes.

    Args:
        equation: Labels of the dimensions of each input, then of the output, such as
            ``"ij,jk->ik"``; labels that the output lacks are summed over, ``...`` stands for
            dimensions that broadcast. Without ``->`` the labels that occur once are the output.
        *inputs: Numbers of one dtype.
        **kwargs: TF's `optimize` and `name`: accepted, unused.

    Returns:
        The dimensions named by the output, in the dtype of the inputs.

    Raises:
        InvalidArgumentError: a label stands for two sizes, or an input has another rank.
        ValueError: the equation does not fit the number of inputs, or is malformed.
        TypeError: an unknown keyword.

    Example:
        >>> tf.einsum("ij,j->i", [[1, 2], [3, 4]], [1, 10]).numpy()
        array([21, 43], dtype=int32)
    """
    unknown = kwargs.keys() - {"optimize", "name"}
    if unknown:
        raise TypeError(
            f"tf.einsum: the keywords are `optimize` and `name`; got {sorted(unknown)}.\n"
            "  Fix: give inputs by position."
        )
    subscripts = _labels(equation, len(inputs))
    first = next((x for x in inputs if isinstance(x, Tensor | Variable)), None)
    dtype = None if first is None else first.dtype
    inputs = [
        x if isinstance(x, Tensor | Variable) else convert_to_tensor(x, dtype) for x in inputs
    ]
    _require_sizes(equation, subscripts, inputs)
    return _einsum(*inputs, equation=equation.replace(" ", ""))


@op
def cross(a, b):
    """Return the cross product of vectors in space.

    Args:
        a: Numbers ``(…, 3)``.
        b: Numbers of the same shape and dtype.

    Returns:
        ``(…, 3)``, orthogonal to both.

    Raises:
        InvalidArgumentError: the shapes differ, or the last dimension is not 3.

    Example:
        >>> tf.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]).numpy()
        array([0., 0., 1.], dtype=float32)
    """
    if a.shape[-1:] != (3,) or b.shape != a.shape:
        raise errors.InvalidArgumentError(
            f"`a` and `b` must be of shape (…, 3), one for both; got {a.shape} and {b.shape}.\n"
            "  Fix: tf.broadcast_to one of them; pad two dimensions with a zero."
        )
    return jnp.cross(a, b)


_EUCLIDEAN = ("fro", "euclidean", 2)


def _vector_norm(x, ord, axes, keepdims):
    if ord in ("euclidean", 2):
        return jnp.sqrt(jnp.sum(jnp.real(x * jnp.conj(x)), axis=axes, keepdims=keepdims))
    size = modulus(x)
    if ord == 1:
        return jnp.sum(size, axis=axes, keepdims=keepdims)
    if ord == np.inf:
        top = lax.reduce_max(size, axes)
        return lax.expand_dims(top, axes) if keepdims else top
    return jnp.power(jnp.sum(jnp.power(size, ord), axis=axes, keepdims=keepdims), 1 / ord)


def _matrix_norm(x, ord, axes, keepdims):
    if ord == 2:
        values = jnp.linalg.svd(jnp.moveaxis(x, axes, (-2, -1)), compute_uv=False)
        out = lax.reduce_max(values, (values.ndim - 1,))
        return lax.expand_dims(out, axes) if keepdims else out
    if ord in _EUCLIDEAN:
        return _vector_norm(x, 2, axes, keepdims)
    summed, searched = axes if ord == 1 else axes[::-1]
    total = jnp.sum(modulus(x), axis=summed, keepdims=True)
    out = lax.expand_dims(lax.reduce_max(total, (searched,)), (searched,))
    return out if keepdims else lax.squeeze(out, axes)


def _norm_body(x, ord, axis, keepdims):
    x = checks.inexact(x, "tensor")
    keepdims = bool(keepdims)
    is_matrix = isinstance(axis, tuple) and len(axis) == 2
    supported = ("fro", "euclidean", 1, 2, np.inf) if is_matrix else ("euclidean", 1, 2, np.inf)
    is_power = not is_matrix and isinstance(ord, int | float) and ord > 0
    if ord not in supported and not is_power:
        raise ValueError(
            f"`ord` must be one of {supported}{'' if is_matrix else ' or a positive number'} for "
            f"a {'matrix' if is_matrix else 'vector'} norm; got {ord!r}.\n"
            "  Fix: two axes give matrix norms, one axis or None vector norms."
        )
    axes = checks.axes(x, axis)
    return (_matrix_norm if is_matrix else _vector_norm)(x, ord, axes, keepdims)


@op
def norm(tensor, ord="euclidean", axis=None, keepdims=None):
    """Return the norm of vectors or matrices.

    Args:
        tensor: Float or complex.
        ord: "euclidean" or 2, 1, inf, or a power p > 0 for vectors; "fro" or "euclidean", 1
            (largest column sum), 2 (largest singular value) or inf (largest row sum) for
            matrices.
        axis: None takes the whole tensor as one vector, an int the vectors along that axis, two
            ints the matrices in these.
        keepdims: Whether reduced axes stay, with size 1.

    Returns:
        Norms in the dtype of `tensor`, its real one for complex numbers. The gradient of the
        euclidean norm is NaN at 0, as in TF.

    Raises:
        ValueError: `ord` is not a norm for these axes.

    Example:
        >>> tf.norm([[3.0, 4.0], [6.0, 8.0]], axis=1).numpy()
        array([ 5., 10.], dtype=float32)
    """
    return _norm_body(tensor, ord, axis, keepdims)


@op
def normalize(tensor, ord="euclidean", axis=None):
    """Return the tensor divided by its norm, and the norm.

    Args:
        tensor: Float or complex.
        ord: The norm, as in `tf.norm`.
        axis: The axes, as in `tf.norm`.

    Returns:
        The normalized tensor, and its norm with reduced axes of size 1, both in the dtype of
        `tensor`.

    Example:
        >>> tf.linalg.normalize([3.0, 4.0])[0].numpy()
        array([0.6, 0.8], dtype=float32)
    """
    size = _norm_body(tensor, ord, axis, True).astype(tensor.dtype)
    return divided(tensor, size), size


@op
def _l2_normalize(x, *, axis, epsilon):
    x = checks.inexact(x)
    axes = checks.axes(x, axis)
    squared = jnp.sum(jnp.real(x * jnp.conj(x)), axis=axes, keepdims=True)
    return x * lax.rsqrt(larger(squared, jnp.asarray(epsilon, squared.dtype)))


def l2_normalize(x, axis=None, epsilon: Any = 1e-12, name=None, dim=None):
    """Return ``x / sqrt(max(sum(x²), epsilon))``, the sum being taken over axes.

    Args:
        x: Float or complex.
        axis: The axes of one vector: None for all, an int, or several.
        epsilon: The least squared norm.
        name: Accepted, unused.
        dim: The former name of `axis`.

    Returns:
        The shape and dtype of `x`.

    Example:
        >>> tf.math.l2_normalize([3.0, 4.0]).numpy()
        array([0.6, 0.8], dtype=float32)
    """
    return _l2_normalize(x, axis=axis if dim is None else dim, epsilon=float(epsilon))
