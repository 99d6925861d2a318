# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""ConcreteFunction: a `tf.function` traced for one input signature, and how it is called."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import dtypes, errors, nest
from lamina.engine.arguments import (
    Keywords,
    argument_key,
    as_results,
    by_flat_names,
    with_tensors,
)
from lamina.engine.assertions import checked
from lamina.engine.closure import Closed, call_trace, replace_nones
from lamina.engine.context import local
from lamina.engine.dispatch import convert_to_tensor
from lamina.engine.pending import SMALL
from lamina.engine.program import Program, shared_program
from lamina.engine.signature import signatures
from lamina.engine.spec import TensorSpec
from lamina.engine.tensor import Tensor
from lamina.engine.typespec import TypeSpec

__all__ = ["ConcreteFunction", "Described", "EagerConcreteFunction", "Given", "descriptions"]


# What gives the attributes that describe a function: inputs, graph, ...; lamina.runtime puts it
# here.
descriptions: list[Callable[[Any, str], Any]] = []


class Described:
    """The attributes by which TensorFlow describes a concrete function, made when asked for."""

    name: str

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not descriptions:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return descriptions[-1](self, name)

    def __repr__(self) -> str:
        return f"<ConcreteFunction {self.function_type!r} at 0x{id(self):X}>"

    def __str__(self) -> str:
        return f"ConcreteFunction {self.function_type}"


class Given:
    """What a function was traced for: its parameters, and what each of them stands for.

    Attributes:
        function: The Python function.
        positional: Its arguments, TensorSpecs in place of Tensors.
        keywords: Those that go by keyword only.
        owner: The `tf.function`, which is called for sizes that were not known.
    """

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any], owner: Callable[..., Any]
    ) -> None:
        self.owner = owner
        found = [nest.map_structure(_held, _specs(a)) for a in args]
        last = bool(args) and isinstance(args[-1], Keywords)
        self.function = function
        self.keywords: dict[str, Any] = dict(found.pop()) if last else {}
        self.positional: list[Any] = found

    def named(self) -> dict[str, tuple[str, Any]]:
        """Return kind and value of each parameter by its name: `args` gives args_0, args_1."""
        found: dict[str, tuple[str, Any]] = {}
        values = iter([nest.map_structure(_taken, v) for v in self.positional])
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        packed = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        for p in parameters:
            if p.kind is p.VAR_POSITIONAL:
                for i, value in enumerate(values):
                    found[f"{p.name}_{i}"] = "POSITIONAL_ONLY", value
            elif p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
                for value in values:
                    kind = "POSITIONAL_ONLY" if packed else p.kind.name
                    found[p.name] = kind, value
                    break
        for i, value in enumerate(values):
            found[f"arg_{i}"] = "POSITIONAL_ONLY", value
        for name, value in self.keywords.items():
            found[name] = "KEYWORD_ONLY", nest.map_structure(_taken, value)
        return found

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any], name: str) -> list[Any]:
        """Return the arguments of a call in the order of `named`; what was Python's is checked.

        Raises:
            TypeError: an argument is missing, unknown, or another Python value than traced.
        """
        named = self.named()
        found: dict[str, Any] = dict(zip(named, args, strict=False))
        why = f"too many positional arguments, {len(args)}" if len(args) > len(named) else ""
        # A Tensor may also go by the name of the TensorSpec that the function was traced for.
        of_specs = {v.name: k for k, (_, v) in named.items() if isinstance(v, TensorSpec)}
        for key, value in kwargs.items():
            key = key if key in named else of_specs.get(key, key)
            if key not in named or key in found:
                why = why or f"an unexpected keyword argument {key!r}"
            found[key] = value
        missing = [k for k, (_, v) in named.items() if k not in found and _has_spec(v)]
        if missing:
            why = why or f"a missing argument {missing[0]!r}"
        if why or (not kwargs and len(found) < len(named)):
            flat = by_flat_names({k: v for k, (_, v) in named.items()}, args, kwargs)
            if flat is None and why:
                raise self._unbound(name, why)
            found = found if flat is None else flat
        for key, (_, value) in named.items():
            if key not in found:
                found[key] = value
            elif not _has_spec(value) and not _same(found[key], value):
                raise self._unbound(name, f"{key}={found[key]!r} where {value!r} was traced")
        return [found[key] for key in named]

    def _unbound(self, name: str, why: str) -> TypeError:
        shown = ", ".join(f"{key}: {value!r}" for key, (_, value) in self.named().items())
        return TypeError(
            f'ConcreteFunction "{name}": the call must fit the signature ({shown}); got {why}.\n'
            f"  Fix: call the tf.function itself, which traces anew."
        )


