"""Where and how operations run: `tf.device`, `tf.executing_eagerly`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from lamina.engine import Tensor, local
from lamina.keras.core import KerasTensor

__all__ = ["device", "executing_eagerly", "is_symbolic_tensor"]


@contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Put the Tensors made from Python and NumPy values inside the block on a device.

    Args:
        device_name: "/GPU:0", "CPU:0", "/device:TPU:1", or None for the default. A kind of
            device that this process lacks means the default, as with TF's soft placement.

    Raises:
        ValueError: the name has not this form.
    """
    before = local.device
    local.device = _find(device_name)
    try:
        yield
    finally:
        local.device = before


def _find(name: Any) -> Any:
    if name is None or not isinstance(name, str):
        return name
    parts = name.replace("/device", "").strip("/:").split("/")[-1].split(":")
    kind = parts[0].lower()
    if kind not in ("cpu", "gpu", "tpu"):
        raise ValueError(
            f'tf.device: `device_name` must be a name such as "/GPU:0"; got {name!r}.\n'
            f"  Fix: tf.config.list_logical_devices() lists what there is."
        )
    index = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 0
    try:
        devices = jax.devices(kind)
    except RuntimeError:
        return None
    return devices[index] if index < len(devices) else None


def executing_eagerly() -> bool:
    """Return whether operations run now: True outside of `tf.function`."""
    return local.trace.eager


def is_symbolic_tensor(tensor: Any) -> bool:
    """Return whether a Tensor has no value, because it belongs to a trace or a model."""
    if isinstance(tensor, KerasTensor):
        return True
    return isinstance(tensor, Tensor) and tensor._value is None and not tensor._trace.eager
