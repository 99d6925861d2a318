"""Sources: the stages that a pipeline starts with."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import elements, tables
from lamina.data.stages import UNKNOWN, Stage
from lamina.engine import TensorSpec, as_dtype, nest

__all__ = ["Constant", "Generated", "Numbers", "Slices"]


class Slices(Stage):
    """The rows of arrays."""

    def __init__(self, columns: Any, length: int) -> None:
        self.table = tables.Columns(columns)
        self._columns = columns
        self._length = length

    def spec(self) -> Any:
        return elements.map_spec(lambda dims: (dims or [0])[1:], elements.spec_of(self._columns))

    def size(self) -> int:
        return self._length

    def items(self) -> Iterator[Any]:
        return iter(range(self._length))


class Constant(Stage):
    """One element."""

    def __init__(self, element: Any) -> None:
        self.table = tables.Loose()
        self._element = element

    def spec(self) -> Any:
        return elements.spec_of(self._element)

    def size(self) -> int:
        return 1

    def items(self) -> Iterator[Any]:
        return iter((self._element,))


class Numbers(Stage):
    """The integers of a range."""

    def __init__(self, numbers: range, dtype: Any) -> None:
        self._dtype = as_dtype(dtype)
        self.table = tables.Arithmetic(numbers.start, numbers.step, self._dtype.np)
        self._length = len(numbers)

    def spec(self) -> Any:
        return TensorSpec([], self._dtype)

    def size(self) -> int:
        return self._length

    def items(self) -> Iterator[Any]:
        return iter(range(self._length))


class Generated(Stage):
    """What a user's generator yields.

    Args:
        start: A function that returns an iterable.
        spec: TensorSpecs, which each element is held against.
    """

    runs_user_code = True

    def __init__(self, start: Callable[[], Any], spec: Any) -> None:
        self.table = tables.Loose()
        self._start = start
        self._spec = spec

    def spec(self) -> Any:
        return self._spec

    def size(self) -> int:
        return UNKNOWN

    def items(self) -> Iterator[Any]:
        for value in self._start():
            yield nest.map_structure(_fitting, self._spec, _shaped_like(self._spec, value))


def _shaped_like(spec: Any, value: Any) -> Any:
    """Return a value with tuples where the specs have tuples, and arrays where they have leaves."""
    if isinstance(spec, TensorSpec) and not isinstance(value, dict):
        return value if not isinstance(value, list | tuple) else elements.as_arrays(list(value))
    if isinstance(spec, dict) and isinstance(value, dict) and set(spec) == set(value):
        return {k: _shaped_like(spec[k], value[k]) for k in spec}
    if isinstance(spec, tuple) and isinstance(value, list | tuple) and len(spec) == len(value):
        parts = [_shaped_like(s, v) for s, v in zip(spec, value, strict=True)]
        return type(spec)(*parts) if hasattr(spec, "_fields") else tuple(parts)
    raise TypeError(
        f"tf.data.Dataset.from_generator: the generator must yield elements like {spec}; it "
        f"yielded {value!r}.\n  Fix: yield that structure, or change `output_signature`."
    )


def _fitting(spec: TensorSpec, value: Any) -> Any:
    if spec.dtype.name == "string":
        array = elements.as_arrays(value)
    else:
        array = np.asarray(value)
        kind = array.dtype.kind
        if kind in "fc" and not (spec.dtype.is_floating or spec.dtype.name.startswith("complex")):
            raise TypeError(
                f"tf.data.Dataset.from_generator: the generator must yield {spec.dtype.name}; it "
                f"yielded {value!r}, {array.dtype.name}.\n  Fix: change `output_signature`."
            )
        array = array.astype(spec.dtype.np, copy=False)
    if not spec.shape.is_compatible_with(array.shape):
        raise TypeError(
            f"tf.data.Dataset.from_generator: the generator must yield shape {spec.shape}; it "
            f"yielded shape {array.shape}.\n  Fix: change `output_signature`."
        )
    return array
