# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""tf.function: one closed trace per input signature; state in, run, state out."""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from lamina.engine import dtypes, errors, nest
from lamina.engine.arguments import (
    Keywords,
    argument_key,
    as_results,
    check_specs,
    check_unmodified,
    checked_signature,
    containers,
    difference,
    fitted,
    has_defaults,
    restartable,
    restarted,
    with_tensors,
)
from lamina.engine.closure import close
from lamina.engine.compiler_ir import Readable
from lamina.engine.concrete import ConcreteFunction, EagerConcreteFunction, Given
from lamina.engine.context import config, local, versions
from lamina.engine.places import place_of_caller, place_of_error
from lamina.engine.ranks import OpenRank
from lamina.engine.shapes import TensorShape
from lamina.engine.signature import TensorType, signatures, symbolic_dim
from lamina.engine.spec import TensorSpec
from lamina.engine.tensor import Tensor
from lamina.engine.typespec import TypeSpec
from lamina.engine.variable import creation_hooks, recording_hooks

__all__ = ["ConcreteFunction", "Function", "converters", "function"]

# Makes what converts functions for one recording; lamina.autograph puts it here.
converters: list[Callable[[], Any]] = []


class Function(Readable):
    """A Python function that is recorded once for each input signature, then run compiled.

    Made by `tf.function`. Tensors count by shape and dtype, Python values by value, other
    objects by identity.
    """

    _is_strict = False  # whether the state of an optimizer counts as variables that it makes

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
        self.input_signature = checked_signature(input_signature)
        self._label = name or getattr(python_function, "__name__", type(python_function).__name__)
        self._reduce_retracing = reduce_retracing
        self._autograph, self._converted = autograph, False
        self._concrete: dict[Any, ConcreteFunction] = {}
        self._eager_because: str | None = None
        self._hosted: dict[Any, Given] = {}
        self._made_variables = False
        self._earlier: dict[Any, None] = {}  # likenesses of before a layer changed
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
            return found
        except TypeError:
            return self._bound(lambda: instance)

    def _decorate(self, decorator: Callable[..., Any]) -> None:
        """Wrap the Python function: TF's name, by which Sonnet changes methods of its modules."""
        self.python_function = decorator(self.python_function)

    def __reduce__(self) -> Any:
        """Pickle a decorated function by its name, any other as what made it."""
        if _is_at_its_name(self):
            return self.__qualname__  # type: ignore[attr-defined]
        how = self.input_signature, self._reduce_retracing, self._autograph
        return Function, (self.python_function, self._label, *how), {"_is_strict": self._is_strict}

    def _bound(self, instance: Callable[[], Any]) -> Function:
        inner = self.python_function

        @functools.wraps(inner)
        def method(*args: Any, **kwargs: Any) -> Any:
            convert = local.convert
            return (convert(inner) if convert else inner)(instance(), *args, **kwargs)

        parameters = list(inspect.signature(inner).parameters.values())[1:]
        method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        how = self.input_signature, self._reduce_retracing, self._autograph
        made = Function(method, self._label, *how)
        made._is_strict = self._is_strict
        return made

    # -- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function, recorded first if its arguments are of a new kind."""
        if config.run_functions_eagerly:
            return self.python_function(*args, **kwargs)
        if self._eager_because is not None:
            return as_results(self.python_function(*args, **kwargs))
        if kwargs or self._defaults:
            args = self._positional(args, kwargs)
        if self.input_signature is not None:
            args = self._apply_signature(args)
        tensors: list[Tensor] = []
        key = (versions.structure, *[argument_key(a, tensors) for a in args])
        concrete = self._concrete.get(key)
        if concrete is None:
            args = restartable(args)
            concrete = self._trace(key, args, tensors)
        return self._call_eagerly(args) if concrete is None else concrete.run(tensors)

    def _call_eagerly(self, args: tuple[Any, ...]) -> Any:
        args = tuple(map(restarted, args))
        if args and isinstance(args[-1], Keywords):
            return as_results(self.python_function(*args[:-1], **args[-1]))
        return as_results(self.python_function(*args))

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
        fit = functools.partial(fitted, self._label)
        return tuple(
            fit(spec, value)
            if isinstance(spec, TensorSpec)
            else spec.cast(value)  # of a ragged or sparse Tensor, or an extension type
            if isinstance(spec, TypeSpec)
            else nest.map_structure(fit, spec, value)
            for spec, value in zip(specs, args, strict=True)
        )

    # -- tracing

    def _trace(
        self, key: Any, args: tuple[Any, ...], tensors: list[Tensor]
    ) -> ConcreteFunction | None:
        """Record the function for these arguments; None if it must run eagerly."""
        if any(t.dtype is dtypes.string for t in tensors):
            self._note_hosted(key, args)
            return None
        made: list[Any] = []
        inside: list[Any] = []
        kinds = [t._type for t in tensors]
        try:
            with self._noting_variables(made, inside):
                concrete = self._attempt(args, kinds)
                if _lasting(made):
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
        except errors.TracedStartError:
            # Variables start from the arguments: this call makes them, as Python.
            known = all(t._value is not None or t._trace is not None for t in tensors)
            if self._made_variables or not local.trace.eager or not known:
                raise
            result = self._call_eagerly(args)
            self._made_variables = True
            self._attempt(args, kinds)  # raises if it makes them each time
            return _Ran(result)  # type: ignore[return-value]
        if concrete.has_strings or _looks_up(concrete.trace):
            self._note_hosted(key, args)
            self._fall_back_for_strings()
            return None
        if not concrete._has_outer:
            self._keep(key, concrete)
        self._traced += 1
        return concrete

    @contextmanager
    def _noting_variables(self, made: list[Any], inside: list[Any]) -> Generator[None, None, None]:
        """Note variables that this thread makes, and those made in a trace, each with its place."""
        thread = threading.get_ident()

        def note(variable: Any) -> None:
            if threading.get_ident() == thread:
                made.append((variable, place_of_caller()))
                if not local.trace.eager:  # layers build outside of the trace, at any time
                    inside.append(made[-1])

        def note_own(variables: Any) -> None:
            if self._is_strict and threading.get_ident() == thread:
                inside.extend((v, place_of_caller()) for v in variables)

        creation_hooks.append(note)
        recording_hooks.append(note_own)
        try:
            yield
        finally:
            creation_hooks.remove(note)
            recording_hooks.remove(note_own)

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
            earlier[self._concrete.pop(key).likeness()] = None
        while len(earlier) > _EARLIER:
            earlier.pop(next(iter(earlier)))
        return concrete.likeness() in earlier

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
        given = Given(self.python_function, args, self)

        def call(*placeholders: Tensor) -> Any:
            local.trace.given = given
            tensors = iter(placeholders)
            values = [restarted(with_tensors(a, tensors)) for a in args]
            fn = self.python_function if convert is None else convert(self.python_function)
            # What is not public, such as what a dataset maps, may change what it is given.
            before = containers(values) if self._is_strict else []
            if values and isinstance(values[-1], Keywords):
                result = fn(*values[:-1], **values[-1])
            else:
                result = fn(*values)
            check_unmodified(before, f'tf.function "{self._label}"')
            return result

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
        concrete = ConcreteFunction(self._label, closed, structure)
        concrete.given = given
        return concrete

    def _check_singletons(self, made: list[Any], again: bool) -> None:
        made = _lasting(made)
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

    def _note_hosted(self, key: Any, args: tuple[Any, ...]) -> None:
        """Note arguments that the function runs eagerly for, because of strings."""
        noted = self._hosted
        if key not in noted and len(noted) < _HOSTED:
            noted[key] = Given(self.python_function, args, self)

    def record_given(self, given: Given) -> ConcreteFunction:
        """Record the function for noted arguments, strings or not.

        With strings the program runs in stages only, loaded from a file (engine/staged.py).
        """
        rest = [Keywords(given.keywords)] if given.keywords else []
        args = _stand_ins((*given.positional, *rest))
        tensors: list[Tensor] = []
        for a in args:
            argument_key(a, tensors)
        return self._attempt(args, [t._type for t in tensors])

    def _fall_back_for_strings(self) -> None:
        why = (
            f'tf.function "{self._label}" works on strings, which compiled programs cannot hold, '
            f"or on tables"
        )
        if not local.trace.eager:
            return  # recorded as a part of the outermost function, which decides
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

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Any:
        """Return the function traced for the given Tensors, TensorSpecs and Python values.

        Args:
            *args: As in a call; a TensorSpec stands for any Tensor that fits it.
            **kwargs: Likewise.
        """
        if not args and not kwargs and self.input_signature is not None:
            args = self.input_signature
        if kwargs or self._defaults:
            args = self._positional(args, kwargs)
        if any(getattr(a, "shape", ()) == TensorShape(None) for a in nest.flatten(list(args))):
            return OpenRank(self, args)  # type: ignore[return-value]

        if self.input_signature is not None and args is not self.input_signature:
            check_specs(self._label, self.input_signature, args)
        args = _stand_ins(args)
        tensors: list[Tensor] = []
        key = (versions.structure, *[argument_key(a, tensors) for a in args])
        found = self._concrete.get(key)
        if found is None and self._eager_because is None:
            found = self._trace(key, args, tensors)
        if found is None:
            self._note_hosted(key, args)
            because = self._eager_because or "it works on strings."
            return EagerConcreteFunction(
                self._label, Given(self.python_function, args, self), because
            )
        return found

    def __repr__(self) -> str:
        return f"<tf.function {self._label}>"


