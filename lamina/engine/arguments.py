# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""What tf.function sees in its arguments: a key for its cache, and the Tensors."""

from __future__ import annotations

import inspect
import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import is_
from typing import Any

import numpy as np

from lamina.engine import nest
from lamina.engine.composite import Composite
from lamina.engine.dispatch import convert_to_tensor
from lamina.engine.dtypes import DType
from lamina.engine.shapes import TensorShape
from lamina.engine.spec import TensorSpec
from lamina.engine.tensor import Tensor
from lamina.engine.typespec import TypeSpec
from lamina.engine.variable import Variable

__all__ = [
    "Keywords",
    "argument_key",
    "as_results",
    "by_flat_names",
    "check_specs",
    "check_unmodified",
    "checked_signature",
    "containers",
    "described",
    "difference",
    "distinct",
    "fitted",
    "has_defaults",
    "restartable",
    "restarted",
    "with_tensors",
]


class _Other:
    """The key of an argument that is neither Tensor nor plain value: the object itself."""

    __slots__ = ("_hash", "_ref")

    def __init__(self, value: Any) -> None:
        self._hash = id(value)
        try:
            self._ref: Callable[[], Any] = weakref.ref(value)
        except TypeError:
            self._ref = lambda: value

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Other):
            return False
        mine = self._ref()
        return mine is not None and mine is other._ref()


_PLAIN = (int, float, bool, str, bytes, complex, type(None), DType, TensorShape)


def argument_key(value: Any, tensors: list[Tensor]) -> Any:
    """Return the part of the cache key for one argument, collecting its Tensors."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return value._type
    kind = type(value)
    if kind in _PLAIN:
        return (kind, _plain_key(value))
    if isinstance(value, Variable):
        return _Other(value)
    if isinstance(value, np.ndarray | np.generic):
        tensor = convert_to_tensor(value)
        tensors.append(tensor)
        return tensor._type
    if isinstance(value, list | tuple):
        return (kind, *[argument_key(v, tensors) for v in value])
    if isinstance(value, dict):
        return (dict, *[(k, argument_key(value[k], tensors)) for k in value])
    if isinstance(value, TensorSpec):
        return value
    if isinstance(value, Composite):
        return (kind, value._kind(), *[argument_key(v, tensors) for v in value._components()])
    return _key_of_object(value, tensors)


def _key_of_object(value: Any, tensors: list[Tensor]) -> Any:
    """Return the key of an object of some other class, by what its class offers."""
    kind: Any = type(value)
    if hasattr(kind, "_as_tensor"):
        return _Other(value)
    if hasattr(value, "__array__") and not callable(value):
        tensor = convert_to_tensor(value)
        tensors.append(tensor)
        return tensor._type
    if hasattr(kind, "__tf_tracing_type__"):  # the class says itself what is the same
        return kind.__tf_tracing_type__(value, None)
    return _Other(value)


def _plain_key(value: Any) -> Any:
    """Return what stands for a plain value: -0.0 is not 0.0, and NaN is the same again."""
    if type(value) is float and (value == 0.0 or value != value):
        return repr(value)
    return value


def with_tensors(value: Any, given: Any) -> Any:
    """Return an argument with its Tensors replaced, in the order of `argument_key`."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        return next(given)
    kind = type(value)
    if kind in _PLAIN or isinstance(value, Variable | TensorSpec):
        return value
    if isinstance(value, list | tuple):
        items = [with_tensors(v, given) for v in value]
        return kind(*items) if hasattr(kind, "_fields") else kind(items)
    if isinstance(value, dict):
        made = {k: with_tensors(v, given) for k, v in value.items()}
        return made if kind is dict else kind(made)
    if isinstance(value, Composite):
        return value._rebuilt([with_tensors(v, given) for v in value._components()])
    if hasattr(kind, "_as_tensor"):
        return value
    if hasattr(value, "__array__") and not callable(value):
        return next(given)
    return value


class _Drawn:
    """What was drawn from a Python iterator by one recording, for the next one to draw again."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self._drawn: list[Any] = []

    def again(self) -> Any:
        """Return an iterator over what was drawn, then over the rest."""
        for i in itertools.count():
            if i == len(self._drawn):
                try:
                    self._drawn.append(next(self._source))
                except StopIteration:
                    return
            yield self._drawn[i]


def restartable(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return arguments in which Python's own iterators can be started again.

    A function that is recorded twice, or recorded and then run, sees the same items each time.
    """
    own = ("builtins", "itertools")
    return tuple(
        _Drawn(a) if isinstance(a, Iterator) and type(a).__module__ in own else a for a in args
    )


def restarted(value: Any) -> Any:
    """Return an argument of `restartable` as the function is given it."""
    return value.again() if type(value) is _Drawn else value


def containers(value: Any) -> list[tuple[Any, list[Any]]]:
    """Return the lists and dicts in an argument, each with what it holds."""
    if isinstance(value, dict):
        own = [(value, [v for pair in value.items() for v in pair])]
        return own + [found for v in value.values() for found in containers(v)]
    if isinstance(value, list | tuple):
        own = [(value, list(value))] if isinstance(value, list) else []
        return own + [found for v in value for found in containers(v)]
    return []


