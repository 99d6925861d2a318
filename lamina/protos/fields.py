"""Fields of messages, and what repeated ones and maps hold."""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any

from lamina.protos.descriptors import FieldDescriptor
from lamina.protos.enums import Enum
from lamina.protos.scalars import SCALARS

__all__ = ["Field", "Map", "Repeated", "RepeatedMessages", "as_message"]


class Field(FieldDescriptor):
    """A field of a message class, and its descriptor.

    Args:
        number: The field's number in the binary form.
        kind: The name of a scalar kind, an Enum, or a message class.
        repeated: Whether it holds several values.
        key: The scalar kind of a map's keys; None if it is no map.
        oneof: The name of the group of which one field at most is set.
    """

    def __init__(
        self,
        number: int,
        kind: Any,
        *,
        repeated: bool = False,
        key: str | None = None,
        oneof: str | None = None,
    ) -> None:
        self.number = number
        self.enum_type = kind if isinstance(kind, Enum) else None
        self.scalar = SCALARS.get(kind) if isinstance(kind, str) else None
        self.kind = kind if isinstance(kind, str) else "message"
        if self.enum_type is not None:
            self.scalar, self.kind = self.enum_type.scalar, "enum"
        self.message: Any = kind if self.kind == "message" else None
        self.repeated = repeated
        self.key = key
        self.oneof = oneof

    @property
    def is_single(self) -> bool:
        """Whether the field is neither repeated nor a map."""
        return not self.repeated and self.key is None

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.owner = name, owner

    def empty(self, owner: Any) -> Any:
        """Return the value of a field that is not set."""
        if self.key is not None:
            return Map(owner, self)
        if self.repeated:
            return Repeated(owner, self) if self.scalar else RepeatedMessages(owner, self)
        if self.message is not None:
            child = self.message()
            child._owner = owner, self
            return child
        assert self.scalar is not None
        return self.scalar.default

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        found = instance._values.get(self.name)
        if found is None:
            found = self.empty(instance)
            if self.scalar is None or not self.is_single:
                instance._values[self.name] = found
        return found

    def __set__(self, instance: Any, value: Any) -> None:
        if self.scalar is None or not self.is_single:
            raise AttributeError(
                f'Assignment not allowed to map, repeated, or message field "{self.name}" in '
                f"protocol message object.\n  Fix: CopyFrom, extend, or assign to an element."
            )
        instance._values[self.name] = self.scalar.checked(value)
        instance._mark(self)


class Repeated(MutableSequence[Any]):
    """The values of a repeated field: a list that takes values of one kind only."""

    def __init__(self, owner: Any, field: Field) -> None:
        assert field.scalar is not None
        self._owner, self._checked = owner, field.scalar.checked
        self._list: list[Any] = []

    def __getitem__(self, place: Any) -> Any:
        return self._list[place]

    def __setitem__(self, place: Any, value: Any) -> None:
        several = isinstance(place, slice)
        self._list[place] = [self._checked(v) for v in value] if several else self._checked(value)
        self._owner._changed()

    def __delitem__(self, place: Any) -> None:
        del self._list[place]

    def __len__(self) -> int:
        return len(self._list)

    def insert(self, index: int, value: Any) -> None:
        """Put a value before a place."""
        self._list.insert(index, self._checked(value))
        self._owner._changed()

    def extend(self, values: Iterable[Any]) -> None:
        """Append several values."""
        self._list += [self._checked(v) for v in values]
        self._owner._changed()

    MergeFrom = extend

    def sort(self, **kwargs: Any) -> None:
        """Sort the values in place."""
        self._list.sort(**kwargs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Repeated):
            return self._list == other._list
        return self._list == other

    def __repr__(self) -> str:
        return repr(self._list)


class RepeatedMessages(Repeated):
    """The messages of a repeated field."""

    def __init__(self, owner: Any, field: Field) -> None:
        self._owner, self._kind = owner, field.message
        self._list = []

    def _checked(self, value: Any) -> Any:
        return as_message(self._kind, value)

    def add(self, **values: Any) -> Any:
        """Append a new message, and return it."""
        assert self._kind is not None
        made = self._kind(**values)
        made._owner = self._owner, None
        self._list.append(made)
        self._owner._changed()
        return made


class Map(MutableMapping[Any, Any]):
    """The entries of a map field; a message that is asked for appears."""

    def __init__(self, owner: Any, field: Field) -> None:
        assert field.key is not None
        self._owner, self._field = owner, field
        self._key = SCALARS[field.key].checked
        self._dict: dict[Any, Any] = {}

    def __getitem__(self, key: Any) -> Any:
        key = self._key(key)
        if key not in self._dict:
            field = self._field
            if field.message is None:
                assert field.scalar is not None
                self._dict[key] = field.scalar.default
            else:
                self._dict[key] = field.message()
                self._dict[key]._owner = self._owner, None
            self._owner._changed()
        return self._dict[key]

    get_or_create = __getitem__

    def __setitem__(self, key: Any, value: Any) -> None:
        if self._field.scalar is None:
            raise ValueError(
                f'Direct assignment of submessage not allowed in map "{self._field.name}".\n'
                f"  Fix: {self._field.name}[key].CopyFrom(message)."
            )
        self._dict[self._key(key)] = self._field.scalar.checked(value)
        self._owner._changed()

    def __delitem__(self, key: Any) -> None:
        del self._dict[key]

    def __contains__(self, key: object) -> bool:
        return key in self._dict

    def get(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key, or the default; nothing appears."""
        return self._dict.get(key, default)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def GetEntryClass(self) -> Any:  # noqa: N802  # Google's name
        """Return the class of messages that hold a key and a value."""
        return self._field.entry

    def set(self, key: Any, value: Any) -> None:
        """Put a value or message in, copied."""
        if self._field.scalar is not None:
            self[key] = value
        else:
            self[key].CopyFrom(as_message(self._field.message, value))

    def __repr__(self) -> str:
        return repr(self._dict)


def as_message(kind: Any, value: Any) -> Any:
    """Return a message, made of a dict if one is given."""
    if isinstance(value, Mapping):
        return kind(**value)
    if not isinstance(value, kind):
        raise TypeError(
            f"Parameter must be a {kind.__name__} or a dict; got {value!r} "
            f"({type(value).__name__})."
        )
    return value