def _is_at_its_name(function: Any) -> bool:
    """Return whether an import of its module gives this function by its name."""
    place: Any = sys.modules.get(getattr(function, "__module__", None) or "")
    for part in getattr(function, "__qualname__", "").split("."):
        place = getattr(place, part, None)
    return place is function


class _Ran:
    """Stands for the program of a call that has run."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def run(self, tensors: Any) -> Any:
        return self.result


def _looks_up(trace: Any) -> bool:
    """Return whether a program looks into tables on the host, which compiled code cannot."""
    origins = [signatures[equation[0]].origin for equation in trace.equations]
    return any(o is not None and getattr(o[0](), "recipe", None) is not None for o in origins)


def _lasting(made: list[Any]) -> list[Any]:
    """Return the variables that belong to the program, not to a random stream of an op."""
    return [item for item in made if "_stream" not in item[0].__dict__]


_EARLIER = 64
_HOSTED = 16  # kinds of arguments that are noted of a function that runs eagerly


def _stand_ins(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments with placeholders for TensorSpecs, and specs of composite values."""
    names = map("n{}".format, itertools.count())

    def stand_in(value: Any) -> Any:
        if isinstance(value, TensorSpec):
            made = Tensor(value.type(), None, 0, None)
            made.__dict__["_name"] = value.name
            return made
        if isinstance(value, TypeSpec):
            types = value._component_types(lambda: symbolic_dim(next(names)))
            if types is not None:
                return value.from_tensors([Tensor(t, None, 0, None) for t in types])
            return value._from_components(nest.map_structure(stand_in, value._component_specs))
        return value

    return tuple(nest.map_structure(stand_in, a) for a in args)


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
        TypeError: `func` cannot be called, or `input_signature` holds something else than specs.

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
    if not callable(func):
        raise TypeError(
            f"tf.function: `func` must be a function; got {func!r} ({type(func).__name__}).\n"
            f"  Fix: @tf.function before its `def`."
        )
    reduced = reduce_retracing or bool(experimental_relax_shapes)
    made = Function(func, None, input_signature, reduced, autograph)
    made._is_strict = True
    return made
