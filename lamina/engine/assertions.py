# What JAX gives is partly unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
"""Assertions in compiled programs: how one stops its program, and what its caller then sees."""

from __future__ import annotations

import itertools
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any

import jax
import numpy as np

from lamina.engine import errors
from lamina.engine.context import local

__all__ = ["assert_in_program", "checked", "without_assertions"]


class _AssertionFailedError(Exception):
    """What stops the program; JAX hands on its text alone, so that names the error kept."""


_kept: OrderedDict[int, errors.InvalidArgumentError] = OrderedDict()
_MOST_KEPT = 64  # a run can keep several and raises one
_numbers = itertools.count()
_NAME = re.compile(r"lamina assertion (\d+):")


def assert_in_program(ok: Any, data: Any, say: Callable[..., str]) -> None:
    """Have the program that is made stop unless `ok`, with an error that its caller raises.

    Args:
        ok: One bool, a tracer of JAX.
        data: Arrays that `say` gets; they leave the device if it fails only.
        say: The text of the error, of the data as NumPy arrays. It runs while the program does.
    """
    if local.drops_assertions:
        return
    _quieten()

    def fail(holds: Any, *values: Any) -> None:
        if not np.all(holds):  # under jax.vmap both branches run
            error = errors.InvalidArgumentError(say(*map(np.asarray, values)))
            number = next(_numbers)
            _kept[number] = error
            while len(_kept) > _MOST_KEPT:
                _kept.popitem(last=False)
            raise _AssertionFailedError(f"lamina assertion {number}: {error}")

    def stop(*values: Any) -> None:
        jax.debug.callback(fail, *values)

    given = jax.lax.stop_gradient((ok, *data))
    jax.lax.cond(given[0], _go_on, stop, *given)


def checked(run: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """Return what runs a program with assertions in it, waits for it, and raises what failed."""

    def run_checked(inputs: Any) -> list[Any]:
        try:
            values = run(inputs)
            jax.block_until_ready(values)
            if not values:
                jax.effects_barrier()
            return values
        except jax.errors.JaxRuntimeError as error:
            found = _NAME.search(str(error))
            failed = _kept.pop(int(found[1]), None) if found else None
            if failed is None:
                raise
        with suppress(jax.errors.JaxRuntimeError):
            jax.effects_barrier()  # JAX would report the failed run once more at exit
        raise failed

    return run_checked


@contextmanager
def without_assertions() -> Generator[None, None, None]:
    """Leave assertions out of the programs made inside the block: files cannot hold Python."""
    before = local.drops_assertions
    local.drops_assertions = True
    try:
        yield
    finally:
        local.drops_assertions = before


def _go_on(*_: Any) -> None:
    pass


def _is_news(record: logging.LogRecord) -> bool:
    kind = record.exc_info[0] if record.exc_info else None
    return kind is None or not issubclass(kind, _AssertionFailedError)


def _quieten() -> None:
    """Have JAX not log a failed assertion, which the caller gets as an exception."""
    logging.getLogger(jax.debug.callback.__module__).addFilter(
        _is_news
    )  # added once, however often
