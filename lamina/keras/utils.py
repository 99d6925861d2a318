"""tf.keras.utils: seeds, encodings, registration."""

import random as _python_random
from typing import Any

import numpy as np

from lamina.keras.backend import clear_session as clear_session
from lamina.keras.registry import CustomObjectScope as CustomObjectScope
from lamina.keras.registry import custom_object_scope as custom_object_scope
from lamina.keras.registry import deserialize_keras_object as deserialize_keras_object
from lamina.keras.registry import get_custom_objects as get_custom_objects
from lamina.keras.registry import get_registered_name as get_registered_name
from lamina.keras.registry import get_registered_object as get_registered_object
from lamina.keras.registry import register_keras_serializable as register_keras_serializable
from lamina.keras.registry import serialize_keras_object as serialize_keras_object
from lamina.ops.random import set_seed as _set_seed

__all__ = [
    "CustomObjectScope",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "normalize",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]


def set_random_seed(seed: int) -> None:
    """Seed Python, NumPy and lamina.

    Args:
        seed: An int in [0, 2**32).
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ValueError(
            f"tf.keras.utils.set_random_seed: `seed` must be an int in [0, 2**32); got {seed!r}."
        )
    _python_random.seed(seed)
    np.random.seed(seed)
    _set_seed(seed)


def to_categorical(x: Any, num_classes: int | None = None) -> np.ndarray:
    """Return class numbers as one-hot rows.

    Args:
        x: Integers of shape `(...)`; a last axis of size 1 is dropped.
        num_classes: The number of classes; None takes the largest number plus one.

    Returns:
        A float array of shape `(..., num_classes)`.

    Example:
        >>> tf.keras.utils.to_categorical([0, 2])
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    labels = np.asarray(x, dtype="int64")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = int(labels.max()) + 1 if num_classes is None else num_classes
    return np.eye(classes)[labels]


def normalize(x: Any, axis: int = -1, order: int = 2) -> np.ndarray:
    """Return an array divided by its norm along an axis.

    Args:
        x: An array.
        axis: The axis.
        order: The order of the norm.
    """
    values = np.asarray(x)
    norms = np.atleast_1d(np.linalg.norm(values, order, axis))
    norms[norms == 0] = 1
    return values / np.expand_dims(norms, axis)
