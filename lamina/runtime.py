"""Where and how operations run: `tf.device`, `tf.executing_eagerly`."""

import logging
from importlib import import_module
from typing import Any

from lamina.engine import Tensor, local
from lamina.engine.concrete import descriptions
from lamina.engine.tensor import namers
from lamina.keras.core import KerasTensor
from lamina.ops.placement import device

__all__ = [
    "device",
    "executing_eagerly",
    "get_current_name_scope",
    "get_logger",
    "inside_function",
    "is_symbolic_tensor",
]


# Graphs are looked at seldom: what shows them is imported when it is asked for.
descriptions.append(lambda c, name: import_module("lamina.graphs").described(c, name))
namers.append(lambda tensor: import_module("lamina.symbols").name_of(tensor))


def executing_eagerly() -> bool:
    """Return whether operations run now: True outside of `tf.function`."""
    return local.trace.eager


def is_symbolic_tensor(tensor: Any) -> bool:
    """Return whether a Tensor has no value, because it belongs to a trace or a model."""
    if isinstance(tensor, KerasTensor):
        return True
    return isinstance(tensor, Tensor) and tensor._value is None and not tensor._trace.eager


def inside_function() -> bool:
    """Return whether a `tf.function` is being traced; False where it runs eagerly.

    Example:
        >>> tf.inside_function(), bool(tf.function(tf.inside_function)())
        (False, True)
    """
    return not local.trace.eager


def get_current_name_scope() -> str:
    """Return the open name scopes, joined by "/"; "" outside of all.

    Example:
        >>> with tf.name_scope("outer"), tf.name_scope("inner"):
        ...     tf.get_current_name_scope()
        'outer/inner'
    """
    return local.names


def get_logger() -> logging.Logger:
    """Return the logger of TensorFlow programs, of the name "tensorflow".

    lamina itself writes no log: it warns by Python's `warnings`.
    """
    return logging.getLogger("tensorflow")
