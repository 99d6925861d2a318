"""Stateful changes: stages whose elements depend on those before them, and small ones."""

import abc
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import composites, elements, tables
from lamina.data import structure as nest
from lamina.data.changes import Batch, Forwarding, Loose
from lamina.data.lasting import Failed, caught, lasting, stepping
from lamina.data.mapping import UserFunction
from lamina.data.shuffling import Random, generator
from lamina.data.stages import INFINITE, UNKNOWN, Ordered, Run, Stage, inner
from lamina.engine import TensorSpec, errors

__all__ = [
    "Counted",
    "IgnoreErrors",
    "Padded",
    "RaggedBatch",
    "Rebatch",
    "Resampled",
    "Scan",
    "SparseBatch",
    "TakeWhile",
    "Unique",
    "WithOptions",
    "check_state",
]


class Scan(Loose):
    """The outputs of a function that passes a state on from element to element.

    Args:
        before: The stage before.
        state: The first state, an element.
        function: A function of the state and an element that returns (state, output).
    """

    label = "Scan"

    def __init__(self, before: Stage, state: Any, function: Callable[..., Any]) -> None:
        super().__init__(before)
        self.runs_user_code = True
        self._state = state
        both = lambda: (elements.spec_of(state), before.spec())  # noqa: E731
        self._function = UserFunction(function, both)
        self._spec: Any = None

    def spec(self) -> Any:
        if self._spec is None:
            found = self._function.result_spec()
            if found is None:
                row = self.first()
                return self.before.spec() if row is None else elements.spec_of(row)
            self._spec = found[1]
        return self._spec

    def items(self, run: Run) -> Iterator[Any]:
        state = elements.as_tensors(self._state)

        def output_of(row: Any) -> Any:
            nonlocal state
            result = self._function((state, elements.as_tensors(row)))
            if not isinstance(result, tuple) or len(result) != 2:
                raise TypeError(
                    f"tf.data.Dataset.scan: `scan_func` must return (new state, output); got "
                    f"{result!r}."
                )
            new, output = result
            new = elements.as_tensors(new)
            check_state("scan", "scan_func", state, new)
            state = new
            return output

        return map(output_of, self.before.rows(run))


def check_state(who: str, function: str, before: Any, after: Any) -> None:
    """Raise if a new state has another structure, or other dtypes, than the one before.

    Raises:
        TypeError: so it is.
    """
    try:
        nest.assert_same_structure(before, after)
        pairs = zip(nest.flatten(before), nest.flatten(after), strict=True)
        same = all(getattr(a, "dtype", 0) == getattr(b, "dtype", 0) for a, b in pairs)
    except (TypeError, ValueError):
        same = False
    if not same:
        raise TypeError(
            f"tf.data.Dataset.{who}: `{function}` must return a state of the structure and dtypes "
            f"of the initial one, {elements.spec_of(before)}; got {elements.spec_of(after)}.\n"
            f"  Fix: tf.cast the state, or start from one of that dtype."
        )


class TakeWhile(Ordered):
    """The elements before the first for which a function is false."""

    label = "TakeWhile"

    def __init__(self, before: Stage, predicate: Callable[..., Any]) -> None:
        super().__init__(before)
        self.indices = 0
        self.in_memory = False
        self.runs_user_code = True
        self.table = tables.Loose()
        self._test = UserFunction(predicate, before.spec)

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return itertools.takewhile(
            lambda row: self._test.is_true(elements.as_tensors(row), "take_while"),
            self.before.rows(run),
        )


class Unique(Loose):
    """Elements that did not come before."""

    label = "Unique"

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        seen: set[Any] = set()

        def is_new(row: Any) -> bool:
            leaf = np.asarray(row)
            key = leaf.item() if leaf.dtype == object else leaf.tobytes()
            count = len(seen)
            seen.add(key)
            return len(seen) > count

        return filter(is_new, self.before.rows(run))


class Rebatch(Loose):
    """The rows of batches in batches of other sizes.

    Args:
        before: The stage before.
        sizes: The sizes, which come again and again.
        drop: Whether a smaller last batch is left out.
    """

    label = "Rebatch"

    def __init__(self, before: Stage, sizes: list[int], drop: bool) -> None:
        super().__init__(before)
        self._sizes, self._drop = sizes, drop

    def spec(self) -> Any:
        fixed = self._drop and len(set(self._sizes)) == 1
        first = self._sizes[0] if fixed else None
        return elements.map_spec(
            lambda dims: None if dims is None else [first, *dims[1:]], self.before.spec()
        )

    def size(self) -> int:
        return INFINITE if self.before.size() == INFINITE else UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._batches(run))

    def _batches(self, run: Run) -> Iterator[Any]:
        sizes = itertools.cycle(self._sizes)
        wanted = next(sizes)
        held: list[list[np.ndarray]] = []
        have = 0
        form: Any = None
        for row in caught(self.before.rows(run)):
            if type(row) is Failed:
                yield row
                continue
            form = row
            held.append([np.asarray(leaf) for leaf in nest.flatten(row)])
            have += len(held[-1][0])
            while have >= wanted:
                whole = [np.concatenate(parts) for parts in zip(*held, strict=True)]
                yield nest.pack_sequence_as(form, [w[:wanted] for w in whole])
                held = [[w[wanted:] for w in whole]]
                have -= wanted
                wanted = next(sizes)
        if have and not self._drop:
            whole = [np.concatenate(parts) for parts in zip(*held, strict=True)]
            yield nest.pack_sequence_as(form, whole)


