"""Learning rates as functions of the step: one operation for each schedule."""

import math
from typing import Any

import jax.numpy as jnp

from lamina.engine import op

__all__ = [
    "cosine_decay",
    "cosine_restarts",
    "exponential_decay",
    "inverse_time_decay",
    "piecewise_constant",
    "polynomial_decay",
]

# In all of them `step` is a number of any dtype; the result has the dtype of `rate`.


@op(mixed=True)
def exponential_decay(step, rate, decay_steps, decay_rate, *, staircase):
    """Return ``rate * decay_rate ** (step / decay_steps)``, the exponent rounded down in stairs."""
    dtype = rate.dtype
    p = step.astype(dtype) / decay_steps.astype(dtype)
    return rate * jnp.power(decay_rate.astype(dtype), jnp.floor(p) if staircase else p)


@op(mixed=True)
def inverse_time_decay(step, rate, decay_steps, decay_rate, *, staircase):
    """Return ``rate / (1 + decay_rate * step / decay_steps)``, the fraction rounded in stairs."""
    dtype = rate.dtype
    p = step.astype(dtype) / decay_steps.astype(dtype)
    return rate / (1 + decay_rate.astype(dtype) * (jnp.floor(p) if staircase else p))


@op(mixed=True)
def polynomial_decay(step, rate, decay_steps, end, power, *, cycle):
    """Return ``(rate - end) * (1 - step / decay_steps) ** power + end``.

    With ``cycle``, ``decay_steps`` is doubled, tripled, … each time that ``step`` passes it.
    """
    dtype = rate.dtype
    step, decay_steps, end, power = (x.astype(dtype) for x in (step, decay_steps, end, power))
    if cycle:
        decay_steps = decay_steps * jnp.where(step == 0, 1, jnp.ceil(step / decay_steps))
    else:
        step = jnp.minimum(step, decay_steps)
    return (rate - end) * jnp.power(1 - step / decay_steps, power) + end


@op(mixed=True)
def cosine_decay(step, rate, decay_steps, alpha, warmup_target, warmup_steps):
    """Return a half cosine from ``rate`` to ``alpha * rate``.

    With a ``warmup_target`` (else None), a line from ``rate`` to it comes before, and the cosine
    starts there.

    Reference: Loshchilov & Hutter 2016, https://arxiv.org/abs/1608.03983, eq. 5.
    """
    dtype = rate.dtype
    step, decay_steps, alpha = (x.astype(dtype) for x in (step, decay_steps, alpha))
    if warmup_target is None:
        return _half_cosine(jnp.minimum(step, decay_steps) / decay_steps, alpha, rate)
    target, warmup = warmup_target.astype(dtype), warmup_steps.astype(dtype)
    step = jnp.minimum(step, decay_steps + warmup)
    rising = (target - rate) * step / jnp.where(warmup == 0, 1, warmup) + rate
    falling = _half_cosine((step - warmup) / decay_steps, alpha, target)
    return jnp.where(step < warmup, rising, falling)


def _half_cosine(fraction, alpha, top, height: Any = 1):
    cosine = 0.5 * height * (1 + jnp.cos(jnp.asarray(math.pi, fraction.dtype) * fraction))
    return top * ((1 - alpha) * cosine + alpha)


@op(mixed=True)
def cosine_restarts(step, rate, first_decay_steps, t_mul, m_mul, alpha):
    """Return half cosines one after another, each ``t_mul`` times as long and ``m_mul`` as high.

    The height multiplies the part above ``alpha * rate`` only.

    Reference: Loshchilov & Hutter 2016, https://arxiv.org/abs/1608.03983, section 3.
    """
    dtype = rate.dtype
    fraction = step.astype(dtype) / first_decay_steps.astype(dtype)
    t_mul, m_mul, alpha = (x.astype(dtype) for x in (t_mul, m_mul, alpha))
    grows = t_mul != 1
    base = jnp.where(grows, t_mul, 2)  # the geometric branch must stay finite for t_mul = 1
    powers = jnp.floor(jnp.log(1 - fraction * (1 - base)) / jnp.log(base))
    before = (1 - jnp.power(base, powers)) / (1 - base)
    restarts = jnp.where(grows, powers, jnp.floor(fraction))
    geometric = (fraction - before) / jnp.power(base, powers)
    fraction = jnp.where(grows, geometric, fraction - jnp.floor(fraction))
    return _half_cosine(fraction, alpha, rate, jnp.power(m_mul, restarts))


@op(mixed=True)
def piecewise_constant(step, *pieces):
    """Return the value of the interval that ``step`` lies in.

    The first half of ``pieces`` (rounded down) are the upper bounds of all intervals but the
    last, each included in its interval; the second half are the values.
    """
    count = len(pieces) // 2
    bounds = [b.astype(step.dtype) for b in pieces[:count]]
    values = pieces[count:]
    dtype = values[0].dtype
    total = (step <= bounds[0]).astype(dtype) * values[0]
    total = total + (step > bounds[-1]).astype(dtype) * values[-1]
    for low, high, value in zip(bounds[:-1], bounds[1:], values[1:-1], strict=True):
        total = total + ((step > low) & (step <= high)).astype(dtype) * value
    return total
