"""Window functions: `M` weights that fall to both ends."""

import jax.numpy as jnp
import numpy as np

from lamina.engine import op

__all__ = ["bartlett", "blackman", "hamming", "hanning", "kaiser"]


def _phase(size):
    """Return ``n / (M - 1)`` for n from 0 on, float64."""
    return np.arange(size) / max(size - 1, 1)


@op(differentiable=False)
def bartlett(*, size, dtype):
    """Return a triangle: ``1 - |2n / (M - 1) - 1|``."""
    shape = 1 - np.abs(2 * _phase(size) - 1) if size > 1 else np.ones(size)
    return jnp.asarray(shape, dtype.np)


def _cosines(size, weights, dtype):
    """Return ``Σ (-1)^k w_k cos(2πkn / (M - 1))``, 1 for a single weight."""
    phase = 2 * np.pi * _phase(size)
    shape = sum((-1) ** k * w * np.cos(k * phase) for k, w in enumerate(weights))
    return jnp.asarray(shape if size > 1 else np.ones(size), dtype.np)


@op(differentiable=False)
def hanning(*, size, dtype):
    """Return ``0.5 - 0.5 cos(2πn / (M - 1))``."""
    return _cosines(size, (0.5, 0.5), dtype)


@op(differentiable=False)
def hamming(*, size, dtype):
    """Return ``0.54 - 0.46 cos(2πn / (M - 1))``."""
    return _cosines(size, (0.54, 0.46), dtype)


@op(differentiable=False)
def blackman(*, size, dtype):
    """Return ``0.42 - 0.5 cos(2πn / (M - 1)) + 0.08 cos(4πn / (M - 1))``."""
    return _cosines(size, (0.42, 0.5, 0.08), dtype)


@op
def kaiser(beta, *, size):
    """Return ``I0(β sqrt(1 - (2n / (M - 1) - 1)²)) / I0(β)`` in the dtype of β, a scalar."""
    reach = np.sqrt(1 - (2 * _phase(size) - 1) ** 2) if size > 1 else np.ones(size)
    return jnp.i0(beta * jnp.asarray(reach, beta.dtype)) / jnp.i0(beta)
