"""tf.experimental.numpy: NumPy's functions on Tensors, with NumPy's promotion of dtypes.

`experimental_enable_numpy_behavior` gives Tensors NumPy's methods, operators and indexing.
"""

from lamina.experimental.numpy import random
from lamina.experimental.numpy.behavior import experimental_enable_numpy_behavior
from lamina.experimental.numpy.binary import *
from lamina.experimental.numpy.choosing import *
from lamina.experimental.numpy.creation import *
from lamina.experimental.numpy.elementwise import *
from lamina.experimental.numpy.products import *
from lamina.experimental.numpy.reductions import *
from lamina.experimental.numpy.shaping import *
from lamina.experimental.numpy.types import *
from lamina.experimental.numpy.unary import *
