# pyright: reportPrivateUsage=false
"""Trace: a straight-line program of equations, and how one is replayed on jax arrays."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, ClassVar

from lamina.engine.outlining import Equation, Piece
from lamina.engine.signature import Signature, TensorType, signatures

__all__ = ["Equation", "Trace", "replay"]


def _find_pairs(equations: Sequence[Equation]) -> dict[Equation, tuple[int, ...]]:
    """Return for each forward equation whose vjp stands in the program the inputs to vary.

    The key is the forward equation itself: same signature, same input slots.
    """
    pairs: dict[Equation, tuple[int, ...]] = {}
    for equation in equations:
        forward = signatures[equation[0]].forward
        if forward is not None and forward[0].forward is None:
            signature, needed, _ = forward
            key = (signature.id, *equation[1 : 1 + len(signature.inputs)])
            before = pairs.get(key)
            pairs[key] = tuple(sorted({*needed, *before})) if before else needed
    return pairs


def replay(
    equations: Sequence[Equation | Piece], inputs: Sequence[Any], outputs: Sequence[int]
) -> list[Any]:
    """Run the equations on jax arrays (or JAX tracers) and return the slots asked for.

    A forward equation whose vjp is in the program too runs once, under `jax.vjp`, and the vjp
    takes what that saved: nothing is computed twice, which matters for scans.

    Args:
        equations: The program; pieces of it may be outlined.
        inputs: One value for each of its inputs.
        outputs: The slots wanted; inputs (negative slots) too.

    Returns:
        The values of these slots.
    """
    pairs = _find_pairs([e for e in equations if not isinstance(e, Piece)])
    pulls: dict[Equation, tuple[tuple[int, ...], Any]] = {}
    values: list[Any] = []
    for equation in equations:
        if isinstance(equation, Piece):
            given = [values[slot] if slot >= 0 else inputs[~slot] for slot in equation.operands]
            values.extend(equation.values(given))
            continue
        signature = signatures[equation[0]]
        args = [values[slot] if slot >= 0 else inputs[~slot] for slot in equation[1:]]
        forward = signature.forward
        if forward is not None and pulls:
            count = len(forward[0].inputs)
            saved = pulls.get((forward[0].id, *equation[1 : 1 + count]))
            if saved is not None:
                needed, pull = saved
                grads = pull(forward[2], args[count:])
                values.extend(grads[needed.index(i)] for i in forward[1])
                continue
        if (varied := pairs.get(equation)) is not None:
            out, pull = signature.linearize(args, varied)
            pulls[equation] = varied, pull
            values.extend(out)
        else:
            values.extend(signature.fn(*args))
    return [values[slot] if slot >= 0 else inputs[~slot] for slot in outputs]


class Trace:
    """A closed program: the one form of `tf.function`s, loop bodies, branches and exports.

    Equal programs are one object, so that a loop body traced again in the next step gives the
    structure of the step before. Immutable.

    Attributes:
        inputs: The types of the inputs.
        equations: The program.
        outputs: The slots returned; negative ones are inputs passed through.
        types: The types of the outputs.
        paths: The layer path of each equation, "" outside of layers; not part of equality.
    """

    __slots__ = ("_hash", "equations", "inputs", "outputs", "paths", "types")

    _interned: ClassVar[OrderedDict[Any, Trace]] = OrderedDict()
    _kept = 4096

    def __init__(
        self,
        inputs: tuple[TensorType, ...],
        equations: tuple[Equation, ...],
        outputs: tuple[int, ...],
        types: tuple[TensorType, ...],
        paths: tuple[str, ...] = (),
    ) -> None:
        self.inputs = inputs
        self.equations = equations
        self.outputs = outputs
        self.types = types
        self.paths = paths
        self._hash = hash((inputs, equations, outputs))

    @classmethod
    def of(
        cls,
        inputs: Sequence[TensorType],
        equations: Sequence[Equation],
        outputs: Sequence[int],
        types: Sequence[TensorType],
        paths: Sequence[str] = (),
    ) -> Trace:
        """Return the one Trace of this program."""
        made = cls(tuple(inputs), tuple(equations), tuple(outputs), tuple(types), tuple(paths))
        key = (made.inputs, made.equations, made.outputs)
        found = cls._interned.get(key)
        if found is None:
            cls._interned[key] = made
            if len(cls._interned) > cls._kept:
                cls._interned.popitem(last=False)
            return made
        cls._interned.move_to_end(key)
        return found

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Trace)
            and self._hash == other._hash
            and (self.inputs, self.equations, self.outputs)
            == (other.inputs, other.equations, other.outputs)
        )

    def run(self, *inputs: Any) -> list[Any]:
        """Replay the program on jax arrays."""
        return replay(self.equations, inputs, self.outputs)

    @property
    def calls_host(self) -> bool:
        """Whether running the program may call Python, and so fail half way."""
        return any(signatures[e[0]].calls_host for e in self.equations)

    @property
    def asserts(self) -> bool:
        """Whether an assertion in the program may stop it."""
        return any(signatures[e[0]].asserts for e in self.equations)

    @property
    def weight(self) -> int:
        """How many equations the program has, those of the programs in it included."""
        return sum(1 + signatures[e[0]].weight for e in self.equations)

    def connected_inputs(self) -> tuple[int, ...]:
        """Return the inputs that some output depends on differentiably."""
        starts = self._starts()
        wanted = set(self.outputs)
        for k in range(len(self.equations) - 1, -1, -1):
            equation = self.equations[k]
            signature = signatures[equation[0]]
            if not signature.differentiable:
                continue
            if any(slot in wanted for slot in range(starts[k], starts[k + 1])):
                wanted.update(equation[1 + i] for i in signature.needs)
        return tuple(
            i for i, kind in enumerate(self.inputs) if ~i in wanted and kind.differentiable
        )

    def pruned(self) -> Trace:
        """Return the program without the equations that no output needs."""
        starts = self._starts()
        needed = [False] * len(self.equations)
        wanted = {slot for slot in self.outputs if slot >= 0}
        for k in range(len(self.equations) - 1, -1, -1):
            equation, start = self.equations[k], starts[k]
            if any(start + i in wanted for i in range(starts[k + 1] - start)):
                needed[k] = True
                wanted.update(slot for slot in equation[1:] if slot >= 0)
        moved: dict[int, int] = {}
        kept: list[Equation] = []
        paths: list[str] = []
        count = 0
        for k, equation in enumerate(self.equations):
            if not needed[k]:
                continue
            kept.append((equation[0], *(s if s < 0 else moved[s] for s in equation[1:])))
            paths.extend(self.paths[k : k + 1])
            for i in range(starts[k + 1] - starts[k]):
                moved[starts[k] + i] = count
                count += 1
        outputs = [s if s < 0 else moved[s] for s in self.outputs]
        return Trace.of(self.inputs, kept, outputs, self.types, paths)

    def _starts(self) -> list[int]:
        """Return the first output slot of each equation, and one past the last."""
        starts = [0]
        for equation in self.equations:
            starts.append(starts[-1] + len(signatures[equation[0]].outputs))
        return starts

    def walk(self) -> list[tuple[Signature, Equation, str]]:
        """Return (signature, equation, layer path) of every equation."""
        paths = self.paths or ("",) * len(self.equations)
        return [(signatures[e[0]], e, path) for e, path in zip(self.equations, paths, strict=True)]

    def __repr__(self) -> str:
        return f"<Trace of {len(self.equations)} equations, {len(self.inputs)} inputs>"
