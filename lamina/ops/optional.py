"""tf.experimental.Optional: a value, or none; and the specs of it and of None."""

from typing import Any

import numpy as np

from lamina.engine import (
    Tensor,
    TensorSpec,
    Variable,
    convert_to_tensor,
    errors,
    nest,
)
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec

__all__ = [
    "NoneTensorSpec",
    "Optional",
    "OptionalSpec",
    "type_spec_from_value",
]


class NoneTensorSpec(TypeSpec):
    """The TypeSpec of None.

    Example:
        >>> tf.type_spec_from_value(None)
        NoneTensorSpec()
    """

    @property
    def value_type(self) -> Any:
        """The class of None."""
        return type(None)

    def _serialize(self) -> tuple[Any, ...]:
        return ()

    @property
    def _component_specs(self) -> Any:
        return []

    def _to_components(self, value: Any) -> Any:
        return []

    def _from_components(self, components: Any) -> Any:
        return None

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether it is None, or the spec of None."""
        return spec_or_value is None or isinstance(spec_or_value, NoneTensorSpec)


class Optional(Composite):
    """A value, or none: what an iterator gives that may have ended.

    Made by `Optional.from_value` and `Optional.empty`.

    Example:
        >>> some = tf.experimental.Optional.from_value(tf.constant(42))
        >>> bool(some.has_value()), some.get_value().numpy()
        (True, np.int32(42))
        >>> none = tf.experimental.Optional.empty(tf.TensorSpec([], tf.int32))
        >>> bool(none.has_value())
        False
    """

    def __init__(self, spec: Any, value: Any = None, present: bool = False) -> None:
        self._spec = spec
        self._value = value
        self._present = present

    @staticmethod
    def empty(element_spec: Any) -> "Optional":
        """Return one without a value.

        Args:
            element_spec: A structure of TypeSpecs of the value that is not there.
        """
        return Optional(element_spec)

    @staticmethod
    def from_value(value: Any) -> "Optional":
        """Return one with a value, a structure of Tensors or what converts to them."""
        value = nest.map_structure(convert_to_tensor, value)
        return Optional(_structure_spec(value), value, True)

    def has_value(self, name: str | None = None) -> Tensor:
        """Return whether there is a value, a bool scalar."""
        return convert_to_tensor(self._present)

    def get_value(self, name: str | None = None) -> Any:
        """Return the value.

        Raises:
            InvalidArgumentError: there is none.
        """
        if not self._present:
            raise errors.InvalidArgumentError(
                "tf.experimental.Optional.get_value: The given optional does not have a value.\n"
                "  Fix: ask has_value() first."
            )
        return self._value

    @property
    def element_spec(self) -> Any:
        """The TypeSpecs of the value, a structure."""
        return self._spec

    def _components(self) -> list[Any]:
        return [self._value] if self._present else []

    def _rebuilt(self, components: Any) -> "Optional":
        return Optional(self._spec, components[0], self._present) if components else self

    def _kind(self) -> Any:
        return self._present

    @property
    def _type_spec(self) -> "OptionalSpec":
        return OptionalSpec(self._spec)

    def __repr__(self) -> str:
        held = repr(self._value) if self._present else "no value"
        return f"<tf.experimental.Optional: {held}>"


class OptionalSpec(TypeSpec):
    """The TypeSpec of `tf.experimental.Optional`.

    Args:
        element_spec: The TypeSpecs of the value, a structure.

    Example:
        >>> tf.OptionalSpec(tf.TensorSpec([], tf.int32))
        OptionalSpec(TensorSpec(shape=(), dtype=tf.int32, name=None),)
    """

    def __init__(self, element_spec: Any) -> None:
        self._element_spec = element_spec

    @property
    def value_type(self) -> Any:
        """The class of the values: `tf.experimental.Optional`."""
        return Optional

    def _serialize(self) -> tuple[Any, ...]:
        return (self._element_spec,)

    @property
    def _component_specs(self) -> Any:
        return self._element_spec

    def _to_components(self, value: Any) -> Any:
        return value.get_value()

    def _from_components(self, components: Any) -> Any:
        return Optional(self._element_spec, components, True)

    @staticmethod
    def from_value(value: Any) -> "OptionalSpec":
        """Return the spec of an Optional."""
        return OptionalSpec(value.element_spec)


def _structure_spec(value: Any) -> Any:
    return nest.map_structure(TensorSpec.from_tensor, value)


def type_spec_from_value(value: Any) -> Any:
    """Return the TypeSpec of a value.

    Args:
        value: A Tensor, Variable, ragged or sparse Tensor, extension type, dataset, None, or what
            converts to a Tensor.

    Returns:
        A `tf.TypeSpec`.

    Raises:
        TypeError: the value has none.

    Example:
        >>> tf.type_spec_from_value(np.zeros([2, 3], np.float32))
        TensorSpec(shape=(2, 3), dtype=tf.float32, name=None)
    """
    if value is None:
        return NoneTensorSpec()
    if isinstance(value, Tensor | Variable):
        return TensorSpec.from_tensor(value)
    found = getattr(value, "_type_spec", None)
    if isinstance(found, TypeSpec):
        return found
    if isinstance(value, bool | int | float | complex | str | bytes | list | tuple | np.ndarray):
        try:
            return TensorSpec.from_tensor(convert_to_tensor(value))
        except (TypeError, ValueError):
            pass
    if isinstance(value, np.generic):
        return TensorSpec.from_tensor(convert_to_tensor(value))
    raise TypeError(
        f"Could not build a TypeSpec for {value!r} of unsupported type {type(value)}.\n"
        f"  Fix: pass a Tensor, or a value made of Tensors."
    )
