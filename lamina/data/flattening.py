"""Flattening: datasets of datasets, and the stages that make one of several."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.data import elements, sources, tables
from lamina.data import structure as nest
from lamina.data.changes import Loose
from lamina.data.lasting import Failed, caught, flattened, lasting, stepping
from lamina.data.seeds import derived
from lamina.data.shuffling import Random, generator
from lamina.data.stages import INFINITE, UNKNOWN, Run, Stage
from lamina.engine import errors

__all__ = [
    "Chosen",
    "FlatMap",
    "GroupByWindow",
    "Interleave",
    "Sampled",
    "Window",
    "stage_of",
]


_END = object()


def stage_of(value: Any, who: str) -> Stage:
    """Return the stage of a dataset that a user's function returned.

    Raises:
        TypeError: it returned something else.
    """
    stage = getattr(value, "_stage", None)
    if not isinstance(stage, Stage):
        raise TypeError(
            f"tf.data.Dataset.{who}: the function must return a tf.data.Dataset; got {value!r}.\n"
            f"  Fix: tf.data.Dataset.from_tensor_slices(result), or use map."
        )
    return stage


def _rows(stage: Stage, run: Run) -> Iterator[Any]:
    return stage.rows(run)


class FlatMap(Random, Loose):
    """The elements of the datasets that a function makes of each element, one after the other.

    The function runs as Python. Seeds that it leaves open follow from the number of the element.

    Args:
        before: The stage before.
        function: A function of an element that returns a dataset.
        who: The method, for errors.
    """

    label = "FlatMap"

    def __init__(self, before: Stage, function: Callable[..., Any], who: str) -> None:
        super().__init__(before)
        self.runs_user_code = True
        self.seed = None
        self._function = function
        self._who = who
        self._spec: Any = None

    def spec(self) -> Any:
        if self._spec is None:
            element = self._example()
            if element is None:
                return self.before.spec()
            made = elements.call(self._function, element)
            self._spec = stage_of(made, self._who).spec()
        return self._spec

    def _example(self) -> Any:
        """Return an element to ask the function with: without data, where that suffices."""
        spec = self.before.spec()
        if all(hasattr(s, "element_spec") for s in nest.flatten(spec)):
            return nest.map_structure(lambda s: self._wrap(sources.Empty(s.element_spec)), spec)
        found = self.before.first()
        return None if found is None else elements.as_tensors(found)

    _wrap: Any = None

    def size(self) -> int:
        size = self.before.size()
        return size if size in (0, INFINITE) else UNKNOWN

    def _made(self, run: Run) -> Iterator[tuple[Stage, Run]]:
        """Return the datasets that the function makes, and the runs to go through them with."""
        place = run.next(self)

        def make(number: int, row: Any) -> tuple[Stage, Run]:
            made = stage_of(self._call(row, [*place, number]), self._who)
            return made, run.below(*place, number)

        return itertools.starmap(make, enumerate(self._arguments(run)))

    def _arguments(self, run: Run) -> Iterator[Any]:
        """Return the elements that the function gets."""
        return self.before.rows(run)

    def _call(self, row: Any, place: list[int]) -> Any:
        drawn = itertools.count()

        def draw() -> int:
            if self.seed is None:
                self.seed = secrets.randbits(62)
            state = np.random.SeedSequence([self.seed, *place, next(drawn)])
            return int(state.generate_state(1, np.uint64)[0] >> 1)

        outer = derived.draw
        derived.draw = draw
        try:
            return elements.call(self._function, elements.as_tensors(row))
        finally:
            derived.draw = outer

    def items(self, run: Run) -> Iterator[Any]:
        return flattened(itertools.starmap(_rows, self._made(run)))


class Interleave(FlatMap):
    """The elements of several datasets at a time, which a function makes of elements.

    Args:
        before: The stage before.
        function: A function of an element that returns a dataset.
        cycle: How many datasets are open at a time.
        block: How many elements in a row come from each.
        parallel: Whether it was asked to be parallel; the order is the same.
    """

    def __init__(
        self, before: Stage, function: Any, cycle: int, block: int, parallel: bool
    ) -> None:
        super().__init__(before, function, "interleave")
        self.label = "ParallelInterleave" if parallel else "Interleave"
        self._cycle, self._block, self._parallel = cycle, block, parallel

    def _open(self, stage: Stage, run: Run) -> Iterator[Any]:
        return stage.rows(run)

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._in_turns(run))

    def _in_turns(self, run: Run) -> Iterator[Any]:
        made = caught(self._made(run))
        open_ones: list[Iterator[Any] | None] = [None] * self._cycle
        coming = True
        place = 0
        while coming or any(o is not None for o in open_ones):
            if open_ones[place] is None and coming:
                new = next(made, None)
                if type(new) is Failed:
                    yield new
                    continue
                if new is None:
                    coming = False
                else:
                    open_ones[place] = caught(self._open(*new))
            rows, given = open_ones[place], 0
            while rows is not None and given < self._block:
                row = next(rows, _END)
                if row is _END:
                    open_ones[place] = None
                    break
                # An error takes its dataset's turn where that is asked for in parallel, as in TF.
                given += self._parallel or type(row) is not Failed
                yield row
            place = (place + 1) % self._cycle


class _Leaf(tables.Table):
    """One leaf of a table's elements."""

    def __init__(self, table: tables.Table, number: int) -> None:
        self._table, self._number = table, number
        if isinstance(table, tables.Columns):
            self._table = tables.Columns(nest.flatten(table.columns)[number])

    def row(self, item: Any) -> Any:
        found = self._table.row(item)
        return found if isinstance(self._table, tables.Columns) else self._of(found)

    def gather(self, items: Any) -> Any:
        found = self._table.gather(items)
        return found if isinstance(self._table, tables.Columns) else self._of(found)

    def _of(self, element: Any) -> Any:
        return nest.flatten(element)[self._number]


