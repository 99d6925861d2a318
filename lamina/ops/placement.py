"""Which device values made from Python go to, and which devices a program sees."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from lamina.engine import local

__all__ = ["device", "devices_of", "hidden", "kind_of", "parse_name"]

hidden: set[Any] = set()
"""The jax devices that `tf.config.set_visible_devices` left out."""


def kind_of(device: Any) -> str:
    """Return TF's name for a jax device's kind: "CPU", "GPU" or "TPU"."""
    return "GPU" if device.platform in ("gpu", "cuda", "rocm") else device.platform.upper()


def devices_of(kind: str) -> list[Any]:
    """Return this process's visible jax devices of a kind, in order; none if there are none."""
    try:
        found = jax.local_devices(backend=kind.lower())
    except RuntimeError:
        return []
    return [d for d in found if d not in hidden]


@contextmanager
def device(device_name: Any) -> Iterator[None]:
    """Put the Tensors made from Python and NumPy values inside the block on a device.

    Args:
        device_name: "/GPU:0", "CPU:0", "/job:localhost/device:TPU:1", a `tf.DeviceSpec`, or None
            for the default. A kind of device that this process lacks means the default, as with
            TF's soft placement.

    Raises:
        ValueError: the name has not this form.
    """
    before = local.device
    local.device = _find(device_name)
    try:
        yield
    finally:
        local.device = before


def parse_name(who: str, name: Any) -> tuple[str, int] | None:
    """Return the kind and number in a device's name, None if it names none ("/job:worker").

    Raises:
        ValueError: the name has not TF's form.
    """
    kind, number = "", 0
    for part in str(name).strip("/").split("/"):
        key, _, rest = part.partition(":")
        if key.lower() in ("job", "replica", "task") or not part:
            continue
        if key.lower() in ("device", "physical_device"):
            key, _, rest = rest.partition(":")
        kind = key.upper()
        if kind not in ("CPU", "GPU", "TPU", "XLA_CPU", "XLA_GPU") or not _is_number(rest):
            raise ValueError(
                f'{who}: `device_name` must be a name such as "/GPU:0"; got {name!r}.\n'
                f"  Fix: tf.config.list_logical_devices() lists what there is."
            )
        kind, number = kind.removeprefix("XLA_"), int(rest) if rest.isdigit() else 0
    return (kind, number) if kind else None


def _is_number(text: str) -> bool:
    return text in ("", "*") or text.isdigit()


def _find(name: Any) -> Any:
    if hasattr(name, "to_string"):  # a tf.DeviceSpec
        name = name.to_string()
    if hasattr(name, "device_type") and hasattr(name, "name"):  # a logical device
        name = name.name
    if name is None or not isinstance(name, str):
        return name
    parsed = parse_name("tf.device", name)
    if parsed is None:
        return None
    devices = devices_of(parsed[0])
    return devices[parsed[1]] if parsed[1] < len(devices) else None
