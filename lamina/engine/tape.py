# pyright: reportPrivateUsage=false
# What JAX and NumPy give, and what `isinstance` finds in an Any, is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""GradientTape: reverse-mode differentiation over recorded equations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from itertools import repeat
from operator import is_
from types import TracebackType
from typing import Any

import jax.numpy as jnp

from lamina.engine import missing, nest
from lamina.engine.backward import recalled
from lamina.engine.closure import vectorize
from lamina.engine.context import local, note_tape
from lamina.engine.dispatch import convert_to_tensor, emit, op
from lamina.engine.identity import identity
from lamina.engine.reach import reaching, touched
from lamina.engine.tensor import Tensor
from lamina.engine.variable import Variable, next_number

__all__ = ["GradientTape", "UnconnectedGradients"]


class UnconnectedGradients(Enum):
    """What `GradientTape.gradient` returns for a source the target does not depend on."""

    NONE = "none"
    ZERO = "zero"


class PythonGradient:
    """Stands in a tape's log for a signature whose gradient is a Python function.

    Attributes:
        needs: The inputs that get a gradient.
        pull: A function of the list of cotangents (None where there is none), returning one
            gradient or None for each input.
    """

    __slots__ = ("needs", "pull")
    forward = None  # as of a Signature that is no vjp

    def __init__(self, needs: tuple[int, ...], pull: Callable[[list[Any]], list[Any]]) -> None:
        self.needs = needs
        self.pull = pull


