"""tf.config, and lamina's own switches: `lamina.config.eager = "sync"`."""

import sys
import types
from typing import Any, NamedTuple

import jax

from lamina.engine import flush
from lamina.engine.context import config as _switches

__all__ = [
    "PhysicalDevice",
    "experimental",
    "functions_run_eagerly",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_soft_device_placement",
    "set_visible_devices",
]

_SWITCHES = tuple(vars(_switches))


class PhysicalDevice(NamedTuple):
    """A device: its name in TF's notation, and its type, "CPU", "GPU" or "TPU"."""

    name: str
    device_type: str


def _devices(device_type: str | None, prefix: str) -> list[PhysicalDevice]:
    found = []
    for device in jax.devices():
        kind = "GPU" if device.platform in ("gpu", "cuda", "rocm") else device.platform.upper()
        found.append(PhysicalDevice(f"/{prefix}device:{kind}:{device.id}", kind))
    if all(d.device_type != "CPU" for d in found):
        found.insert(0, PhysicalDevice(f"/{prefix}device:CPU:0", "CPU"))
    return [d for d in found if device_type in (None, d.device_type)]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices of this process.

    Args:
        device_type: "CPU", "GPU" or "TPU"; None for all.
    """
    return _devices(device_type, "physical_")


def list_logical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices as the program sees them; see `list_physical_devices`."""
    return _devices(device_type, "")


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """Return the devices in use; see `list_physical_devices`."""
    return _devices(device_type, "physical_")


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Accept a choice of devices; set JAX_PLATFORMS or CUDA_VISIBLE_DEVICES to make one.

    Raises:
        ValueError: a device is not one of this process.
    """
    known = _devices(None, "physical_")
    for device in devices if isinstance(devices, list | tuple) else [devices]:
        if device not in known:
            raise ValueError(
                f"tf.config.set_visible_devices: {device!r} is not a device of this process; "
                f"got {known}."
            )


def set_soft_device_placement(enabled: bool) -> None:
    """Accept TF's switch: XLA places every operation."""


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Make `tf.function` call the Python function itself, for debugging.

    Args:
        run_eagerly: Whether to.
    """
    _switches.run_functions_eagerly = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Return whether `tf.function` calls the Python function itself."""
    return _switches.run_functions_eagerly


class experimental:  # noqa: N801  # TF's name
    """Names that programs use below tf.config.experimental."""

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Accept TF's switch: JAX reads XLA_PYTHON_CLIENT_PREALLOCATE."""

    @staticmethod
    def enable_op_determinism() -> None:
        """Accept TF's switch: XLA:CPU is deterministic; on GPU set XLA_FLAGS."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    set_visible_devices = staticmethod(set_visible_devices)
    get_visible_devices = staticmethod(get_visible_devices)


class _Config(types.ModuleType):
    """This module, with the switches of the engine as attributes that can be set."""

    def __getattr__(self, name: str) -> Any:
        if name in _SWITCHES:
            return getattr(_switches, name)
        raise AttributeError(f"tf.config has no attribute {name!r}; switches: {list(_SWITCHES)}.")

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "eager" and value not in ("record", "sync"):
            raise ValueError(f'lamina.config.eager: must be "record" or "sync"; got {value!r}.')
        if name in _SWITCHES and name != "run_functions_eagerly":
            setattr(_switches, name, value)
            if name == "eager":
                flush()  # what is recorded next follows the new mode
        elif name.startswith("__"):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"tf.config has no switch {name!r}; there are {list(_SWITCHES)}.")


sys.modules[__name__].__class__ = _Config
