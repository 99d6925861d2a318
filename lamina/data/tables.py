"""Tables: what the items that stages pass on stand for.

A table gives the element of one item (`row`), and the elements of many, stacked (`gather`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.data import elements
from lamina.engine import Function, Tensor, errors, nest
from lamina.ops.loops import vectorized_map

__all__ = [
    "Arithmetic",
    "Columns",
    "Either",
    "Gathered",
    "HostMapped",
    "Loose",
    "Mapped",
    "Padded",
    "Table",
    "Zipped",
]


class Table:
    """The meaning of items. In this class they are the elements themselves."""

    def row(self, item: Any) -> Any:
        """Return the element of an item."""
        return item

    def gather(self, items: list[Any]) -> Any:
        """Return the elements of some items, stacked along a new first axis."""
        return elements.stack([self.row(item) for item in items])


class Loose(Table):
    """Items that are elements."""


class Columns(Table):
    """Items are indices into arrays along their first axis.

    Args:
        columns: A structure of arrays of one length.
    """

    def __init__(self, columns: Any) -> None:
        self.columns = columns

    def row(self, item: int) -> Any:
        return nest.map_structure(lambda column: column[item], self.columns)

    def gather(self, items: list[int]) -> Any:
        which: Any = np.fromiter(items, np.int64, len(items))
        if which[-1] - which[0] + 1 == len(which) and (np.diff(which) == 1).all():
            which = slice(int(which[0]), int(which[-1]) + 1)  # neighbours are copied faster
            return nest.map_structure(lambda column: column[which].copy(), self.columns)
        return nest.map_structure(lambda column: column[which], self.columns)


class Arithmetic(Table):
    """Item i is the number `start + i * step`, int64."""

    def __init__(self, start: int, step: int, dtype: Any) -> None:
        self.start, self.step, self.dtype = start, step, dtype

    def row(self, item: int) -> Any:
        return self.dtype.type(self.start + item * self.step)

    def gather(self, items: list[int]) -> Any:
        found = self.start + np.fromiter(items, np.int64, len(items)) * self.step
        return found.astype(self.dtype)


class Zipped(Table):
    """Items are tuples, one item for each table of a structure."""

    def __init__(self, tables: Any) -> None:
        self.tables = tables
        self._flat = nest.flatten(tables)

    def row(self, item: tuple[Any, ...]) -> Any:
        rows = [t.row(i) for t, i in zip(self._flat, item, strict=True)]
        return _with_leaves(self.tables, rows)

    def gather(self, items: list[tuple[Any, ...]]) -> Any:
        columns = zip(*items, strict=True)
        found = [t.gather(list(c)) for t, c in zip(self._flat, columns, strict=True)]
        return _with_leaves(self.tables, found)


def _with_leaves(structure: Any, leaves: list[Any]) -> Any:
    """Return a structure with structures in place of its leaves."""
    places = iter(leaves)
    return nest.map_structure(lambda _: next(places), structure)


class Either(Table):
    """Items are (number of a table, item of that table)."""

    def __init__(self, tables: list[Table]) -> None:
        self.tables = tables

    def row(self, item: tuple[int, Any]) -> Any:
        return self.tables[item[0]].row(item[1])

    def gather(self, items: list[tuple[int, Any]]) -> Any:
        which = {i for i, _ in items}
        if len(which) == 1:
            return self.tables[which.pop()].gather([item for _, item in items])
        return super().gather(items)


class Gathered(Table):
    """Items are lists of a table's items: batches."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def row(self, item: list[Any]) -> Any:
        return self.table.gather(item)


class Padded(Table):
    """Items are lists of a table's items: batches whose elements are filled up to one shape.

    Args:
        table: The table.
        shapes: For each leaf the shape, None in it for the largest of the batch.
        values: For each leaf what fills up.
    """

    def __init__(self, table: Table, shapes: list[Any], values: list[Any]) -> None:
        self.table = table
        self._shapes = shapes
        self._values = values

    def row(self, item: list[Any]) -> Any:
        rows = [self.table.row(i) for i in item]
        columns = zip(*[nest.flatten(row) for row in rows], strict=True)
        parts = zip(columns, self._shapes, self._values, strict=True)
        return nest.pack_sequence_as(rows[0], [_filled_up(*part) for part in parts])


