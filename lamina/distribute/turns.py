"""Replicas one after the other: what one program for all of them cannot hold.

Each replica's function runs in a thread of its own, one at a time; where replicas exchange values
it waits until all have come there. They record into the same program, in turn.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from lamina import ops
from lamina.distribute import collectives
from lamina.distribute.context import ReplicaContext, entered
from lamina.distribute.copies import kind_of, part_of
from lamina.distribute.values import PerReplica, is_composite, is_value, map_leaves
from lamina.engine import Tensor, Variable, convert_to_tensor, local, signatures

__all__ = ["run_in_turns"]


class _Shared:
    """The recorder that all replicas record into."""

    def __init__(self) -> None:
        self.trace = local.trace

    def current(self) -> Any:
        if self.trace.eager and not self.trace.alive:
            self.trace = local.new_pending()
        return self.trace


class _View:
    """A replica's view of the recorder: its own values of the variables that it assigns."""

    eager = False
    alive = True
    is_function = False

    def __init__(self, shared: _Shared, context: "Turn", number: int) -> None:
        self._shared = shared
        self._context = context
        self._number = number
        self.own: dict[Any, Tensor] = {}

    @property
    def parent(self) -> Any:
        return self._shared.current()

    @property
    def what(self) -> str:
        return getattr(self.parent, "what", "strategy.run")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shared.current(), name)

    def emit(self, signature: Any, tensors: Any) -> list[Tensor]:
        return self._shared.current().emit(signature, tensors)

    def shared_value(self, variable: Any) -> Any:
        """Return the value that the variable has for all."""
        base = self._shared.current()
        return variable._tensor if base.eager else base.read(variable)

    def read(self, variable: Any) -> Any:
        found = self.own.get(variable)
        if found is not None:
            return found
        tensor = self.shared_value(variable)
        stream = getattr(variable, "_stream", None)
        kind = kind_of(variable)
        if stream is not None and variable is stream.key:
            tensor = self.own[variable] = collectives.own_key(tensor, self._number)
        elif kind.on_read and tensor is not None:
            count = self._context.num_replicas_in_sync
            parts = self.shared_value(part_of(variable, count))
            tensor = self.own[variable] = _resumed(parts, tensor, kind.how, self._number, count)
        return tensor

    def write(self, variable: Any, tensor: Tensor) -> None:
        kind = kind_of(variable)
        context = self._context
        if not (context.merging or kind.on_read or getattr(variable, "_stream", None)):
            before = self.read(variable)
            if kind.how == "mean":
                total = context._sums([tensor])[0]
                tensor = ops.cast(total / context.num_replicas_in_sync, tensor.dtype)
            elif kind.how == "sum":
                tensor = self._summed(before, tensor)
            elif kind.how == "only_first_replica":
                tensor = context._exchanged(tensor)[0]
        self.own[variable] = tensor

    def write_all(self, variables: Any, tensors: Any) -> None:
        for variable, tensor in zip(variables, tensors, strict=True):
            self.write(variable, tensor)

    def _summed(self, before: Any, tensor: Tensor) -> Tensor:
        equations = self._shared.current().equations
        last = equations[-1] if equations else (0,)
        adds = _name_of(last) in ("_add", "_subtract") and before is not None
        if adds:
            return before + self._context._sums([tensor - before])[0]
        return self._context._sums([tensor])[0]


def _name_of(equation: Any) -> str:
    return signatures[equation[0]].name


def _resumed(parts: Any, plain: Any, how: str, number: int, count: int) -> Any:
    total = ops.reduce_sum(parts, 0)
    if how == "mean":
        return ops.where(ops.equal(plain, total / count), parts[number], plain)
    if plain.dtype.is_floating:
        share = plain / count
    else:
        share = plain if number == 0 else ops.zeros_like(plain)
    return ops.where(ops.equal(plain, total), parts[number], share)


class _StoppedError(BaseException):
    """Ends the threads of the other replicas when one has failed."""