class GradientTape:
    """Record operations, and differentiate through them.

    The tape records while its `with` block runs. It follows trainable Variables that are read
    and Tensors that are watched. Starting an outermost tape runs what was recorded before: one
    iteration of a training loop is one program.

    Args:
        persistent: Whether `gradient` may be called more than once.
        watch_accessed_variables: Whether trainable Variables are watched when they are read.

    Example:
        >>> x = tf.Variable(3.0)
        >>> with tf.GradientTape() as tape:
        ...     y = x * x
        >>> tape.gradient(y, x).numpy()
        np.float32(6.0)
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self._persistent = persistent
        self._watch_accessed = watch_accessed_variables
        self._recording = False
        self._spent = False
        self._watched: tuple[Any, ...] = ()
        self._ended = math.inf
        self._reset()

    def _reset(self) -> None:
        # (signature, inputs, outputs), or a Tensor that is watched from here on.
        self.log: list[Any] = []
        self._reads: dict[Any, dict[int, Tensor]] = {}

    # -- recording

    def __enter__(self) -> GradientTape:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._recording:
            self._stop()

    def _start(self) -> None:
        if self._recording:
            raise ValueError(
                "GradientTape: the tape is already recording.\n"
                "  Fix: leave its `with` block first, or use another tape."
            )
        self._spent = False  # what `gradient` used is gone; what nobody asked for goes on
        here = local
        if here.trace.eager and not here.tapes:
            here.trace.begin_step()
        self._recording = True
        # A new list: code that saved the old one (`recording`) is not changed behind its back.
        here.tapes = [*here.tapes, self]

    def _stop(self) -> None:
        local.tapes = [t for t in local.tapes if t is not self]
        note_tape(ended=True)
        self._recording = False
        self._ended = next_number()

    def watch(self, tensor: Any) -> None:
        """Follow a Tensor or Variable, or a structure of them, from here on.

        Raises:
            ValueError: it is neither Tensor nor Variable.
        """
        for t in nest.flatten(tensor):
            if isinstance(t, Variable):
                value = t._tensor if local.trace.eager else local.trace.read(t)
                if value is not None:
                    self._watch_variable(t, value)
            elif isinstance(t, Tensor):
                self.log.append(t)
            else:
                raise ValueError(
                    f"GradientTape.watch: `tensor` must be a Tensor or Variable; got {t!r} "
                    f"({type(t).__name__}).\n  Fix: tf.convert_to_tensor it first."
                )

    def note_read(self, variable: Any, tensor: Tensor) -> None:
        """Follow a trainable Variable that was read."""
        if self._watch_accessed:
            self._watch_variable(variable, tensor)

    def _watch_variable(self, variable: Any, tensor: Tensor) -> None:
        reads = self._reads.get(variable)
        if reads is None:
            self._reads[variable] = {identity(tensor): tensor}
            if "_first_read" not in variable.__dict__ and local.calls:
                missing.note_place(variable)
        elif identity(tensor) in reads:
            return
        else:
            reads[identity(tensor)] = tensor
        self.log.append(tensor)

    def watched_variables(self) -> tuple[Any, ...]:
        """Return the Variables followed, in the order in which they were made, as in TF."""
        followed = self._reads or self._watched
        return tuple(sorted(followed, key=lambda v: getattr(v, "_number", 0)))

    def stop_recording(self) -> _Pause:
        """Return a context manager inside which the tape does not record."""
        return _Pause(self)

    def reset(self) -> None:
        """Forget everything recorded so far."""
        self._reset()

    # -- differentiating

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """Return the gradients of the sum of `target` with respect to `sources`.

        Args:
            target: A Tensor or a structure of Tensors to differentiate; floating or complex.
            sources: Variables and watched Tensors, in any structure.
            output_gradients: Cotangents, in the structure of `target`; None means ones.
            unconnected_gradients: "none" or "zero": what a source without path to the target
                gets.

        Returns:
            A gradient for each source, in the structure of `sources`; its shape and dtype.

        Raises:
            RuntimeError: the tape is not persistent and was used before, or is still recording
                a second time.
            TypeError: `target` is None, or not a Tensor.
        """
        self._check_usable("gradient")
        unconnected = UnconnectedGradients(unconnected_gradients)
        wanted = nest.flatten(sources)
        goals = nest.flatten(target)
        self._follow_themselves(goals, wanted)
        targets = [self._target(t) for t in goals]
        seeds: list[Tensor | None] = [None] * len(targets)
        if output_gradients is not None:
            seeds = _seeds(_flat_seeds(output_gradients, len(targets)), targets)
        paused = [t for t in local.tapes if t is self and not self._persistent]
        before = local.tapes
        note_tape(ended=False)
        if paused:
            local.tapes = [t for t in before if t is not self]
        try:
            roots = [self._roots(s) for s in wanted]

            def walk() -> tuple[list[Tensor | None], Any]:
                found = self._walk(targets, seeds, roots)
                missing.report_unreached(self._reads, wanted)
                return found, missing.reasons(self, targets, wanted, found)

            if output_gradients is None and local.trace.eager and not local.tapes:
                found, why = recalled(local.trace, self.log, targets, roots, walk)
            else:
                found, why = walk()
            if why is not None:
                missing.note(wanted, why)
        finally:
            local.tapes = before
            note_tape(ended=True)
        if unconnected is UnconnectedGradients.ZERO:
            found = [_zeros_like(s) if g is None else g for g, s in zip(found, wanted, strict=True)]
        if self._recording and not self._persistent:
            self._stop()
        self._used()
        if type(sources) is list and len(wanted) == len(sources) and all(map(is_, wanted, sources)):
            return found  # a flat list, as of most models' variables
        return nest.pack_sequence_as(sources, found)

    def _used(self) -> None:
        """Let go of what was recorded, unless the tape may be used again."""
        if not self._persistent:
            self._spent = True
            self._watched = tuple(self._reads)
            self._reset()

    def _check_usable(self, what: str) -> None:
        if self._spent:
            raise RuntimeError(
                f"GradientTape.{what}: a non-persistent tape can be used once.\n"
                f"  Fix: tf.GradientTape(persistent=True), and `del tape` when done."
            )

    def _target(self, target: Any) -> Tensor:
        if isinstance(target, Tensor):
            return target
        if hasattr(type(target), "_as_tensor"):
            reads = self._reads.get(target)
            return next(reversed(reads.values())) if reads else target._as_tensor()
        raise TypeError(
            f"GradientTape.gradient: `target` must be a Tensor computed under the tape; got "
            f"{target!r} ({type(target).__name__}).\n"
            f"  Fix: compute the loss inside the `with` block and pass the Tensor."
        )

    def _follow_themselves(self, goals: Sequence[Any], wanted: Sequence[Any]) -> None:
        """Follow what is a target and a source: its gradient is ones, though nothing used it."""
        for goal in goals:
            if any(map(is_, wanted, repeat(goal))):
                known = self.log if isinstance(goal, Tensor) else self._reads
                if not any(map(is_, known, repeat(goal))):
                    self.watch(goal)

    def _backward(
        self, targets: Sequence[Tensor], seeds: Sequence[Any], wanted: Sequence[Any]
    ) -> list[Tensor | None]:
        return self._walk(targets, seeds, [self._roots(s) for s in wanted])

    def _walk(
        self, targets: Sequence[Tensor], seeds: Sequence[Any], roots: Sequence[Sequence[Tensor]]
    ) -> list[Tensor | None]:
        steps = _connected(self.log)
        grads = _seeded(targets, seeds)
        # A root may itself be computed from other roots, so its gradient must survive the walk.
        results: list[Any]  # None where a Python gradient gives none
        for signature, inputs, outputs, needed in reversed(steps):
            if len(outputs) == 1:
                cotangent = grads.get(identity(outputs[0]))
                if cotangent is None:
                    continue
                given, cotangents = (0,), (cotangent,)
            else:
                given = tuple([i for i, o in enumerate(outputs) if identity(o) in grads])
                if not given:
                    continue
                cotangents = tuple([grads[identity(outputs[i])] for i in given])
            if signature.forward is not None:
                needed = reaching(signature, needed, given)
                if not needed:
                    continue
            if type(signature) is PythonGradient:
                results = _pull(signature, len(outputs), given, cotangents, needed)
            else:
                results = emit(signature.vjp(needed, given), (*inputs, *cotangents))
            for i, grad in zip(needed, results, strict=True):
                if grad is not None:
                    _accumulate(grads, inputs[i], grad)
        followed = _followed(self.log, steps)
        return [self._collect(r, grads, followed) for r in roots]

    def _roots(self, source: Any) -> list[Tensor]:
        if isinstance(source, Tensor):
            return [source]
        if source in self._reads:
            return list(self._reads[source].values())
        if isinstance(source, Variable):
            return []
        if hasattr(type(source), "_as_tensor"):
            return [source._as_tensor()]
        raise TypeError(
            f"GradientTape.gradient: `sources` must be Variables and Tensors; got {source!r} "
            f"({type(source).__name__}).\n"
            f"  Fix: pass the Variable or the watched Tensor itself, not its value."
        )

    @staticmethod
    def _collect(
        roots: Sequence[Tensor], grads: dict[int, Tensor], followed: set[int]
    ) -> Tensor | None:
        total: Tensor | None = None
        for root in roots:
            grad = grads.get(identity(root)) if identity(root) in followed else None
            if grad is not None:
                total = grad if total is None else _add(total, grad)
        return total

    # -- Jacobians

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobians of `target` with respect to `sources`.

        Args:
            target: A Tensor.
            sources: Variables and watched Tensors, in any structure.
            unconnected_gradients: "none" or "zero".
            parallel_iterations: Accepted, unused: all rows are computed together.
            experimental_use_pfor: Accepted; both ways give the same values.

        Returns:
            For each source a Tensor of shape `target.shape + source.shape`.
        """
        self._check_usable("jacobian")
        wanted = nest.flatten(sources)
        self._follow_themselves([target], wanted)
        y = self._target(target)
        count = _size(y)
        zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO

        def row(seed: Tensor) -> list[Any]:
            return self._backward([y], [_reshape(seed, shape=y._type.dims)], wanted)

        connected: list[bool] = []

        def rows(seed: Tensor) -> list[Tensor]:
            found = row(seed)
            connected[:] = [g is not None for g in found]
            return [g for g in found if g is not None]

        eye = _eye(size=count, dtype=y.dtype)
        packed = iter(vectorize(rows, eye))
        result: list[Any] = []
        for source, has in zip(wanted, connected, strict=True):
            if has:
                grad = next(packed)
                result.append(_reshape(grad, shape=y._type.dims + grad._type.dims[1:]))
            else:
                result.append(
                    _zeros(shape=y._type.dims + tuple(source.shape), dtype=source.dtype)
                    if zero
                    else None
                )
        self._used()
        return nest.pack_sequence_as(sources, result)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: int | None = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobian of each example: `target[i]` with respect to `source[i]`.

        Args:
            target: A Tensor of shape `(B, y...)`; `target[i]` may depend on `source[i]` only.
            source: A Tensor of shape `(B, x...)`.
            unconnected_gradients: "none" or "zero".
            parallel_iterations: Accepted, unused.
            experimental_use_pfor: Accepted; both ways give the same values.

        Returns:
            A Tensor of shape `(B, y..., x...)`.

        Raises:
            ValueError: the first axes differ, or `target` or `source` has one axis only.
        """
        self._check_usable("batch_jacobian")
        y = self._target(target)
        batch = y._type.dims[:1]
        if not y._type.dims or tuple(source.shape)[:1] != tuple(y.shape)[:1]:
            raise ValueError(
                f"GradientTape.batch_jacobian: `target` and `source` must share their first axis; "
                f"got shapes {y.shape} and {source.shape}.\n  Fix: use jacobian instead."
            )
        if len(y._type.dims) < 2 or len(source.shape) < 2:
            raise ValueError(
                f"GradientTape.batch_jacobian: `target` and `source` must have at least two axes; "
                f"got shapes {y.shape} and {source.shape}.\n"
                f"  Fix: use gradient where each example is one number."
            )
        inner = y._type.dims[1:]
        count = 1
        for d in inner:
            count *= d
        found: list[Any] = []

        def rows(seed: Tensor) -> list[Tensor]:
            spread = _broadcast(_reshape(seed, shape=(1, *inner)), shape=y._type.dims)
            grad = self._backward([y], [spread], [source])[0]
            found[:] = [grad]
            return [] if grad is None else [grad]

        packed = vectorize(rows, _eye(size=count, dtype=y.dtype))
        self._used()
        dims = (*batch, *inner, *tuple(source.shape)[1:])

        if not packed:
            zero = UnconnectedGradients(unconnected_gradients) is UnconnectedGradients.ZERO
            return _zeros(shape=dims, dtype=source.dtype) if zero else None
        return _reshape(_swap(packed[0]), shape=dims)


def _flat_seeds(given: Any, count: int) -> list[Any]:
    """Return the cotangents one by one; rows (`tf.IndexedSlices`) of a Tensor are one Tensor."""
    found = nest.flatten(given)
    if len(found) != count and nest.has_composites(given):
        return nest.flatten(nest.map_composites(convert_to_tensor, given))
    return found


def _seeds(given: Sequence[Any], targets: Sequence[Tensor]) -> list[Tensor | None]:
    if len(given) != len(targets):
        raise ValueError(
            f"GradientTape.gradient: `output_gradients` must hold one Tensor for each target; got "
            f"{len(given)} for {len(targets)}.\n"
            f"  Fix: pass a Tensor of the target's shape, tf.constant([...]), not a list."
        )
    seeds = [
        None if g is None else convert_to_tensor(g, t.dtype)
        for g, t in zip(given, targets, strict=True)
    ]
    for seed, target in zip(seeds, targets, strict=True):
        if seed is not None and seed._type is not target._type:
            raise ValueError(
                f"GradientTape.gradient: `output_gradients` must have the shape of the target, "
                f"{target.shape}; got {seed.shape}.\n"
                f"  Fix: tf.broadcast_to(gradient, target.shape)."
            )
    return seeds


def _seeded(targets: Sequence[Tensor], seeds: Sequence[Any]) -> dict[int, Tensor]:
    """Return the cotangents that the walk starts from, ones where no seed is given."""
    grads: dict[int, Tensor] = {}
    for target, seed in zip(targets, seeds, strict=True):
        if target._type.differentiable:
            _accumulate(grads, target, _ones(target) if seed is None else seed)
    return grads


class _Pause:
    """The block of `tape.stop_recording()`."""

    def __init__(self, tape: GradientTape) -> None:
        self._tape = tape

    def __enter__(self) -> None:
        if not self._tape._recording:
            raise ValueError(
                "GradientTape.stop_recording: the tape is not recording.\n"
                "  Fix: use it inside the tape's `with` block."
            )
        self._before = local.tapes
        local.tapes = [t for t in local.tapes if t is not self._tape]

    def __exit__(self, *error: object) -> None:
        local.tapes = self._before


def _connected(log: Iterable[Any]) -> list[tuple[Any, Any, Any, tuple[int, ...]]]:
    """Return the log's steps that depend on a watched Tensor, with the inputs that do."""
    active: set[int] = set()
    steps: list[tuple[Any, Any, Any, tuple[int, ...]]] = []
    for entry in log:
        if type(entry) is not tuple:
            active.add(identity(entry))
            continue
        signature, inputs, outputs = entry
        needed = tuple([i for i in signature.needs if identity(inputs[i]) in active])
        if needed:
            steps.append((signature, inputs, outputs, needed))
            if signature.forward is not None:
                outputs = [outputs[i] for i in touched(signature, needed)]
            active.update([identity(o) for o in outputs if o._type.differentiable])
    return steps


