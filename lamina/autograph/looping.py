"""Loops on Tensors: `while`, and `for` over Tensors and ranges, as one loop of the program."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lamina import ops
from lamina.autograph.carrying import Carried
from lamina.autograph.choosing import choose, place
from lamina.autograph.values import is_traced
from lamina.engine import Tensor, convert_to_tensor, errors, local
from lamina.ops.loops import run_scan

__all__ = ["Counted", "Stepped", "as_loop", "for_stmt", "ranged", "while_stmt"]

_UNROLLED = 32  # a loop that is no loop of a program is unrolled up to this length


# ---- what loops run over ------------------------------------------------------------------------


class Stepped:
    """A loop over the first axis of Tensors, whose size is known.

    Attributes:
        tensors: The Tensors.
        size: The size of their first axis.
    """

    def __init__(self, tensors: list[Tensor], pack: Callable[[Sequence[Any]], Any]) -> None:
        self.tensors = tensors
        self.pack = pack
        self.size = min(int(t.shape[0]) for t in tensors)

    def item(self, parts: Sequence[Tensor]) -> Any:
        """Return what the loop's target gets, given one row of each Tensor."""
        for part, tensor in zip(parts, self.tensors, strict=True):
            bound = tensor.__dict__.get("_loop_bound")
            if bound is not None:
                part.__dict__["_loop_bound"] = bound
        return self.pack(parts)

    def __iter__(self) -> Iterator[Any]:
        for i in range(self.size):
            yield self.item([t[i] for t in self.tensors])

    def enumerated(self, start: Any) -> "Stepped":
        """Return the loop whose items have their number before them."""
        numbers = ops.range(start, start + self.size)
        numbers.__dict__["_loop_bound"] = start + self.size
        return Stepped([numbers, *self.tensors], lambda parts: (parts[0], self.pack(parts[1:])))

    @staticmethod
    def zipped(loops: Sequence["Stepped"]) -> "Stepped":
        """Return the loop over several at once."""

        def pack(parts: Sequence[Any]) -> Any:
            given = iter(parts)
            return tuple(x.pack([next(given) for _ in x.tensors]) for x in loops)

        return Stepped([t for x in loops for t in x.tensors], pack)

    def limited(self, limit: int | None) -> "Stepped":
        """Return the loop over the first rows."""
        if limit is None and all(t.shape[0] == self.size for t in self.tensors):
            return self
        size = self.size if limit is None else min(limit, self.size)
        short = Stepped([t[:size] for t in self.tensors], self.pack)
        for new, old in zip(short.tensors, self.tensors, strict=True):
            if "_loop_bound" in old.__dict__:
                new.__dict__["_loop_bound"] = old.__dict__["_loop_bound"]
        return short


