"""Python's operators on Tensor and Variable, installed from one table when this is imported."""

import functools

import numpy as np

from lamina.engine import Tensor, Variable, convert_to_tensor, dtypes, errors
from lamina.ops import comparison, division, linalg, math
from lamina.ops.indexing import gather_nd, scatter_into
from lamina.ops.rows import IndexedSlices
from lamina.ops.selection import boolean_mask
from lamina.ops.slicing import parse_key, read_part, updated

__all__ = []


def _by_dtype(logical, other):
    """Return a function that is `logical` for bools and `other` for numbers."""

    def choose(x, *y):
        return (logical if x.dtype is dtypes.bool_ else other)(x, *y)

    return choose


_BINARY = {
    "add": math.add,
    "sub": math.subtract,
    "mul": _by_dtype(comparison.logical_and, math.multiply),
    "truediv": division.truediv,
    "floordiv": division.floordiv,
    "mod": division.floormod,
    "pow": math.pow,
    "matmul": linalg.matmul,
    "and": _by_dtype(comparison.logical_and, comparison.bitwise_and),
    "or": _by_dtype(comparison.logical_or, comparison.bitwise_or),
    "xor": _by_dtype(comparison.logical_xor, comparison.bitwise_xor),
}
_COMPARISON = {
    "lt": comparison.less,
    "le": comparison.less_equal,
    "gt": comparison.greater,
    "ge": comparison.greater_equal,
}
_UNARY = {
    "neg": math.negative,
    "abs": math.abs,
    "invert": _by_dtype(comparison.logical_not, comparison.invert),
}
_IN_PLACE = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
}


def _defers(other, name):
    """Return whether `other` is of a foreign class that brings the reflected operator."""
    if isinstance(other, Tensor | Variable | np.ndarray | np.generic):
        return False
    return type(other).__module__ != "builtins" and hasattr(type(other), name)


def _forward(fn, name):
    """Return the operator with a Tensor on its left; the other operand takes its dtype."""

    def method(self, other):
        self = convert_to_tensor(self)  # a variable has the dtype that it is read in
        if not isinstance(other, Tensor | Variable):
            try:
                other = convert_to_tensor(other, self.dtype)
            except (TypeError, ValueError) as error:
                if _defers(other, f"__r{name}__"):
                    return NotImplemented
                if name == "add" and isinstance(error, TypeError):  # as in TF, for `+` alone
                    raise errors.InvalidArgumentError(str(error)) from None
                raise
        return fn(self, other)

    return method


def _power(self, other):
    self = convert_to_tensor(self)
    # A whole Python number is an attribute of the operation: it is computed by products.
    whole = type(other) is int or (type(other) is float and self.dtype.is_floating)
    return math.pow(self, other) if whole else _forward(math.pow, "pow")(self, other)


def _reflected(fn):
    def method(self, other):
        self = convert_to_tensor(self)
        return fn(convert_to_tensor(other, self.dtype), self)

    return method


def _unary(fn):
    return lambda self: fn(self)


def _equality(fn, answer):
    """Return `==` or `!=`; shapes that do not broadcast give `answer`, as in TF."""

    def method(self, other):
        if other is None:
            return answer
        self = convert_to_tensor(self)
        if not isinstance(other, Tensor | Variable):
            other = convert_to_tensor(other, self.dtype)
        try:
            return fn(self, other)
        except (errors.InvalidArgumentError, ValueError):
            if convert_to_tensor(other).dtype is not self.dtype:
                raise
            return convert_to_tensor(answer)

    return method


def _hash(self):
    raise TypeError(
        f"Tensor is unhashable. Instead, use tensor.ref() as the key. Got shape {self.shape}, "
        f"dtype {self.dtype.name}."
    )