class Window(Stage):
    """Datasets of some neighbouring elements each; one for each part of an element.

    Args:
        before: The stage before.
        size: Elements a window.
        shift: How many elements further the next window starts.
        stride: From how many elements one is taken.
        drop: Whether smaller windows at the end are left out.
        wrap: Makes a dataset of a stage.
    """

    label = "Window"

    def __init__(
        self, before: Stage, size: int, shift: int, stride: int, drop: bool, wrap: Any
    ) -> None:
        self.before = before
        self.options = before.options
        self.runs_user_code = before.runs_user_code
        self.table = tables.Loose()
        self._size, self._shift, self._stride, self._drop = size, shift, stride, drop
        self._wrap = wrap

    def spec(self) -> Any:
        empty = lambda s: self._wrap(sources.Empty(s))._type_spec  # noqa: E731
        return nest.map_structure(empty, self.before.spec())

    def size(self) -> int:
        size = self.before.size()
        if size < 0:
            return size
        if self._drop:
            reach = (self._size - 1) * self._stride + 1
            return max(0, (size - reach) // self._shift + 1)
        return -(-size // self._shift)

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._windows(run))

    def _windows(self, run: Run) -> Iterator[Any]:
        reach = (self._size - 1) * self._stride + 1
        held: list[Any] = []
        items = caught(self._before_items(run))
        while True:
            held.extend(itertools.islice(items, max(0, reach - len(held))))
            if not held or (self._drop and len(held) < reach):
                return
            window = held[: reach : self._stride]
            failed = next((item for item in window if type(item) is Failed), None)
            yield self._window(window) if failed is None else failed
            if self._shift <= len(held):
                del held[: self._shift]
            else:
                skip = self._shift - len(held)
                held.clear()
                if len(list(itertools.islice(items, skip))) < skip:
                    return

    def _before_items(self, run: Run) -> Iterator[Any]:
        # What users' code made is made once, though windows overlap.
        return self.before.rows(run) if self.runs_user_code else self.before.items(run)

    def _window(self, items: list[Any]) -> Any:
        table = tables.Loose() if self.runs_user_code else self.before.table
        indices = 0 if self.runs_user_code else self.before.indices
        spec = self.before.spec()
        if not nest.is_nested(spec):
            return self._wrap(sources.Listed(table, items, spec, indices))
        flat = nest.flatten(spec)
        parts = [
            self._wrap(sources.Listed(_Leaf(table, i), items, leaf, indices))
            for i, leaf in enumerate(flat)
        ]
        return nest.pack_sequence_as(spec, parts)


class GroupByWindow(FlatMap):
    """The elements of the datasets that a function makes of groups with one key.

    Args:
        before: The stage before.
        key: A function of an element that returns an int64 scalar.
        reduce: A function of a key and a dataset of its elements that returns a dataset.
        window: A function of a key that returns how many elements a group has.
        wrap: Makes a dataset of a stage.
        like: A function of a dataset of elements that returns one of the specs of the result;
            None asks `reduce` for key 0.
    """

    label = "GroupByWindow"

    def __init__(
        self, before: Stage, key: Any, reduce: Any, window: Any, wrap: Any, like: Any = None
    ) -> None:
        super().__init__(before, reduce, "group_by_window")
        self._key, self._window, self._wrap, self._like = key, window, wrap, like

    def spec(self) -> Any:
        if self._spec is None:
            empty = self._wrap(sources.Empty(self.before.spec()))
            if self._like is None:
                made = self._function(elements.as_tensors(np.int64(0)), empty)
            else:
                made = self._like(empty)
            self._spec = stage_of(made, self._who).spec()
        return self._spec

    def size(self) -> int:
        size = self.before.size()
        return size if size in (0, INFINITE) else UNKNOWN

    def _arguments(self, run: Run) -> Iterator[Any]:
        return itertools.starmap(self._group, lasting(self._groups(run)))

    def _group(self, key: int, rows: list[Any]) -> Any:
        listed = sources.Listed(tables.Loose(), rows, self.before.spec, 0)
        return np.int64(key), self._wrap(listed)

    def _key_of(self, row: Any) -> int:
        found = elements.call(self._key, elements.as_tensors(row))
        key = np.asarray(found)
        if key.ndim or key.dtype.kind not in "iu":
            raise TypeError(
                f"tf.data.Dataset.group_by_window: `key_func` must return an int64 scalar; got "
                f"{found!r}.\n  Fix: tf.cast(key, tf.int64)."
            )
        return int(key)

    def _size_of(self, key: int) -> int:
        size = int(self._window(elements.as_tensors(np.int64(key))))
        if size < 1:
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.group_by_window: the window size must be at least 1; got "
                f"{size} for key {key}."
            )
        return size

    def _groups(self, run: Run) -> Iterator[Any]:
        groups: dict[int, list[Any]] = {}
        sizes: dict[int, int] = {}

        def placed(row: Any) -> int:
            key = self._key_of(row)
            if key not in sizes:
                sizes[key] = self._size_of(key)
            groups.setdefault(key, []).append(row)
            return key

        for key in caught(map(placed, self.before.rows(run))):
            if type(key) is Failed:
                yield key
            elif len(groups[key]) == sizes[key]:
                yield key, groups.pop(key)
        yield from sorted(groups.items())


