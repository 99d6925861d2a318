"""tf.keras.quantizers: what rounds values to small integers, and how layers are to do it.

`rounding` has the functions and Quantizers, `settings` the objects that `Layer.quantize` takes as
its `config`. What layers do with them is in `lamina/keras/core/quantizing.py`.
"""

from lamina.keras.quantizers.rounding import (
    AbsMaxQuantizer,
    Quantizer,
    abs_max_quantize,
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    deserialize,
    fake_quant_with_min_max_vars,
    get,
    pack_int4,
    quantize_and_dequantize,
    serialize,
    unpack_int4,
)
from lamina.keras.quantizers.settings import (
    Float8QuantizationConfig,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    QuantizationConfig,
)

__all__ = [
    "AbsMaxQuantizer",
    "Float8QuantizationConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
    "Quantizer",
    "abs_max_quantize",
    "abs_max_quantize_grouped_with_zero_point",
    "compute_float8_amax_history",
    "compute_float8_scale",
    "deserialize",
    "fake_quant_with_min_max_vars",
    "get",
    "pack_int4",
    "quantize_and_dequantize",
    "serialize",
    "unpack_int4",
]
