# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""Signatures: (op, attributes, input types) -> output types, interned under small integers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax import core, export

from lamina.engine import errors
from lamina.engine.compiling import jitted
from lamina.engine.dtypes import DType, as_dtype
from lamina.engine.shapes import TensorShape

__all__ = ["Signature", "TensorType", "is_symbolic", "signatures", "symbolic_dim", "type_of"]

Dim = Any  # int, or a jax.export symbolic dimension
_scope = export.SymbolicScope()


class TensorType:
    """A shape and a dtype, one object for each pair, so that `is` compares.

    Attributes:
        dims: The shape; each entry an int, or a symbolic dimension where TF has None.
        dtype: The element type.
        shape: The shape as users see it, None for symbolic dimensions.
        id: A small integer that stands for the type in structural keys.
        size: The number of elements, 0 if it is unknown.
        differentiable: Whether gradients exist with respect to values of this type.
    """

    __slots__ = ("differentiable", "dims", "dtype", "id", "shape", "size")

    def __init__(self, dims: tuple[Dim, ...], dtype: DType, number: int) -> None:
        self.dims = dims
        self.dtype = dtype
        self.shape = TensorShape([d if isinstance(d, int) else None for d in dims])
        self.id = number
        self.size = self.shape.num_elements() or 0
        self.differentiable = dtype.is_floating or dtype.is_complex

    def struct(self) -> jax.ShapeDtypeStruct:
        """Return the type as `jax.eval_shape` wants it."""
        return jax.ShapeDtypeStruct(self.dims, self.dtype.np)

    def __repr__(self) -> str:
        return f"{self.dtype.name}{tuple(self.shape)}"


_types: dict[tuple[tuple[Dim, ...], DType], TensorType] = {}


def type_of(dims: tuple[Dim, ...], dtype: DType) -> TensorType:
    """Return the one TensorType of this shape and dtype."""
    found = _types.get((dims, dtype))
    if found is None:
        found = _types.setdefault((dims, dtype), TensorType(dims, dtype, len(_types)))
    return found


_symbols: dict[str, Dim] = {}


def symbolic_dim(axis: int | str) -> Dim:
    """Return the symbol for an unknown size: "b" for axis 0, "d1" for axis 1, and so on.

    The same axis of two inputs gets the same symbol: sizes that are unknown together are taken
    to agree, as TF does when it merges None with None.
    """
    name = axis if isinstance(axis, str) else "b" if axis == 0 else f"d{axis}"
    found = _symbols.get(name)
    if found is None:
        found = _symbols[name] = export.symbolic_shape(name, scope=_scope)[0]
    return found


def is_symbolic(dims: Sequence[Dim]) -> bool:
    """Return whether a shape has an unknown size in it."""
    return any(not isinstance(d, int) for d in dims)