def _pull(
    python: PythonGradient, count: int, given: Any, cotangents: Any, needed: tuple[int, ...]
) -> list[Any]:
    """Return the gradients that a Python function gives for the needed inputs."""
    full: list[Any] = [None] * count
    for i, c in zip(given, cotangents, strict=True):
        full[i] = c
    pulled = python.pull(full)
    return [pulled[i] for i in needed]


def _followed(log: Iterable[Any], steps: Sequence[Any]) -> set[int]:
    """Return the ids of the Tensors that are watched, or computed in one of the steps."""
    found = {identity(entry) for entry in log if type(entry) is not tuple}
    for step in steps:
        found.update([identity(o) for o in step[2]])
    return found


def _accumulate(grads: dict[int, Tensor], tensor: Tensor, grad: Tensor) -> None:
    before = grads.get(identity(tensor))
    grads[identity(tensor)] = grad if before is None else _add(before, grad)


def _size(tensor: Tensor) -> int:
    count = 1
    for d in tensor._type.dims:
        count *= d
    return count


def _ones(tensor: Tensor) -> Tensor:
    return _ones_like(tensor)


def _zeros_like(source: Any) -> Tensor:
    return _zeros(shape=tuple(source.shape), dtype=source.dtype)


@op
def _add(x: Any, y: Any) -> Any:
    return x + y


@op(differentiable=False)
def _ones_like(x: Any) -> Any:
    return jnp.ones_like(x)


@op
def _zeros(*, shape: Any, dtype: Any) -> Any:
    return jnp.zeros(shape, dtype.np)


@op
def _eye(*, size: Any, dtype: Any) -> Any:
    return jnp.eye(size, dtype=dtype.np)


@op
def _reshape(x: Any, *, shape: Any) -> Any:
    return jnp.reshape(x, shape)


@op
def _broadcast(x: Any, *, shape: Any) -> Any:
    return jnp.broadcast_to(x, shape)


@op
def _swap(x: Any) -> Any:
    return jnp.moveaxis(x, 0, 1)
