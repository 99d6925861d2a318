"""Tables: what the items that stages pass on stand for.

A table gives the element of one item (`row`), and the elements of many, stacked (`gather`).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.data import composites, elements
from lamina.data import structure as nest
from lamina.engine import Tensor, as_dtype, errors, local, type_of

__all__ = [
    "Arithmetic",
    "Columns",
    "Either",
    "Gathered",
    "HostMapped",
    "Loose",
    "Padded",
    "Table",
    "Zipped",
]


class Table:
    """The meaning of items. In this class they are the elements themselves."""

    def row(self, item: Any) -> Any:
        """Return the element of an item."""
        return item

    def gather(self, items: Any) -> Any:
        """Return the elements of some items, a list or an array, stacked along a new first axis."""
        return elements.stack(self.rows(items))

    def tensors(self, items: Any) -> Any:
        """Return what `gather` does, with Tensors as leaves."""
        return elements.as_tensors(self.gather(items))

    def rows(self, items: Any) -> list[Any]:
        """Return the elements of some items."""
        if isinstance(items, np.ndarray):
            items = items.tolist() if items.ndim == 1 else list(map(tuple, items.tolist()))
        return [self.row(item) for item in items]


class Loose(Table):
    """Items that are elements."""


class Columns(Table):
    """Items are indices into arrays along their first axis.

    Args:
        columns: A structure of arrays of one length.
    """

    def __init__(self, columns: Any) -> None:
        self.columns = columns
        self._flat = nest.flatten(columns)
        self._pack = elements.packer(columns)
        self._arrays = all(type(c) is np.ndarray for c in self._flat)
        self._numbers = self._arrays and all(c.dtype.kind in "fiub" for c in self._flat)
        self._kinds: dict[int, list[Any]] = {}

    def row(self, item: int) -> Any:
        return self._pack([composites.row(column, item) for column in self._flat])

    def gather(self, items: Any) -> Any:
        which: Any = np.asarray(items)
        if not self._arrays:
            return self._pack([composites.take(column, which) for column in self._flat])
        return self._pack(_taken(self._flat, which))

    def tensors(self, items: Any) -> Any:
        which: Any = np.asarray(items)
        if not self._numbers or local.device is not None:
            return super().tensors(which)
        kinds = self._kinds.get(len(which))
        if kinds is None:
            kinds = self._kinds[len(which)] = self._kinds_of(len(which))
        leaves = []
        for array, (kind, is_short) in zip(_taken(self._flat, which), kinds, strict=False):
            tensor = Tensor(kind, None, 0, array)
            if is_short:
                tensor._host = array
            leaves.append(tensor)
        return self._pack(leaves)

    def _kinds_of(self, count: int) -> list[Any]:
        """Return (type, whether shape arithmetic may want its value) of a batch of each column."""
        found = []
        for column in self._flat:
            dims = (count, *column.shape[1:])
            is_short = column.dtype.kind in "iu" and np.prod(dims) <= elements.SMALL
            found.append((type_of(dims, as_dtype(column.dtype)), bool(is_short)))
        return found


def _taken(columns: list[np.ndarray], which: np.ndarray) -> list[np.ndarray]:
    first, last = int(which[0]), int(which[-1])
    if last - first + 1 == len(which) and (which[1:] - which[:-1] == 1).all():
        return [column[first : last + 1].copy() for column in columns]  # neighbours are faster
    # Indices are in range; to say so ("clip") spares NumPy a buffer.
    return [column.take(which, 0, mode="clip") for column in columns]


class Arithmetic(Table):
    """Item i is the number `start + i * step`, int64."""

    def __init__(self, start: int, step: int, dtype: Any) -> None:
        self.start, self.step, self.dtype = start, step, dtype

    def row(self, item: int) -> Any:
        return self.dtype.type(self.start + item * self.step)

    def gather(self, items: Any) -> Any:
        return (self.start + np.asarray(items, np.int64) * self.step).astype(self.dtype)


class Zipped(Table):
    """Items are tuples, one item for each table of a structure.

    Args:
        tables: A structure of tables.
        widths: How many of an item's integers are of each table, where items are integers; an
            item of a table that takes several is a tuple.
    """

    def __init__(self, tables: Any, widths: list[int]) -> None:
        self._flat = nest.flatten(tables)
        self._structure = nest.map_structure(lambda _: 0, tables)
        self._pack = elements.packer(self._structure)
        self._indices = all(widths) and len(widths) > 1
        ends = np.cumsum(widths).tolist()
        self._parts = [
            end - 1 if width == 1 else slice(end - width, end)
            for end, width in zip(ends, widths, strict=True)
        ]

    def row(self, item: Any) -> Any:
        parts = [item[p] for p in self._parts] if self._indices else item
        return self._pack([t.row(i) for t, i in zip(self._flat, parts, strict=True)])

    def gather(self, items: Any) -> Any:
        if self._indices:
            block = np.asarray(items)
            columns: Any = [block[:, p] for p in self._parts]
        else:
            columns = [list(c) for c in zip(*items, strict=True)]
        return self._pack([t.gather(c) for t, c in zip(self._flat, columns, strict=True)])

    def tensors(self, items: Any) -> Any:
        if not self._indices:
            return super().tensors(items)
        block = np.asarray(items)
        columns = [block[:, p] for p in self._parts]
        return self._pack([t.tensors(c) for t, c in zip(self._flat, columns, strict=True)])


class Either(Table):
    """Items are (number of a table, item of that table)."""

    def __init__(self, tables: list[Table]) -> None:
        self.tables = tables

    def row(self, item: tuple[int, Any]) -> Any:
        return self.tables[item[0]].row(item[1])

    def gather(self, items: Any) -> Any:
        which = {i for i, _ in items}
        if len(which) == 1:
            return self.tables[which.pop()].gather([item for _, item in items])
        return super().gather(items)


class Gathered(Table):
    """Items are lists or arrays of a table's items: batches.

    Args:
        table: The table.
        spec: A function that returns the specs of its elements.
    """

    def __init__(self, table: Table, spec: Callable[[], Any]) -> None:
        self.table = table
        self._spec = spec

    def row(self, item: Any) -> Any:
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
        rows = self.table.rows(item)
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

    def gather(self, items: Any) -> Any:
        if self._many is None:
            return super().gather(items)
        return self._many(self.table.gather(items))