class Signature:
    """One op with its attributes, at given input types.

    Attributes:
        id: The number that stands for the signature in equations.
        name: The op's name.
        fn: A function of jax arrays, one for each input; returns a list of jax arrays.
        inputs: The types of the inputs, None operands left out.
        outputs: The types of the outputs.
        container: `tuple` or `list` if the op returns one, None if it returns one value.
        differentiable: Whether a tape looks for gradients through it.
        calls_host: Whether running it may call Python, and so fail half way.
        asserts: Whether an assertion is in it, which may stop it.
        weight: How many equations the programs inside it have (of loops, branches, calls); at
            least 1 where running it calls Python.
        unregistered: TF's name of an op that has no gradient there, so that asking is an error.
        move: A NumPy function that does the same, of an op that only moves values of few elements:
            quicker than to compile a kernel that runs once; else None.
        origin: Of what reads or makes strings, to save it by name: (reference to the operation, its
            attributes, which operands are not None); else None.
        forward: For a vjp: (signature, needed inputs, outputs that have a cotangent); else None.
    """

    __slots__ = (
        "_kernel",
        "_vjps",
        "asserts",
        "calls_host",
        "container",
        "differentiable",
        "fn",
        "forward",
        "id",
        "inputs",
        "move",
        "name",
        "needs",
        "origin",
        "outputs",
        "unregistered",
        "weight",
    )

    def __init__(
        self,
        name: str,
        fn: Callable[..., list[Any]],
        inputs: tuple[TensorType, ...],
        outputs: tuple[TensorType, ...],
        container: type | None,
        differentiable: bool,
    ) -> None:
        self.name = name
        self.fn = fn
        self.inputs = inputs
        self.outputs = outputs
        self.container = container
        self.differentiable = differentiable and any(t.differentiable for t in outputs)
        self.needs = tuple(i for i, t in enumerate(inputs) if t.differentiable)
        self.forward: tuple[Signature, tuple[int, ...], tuple[int, ...]] | None = None
        self._vjps: dict[tuple[tuple[int, ...], tuple[int, ...]], Signature] = {}
        self.calls_host = False
        self.asserts = False  # nor does a vjp: what it runs again did not fail
        self.weight = 0
        self.unregistered: str | None = None
        self.move: Callable[..., Any] | None = None
        self.origin: tuple[Callable[[], Any], dict[str, Any], tuple[bool, ...]] | None = None
        self._kernel: Callable[..., list[Any]] | None = None
        self.id = len(signatures)
        signatures.append(self)

    @property
    def has_kernel(self) -> bool:
        """Whether the signature was compiled for itself."""
        return self._kernel is not None

    @property
    def runs_at_once(self) -> bool:
        """Whether it runs alone with nothing to compile."""
        return self._kernel is not None or self.move is not None

    @property
    def ignores_inputs(self) -> bool:
        """Whether the outputs follow from the types of the inputs alone, as those of zeros_like."""
        if self.calls_host or any(is_symbolic(t.dims) for t in self.inputs):
            return False
        with jax.enable_x64(True):
            program = jax.make_jaxpr(self.fn)(*[t.struct() for t in self.inputs]).jaxpr
        used = [v for e in program.eqns for v in e.invars] + list(program.outvars)
        return not any(v is given for v in used for given in program.invars)

    def run(self, args: Sequence[Any]) -> list[Any]:
        """Run it alone on arrays; call it with x64 enabled."""
        if self._kernel is not None or self.move is None:
            return self.kernel()(*args)
        found = self.move(*map(np.asarray, args))
        (kind,) = self.outputs
        if np.shape(found) != kind.dims:
            return self.kernel()(*args)
        return [jax.device_put(np.array(found, kind.dtype.np))]  # a copy: no view of an input

    def kernel(self) -> Callable[..., list[Any]]:
        """Return the signature compiled for itself; call it with x64 enabled."""
        if self._kernel is None:
            self._kernel = jitted(self.fn)
        return self._kernel

    def vjp(self, needed: tuple[int, ...], given: tuple[int, ...]) -> Signature:
        """Return the signature of the vector-Jacobian product.

        Args:
            needed: The inputs whose gradients are wanted.
            given: The outputs that have a cotangent; the others count as zero.

        Returns:
            The signature with inputs `(*inputs, *cotangents)`, and one output for each needed
            input.
        """
        found = self._vjps.get((needed, given))
        if found is None:
            found = self._vjps[(needed, given)] = self._make_vjp(needed, given)
        return found

    def _make_vjp(self, needed: tuple[int, ...], given: tuple[int, ...]) -> Signature:
        if self.unregistered is not None:
            raise LookupError(
                f"gradient registry has no entry for: {self.unregistered}\n"
                f"  Fix: compute it outside of the tape, or write it with differentiable ops."
            )
        count = len(self.inputs)

        def vjp_fn(*values: Any) -> list[Any]:
            _, pull = self.linearize(values[:count], needed)
            return pull(given, values[count:])

        made = Signature(
            f"{self.name}_vjp",
            vjp_fn,
            self.inputs + tuple(self.outputs[i] for i in given),
            tuple(self.inputs[i] for i in needed),
            list,
            True,
        )
        made.forward = (self, needed, given)
        made.calls_host = self.calls_host
        made.weight = 2 * self.weight
        return made

    def linearize(self, values: Sequence[Any], needed: tuple[int, ...]) -> tuple[list[Any], Any]:
        """Run the op once, and return its outputs with the function that pulls cotangents back.

        The pull function takes (indices of the outputs with a cotangent, the cotangents).
        """

        def of_needed(*some: Any) -> list[Any]:
            full = list(values)
            for i, value in zip(needed, some, strict=True):
                full[i] = value
            return self.fn(*full)

        outputs, pull_all = jax.vjp(of_needed, *[values[i] for i in needed])

        def pull(given: tuple[int, ...], cotangents: Sequence[Any]) -> list[Any]:
            have = dict(zip(given, map(_conjugate, cotangents), strict=True))
            full = [have[i] if i in have else _zero_cotangent(o) for i, o in enumerate(outputs)]
            try:
                return [_conjugate(g) for g in pull_all(full)]
            except ValueError as error:
                if "Reverse-mode differentiation" in str(error):
                    raise errors.InvalidArgumentError(_MSG_UNBOUNDED) from None
                raise

        return outputs, pull

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.inputs))})"


