"""tf.keras.backend: the functions of it still in use."""

from lamina.engine import flush, name_scope
from lamina.keras.naming import auto_name as _auto_name
from lamina.keras.naming import reset_names
from lamina.keras.policy import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
    standardize_dtype,
)

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "name_scope",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]


def clear_session(free_memory: bool = True) -> None:
    """Start the default names anew: the next Dense is "dense" again.

    Args:
        free_memory: Accepted; what nobody holds is freed at once.
    """
    flush()
    reset_names()


def get_uid(prefix: str = "") -> int:
    """Return a number that is new for this prefix."""
    name = _auto_name(f"uid_{prefix}")
    tail = name.rsplit("_", 1)[-1]
    return int(tail) + 1 if tail.isdigit() else 1
