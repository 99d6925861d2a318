"""Layer.quantize: kernels as integers of 8 or 4 bits with scales, after training."""

import math
import warnings
from collections.abc import Callable
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core.checks import label
from lamina.keras.core.intercepting import intercept
from lamina.keras.quantized import Int4DTypePolicy, QuantizedDTypePolicy

__all__ = [
    "Quantizable",
    "QuantizableModel",
    "dequantized",
    "dequantized_rows",
    "quantize_as_policy",
    "quantized_inputs",
]

_MODES = ("int8", "float8", "int4", "gptq", "awq")
_REFUSED = {
    "float8": "its scales follow the training, and XLA computes in float8 on few devices",
    "gptq": "it looks for the roundings that serve a data set best",
    "awq": "it looks for the scales that serve a data set best",
}
_BLOCK = 128  # inputs that share a scale with "int4", as in Keras
_EPSILON = 1e-7


class Quantizable:
    """The part of a Layer that quantizes it."""

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Keep the kernel as integers of 8 or 4 bits, with scales, to save memory.

        With "int8" each output has a scale, and from then on the inputs are rounded to 8 bits too,
        with a scale for each row. With "int4" each output has a scale and a zero for every 128
        inputs; two integers share a byte. The kernel is not trained any more. Dense, EinsumDense
        and Embedding can be quantized. A saved layer is quantized when it is loaded.

        Args:
            mode: "int8" or "int4".
            type_check: Whether subclasses, which may compute something else, are refused.
            config: Accepted for Keras' signature; must be None.

        Raises:
            NotImplementedError: the layer has nothing to quantize, or is of a subclass.
            ValueError: the layer is not built or quantized already, or the mode is another.

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
            mode: "int8" or "int4".
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
    if mode in _REFUSED or config is not None:
        why = f"; {mode}: {_REFUSED[mode]}" if mode in _REFUSED else ""
        raise ValueError(
            f"{label(layer)}: lamina quantizes to 'int8' and 'int4' without a config; got "
            f"mode={mode}, config={config}{why}.\n"
            f"  Fix: layer.quantize('int8'), or layer.quantize('int4')."
        )
    if getattr(layer, "lora_enabled", False):
        raise ValueError(
            f"{label(layer)}: a layer with a LoRA adapter is not quantized.\n"
            f"  Fix: save and load the model, which adds the adapter to the kernel."
        )
    source = layer.dtype_policy.name
    if mode == "int8":
        layer.dtype_policy = QuantizedDTypePolicy("int8", source)
    else:
        layer.dtype_policy = Int4DTypePolicy(f"int4/{_BLOCK}", source)


def quantize_as_policy(layer: Any) -> None:
    """Quantize a layer whose policy says so, and whose kernel is whole.

    Layers end their `build` with it: what is loaded has the variables that were saved. So does
    setting the policy of a layer that is built.
    """
    mode = layer.quantization_mode
    if mode not in ("int8", "int4") or not hasattr(type(layer), "_quantized_axes"):
        return
    name = layer._lm_adapted
    before = layer.__dict__[name]
    parts = _as_int8(layer, before) if mode == "int8" else _as_int4(layer, before)
    regularizer = getattr(layer, f"{name}_regularizer", None)
    setattr(layer, f"{name}_regularizer", None)  # it is for training
    layer._lm_added.remove(before)
    for own, value in parts.items():
        kept = layer.add_weight(name=own, shape=value.shape, dtype=value.dtype, trainable=False)
        kept.assign(value)
        setattr(layer, own, kept)
    setattr(layer, f"{name}_regularizer", regularizer)
    intercept([(layer.name, layer)], _quantized_call)


def _as_int8(layer: Any, kernel: Any) -> dict[str, Tensor]:
    name, whole = layer._lm_adapted, ops.convert_to_tensor(kernel)
    axes = layer._quantized_axes()
    scale = 127.0 / (ops.reduce_max(ops.abs(whole), axis=axes, keepdims=True) + _EPSILON)
    values = ops.clip_by_value(ops.round(whole * scale), -127.0, 127.0)
    return {name: ops.cast(values, "int8"), f"{name}_scale": ops.cast(scale, "float32")}