def _specs(value: Any) -> Any:
    """Return an argument with TensorSpecs for its Tensors."""
    tensors: list[Tensor] = []
    argument_key(value, tensors)
    specs = [TensorSpec(t.shape, t.dtype, t.__dict__.get("_name")) for t in tensors]
    return with_tensors(value, iter(specs)) if tensors else value


class _Weakly:
    """An object that the function was called with, kept no longer than others keep it."""

    def __init__(self, value: Any) -> None:
        self.ref = weakref.ref(value)


_STRONG = (TensorSpec, TypeSpec, str, bytes, int, float, complex, type(None), type)


def _held(value: Any) -> Any:
    if isinstance(value, _STRONG):
        return value
    try:
        return _Weakly(value)
    except TypeError:
        return value


def _taken(value: Any) -> Any:
    return value.ref() if isinstance(value, _Weakly) else value


def _has_spec(value: Any) -> bool:
    return any(isinstance(v, TypeSpec) for v in nest.flatten(value))


def _is_composite(spec: Any) -> bool:
    return isinstance(spec, TypeSpec) and not isinstance(spec, TensorSpec)


def _same(given: Any, traced: Any) -> bool:
    if given is traced:
        return True
    try:
        return bool(given == traced)
    except (TypeError, ValueError):
        return False


