"""tf.autograph.experimental: what is converted, and how loops run."""

import enum
import functools
from collections.abc import Callable
from typing import Any

from lamina.engine import local

__all__ = ["Feature", "do_not_convert", "set_loop_options"]


class Feature(enum.Enum):
    """Names of TensorFlow's optional conversions; here they change nothing."""

    ALL = "ALL"
    ASSERT_STATEMENTS = "ASSERT_STATEMENTS"
    AUTO_CONTROL_DEPS = "AUTO_CONTROL_DEPS"
    BUILTIN_FUNCTIONS = "BUILTIN_FUNCTIONS"
    EQUALITY_OPERATORS = "EQUALITY_OPERATORS"
    LISTS = "LISTS"
    NAME_SCOPES = "NAME_SCOPES"

    @classmethod
    def all(cls) -> tuple["Feature", ...]:
        """Return all features."""
        return tuple(cls)

    @classmethod
    def all_but(cls, exclude: Any) -> tuple["Feature", ...]:
        """Return all features but those given."""
        left_out = exclude if isinstance(exclude, list | tuple | set) else (exclude,)
        return tuple(f for f in cls if f not in left_out and f is not cls.ALL)


def do_not_convert(func: Callable[..., Any] | None = None) -> Any:
    """Leave a function, and what it calls, as it is written.

    Args:
        func: The function; None returns a decorator.

    Example:
        >>> @tf.autograph.experimental.do_not_convert
        ... def double(x):
        ...     return x + x
        >>> double(tf.constant(2)).numpy()
        np.int32(4)
    """
    if func is None:
        return do_not_convert

    @functools.wraps(func)
    def unconverted(*args: Any, **kwargs: Any) -> Any:
        here = local
        before, here.convert = here.convert, None
        try:
            return func(*args, **kwargs)
        finally:
            here.convert = before

    return unconverted


def set_loop_options(
    parallel_iterations: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    shape_invariants: Any = None,
) -> None:
    """Set options of the loop around; must be the first statement of its body.

    Args:
        parallel_iterations: Accepted, unused.
        swap_memory: Accepted, unused.
        maximum_iterations: The most iterations to run, known while recording. A `while` then has
            derivatives of any order, and keeps the state of each iteration for them.
        shape_invariants: A loop whose variables change their shapes runs eagerly; TensorFlow asks
            for the shapes here.

    Example::

        @tf.function
        def halvings(x):
            n = 0
            while x > 1.0:
                tf.autograph.experimental.set_loop_options(maximum_iterations=100)
                x, n = x / 2.0, n + 1
            return n
    """
