"""tf.keras.backend: Keras' settings, and the functions that programs of Keras 2 called as K.*."""

from collections.abc import Callable
from typing import Any

from lamina.engine import convert_to_tensor, flush, name_scope, nest
from lamina.keras.backend import losses, network, values
from lamina.keras.backend.losses import *
from lamina.keras.backend.network import *
from lamina.keras.backend.spelled import TABLE as _TABLE
from lamina.keras.backend.spelled import install as _install
from lamina.keras.backend.values import *
from lamina.keras.core import Graph
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
from lamina.keras.spelling import note_older

__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "function",
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


def function(
    inputs: Any, outputs: Any, updates: Any = None, name: str | None = None
) -> Callable[[Any], Any]:
    """Return a function from values of some of a model's tensors to those of others.

    Args:
        inputs: KerasTensors of a functional model, one or a list.
        outputs: KerasTensors computed from them, one or a list.
        updates: Accepted, unused: layers update their state when called.
        name: Accepted, unused.

    Returns:
        A function that takes a list of values, one for each input, and returns NumPy arrays in the
        structure of `outputs`.

    Example:
        >>> x = tf.keras.Input((2,))
        >>> import warnings
        >>> with warnings.catch_warnings(record=True):
        ...     warnings.simplefilter("always")
        ...     twice = tf.keras.backend.function([x], [x * 2])
        >>> twice([np.ones([1, 2], "float32")])
        [array([[2., 2.]], dtype=float32)]
    """
    note_older("tf.keras.backend.function", "tf.keras.Model(inputs, outputs)")
    graph = Graph(inputs, outputs, name or "function")

    def run(values: Any) -> Any:
        given = list(values) if isinstance(values, list | tuple) else [values]
        found = graph.run([convert_to_tensor(value) for value in given])
        return nest.map_structure(lambda tensor: tensor.numpy(), found)

    return run


def get_uid(prefix: str = "") -> int:
    """Return a number that is new for this prefix."""
    name = _auto_name(f"uid_{prefix}")
    tail = name.rsplit("_", 1)[-1]
    return int(tail) + 1 if tail.isdigit() else 1
