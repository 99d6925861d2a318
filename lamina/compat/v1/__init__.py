"""The names of tf.compat.v1 that programs for TensorFlow 2 call, and that ask for nothing of TF1.

All others are out of scope, and say what to use.
"""

from typing import Any

from lamina import config, ops
from lamina.compat.v1 import logging, train
from lamina.compat.v1.sessions import ConfigProto, GPUOptions, InteractiveSession, Session
from lamina.engine import Variable, convert_to_tensor
from lamina.engine.random import set_global_seed
from lamina.runtime import executing_eagerly

__all__ = [
    "ConfigProto",
    "GPUOptions",
    "InteractiveSession",
    "Session",
    "config",
    "disable_eager_execution",
    "disable_v2_behavior",
    "enable_eager_execution",
    "enable_resource_variables",
    "enable_v2_behavior",
    "executing_eagerly",
    "global_variables_initializer",
    "logging",
    "scatter_update",
    "set_random_seed",
    "train",
]


def enable_eager_execution(
    config: Any = None, device_policy: Any = None, execution_mode: Any = None
) -> None:
    """Do nothing: operations run at once.

    Args:
        config: Accepted, unused.
        device_policy: Accepted, unused.
        execution_mode: Accepted, unused.
    """


def enable_v2_behavior() -> None:
    """Do nothing: TensorFlow 2's behaviour is the only one."""


def enable_resource_variables() -> None:
    """Do nothing: all variables are TensorFlow 2's."""


def disable_eager_execution() -> None:
    """Refuse: there are no graphs of TensorFlow 1.

    Raises:
        RuntimeError: always.
    """
    raise _no_graphs("disable_eager_execution")


def disable_v2_behavior() -> None:
    """Refuse: there are no graphs of TensorFlow 1.

    Raises:
        RuntimeError: always.
    """
    raise _no_graphs("disable_v2_behavior")


def _no_graphs(name: str) -> RuntimeError:
    return RuntimeError(
        f"tf.compat.v1.{name}: out of scope (TensorFlow 1): there are no graphs and sessions.\n"
        f"  Fix: leave the call out, and put what should be compiled under tf.function."
    )


def global_variables_initializer() -> None:
    """Return None: variables are initialised when they are made."""


def set_random_seed(seed: int) -> None:
    """Set the seed of the process, as `tf.random.set_seed`.

    Args:
        seed: The seed.
    """
    set_global_seed(seed)


def scatter_update(
    ref: Variable, indices: Any, updates: Any, use_locking: bool = True, name: str | None = None
) -> Variable:
    """Put slices into a variable.

    Args:
        ref: The variable; it is changed.
        indices: int32 or int64 ``(…)``: which entries along the first axis.
        updates: What to put there, ``indices.shape + ref.shape[1:]``.
        use_locking: Accepted, unused.
        name: Accepted, unused.

    Returns:
        The variable.

    Example:
        >>> v = tf.Variable([1, 2, 3])
        >>> tf.compat.v1.scatter_update(v, [0], [5]).numpy()
        array([5, 2, 3], dtype=int32)
    """
    positions = ops.expand_dims(convert_to_tensor(indices), -1)
    ref.assign(ops.tensor_scatter_nd_update(ref, positions, updates))
    return ref
