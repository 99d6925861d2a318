"""The machine's devices as `tensorflow.python.client.device_lib` lists them."""

from typing import Any

from lamina.config import list_logical_devices
from lamina.ops.placement import devices_of
from lamina.protos.messages import Field, Message

__all__ = ["DeviceAttributes", "DeviceLocality", "list_local_devices"]

_CPU_MEMORY = 1 << 28  # bytes; what TensorFlow says of any CPU


class DeviceLocality(Message):
    """Where a device stands in its machine.

    Fields:
        bus_id: The number of the bus.
        numa_node: The number of the NUMA node.
    """

    bus_id = Field(1, "int32")
    numa_node = Field(2, "int32")


class DeviceAttributes(Message):
    """A device of this process.

    Fields:
        name: As "/device:GPU:0".
        device_type: "CPU", "GPU" or "TPU".
        memory_limit: Bytes that programs may use.
        locality: Where the device stands.
        incarnation: A number of the device in this process.
        physical_device_desc: A text on what the device is; "" for a CPU.
        xla_global_id: The number that XLA gives it, -1 for a CPU.
    """

    name = Field(1, "string")
    device_type = Field(2, "string")
    memory_limit = Field(4, "int64")
    locality = Field(5, DeviceLocality)
    incarnation = Field(6, "fixed64")
    physical_device_desc = Field(7, "string")
    xla_global_id = Field(8, "int64")


def list_local_devices(session_config: Any = None) -> list[DeviceAttributes]:
    """Return the devices that programs of this process can use.

    Args:
        session_config: Accepted, unused: there are no sessions.

    Returns:
        A list of messages.

    Example:
        >>> from lamina.python.client import device_lib
        >>> [d.name for d in device_lib.list_local_devices() if d.device_type == "CPU"][:1]
        ['/device:CPU:0']
    """
    found: list[DeviceAttributes] = []
    for logical in list_logical_devices():
        kind, number = logical.device_type, int(logical.name.rpartition(":")[2])
        found.append(_attributes(logical.name, kind, devices_of(kind)[number]))
    return found


def _attributes(name: str, kind: str, device: Any) -> DeviceAttributes:
    made = DeviceAttributes(name=name, device_type=kind, locality=DeviceLocality())
    made.incarnation = hash((name, id(device))) % (1 << 63)
    if kind == "CPU":
        made.memory_limit, made.xla_global_id = _CPU_MEMORY, -1
        return made
    stats = device.memory_stats() or {}
    made.memory_limit = int(stats.get("bytes_limit", 0))
    made.physical_device_desc = f"device: {device.local_hardware_id}, name: {device.device_kind}"
    made.xla_global_id = device.id
    return made
