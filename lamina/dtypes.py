"""tf.dtypes: the element types, and casts."""

from lamina.engine.dtypes import DType as DType
from lamina.engine.dtypes import as_dtype as as_dtype
from lamina.engine.dtypes import bfloat16 as bfloat16
from lamina.engine.dtypes import bool_ as bool  # TF's name
from lamina.engine.dtypes import complex64 as complex64
from lamina.engine.dtypes import complex128 as complex128
from lamina.engine.dtypes import float16 as float16
from lamina.engine.dtypes import float32 as float32
from lamina.engine.dtypes import float64 as float64
from lamina.engine.dtypes import int8 as int8
from lamina.engine.dtypes import int16 as int16
from lamina.engine.dtypes import int32 as int32
from lamina.engine.dtypes import int64 as int64
from lamina.engine.dtypes import qint8 as qint8
from lamina.engine.dtypes import qint16 as qint16
from lamina.engine.dtypes import qint32 as qint32
from lamina.engine.dtypes import quint8 as quint8
from lamina.engine.dtypes import quint16 as quint16
from lamina.engine.dtypes import string as string
from lamina.engine.dtypes import uint8 as uint8
from lamina.engine.dtypes import uint16 as uint16
from lamina.engine.dtypes import uint32 as uint32
from lamina.engine.dtypes import uint64 as uint64
from lamina.ops import cast as cast
from lamina.ops import complex as complex  # TF's name
from lamina.ops import saturate_cast as saturate_cast

double = float64
half = float16
QUANTIZED_DTYPES = frozenset({qint8, qint16, qint32, quint8, quint16})
