"""tf.debugging: assertions on values, and tf.print."""

import builtins
import sys
from typing import Any

import jax
import numpy as np

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor, errors, host_value, local, nest, op

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_non_negative",
    "assert_none_equal",
    "assert_positive",
    "assert_rank",
    "assert_rank_at_least",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
    "check_numerics",
    "print",
]


def print(
    *inputs: Any,
    output_stream: Any = None,
    end: str = "\n",
    sep: str = " ",
    summarize: int = 3,
    name: str | None = None,
) -> None:
    """Print values; inside `tf.function` each time the program runs.

    Args:
        *inputs: Tensors and anything else.
        output_stream: A file object such as sys.stdout, or "file://PATH"; None is sys.stderr.
        end: What follows the last one.
        sep: What stands between them.
        summarize: How many elements are shown at each end of an axis; -1 shows all.
        name: Accepted, unused.
    """
    leaves = nest.flatten(list(inputs))
    tensors = [t for t in leaves if isinstance(t, Tensor) or hasattr(type(t), "_as_tensor")]

    def show(*values: Any) -> None:
        given = iter(values)
        texts = [
            nest.map_structure(lambda t: next(given) if _is_value(t) else t, x) for x in inputs
        ]
        _write(sep.join(_text(t, summarize) for t in texts) + end, output_stream)

    if local.trace.eager:
        show(*[convert_to_tensor(t).numpy() for t in tensors])
    else:
        _host_call(*tensors, run=show)


def _is_value(x: Any) -> bool:
    return isinstance(x, Tensor) or hasattr(type(x), "_as_tensor")


def _write(text: str, stream: Any) -> None:
    if isinstance(stream, str) and stream.startswith("file://"):
        with open(stream.removeprefix("file://"), "a") as file:
            file.write(text)
    else:
        target: Any = stream or sys.stderr
        builtins.print(text, end="", file=target)


def _text(value: Any, summarize: int) -> str:
    if isinstance(value, list | tuple):
        return type(value).__name__[0:0] + "[" + ", ".join(_text(v, summarize) for v in value) + "]"
    if isinstance(value, np.ndarray | np.generic):
        if np.ndim(value) == 0:
            return value.decode() if isinstance(value, bytes) else str(value)
        threshold = sys.maxsize if summarize == -1 else 2 * summarize
        return np.array2string(
            np.asarray(value), threshold=threshold, edgeitems=max(summarize, 1), separator=" "
        )
    return str(value)


@op(mixed=True, differentiable=False, calls_host=True)
def _host_call(*values, run):
    jax.debug.callback(run, *values, ordered=False)
    return jax.numpy.zeros((), bool)


