"""Python and NumPy functions as operations: `tf.py_function` and `tf.numpy_function`.

Their results have shapes that only a call can tell, and compiled programs need shapes. So a
`tf.function`, a step of `fit` or a function mapped over a dataset that calls one runs as Python
around it, from the moment it is met; what stands before and after is compiled in pieces.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.engine import DType, Tensor, as_dtype, convert_to_tensor, errors, local, nest
from lamina.engine.composite import Composite
from lamina.engine.hosted import is_saving

__all__ = ["eager_in_functions", "eager_only", "numpy_function", "py_function"]

# Where a function runs that TF would have made a graph of.
_FUNCTION_MODULES = ("lamina.engine.function", "lamina.engine.concrete", "lamina.data.")
_CLASSES: dict[type, type[errors.OpError]] = {
    ValueError: errors.InvalidArgumentError,
    TypeError: errors.InvalidArgumentError,
    StopIteration: errors.OutOfRangeError,
    MemoryError: errors.ResourceExhaustedError,
    NotImplementedError: errors.UnimplementedError,
}


def eager_only(who: str) -> None:
    """Leave the program that is being traced, if there is one: the function around runs eagerly.

    Args:
        who: What needs Python, for the message that is shown where nothing can run eagerly.

    Raises:
        HostLoopError: inside a trace.
    """
    trace = local.trace
    if not trace.eager:
        raise errors.HostLoopError(
            f"{trace.what}: {who} runs in Python, not in the program.\n"
            f"  Fix: leave it outside of functional models, loops and branches of a program; "
            f"a tf.function, a step of fit and Dataset.map run eagerly around it."
        )


def eager_in_functions(who: str) -> None:
    """Have a function that is recorded run eagerly: what it meets changes between its calls.

    Elsewhere, as in a model's symbolic call, and where a function is recorded to be saved, what it
    meets counts as it is.

    Args:
        who: What changes, for the message.

    Raises:
        HostLoopError: inside a `tf.function`, a step of `fit` or a function of `Dataset.map`.
    """
    trace: Any = local.trace
    while trace is not None and not trace.eager and not is_saving():
        if trace.is_function:
            raise errors.HostLoopError(f"{trace.what}: {who} runs in Python, not in the program.")
        trace = trace.parent


def py_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Any = None,  # TF's name
    name: str | None = None,
) -> Any:
    """Call a Python function of Tensors; gradients flow through what it computes.

    Inside `tf.function`, `fit` and `Dataset.map` it is called each time, with Tensors that have
    values. Without `func` and `inp` it is a decorator, `@tf.py_function(Tout=tf.float32)`.

    Args:
        func: The function. It gets one Tensor for each entry of `inp`.
        inp: What it is called with: Tensors, or what converts to them.
        Tout: The dtype of the result, or a TensorSpec; a list of them for several results, an
            empty one for none.
        name: Accepted, unused.

    Returns:
        A Tensor; for a list `Tout` a list of Tensors.

    Raises:
        TypeError: `Tout` is missing.
        InvalidArgumentError: the function raises ValueError or TypeError, or returns something
            else than `Tout`.
        UnknownError: the function raises another error. (StopIteration gives OutOfRangeError,
            MemoryError ResourceExhaustedError, NotImplementedError UnimplementedError.)

    Example:
        >>> def clipped(x):
        ...     return x if float(x) < 1.0 else x * 0.0
        >>> tf.py_function(clipped, [0.5], tf.float32).numpy()
        np.float32(0.5)
    """
    return _or_decorator("tf.py_function", _call_with_tensors, func, inp, Tout)


def numpy_function(
    func: Callable[..., Any] | None = None,
    inp: Sequence[Any] | None = None,
    Tout: Any = None,  # TF's name
    stateful: bool = True,
    name: str | None = None,
) -> Any:
    """Call a function of NumPy arrays; no gradient flows through it.

    Inside `tf.function`, `fit` and `Dataset.map` it is called each time, with values. Without
    `func` and `inp` it is a decorator, `@tf.numpy_function(Tout=tf.float32)`.

    Args:
        func: The function. It gets an array for each entry of `inp`, strings as `bytes`.
        inp: What it is called with: Tensors, or what converts to them.
        Tout: The dtype of the result; a list of dtypes for several, an empty one for none.
            Eager calls take the dtypes as they come, as in TF.
        stateful: Accepted, unused: the function is called each time.
        name: Accepted, unused.

    Returns:
        A Tensor, or a list of Tensors.

    Raises:
        TypeError: `Tout` is missing.
        InvalidArgumentError: inside `tf.function`, results of another number or dtype.

    Example:
        >>> tf.numpy_function(np.sort, [[3, 1, 2]], tf.int64).numpy()
        array([1, 2, 3])
    """
    return _or_decorator("tf.numpy_function", _call_with_arrays, func, inp, Tout)


def _or_decorator(who: str, how: Any, func: Any, inp: Any, kinds: Any) -> Any:
    if kinds is None:
        raise TypeError(
            f"{who}: `Tout` must say the dtypes of the results; got None.\n"
            f"  Fix: Tout=tf.float32, or a list for several results, [] for none."
        )
    if func is None:
        return functools.partial(_decorated, who, how, kinds)
    return how(who, func, [] if inp is None else list(inp), kinds)


def _decorated(who: str, how: Any, kinds: Any, func: Callable[..., Any]) -> Any:
    @functools.wraps(func)
    def call(*args: Any) -> Any:
        return how(who, func, list(args), kinds)

    return call


# ---- tf.py_function -------------------------------------------------------------------------


def _call_with_tensors(who: str, func: Any, inp: list[Any], kinds: Any) -> Any:
    eager_only(who)
    try:
        found = func(*map(_as_tensor, inp))
        wanted, several = _wanted(kinds)
        values = _values(who, func, found, wanted, several)
        made = [_converted(v, kind) for v, kind in zip(values, wanted, strict=True)]
    except errors.OpError:
        raise
    except Exception as error:
        kind = next((c for k, c in _CLASSES.items() if isinstance(error, k)), errors.UnknownError)
        raise kind(f"{who}: `{_name(func)}` raised {type(error).__name__}: {error}") from error
    return made if several else made[0]


def _as_tensor(value: Any) -> Any:
    """Return an argument as a Tensor; what is no dense array (ragged, sparse) stays as it is."""
    return value if isinstance(value, Tensor | Composite) else convert_to_tensor(value)


def _wanted(kinds: Any) -> tuple[list[Any], bool]:
    several = isinstance(kinds, list | tuple)
    return [_kind(k) for k in (kinds if several else [kinds])], several


def _kind(kind: Any) -> Any:
    """Return the dtype that a result must have; None where it is no dense Tensor."""
    if isinstance(kind, DType):
        return kind
    if hasattr(kind, "dtype") and hasattr(kind, "shape"):
        dense = type(kind).__name__ in ("TensorSpec", "KerasTensor")
        return kind.dtype if dense else None
    return as_dtype(kind)


def _values(who: str, func: Any, found: Any, wanted: list[Any], several: bool) -> list[Any]:
    if found is None:
        values: list[Any] = []
    elif several and isinstance(found, list | tuple):
        values = list(found)
    else:
        values = [found]
    if not wanted:
        return []  # whatever it returns is dropped
    if len(values) != len(wanted):
        raise errors.InvalidArgumentError(
            f"{who}: `{_name(func)}` must return {len(wanted)} values, as `Tout` says; got "
            f"{len(values)}.\n  Fix: return as many, or give `Tout` as many dtypes."
        )
    return values


def _converted(value: Any, kind: DType | None) -> Any:
    return value if kind is None else convert_to_tensor(value, kind)


def _name(func: Any) -> str:
    return getattr(func, "__name__", type(func).__name__)


# ---- tf.numpy_function ----------------------------------------------------------------------


def _call_with_arrays(who: str, func: Any, inp: list[Any], kinds: Any) -> Any:
    eager_only(who)
    if not _inside_function():
        found = nest.flatten(func(*[np.array(x) for x in inp]))
        made = [None if x is None else convert_to_tensor(x) for x in found]
        return made[0] if len(made) == 1 else made
    wanted, several = _wanted(kinds)
    # As TF's programs do: numbers without axes arrive as scalars, one string as `bytes`.
    arrays = [t.numpy() if isinstance(t, Tensor) else t for t in map(_as_tensor, inp)]
    values = _values(who, func, func(*arrays), wanted, several)
    made = [convert_to_tensor(v) for v in map(_as_array, values, wanted)]
    for value, kind in zip(made, wanted, strict=True):
        if value.dtype is not kind:
            raise errors.InvalidArgumentError(
                f"{who}: `{_name(func)}` must return {kind.name}, as `Tout` says; got "
                f"{value.dtype.name}.\n  Fix: result.astype(np.{kind.name})."
            )
    return made if several else made[0]


def _as_array(value: Any, kind: DType) -> Any:
    """Return a result as an array; Python numbers take the dtype that is wanted."""
    if isinstance(value, bool | int | float | list | tuple):
        array = np.asarray(value)
        return array.astype(kind.np) if array.dtype.kind in "bifu" else array
    return value


def _inside_function() -> bool:
    """Return whether a `tf.function` or a mapped function called this, running as Python."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_FUNCTION_MODULES):
            return True
        frame = frame.f_back
    return False
