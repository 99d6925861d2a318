"""tf.debugging: assertions on values, and tf.print."""

import builtins
import sys
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina import ops
from lamina.asserting import Printed, check, check_finite, is_value, shown
from lamina.engine import (
    Tensor,
    as_dtype,
    convert_to_tensor,
    errors,
    local,
    nest,
    op,
    static_int,
)
from lamina.engine.context import config
from lamina.inspecting import (
    disable_check_numerics,
    enable_check_numerics,
    get_log_device_placement,
    set_log_device_placement,
)
from lamina.late import late_module
from lamina.ops.strings.summaries import printed

__all__ = [
    "Assert",
    "assert_all_finite",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_shapes",
    "assert_type",
    "check_numerics",
    "disable_check_numerics",
    "disable_traceback_filtering",
    "enable_check_numerics",
    "enable_traceback_filtering",
    "experimental",
    "get_log_device_placement",
    "is_numeric_tensor",
    "is_traceback_filtering_enabled",
    "print",
    "set_log_device_placement",
]

_switches = late_module("lamina.keras.switches")  # one switch for tf and keras


def enable_traceback_filtering() -> None:
    """Accept that tracebacks leave out internal frames; as in `tf.keras.config`."""
    _switches.enable_traceback_filtering()


def disable_traceback_filtering() -> None:
    """Accept that tracebacks show all frames; as in `tf.keras.config`."""
    _switches.disable_traceback_filtering()


def is_traceback_filtering_enabled() -> bool:
    """Return whether tracebacks leave out internal frames, True at first."""
    return _switches.is_traceback_filtering_enabled()


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
    tensors = [t for t in nest.flatten(list(inputs)) if is_value(t)]

    def show(*values: Any) -> None:
        texts = [printed(x, summarize, Printed) for x in _with_values(inputs, values)]
        _write(sep.join(texts) + end, output_stream)

    if local.trace.eager:
        show(*[convert_to_tensor(t)._jax() for t in tensors])
    elif not config.strips_debugging:
        _host_call(*tensors, run=show)


def _with_values(inputs: Any, values: Any) -> Any:
    """Return the arguments with values in place of their Tensors."""
    given = (np.asarray(v).view(Printed) for v in values)
    return [nest.map_structure(lambda t: next(given) if is_value(t) else t, x) for x in inputs]


def _write(text: str, stream: Any) -> None:
    if isinstance(stream, str) and stream.startswith("file://"):
        with open(stream.removeprefix("file://"), "a") as file:
            file.write(text)
    else:
        target: Any = stream or sys.stderr
        builtins.print(text, end="", file=target)


@op(mixed=True, differentiable=False, calls_host=True)
def _host_call(*values, run):
    jax.debug.callback(run, *values, ordered=False)
    return jax.numpy.zeros((), bool)