class _Rows(Batch):
    """Batches that are made of rows."""

    def __init__(self, before: Stage, number: int, drop: bool) -> None:
        super().__init__(before, number, drop)
        self.in_memory = False
        self.table = _Made(before.table, self._put)

    def _put(self, rows: list[Any]) -> Any:
        structure = rows[0]
        columns = zip(*[nest.flatten(r) for r in rows], strict=True)
        specs = nest.flatten(self.before.spec())
        found = [self._leaf(s, list(c)) for s, c in zip(specs, columns, strict=True)]
        return nest.pack_sequence_as(structure, found)

    @abc.abstractmethod
    def _leaf(self, spec: Any, leaves: list[Any]) -> Any:
        """Return one part of a batch."""


class _Made(tables.Table):
    def __init__(self, table: tables.Table, put: Callable[[list[Any]], Any]) -> None:
        self._table, self._put = table, put

    def row(self, item: Any) -> Any:
        return self._put(self._table.rows(item))


class RaggedBatch(_Rows):
    """Batches of elements of different shapes, as RaggedTensors."""

    label = "RaggedBatch"

    def __init__(self, before: Stage, number: int, drop: bool, splits: Any) -> None:
        super().__init__(before, number, drop)
        self._splits = splits

    def _leaf(self, spec: Any, leaves: list[Any]) -> Any:
        if type(spec) is TensorSpec and spec.shape.is_fully_defined():
            return np.stack([np.asarray(leaf) for leaf in leaves])
        if type(spec) is not TensorSpec:
            return composites.stack(spec, leaves)
        return composites.ragged_of(composites.ragged_rows(leaves, spec.shape), self._splits)

    def spec(self) -> Any:
        first = self.number if self.drop else None

        def one(leaf: Any) -> Any:
            if type(leaf) is not TensorSpec or leaf.shape.is_fully_defined():
                return elements.map_spec(lambda dims: [first, *(dims or ())], leaf)
            return composites.ragged_spec([first, *leaf.shape.as_list()], leaf.dtype, self._splits)

        return nest.map_structure(one, self.before.spec())


class SparseBatch(_Rows):
    """Batches of elements of different shapes, as SparseTensors of one row shape."""

    label = "SparseBatch"

    def __init__(self, before: Stage, number: int, shape: list[Any]) -> None:
        super().__init__(before, number, False)
        self._shape = shape

    def _leaf(self, spec: Any, leaves: list[Any]) -> Any:
        arrays = [np.asarray(leaf) for leaf in leaves]
        for a in arrays:
            if a.ndim != len(self._shape):
                raise errors.InvalidArgumentError(
                    f"tf.data.Dataset.sparse_batch: elements must have as many axes as "
                    f"`row_shape` {self._shape}; got one of shape {a.shape}."
                )
        reach = np.max([a.shape for a in arrays], axis=0).tolist()
        sizes = [n if given in (None, -1) else given for n, given in
                 zip(reach, self._shape, strict=True)]  # fmt: skip
        if any(n > m for n, m in zip(reach, sizes, strict=True)):
            raise errors.DataLossError(
                f"tf.data.Dataset.sparse_batch: elements must fit into `row_shape` {sizes}; got "
                f"one of shape {reach}.\n  Fix: take a larger `row_shape`."
            )
        places = [np.indices(a.shape).reshape(a.ndim, -1).T for a in arrays]
        indices = [np.insert(p, 0, i, axis=1) for i, p in enumerate(places)]
        values = np.concatenate([a.reshape(-1) for a in arrays])
        return composites.sparse_of(np.concatenate(indices), values, [len(arrays), *sizes])

    def spec(self) -> Any:
        shape = [None, *[None if n in (None, -1) else n for n in self._shape]]
        return nest.map_structure(
            lambda leaf: composites.sparse_spec(shape, leaf.dtype), self.before.spec()
        )