class Counted:
    """A loop whose number of steps is computed in the program.

    Attributes:
        count: The number of steps, int.
        item: Gives what the loop's target gets in step i.
    """

    def __init__(self, count: Tensor, item: Callable[[Tensor], Any]) -> None:
        self.count = count
        self.item = item

    @staticmethod
    def of_range(start: Any, limit: Any = None, delta: Any = 1, **_: Any) -> "Counted":
        """Return the loop over `tf.range(start, limit, delta)`."""
        if limit is None:
            start, limit = 0, start
        dtypes = [convert_to_tensor(b).dtype for b in (start, limit, delta) if is_traced(b)]
        first, last, step = (convert_to_tensor(b, dtypes[0]) for b in (start, limit, delta))
        if not dtypes[0].is_integer:
            raise errors.TracedValueError(
                f"{place('for')}: a range of {dtypes[0].name} with bounds in the program."
            )
        count = ops.maximum(-((first - last) // step), 0)
        return Counted(count, lambda i: first + i * step)

    def enumerated(self, start: Any) -> "Counted":
        """Return the loop whose items have their number before them."""
        return Counted(self.count, lambda i: (i + start, self.item(i)))

    def _as_tensor(self) -> Tensor:
        raise errors.TracedValueError(
            "tf.range: its size is computed in the program, so it can only be looped over."
        )


def as_loop(iterated: Any) -> Stepped | Counted | None:
    """Return how to loop over a value in the program; None for what Python loops over."""
    if isinstance(iterated, Stepped | Counted) or local.trace.eager:
        return iterated if isinstance(iterated, Stepped | Counted) else None
    if isinstance(iterated, ops.TensorArray) and iterated.has_elements:
        iterated = iterated.stack()
    if not isinstance(iterated, Tensor) or not iterated.shape.rank:
        return None
    if isinstance(iterated.shape[0], int):
        return Stepped([iterated], lambda parts: parts[0])
    return Counted(ops.shape(iterated)[0], lambda i: ops.gather(iterated, i))


def ranged(plain: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return `tf.range(...)`, with the size that writes at its elements lead to."""
    made = plain(*args, **kwargs)
    ints = [a for a in args if type(a) is int]
    if isinstance(made, Tensor) and len(ints) == len(args) in (1, 2) and not kwargs:
        made.__dict__["_loop_bound"] = ints[-1]
    return made


# ---- statements ---------------------------------------------------------------------------------


def while_stmt(
    test: Callable[[], Any],
    body: Callable[[], None],
    get_state: Callable[[], Sequence[Any]],
    set_state: Callable[[Any], None],
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    """Run `while test(): body()`; from where the test is a Tensor in the program, as its loop.

    Args:
        test: Gives the condition.
        body: One iteration; it assigns variables of the function around.
        get_state: Gives the values of these.
        set_state: Sets them.
        symbol_names: Their names.
        opts: What `set_loop_options` says.
    """
    while True:
        proceeds = test()
        if is_traced(proceeds):
            break
        if not proceeds:
            return
        body()
    state = Carried(symbol_names, get_state, set_state, place("while"), opts)
    _run_while(state, lambda _: test(), lambda _: body())


def for_stmt(
    iterated: Any,
    extra_test: Callable[[], Any] | None,
    body: Callable[[Any], None],
    get_state: Callable[[], Sequence[Any]],
    set_state: Callable[[Any], None],
    symbol_names: Sequence[str],
    opts: dict[str, Any],
) -> None:
    """Run `for item in iterated: body(item)`, over Tensors as one loop of the program.

    Args:
        iterated: What is looped over.
        extra_test: Gives False once the loop was left by `break` or `return`; or None.
        body: One iteration; it assigns variables of the function around.
        get_state: Gives the values of these.
        set_state: Sets them.
        symbol_names: Their names.
        opts: What `set_loop_options` says.
    """
    where = place("for")

    def guarded(item: Any) -> bool:
        """Run an iteration unless the loop was left; return whether to go on."""
        proceeds = True if extra_test is None else extra_test()
        if is_traced(proceeds):
            choose(
                proceeds,
                lambda: body(item),
                lambda: None,
                get_state,
                set_state,
                symbol_names,
                where,
            )
        elif proceeds:
            body(item)
        return is_traced(proceeds) or bool(proceeds)

    loop = as_loop(iterated)
    if loop is None:
        for item in iterated:
            if not guarded(item):
                return
        return
    state = Carried(symbol_names, get_state, set_state, where, opts)
    if isinstance(loop, Stepped):
        _run_steps(state, loop.limited(state.limit), guarded, left=extra_test is not None)
        return

    def test(i: Any) -> Any:
        proceeds = True if extra_test is None else extra_test()
        return ops.logical_and(i < loop.count, proceeds)

    _run_while(state, test, lambda i: body(loop.item(i)), convert_to_tensor(0, loop.count.dtype))


def _run_while(
    state: Carried, test: Callable[[Any], Any], body: Callable[[Any], None], counter: Any = None
) -> None:
    """Record a loop whose number of steps is computed; with a counter, one that counts."""
    extra = [] if counter is None else [counter]
    count = len(extra)

    def index(values: Sequence[Any]) -> Any:
        return values[0] if count else None

    def run() -> list[Tensor]:
        def proceeds(*values: Tensor) -> Tensor:
            state.enter(values[count:])
            result = convert_to_tensor(test(index(values)))
            return result if result.dtype.is_bool else ops.cast(result, "bool")

        def step(*values: Tensor) -> list[Tensor]:
            state.enter(values[count:])
            body(index(values))
            return [*(v + 1 for v in values[:count]), *state.leave()]

        results = ops.while_loop(
            proceeds, step, [*extra, *state.starts()], maximum_iterations=state.limit
        )
        return list(results)[count:]

    kinds = [c._type for c in extra]
    state.settle(lambda values: body(index(values)), kinds)
    state.finish(state.attempt(run))


def _run_steps(state: Carried, loop: Stepped, body: Callable[[Any], bool], left: bool) -> None:
    """Record a loop of a known number of steps; a short one that cannot be is unrolled."""
    if not loop.size:
        return
    try:
        _scan_steps(state, loop, body, left)
    except errors.TracedValueError:
        if loop.size > _UNROLLED:
            raise
        for item in loop:
            if not body(item):
                return


def _scan_steps(state: Carried, loop: Stepped, body: Callable[[Any], bool], left: bool) -> None:
    kinds = [t[0]._type for t in loop.tensors]
    state.settle(lambda parts: body(loop.item(parts)), kinds, grows=True)
    if left and state.grows:
        raise errors.TracedValueError(
            f"{state.where}: the size of `{state.grows[0]}` depends on a Tensor, since the loop "
            f"may be left early."
        )

    def run() -> tuple[list[Tensor], list[Tensor]]:
        def step(values: Sequence[Tensor], parts: Sequence[Tensor]) -> Any:
            state.enter(values)
            body(loop.item(parts))
            return state.leave(), state.grown()

        return run_scan(step, state.starts(), loop.tensors, who=state.where)

    last, stacked = state.attempt(run)
    state.finish(last, stacked)
