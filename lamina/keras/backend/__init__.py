"""tf.keras.backend: Keras' settings, and the functions that programs of Keras 2 called as K.*."""

from lamina.engine import flush, name_scope
from lamina.keras.backend import losses, network, values
from lamina.keras.backend.losses import *
from lamina.keras.backend.network import *
from lamina.keras.backend.spelled import TABLE as _TABLE
from lamina.keras.backend.spelled import install as _install
from lamina.keras.backend.values import *
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
from lamina.keras.promotion import is_float_dtype, is_int_dtype, result_type

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "get_uid",
    "image_data_format",
    "is_float_dtype",
    "is_int_dtype",
    "name_scope",
    "result_type",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
    *_TABLE,
    *losses.__all__,
    *network.__all__,
    *values.__all__,
]

_install(globals())


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
