"""tf.keras.mixed_precision: compute in a short dtype, keep weights in float32."""

from lamina.keras.optimizers import LossScaleOptimizer as LossScaleOptimizer
from lamina.keras.policy import DTypePolicy as DTypePolicy
from lamina.keras.policy import dtype_policy as dtype_policy
from lamina.keras.policy import set_dtype_policy as set_dtype_policy

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
