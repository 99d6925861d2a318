"""What converted code calls for Python's conditions, logic, names, lists and builtins."""

import builtins
import sys
from collections.abc import Callable, Sequence
from typing import Any

from lamina import debugging, ops
from lamina.autograph.choosing import choose, place
from lamina.autograph.looping import Counted, Stepped, as_loop, for_stmt, ranged, while_stmt
from lamina.autograph.values import Undefined, UndefinedReturnValue, is_traced
from lamina.engine import Tensor, convert_to_tensor, errors

__all__ = [
    "BUILTINS",
    "RANGE",
    "Undefined",
    "UndefinedReturnValue",
    "and_",
    "assert_stmt",
    "caught",
    "eq",
    "for_stmt",
    "if_exp",
    "if_stmt",
    "is_traced",
    "ld",
    "ldu",
    "list_append",
    "not_",
    "not_eq",
    "or_",
    "range_of",
    "while_stmt",
]


# ---- conditions ---------------------------------------------------------------------------------


def if_stmt(
    cond: Any,
    body: Callable[[], None],
    orelse: Callable[[], None],
    get_state: Callable[[], tuple[Any, ...]],
    set_state: Callable[[Any], None],
    symbol_names: Sequence[str],
    nouts: int,
) -> None:
    """Run `if cond: body() else: orelse()`; both are recorded if `cond` is in the program.

    Args:
        cond: The condition.
        body: The first branch; it assigns variables of the function around.
        orelse: The second branch.
        get_state: Gives the values of the variables that either assigns.
        set_state: Sets them.
        symbol_names: Their names.
        nouts: How many of them are read afterwards; the first ones.
    """
    if not is_traced(cond):
        if cond:
            body()
        else:
            orelse()
        return
    choose(cond, body, orelse, get_state, set_state, symbol_names, place("if"))


