"""Default names of layers, metrics, losses and variables: dense, dense_1, dense_2."""

import re
from collections import Counter

__all__ = ["auto_name", "reset_names", "snake_case"]

_USED: Counter[str] = Counter()


def snake_case(name: str) -> str:
    """Return a class name in the form of a default name, as Keras spells it.

    Example:
        >>> from lamina.keras import naming
        >>> [naming.snake_case(n) for n in ("MeanIoU", "Conv2DTranspose", "LSTM")]
        ['mean_io_u', 'conv2d_transpose', 'lstm']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def auto_name(name: str) -> str:
    """Return `name` in snake case, with "_1", "_2", … from its second use on.

    Args:
        name: A class name, or the start of a name.
    """
    prefix = snake_case(name)
    count = _USED[prefix]
    _USED[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def reset_names() -> None:
    """Start counting anew; `tf.keras.backend.clear_session` calls this."""
    _USED.clear()
