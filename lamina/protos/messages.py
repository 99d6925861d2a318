"""What a message class is: fields by name, presence, binary form, as Google's library has it.

A class lists its fields; instances are used like those of Google's generated classes: repeated
fields and maps are changed in place, and a nested message appears when something in it is set.
"""

import types
from collections.abc import Iterator
from typing import Any, ClassVar, Self

from lamina.protos import wire
from lamina.protos.descriptors import MessageDescriptor
from lamina.protos.fields import Field, Map, as_message
from lamina.protos.scalars import SCALARS, Scalar
from lamina.protos.text import shown

__all__ = ["Field", "Message"]


class Message:
    """The base of message classes.

    Args:
        **values: Values of fields by name: scalars, lists, dicts, messages.
    """

    fields: ClassVar[dict[str, Field]] = {}
    DESCRIPTOR: ClassVar[MessageDescriptor]
    _by_number: ClassVar[dict[int, Field]] = {}

    def __init_subclass__(cls, map_entry: bool = False) -> None:
        found = [f for f in vars(cls).values() if isinstance(f, Field)]
        cls.fields = {f.name: f for f in sorted(found, key=lambda f: f.number)}
        cls._by_number = {f.number: f for f in found}
        cls.DESCRIPTOR = MessageDescriptor(cls, map_entry=map_entry)
        for field in found:
            if field.key is not None:
                field.entry = _entry_class(cls, field)

    def __init__(self, **values: Any) -> None:
        self._values: dict[str, Any] = {}
        self._present: set[str] = set()
        self._owner: tuple[Message, Field | None] | None = None
        self._unknown = b""
        for name, value in values.items():
            field = self.fields.get(name)
            if field is None:
                raise ValueError(
                    f'Protocol message {type(self).__name__} has no "{name}" field.\n'
                    f"  Fix: it has {', '.join(self.fields)}."
                )
            if value is not None:
                self._fill(field, value)

    def _fill(self, field: Field, value: Any) -> None:
        if field.key is not None:
            mapping = getattr(self, field.name)
            for key, entry in value.items():
                mapping.set(key, entry)
        elif field.repeated:
            getattr(self, field.name).extend(value)
        elif field.message is not None:
            child = getattr(self, field.name)
            child.MergeFrom(as_message(field.message, value))
            self._mark(field)
        else:
            setattr(self, field.name, value)

    # -- presence

    def _mark(self, field: Field) -> None:
        """Note that a field is set: others of its group are not any more."""
        if field.oneof is not None and field.name not in self._present:
            for other in self.fields.values():
                if other.oneof == field.oneof and other is not field:
                    self.ClearField(other.name)
        self._present.add(field.name)
        self._changed()

    def _changed(self) -> None:
        """Note that something in this message was set: it is there, then."""
        if self._owner is not None:
            parent, field = self._owner
            if field is None:
                parent._changed()
            elif field.name not in parent._present:
                parent._mark(field)

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self.fields:
            raise AttributeError(
                f"Assignment not allowed (no field {name!r} in protocol message object "
                f"{type(self).__name__}).\n  Fix: it has {', '.join(self.fields)}."
            )
        super().__setattr__(name, value)

    def _is_set(self, field: Field) -> bool:
        value = self._values.get(field.name)
        if value is None:
            return False
        if not field.is_single:
            return len(value) > 0
        if field.message is not None or field.oneof is not None:
            return field.name in self._present
        assert field.scalar is not None
        return value != field.scalar.default

    def HasField(self, field_name: str) -> bool:  # noqa: N802  # Google's name
        """Return whether a single field is set.

        Raises:
            ValueError: there is no such field, or it is repeated.
        """
        field = self.fields.get(field_name)
        if field is not None and field.is_single:
            return self._is_set(field)
        groups = {f.oneof for f in self.fields.values()}
        if field is None and field_name in groups:
            return self.WhichOneof(field_name) is not None
        raise ValueError(
            f"{type(self).__name__}.HasField: a field that is not repeated was expected; got "
            f"{field_name!r}."
        )

    def WhichOneof(self, oneof_group: str) -> str | None:  # noqa: N802  # Google's name
        """Return the name of the field of a group that is set, or None.

        Raises:
            ValueError: there is no such group.
        """
        group = [f for f in self.fields.values() if f.oneof == oneof_group]
        if not group:
            raise ValueError(
                f'Protocol message {type(self).__name__} has no oneof "{oneof_group}" field.'
            )
        return next((f.name for f in group if self._is_set(f)), None)

    def ListFields(self) -> list[tuple[Field, Any]]:  # noqa: N802  # Google's name
        """Return the fields that are set, with their values."""
        return [(f, getattr(self, n)) for n, f in self.fields.items() if self._is_set(f)]

    def ClearField(self, field_name: str) -> None:  # noqa: N802  # Google's name
        """Take what a field holds away."""
        if field_name not in self.fields:
            raise ValueError(f'Protocol message {type(self).__name__} has no "{field_name}" field.')
        old = self._values.pop(field_name, None)
        if isinstance(old, Message):
            old._owner = None
        self._present.discard(field_name)

    def Clear(self) -> None:  # noqa: N802  # Google's name
        """Take what all fields hold away."""
        for name in self.fields:
            self.ClearField(name)
        self._unknown = b""

    def IsInitialized(self) -> bool:  # noqa: N802  # Google's name
        """Return True: no field is required."""
        return True

    def SetInParent(self) -> None:  # noqa: N802  # Google's name
        """Note that this message is set in the one that it belongs to."""
        self._changed()

    # -- copies

    def CopyFrom(self, other_msg: Any) -> None:  # noqa: N802  # Google's name
        """Become equal to another message of the class."""
        if other_msg is not self:
            data = as_message(type(self), other_msg).SerializeToString()
            self.Clear()
            self.MergeFromString(data)

    def MergeFrom(self, other_msg: Any) -> None:  # noqa: N802  # Google's name
        """Take over what another message of the class has set; lists grow."""
        self.MergeFromString(as_message(type(self), other_msg).SerializeToString())

    def __copy__(self) -> Self:
        return self.FromString(self.SerializeToString())

    def __deepcopy__(self, memo: Any) -> Self:
        return self.FromString(self.SerializeToString())

    def __reduce__(self) -> Any:
        return type(self).FromString, (self.SerializeToString(),)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine = {f.name: v for f, v in self.ListFields()}
        return mine == {f.name: v for f, v in other.ListFields()}

    def __repr__(self) -> str:
        return shown(self)

    __str__ = __repr__

    # -- binary form

    def SerializeToString(self, deterministic: Any = None) -> bytes:  # noqa: N802  # Google's name
        """Return the message's binary form.

        Args:
            deterministic: Whether the entries of maps come in the order of their keys.
        """
        out = [b"".join(_written(f, v, deterministic)) for f, v in self.ListFields()]
        return b"".join([*out, self._unknown])

    SerializePartialToString = SerializeToString

    def ByteSize(self) -> int:  # noqa: N802  # Google's name
        """Return the length of the binary form."""
        return len(self.SerializeToString())

    @classmethod
    def FromString(cls, s: Any) -> Self:  # noqa: N802  # Google's name
        """Return the message of a binary form.

        Raises:
            DecodeError: the bytes are no such message.
        """
        made = cls()
        made.MergeFromString(s)
        return made

    def ParseFromString(self, serialized: Any) -> int:  # noqa: N802  # Google's name
        """Become the message of a binary form; return its length.

        Raises:
            DecodeError: the bytes are no such message.
        """
        self.Clear()
        return self.MergeFromString(serialized)

    def MergeFromString(self, serialized: Any) -> int:  # noqa: N802  # Google's name
        """Take over what a binary form has set; return its length.

        Raises:
            DecodeError: the bytes are no such message.
            TypeError: the argument is not bytes.
        """
        if not isinstance(serialized, bytes | bytearray | memoryview):
            raise TypeError(
                f"{type(self).__name__}: expected bytes; got {type(serialized).__name__}.\n"
                f"  Fix: pass tensor.numpy() of a scalar string Tensor."
            )
        for number, kind, value in wire.fields(bytes(serialized)):
            field = self._by_number.get(number)
            if field is None:
                self._unknown += wire.tag(number, kind) + _raw(kind, value)
            else:
                _read(self, field, kind, value)
        self._changed()
        return len(serialized)


