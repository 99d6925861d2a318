"""tf.keras.dtype_policies: the dtypes that layers compute in and keep their weights in."""

from lamina.keras.policy import DTypePolicy as DTypePolicy
from lamina.keras.policy import DTypePolicyMap as DTypePolicyMap
from lamina.keras.policy import FloatDTypePolicy as FloatDTypePolicy
from lamina.keras.policy import deserialize as deserialize
from lamina.keras.policy import get as get
from lamina.keras.policy import serialize as serialize
from lamina.keras.quantized import AWQDTypePolicy as AWQDTypePolicy
from lamina.keras.quantized import GPTQDTypePolicy as GPTQDTypePolicy
from lamina.keras.quantized import Int4DTypePolicy as Int4DTypePolicy
from lamina.keras.quantized import QuantizedDTypePolicy as QuantizedDTypePolicy
from lamina.keras.quantized import QuantizedFloat8DTypePolicy as QuantizedFloat8DTypePolicy

__all__ = [
    "AWQDTypePolicy",
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "deserialize",
    "get",
    "serialize",
]
