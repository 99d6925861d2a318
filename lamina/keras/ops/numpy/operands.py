"""Operands of Keras' NumPy functions: conversion, and the dtype that several of them share."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from lamina import ops
from lamina.engine import DType, Tensor, as_dtype, convert_to_tensor
from lamina.engine.composite import Composite, CompositeOperand
from lamina.keras.policy import floatx
from lamina.keras.promotion import result_type
from lamina.ops.sparse.calculating import dense_of
from lamina.ops.sparse.tensor import is_sparse

__all__: list[str] = []


def tensor(x: Any, dtype: Any = None) -> Any:
    """Return a value as a Tensor, cast to `dtype` if one is given; sparse and ragged ones stay."""
    if dtype is None:
        return x if isinstance(x, Tensor | Composite) else convert_to_tensor(x)
    if isinstance(x, int | float) and not isinstance(x, bool) and not as_dtype(dtype).is_bool:
        as_int = as_dtype(dtype).is_integer and isinstance(x, float)
        return ops.cast(x, dtype) if as_int else convert_to_tensor(x, dtype)
    return ops.cast(x, dtype)


def joined(*dtypes: Any) -> DType:
    """Return `result_type` as a DType; the Python types `int` and `float` are weak."""
    return _joined(floatx(), dtypes)


@functools.cache
def _joined(default: str, dtypes: tuple[Any, ...]) -> DType:
    return as_dtype(result_type(*dtypes))


def _kind(x: Any) -> Any:
    return type(x) if type(x) in (int, float) else x.dtype


def shared(*xs: Any, weak: bool = True) -> list[Any]:
    """Return operands as Tensors of one dtype.

    Args:
        *xs: Tensors, arrays, numbers or lists.
        weak: Whether Python's numbers take the width of what they meet.
    """
    typed = _typed(xs)
    dtype = joined(*[_kind(x) if weak else _strong(x) for x in typed])
    return [tensor(x, dtype) for x in typed]


def _typed(xs: Sequence[Any]) -> list[Any]:
    return [x if type(x) in (int, float) or hasattr(x, "dtype") else tensor(x) for x in xs]


def _strong(x: Any) -> Any:
    return as_dtype(x.dtype if hasattr(x, "dtype") else tensor(x).dtype)


def of_rank(who: str, x: Any, least: int) -> Any:
    """Return a value as a Tensor of at least `least` axes.

    Raises:
        ValueError: it has fewer.
    """
    x = tensor(x)
    if x.ndim < least:
        raise ValueError(
            f"{who}: the input must have at least {least} axes; got shape {tuple(x.shape)}.\n"
            "  Fix: add axes with `expand_dims`."
        )
    return x


# ---- rules ---------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """Which dtype a function computes in.

    Attributes:
        convert: The operands as given → Tensors of that dtype.
        returns: What to say of the result's dtype in a docstring.
    """

    convert: Callable[..., list[Any]]
    returns: str


def _each(change: Callable[[DType], Any]) -> Callable[..., list[Any]]:
    """Return a converter by the dtype of a single operand."""

    def convert(x: Any) -> list[Any]:
        x = tensor(x)
        wanted = change(x.dtype)
        return [x if wanted is x.dtype else ops.cast(x, wanted)]

    return convert


def as_float(dtype: DType) -> DType:
    """Return the float (or complex) dtype for one of numbers: floatx for integers and bools."""
    return joined(dtype, float)


def as_wide_float(dtype: DType) -> DType:
    """Return the same, but float64 for int64."""
    return as_dtype("float64") if dtype.name == "int64" else as_float(dtype)


def as_number(dtype: DType) -> DType:
    """Return the dtype, int32 for bool."""
    return as_dtype("int32") if dtype.is_bool else dtype


def as_total(dtype: DType) -> DType:
    """Return the dtype of sums: integers below 32 bits become such of 32, bools int32."""
    if dtype.is_bool:
        return as_dtype("int32")
    if dtype.is_integer and dtype.size < 4:
        return as_dtype("uint32" if dtype.is_unsigned else "int32")
    return dtype


def _pair(change: Callable[[DType], DType], weak: bool) -> Callable[..., list[Any]]:
    """Return a converter to the shared dtype, changed."""

    def convert(*xs: Any) -> list[Any]:
        typed = _typed(xs)
        kinds = [_kind(x) if weak else _strong(x) for x in typed]
        dtype = change(joined(*kinds))
        return [tensor(x, dtype) for x in typed]

    return convert


def _wide_pair(*xs: Any) -> list[Any]:
    kinds = [_strong(x) for x in _typed(xs)]
    found = joined(*kinds)
    dtype = as_wide_float(found) if found.is_integer or found.is_bool else found
    return [tensor(x, dtype) for x in xs]


def _integers(*xs: Any) -> list[Any]:
    """Return operands of one integer dtype.

    Raises:
        TypeError: one is no integer.
    """
    found = _pair(_same, False)(*xs)
    if not found[0].dtype.is_integer:
        got = ", ".join(tensor(x).dtype.name for x in xs)
        raise TypeError(
            f'gcd, lcm: the operands must be integers; got {got}.\n  Fix: cast them to "int32".'
        )
    return found


def _shift(x: Any, y: Any) -> list[Any]:
    dtype = joined(_strong(x), *[_kind(each) for each in _typed([y])])
    return [tensor(x, dtype), tensor(y, dtype)]


def _same(dtype: DType) -> DType:
    return dtype


def _float_only(dtype: DType) -> DType:
    return dtype if dtype.is_complex or dtype.is_floating else as_dtype(floatx())


def _wide_kept(dtype: DType) -> DType:
    return as_wide_float(dtype) if dtype.is_integer else _float_only(dtype)


FLOAT = Rule(_each(as_float), "floats keep their dtype, other numbers give `floatx()`")
KEPT_FLOAT = Rule(_each(_float_only), FLOAT.returns)
WIDE_FLOAT = Rule(_each(as_wide_float), f"{FLOAT.returns}, int64 float64")
WIDE_KEPT = Rule(_each(_wide_kept), WIDE_FLOAT.returns)
SAME = Rule(_each(_same), "the dtype of `x`")
SAME_ABS = Rule(_each(_same), "the dtype of `x`, that of the parts for complex numbers")
PREDICATE = Rule(_each(_float_only), "bool")
NUMBER = Rule(_each(as_number), "the dtype of `x`, int32 for bools")
TO_BOOL = Rule(_each(_same), "bool")
TRUTH = Rule(lambda *xs: [tensor(x, "bool") for x in xs], "bool")
SHARED = Rule(_pair(_same, True), "the dtype that holds both; Python's numbers adapt")
STRONG = Rule(_pair(_same, False), "the dtype that holds both, a Python int counting as int32")
INTEGERS = Rule(_integers, STRONG.returns)
SHIFTED = Rule(_shift, "the dtype that holds both; a Python number `y` adapts")
FLOATS = Rule(_pair(as_float, True), "a float that holds both; `floatx()` for integers")
STRONG_FLOATS = Rule(
    _pair(as_float, False), "a float that holds both, a Python float counting as float32"
)
WIDE_FLOATS = Rule(_wide_pair, "a float that holds both; float64 for int64")
COMPARED = Rule(_pair(_same, True), "bool")
REMAINDER = Rule(_pair(as_number, False), f"{STRONG.returns}; int32 for bools")


def unless_bool(kernel: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a kernel that leaves bools as they are."""
    return lambda x: x if x.dtype.is_bool else kernel(x)


