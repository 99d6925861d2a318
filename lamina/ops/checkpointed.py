"""A loop of unknown length that has gradients: its states are computed again, from checkpoints."""

import threading
from contextlib import contextmanager

import jax
import jax.numpy as jnp
from jax import lax

__all__ = ["checkpointed_while", "forward_mode"]

_KEPT = 32  # states held at each of two levels


class _Mode(threading.local):
    forward = False


_mode = _Mode()


@contextmanager
def forward_mode():
    """Let loops met inside be pushed forward, as `jax.jvp` asks, and not pulled back."""
    before, _mode.forward = _mode.forward, True
    try:
        yield
    finally:
        _mode.forward = before


def checkpointed_while(proceed, step, start, fixed):
    """Run `step` while `proceed` holds, as `lax.while_loop` does, with reverse-mode gradients.

    The forward pass keeps nothing. The backward pass runs the loop again and keeps every k-th
    state, k such that there are at most 32; then, from the last stretch to the first, keeps at
    most 32 states of the stretch and walks it back. Up to 1024 steps that is three forward passes
    and the memory of 64 states; for n steps beyond, `n / 1024` more.

    Args:
        proceed: A function (state, fixed) -> bool.
        step: A function (state, fixed) -> state; states are tuples of arrays.
        start: The first state.
        fixed: What both read and the loop does not change, a tuple of arrays.

    Returns:
        The last state. It has first derivatives in reverse mode.
    """

    def count(start, fixed):
        def again(carry):
            return carry[0] + 1, step(carry[1], fixed)

        return lax.while_loop(lambda c: proceed(c[1], fixed), again, (jnp.int32(0), start))

    @jax.custom_vjp
    def run(start, fixed):
        return lax.while_loop(lambda s: proceed(s, fixed), lambda s: step(s, fixed), start)

    def forward(start, fixed):
        steps, last = count(start, fixed)
        return last, (steps, start, fixed)

    def backward(kept, cotangents):
        steps, start, fixed = kept
        return _walk_back(step, steps, start, fixed, cotangents)

    if _mode.forward:
        return lax.while_loop(lambda s: proceed(s, fixed), lambda s: step(s, fixed), start)
    run.defvjp(forward, backward)
    return run(start, fixed)


def _walk_back(step, steps, start, fixed, cotangents):
    """Return the cotangents of the first state and of the fixed values."""
    inexact = [jnp.issubdtype(x.dtype, jnp.inexact) for x in (*start, *fixed)]
    states, others = inexact[: len(start)], inexact[len(start) :]

    def pull(state, grads):
        def moving(floats, fixed_floats):
            full = _joined(states, floats, state)
            return _chosen(states, step(full, _joined(others, fixed_floats, fixed)))

        _, vjp = jax.vjp(moving, _chosen(states, state), _chosen(others, fixed))
        to_state, to_fixed = vjp(grads[0])
        return to_state, tuple(a + b for a, b in zip(grads[1], to_fixed, strict=True))

    grads = (
        tuple(_chosen(states, cotangents)),
        tuple(jnp.zeros_like(x) for x in _chosen(others, fixed)),
    )
    to_state, to_fixed = _stretch(step, pull, steps, start, fixed, grads, level=2)
    return _with_zeros(states, to_state, start), _with_zeros(others, to_fixed, fixed)


def _stretch(step, pull, steps, start, fixed, grads, level):
    """Pull cotangents back through `steps` steps from `start`, keeping some states between."""
    stride = jnp.maximum((steps + _KEPT - 1) // _KEPT, 1)
    kept = tuple(jnp.zeros((_KEPT, *x.shape), x.dtype) for x in start)

    def advance(state, count):
        return lax.fori_loop(0, count, lambda _, s: step(s, fixed), state)

    def keep(i, carry):
        state, kept = carry
        at = i // stride
        kept = lax.cond(
            i % stride == 0,
            lambda: tuple(k.at[at].set(s) for k, s in zip(kept, state, strict=True)),
            lambda: kept,
        )
        return step(state, fixed), kept

    _, kept = lax.fori_loop(0, steps, keep, (start, kept))
    stretches = (steps + stride - 1) // stride

    def back(k, grads):
        at = stretches - 1 - k
        state = tuple(x[at] for x in kept)
        size = jnp.minimum(stride, steps - at * stride)
        if level > 1:
            return _stretch(step, pull, size, state, fixed, grads, level - 1)
        return lax.fori_loop(0, size, lambda j, g: pull(advance(state, size - 1 - j), g), grads)

    return lax.fori_loop(0, stretches, back, grads)


def _chosen(which, values):
    return tuple(v for w, v in zip(which, values, strict=True) if w)


def _joined(which, floats, values):
    given = iter(floats)
    return tuple(next(given) if w else v for w, v in zip(which, values, strict=True))


def _with_zeros(which, floats, values):
    given = iter(floats)
    return tuple(
        next(given) if w else jnp.zeros(v.shape, jax.dtypes.float0)
        for w, v in zip(which, values, strict=True)
    )
