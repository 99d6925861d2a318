"""One program for all replicas: the function is recorded once, and runs on every device."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.distribute import collectives
from lamina.distribute.context import ReplicaContext, entered
from lamina.distribute.copies import Kind, kind_of, part_of
from lamina.distribute.values import PerReplica, is_value, map_leaves
from lamina.engine import Tensor, Trace, Variable, convert_to_tensor, local, recording
from lamina.engine.closure import Closure
from lamina.engine.signature import signatures, type_of

__all__ = ["run_together"]


class Together(ReplicaContext):
    """The context of all replicas at once: exchanges are operations of their program."""

    def __init__(self, strategy: Any) -> None:
        super().__init__(strategy, None)

    @property
    def replica_id_in_sync_group(self) -> Any:
        """The number of the replica, an int32 Tensor that differs between devices."""
        return collectives.index()

    def _sums(self, tensors: Sequence[Any]) -> list[Any]:
        return collectives.all_sum(*tensors) if tensors else []

    def _exchanged(self, tensor: Any) -> list[Any]:
        count = self.num_replicas_in_sync
        stacked = collectives.all_gather(tensor, count=count)
        return [collectives.take(stacked, at=i) for i in range(count)]

    def _merged(self, merge_fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        def of_all(x: Any) -> Any:
            if isinstance(x, Variable) or not is_value(x):
                return x
            return PerReplica(self._exchanged(convert_to_tensor(x)))

        args, kwargs = map_leaves(of_all, (args, kwargs))
        with self._together(), entered(self._strategy, None):
            result = merge_fn(self._strategy, *args, **kwargs)

        def mine(x: Any) -> Any:
            return ops.gather(x.as_stacked(), collectives.index()) if _is_parts(x) else x

        return map_leaves(mine, result)


class _Recorder(Closure):
    """The recorder of a replica's program: assignments follow the variables' aggregation."""

    def __init__(self, context: Together) -> None:
        super().__init__("strategy.run")
        self.context = context
        self.mapped: set[int] = set()  # inputs that differ between replicas
        self.parts: dict[Any, tuple[int, Variable]] = {}  # by variable: its part, an input
        self.loose: set[Any] = set()  # assigned by each replica on its own

    def add_mapped(self, stacked: Tensor) -> Tensor:
        """Add an input that each replica gets its own entry of."""
        self.mapped.add(len(self.types))
        return self.add_input(type_of(stacked._type.dims[1:], stacked.dtype))

    def read(self, variable: Any) -> Tensor:
        """Return the variable's value of now on this replica."""
        if variable in self.variables:
            return super().read(variable)
        with recording(self):  # a function inside that is being recorded may ask
            return self._first_read(variable)

    def _first_read(self, variable: Any) -> Tensor:
        tensor = super().read(variable)
        if tensor is None:
            return tensor
        stream = getattr(variable, "_stream", None)
        if stream is not None and variable is stream.key:
            tensor = collectives.own_key(tensor, collectives.index())
            self.variables[variable].current = tensor
        kind = kind_of(variable)
        if kind.on_read:
            count = self.context.num_replicas_in_sync
            part = part_of(variable, count)
            inner = self.add_mapped(self.parent.read(part))
            self.parts[variable] = ~inner._slot, part
            tensor = collectives.resumed(tensor, inner, sums=kind.how != "mean", count=count)
            self.variables[variable].current = tensor
        return tensor

    def write(self, variable: Any, tensor: Tensor) -> None:
        """Give the variable a new value: that of this replica, or of all."""
        kind = kind_of(variable)
        if not (self.context.merging or kind.on_read or getattr(variable, "_stream", None)):
            before = self.read(variable)
            if kind.how in ("sum", "mean"):
                tensor = self._combined(kind, before, tensor)
            elif kind.how == "only_first_replica":
                tensor = collectives.from_first(tensor)
            else:
                self.loose.add(variable)
        super().write(variable, tensor)

    def _combined(self, kind: Kind, before: Tensor, tensor: Tensor) -> Tensor:
        if kind.how == "sum" and before is not None and self._adds_to(before, tensor):
            return before + self.context._sums([tensor - before])[0]
        total = self.context._sums([tensor])[0]
        if kind.how == "sum":
            return total
        return ops.cast(total / self.context.num_replicas_in_sync, tensor.dtype)

    def _adds_to(self, before: Tensor, tensor: Tensor) -> bool:
        """Return whether a value was just made by `assign_add` or `assign_sub`."""
        if not self.equations:
            return False
        last = self.equations[-1]
        name = signatures[last[0]].name
        return (
            name in ("_add", "_subtract")
            and tensor._trace is self
            and tensor._slot == self.count - 1
            and last[1] == before._slot
        )