def _as_int4(layer: Any, kernel: Any) -> dict[str, Tensor]:
    name, whole = layer._lm_adapted, ops.convert_to_tensor(kernel)
    order, shape = _order(layer, whole.shape.as_list())
    layer.__dict__["_lm_whole"] = whole.shape.as_list()
    rows = ops.reshape(ops.transpose(whole, order), shape)
    block = _block(layer)
    q, scale, zero = ops.quantize_int4(rows, block=block)
    if _by_rows(layer):
        q, scale, zero = ops.transpose(q), ops.transpose(scale), ops.transpose(zero)
    number = ops.range(shape[0]) // (shape[0] if block == -1 else block)
    return {
        name: ops.pack_int4(q),
        f"{name}_scale": scale,
        f"{name}_zero": zero,
        "g_idx": ops.cast(number, "float32"),
    }


def _order(layer: Any, shape: list[int]) -> tuple[list[int], list[int]]:
    """Return the order of a kernel's axes with the summed ones first, and the matrix's shape."""
    summed = [axis % len(shape) for axis in layer._quantized_axes()]
    others = [axis for axis in range(len(shape)) if axis not in summed]
    size = math.prod(shape[axis] for axis in summed)
    return [*summed, *others], [size, math.prod(shape[axis] for axis in others)]


def _block(layer: Any) -> int:
    return getattr(layer.dtype_policy, "block_size", _BLOCK)


def _by_rows(layer: Any) -> bool:
    """Return whether a row has its own scales, as of an embedding; else it is a column."""
    return layer._lm_adapted == "embeddings"


def _quantized_call(path: str, layer: Any) -> Callable[..., Any]:
    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        return layer._quantized_call

    return interceptor


def quantized_inputs(layer: Any, x: Tensor, axes: Any) -> Tensor:
    """Return inputs as 8-bit integers would give them; gradients pass through.

    Args:
        layer: The layer; with "int4" inputs stay as they are.
        x: Float.
        axes: The axes that share a scale.
    """
    if layer.quantization_mode == "int4":
        return x
    scale = 127.0 / (ops.reduce_max(ops.abs(x), axis=axes, keepdims=True) + _EPSILON)
    rounded = ops.clip_by_value(ops.round(x * scale), -127.0, 127.0) / scale
    return x + ops.stop_gradient(rounded - x)


def dequantized(layer: Any) -> Tensor:
    """Return a quantized layer's kernel as floats."""
    own, name = layer.__dict__, layer._lm_adapted
    if layer.quantization_mode == "int8":
        values = ops.cast(own[name], "float32")
        return ops.cast(values / own[f"{name}_scale"], layer.compute_dtype)
    whole = own["_lm_whole"]
    order, shape = _order(layer, whole)
    q = ops.unpack_int4(own[name], size=shape[1])
    block = _block(layer)
    rows = ops.dequantize_int4(q, own[f"{name}_scale"], own[f"{name}_zero"], block=block)
    there = ops.reshape(rows, [whole[axis] for axis in order])
    back = [order.index(axis) for axis in range(len(order))]
    return ops.cast(ops.transpose(there, back), layer.compute_dtype)


def dequantized_rows(layer: Any, indices: Tensor) -> Tensor:
    """Return rows of a quantized layer's kernel as floats: of an embedding.

    Args:
        layer: The layer.
        indices: Integers, ``(…)``.

    Returns:
        ``(…, F)``, float32.
    """
    own, name = layer.__dict__, layer._lm_adapted
    scale = ops.gather(own[f"{name}_scale"], indices)
    rows = ops.gather(own[name], indices)
    if layer.quantization_mode == "int8":
        return ops.cast(rows, "float32") / scale
    size = own["_lm_whole"][-1]
    block = ops.cast(own["g_idx"], "int32")
    zero = ops.cast(ops.gather(own[f"{name}_zero"], indices), "float32")
    values = ops.cast(ops.unpack_int4(rows, size=size), "float32")
    return (values - ops.gather(zero, block, axis=-1)) * ops.gather(scale, block, axis=-1)


def _passes(layer: Any, filters: Any) -> bool:
    if callable(filters):
        return bool(filters(layer))
    names = [filters] if isinstance(filters, str) else list(filters)
    return any(n in layer.name or n in layer.path for n in names)