# ---- functions from a table ----------------------------------------------------------------------

_ARGUMENTS = {
    "x": "Numbers, any shape.",
    "x1": "Numbers.",
    "x2": "Numbers; the shapes broadcast.",
    "y": "Integers; the shapes broadcast.",
}
_DOC = """{summary}

Args:
{arguments}

Returns:
    {shape}; {returns}.

Example:
    >>> tf.keras.ops.numpy.{name}({given}).numpy()
    {shown}
"""


def _made_dense(error: CompositeOperand, *xs: Any) -> list[Any]:
    """Return operands with 0 where sparse ones have nothing: the result has no places to skip.

    Raises:
        CompositeOperand: none is sparse; the error.
    """
    if not any(is_sparse(x) for x in xs):
        raise error
    return [dense_of(x) if is_sparse(x) else x for x in xs]


def _with_parameters(
    kernel: Callable[..., Any], convert: Callable[..., list[Any]], parameters: list[str]
) -> Any:
    """Return the kernel after the conversion, as a function with these parameters."""

    def of_one(x: Any) -> Any:
        try:
            return kernel(*convert(x))
        except CompositeOperand as error:
            return kernel(*convert(*_made_dense(error, x)))

    def of_two(x1: Any, x2: Any) -> Any:
        try:
            return kernel(*convert(x1, x2))
        except CompositeOperand as error:
            return kernel(*convert(*_made_dense(error, x1, x2)))

    def of_bits(x: Any, y: Any) -> Any:
        return kernel(*convert(x, y))

    return {("x",): of_one, ("x1", "x2"): of_two, ("x", "y"): of_bits}[tuple(parameters)]


def elementwise(
    names: str,
    kernel: Callable[..., Any],
    rule: Rule,
    summary: str,
    given: str,
    shown: str,
    module: str,
    **about: str,
) -> Callable[..., Any]:
    """Return a public function that converts its operands by a rule and applies a kernel.

    Args:
        names: The function's name, then those of its one or two parameters.
        kernel: The operation.
        rule: The dtype it computes in.
        summary: The docstring's first line.
        given: The arguments of the example.
        shown: What the example shows.
        module: The name of the module the function is for.
        **about: What the docstring says of a parameter, where it is not the usual.
    """
    name, *parameters = names.split()
    function = _with_parameters(kernel, rule.convert, parameters)
    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    lines = [f"    {p}: {about.get(p, _ARGUMENTS[p])}" for p in parameters]
    function.__doc__ = _DOC.format(
        summary=summary,
        arguments="\n".join(lines),
        shape="Shape of `x`" if len(parameters) == 1 else "The broadcast shape",
        returns=rule.returns,
        name=name,
        given=given,
        shown=shown.replace("\n", "\n    "),
    )
    return function


def sequence(xs: Any, *, rows: bool = False) -> list[Any]:
    """Return a list of values as Tensors of one dtype.

    Args:
        xs: The values.
        rows: Whether an array stands for its rows; else it counts as one of them.
    """
    if not isinstance(xs, list | tuple):
        xs = ops.unstack(tensor(xs)) if rows else [xs]
    return shared(*xs) if any(type(x) in (int, float) for x in xs) else shared(*xs, weak=False)
