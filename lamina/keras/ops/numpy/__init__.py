"""tf.keras.ops.numpy: NumPy's functions on Tensors, with Keras' dtypes.

A file is a family. `operands.py` says how values become Tensors of a shared dtype; the kernels
are operations of `lamina.ops`, and of `lamina.ops.numpy` where TF has none of that meaning.
"""

from lamina.keras.ops.numpy import (
    binary,
    choosing,
    creation,
    diagonals,
    joining,
    missing,
    precision,
    products,
    quantiles,
    reductions,
    shaping,
    sorting,
    unary,
    vectorizing,
)
from lamina.keras.ops.numpy.binary import *
from lamina.keras.ops.numpy.choosing import *
from lamina.keras.ops.numpy.creation import *
from lamina.keras.ops.numpy.diagonals import *
from lamina.keras.ops.numpy.joining import *
from lamina.keras.ops.numpy.missing import *
from lamina.keras.ops.numpy.precision import *
from lamina.keras.ops.numpy.products import *
from lamina.keras.ops.numpy.quantiles import *
from lamina.keras.ops.numpy.reductions import *
from lamina.keras.ops.numpy.shaping import *
from lamina.keras.ops.numpy.sorting import *
from lamina.keras.ops.numpy.unary import *
from lamina.keras.ops.numpy.vectorizing import *

__all__ = []
__all__ += binary.__all__
__all__ += choosing.__all__
__all__ += creation.__all__
__all__ += diagonals.__all__
__all__ += joining.__all__
__all__ += missing.__all__
__all__ += precision.__all__
__all__ += products.__all__
__all__ += quantiles.__all__
__all__ += reductions.__all__
__all__ += shaping.__all__
__all__ += sorting.__all__
__all__ += unary.__all__
__all__ += vectorizing.__all__