signatures: list[Signature] = []

_MSG_UNBOUNDED = (
    "tf.while_loop: a second derivative through a loop in tf.function needs a bound on its steps; "
    "got maximum_iterations=None.\n  Fix: tf.while_loop(cond, body, loop_vars, "
    "maximum_iterations=n), or take @tf.function off."
)


def _conjugate(value: Any) -> Any:
    """TF's gradient of a real function of z = x + iy is dx + i dy; JAX's has the other sign."""
    return jax.numpy.conj(value) if jax.numpy.iscomplexobj(value) else value


def _zero_cotangent(output: Any) -> Any:
    if np.issubdtype(output.dtype, np.inexact) or as_dtype(output.dtype).is_floating:
        return jax.numpy.zeros(output.shape, output.dtype)
    return np.zeros(output.shape, jax.dtypes.float0)


def infer(
    name: str, body: Callable[..., Any], inputs: Sequence[TensorType]
) -> tuple[tuple[TensorType, ...], type | None]:
    """Return the output types of `body` on `inputs`, without running it.

    Raises:
        InvalidArgumentError: the op does not take these shapes or dtypes.
    """
    try:
        out = _eval_shape(body, [t.struct() for t in inputs])
    except Exception as error:
        if any(is_symbolic(t.dims) for t in inputs):
            return _infer_by_sizes(name, body, inputs, error)
        raise _explained(name, inputs, error) from None
    return _types_of(out)


def _explained(name: str, inputs: Sequence[TensorType], error: Exception) -> Exception:
    """Return what to raise for an error of an op's body: its own, or one that says the shapes."""
    if not isinstance(error, errors.OpError | ValueError | IndexError | NotImplementedError):
        return _op_error(name, inputs, error)
    if type(error) in (errors.InvalidArgumentError, ValueError, IndexError):
        return errors.ArgumentError(str(error))
    if notes := getattr(error, "__notes__", None):  # JAX's advice on its own traceback
        notes[:] = [note for note in notes if "JAX_TRACEBACK_FILTERING" not in note]
    return error


def _eval_shape(body: Callable[..., Any], structs: Sequence[jax.ShapeDtypeStruct]) -> Any:
    with jax.enable_x64(True):
        return jax.eval_shape(body, *structs)


def _types_of(out: Any) -> tuple[tuple[TensorType, ...], type | None]:
    container = type(out) if isinstance(out, list | tuple) else None
    values: Any = out if container is not None else [out]
    return tuple(type_of(tuple(o.shape), as_dtype(o.dtype)) for o in values), container


