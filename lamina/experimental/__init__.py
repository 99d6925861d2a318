"""tf.experimental: extension types, dispatch, NumPy's API, and small dtypes."""

from lamina.demand import on_demand as _on_demand
from lamina.engine.dtypes import (
    float4_e2m1fn,
    float8_e4m3b11fnuz,
    float8_e4m3fn,
    float8_e4m3fnuz,
    float8_e5m2,
    float8_e5m2fnuz,
    int2,
    int4,
    uint2,
    uint4,
)
from lamina.experimental.dispatch import (
    dispatch_for_api,
    dispatch_for_binary_elementwise_apis,
    dispatch_for_binary_elementwise_assert_apis,
    dispatch_for_unary_elementwise_apis,
    unregister_dispatch_for,
)
from lamina.experimental.execution import (
    async_clear_error,
    async_scope,
    enable_strict_mode,
    function_executor_type,
)
from lamina.experimental.extension_type import (
    BatchableExtensionType,
    ExtensionType,
    ExtensionTypeBatchEncoder,
    ExtensionTypeSpec,
)
from lamina.ops.optional import Optional

__all__ = [
    "BatchableExtensionType",
    "ExtensionType",
    "ExtensionTypeBatchEncoder",
    "ExtensionTypeSpec",
    "Optional",
    "async_clear_error",
    "async_scope",
    "dispatch_for_api",
    "dispatch_for_binary_elementwise_apis",
    "dispatch_for_binary_elementwise_assert_apis",
    "dispatch_for_unary_elementwise_apis",
    "enable_strict_mode",
    "float4_e2m1fn",
    "float8_e4m3b11fnuz",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "function_executor_type",
    "int2",
    "int4",
    "uint2",
    "uint4",
    "unregister_dispatch_for",
]

__getattr__, __dir__ = _on_demand(
    __name__,
    modules=("dtensor", "numpy"),
    names={
        "DynamicRaggedShape": "lamina.ragged",
        "RowPartition": "lamina.ragged",
    },
)