def _in_place(symbol):
    def method(self, other):
        raise RuntimeError(
            f'Variable "{self.name}": `variable {symbol}= value` is not supported: it would '
            "replace the variable by a Tensor.\n"
            f"  Fix: variable.assign(variable {symbol} value), or out = variable {symbol} value."
        )

    return method


def _is_mask(key):
    return isinstance(key, Tensor | Variable | np.ndarray) and key.dtype == bool and key.ndim > 0


def _get(self, key):
    return boolean_mask(self, key) if _is_mask(key) else read_part(self, key)


def _set(self, key, value):
    raise TypeError(
        f"'Tensor' object does not support item assignment; got key {key!r} for shape "
        f"{self.shape}.\n  Fix: tf.tensor_scatter_nd_update(x, indices, updates) returns a "
        "changed copy; a tf.Variable has v[key].assign(value)."
    )


def _get_assignable(self, key):
    """Return `variable[key]`, a Tensor with a method `assign` that changes the variable."""
    part = _get(convert_to_tensor(self), key)
    part.assign = functools.partial(_assign, self, key)
    return part


def _assign(variable, key, value, name=None):
    """Change the part of a variable that a key names, and return the variable."""
    value, now = convert_to_tensor(value, variable.dtype), convert_to_tensor(variable)
    if _is_mask(key):
        places = np.argwhere(np.asarray(key)).astype(np.int32)
        return variable.assign(scatter_into(now, places, value, "set"))
    spec, operands = parse_key(now._type.dims, key)
    return variable.assign(updated(now, value, *operands, spec=spec))


# --- scatter methods of Variable ------------------------------------------------------------------


def _scatter_rows(how):
    def method(self, sparse_delta, use_locking=False, name=None):
        if not isinstance(sparse_delta, IndexedSlices):
            raise TypeError(
                f"Variable.scatter_{how}: `sparse_delta` must be a tf.IndexedSlices; got "
                f"{type(sparse_delta).__name__}.\n  Fix: tf.IndexedSlices(values, indices)."
            )
        places = convert_to_tensor(sparse_delta.indices)
        return self.assign(scatter_into(self, places[..., None], sparse_delta.values, how))

    return method


def _scatter_places(how):
    def method(self, indices, updates, name=None):
        return self.assign(scatter_into(self, indices, updates, how))

    return method


def _gather_nd(self, indices, name=None):
    return gather_nd(self, indices)


_SCATTERS = {
    "update": "set",
    "add": "add",
    "sub": "sub",
    "max": "max",
    "min": "min",
    "mul": "multiply",
    "div": "divide",
}


# --- installation ---------------------------------------------------------------------------------


def _shared_methods():
    """Return the operators that Tensor and Variable have in common, by name."""
    methods = {f"__{name}__": _forward(fn, name) for name, fn in (_BINARY | _COMPARISON).items()}
    methods |= {f"__r{name}__": _reflected(fn) for name, fn in _BINARY.items()}
    methods |= {f"__{name}__": _unary(fn) for name, fn in _UNARY.items()}
    methods["__pow__"] = _power
    methods["__eq__"] = _equality(comparison.equal, False)
    methods["__ne__"] = _equality(comparison.not_equal, True)
    return methods


def _install():
    for name, method in _shared_methods().items():
        method.__name__ = name
        setattr(Tensor, name, method)
        setattr(Variable, name, method)
    Tensor.__hash__ = _hash
    Tensor.__getitem__ = _get
    Tensor.__setitem__ = _set  # pyright: ignore[reportAttributeAccessIssue]  # it raises
    Variable.__getitem__ = _get_assignable
    for name, symbol in _IN_PLACE.items():
        setattr(Variable, f"__i{name}__", _in_place(symbol))
    for name, how in _SCATTERS.items():
        setattr(Variable, f"scatter_{name}", _scatter_rows(how))
        if how not in ("multiply", "divide"):
            setattr(Variable, f"scatter_nd_{name}", _scatter_places(how))
    Variable.gather_nd = _gather_nd


_install()