def _op_error(name: str, inputs: Sequence[TensorType], error: Exception) -> Exception:
    shapes = ", ".join(map(repr, inputs))
    reason = str(error).strip().split("\n")[0]
    return errors.ArgumentError(
        f"tf.{name}: the inputs must fit together; got {shapes}.\n  Reason: {reason}"
    )


# Two sizes for each unknown dimension, far from sizes that models use; all even, so that
# reshapes and strides that divide by small numbers work.
_SIZES = (5040, 10080)


_TRIES = 24  # ways to take unknown sizes as equal to others


def _infer_by_sizes(
    name: str, body: Callable[..., Any], inputs: Sequence[TensorType], cause: Exception
) -> tuple[tuple[TensorType, ...], type | None]:
    """Find the output types when JAX cannot reason about a symbolic dimension.

    The shapes are inferred at sizes of numbers. Where that fails too, unknown sizes are taken to
    be those that they meet in other inputs, as TF merges None with a size.
    """
    waiting, tried = [tuple(inputs)], set[tuple[TensorType, ...]]()
    while waiting and len(tried) < _TRIES:
        types = waiting.pop(0)
        if types in tried:
            continue
        tried.add(types)
        try:
            return _at_sizes(body, types)
        except Exception:
            waiting.extend(_merged(types))
    found = _infer_apart(body, inputs)
    if found is None:
        raise _explained(name, inputs, cause) from None
    return found


def _infer_apart(
    body: Callable[..., Any], inputs: Sequence[TensorType]
) -> tuple[tuple[TensorType, ...], type | None] | None:
    """Infer with the sizes of matrices as unknowns of their own, one of them equal to another.

    Arguments share the symbols of their axes, so that a batch is one batch; the axes of two
    matrices that are multiplied need not be the same sizes at all. None if nothing fits.
    """
    shared: dict[str, Dim] = {}
    apart: list[TensorType] = []
    for i, t in enumerate(inputs):
        dims = list(t.dims)
        for axis in range(max(len(dims) - 2, 0), len(dims)):
            if not isinstance(dims[axis], int):
                shared[f"q{i}_{axis}"] = dims[axis]
                dims[axis] = symbolic_dim(f"q{i}_{axis}")
        apart.append(type_of(tuple(dims), t.dtype))
    for one, other in itertools.combinations(apart, 2):
        for a, b in itertools.product(one.dims[-2:], other.dims[-2:]):
            symbol, size = (a, b) if str(a) in shared else (b, a)
            if str(symbol) not in shared:
                continue
            try:
                found, container = _at_sizes(body, _with_size(apart, str(symbol), size))
            except Exception:  # the next pair may be the one
                continue
            own = tuple(
                type_of(tuple(shared.get(str(d), d) for d in t.dims), t.dtype) for t in found
            )
            return own, container
    return None


def _at_sizes(
    body: Callable[..., Any], inputs: tuple[TensorType, ...]
) -> tuple[tuple[TensorType, ...], type | None]:
    """Infer with every unknown at one size, then once for each unknown at another size.

    An output dimension that moves depends on it.
    """
    try:
        return _types_of(_eval_shape(body, [t.struct() for t in inputs]))
    except Exception:
        names = _names(inputs)
        if not names:
            raise

    def at(sizes: dict[Any, int]) -> tuple[tuple[TensorType, ...], type | None]:
        structs = [
            jax.ShapeDtypeStruct(
                tuple(d if isinstance(d, int) else int(_value(d, sizes)) for d in t.dims),
                t.dtype.np,
            )
            for t in inputs
        ]
        return _types_of(_eval_shape(body, structs))

    base, container = at(dict.fromkeys(names, _SIZES[0]))
    moved = [at({n: _SIZES[n == name_] for n in names})[0] for name_ in names]
    outputs: list[TensorType] = []
    for k, outs in enumerate(zip(base, *moved, strict=True)):  # strict: not if sizes count outputs
        dims: list[Dim] = []
        for axis, size in enumerate(outs[0].dims):
            movers = [n for n, t in zip(names, outs[1:], strict=True) if t.dims[axis] != size]
            dims.append(_dim_for(movers, size, axis, [t.dims[axis] for t in outs[1:]]))
        outputs.append(type_of(tuple(dims), base[k].dtype))
    return tuple(outputs), container