def Assert(  # noqa: N802  # TF's name
    condition: Any, data: Any, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless the condition holds; inside `tf.function` a condition known there is checked.

    Args:
        condition: bool.
        data: What the message shows.
        summarize: Accepted, unused.
        name: Accepted, unused.

    Raises:
        InvalidArgumentError: the condition is false.
    """
    _check(convert_to_tensor(condition), "Assert", "the condition must hold", data)


def _check(ok: Tensor, who: str, what: str, data: Any, message: str | None = None) -> None:
    if not local.trace.eager and host_value(ok) is None:
        return  # a compiled program does not stop half way; eager code checks
    if bool(np.all(np.asarray(ok._jax() if local.trace.eager else host_value(ok)))):
        return
    shown = "; ".join(
        str(d.numpy() if isinstance(d, Tensor) and local.trace.eager else d)
        for d in nest.flatten(data)
    )
    head = f"{message}\n" if message else ""
    raise errors.InvalidArgumentError(f"{head}tf.debugging.{who}: {what}; got {shown}.")


def _comparison(who: str, compare: Any, what: str) -> Any:
    def check(
        x: Any,
        y: Any,
        message: str | None = None,
        summarize: int | None = None,
        name: str | None = None,
    ) -> None:
        x = convert_to_tensor(x)
        y = convert_to_tensor(y, dtype_hint=x.dtype)
        _check(compare(x, y), who, what, [x, y], message)

    check.__name__ = check.__qualname__ = who
    check.__doc__ = f"""Raise InvalidArgumentError unless {what}, elementwise with broadcasting.

    Args:
        x: A Tensor.
        y: A Tensor of the same dtype.
        message: What the error begins with.
        summarize: Accepted, unused.
        name: Accepted, unused.
    """
    return check


assert_equal = _comparison("assert_equal", ops.equal, "x == y")
assert_none_equal = _comparison("assert_none_equal", ops.not_equal, "x != y")
assert_less = _comparison("assert_less", ops.less, "x < y")
assert_less_equal = _comparison("assert_less_equal", ops.less_equal, "x <= y")
assert_greater = _comparison("assert_greater", ops.greater, "x > y")
assert_greater_equal = _comparison("assert_greater_equal", ops.greater_equal, "x >= y")


def assert_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError unless all elements are above zero."""
    _check(ops.greater(x, 0), "assert_positive", "x > 0", [x], message)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError unless all elements are at least zero."""
    _check(ops.greater_equal(x, 0), "assert_non_negative", "x >= 0", [x], message)


def assert_near(
    x: Any,
    y: Any,
    rtol: float | None = None,
    atol: float | None = None,
    message: str | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> None:
    """Raise InvalidArgumentError unless ``|x - y| <= atol + rtol * |y|``; None is 10 eps."""
    x, y = convert_to_tensor(x), convert_to_tensor(y)
    eps = 10 * float(np.finfo(x.dtype.np).eps)
    bound = (eps if atol is None else atol) + (eps if rtol is None else rtol) * ops.abs(y)
    _check(ops.less_equal(ops.abs(x - y), bound), "assert_near", "x near y", [x, y], message)


def assert_rank(x: Any, rank: int, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError unless `x` has `rank` axes."""
    _check_rank(x, convert_to_tensor(x).ndim == int(rank), f"rank {rank}", message)


def assert_rank_at_least(
    x: Any, rank: int, message: str | None = None, name: str | None = None
) -> None:
    """Raise ValueError unless `x` has at least `rank` axes."""
    _check_rank(x, convert_to_tensor(x).ndim >= int(rank), f"rank at least {rank}", message)


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Any:
    """Return `tensor`; raise ValueError unless its shape is ()."""
    _check_rank(tensor, convert_to_tensor(tensor).ndim == 0, "rank 0", message)
    return tensor


def _check_rank(x: Any, ok: bool, what: str, message: str | None) -> None:
    if not ok:
        head = f"{message}\n" if message else ""
        shape = tuple(convert_to_tensor(x).shape)
        raise ValueError(f"{head}tf.debugging: expected {what}; got shape {shape}.")


def assert_type(
    tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None
) -> None:
    """Raise TypeError unless `tensor` has the dtype `tf_type`."""
    found = convert_to_tensor(tensor).dtype
    if found != tf_type:
        head = f"{message}\n" if message else ""
        raise TypeError(f"{head}tf.debugging.assert_type: expected {tf_type}; got {found.name}.")


def assert_shapes(
    shapes: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> None:
    """Raise ValueError unless Tensors have the given shapes, where equal letters are equal sizes.

    Args:
        shapes: (Tensor, shape) pairs; a shape holds ints, None and letters, or is a string.
        data: Accepted, unused.
        summarize: Accepted, unused.
        message: What the error begins with.
        name: Accepted, unused.
    """
    known: dict[str, Any] = {}
    for x, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        found = tuple(convert_to_tensor(x).shape)
        entries = list(wanted)
        fits = len(entries) == len(found) and all(
            e in (None, ".") or (known.setdefault(e, s) == s if isinstance(e, str) else e == s)
            for e, s in zip(entries, found, strict=True)
        )
        if not fits:
            head = f"{message}\n" if message else ""
            raise ValueError(
                f"{head}tf.debugging.assert_shapes: expected {tuple(entries)} with {known}; got "
                f"{found}."
            )


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """Return `tensor`; raise InvalidArgumentError in eager code if it holds NaN or infinity."""
    x = convert_to_tensor(tensor)
    if local.trace.eager and not np.all(np.isfinite(np.asarray(x._jax()).astype(np.float64))):
        kind = "NaN" if np.any(np.isnan(np.asarray(x._jax()).astype(np.float64))) else "Inf"
        raise errors.InvalidArgumentError(
            f"{message} : Tensor had {kind} values; shape {x.shape}, dtype {x.dtype.name}."
        )
    return x


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """Return `x`; as `check_numerics`."""
    return check_numerics(x, message)
