"""Which device values made from Python go to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from lamina.engine import local

__all__ = ["device"]


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
