"""tf.keras.preprocessing.image: images in random variations, from arrays and folders."""

from lamina.keras.preprocessing.image.affine import (
    apply_affine_transform,
    apply_brightness_shift,
    apply_channel_shift,
    random_brightness,
    random_channel_shift,
    random_rotation,
    random_shear,
    random_shift,
    random_zoom,
)
from lamina.keras.preprocessing.image.arrays import NumpyArrayIterator
from lamina.keras.preprocessing.image.folders import DataFrameIterator, DirectoryIterator
from lamina.keras.preprocessing.image.generator import ImageDataGenerator
from lamina.keras.preprocessing.image.iterator import Iterator
from lamina.keras.utils.images import (
    array_to_img,
    img_to_array,
    load_img,
    save_img,
    smart_resize,
)

__all__ = [
    "DataFrameIterator",
    "DirectoryIterator",
    "ImageDataGenerator",
    "Iterator",
    "NumpyArrayIterator",
    "apply_affine_transform",
    "apply_brightness_shift",
    "apply_channel_shift",
    "array_to_img",
    "img_to_array",
    "load_img",
    "random_brightness",
    "random_channel_shift",
    "random_rotation",
    "random_shear",
    "random_shift",
    "random_zoom",
    "save_img",
    "smart_resize",
]