def _entry_class(owner: type[Message], field: Field) -> type[Message]:
    """Return the class of a map's entries, which is what a map is in the binary form."""
    name = field.camelcase_name[:1].upper() + field.camelcase_name[1:] + "Entry"
    body = {
        "__qualname__": f"{owner.__qualname__}.{name}",
        "__module__": owner.__module__,
        "key": Field(1, field.key),
        "value": Field(2, field.message or field.enum_type or field.kind),
    }
    return types.new_class(name, (Message,), {"map_entry": True}, lambda made: made.update(body))


def _raw(kind: int, value: Any) -> bytes:
    if kind == wire.VARINT:
        return wire.varint(value)
    return wire.varint(len(value)) + value if kind == wire.BYTES else value


def _sized(number: int, data: bytes) -> bytes:
    return wire.tag(number, wire.BYTES) + wire.varint(len(data)) + data


def _one(field: Any, value: Any, deterministic: Any) -> bytes:
    scalar = field.scalar
    if scalar is None:
        return _sized(field.number, value.SerializeToString(deterministic))
    if scalar.kind == wire.BYTES:
        return _sized(field.number, scalar.written(value))
    return wire.tag(field.number, scalar.kind) + scalar.written(value)


def _written(field: Field, value: Any, deterministic: Any) -> Iterator[bytes]:
    """Yield the binary form of a field that is set."""
    if field.key is not None:
        key = Field(1, field.key)
        entry = Field(2, field.message or field.kind)
        for k in sorted(value) if deterministic else value:
            inside = _one(key, k, deterministic) + _one(entry, value.get(k), deterministic)
            yield _sized(field.number, inside)
    elif not field.repeated:
        yield _one(field, value, deterministic)
    elif field.scalar is not None and field.scalar.unpacked is not None:
        yield _sized(field.number, b"".join(map(field.scalar.written, value)))
    else:
        for v in value:
            yield _one(field, v, deterministic)


