"""What `Layer.quantize` takes as its `config`: a mode, and the quantizers to use."""

from typing import Any, ClassVar

from lamina.keras.capture import Captured
from lamina.keras.quantizers.rounding import AbsMaxQuantizer

__all__ = [
    "Float8QuantizationConfig",
    "Int4QuantizationConfig",
    "Int8QuantizationConfig",
    "QuantizationConfig",
]


class QuantizationConfig(Captured):
    """How a layer is to be quantized; the base of those for each mode.

    Args:
        weight_quantizer: What rounds the kernel; None takes the layer's own way.
        activation_quantizer: What rounds the inputs; None leaves them as they are.

    Example:
        >>> tf.keras.quantizers.Int8QuantizationConfig().mode
        'int8'
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = None):
        self.weight_quantizer = weight_quantizer
        self.activation_quantizer = activation_quantizer

    @property
    def mode(self) -> str:
        """The mode.

        Raises:
            NotImplementedError: a subclass says it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: `mode` must be a property of the subclass.\n"
            f"  Fix: use Int8QuantizationConfig or Int4QuantizationConfig."
        )

    def _require(self, what: str, expected: Any) -> None:
        """Raise unless an attribute of the weights' quantizer has a value.

        Raises:
            ValueError: it has another.
        """
        found = getattr(self.weight_quantizer, what, expected)
        found = tuple(found) if isinstance(found, list) else found
        if found != expected:
            raise ValueError(
                f"{type(self).__name__}: `weight_quantizer` must have {what}={expected!r}; got "
                f"{what}={found!r}."
            )


def checked(who: str, config: Any) -> Any:
    """Return the `quantization_config` of a layer.

    Raises:
        ValueError: it is neither a QuantizationConfig nor None.
    """
    if config is None or isinstance(config, QuantizationConfig):
        return config
    raise ValueError(
        f"{who}: `quantization_config` must be a QuantizationConfig or None; got {config!r}.\n"
        f"  Fix: tf.keras.quantizers.Int8QuantizationConfig()."
    )


class Int8QuantizationConfig(QuantizationConfig):
    """Quantize to 8 bits.

    Args:
        weight_quantizer: What rounds the kernel; None scales each output by its greatest weight.
        activation_quantizer: What rounds the inputs; "default" is `AbsMaxQuantizer`, None leaves
            them as they are.

    Raises:
        ValueError: the weights' quantizer does not give int8.

    Example:
        >>> layer = tf.keras.layers.Dense(2)
        >>> y = layer(tf.ones([1, 3]))
        >>> config = tf.keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)
        >>> layer.quantize(config=config)
        >>> layer.kernel.dtype
        'int8'
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(self, weight_quantizer: Any = None, activation_quantizer: Any = "default"):
        default = activation_quantizer == "default"
        super().__init__(weight_quantizer, AbsMaxQuantizer() if default else activation_quantizer)
        self._require("output_dtype", "int8")

    @property
    def mode(self) -> str:
        """The mode, "int8"."""
        return "int8"


class Int4QuantizationConfig(QuantizationConfig):
    """Quantize to 4 bits.

    Args:
        weight_quantizer: What rounds the kernel; None is the usual way.
        activation_quantizer: What rounds the inputs; "default" and None leave them as they are.
        block_size: How many inputs share a scale and a zero; None or -1 gives each output a scale,
            without a zero.

    Raises:
        ValueError: the size is not positive, or quantizers are given with one, or the weights'
            quantizer does not give int8 in (-8, 7).

    Example:
        >>> tf.keras.quantizers.Int4QuantizationConfig(block_size=64).block_size
        64
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(
        self,
        weight_quantizer: Any = None,
        activation_quantizer: Any = "default",
        block_size: int | None = 128,
    ):
        default = activation_quantizer == "default"
        super().__init__(weight_quantizer, None if default else activation_quantizer)
        if block_size is not None and block_size != -1 and block_size <= 0:
            raise ValueError(
                "Int4QuantizationConfig: `block_size` must be None, -1 or positive; got "
                f"block_size={block_size}."
            )
        own = self.weight_quantizer is not None or self.activation_quantizer is not None
        if own and block_size is not None and block_size > 0:
            raise ValueError(
                "Int4QuantizationConfig: Int4 sub-channel quantization (block_size > 0) does not "
                f"support custom quantizers; got block_size={block_size}.\n"
                "  Fix: pass block_size=None, or drop the quantizers."
            )
        self.block_size = block_size
        self._require("value_range", (-8, 7))
        self._require("output_dtype", "int8")

    @property
    def mode(self) -> str:
        """The mode, "int4"."""
        return "int4"


class Float8QuantizationConfig(QuantizationConfig):
    """Train in floats of 8 bits; it has no options. Layers of lamina refuse it.

    Example:
        >>> tf.keras.quantizers.Float8QuantizationConfig().mode
        'float8'
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(self):
        super().__init__()

    @property
    def mode(self) -> str:
        """The mode, "float8"."""
        return "float8"
