"""tf.keras.dtype_policies: the dtypes that layers compute in and keep their weights in."""

from lamina.keras.policy import DTypePolicy as DTypePolicy
from lamina.keras.policy import DTypePolicyMap as DTypePolicyMap
from lamina.keras.policy import FloatDTypePolicy as FloatDTypePolicy
from lamina.keras.policy import deserialize as deserialize
from lamina.keras.policy import get as get
from lamina.keras.policy import serialize as serialize

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "deserialize",
    "get",
    "serialize",
]
