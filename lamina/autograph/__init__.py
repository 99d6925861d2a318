"""tf.autograph: Python's control flow on Tensors, as part of the program.

`tf.function` records a function as it is written. Where that asks for the value of a Tensor, the
function is converted by diastatic-malt, with every function of the user's that it calls, and
recorded again: `if`, `while`, `for`, `break`, `continue`, `return` in the midst, `and`, `or`,
`not`, conditional expressions, `assert` and `print` then work on Tensors. Control flow on Python
values stays Python's.

* A variable must have one dtype in all branches and iterations, and one shape in a loop.
* `for` over a Tensor or `tf.range` of known size is one scan. A list that it appends to as often in
  each iteration is a list afterwards.
* Gradients through a loop of unknown length run it again from checkpoints, at the cost of some
  three forward passes; `set_loop_options(maximum_iterations=n)` keeps n states in their place.
* `assert` on a Tensor is tf.Assert: the call of the function raises InvalidArgumentError.
* A loop over a `tf.data.Dataset` runs in Python, around what it calls.

Generators, `match`, `nonlocal`, `for ... else`, names with two underscores and functions without
source are left as they are. If one asks for a value, the whole function runs eagerly, after one
warning that says where and why.
"""

import functools
from collections.abc import Callable
from typing import Any

from lamina.autograph import experimental
from lamina.autograph.conversion import Converter
from lamina.engine import Function, local
from lamina.engine.function import converters

__all__ = ["experimental", "set_verbosity", "to_code", "to_graph", "trace"]

converters.append(Converter)


def _plain(entity: Any) -> Any:
    return entity.python_function if isinstance(entity, Function) else entity


def to_graph(
    entity: Callable[..., Any],
    recursive: bool = True,
    experimental_optional_features: Any = None,
) -> Callable[..., Any]:
    """Return the converted form of a function, as `tf.function` records it.

    Args:
        entity: A Python function, or a `tf.function`.
        recursive: Accepted; what it calls is converted.
        experimental_optional_features: Accepted, unused.

    Returns:
        A function that does the same; in a program, its control flow on Tensors is recorded.

    Example:
        >>> def sign(x):
        ...     return 1 if x > 0 else -1
        >>> tf.autograph.to_graph(sign)(tf.constant(3.0))
        1
    """
    fn = _plain(entity)

    @functools.wraps(fn)
    def converted(*args: Any, **kwargs: Any) -> Any:
        here = local
        before, here.convert = here.convert, Converter()
        try:
            return here.convert(fn)(*args, **kwargs)
        finally:
            here.convert = before

    return converted


def to_code(
    entity: Callable[..., Any],
    recursive: bool = True,
    experimental_optional_features: Any = None,
) -> str:
    """Return the source code of a function's converted form.

    Args:
        entity: A Python function, or a `tf.function`.
        recursive: Accepted, unused.
        experimental_optional_features: Accepted, unused.

    Raises:
        ValueError: the function cannot be converted.
    """
    from lamina.autograph import transpiler  # with malt: only for those who need it

    fn = _plain(entity)
    fn = getattr(fn, "__func__", fn)
    try:
        return transpiler.source_of(fn)
    except Exception as error:
        raise ValueError(
            f"tf.autograph.to_code: `{getattr(fn, '__name__', fn)}` cannot be converted.\n"
            f"  Reason: {error}"
        ) from error


def set_verbosity(level: int, alsologtostdout: bool = False) -> None:
    """Do nothing: what could not be converted is said in the warning of `tf.function`.

    Args:
        level: Accepted, unused.
        alsologtostdout: Accepted, unused.
    """


def trace(*args: Any) -> None:
    """Print the arguments while a function is recorded.

    Args:
        *args: What to print.
    """
    print(*args)