class ConcreteFunction(Described):
    """A `tf.function` traced for one input signature.

    Attributes:
        name: The Python function's name.
        structured_outputs: What the function returns, TensorSpecs in place of Tensors.
        trace: The program, an `engine.Trace`.
        given: What it was traced for; None for what fit and the like make.
    """

    def __init__(self, name: str, closed: Closed, structure: Any) -> None:
        self.name = name
        self.given: Given | None = None
        self._closed = closed
        self._structure = structure
        self.structured_outputs = nest.map_structure(
            lambda t: None if t is None else TensorSpec.from_tensor(t), structure
        )
        self._single = isinstance(structure, Tensor)
        self._names = _flat_names(structure)
        self._program: Callable[[list[Any]], list[Any]] | None = None
        self._variables = [
            (i, v)
            for i, v in enumerate(closed.outer, closed.arguments)
            if not isinstance(v, Tensor)
        ]
        self._places = {v: i for i, v in self._variables}
        self._donated = [
            (self._places[v], v)
            for v in closed.written
            if v in self._places
            and (v.shape.num_elements() or 0) >= SMALL
            and not closed.trace.calls_host
            and not closed.trace.asserts
        ]
        self._captures = [
            (i, t) for i, t in enumerate(closed.outer, closed.arguments) if isinstance(t, Tensor)
        ]
        # Captured Tensors of an outer trace hold for this call only; those of eager code stay.
        self._has_outer = any(t._value is None and not t._trace.eager for _, t in self._captures)

    @property
    def trace(self) -> Any:
        """The program."""
        return self._closed.trace

    @property
    def has_strings(self) -> bool:
        """Whether a string is among the values of the program, which then cannot be compiled."""
        trace = self._closed.trace
        kinds = list(trace.inputs)
        for equation in trace.equations:
            kinds.extend(signatures[equation[0]].outputs)
        return any(kind.dtype is dtypes.string for kind in kinds)

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables that the program reads or assigns."""
        return tuple(dict.fromkeys([v for _, v in self._variables] + self._closed.written))

    @property
    def captured_inputs(self) -> list[Any]:
        """The Tensors and Variables from outside that the program uses."""
        return list(self._closed.outer)

    def likeness(self) -> Any:
        """Return what decides the compiled program: equal for functions that can share one."""
        numbers = [
            (i, t._value.tobytes() if isinstance(t._value, np.generic) else None)
            for i, t in self._captures
        ]
        return self.trace, tuple(numbers), tuple(i for i, _ in self._donated)

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Run on the argument Tensors, and return what the function returns."""
        closed = self._closed
        here = local
        if here.trace.eager and not here.tapes:
            outputs = self._run_now(tensors)
        else:
            operands = [*tensors, *closed.operands(here.trace)]
            outputs = call_trace(closed.trace, operands)
            for variable, value in zip(closed.written, outputs[closed.outputs :], strict=True):
                here.trace.write(variable, value)
        if self._single:
            return outputs[0]
        if self._names is not None:
            return {name: outputs[i] for name, i in self._names}
        return replace_nones(self._structure, outputs[: closed.outputs])

    def _run_now(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        closed = self._closed
        inputs: list[Any] = [
            t._used() if type(t._value) is np.ndarray else t._jax() for t in tensors
        ]
        inputs.extend([None] * len(closed.outer))
        for i, t in self._captures:
            inputs[i] = t._used() if type(t._value) is np.ndarray else t._jax()
        for i, v in self._variables:
            handle = v._tensor
            value = handle._value
            inputs[i] = handle._jax() if value is None else value
        self._copy_held(inputs)
        program = self._program
        if program is None:
            program = self._program = self._compile(inputs)
        values = program(inputs)
        count = closed.outputs
        types = closed.trace.types
        written = zip(closed.written, types[count:], values[count:], strict=True)
        for variable, kind, value in written:
            variable._tensor = Tensor(kind, None, 0, value)
        return [Tensor(k, None, 0, v) for k, v in zip(types[:count], values, strict=False)]

    def _copy_held(self, inputs: list[Any]) -> None:
        """Copy the donated inputs that somebody else holds, so that theirs stays valid."""
        count = sys.getrefcount
        for i, variable in self._donated:
            # `handle`, the variable, getrefcount's argument; the handle, `inputs`, the argument.
            handle = variable._tensor
            if count(handle) > 3 or count(inputs[i]) > 3:
                inputs[i] = inputs[i].copy()

    def _compile(self, inputs: list[Any]) -> Callable[[list[Any]], list[Any]]:
        trace = self._closed.trace
        # Numbers written in the function never change.
        fixed = {i: inputs[i] for i, _ in self._captures if isinstance(inputs[i], np.generic)}
        scalars = [v.dtype if isinstance(v, np.generic) else None for v in inputs]
        donated = [i for i, _ in self._donated]

        def made() -> Program:
            return Program(trace.equations, trace.outputs, scalars, donated, fixed)

        program = shared_program((self.likeness(), tuple(scalars)), made)
        return checked(program) if trace.asserts else program

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments as the function was traced for; its Python values may be left out.

        Raises:
            TypeError: the arguments do not fit the signature.
            InvalidArgumentError: a Tensor has another dtype or shape.
        """
        given = self.given
        if given is not None and (kwargs or not all(map(_is_tensor, args))):
            args = tuple(given.bind(args, kwargs, self.name))
        tensors: list[Tensor] = []
        for a in args if given is not None else (*args, *kwargs.values()):
            argument_key(a, tensors)
        tensors = self._fitting(args, tensors)
        kinds = self._closed.trace.inputs
        if given is not None and any(
            t._type is not k for t, k in zip(tensors, kinds, strict=False)
        ):
            # Sizes that were not known are now: the function is traced for them.
            values = given.bind(args, {}, self.name)
            count = len(given.positional)
            keywords = dict(zip(given.keywords, values[count:], strict=True))
            return given.owner(*values[:count], **keywords)
        return self.run(tensors)

    def _fitting(self, args: Sequence[Any], tensors: list[Tensor]) -> list[Tensor]:
        """Return the Tensors of a call, once they are as traced."""
        wanted = self._closed.trace.inputs[: self._closed.arguments]
        if len(tensors) != len(wanted) and self.given is not None:
            # Python numbers stand for Tensors.
            tensors = []
            specs = [v for _, v in self.given.named().values()]
            for value, spec in zip(self.given.bind(args, {}, self.name), specs, strict=True):
                argument_key(_converted(value, spec), tensors)
        if len(tensors) != len(wanted):
            raise TypeError(
                f'ConcreteFunction "{self.name}": expected {len(wanted)} Tensors '
                f"{list(wanted)}; got {len(tensors)}."
            )
        for t, kind in zip(tensors, wanted, strict=True):
            if t._type is not kind and not _fits(t, kind):
                raise errors.InvalidArgumentError(
                    f'ConcreteFunction "{self.name}": expected a Tensor of type {kind}; got '
                    f"{t._type}.\n  Fix: call the tf.function itself, which traces anew."
                )
        return tensors


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def _fits(tensor: Tensor, kind: Any) -> bool:
    """Return whether a Tensor fits a type of unknown sizes."""
    return tensor.dtype is kind.dtype and kind.shape.is_compatible_with(tensor.shape)


def _converted(value: Any, spec: Any) -> Any:
    if isinstance(spec, TensorSpec):
        return value if isinstance(value, Tensor) else convert_to_tensor(value, spec.dtype)
    return value


def _flat_names(structure: Any) -> list[tuple[Any, int]] | None:
    """Return (key, place among the outputs) of a flat dict of Tensors, such as logs; else None."""
    if type(structure) is not dict or not all(isinstance(v, Tensor) for v in structure.values()):
        return None
    places = {name: i for i, name in enumerate(nest.flatten({k: k for k in structure}))}
    return [(name, places[name]) for name in structure]


class EagerConcreteFunction(Described):
    """A `tf.function` that runs eagerly, for one input signature: it works on strings, say.

    Attributes:
        name: The Python function's name.
        given: What it is for.
        because: Why there is no program.
    """

    def __init__(self, name: str, given: Given, because: str) -> None:
        self.name = name
        self.given = given
        self.because = because

    @property
    def trace(self) -> Any:
        """The program: there is none.

        Raises:
            TracedValueError: always.
        """
        raise errors.TracedValueError(
            f'tf.function "{self.name}": it has no program, because it runs eagerly.\n'
            f"  Reason: {self.because}"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of the signature; its Python values may be left out.

        Raises:
            TypeError: the arguments do not fit the signature.
            InvalidArgumentError: a Tensor has another dtype or shape.
        """
        given = self.given
        values = given.bind(args, kwargs, self.name)
        specs = [v for _, v in given.named().values()]
        found = [
            nest.map_structure(self._checked, spec, value)
            if _has_spec(spec) and not _is_composite(spec)
            else value
            for spec, value in zip(specs, values, strict=True)
        ]
        count = len(given.positional)
        return as_results(
            given.function(*found[:count], **dict(zip(given.keywords, found[count:], strict=True)))
        )

    def _checked(self, spec: Any, value: Any) -> Any:
        if not isinstance(spec, TensorSpec):
            return value
        tensor = value if isinstance(value, Tensor) else convert_to_tensor(value)
        if not spec.is_compatible_with(tensor):
            raise errors.InvalidArgumentError(
                f'ConcreteFunction "{self.name}": expected a Tensor of {spec!r}; got '
                f"{tensor._type}.\n  Fix: call the tf.function itself."
            )
        return tensor
