# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false
"""TypeSpec: what is known of a value without its Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lamina.engine import nest
from lamina.engine.composite import Composite

__all__ = ["TypeSpec"]


class TypeSpec:
    """What is known of a value without its Tensors: its class, shapes, dtypes and plain parts.

    `tf.TensorSpec`, `tf.RaggedTensorSpec` and the `Spec` of each `tf.experimental.ExtensionType`
    are TypeSpecs. A subclass of one's own defines `value_type`, `_serialize`, `_component_specs`,
    `_to_components` and `_from_components`.

    Example:
        >>> isinstance(tf.TensorSpec([2]), tf.TypeSpec)
        True
        >>> tf.type_spec_from_value(tf.constant([1, 2]))
        TensorSpec(shape=(2,), dtype=tf.int32, name=None)
    """

    __slots__ = ()

    @property
    def value_type(self) -> Any:
        """The class of the values that this describes."""
        raise TypeError(f"{type(self).__name__}: a TypeSpec must define `value_type`.")

    def _serialize(self) -> tuple[Any, ...]:
        """Return the values that tell this spec from others of its class."""
        raise TypeError(f"{type(self).__name__}: a TypeSpec must define `_serialize`.")

    @property
    def _component_specs(self) -> Any:
        """The TypeSpecs of the components, a structure."""
        raise TypeError(f"{type(self).__name__}: a TypeSpec must define `_component_specs`.")

    def _to_components(self, value: Any) -> Any:
        """Return the Tensors of a value, a structure like `_component_specs`."""
        return value

    def _from_components(self, components: Any) -> Any:
        """Return the value that has the given Tensors."""
        return components

    def _component_types(self, fresh: Callable[[], Any]) -> list[Any] | None:
        """Return the types of placeholders for the components, where sizes belong together.

        Args:
            fresh: A function that returns a symbol for a size that no other size equals.

        Returns:
            A type for each component; None gives each the type that its own spec says.
        """
        return None

    # What every spec can do with these.

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether a value, or every value of a spec, is one that this spec describes.

        Args:
            spec_or_value: A TypeSpec, or a value.
        """
        other = spec_or_value
        if isinstance(other, Composite) and not isinstance(other, TypeSpec):
            other = getattr(other, "_type_spec", None)
        return isinstance(other, TypeSpec) and (
            type(other) is type(self) and _agree(self._serialize(), other._serialize())
        )

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether every value of this spec is one of `other`."""
        return isinstance(other, TypeSpec) and bool(other.is_compatible_with(self))

    def most_specific_common_supertype(self, others: Sequence[Any]) -> Any:
        """Return the narrowest spec that describes the values of this and of all others.

        Args:
            others: TypeSpecs.

        Returns:
            A TypeSpec, or None if there is none.
        """
        found: Any = self
        for other in others:
            if type(other) is not type(found):
                return None
            joined = _joined(found._serialize(), other._serialize())
            if joined is _NOTHING:
                return None
            found = found._deserialize(joined)
        return found

    def most_specific_compatible_type(self, other: Any) -> Any:
        """Return the narrowest spec that describes the values of this and of `other`.

        Raises:
            ValueError: there is none.
        """
        found = self.most_specific_common_supertype([other])
        if found is None:
            raise ValueError(
                f"No TypeSpec is compatible with both {self!r} and {other!r}.\n"
                f"  Fix: values that meet must have the same class, dtypes and plain parts."
            )
        return found

    @classmethod
    def _deserialize(cls, serialization: tuple[Any, ...]) -> Any:
        return cls(*serialization)

    def flatten(self) -> list[Any]:
        """Return the TensorSpecs in this spec."""
        return nest.flatten(self._component_specs)

    def to_tensors(self, value: Any) -> list[Any]:
        """Return the Tensors of a value of this spec."""
        return nest.flatten(self._to_components(value))

    def from_tensors(self, tensors: Iterable[Any]) -> Any:
        """Return the value of this spec that has the given Tensors."""
        return self._from_components(nest.pack_sequence_as(self._component_specs, list(tensors)))

    def cast(self, value: Any, casting_context: Any = None) -> Any:
        """Return a value if it fits this spec.

        Raises:
            TypeError: it does not.
        """
        if self.is_compatible_with(value):
            return value
        raise TypeError(
            f"TypeSpec.cast: the value must fit {self!r}; got {value!r}.\n"
            f"  Fix: pass a {getattr(self.value_type, '__name__', self.value_type)}."
        )

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and bool(_key(self) == _key(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(_key(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._serialize()!r}"


def _key(spec: Any) -> Any:
    return type(spec), _hashable(spec._serialize())


def _hashable(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_hashable(v) for v in value)
    if hasattr(value, "items"):
        return tuple(sorted((k, _hashable(v)) for k, v in value.items()))
    return value


_NOTHING = object()


def _agree(mine: Any, other: Any) -> bool:
    """Return whether a serialized part allows another."""
    check = getattr(mine, "is_compatible_with", None)
    if check is not None:
        try:
            return bool(check(other))
        except (TypeError, ValueError, AttributeError):
            return False
    if isinstance(mine, list | tuple) and isinstance(other, list | tuple):
        return len(mine) == len(other) and all(map(_agree, mine, other))
    if hasattr(mine, "items") and hasattr(other, "items"):
        return _agree_by_keys(mine, other)
    return bool(mine == other)


def _agree_by_keys(mine: Any, other: Any) -> bool:
    return mine.keys() == other.keys() and all(_agree(v, other[k]) for k, v in mine.items())


def _joined(a: Any, b: Any) -> Any:
    """Return the serialized part that allows both, or _NOTHING."""
    if hasattr(a, "most_specific_compatible_shape"):
        return a.most_specific_compatible_shape(b)
    if hasattr(a, "most_specific_common_supertype"):
        found = a.most_specific_common_supertype([b])
        return _NOTHING if found is None else found
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        parts = [_joined(x, y) for x, y in zip(a, b, strict=True)]
        return _NOTHING if any(p is _NOTHING for p in parts) else tuple(parts)
    if hasattr(a, "items") and hasattr(b, "items"):
        return _joined_by_keys(a, b)
    return a if a == b else _NOTHING


def _joined_by_keys(a: Any, b: Any) -> Any:
    if a.keys() != b.keys():
        return _NOTHING
    items = {k: _joined(v, b[k]) for k, v in a.items()}
    return _NOTHING if any(p is _NOTHING for p in items.values()) else items