def _filled_up(leaves: tuple[Any, ...], shape: Any, value: Any) -> np.ndarray:
    arrays = [np.asarray(leaf) for leaf in leaves]
    largest = np.max([a.shape for a in arrays], axis=0).astype(int).tolist()
    target = [n if given is None else given for n, given in zip(largest, shape, strict=True)]
    if any(n > m for n, m in zip(largest, target, strict=True)):
        raise errors.DataLossError(
            f"tf.data.Dataset.padded_batch: elements must fit into `padded_shapes` {shape}; got "
            f"one of shape {largest}.\n  Fix: take None there, or cut the elements."
        )
    found = np.full([len(arrays), *target], value, dtype=arrays[0].dtype)
    for i, array in enumerate(arrays):
        found[(i, *[slice(n) for n in array.shape])] = array
    return found


class HostMapped(Table):
    """The elements of a table after a function of NumPy arrays.

    Args:
        table: The table.
        function: A function of an element.
        many: The same of many elements, stacked; None calls `function` for each.
    """

    def __init__(self, table: Table, function: Callable[[Any], Any], many: Any) -> None:
        self.table = table
        self._function = function
        self._many = many

    def row(self, item: Any) -> Any:
        return self._function(self.table.row(item))

    def gather(self, items: list[Any]) -> Any:
        if self._many is None:
            return super().gather(items)
        return self._many(self.table.gather(items))


class Mapped(Table):
    """The elements of a table after a user's function.

    The function runs compiled; on many rows at once where their shapes are known. It runs as
    Python where it cannot be traced, and for strings.

    Args:
        table: The table.
        function: A function of Tensors: of the parts of a tuple, or of the element.
        spec: A function that returns the specs of the elements it gets.
    """

    def __init__(self, table: Table, function: Callable[..., Any], spec: Callable[[], Any]) -> None:
        self.table = table
        self._function = function
        self._spec = spec
        self._one: Any = None
        self._many: Any = None

    def row(self, item: Any) -> Any:
        one = self._one or self._prepare()
        return _on_host(elements.call(one, elements.as_tensors(self.table.row(item))))

    def gather(self, items: list[Any]) -> Any:
        if self._one is None:
            self._prepare()
        if self._many is None or len(items) < 2:
            return super().gather(items)
        columns = elements.as_tensors(self.table.gather(items))
        try:
            return _on_host(self._many(columns))
        except Exception:  # not for many at once; one by one it works, or says what is wrong
            self._many = None
            return super().gather(items)

    def _prepare(self) -> Any:
        """Make the compiled functions, and return the one of an element."""
        spec = self._spec()
        if elements.has_strings(spec):
            self._one = self._returned
            return self._one
        self._one = Function(self._returned, getattr(self._function, "__name__", "map"))
        if elements.is_fixed(spec):
            self._many = Function(self._vectorized, "map")
        return self._one

    def _returned(self, *args: Any) -> Any:
        return elements.packed(self._function(*args))

    def _vectorized(self, columns: Any) -> Any:
        def one(row: Any) -> Any:
            return elements.as_tensors(elements.call(self._returned, row))

        return vectorized_map(one, columns)

    def result_spec(self) -> Any:
        """Return the specs of the results, or None where only a run can tell."""
        one = self._one or self._prepare()
        if not isinstance(one, Function):
            return None
        try:
            return elements.call(one.get_concrete_function, self._spec()).structured_outputs
        except Exception:
            return None


def _on_host(element: Any) -> Any:
    """Return the results of a function as an element."""
    return nest.map_structure(lambda t: t if isinstance(t, Tensor) else _plain(t), element)


def _plain(value: Any) -> Any:
    return value if isinstance(value, np.ndarray | np.generic) else elements.as_arrays(value)