class IgnoreErrors(Loose):
    """The elements that are made without an error.

    Args:
        before: The stage before.
        log: Whether each error is written to stderr.
    """

    label = "IgnoreErrors"

    def __init__(self, before: Stage, log: bool) -> None:
        super().__init__(before)
        self._log = log
        todo = [before]
        while todo:
            stage = todo.pop()
            for value in vars(stage).values():
                if isinstance(value, UserFunction):
                    value.run_as_python()
            todo.extend(inner(stage))

    def size(self) -> int:
        return UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        items = self.before.items(run)
        table = self.before.table

        def step() -> Any:
            while True:
                try:
                    item = next(items, _END)
                    if item is _END:
                        break
                    row = table.row(item)
                    nest.map_structure(_computed, row)
                    return row
                except (errors.OpError, ArithmeticError, ValueError, TypeError, OSError) as error:
                    if self._log:
                        print(f"tf.data.Dataset.ignore_errors: {error}", file=sys.stderr)
            raise StopIteration

        return stepping(step)


_END = object()


def _computed(leaf: Any) -> None:
    """Have a Tensor's value computed, so that its errors come here."""
    if hasattr(leaf, "numpy") and not elements.is_whole(leaf):
        leaf.numpy()


class Counted(Loose):
    """Elements whose number must be as expected."""

    label = "AssertCardinality"

    def __init__(self, before: Stage, expected: int) -> None:
        super().__init__(before)
        self._expected = expected

    def size(self) -> int:
        return self._expected

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._counted(run))

    def _counted(self, run: Run) -> Iterator[Any]:
        expected = self._expected
        count = 0
        for row in caught(self.before.rows(run)):
            count += type(row) is not Failed
            if 0 <= expected < count:
                raise self._wrong(f"at least {count}")
            yield row
        if expected == INFINITE or 0 <= count < expected:
            raise self._wrong(f"only {count}")

    def _wrong(self, came: str) -> errors.FailedPreconditionError:
        wanted = "an infinite number of" if self._expected == INFINITE else self._expected
        return errors.FailedPreconditionError(
            f"tf.data.experimental.assert_cardinality: Input dataset was expected to contain "
            f"{wanted} elements but contained {came} elements.\n  Fix: take, repeat or count again."
        )


class Padded(Loose):
    """Elements with a mask, and zeros behind them up to a number.

    Args:
        before: The stage before, of dicts.
        number: The number of elements.
        key: The mask's key.
    """

    label = "Map"

    def __init__(self, before: Stage, number: int, key: str) -> None:
        super().__init__(before)
        self._number, self._key = number, key

    def spec(self) -> Any:
        return {**self.before.spec(), self._key: TensorSpec([], "bool")}

    def size(self) -> int:
        return self._number

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._with_masks(run))

    def _with_masks(self, run: Run) -> Iterator[Any]:
        count = 0
        empty: Any = None
        for row in caught(self.before.rows(run)):
            if type(row) is Failed:
                yield row
                continue
            if empty is None:
                empty = nest.map_structure(lambda a: np.zeros_like(np.asarray(a)), row)
            count += 1
            yield {**row, self._key: np.bool_(True)}
        for _ in range(count, self._number):
            yield {**(empty or {}), self._key: np.bool_(False)}


class WithOptions(Forwarding):
    """The items of the stage before, with Options."""

    label = "Options"

    def __init__(self, before: Stage, options: Any) -> None:
        super().__init__(before)
        self.options = options

    def rows(self, run: Run, skip: int = 0) -> Iterator[Any]:
        return self.before.rows(run, skip)

    def tensors(self, run: Run, skip: int = 0) -> Iterator[Any]:
        return self.before.tensors(run, skip)


class Resampled(Random, Loose):
    """(class, element), with classes as frequent as wanted: some elements are left out.

    Args:
        before: The stage before.
        function: A function of an element that returns its class, an int.
        target: The wanted share of each class.
        initial: The share that each class has; None counts as elements come.
        seed: An int.
    """

    label = "Filter"

    def __init__(
        self, before: Stage, function: Any, target: np.ndarray, initial: Any, seed: int
    ) -> None:
        super().__init__(before)
        self.runs_user_code = True
        self.seed = seed
        self._function = UserFunction(function, before.spec)
        self._target, self._initial = target, initial

    def spec(self) -> Any:
        found = self._function.result_spec()
        dtype = "int32" if found is None else found.dtype
        return TensorSpec([], dtype), self.before.spec()

    def size(self) -> int:
        return INFINITE if self.before.size() == INFINITE else UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        random = generator(self, run)
        seen = np.ones(len(self._target)) if self._initial is None else None

        def keeps(row: Any) -> Any:
            number = self._function(elements.as_tensors(row))
            which = int(number)
            if seen is not None:
                seen[which] += 1
            shares = self._initial if seen is None else seen / seen.sum()
            # Accepted with target / initial, scaled so that the largest is 1 (rejection sampling).
            ratio = self._target / np.maximum(shares, 1e-16)
            is_kept = random.random() * ratio.max() < ratio[which]
            return (np.asarray(number), row) if is_kept else None

        return filter(None, map(keeps, self.before.rows(run)))
