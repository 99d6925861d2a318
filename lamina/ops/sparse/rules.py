"""What the functions of `tf` do with sparse operands; importing this installs it."""

from typing import Any

from lamina import ops
from lamina.engine import convert_to_tensor
from lamina.ops.composite import extend
from lamina.ops.sparse import calculating, counting, making
from lamina.ops.sparse.tensor import RULES, SparseTensor, is_sparse

__all__ = []

_ELEMENTWISE = """
abs ceil conj erf floor identity imag log1p negative real relu relu6 rint round sign sin sinh
asin asinh atan atanh expm1 sqrt square stop_gradient tan tanh leaky_relu elu selu softsign
""".split()  # noqa: SIM905


def _elementwise(op, args, attributes):
    """Keep 0 at 0: the function of the kept elements is that of all."""
    return args[0].with_values(op(args[0].values, *args[1:], **attributes))


def _matmul(op, args, attributes):
    given = {k: v for k, v in attributes.items() if v}
    a, b = args
    if is_sparse(a) and is_sparse(b):
        b = making.to_dense(b, validate_indices=False)
    first = given.pop("transpose_a", False) or given.pop("adjoint_a", False)
    second = given.pop("transpose_b", False) or given.pop("adjoint_b", False)
    other = b if is_sparse(a) else a
    if len(convert_to_tensor(other).shape) > 2 or (a if is_sparse(a) else b).ndim != 2:
        a, b = calculating.dense_of(a), calculating.dense_of(b)
        return op(a, b, transpose_a=first, transpose_b=second)
    return calculating.sparse_dense_matmul(a, b, first, second)


def _multiply(op, args, attributes):
    a, b = args
    if is_sparse(a) and is_sparse(b):
        return making.from_dense(op(calculating.dense_of(a), calculating.dense_of(b)))
    return calculating.scaled(a, b, op) if is_sparse(a) else calculating.scaled(b, a, op)


def _divide(op, args, attributes):
    a, b = args
    if not is_sparse(a) or is_sparse(b):
        return NotImplemented
    return calculating.scaled(a, b, op)


def _add(op, args, attributes):
    """Add as `tf.sparse.add` does; a scalar has no sparse sum."""
    a, b = args
    if not (is_sparse(a) and is_sparse(b)) and not (
        len(convert_to_tensor(b if is_sparse(a) else a).shape)
    ):
        return NotImplemented
    return calculating.add(a, b)


def _subtract(op, args, attributes):
    a, b = args
    if not (is_sparse(a) and is_sparse(b)):
        return NotImplemented
    return calculating.add(a, b.with_values(ops.negative(b.values)))


def _extremum(of_two):
    """Return the rule of the greater or the smaller of two sparse operands."""

    def rule(op, args, attributes):
        return of_two(*args) if is_sparse(args[0]) and is_sparse(args[1]) else NotImplemented

    return rule


def _affine(op, args, attributes):
    """Multiply by a kernel and add a bias, as a dense layer does."""
    inputs, kernel, bias = args
    if inputs.ndim != 2:
        return op(calculating.dense_of(inputs), kernel, bias, **attributes)
    product = calculating.sparse_dense_matmul(inputs, kernel)
    return product if bias is None else product + bias


RULES.update(dict.fromkeys(_ELEMENTWISE, _elementwise))
RULES.update(
    affine=_affine,
    matmul=_matmul,
    multiply=_multiply,
    truediv=_divide,
    div=_divide,
    divide=_divide,
    add=_add,
    subtract=_subtract,
    maximum=_extremum(calculating.maximum),
    minimum=_extremum(calculating.minimum),
    transpose=lambda op, args, attributes: making.transpose(args[0], attributes["perm"]),
    reduce_sum=lambda op, args, attributes: calculating.reduce_sum(
        args[0], attributes["axis"], attributes["keepdims"]
    ),
)


def _cast(x, dtype, name=None):
    return x.with_values(ops.cast(x.values, dtype))


def _shape(input, out_type=None, name=None):
    return ops.cast(input.dense_shape, "int32" if out_type is None else out_type)


def _bincount(
    arr,
    weights=None,
    minlength=None,
    maxlength=None,
    dtype="int32",
    name=None,
    axis=None,
    binary_output=False,
):
    weights = getattr(weights, "values", weights)
    if axis in (None, 0):
        how = {"axis": axis, "binary_output": binary_output}
        return ops.bincount(arr.values, weights, minlength, maxlength, dtype, **how)
    if weights is not None:
        weights = arr.with_values(convert_to_tensor(weights))
    found = counting.bincount(arr, weights, axis, minlength, maxlength, binary_output)
    counts = calculating.dense_of(found)
    return counts if weights is not None else ops.cast(counts, dtype)


def _zeros_like(input, dtype=None, name=None, layout=None):
    return ops.zeros(list(input._static_shape), input.dtype if dtype is None else dtype)


def _ones_like(input, dtype=None, name=None, layout=None):
    return ops.ones(list(input._static_shape), input.dtype if dtype is None else dtype)


extend(
    (SparseTensor,),
    ops,
    {
        "bincount": _bincount,
        "cast": _cast,
        "concat": lambda values, axis, name=None: making.concat(axis, values),
        "expand_dims": lambda input, axis, name=None: making.expand_dims(input, axis),
        "is_tensor": lambda x: True,
        "ones_like": _ones_like,
        "rank": lambda input, name=None: convert_to_tensor(input.ndim),
        "reshape": lambda tensor, shape, name=None: making.reshape(tensor, shape),
        "shape": _shape,
        "size": lambda input, out_type="int32", name=None: ops.reduce_prod(
            ops.cast(input.dense_shape, out_type)
        ),
        "zeros_like": _zeros_like,
    },
)


def _install():
    kind: Any = SparseTensor
    kind.__mul__ = lambda self, other: ops.multiply(self, other)
    kind.__rmul__ = lambda self, other: ops.multiply(self, other)
    kind.__truediv__ = lambda self, other: ops.truediv(self, other)
    kind.__matmul__ = lambda self, other: ops.matmul(self, other)
    kind.__rmatmul__ = lambda self, other: ops.matmul(other, self)


_install()
