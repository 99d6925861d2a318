"""What a loop carries from one iteration to the next: the loop variables of converted code."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lamina import ops
from lamina.autograph.values import (
    Array,
    ArraySlot,
    Fixed,
    Leaf,
    Nested,
    Slot,
    Undefined,
    UndefinedReturnValue,
    copied,
    is_constant,
    leaves,
    mismatch,
    realized,
    record,
    restored,
    same,
)
from lamina.engine import Tensor, TensorType, convert_to_tensor, errors, nest, static_int

__all__ = ["Carried"]


class _ChangedError(Exception):
    """A variable that the first iteration left alone is assigned in a later one."""

    def __init__(self, index: int, value: Any) -> None:
        super().__init__(index)
        self.index = index
        self.value = value


class _Growing:
    """A list inside a loop of the program: it can be appended to, and read after the loop."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.items: list[Any] = []

    def append(self, item: Any) -> None:
        """Append an item."""
        self.items.append(item)

    def _as_tensor(self) -> Any:
        raise self._refuse()

    def _refuse(self) -> Exception:
        return errors.TracedValueError(
            f"the list `{self.name}` grows in a loop on Tensors, where it can only be appended to."
        )

    def __len__(self) -> int:
        raise self._refuse()

    def __bool__(self) -> bool:
        raise self._refuse()

    def __iter__(self) -> Iterator[Any]:
        raise self._refuse()

    def __getitem__(self, index: Any) -> Any:
        raise self._refuse()

    def __getattr__(self, name: str) -> Any:
        raise self._refuse()


class _Grows:
    """The plan of a list that each iteration appends as many items to."""

    def __init__(self, start: list[Any], name: str, count: int) -> None:
        self.start = start
        self.name = name
        self.count = count


class _Loose:
    """The plan of a variable that each iteration assigns a Python object to before it reads it."""

    def __init__(self, before: Any, value: Any) -> None:
        self.before = before
        self.value = value


