"""tf.types: the kinds of values that programs can ask for."""

from lamina.types import experimental

__all__ = ["experimental"]
