"""The optimizers of Keras 2: names that say what replaces them, as in Keras 3."""

from typing import Any

__all__ = ["SGD", "Adagrad", "Adam", "Ftrl", "Optimizer", "RMSprop"]


class _Legacy:
    def __init__(self, *args: Any, **kwargs: Any):
        name = type(self).__name__
        raise ImportError(
            f"tf.keras.optimizers.legacy.{name}: not there since Keras 3.\n"
            f"  Fix: use tf.keras.optimizers.{name}; `decay` becomes a schedule, "
            f"tf.keras.optimizers.schedules.InverseTimeDecay."
        )


class Adagrad(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.Adagrad`."""


class Adam(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.Adam`."""


class Ftrl(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.RMSprop`."""


class SGD(_Legacy):
    """Raise ImportError: use `tf.keras.optimizers.SGD`."""
