"""tf.keras.utils.bounding_boxes: formats of boxes, moving them, comparing them."""

from lamina.keras.layers.preprocessing.image_boxes import *
from lamina.keras.layers.preprocessing.image_boxes import __all__ as _moving
from lamina.keras.layers.preprocessing.image_boxes_compared import *
from lamina.keras.layers.preprocessing.image_boxes_compared import __all__ as _compared

__all__ = sorted([*_moving, *_compared])
