"""tf.types.experimental: classes for `isinstance` and annotations."""

import inspect
from typing import Any

import numpy as np

from lamina.engine import ConcreteFunction, Function, Tensor, Variable
from lamina.types import distributed

__all__ = [
    "AtomicFunction",
    "Callable",
    "ConcreteFunction",
    "FunctionType",
    "GenericFunction",
    "PolymorphicFunction",
    "SupportsTracingProtocol",
    "TensorLike",
    "TraceType",
    "distributed",
]

AtomicFunction = ConcreteFunction


class _Of(type):
    """The class of classes that stand for several others."""

    _classes: tuple[type, ...] = ()

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls._classes)


class Callable(metaclass=_Of):
    """What `tf.function` makes: a function, or one of its programs."""

    _classes = (Function, ConcreteFunction)


class PolymorphicFunction(metaclass=_Of):
    """A `tf.function`, which has a program for each kind of arguments."""

    _classes = (Function,)


GenericFunction = PolymorphicFunction


class TensorLike(metaclass=_Of):
    """What TF takes for a Tensor: Tensors, Variables, arrays, numbers, strings, lists of these."""

    _classes = (
        Tensor,
        Variable,
        np.ndarray,
        np.generic,
        int,
        float,
        bool,
        complex,
        str,
        bytes,
        list,
        tuple,
    )


class SupportsTracingProtocol(metaclass=_Of):
    """An object that tells `tf.function` its kind: it has `__tf_tracing_type__`."""

    def __tf_tracing_type__(self, context: Any) -> Any:
        """Return the TraceType of the object."""
        return type(self)

    def __init_subclass__(cls) -> None:
        cls._classes = (cls,)


class TraceType:
    """What `tf.function` sees of an argument."""

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether a program for `other` takes what this stands for."""
        return self == other

    def most_specific_common_supertype(self, others: Any) -> Any:
        """Return the kind of which all are, None if there is none."""
        return self if all(self == o for o in others) else None

    def placeholder_value(self, placeholder_context: Any = None) -> Any:
        """Return what stands for a value while a program is traced: None."""
        return None


class FunctionType(inspect.Signature):
    """The parameters of a `tf.function`, as `inspect.Signature` has them."""