def _value(scalar: Scalar, kind: int, value: Any) -> Any:
    if scalar.kind != kind:
        raise wire.DecodeError(f"Error parsing message: wire type {kind}, expected {scalar.kind}")
    try:
        return scalar.read(value)
    except UnicodeDecodeError as error:
        raise wire.DecodeError(f"Error parsing message: {error}") from None


def _read(message: Message, field: Field, kind: int, value: Any) -> None:
    """Take a field over from the binary form."""
    scalar = field.scalar
    target: Any = getattr(message, field.name)
    if field.key is not None:
        _read_entry(target, field, value)
    elif scalar is None:
        if kind != wire.BYTES:
            raise wire.DecodeError(f"Error parsing message: wire type {kind} of {field.name}")
        if field.repeated:
            target.add().MergeFromString(value)
        else:
            target.MergeFromString(value)
            message._mark(field)
    elif not field.repeated:
        message._values[field.name] = _value(scalar, kind, value)
        message._mark(field)
    elif kind == wire.BYTES and scalar.unpacked is not None:
        if len(value) % {wire.FIXED32: 4, wire.FIXED64: 8}.get(scalar.kind, 1):
            raise wire.DecodeError(f"Error parsing message: {field.name} is cut off")
        target._list += scalar.unpacked(value)
        message._changed()
    else:
        target._list.append(_value(scalar, kind, value))
        message._changed()


def _read_entry(target: Map, field: Field, data: bytes) -> None:
    assert field.key is not None
    key, raw = SCALARS[field.key].default, None
    for number, kind, value in wire.fields(data):
        if number == 1:
            key = _value(SCALARS[field.key], kind, value)
        elif number == 2:
            raw = kind, value
    if field.scalar is not None:
        target[key] = field.scalar.default if raw is None else _value(field.scalar, *raw)
        return
    assert field.message is not None
    entry = field.message()
    entry._owner = target._owner, None
    if raw is not None:
        entry.MergeFromString(raw[1])
    target._dict[key] = entry
