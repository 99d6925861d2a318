"""What ragged and sparse Tensors share, and how functions of `tf` come to know them.

An operation (`@op`) asks its operand for a rule when it finds one that is composite. A plain
function prepares its arguments before it comes to an operation, so it gets a handler
(engine/dispatching.py) when ragged or sparse Tensors are imported. Programs without such values
never import this, and pay nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from lamina.engine import dispatching
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec

__all__ = ["ArrayOfParts", "ArraySpec", "extend"]


class ArrayOfParts(Composite):
    """A composite value that stands for one array: its elements `_values`, and where they stand.

    Attributes:
        _rules: What operations do with such values: label of the operation -> function
            `(op, operands, attributes)`.
        _spec: The class of its TypeSpecs.
    """

    _rules: ClassVar[dict[str, Callable[..., Any]]]
    _spec: ClassVar[Any]
    _values: Any
    _keras_mask = None
    __array_priority__ = 200

    @property
    def values(self) -> Any:
        """The elements: for a ragged Tensor those of all rows, which may be ragged themselves."""
        return self._values

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._values.dtype

    def get_shape(self) -> Any:
        """Return the shape, as `.shape`."""
        return self.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def consumers(self) -> list[Any]:
        """Return [], since there is no graph."""
        return []

    @property
    def _type_spec(self) -> Any:
        return self._spec.from_value(self)

    def _run(self, op: Any, args: Any, attributes: Any) -> Any:
        rule = self._rules.get(op.label)
        if rule is None:
            return NotImplemented
        return rule(op, list(args), {k: v for k, v, _ in attributes})

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class ArraySpec(TypeSpec):
    """The TypeSpec of such a value: it has a shape and a dtype."""

    _shape: Any
    _dtype: Any

    @property
    def shape(self) -> Any:
        """The shape."""
        return self._shape

    @property
    def dtype(self) -> Any:
        """The element type."""
        return self._dtype

    def _to_components(self, value: Any) -> Any:
        return value._components()


def extend(kinds: tuple[type, ...], source: Any, table: Mapping[str, Callable[..., Any]]) -> None:
    """Extend plain functions to values of some classes.

    Args:
        kinds: The classes that are looked for among the arguments, also in lists and dicts.
        source: What has the functions as attributes: `lamina.ops`.
        table: For each name the function to call with the same arguments.
    """
    for name, function in table.items():
        dispatching.add_handler(getattr(source, name), _handler(kinds, function))


def _handler(kinds: tuple[type, ...], function: Callable[..., Any]) -> dispatching.Handler:
    def handler(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if _holds(args, kinds) or (kwargs and _holds(kwargs.values(), kinds)):
            return function(*args, **kwargs)
        return NotImplemented

    return handler


def _holds(values: Any, kinds: tuple[type, ...]) -> bool:
    """Return whether a value of some classes is among values, or in lists and dicts of them."""
    for value in values:
        if isinstance(value, kinds):
            return True
        if isinstance(value, list | tuple) and _holds(value, kinds):
            return True
        if isinstance(value, dict) and _holds(value.values(), kinds):
            return True
    return False