class Carried:
    """The variables of a loop, as they go in, around and out.

    Attributes:
        where: The statement, for messages.
        limit: The most iterations, or None.
        grows: The names of the lists and arrays that become longer.
    """

    def __init__(
        self,
        names: Sequence[str],
        get_state: Callable[[], Sequence[Any]],
        set_state: Callable[[Any], None],
        where: str,
        opts: dict[str, Any],
    ) -> None:
        self.names = list(names)
        self.where = where
        self.grows: list[str] = []
        limit = opts.get("maximum_iterations")
        self.limit: int | None = None if limit is None else static_int(limit, "maximum_iterations")
        self._reshapes = opts.get("shape_invariants") is not None
        self._get, self._set = get_state, set_state
        self._before = list(get_state())
        self._plans: list[Any] = []
        self._given: list[Any] = []
        self._lists: list[_Growing] = []

    # -- plans

    def settle(
        self, body: Callable[[Any], Any], kinds: Sequence[TensorType], grows: bool = False
    ) -> None:
        """Record one iteration to learn what it changes, and to which types.

        Args:
            body: One iteration, a function of Tensors of the given types.
            kinds: The types.
            grows: Whether lists may become longer.
        """
        if all(isinstance(v, Tensor) for v in self._before):
            self._plans = [Leaf(v._type, (v,)) for v in self._before]
            return

        def once(*values: Tensor) -> Sequence[Any]:
            self._set(copied(self._before))
            body(values)
            return self._get()

        try:
            after = record(once, kinds, self.where).values
        finally:
            self._set(self._before)
        both = zip(self.names, self._before, after, strict=True)
        self._plans = [self._plan(name, a, b, grows) for name, a, b in both]

    def _plan(self, name: str, a: Any, b: Any, grows: bool) -> Any:
        if isinstance(a, Undefined | UndefinedReturnValue):
            return self._plan_unset(a, b)
        if type(a) is list and type(b) is list and len(b) > len(a):
            if not grows or not all(_unchanged(x, y) for x, y in zip(a, b, strict=False)):
                raise self._refused(name, "grows by a number of items that depends on a Tensor")
            self.grows.append(name)
            return _Grows(a, name, len(b) - len(a))
        if nest.is_nested(a) and nest.is_nested(b):
            return self._plan_nested(name, a, b)
        if isinstance(a, ops.TensorArray) and isinstance(b, ArraySlot):
            return self._plan_array(name, a, b)
        if isinstance(b, Slot):
            if a is b.tensor:
                return Fixed(a)
            return self._plan_leaf(name, a, b.type)
        if same(a, b):
            return Fixed(a)
        if is_constant(b) and (is_constant(a) or isinstance(a, Tensor)):
            return self._plan_leaf(name, a, convert_to_tensor(b)._type)
        raise self._refused(name, f"goes from {type(a).__name__} to {type(b).__name__}")

    def _plan_unset(self, a: Any, b: Any) -> Any:
        if isinstance(b, Slot):
            return Leaf(b.type, (None,))
        if isinstance(b, ArraySlot):
            return (
                _Loose(a, b.array) if b.slot is None else Array(b.array, Leaf(b.slot.type, (None,)))
            )
        if is_constant(b):
            return Leaf(convert_to_tensor(b)._type, (None,))
        if nest.is_nested(b):
            return Nested(b, [self._plan_unset(a, v) for v in nest.flatten(b)])
        return Fixed(a) if isinstance(b, type(a)) else _Loose(a, b)

    def _plan_nested(self, name: str, a: Any, b: Any) -> Any:
        try:
            nest.assert_same_structure(a, b)
        except (TypeError, ValueError):
            raise self._refused(name, "changes its structure") from None
        both = zip(nest.flatten(a), nest.flatten(b), strict=True)
        plan = Nested(a, [self._plan(name, x, y, False) for x, y in both])
        return Fixed(a) if all(isinstance(p, Fixed) for p in plan.items) else plan

    def _plan_array(self, name: str, a: Any, b: ArraySlot) -> Any:
        if b.slot is None:
            return Fixed(a)
        if len(a) != len(b.array):
            self.grows.append(name)
        kind = b.slot.type
        row = ops.zeros(kind.shape[1:], kind.dtype)
        return Array(b.array, Leaf(kind, (a.joined(row, len(b.array)),)))

    def _plan_leaf(self, name: str, a: Any, kind: TensorType) -> Leaf:
        if isinstance(a, Tensor):
            return Leaf(a._type, (a,))
        if not is_constant(a):
            raise self._refused(name, f"goes from {type(a).__name__} to a Tensor")
        own = convert_to_tensor(a)._type
        if kind.shape != own.shape:
            raise self._differs(name, own, kind)
        widens = own.dtype is kind.dtype or not (own.dtype.is_bool or kind.dtype.is_bool)
        if widens and not (own.dtype.is_floating and kind.dtype.is_integer):
            return Leaf(kind, (a,))
        return Leaf(own, (a,))

    def _refused(self, name: str, why: str) -> Exception:
        return errors.TracedValueError(f"{self.where}: `{name}` {why} in a loop on Tensors.")

    def _differs(self, name: str, before: TensorType, after: TensorType) -> Exception:
        sides = "before an iteration", "after it"
        if before.dtype is not after.dtype or self._reshapes:
            return mismatch(self.where, name, *sides, (before, after))
        return ValueError(
            f"{self.where}: `{name}` must keep its shape in a loop on Tensors; it is "
            f"{before.shape} {sides[0]} and {after.shape} {sides[1]}.\n"
            f"  Fix: give it its final shape before the loop, or use tf.TensorArray; with "
            f"set_loop_options(shape_invariants=...) the function runs eagerly."
        )

    # -- the loop

    def attempt(self, run: Callable[[], Any]) -> Any:
        """Return `run()`; run again with more variables if one turns out to change late."""
        try:
            while True:
                try:
                    return run()
                except _ChangedError as change:
                    i = change.index
                    kind = convert_to_tensor(change.value)._type
                    self._plans[i] = self._plan_leaf(self.names[i], self._before[i], kind)
        except BaseException:
            self._set(self._before)
            raise

    def starts(self) -> list[Tensor]:
        """Return the Tensors that go in."""
        return [leaf.of(0, ()) for plan in self._plans for leaf in leaves(plan)]

    def enter(self, values: Sequence[Tensor]) -> None:
        """Set the variables for an iteration."""
        given = iter(values)
        self._lists = []
        self._given = [self._entering(plan, given) for plan in self._plans]
        self._set(self._given)

    def _entering(self, plan: Any, given: Iterator[Tensor]) -> Any:
        if isinstance(plan, _Loose):
            return plan.before
        if isinstance(plan, _Grows):
            self._lists.append(_Growing(plan.name))
            return self._lists[-1]
        return realized(plan, given)

    def leave(self) -> list[Tensor]:
        """Return the Tensors after an iteration, of the same types."""
        outputs: list[Tensor] = []
        after = zip(self.names, self._plans, self._given, self._get(), strict=True)
        for i, (name, plan, before, value) in enumerate(after):
            if isinstance(plan, Fixed):
                if not _stays(before, value):
                    if not isinstance(value, Tensor) and not is_constant(value):
                        raise self._refused(name, "is assigned another Python object")
                    raise _ChangedError(i, value)
            elif isinstance(plan, _Grows):
                if value is not before or len(value.items) != plan.count:
                    raise self._refused(name, "does not grow by one number of items")
            elif not isinstance(plan, _Loose):
                self._leaving(name, plan, value, outputs)
        return outputs

    def _leaving(self, name: str, plan: Any, value: Any, outputs: list[Tensor]) -> None:
        if isinstance(plan, Nested):
            try:
                nest.assert_same_structure(plan.structure, value)
            except (TypeError, ValueError):
                raise self._refused(name, "changes its structure") from None
            for item, part in zip(plan.items, nest.flatten(value), strict=True):
                if not isinstance(item, Fixed):
                    self._leaving(name, item, part, outputs)
            return
        if isinstance(plan, Array):
            plan, value = plan.leaf, value.joined()
            if value.shape[0] != plan.type.shape[0]:
                raise self._refused(name, "grows by a number of elements that each iteration tells")
        tensor = self._as_type(name, value, plan.type)
        if tensor._type is not plan.type:
            raise self._differs(name, plan.type, tensor._type)
        outputs.append(tensor)

    def _as_type(self, name: str, value: Any, kind: TensorType) -> Tensor:
        """Return a value as a Tensor, a Python number of the wanted type if it fits."""
        if isinstance(value, Tensor):
            return value
        if not is_constant(value) and not hasattr(type(value), "_as_tensor"):
            raise self._refused(name, f"goes from a Tensor to {type(value).__name__}")
        try:
            return convert_to_tensor(value, kind.dtype)
        except (TypeError, ValueError):
            return convert_to_tensor(value)

    def grown(self) -> list[list[Any]]:
        """Return what the iteration appended to each list that grows."""
        return [[convert_to_tensor(v) for v in growing.items] for growing in self._lists]

    def finish(self, results: Sequence[Tensor], stacked: Sequence[Sequence[Tensor]] = ()) -> None:
        """Set the variables after the loop.

        Args:
            results: The Tensors that come out.
            stacked: For each list that grows, its new items of all iterations, stacked.
        """
        given, columns = iter(results), iter(stacked)
        final = [self._final(plan, given, columns) for plan in self._plans]
        self._set([restored(a, b) for a, b in zip(self._before, final, strict=True)])

    def _final(self, plan: Any, given: Iterator[Tensor], columns: Iterator[Any]) -> Any:
        if isinstance(plan, _Loose):
            return plan.value
        if isinstance(plan, _Grows):
            rows = [ops.unstack(column) for column in next(columns)]
            return [*plan.start, *(item for row in zip(*rows, strict=True) for item in row)]
        return realized(plan, given)


def _unchanged(a: Any, b: Any) -> bool:
    """Return whether a recorded iteration left an item as it was."""
    if isinstance(b, Slot):
        return b.tensor is a
    return same(a, b)


def _stays(before: Any, value: Any) -> bool:
    """Return whether a variable is what it was, to a container's items."""
    if same(before, value):
        return True
    if not nest.is_nested(before) or not nest.is_nested(value):
        return isinstance(before, Undefined) and isinstance(value, Undefined)
    first, second = nest.flatten(before), nest.flatten(value)
    return len(first) == len(second) and all(map(same, first, second))
