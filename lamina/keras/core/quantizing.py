"""Layer.quantize: kernels as 8-bit integers with a scale for each output, after training."""

import warnings
from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core.checks import label
from lamina.keras.core.intercepting import intercept
from lamina.keras.quantized import QuantizedDTypePolicy

__all__ = ["Quantizable", "QuantizableModel", "dequantized", "fake_quantized"]

_MODES = ("int8", "float8", "int4", "gptq", "awq")
_EPSILON = 1e-7


class Quantizable:
    """The part of a Layer that quantizes it."""

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Keep the kernel as 8-bit integers, with a scale for each output, to save memory.

        From then on the inputs are rounded to 8 bits too, with a scale for each row, and the
        kernel is not trained. Dense, EinsumDense and Embedding can be quantized. Weights saved
        after it fit a layer that was quantized too.

        Args:
            mode: "int8".
            type_check: Whether subclasses, which may compute something else, are refused.
            config: Accepted for Keras' signature; must be None.

        Raises:
            NotImplementedError: the layer has nothing to quantize, or is of a subclass.
            ValueError: the layer is not built or quantized already, or the mode is not "int8".

        Example:
            >>> layer = tf.keras.layers.Dense(2, kernel_initializer="ones")
            >>> y = layer(tf.ones([1, 3]))
            >>> layer.quantize("int8")
            >>> layer.kernel.dtype, layer.dtype_policy.name
            ('int8', 'int8_from_float32')
        """
        _quantize(self, mode, type_check, config)

    @property
    def quantization_mode(self) -> str | None:
        """The mode that the layer was quantized in, or None."""
        return getattr(self.dtype_policy, "quantization_mode", None)  # type: ignore[attr-defined]


class QuantizableModel:
    """The part of a Model that quantizes its layers."""

    def quantize(
        self, mode: Any = None, config: Any = None, filters: Any = None, **kwargs: Any
    ) -> None:
        """Quantize the layers that can be; see `Layer.quantize`.

        Layers that cannot stay as they are, after a warning.

        Args:
            mode: "int8".
            config: Accepted for Keras' signature; must be None.
            filters: A function of a layer that says whether to quantize it, a part of the names
                of those to quantize, or a list of such; None takes all.
            **kwargs: Must be empty, but for `type_check`.

        Raises:
            ValueError: an unknown argument, or as of `Layer.quantize`.
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(f"{label(self)}: `quantize` got unknown arguments {sorted(kwargs)}.")
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if list(getattr(layer, "layers", ())):
                continue
            if filters is not None and not _passes(layer, filters):
                continue
            try:
                layer.quantize(mode, type_check=type_check, config=config)
            except NotImplementedError as error:
                warnings.warn(str(error).split("\n")[0], stacklevel=2)


def _quantize(layer: Any, mode: Any, type_check: bool, config: Any) -> None:
    if mode is None and config is not None:
        mode = getattr(config, "mode", None)
    kind = type(layer)
    implements = hasattr(kind, "_quantized_axes")
    if implements and type_check and "_quantized_axes" not in vars(kind):
        implements = False  # a subclass may compute something else
    if not implements and kind.__name__ != "Layer":
        raise NotImplementedError(
            f"Layer {kind.__name__} does not have a `quantize` method implemented.\n"
            f"  Fix: Dense, EinsumDense and Embedding have one; type_check=False takes subclasses."
        )
    if not layer.built:
        raise ValueError(
            f"{label(layer)}: `quantize` needs the layer's weights, but the layer is not built.\n"
            f"  Fix: call it on data first."
        )
    if mode not in _MODES:
        raise ValueError(
            f"{label(layer)}: invalid quantization mode; expected one of {_MODES}; got mode={mode}."
        )
    if isinstance(layer.dtype_policy, QuantizedDTypePolicy):
        raise ValueError(
            f"{label(layer)}: the layer is quantized already, dtype policy "
            f"{layer.dtype_policy.name!r}; got mode={mode}.\n  Fix: quantize once."
        )
    if mode != "int8" or config is not None:
        raise ValueError(
            f"{label(layer)}: lamina quantizes to 'int8' without a config; got mode={mode}, "
            f"config={config}.\n  Fix: layer.quantize('int8')."
        )
    if getattr(layer, "lora_enabled", False):
        raise ValueError(
            f"{label(layer)}: a layer with a LoRA adapter is not quantized.\n"
            f"  Fix: save and load the model, which adds the adapter to the kernel."
        )
    _to_int8(layer)


def _to_int8(layer: Any) -> None:
    name = layer._lm_adapted
    before = layer.__dict__[name]
    whole = ops.convert_to_tensor(before)
    axes = layer._quantized_axes()
    scale = 127.0 / (ops.reduce_max(ops.abs(whole), axis=axes, keepdims=True) + _EPSILON)
    values = ops.clip_by_value(ops.round(whole * scale), -127.0, 127.0)
    regularizer = getattr(layer, f"{name}_regularizer", None)
    setattr(layer, f"{name}_regularizer", None)  # it is for training
    layer._lm_added.remove(before)
    kept = layer.add_weight(name=name, shape=whole.shape, dtype="int8", trainable=False)
    kept.assign(ops.cast(values, "int8"))
    factors = layer.add_weight(
        name=f"{name}_scale", shape=scale.shape, dtype="float32", trainable=False
    )
    factors.assign(scale)
    setattr(layer, f"{name}_regularizer", regularizer)
    setattr(layer, name, kept)
    setattr(layer, f"{name}_scale", factors)
    layer.dtype_policy = QuantizedDTypePolicy("int8", layer.dtype_policy.name)
    intercept([(layer.name, layer)], _int8_call)


def _int8_call(path: str, layer: Any) -> Callable[..., Any]:
    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        return layer._quantized_call

    return interceptor


def fake_quantized(x: Tensor, axes: Any) -> Tensor:
    """Return values as 8-bit integers would give them; gradients pass through.

    Args:
        x: Float.
        axes: The axes that share a scale.
    """
    scale = 127.0 / (ops.reduce_max(ops.abs(x), axis=axes, keepdims=True) + _EPSILON)
    rounded = ops.clip_by_value(ops.round(x * scale), -127.0, 127.0) / scale
    return x + ops.stop_gradient(rounded - x)


def dequantized(layer: Any) -> Tensor:
    """Return a quantized layer's kernel as floats."""
    name = layer._lm_adapted
    values = ops.cast(layer.__dict__[name], "float32")
    return ops.cast(values / layer.__dict__[f"{name}_scale"], layer.compute_dtype)


def _passes(layer: Any, filters: Any) -> bool:
    if callable(filters):
        return bool(filters(layer))
    names = [filters] if isinstance(filters, str) else list(filters)
    return any(n in layer.name or n in layer.path for n in names)