class Turn(ReplicaContext):
    """The context of one replica among those that run in turns."""

    def __init__(self, strategy: Any, number: int) -> None:
        super().__init__(strategy, number)
        self.request: Any = None
        self.reply: Any = None
        self.failed: BaseException | None = None
        self.stop = False
        self.done = False
        self.result: Any = None
        self.go = threading.Semaphore(0)
        self.back = threading.Semaphore(0)

    def ask(self, combine: Callable[[list[Any]], list[Any]], value: Any) -> Any:
        """Wait for the other replicas; `combine` makes of all values the reply to each."""
        self.request = combine, value
        self.back.release()
        self.go.acquire()
        if self.stop:
            raise _StoppedError
        return self.reply

    def _sums(self, tensors: Sequence[Any]) -> list[Any]:
        def combine(lists: list[Any]) -> list[Any]:
            totals = [ops.add_n(list(some)) for some in zip(*lists, strict=True)]
            return [totals] * len(lists)

        return self.ask(combine, list(tensors))

    def _exchanged(self, tensor: Any) -> list[Any]:
        return self.ask(lambda values: [values] * len(values), tensor)

    def _merged(self, merge_fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        strategy = self._strategy

        def combine(calls: list[Any]) -> list[Any]:
            args, kwargs = map_leaves(joined, *calls)
            with entered(strategy, None):
                result = merge_fn(strategy, *args, **kwargs)
            return [map_leaves(lambda x, i=i: _of(x, i), result) for i in range(len(calls))]

        return self.ask(combine, (args, kwargs))


def _of(x: Any, number: int) -> Any:
    return x.values[number] if isinstance(x, PerReplica) else x


def joined(*values: Any) -> Any:
    """Return the values of all replicas as one: a PerReplica, unless they are the same object."""
    first = values[0]
    if isinstance(first, Variable):
        return first
    if any(map(is_composite, values)):
        return PerReplica(values)
    if all(is_value(v) for v in values):
        return PerReplica([convert_to_tensor(v) for v in values])
    try:
        same = all(v is first or v == first for v in values)
    except (TypeError, ValueError):  # arrays compare to arrays
        same = False
    return first if same else PerReplica(values)


def run_in_turns(strategy: Any, fn: Callable[..., Any], args: Any, kwargs: Any, count: int) -> Any:
    """Run `fn` once for each replica, one after the other; see the module.

    Raises:
        RuntimeError: some replicas end where others wait for them.
    """
    shared = _Shared()
    contexts = [Turn(strategy, i) for i in range(count)]
    views = [_View(shared, context, i) for i, context in enumerate(contexts)]
    inherited = dict(vars(local))
    threads: list[threading.Thread] = []
    for i, context in enumerate(contexts):
        given = map_leaves(lambda x, i=i: _of(x, i), (tuple(args), dict(kwargs)))
        thread = threading.Thread(
            target=_replica, args=(context, views[i], inherited, fn, given), daemon=True
        )
        threads.append(thread)
        thread.start()
    before = local.trace
    try:
        _take_turns(contexts, shared)
    finally:
        for context, thread in zip(contexts, threads, strict=True):
            if not context.done:
                context.stop = True
                context.go.release()
            thread.join()
        local.trace = shared.current() if before.eager else before
    _keep(views, count)
    return map_leaves(joined, *[c.result for c in contexts])


def _replica(context: Turn, view: _View, inherited: Any, fn: Any, given: Any) -> None:
    context.go.acquire()
    try:
        if not context.stop:
            vars(local).update({**inherited, "calls": list(inherited["calls"]), "trace": view})
            with entered(context.strategy, context):
                context.result = fn(*given[0], **given[1])
    except _StoppedError:
        pass
    except BaseException as error:
        context.failed = error
    finally:
        context.done = True
        context.back.release()


def _take_turns(contexts: list[Turn], shared: _Shared) -> None:
    running = True
    while running:
        for context in contexts:
            context.go.release()
            context.back.acquire()
            if context.failed is not None:
                raise context.failed
        running = not all(c.done for c in contexts)
        if not running:
            return
        if any(c.done for c in contexts):
            raise RuntimeError(
                "strategy.run: each replica must come to the same all_reduce, merge_call and "
                "assignments; some replicas have returned, and others wait for them.\n"
                "  Fix: do not make them depend on `replica_id_in_sync_group` or the data."
            )
        local.trace = shared.current()
        replies = contexts[0].request[0]([c.request[1] for c in contexts])
        if shared.trace.eager:
            shared.trace = local.trace
        for context, reply in zip(contexts, replies, strict=True):
            context.reply = reply


def _keep(views: list[_View], count: int) -> None:
    """Give the variables their values: the first replica's, or what all have together."""
    write = local.trace.write
    variables = dict.fromkeys(v for view in views for v in view.own)
    for variable in variables:
        stream = getattr(variable, "_stream", None)
        if stream is not None and variable is stream.key:
            continue
        values = [view.own[variable] for view in views if variable in view.own]
        kind = kind_of(variable)
        if not kind.on_read:
            write(variable, values[0])
            continue
        values = [view.read(variable) for view in views]
        stacked = ops.stack(values)
        total = ops.reduce_sum(stacked, 0)
        write(part_of(variable, count), stacked)
        write(variable, ops.cast(total / count, total.dtype) if kind.how == "mean" else total)