def _names(inputs: Sequence[TensorType]) -> list[str]:
    """Return the names of all symbols in some types."""
    symbols = {d for t in inputs for d in t.dims if not isinstance(d, int)}
    return sorted({n for s in symbols for n in _variables(s)})


def _merged(inputs: tuple[TensorType, ...]) -> list[tuple[TensorType, ...]]:
    """Return the types with unknown sizes taken as what other inputs have at the same axis.

    TF takes None as equal to None and to any size; JAX takes two expressions as different. First
    all unknown sizes at one axis, counted from the last, are made one; then each in turn is a size.
    """
    found: list[tuple[TensorType, ...]] = []
    if (aligned := _aligned(inputs)) is not None:
        found.append(tuple(aligned))
    for count in (lambda axis, rank: axis - rank, lambda axis, _: axis):
        at: dict[int, set[Dim]] = {}
        for t in inputs:
            for axis, dim in enumerate(t.dims):
                at.setdefault(count(axis, len(t.dims)), set()).add(dim)
        for dims in at.values():
            sizes = sorted(d for d in dims if isinstance(d, int) and d > 1)
            for symbol in sorted(str(d) for d in dims if str(d) in _symbols):
                found.extend(_with_size(inputs, symbol, size) for size in sizes)
    return found


def _with_size(inputs: Sequence[TensorType], symbol: str, size: Dim) -> tuple[TensorType, ...]:
    """Return the types with a symbol's size known."""
    sizes = _symbols | {symbol: size}

    def known(dim: Dim) -> Dim:
        return dim if isinstance(dim, int) or not _depends(dim, symbol) else _value(dim, sizes)

    return tuple(type_of(tuple(map(known, t.dims)), t.dtype) for t in inputs)


def _aligned(inputs: Sequence[TensorType]) -> list[TensorType] | None:
    """Return the types with unknown sizes at one axis, counted from the last, taken as equal.

    None if the sizes at each axis are the same already.
    """
    symbols: dict[int, dict[str, Dim]] = {}
    for t in inputs:
        for axis, dim in enumerate(reversed(t.dims)):
            if not isinstance(dim, int):
                symbols.setdefault(axis, {})[str(dim)] = dim
    if all(len(found) == 1 for found in symbols.values()):
        return None
    chosen = {axis: found[min(found, key=len)] for axis, found in symbols.items()}
    return [
        type_of(
            tuple(
                d if isinstance(d, int) else chosen[len(t.dims) - 1 - i]
                for i, d in enumerate(t.dims)
            ),
            t.dtype,
        )
        for t in inputs
    ]


def _dim_for(movers: list[str], size: int, axis: int, sizes: list[int]) -> Dim:
    if not movers:
        return size
    if len(movers) == 1 and size == _SIZES[0] and _SIZES[1] in sizes:
        return symbolic_dim(movers[0])
    return symbolic_dim(f"u{axis}_{'_'.join(movers)}")


def _variables(dim: Dim) -> set[str]:
    """Return the names of the symbols in a dimension such as `2*b + d1`."""
    return {name for name in _symbols if _depends(dim, name)}


def _depends(dim: Dim, name: str) -> bool:
    return re.search(rf"\b{name}\b", str(dim)) is not None


def _value(dim: Dim, sizes: dict[str, Any]) -> Any:
    """Evaluate a symbolic dimension at given sizes, some of which may be symbols again."""
    expression = str(dim)
    scope: dict[str, Any] = {"floordiv": lambda a, b: a // b, "mod": lambda a, b: a % b}
    scope |= {"max": core.max_dim, "min": core.min_dim, **sizes}
    return eval(expression, {"__builtins__": {}}, scope)