def _is_parts(x: Any) -> bool:
    return isinstance(x, PerReplica)


def run_together(
    strategy: Any, fn: Callable[..., Any], args: Any, kwargs: Any, count: int, mesh: Any
) -> Any:
    """Record `fn` once, and run it for all replicas as one program.

    Args:
        strategy: The strategy.
        fn: The function of a replica.
        args: Its arguments; each PerReplica in them has values of one shape.
        kwargs: Its keyword arguments.
        count: How many replicas there are.
        mesh: See `collectives.run_on_all`.

    Returns:
        What it returns, with PerReplicas as Tensors.
    """
    context = Together(strategy)
    recorder = _Recorder(context)
    given: list[Tensor] = []

    def inside(x: Any) -> Any:
        if not _is_parts(x):
            return x
        stacked = x.as_stacked()
        if stacked is None:
            return x.values[0]  # the same on all: strategy.run made sure
        given.append(stacked)
        return recorder.add_mapped(stacked)

    args, kwargs = map_leaves(inside, (tuple(args), dict(kwargs)))
    try:
        with recording(recorder), entered(strategy, context):
            result = fn(*args, **kwargs)
            outputs, back = _separated(result)
            closing = _Closing(recorder, outputs)
    finally:
        recorder.alive = False
    values = closing.run(given, count, mesh)
    return back([PerReplica(None, v) for v in values])


def _separated(result: Any) -> tuple[list[Tensor], Callable[[list[Any]], Any]]:
    """Return the Tensors of a structure, and what puts others in their places."""
    found: list[Tensor] = []

    def note(x: Any) -> Any:
        if isinstance(x, Variable):
            return x
        if isinstance(x, np.generic | np.ndarray) or (is_value(x) and not isinstance(x, Tensor)):
            x = convert_to_tensor(x)
        if isinstance(x, Tensor):
            found.append(x)
            return _Place(len(found) - 1)
        return x

    shape = map_leaves(note, result)

    def back(values: list[Any]) -> Any:
        return map_leaves(lambda x: values[x.at] if isinstance(x, _Place) else x, shape)

    return found, back


class _Place:
    """Where a Tensor goes in a structure."""

    def __init__(self, at: int) -> None:
        self.at = at


class _Closing:
    """What a finished recorder needs to run: made while it records, run after."""

    def __init__(self, recorder: _Recorder, outputs: list[Tensor]) -> None:
        self.recorder = recorder
        self.arguments = len(recorder.mapped) - len(recorder.parts)
        self.outputs = len(outputs)
        tensors = list(outputs)
        self.shared = [False] * len(outputs)
        self.targets: list[Variable] = []
        for variable, state in list(recorder.variables.items()):
            if not state.written:
                continue
            current = state.current
            if variable in recorder.parts:
                self._add(tensors, recorder.parts[variable][1], current, False)
                total = recorder.context._sums([current])[0]
                if kind_of(variable).how == "mean":
                    count = recorder.context.num_replicas_in_sync
                    total = ops.cast(total / count, current.dtype)
                current = total
            elif variable in recorder.loose:
                current = collectives.from_first(current)
            self._add(tensors, variable, current, True)
        slots = [recorder.slot(t) for t in tensors]
        types = [t._type for t in tensors]
        paths = ["" if layer is None else layer.name for layer in recorder.layers]
        self.trace = Trace.of(recorder.types, recorder.equations, slots, types, paths)

    def _add(self, tensors: list[Tensor], target: Variable, value: Tensor, shared: bool) -> None:
        tensors.append(value)
        self.targets.append(target)
        self.shared.append(shared)

    def run(self, given: list[Tensor], count: int, mesh: Any) -> list[Tensor]:
        """Record the run for all replicas, assign the variables, and return the outputs."""
        recorder = self.recorder
        operands: list[Any] = [*given, *[None] * (len(recorder.types) - len(given))]
        for tensor, slot in recorder.captures.values():
            operands[~slot] = tensor
        for variable, state in recorder.variables.items():
            if state.start._trace is recorder and state.start._slot < 0:
                operands[~state.start._slot] = variable._read()
        for at, part in recorder.parts.values():
            operands[at] = part._read()
        mapped = [i in recorder.mapped for i in range(len(operands))]
        values = collectives.run_on_all(self.trace, operands, mapped, self.shared, count, mesh)
        for target, value in zip(self.targets, values[self.outputs :], strict=True):
            local.trace.write(target, value)
        return values[: self.outputs]