def check_unmodified(before: list[tuple[Any, list[Any]]], who: str) -> None:
    """Raise if a list or dict holds something else than before: only a trace would see it.

    Args:
        before: What `containers` returned.
        who: The function that was given them.

    Raises:
        ValueError: one does.
    """
    for container, items in before:
        if isinstance(container, dict):
            found = [v for pair in container.items() for v in pair]
        else:
            found = list(container)
        if len(found) != len(items) or not all(map(is_, found, items)):
            raise ValueError(
                f"{who}: the function must not change the lists and dicts that it is given; it "
                f"changed one to {container!r}.\n  Fix: copy it first, or return what is new."
            )


def check_specs(who: str, signature: Any, args: Any) -> None:
    """Raise unless the TensorSpecs among some arguments fit a function's `input_signature`.

    Raises:
        TypeError: one does not.
    """
    wanted, given = nest.flatten(list(signature)), nest.flatten(list(args))
    if len(given) != len(wanted):
        return  # defaults stand for some
    for spec, other in zip(wanted, given, strict=True):
        if isinstance(other, TensorSpec) and not spec.is_compatible_with(other):
            raise TypeError(
                f'tf.function "{who}": an argument must fit {spec!r} of `input_signature`; got '
                f"{other!r}.\n  Fix: leave the arguments out, or change `input_signature`."
            )


def fitted(who: str, spec: Any, value: Any) -> Any:
    """Return an argument as a Tensor of a TensorSpec of `input_signature`.

    Raises:
        TypeError: it has another dtype or shape.
    """
    if not hasattr(spec, "dtype"):
        return value
    try:
        tensor = convert_to_tensor(value, spec.dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f'tf.function "{who}": an argument must fit {spec!r} of '
            f"`input_signature`.\n  Reason: {error}"
        ) from None
    if not spec.shape.is_compatible_with(tensor.shape):
        raise TypeError(
            f'tf.function "{who}": an argument must fit {spec!r} of '
            f"`input_signature`; got shape {tensor.shape}, dtype {tensor.dtype.name}.\n"
            f"  Fix: reshape it, or write None for sizes that vary."
        )
    return tensor


_RESULTS = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, Variable)


def as_results(found: Any) -> Any:
    """Return what a function returned that ran as Python, with Tensors as a program gives them."""
    if isinstance(found, Tensor) or found is None:
        return found
    return nest.map_structure(
        lambda v: convert_to_tensor(v) if isinstance(v, _RESULTS) else v, found
    )


class Keywords(dict[str, Any]):
    """Keyword-only arguments, as the last positional one."""


def distinct(names: Iterable[str]) -> list[str]:
    """Return names of which no two are equal: the second "x" is "x_1"."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{i}" if i else name for i in itertools.count())
        found.append(next(each for each in numbered if each not in found))
    return found


def by_flat_names(
    named: dict[str, Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """Return arguments from a call with one Tensor for each TypeSpec, TF's flat signature.

    Args:
        named: What each parameter was traced for. A TypeSpec goes by its own name or that of
            its parameter, the second of a name as name_1.
        args: The first of them, by position.
        kwargs: The others.

    Returns:
        The value of each parameter; None if the call does not fit.
    """
    specs = [(parameter, spec) for parameter, v in named.items() for spec in nest.flatten(v)]
    names = distinct(
        getattr(spec, "name", None) or parameter
        for parameter, spec in specs
        if isinstance(spec, TypeSpec)
    )
    found = dict(zip(names, args, strict=False))
    if len(args) > len(names) or set(found) & set(kwargs) or {*found, *kwargs} != set(names):
        return None
    found.update(kwargs)
    given = iter([found[n] for n in names])
    return {
        parameter: nest.map_structure(
            lambda leaf: next(given) if isinstance(leaf, TypeSpec) else leaf, value
        )
        for parameter, value in named.items()
    }


def described(key: Any) -> str:
    """Return a part of a key as text for a message."""
    if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], type):
        return repr(key[1])
    if isinstance(key, _Other):
        return f"another {type(key._ref()).__name__}"
    return repr(key)


def has_defaults(fn: Callable[..., Any]) -> bool:
    """Return whether `f(x)` and `f(x, default)` are the same call, which is traced once."""
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        p.default is not p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in parameters
    )


def difference(last: tuple[Any, ...], key: tuple[Any, ...]) -> str:
    """Return what differs between the keys of two calls, in a sentence."""
    if not last:
        return "it is the first."
    if last[0] != key[0]:
        return "a layer's attribute or `trainable` changed."
    for i, (old, new) in enumerate(zip(last[1:], key[1:], strict=False)):
        if old != new:
            return f"argument {i} changed from {described(old)} to {described(new)}."
    return f"the number of arguments changed from {len(last) - 1} to {len(key) - 1}."


def checked_signature(signature: Any) -> tuple[Any, ...] | None:
    """Return an `input_signature` as a tuple, or None as it is.

    Raises:
        TypeError: it is no sequence of structures of TypeSpecs.
    """
    if signature is None:
        return None
    if not isinstance(signature, list | tuple):
        raise TypeError(
            f"tf.function: `input_signature` must be a list or tuple; got {signature!r}.\n"
            f"  Fix: [tf.TensorSpec(...)], one for each argument."
        )
    for spec in nest.flatten(list(signature)):
        if not isinstance(spec, TypeSpec | Variable):
            raise TypeError(
                f"tf.function: `input_signature` must hold TensorSpecs, or structures of them; "
                f"got {spec!r} ({type(spec).__name__}).\n"
                f"  Fix: tf.TensorSpec(shape, dtype) for each Tensor."
            )
    return tuple(signature)