# ---- one of several --------------------------------------------------------------------------


class Chosen(Stage):
    """Elements of several stages; the elements of another one tell which is next.

    Args:
        parts: The stages.
        choice: A stage of numbers of stages.
        stop: Whether it ends when the stage that is next has none left; else that is passed over.
    """

    label = "DirectedInterleave"

    def __init__(self, parts: list[Stage], choice: Stage, stop: bool) -> None:
        self._parts = parts
        self._choice = choice
        self._stop = stop
        self.table = tables.Either([p.table for p in parts])
        self.runs_user_code = any(p.runs_user_code for p in (*parts, choice))
        self.options = next((p.options for p in parts if p.options is not None), None)

    def spec(self) -> Any:
        found = self._parts[0].spec()
        for part in self._parts[1:]:
            found = elements.merge(found, part.spec())
        return found

    def size(self) -> int:
        sizes = [p.size() for p in self._parts]
        return INFINITE if all(n == INFINITE for n in sizes) else UNKNOWN

    def items(self, run: Run) -> Iterator[Any]:
        return lasting(self._in_turns(run))

    def _in_turns(self, run: Run) -> Iterator[Any]:
        streams = [None if s is None else caught(s) for s in self._streams(run)]
        for choice in caught(map(self._checked, self._choices(run))):
            if type(choice) is Failed:
                yield choice
                continue
            stream = streams[choice]
            if stream is None:
                continue
            item = next(stream, _END)
            if item is not _END:
                yield item if type(item) is Failed else (choice, item)
                continue
            streams[choice] = None
            if self._stop or not any(s is not None for s in streams):
                return

    def _checked(self, choice: int) -> int:
        if not 0 <= choice < len(self._parts):
            raise errors.InvalidArgumentError(
                f"tf.data.Dataset.choose_from_datasets: a choice must be in "
                f"[0, {len(self._parts)}); got {choice}.\n  Fix: check `choice_dataset`."
            )
        return choice

    def _streams(self, run: Run) -> list[Iterator[Any] | None]:
        """Return the items of each part; None for one that is never next."""
        return [p.items(run) for p in self._parts]

    def _choices(self, run: Run) -> Iterator[int]:
        return map(int, self._choice.rows(run))


class Sampled(Random, Chosen):
    """Elements of several stages, each from one that is drawn.

    Args:
        parts: The stages.
        weights: How probable each is, a NumPy array; or a stage of such arrays.
        seed: An int.
        stop: Whether it ends with the first stage that ends.
        again: Whether each pass draws anew.
    """

    def __init__(
        self, parts: list[Stage], weights: Any, seed: int, stop: bool, again: bool
    ) -> None:
        super().__init__(parts, parts[0], stop)
        self._weights = weights
        self.seed = seed
        self.again = again

    def _streams(self, run: Run) -> list[Iterator[Any] | None]:
        found = super()._streams(run)
        if isinstance(self._weights, Stage):
            return found
        return [s if w else None for s, w in zip(found, self._weights, strict=True)]

    def _choices(self, run: Run) -> Iterator[int]:
        random = generator(self, run)
        weights = self._weights
        if isinstance(weights, Stage):
            one = lambda row: int(_drawn(np.asarray(row), random.random(1))[0])  # noqa: E731
            return map(one, weights.rows(run))
        many = lambda: _drawn(weights, random.random(256)).tolist()  # noqa: E731
        return itertools.chain.from_iterable(stepping(many))


def _drawn(weights: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return a number for each draw in [0, 1), as probable as the weights say.

    Raises:
        InvalidArgumentError: a weight is negative or no number, or none is above zero.
    """
    if not np.all(np.isfinite(weights) & (weights >= 0)) or not np.any(weights):
        raise errors.InvalidArgumentError(
            f"tf.data.Dataset.sample_from_datasets: `weights` must be at least 0, and one above; "
            f"got {weights.tolist()}."
        )
    ends = np.cumsum(np.asarray(weights, np.float64))
    return np.searchsorted(ends / ends[-1], draws, side="right").clip(max=len(ends) - 1)
