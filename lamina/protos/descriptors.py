"""What a message class says about itself, in the terms of Google's descriptors.

With these Google's own text_format and json_format read and write the messages; lamina needs
neither. The numbers of types are those of descriptor.proto.
"""

from functools import cached_property
from typing import Any

__all__ = ["FieldDescriptor", "MessageDescriptor", "Oneof"]

_LABEL_OPTIONAL, _LABEL_REPEATED = 1, 3
_TYPES = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "fixed64": 6,
    "bool": 8,
    "string": 9,
    "message": 11,
    "bytes": 12,
    "enum": 14,
}
_CPP_TYPES = {
    "int32": 1,
    "int64": 2,
    "uint64": 4,
    "fixed64": 4,
    "double": 5,
    "float": 6,
    "bool": 7,
    "enum": 8,
    "string": 9,
    "bytes": 9,
    "message": 10,
}


class File:
    """The file that defines a message, as far as messages are concerned."""

    package = "tensorflow"
    syntax = "proto3"

    def __init__(self, name: str) -> None:
        self.name = name


class Options:
    """Options of a message: whether it is an entry of a map."""

    message_set_wire_format = False

    def __init__(self, map_entry: bool) -> None:
        self.map_entry = map_entry


class Oneof:
    """A group of fields of which one at most is set."""

    def __init__(self, name: str, owner: "MessageDescriptor") -> None:
        self.name = name
        self.full_name = f"{owner.full_name}.{name}"
        self.containing_type = owner

    @property
    def fields(self) -> list[Any]:
        """The group's fields."""
        return [f for f in self.containing_type.fields if f.oneof == self.name]


class MessageDescriptor:
    """A message class, described: `MessageClass.DESCRIPTOR`.

    Args:
        kind: The class.
        map_entry: Whether its messages are entries of a map.
    """

    is_extendable = False
    containing_type = None
    enum_types: tuple[Any, ...] = ()
    extensions: tuple[Any, ...] = ()

    def __init__(self, kind: type[Any], map_entry: bool = False) -> None:
        self._concrete_class = kind
        self.name = kind.__name__
        self.full_name = f"{File.package}.{kind.__qualname__}"
        self.has_options = map_entry
        self._options = Options(map_entry)
        self.file = File(f"{File.package}/{kind.__module__.rpartition('.')[2]}.proto")

    @cached_property
    def fields(self) -> list[Any]:
        """The fields, in the order of their numbers."""
        return list(self._concrete_class.fields.values())

    @cached_property
    def fields_by_name(self) -> dict[str, Any]:
        """The fields by their names."""
        return {f.name: f for f in self.fields}

    @cached_property
    def fields_by_number(self) -> dict[int, Any]:
        """The fields by their numbers."""
        return {f.number: f for f in self.fields}

    @cached_property
    def fields_by_camelcase_name(self) -> dict[str, Any]:
        """The fields by their names in JSON."""
        return {f.camelcase_name: f for f in self.fields}

    @cached_property
    def oneofs_by_name(self) -> dict[str, Oneof]:
        """The groups of which one field at most is set, by name."""
        return {
            name: Oneof(name, self)
            for name in dict.fromkeys(f.oneof for f in self.fields if f.oneof)
        }

    @property
    def oneofs(self) -> list[Oneof]:
        """The groups of which one field at most is set."""
        return list(self.oneofs_by_name.values())

    def GetOptions(self) -> Options:  # noqa: N802  # Google's name
        """Return the message's options."""
        return self._options

    def __repr__(self) -> str:
        return f"<descriptor of {self.full_name}>"


class FieldDescriptor:
    """What Google's descriptors say about a field; Field has it with its own facts."""

    # Facts that Field sets.
    name: str
    number: int
    kind: str
    key: str | None
    oneof: str | None
    repeated: bool
    message: type[Any] | None
    scalar: Any

    is_extension = False
    is_required = False
    has_options = False
    enum_type: Any
    extension_scope = None
    entry: Any = None  # The class of a map's entries: messages with a key and a value.
    owner: Any

    @property
    def containing_type(self) -> MessageDescriptor:
        """The message that has the field."""
        return self.owner.DESCRIPTOR

    @property
    def file(self) -> File:
        """The file that defines the field."""
        return self.containing_type.file

    @property
    def full_name(self) -> str:
        """The name with that of the message before it."""
        return f"{self.containing_type.full_name}.{self.name}"

    @property
    def index(self) -> int:
        """The place among the message's fields."""
        return self.containing_type.fields.index(self)

    @property
    def camelcase_name(self) -> str:
        """The name in JSON."""
        first, *others = self.name.split("_")
        return first + "".join(word.capitalize() for word in others)

    json_name = camelcase_name

    @property
    def is_repeated(self) -> bool:
        """Whether the field holds several values; a map does."""
        return self.repeated or self.key is not None

    @property
    def label(self) -> int:
        """Google's number for optional or repeated."""
        return _LABEL_REPEATED if self.is_repeated else _LABEL_OPTIONAL

    @property
    def type(self) -> int:
        """Google's number of the type."""
        return _TYPES["message" if self.key is not None else self.kind]

    @property
    def cpp_type(self) -> int:
        """Google's number of the type in C++."""
        return _CPP_TYPES["message" if self.key is not None else self.kind]

    @property
    def has_presence(self) -> bool:
        """Whether a field that is not set differs from one that holds the default."""
        single = not self.is_repeated
        return single and (self.message is not None or self.oneof is not None)

    @property
    def default_value(self) -> Any:
        """The value of the field where it is not set."""
        if self.is_repeated:
            return []
        return None if self.message is not None else self.scalar.default

    @property
    def containing_oneof(self) -> Oneof | None:
        """The group of which one field at most is set."""
        return None if self.oneof is None else self.containing_type.oneofs_by_name[self.oneof]

    @property
    def message_type(self) -> MessageDescriptor | None:
        """The messages that the field holds; the entries, if it is a map."""
        if self.key is not None:
            return self.entry.DESCRIPTOR
        return None if self.message is None else self.message.DESCRIPTOR

    def GetOptions(self) -> Options:  # noqa: N802  # Google's name
        """Return the field's options."""
        return Options(False)
