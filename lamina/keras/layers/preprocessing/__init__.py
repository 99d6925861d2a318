"""Layers that prepare data: numbers, categories, strings, text, images. A file is a family."""

from lamina.keras.layers.preprocessing import (
    augment_color,
    augment_elastic,
    augment_geometry,
    augment_mixing,
    augment_policy,
    augment_tone,
    binning,
    encoding,
    hashing,
    image_sizes,
    lookup,
    scaling,
    text,
)
from lamina.keras.layers.preprocessing.augment_color import *
from lamina.keras.layers.preprocessing.augment_elastic import *
from lamina.keras.layers.preprocessing.augment_geometry import *
from lamina.keras.layers.preprocessing.augment_mixing import *
from lamina.keras.layers.preprocessing.augment_policy import *
from lamina.keras.layers.preprocessing.augment_tone import *
from lamina.keras.layers.preprocessing.binning import *
from lamina.keras.layers.preprocessing.encoding import *
from lamina.keras.layers.preprocessing.hashing import *
from lamina.keras.layers.preprocessing.image_sizes import *
from lamina.keras.layers.preprocessing.lookup import *
from lamina.keras.layers.preprocessing.scaling import *
from lamina.keras.layers.preprocessing.text import *

__all__: list[str] = []
__all__ += binning.__all__
__all__ += encoding.__all__
__all__ += hashing.__all__
__all__ += lookup.__all__
__all__ += scaling.__all__
__all__ += text.__all__
__all__ += augment_color.__all__
__all__ += augment_elastic.__all__
__all__ += augment_geometry.__all__
__all__ += augment_mixing.__all__
__all__ += augment_policy.__all__
__all__ += augment_tone.__all__
__all__ += image_sizes.__all__
