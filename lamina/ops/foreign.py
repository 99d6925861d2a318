"""Calling code written in plain JAX: pytrees, keys, and its 32-bit defaults."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import Tensor, Variable, jax_op, op

__all__ = ["flatten_pytree", "foreign_op", "is_array", "jax_key", "map_pytree", "run_foreign"]

_WIDE = ("float64", "complex128")


@op(differentiable=False)
def jax_key(seed):
    """Return the key of `jax.random` that a seed of two integers stands for, uint32 ``(2,)``."""
    return seed.astype(jnp.uint32)


def is_array(value: Any) -> bool:
    """Return whether a value is a Tensor, Variable, or an array of NumPy or JAX."""
    return isinstance(value, Tensor | Variable | np.ndarray | np.generic | jax.Array)


def map_pytree(fn: Callable[..., Any], *trees: Any) -> Any:
    """Apply a function to the leaves of pytrees: dicts, lists, and classes registered with JAX."""
    return jax.tree.map(fn, *trees)


def flatten_pytree(tree: Any) -> list[Any]:
    """Return the leaves of a pytree."""
    return jax.tree.leaves(tree)


def _is_wide(tree: Any) -> bool:
    """Return whether a leaf is float64 or complex128: then 64-bit defaults are what is meant."""
    return any(str(getattr(leaf, "dtype", "")) in _WIDE for leaf in jax.tree.leaves(tree))


def foreign_op(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation of a JAX function whose new arrays are 32-bit, as JAX's default is.

    Args:
        fn: A pure function on jax arrays and pytrees of them.
    """

    def body(*args: Any, **kwargs: Any) -> Any:
        with jax.enable_x64(_is_wide((args, kwargs))):
            return fn(*args, **kwargs)

    return jax_op(body)


def run_foreign(fn: Callable[..., Any], *args: Any) -> Any:
    """Run a JAX function now, on pytrees of arrays and Tensors; returns what it returns."""
    with jax.enable_x64(False):
        return fn(*map_pytree(_as_jax, args))


def _as_jax(leaf: Any) -> Any:
    if isinstance(leaf, Tensor | Variable):
        return jnp.asarray(leaf.numpy())
    return jnp.asarray(leaf) if isinstance(leaf, np.ndarray) else leaf