def if_exp(cond: Any, if_true: Callable[[], Any], if_false: Callable[[], Any], text: str) -> Any:
    """Return `if_true() if cond else if_false()`."""
    if not is_traced(cond):
        return if_true() if cond else if_false()
    result: list[Any] = [None]

    def branch(fn: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            result[0] = fn()

        return run

    def set_state(values: Sequence[Any]) -> None:
        result[:] = values

    where = place("conditional expression")
    names = [f"... if {text} else ..."]
    choose(cond, branch(if_true), branch(if_false), lambda: tuple(result), set_state, names, where)
    return result[0]


def not_(a: Any) -> Any:
    """Return `not a`."""
    if not is_traced(a):
        return not a
    result = ops.logical_not(_truth(a))
    result.__dict__["_negated"] = a  # `if not x: x = True` leaves True
    return result


def and_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """Return `a() and b()`."""
    first = a()
    if not is_traced(first):
        return first and b()
    return ops.logical_and(_boolean(first, "and"), _boolean(b(), "and"))


def or_(a: Callable[[], Any], b: Callable[[], Any]) -> Any:
    """Return `a() or b()`."""
    first = a()
    if not is_traced(first):
        return first or b()
    return ops.logical_or(_boolean(first, "or"), _boolean(b(), "or"))


def _truth(value: Any) -> Tensor:
    tensor = convert_to_tensor(value)
    return tensor if tensor.dtype.is_bool else ops.cast(tensor, "bool")


def _boolean(value: Any, word: str) -> Tensor:
    """Return an operand of `and` or `or`; of numbers Python returns one of the two."""
    tensor = convert_to_tensor(value)
    if not tensor.dtype.is_bool:
        raise errors.TracedValueError(
            f"{place(word)}: the operands must be bool to be in the program; got "
            f"{tensor.dtype.name}."
        )
    return tensor


def eq(a: Any, b: Any) -> Any:
    """Return `a == b`."""
    return a == b


def not_eq(a: Any, b: Any) -> Any:
    """Return `a != b`."""
    return a != b


def assert_stmt(test: Any, message: Callable[[], Any]) -> None:
    """Run `assert test, message()`; on a Tensor of the program it is tf.Assert."""
    if is_traced(test):
        debugging.Assert(test, [message()])
    elif not test:
        raise AssertionError(message())


def caught() -> BaseException | None:
    """Return the error that the `except` around this handles."""
    return sys.exc_info()[1]


# ---- names and lists ----------------------------------------------------------------------------


def ld(value: Any) -> Any:
    """Return the value of a variable that is read."""
    return value.read() if isinstance(value, Undefined) else value


def ldu(load: Callable[[], Any], name: str) -> Any:
    """Return the value of an attribute or item, Undefined if there is none."""
    try:
        return load()
    except (KeyError, AttributeError, NameError, IndexError):
        return Undefined(name)


def list_append(items: Any, value: Any) -> Any:
    """Append to a list, or to what has such a method, and return it."""
    items.append(value)
    return items


# ---- builtins -----------------------------------------------------------------------------------


def _any_traced(values: Sequence[Any]) -> bool:
    return builtins.any(is_traced(v) for v in values)


def range_of(plain: Any, *args: Any, **kwargs: Any) -> Any:
    """Return `tf.range(...)` or `range(...)`, of bounds in the program too."""
    bounds = (*args, *(kwargs.get(k) for k in ("start", "limit", "delta")))
    if not _any_traced(bounds):
        return ranged(plain, args, kwargs)
    return Counted.of_range(*args, **kwargs)


def _range(*args: Any) -> Any:
    return range_of(builtins.range, *args) if _any_traced(args) else builtins.range(*args)


def _len(x: Any) -> Any:
    if is_traced(x) and not isinstance(x.shape[0], int):
        return ops.shape(x)[0]
    return builtins.len(x)


def _print(*values: Any, sep: str = " ", end: str = "\n", file: Any = None, flush: Any = False):
    if _any_traced(values):
        return debugging.print(*values, sep=sep, end=end, output_stream=file or sys.stdout)
    return builtins.print(*values, sep=sep, end=end, file=file, flush=flush)


def _cast(plain: Any, dtype: str) -> Callable[..., Any]:
    def convert(*args: Any) -> Any:
        if len(args) == 1 and is_traced(args[0]):
            return ops.cast(args[0], dtype)
        return plain(*args)

    return convert


def _enumerate(iterable: Any, start: int = 0) -> Any:
    loop = as_loop(iterable)
    return builtins.enumerate(iterable, start) if loop is None else loop.enumerated(start)


def _zip(*iterables: Any, strict: bool = False) -> Any:
    loops = [loop for i in iterables if isinstance(loop := as_loop(i), Stepped)]
    if loops and builtins.len(loops) == builtins.len(iterables):
        return Stepped.zipped(loops)
    return builtins.zip(*iterables, strict=strict)


def _reduction(plain: Any, pair: Any, over: Any) -> Callable[..., Any]:
    """Return `min` or `max`, which Python would find by comparing."""

    def reduce(*args: Any, **kwargs: Any) -> Any:
        if kwargs or not _any_traced(args):
            return plain(*args, **kwargs)
        if len(args) == 1:
            return over(args[0], axis=0)
        result = args[0]
        for other in args[1:]:
            result = pair(*_alike(result, other))
        return result

    return reduce


def _alike(a: Any, b: Any) -> tuple[Any, Any]:
    return (a, b) if is_traced(a) else (convert_to_tensor(a, convert_to_tensor(b).dtype), b)


def _truths(plain: Any, over: Any) -> Callable[[Any], Any]:
    def reduce(values: Any) -> Any:
        if is_traced(values):
            return over(_truth(values))
        if isinstance(values, list | tuple) and _any_traced(values):
            return over(ops.stack([_truth(v) for v in values]))
        return plain(values)

    return reduce


RANGE = ops.range
BUILTINS: dict[Any, Callable[..., Any]] = {
    builtins.range: _range,
    builtins.len: _len,
    builtins.print: _print,
    builtins.int: _cast(builtins.int, "int32"),
    builtins.float: _cast(builtins.float, "float32"),
    builtins.bool: _cast(builtins.bool, "bool"),
    builtins.enumerate: _enumerate,
    builtins.zip: _zip,
    builtins.min: _reduction(builtins.min, ops.minimum, ops.reduce_min),
    builtins.max: _reduction(builtins.max, ops.maximum, ops.reduce_max),
    builtins.any: _truths(builtins.any, ops.reduce_any),
    builtins.all: _truths(builtins.all, ops.reduce_all),
}