def Assert(  # noqa: N802  # TF's name
    condition: Any, data: Any, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise unless the condition holds; inside `tf.function` the call of the function raises.

    A program that an assertion stops leaves all variables as they were. A function with an
    assertion waits for its results. Files that hold programs hold no assertions.

    Args:
        condition: bool.
        data: What the message shows.
        summarize: How many elements the message shows at each end of an axis; None is 3, -1 all.
        name: Accepted, unused.

    Raises:
        InvalidArgumentError: the condition is false.
    """
    _check(convert_to_tensor(condition), "Assert", "the condition must hold", data, None, summarize)


def _check(
    ok: Tensor, who: str, what: str, data: Any, message: str | None, summarize: int | None
) -> None:
    head = f"{message}\n" if message else ""
    check(ok, f"{head}tf.debugging.{who}: {what}", data, summarize)


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
        _check(compare(x, y), who, what, [x, y], message, summarize)

    check.__name__ = check.__qualname__ = who
    check.__doc__ = f"""Raise InvalidArgumentError unless {what}, elementwise with broadcasting.

    Args:
        x: A Tensor.
        y: A Tensor of the same dtype.
        message: What the error begins with.
        summarize: How many elements the message shows at each end of an axis; None is 3, -1 all.
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
    _check(ops.greater(x, 0), "assert_positive", "x > 0", [x], message, summarize)


def assert_non_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError unless all elements are at least zero."""
    _check(ops.greater_equal(x, 0), "assert_non_negative", "x >= 0", [x], message, summarize)


def assert_negative(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError unless all elements are below zero."""
    _check(ops.less(x, 0), "assert_negative", "x < 0", [x], message, summarize)


def assert_non_positive(
    x: Any, message: str | None = None, summarize: int | None = None, name: str | None = None
) -> None:
    """Raise InvalidArgumentError unless all elements are at most zero."""
    _check(ops.less_equal(x, 0), "assert_non_positive", "x <= 0", [x], message, summarize)


def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise TypeError unless `x` has an integer dtype."""
    found = convert_to_tensor(x).dtype
    if not found.is_integer:
        head = f"{message}\n" if message else ""
        raise TypeError(
            f"{head}tf.debugging.assert_integer: expected an integer dtype; got {found.name}.\n"
            f"  Fix: tf.cast(x, tf.int32)."
        )


def assert_rank_in(x: Any, ranks: Any, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError unless `x` has one of some numbers of axes.

    Args:
        x: A Tensor.
        ranks: The numbers.
        message: What the error begins with.
        name: Accepted, unused.
    """
    known = [int(r) for r in ranks]
    _check_rank(
        "assert_rank_in", x, convert_to_tensor(x).ndim in known, f"a rank in {known}", message
    )


def assert_proper_iterable(values: Any) -> None:
    """Raise TypeError unless `values` is an iterable that is no Tensor, array or string."""
    odd = isinstance(values, Tensor | np.ndarray | str | bytes) or is_value(values)
    if odd or not hasattr(values, "__iter__"):
        raise TypeError(
            f"Expected argument 'values' to be a 'proper' iterable. Found: {type(values)}"
        )


def is_numeric_tensor(tensor: Any) -> bool:
    """Return whether `tensor` is a Tensor or Variable of numbers: no bool, no string.

    Example:
        >>> tf.debugging.is_numeric_tensor(tf.constant(1.0)), tf.debugging.is_numeric_tensor(3)
        (True, False)
    """
    if not is_value(tensor):
        return False
    dtype = convert_to_tensor(tensor).dtype
    return dtype.is_floating or dtype.is_integer or dtype.is_complex


def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> Any:
    """Return the float dtype that all Tensors have.

    Args:
        tensors: Tensors, or None.
        dtype: The dtype that they must have; None takes the first one's, float32 without any.

    Raises:
        ValueError: they differ, or it is no float dtype.
    """
    expected = None if dtype is None else as_dtype(dtype)
    for tensor in tensors or ():
        if tensor is None:
            continue
        found = convert_to_tensor(tensor).dtype
        expected = expected or found
        if found is not expected:
            raise ValueError(
                f"Tensor conversion requested dtype {expected.name}: all tensors must have it; got "
                f"{found.name}."
            )
    expected = expected or as_dtype("float32")
    if not expected.is_floating:
        raise ValueError(f"Expected floating point type, got {expected.name}.")
    return expected


class experimental:  # noqa: N801  # TF's name
    """tf.debugging.experimental."""

    @staticmethod
    def enable_dump_debug_info(
        dump_root: Any,
        tensor_debug_mode: str = "NO_TENSOR",
        circular_buffer_size: int = 1000,
        op_regex: str | None = None,
        tensor_dtypes: Any = None,
    ) -> None:
        """Refuse: there are no TensorFlow graphs to dump.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"tf.debugging.experimental.enable_dump_debug_info: there are no TensorFlow graphs to "
            f"dump to {dump_root!r}.\n  Fix: tf.debugging.enable_check_numerics() finds NaN, "
            f"tf.profiler.experimental.Profile(logdir) times operations."
        )

    @staticmethod
    def disable_dump_debug_info() -> None:
        """Do nothing: nothing is dumped."""


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
    x = convert_to_tensor(x)
    y = convert_to_tensor(y, dtype_hint=x.dtype)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise TypeError(
            f"tf.debugging.assert_near: `x` must be float or complex; got {x.dtype.name}.\n"
            "  Fix: assert_equal, or tf.cast(x, tf.float32)."
        )
    eps = 10 * float(jnp.finfo(x.dtype.np).eps)
    bound = (eps if atol is None else atol) + (eps if rtol is None else rtol) * ops.abs(y)
    _check(
        ops.less_equal(ops.abs(x - y), bound), "assert_near", "x near y", [x, y], message, summarize
    )


def assert_rank(x: Any, rank: int, message: str | None = None, name: str | None = None) -> None:
    """Raise ValueError unless `x` has `rank` axes."""
    rank = static_int(rank, "tf.debugging.assert_rank(rank)")
    _check_rank("assert_rank", x, convert_to_tensor(x).ndim == rank, f"rank {rank}", message)


def assert_rank_at_least(
    x: Any, rank: int, message: str | None = None, name: str | None = None
) -> None:
    """Raise ValueError unless `x` has at least `rank` axes."""
    rank = static_int(rank, "tf.debugging.assert_rank_at_least(rank)")
    _check_rank(
        "assert_rank_at_least",
        x,
        convert_to_tensor(x).ndim >= rank,
        f"rank at least {rank}",
        message,
    )


def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Any:
    """Return `tensor`; raise ValueError unless its shape is ()."""
    _check_rank("assert_scalar", tensor, convert_to_tensor(tensor).ndim == 0, "rank 0", message)
    return tensor


def _check_rank(who: str, x: Any, ok: bool, what: str, message: str | None) -> None:
    if not ok:
        head = f"{message}\n" if message else ""
        shape = tuple(convert_to_tensor(x).shape)
        raise ValueError(f"{head}tf.debugging.{who}: expected {what}; got shape {shape}.")


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
        shapes: (Tensor, shape) pairs, or a dict of them. A shape holds ints, letters, and None or
            "." for any size, or is a string of these; if it starts with `...` or "*", any number
            of axes may come first. One int or letter is the shape of a vector.
        data: What the message shows; None is the Tensor.
        summarize: How many elements it shows at each end of an axis; None is 3, -1 all.
        message: What the error begins with.
        name: Accepted, unused.

    Raises:
        ValueError: a shape is another one.

    Example:
        >>> x, y = tf.ones([2, 3]), tf.ones([4, 3])
        >>> tf.debugging.assert_shapes([(x, ("N", "D")), (y, (..., "D"))])
    """
    known: dict[str, int] = {}
    for x, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        x = convert_to_tensor(x)
        found = tuple(x.shape)
        entries = [wanted] if isinstance(wanted, int) else list(wanted)
        if not _fits(found, entries, known):
            head = f"{message}\n" if message else ""
            sizes = ", ".join(f"{k}={v}" for k, v in known.items())
            raise ValueError(
                f"{head}tf.debugging.assert_shapes: a shape {tuple(entries)} was expected"
                f"{f' with {sizes}' if sizes else ''}; got {found}, "
                f"{shown([x] if data is None else data, summarize)}."
            )


def _fits(sizes: Any, entries: list[Any], known: dict[str, int]) -> bool:
    """Return whether sizes are as the entries say, and note those of letters in `known`."""
    if entries and entries[0] in (..., "*"):
        entries = entries[1:]
        sizes = sizes[max(len(sizes) - len(entries), 0) :]
    if len(entries) != len(sizes):
        return False
    for entry, size in zip(entries, sizes, strict=True):
        if entry in (None, ".") or size is None:
            continue
        is_number = not isinstance(entry, str) or entry.isdigit()
        if size != (int(entry) if is_number else known.setdefault(entry, size)):
            return False
    return True


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Any:
    """Return `tensor`; raise InvalidArgumentError if it holds NaN or infinity.

    Inside `tf.function` the call of the function raises it.

    Args:
        tensor: float or complex.
        message: What the error begins with.
        name: Accepted, unused.
    """
    x = convert_to_tensor(tensor)
    if not (x.dtype.is_floating or x.dtype.is_complex):
        raise errors.InvalidArgumentError(
            f"tf.debugging.check_numerics: `tensor` must be float; got {x.dtype.name}.\n"
            "  Fix: leave it out, integers are always finite."
        )
    check_finite(x, message)
    return x


def assert_all_finite(x: Any, message: str, name: str | None = None) -> Any:
    """Return `x`; as `check_numerics`."""
    return check_numerics(x, message)
