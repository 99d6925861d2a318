"""Hooks for classes and libraries of others: conversions, and libraries of operations."""

import os
from collections.abc import Callable
from typing import Any

from lamina.engine import Tensor, errors

__all__ = ["load_library", "load_op_library", "register_tensor_conversion_function"]

# (priority, place, function, class), in the order in which they are asked.
_FUNCTIONS: list[tuple[int, int, Callable[..., Any], type]] = []


def register_tensor_conversion_function(
    base_type: type | tuple[type, ...], conversion_func: Callable[..., Any], priority: int = 100
) -> None:
    """Tell how objects of a class become Tensors, wherever a Tensor is expected.

    Args:
        base_type: A class, or a tuple of classes, written in Python.
        conversion_func: A function `(value, dtype=None, name=None, as_ref=False)` that returns
            a Tensor, or NotImplemented.
        priority: Functions of lower numbers are asked first, of equal ones those that came first.

    Raises:
        TypeError: a class cannot take it, such as int or NumPy's, or `conversion_func` is no
            function.

    Example:
        >>> class Celsius:
        ...     def __init__(self, degrees):
        ...         self.degrees = degrees
        >>> def convert(value, dtype=None, name=None, as_ref=False):
        ...     return tf.constant(value.degrees, dtype)
        >>> tf.register_tensor_conversion_function(Celsius, convert)
        >>> (Celsius(20.0) + tf.constant(1.0)).numpy()
        np.float32(21.0)
    """
    if not callable(conversion_func):
        raise TypeError(
            f"tf.register_tensor_conversion_function: `conversion_func` must be a function; got "
            f"{conversion_func!r}."
        )

    given = (priority, len(_FUNCTIONS), conversion_func)
    for cls in base_type if isinstance(base_type, tuple) else (base_type,):
        try:
            cls._as_tensor = _converted  # type: ignore[attr-defined]  # what the engine asks for
            if not hasattr(cls, "dtype"):
                cls.dtype = property(lambda self: _converted(self).dtype)  # type: ignore[attr-defined]
        except (AttributeError, TypeError) as error:
            raise TypeError(
                f"tf.register_tensor_conversion_function: `base_type` must be a class written in "
                f"Python; got {cls!r}.\n  Fix: convert its values with tf.constant."
            ) from error
        _FUNCTIONS.append((*given, cls))
        _FUNCTIONS.sort(key=lambda entry: entry[:2])


def _converted(value: Any) -> Tensor:
    """Return a value as the first function that is registered for a class of it says."""
    for _, _, function, cls in _FUNCTIONS:
        if not isinstance(value, cls):
            continue
        found = function(value, dtype=None, name=None, as_ref=False)
        if isinstance(found, Tensor):
            return found
        if found is not NotImplemented:
            raise TypeError(
                f"tf.register_tensor_conversion_function: the function for "
                f"{type(value).__name__} must return a Tensor; got {found!r}."
            )
    raise TypeError(
        f"tf.convert_to_tensor: no function that is registered converts {type(value).__name__}; "
        f"all returned NotImplemented."
    )


def load_op_library(library_filename: str) -> Any:
    """Refuse: operations compiled for TensorFlow cannot run here.

    Args:
        library_filename: A shared library.

    Raises:
        NotFoundError: there is no such file.
        UnimplementedError: there is.
    """
    return _refuse("tf.load_op_library", library_filename)


def load_library(library_location: str) -> Any:
    """Refuse, as `load_op_library`.

    Args:
        library_location: A shared library, or a folder of them.

    Raises:
        NotFoundError: there is no such file.
        UnimplementedError: there is.
    """
    return _refuse("tf.load_library", library_location)


def _refuse(who: str, path: str) -> Any:
    if not os.path.exists(path):
        raise errors.NotFoundError(None, None, f"{who}: {path}: no such file.")
    raise errors.UnimplementedError(
        f"{who}: {path} holds operations compiled for TensorFlow, which cannot run on XLA through "
        f"JAX.\n  Fix: write them in JAX and wrap them with tf.jax_op, or in Python with "
        f"tf.py_function."
    )
