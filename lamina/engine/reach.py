# pyright: reportPrivateUsage=false
# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Which inputs each output of a gradient depends on.

The gradients of ``x * w`` are one equation with two outputs, ``(dy * w, dy * x)``. The one for
`w` does not depend on `w`: a second derivative along that way is None, as in TensorFlow, and not
a zero. A call of a function, a loop or a branch, and its gradient, are taken as one: each output
depends on each input.
"""

from __future__ import annotations

from typing import Any

import jax

from lamina.engine.signature import Signature

__all__ = ["reaching", "touched"]

_known: dict[Signature, tuple[frozenset[int], ...]] = {}


def reaching(
    signature: Signature, needed: tuple[int, ...], given: tuple[int, ...]
) -> tuple[int, ...]:
    """Return those of the inputs `needed` that one of the outputs `given` depends on."""
    sources = _sources(signature)
    return tuple([i for i in needed if any(i in sources[o] for o in given)])


def touched(signature: Signature, needed: tuple[int, ...]) -> tuple[int, ...]:
    """Return the outputs that depend on one of the inputs `needed`."""
    return tuple([o for o, s in enumerate(_sources(signature)) if not s.isdisjoint(needed)])


def _sources(signature: Signature) -> tuple[frozenset[int], ...]:
    """Return for each output of a signature the inputs that it depends on."""
    found = _known.get(signature)
    if found is None and signature.weight:
        every = frozenset(range(len(signature.inputs)))
        found = _known[signature] = (every,) * len(signature.outputs)
    if found is None:
        with jax.enable_x64(True):
            closed = jax.make_jaxpr(signature.fn)(*[t.struct() for t in signature.inputs])
        starts = [frozenset((i,)) for i in range(len(signature.inputs))]
        found = _known[signature] = tuple(_flow(closed.jaxpr, starts))
    return found


def _flow(jaxpr: Any, starts: list[frozenset[int]]) -> list[frozenset[int]]:
    """Return what the outputs of a jaxpr depend on, where its inputs depend on `starts`."""
    at: dict[Any, frozenset[int]] = dict(zip(jaxpr.invars, starts, strict=True))

    def of(var: Any) -> frozenset[int]:
        # A literal has its value; its class is in jax.extend, whose import costs 40 ms.
        return frozenset() if hasattr(var, "val") else at.get(var, frozenset())

    for eqn in jaxpr.eqns:
        inputs = [of(v) for v in eqn.invars]
        inner = eqn.params.get("jaxpr") if eqn.primitive.name in _CALLS else None
        if inner is not None:
            outputs = _flow(getattr(inner, "jaxpr", inner), inputs)
        else:  # a loop, a branch, arithmetic: all its outputs depend on all its inputs
            outputs = [frozenset[int]().union(*inputs)] * len(eqn.outvars)
        at.update(zip(eqn.outvars, outputs, strict=True))
    return [of(v) for v in jaxpr.outvars]


_CALLS = frozenset(("pjit", "jit", "closed_call", "core_call", "remat", "checkpoint"))
