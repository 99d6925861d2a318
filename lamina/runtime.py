"""Where and how operations run: `tf.device`, `tf.executing_eagerly`."""

from typing import Any

from lamina.engine import Tensor, local
from lamina.keras.core import KerasTensor
from lamina.ops.placement import device

__all__ = ["device", "executing_eagerly", "is_symbolic_tensor"]


def executing_eagerly() -> bool:
    """Return whether operations run now: True outside of `tf.function`."""
    return local.trace.eager


def is_symbolic_tensor(tensor: Any) -> bool:
    """Return whether a Tensor has no value, because it belongs to a trace or a model."""
    if isinstance(tensor, KerasTensor):
        return True
    return isinstance(tensor, Tensor) and tensor._value is None and not tensor._trace.eager
