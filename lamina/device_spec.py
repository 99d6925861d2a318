"""tf.DeviceSpec: a device's name, part by part."""

from typing import Any, Self

__all__ = ["DeviceSpec"]

_PARTS = ("job", "replica", "task", "device_type", "device_index")


class DeviceSpec:
    """A device's name, or a part of one; parts left out are None.

    Args:
        job: The job's name.
        replica: The replica's number.
        task: The task's number.
        device_type: "CPU", "GPU" or "TPU".
        device_index: The device's number.

    Example:
        >>> tf.DeviceSpec(job="worker", device_type="GPU", device_index=1).to_string()
        '/job:worker/device:GPU:1'
        >>> tf.DeviceSpec.from_string("/gpu:0").device_type
        'GPU'
    """

    __slots__ = ("_values",)

    def __init__(
        self,
        job: Any = None,
        replica: Any = None,
        task: Any = None,
        device_type: Any = None,
        device_index: Any = None,
    ) -> None:
        kind = None if device_type is None else str(device_type)
        if kind is not None and kind.lower() in ("cpu", "gpu", "tpu"):
            kind = kind.upper()
        numbers = [None if v is None else int(v) for v in (replica, task, device_index)]
        self._values = (
            None if job is None else str(job),
            numbers[0],
            numbers[1],
            kind,
            numbers[2],
        )

    job = property(lambda self: self._values[0], doc="The job's name.")
    replica = property(lambda self: self._values[1], doc="The replica's number.")
    task = property(lambda self: self._values[2], doc="The task's number.")
    device_type = property(lambda self: self._values[3], doc="The kind of device.")
    device_index = property(lambda self: self._values[4], doc="The device's number.")

    @classmethod
    def from_string(cls, spec: str) -> "DeviceSpec":
        """Return the DeviceSpec of a name such as "/job:worker/task:0/device:GPU:1".

        Raises:
            ValueError: the name has not this form.
        """
        found: dict[str, Any] = {}
        for part in (spec or "").split("/"):
            if not part:
                continue
            key, *rest = part.split(":")
            if key.lower() in ("cpu", "gpu", "tpu") and len(rest) <= 1:
                rest, key = [key.upper(), *rest], "device"
            if key == "device" and "device_type" in found:
                raise ValueError(
                    f"DeviceSpec: Multiple device types are not allowed in a name; got {spec!r}.\n"
                    "  Fix: name one device."
                )
            if key in ("job", "replica", "task") and len(rest) == 1:
                found[key] = rest[0]
            elif key == "device" and 1 <= len(rest) <= 2:
                found["device_type"] = rest[0]
                if len(rest) == 2 and rest[1] != "*":
                    found["device_index"] = rest[1]
            else:
                raise ValueError(
                    f"Unknown attribute '{key}' is encountered while parsing the device spec: "
                    f"'{spec}'.\n  Fix: write it as /job:<name>/replica:<n>/task:<n>/device:CPU:0."
                )
        return cls(**found)

    def parse_from_string(self, spec: str) -> "DeviceSpec":
        """Return the DeviceSpec of a name; see `from_string`."""
        return type(self).from_string(spec)

    def to_string(self) -> str:
        """Return the name."""
        text = ""
        for key in ("job", "replica", "task"):
            value = getattr(self, key)
            if value is not None:
                text += f"/{key}:{value}"
        if self.device_type is not None:
            index = "*" if self.device_index is None else self.device_index
            text += f"/device:{self.device_type}:{index}"
        return text

    def make_merged_spec(self, dev: "DeviceSpec") -> Self:
        """Return this one with the parts that `dev` has in place of its own."""
        theirs, mine = dev._values, self._values
        pairs = zip(mine, theirs, strict=True)
        return type(self)(*[m if t is None else t for m, t in pairs])

    def replace(self, **kwargs: Any) -> Self:
        """Return this one with some parts replaced, by name."""
        return type(self)(**(dict(zip(_PARTS, self._values, strict=True)) | kwargs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def __repr__(self) -> str:
        given = [(k, v) for k, v in zip(_PARTS, self._values, strict=True) if v is not None]
        return f"DeviceSpec({', '.join(f'{k}={v!r}' for k, v in given)})"
