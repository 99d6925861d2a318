"""tf.image: functions of images, `(H, W, C)` or batches `(B, H, W, C)`.

Kept out of the flat namespace of `lamina.ops`, since `transpose` means something else here.
"""

from lamina.ops.image.adjusting import *
from lamina.ops.image.adjusting import __all__ as _adjusting
from lamina.ops.image.boxes import *
from lamina.ops.image.boxes import __all__ as _boxes
from lamina.ops.image.color import *
from lamina.ops.image.color import __all__ as _color
from lamina.ops.image.geometry import *
from lamina.ops.image.geometry import __all__ as _geometry
from lamina.ops.image.quality import *
from lamina.ops.image.quality import __all__ as _quality
from lamina.ops.image.resampling import *
from lamina.ops.image.resampling import __all__ as _resampling
from lamina.ops.image.resizing import *
from lamina.ops.image.resizing import __all__ as _resizing

__all__ = sorted([*_adjusting, *_boxes, *_color, *_geometry, *_quality, *_resizing, *_resampling])
