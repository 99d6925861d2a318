"""tf.keras.legacy: the names of Keras 2 that have no place of their own any more."""

from lamina.keras.legacy import saving

__all__ = ["saving"]
