# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""tf.function: one closed trace per input signature; state in, run, state out."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import dtypes, errors, nest
from lamina.engine.arguments import (
    Keywords,
    argument_key,
    described,
    difference,
    has_defaults,
    with_tensors,
)
from lamina.engine.closure import Closed, call_trace, close, replace_nones
from lamina.engine.context import config, local, versions
from lamina.engine.dispatch import convert_to_tensor
from lamina.engine.pending import SMALL, Program
from lamina.engine.places import place_of_caller, place_of_error
from lamina.engine.signature import TensorType, signatures
from lamina.engine.spec import TensorSpec
from lamina.engine.tensor import Tensor
from lamina.engine.variable import creation_hooks

__all__ = ["ConcreteFunction", "Function", "converters", "function"]

# Makes what converts functions for one recording; lamina.autograph puts it here.
converters: list[Callable[[], Any]] = []


class ConcreteFunction:
    """A `tf.function` traced for one input signature.

    Attributes:
        name: The Python function's name.
        structured_outputs: What the function returns, TensorSpecs in place of Tensors.
        trace: The program, an `engine.Trace`.
    """

    def __init__(self, name: str, closed: Closed, structure: Any) -> None:
        self.name = name
        self._closed = closed
        self._structure = structure
        self.structured_outputs = nest.map_structure(
            lambda t: None if t is None else TensorSpec.from_tensor(t), structure
        )
        self._single = isinstance(structure, Tensor)
        self._names = _flat_names(structure)
        self._program: Program | None = None
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

    def _compile(self, inputs: list[Any]) -> Program:
        trace = self._closed.trace
        # Numbers written in the function never change: they are constants of the program.
        fixed = {i: inputs[i] for i, _ in self._captures if isinstance(inputs[i], np.generic)}

        def run(values: list[Any]) -> list[Any]:
            return trace.run(*[fixed.get(i, v) for i, v in enumerate(values)])

        scalars = [v.dtype if isinstance(v, np.generic) else None for v in inputs]
        return Program(run, scalars, [i for i, _ in self._donated])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on Tensors of the signature; Python arguments of the trace are left out."""
        tensors: list[Tensor] = []
        for a in (*args, *kwargs.values()):
            argument_key(a, tensors)
        wanted = self._closed.trace.inputs[: self._closed.arguments]
        if len(tensors) != len(wanted):
            raise TypeError(
                f'ConcreteFunction "{self.name}": expected {len(wanted)} Tensors '
                f"{list(wanted)}; got {len(tensors)}."
            )
        for t, kind in zip(tensors, wanted, strict=True):
            if t._type is not kind:
                raise errors.InvalidArgumentError(
                    f'ConcreteFunction "{self.name}": expected a Tensor of type {kind}; got '
                    f"{t._type}.\n  Fix: call the tf.function itself, which traces anew."
                )
        return self.run(tensors)


def _flat_names(structure: Any) -> list[tuple[Any, int]] | None:
    """Return (key, place among the outputs) of a flat dict of Tensors, such as logs; else None."""
    if type(structure) is not dict or not all(isinstance(v, Tensor) for v in structure.values()):
        return None
    places = {name: i for i, name in enumerate(nest.flatten({k: k for k in structure}))}
    return [(name, places[name]) for name in structure]


class Function:
    """A Python function that is recorded once for each input signature, then run compiled.

    Made by `tf.function`. Tensors count by shape and dtype, Python values by value, other
    objects by identity.
    """

    def __init__(
        self,
        python_function: Callable[..., Any],
        name: str | None = None,
        input_signature: Any = None,
        reduce_retracing: bool = False,
        autograph: bool = True,
    ) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._label = name or getattr(python_function, "__name__", type(python_function).__name__)
        self._reduce_retracing = reduce_retracing
        self._autograph, self._converted = autograph, False
        self._concrete: dict[Any, ConcreteFunction] = {}
        self._eager_because: str | None = None
        self._made_variables = False
        self._earlier: dict[Any, ConcreteFunction] = {}  # of before a layer changed
        self._last_key: tuple[Any, ...] = ()
        self._retraces = self._compiled = self._traced = 0
        self._of_instance: weakref.WeakKeyDictionary[Any, Function] = weakref.WeakKeyDictionary()
        self._signature: inspect.Signature | None = None
        self._defaults = input_signature is None and has_defaults(python_function)

    def __get__(self, instance: Any, owner: Any = None) -> Function:
        if instance is None:
            return self
        try:
            found = self._of_instance.get(instance)
            if found is None:
                found = self._of_instance[instance] = self._bound(weakref.ref(instance))
        except TypeError:
            found = self._bound(lambda: instance)
        return found

    def _bound(self, instance: Callable[[], Any]) -> Function:
        inner = self.python_function

        @functools.wraps(inner)
        def method(*args: Any, **kwargs: Any) -> Any:
            convert = local.convert
            return (convert(inner) if convert else inner)(instance(), *args, **kwargs)

        parameters = list(inspect.signature(inner).parameters.values())[1:]
        method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        how = self.input_signature, self._reduce_retracing, self._autograph
        return Function(method, self._label, *how)

    # -- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, recorded first if its arguments are of a new kind."""
        if config.run_functions_eagerly or self._eager_because is not None:
            return self.python_function(*args, **kwargs)
        if kwargs or self._defaults:
            args = self._positional(args, kwargs)
        if self.input_signature is not None:
            args = self._apply_signature(args)
        tensors: list[Tensor] = []
        key = (versions.structure, *[argument_key(a, tensors) for a in args])
        concrete = self._concrete.get(key) or self._trace(key, args, tensors)
        if concrete is None:
            return self._call_eagerly(args)
        return concrete.run(tensors)

    def _call_eagerly(self, args: tuple[Any, ...]) -> Any:
        if args and isinstance(args[-1], Keywords):
            return self.python_function(*args[:-1], **args[-1])
        return self.python_function(*args)

    def _positional(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Return the arguments by position; what can only go by keyword comes last, as a dict."""
        signature = self._signature
        if signature is None:
            signature = self._signature = inspect.signature(self.python_function)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if bound.kwargs:
            return (*bound.args, Keywords(bound.kwargs))
        return bound.args

    def _apply_signature(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        assert self.input_signature is not None
        specs = self.input_signature
        if len(args) > len(specs) or len(args) < len(specs):
            defaults = self._positional(args, {})
            if len(defaults) != len(specs):
                raise TypeError(
                    f'tf.function "{self._label}": expected {len(specs)} arguments, as in '
                    f"`input_signature` {list(specs)}; got {len(args)}."
                )
            args = defaults
        return tuple(
            self._fit(spec, value)
            if isinstance(spec, TensorSpec)
            else nest.map_structure(self._fit, spec, value)
            for spec, value in zip(specs, args, strict=True)
        )

    def _fit(self, spec: Any, value: Any) -> Any:
        if not hasattr(spec, "dtype"):
            return value
        try:
            tensor = convert_to_tensor(value, spec.dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f'tf.function "{self._label}": an argument must fit {spec!r} of '
                f"`input_signature`.\n  Reason: {error}"
            ) from None
        if not spec.shape.is_compatible_with(tensor.shape):
            raise TypeError(
                f'tf.function "{self._label}": an argument must fit {spec!r} of '
                f"`input_signature`; got shape {tensor.shape}, dtype {tensor.dtype.name}.\n"
                f"  Fix: reshape it, or write None for sizes that vary."
            )
        return tensor

    # -- tracing

    def _trace(
        self, key: Any, args: tuple[Any, ...], tensors: list[Tensor]
    ) -> ConcreteFunction | None:
        """Record the function for these arguments; None if it must run eagerly."""
        if any(t.dtype is dtypes.string for t in tensors):
            return None
        made: list[Any] = []
        inside: list[Any] = []
        thread = threading.get_ident()

        def note(variable: Any) -> None:
            if threading.get_ident() == thread:
                made.append((variable, place_of_caller()))
                if not local.trace.eager:  # layers build outside of the trace, at any time
                    inside.append(made[-1])

        creation_hooks.append(note)
        kinds = [t._type for t in tensors]
        try:
            concrete = self._attempt(args, kinds)
            if made:
                self._check_singletons(inside, self._made_variables)
                self._made_variables = True
                made.clear()
                # As in TF: what makes its variables at the first call makes none at the second.
                concrete = self._attempt(args, kinds)
                self._check_singletons(made, True)
        except errors.TracedValueError as error:
            if not local.trace.eager:
                raise  # the outermost function decides
            self._fall_back(error)
            return None
        finally:
            creation_hooks.remove(note)
        if concrete.has_strings:
            self._fall_back_for_strings()
            return None
        if not concrete._has_outer:
            self._keep(key, concrete)
        self._traced += 1
        return concrete

    def _keep(self, key: Any, concrete: ConcreteFunction) -> None:
        """Keep a program for the next calls with such arguments."""
        if not self._takes_over(concrete):
            self._explain(key)
            self._compiled += 1
        self._concrete[key] = concrete
        self._last_key = key

    def _takes_over(self, concrete: ConcreteFunction) -> bool:
        """Drop what was traced before a layer changed; return whether a program is used again.

        A counter that a layer keeps changes at each step, and the program does not.
        """
        earlier = self._earlier
        for key in [k for k in self._concrete if k[0] != versions.structure]:
            old = self._concrete.pop(key)
            earlier[old.likeness()] = old
        while len(earlier) > _EARLIER:
            earlier.pop(next(iter(earlier)))
        found = earlier.get(concrete.likeness())
        if found is not None:
            concrete._program = found._program
        return found is not None

    def _attempt(self, args: tuple[Any, ...], kinds: list[TensorType]) -> ConcreteFunction:
        """Record as written; where a value is asked for, in AutoGraph's form from then on."""
        if not self._autograph or not converters:
            return self._record(args, kinds)
        if self._converted:
            return self._record(args, kinds, converters[-1]())
        try:
            return self._record(args, kinds, unrolls=False)
        except errors.TracedValueError as error:
            long = isinstance(error, errors.LongLoopError)
            if isinstance(error, errors.HostLoopError):
                raise
        try:
            concrete = self._record(args, kinds, converters[-1]())
        except errors.TracedValueError:
            if not long:
                raise
            return self._record(args, kinds)
        self._converted = True
        return concrete

    def _record(
        self,
        args: tuple[Any, ...],
        kinds: list[TensorType],
        convert: Any = None,
        unrolls: bool = True,
    ) -> ConcreteFunction:
        def call(*placeholders: Tensor) -> Any:
            given = iter(placeholders)
            values = [with_tensors(a, given) for a in args]
            fn = self.python_function if convert is None else convert(self.python_function)
            if values and isinstance(values[-1], Keywords):
                return fn(*values[:-1], **values.pop())
            return fn(*values)

        before = local.convert, local.unrolls
        local.convert, local.unrolls = convert, unrolls
        try:
            closed, structure = close(call, kinds, f'tf.function "{self._label}"', is_function=True)
        except errors.TracedValueError as error:
            if convert is not None:
                convert.explain(error)
            raise
        finally:
            local.convert, local.unrolls = before
        return ConcreteFunction(self._label, closed, structure)

    def _check_singletons(self, made: list[Any], again: bool) -> None:
        if made and again:
            names = ", ".join(f'"{v.name}" (made at {place})' for v, place in made)
            raise ValueError(
                f'tf.function "{self._label}": variables may be made in its first call only; '
                f"this call makes {names}.\n"
                f"  Fix: make them outside, or once: if self.v is None: self.v = tf.Variable(...)."
            )

    def _fall_back(self, error: errors.TracedValueError) -> None:
        place = place_of_error(error)
        where = "an unknown line" if place is None else place.short
        self._eager_because = f"{where}: {error}"
        if isinstance(error, errors.HostLoopError):
            return
        reasons = "".join(f"  {note}\n" for note in getattr(error, "__notes__", ()))
        warnings.warn(
            f'tf.function "{self._label}" needs a value while it is traced, at {where}; it runs '
            f"eagerly from now on: correct, and compiled in pieces.\n{reasons}"
            f"  Fix: use tf.cond or tf.while_loop there to compile it whole.",
            stacklevel=4,
        )

    def _fall_back_for_strings(self) -> None:
        why = f'tf.function "{self._label}" works on strings, which compiled programs cannot hold'
        if not local.trace.eager:
            raise errors.TracedValueError(f"{why}.")  # the outermost function decides
        self._eager_because = why
        warnings.warn(
            f"{why}; it runs eagerly from now on: correct, and compiled in pieces.\n"
            f"  Fix: map the string layers or tf.strings functions over the dataset.",
            stacklevel=5,
        )

    def _explain(self, key: Any) -> None:
        """Count a compile, and say which argument made it necessary when they become many."""
        count = self._compiled
        if config.max_compiles is not None and count >= config.max_compiles:
            raise errors.RetraceLimitError(
                f'tf.function "{self._label}": `lamina.config.max_compiles` allows '
                f"{config.max_compiles} programs; this call needs another one.\n"
                f"  Reason: {difference(self._last_key, key)}"
            )
        if count >= 5 and config.warn_retraces and not self._reduce_retracing:
            self._retraces += 1
            if self._retraces in (1, 10, 100):
                warnings.warn(
                    f'tf.function "{self._label}" was traced {count + 1} times; '
                    f"{difference(self._last_key, key)}\n"
                    f"  Fix: pass Tensors in place of Python numbers, and pad to few shapes.",
                    stacklevel=4,
                )

    # -- public

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> ConcreteFunction:
        """Return the function traced for the given Tensors, TensorSpecs and Python values.

        Args:
            *args: As in a call; a TensorSpec stands for any Tensor that fits it.
            **kwargs: Likewise.
        """
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        if kwargs or self._defaults:
            args = self._positional(args, kwargs)

        def stand_in(value: Any) -> Any:
            if isinstance(value, TensorSpec):
                return Tensor(value.type(), None, 0, None)
            return value

        args = tuple(nest.map_structure(stand_in, a) for a in args)
        tensors: list[Tensor] = []
        key = (versions.structure, *[argument_key(a, tensors) for a in args])
        found = self._concrete.get(key)
        if found is None and self._eager_because is None:
            found = self._trace(key, args, tensors)
        if found is None:
            raise errors.TracedValueError(
                f'tf.function "{self._label}": it has no concrete function, because it runs '
                f"eagerly.\n  Reason: {self._eager_because}"
            )
        return found

    def experimental_get_tracing_count(self) -> int:
        """Return how many times the Python function was traced."""
        return self._traced

    def pretty_printed_concrete_signatures(self, verbose: bool = True) -> str:
        """Return the signatures traced so far, one a line."""
        return "\n".join(
            f"{self._label}({', '.join(map(described, k[1:]))})" for k in self._concrete
        )

    def __repr__(self) -> str:
        return f"<tf.function {self._label}>"


_EARLIER = 64


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: bool | None = None,
    reduce_retracing: bool = False,
    experimental_implements: str | None = None,
    experimental_autograph_options: Any = None,
    experimental_attributes: Any = None,
    experimental_relax_shapes: bool | None = None,
    experimental_compile: bool | None = None,
    experimental_follow_type_hints: bool | None = None,
) -> Any:
    """Compile a Python function: recorded once for each input signature, then run as a whole.

    lamina compiles eager code too, so this saves the recording, a few microseconds an operation.
    Only a function that needs a Tensor's value while it is recorded (in an `if`, a `while`, a long
    `for`) is converted by `tf.autograph`; what cannot be runs eagerly, after one warning.

    Args:
        func: The function; None returns a decorator.
        input_signature: A sequence of TensorSpecs that the arguments must fit.
        autograph: Whether Python's control flow on Tensors becomes part of the program.
        jit_compile: Accepted; everything is compiled by XLA.
        reduce_retracing: Do not warn of many traces.
        experimental_implements: Accepted, unused, as all the others.
        experimental_autograph_options: Unused.
        experimental_attributes: Unused.
        experimental_relax_shapes: As `reduce_retracing`.
        experimental_compile: Unused.
        experimental_follow_type_hints: Unused.

    Returns:
        A callable `Function`.

    Raises:
        ValueError: the function makes variables in a later call than the first.

    Example:
        >>> @tf.function
        ... def f(x):
        ...     return x * x + 1.0
        >>> f(tf.constant(2.0)).numpy()
        np.float32(5.0)
    """
    if func is None:
        return functools.partial(
            function,
            input_signature=input_signature,
            autograph=autograph,
            reduce_retracing=reduce_retracing or bool(experimental_relax_shapes),
        )
    if isinstance(func, Function):
        return func
    reduced = reduce_retracing or bool(experimental_relax_shapes)
    return Function(func, None, input_signature, reduced, autograph)
