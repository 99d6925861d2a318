"""Calls of Python from a program that runs: for what prints, writes files and checks."""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from lamina.engine import Tensor, op

__all__ = ["call_host"]


@op(mixed=True, differentiable=False, calls_host=True)
def _called(*values: Any, run: Callable[..., None]) -> Any:
    jax.debug.callback(run, *values, ordered=False)
    return jnp.zeros((), bool)


def call_host(run: Callable[..., None], tensors: Sequence[Tensor]) -> None:
    """Have a function called with the values of Tensors, each time that the program runs."""
    _called(*tensors, run=run)
