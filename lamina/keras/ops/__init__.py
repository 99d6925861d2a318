"""tf.keras.ops: NumPy's functions and those of neural networks, for all kinds of layers.

One flat namespace, with `nn`, `linalg`, `image` and `numpy` as parts of their own.
"""

from lamina.keras.ops import core, image, linalg, loops, math, nn, numpy
from lamina.keras.ops.core import *
from lamina.keras.ops.einops import *
from lamina.keras.ops.linalg import *
from lamina.keras.ops.loops import *
from lamina.keras.ops.math import *
from lamina.keras.ops.nn import *
from lamina.keras.ops.numpy import *
from lamina.keras.ops.spectra import *
