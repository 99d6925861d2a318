"""What a functional model's Tensors are, and where they come from."""

from typing import Any

from lamina.keras.core import KerasTensor

__all__ = ["get_source_inputs", "is_keras_tensor"]


def is_keras_tensor(x: Any) -> bool:
    """Return whether a value is a KerasTensor, of `tf.keras.Input` or computed from one.

    Args:
        x: Any value.

    Example:
        >>> x = tf.keras.Input((2,))
        >>> tf.keras.utils.is_keras_tensor(x), tf.keras.utils.is_keras_tensor(tf.ones([2]))
        (True, False)
    """
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor: Any) -> Any:
    """Return the inputs that a KerasTensor is computed from.

    Args:
        tensor: A KerasTensor.

    Returns:
        The KerasTensors of `tf.keras.Input`, each once, in the order in which they are met; what
        is no KerasTensor comes back as it is.

    Example:
        >>> x = tf.keras.Input((2,))
        >>> tf.keras.utils.get_source_inputs(tf.keras.layers.Dense(3)(x))[0] is x
        True
    """
    if not isinstance(tensor, KerasTensor):
        return tensor
    found: list[Any] = []
    seen: set[int] = set()
    waiting = [tensor]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.node is None or current.node.is_input:
            found.append(current)
        else:
            waiting.extend(current.node.parents)
    return found
