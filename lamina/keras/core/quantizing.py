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
from lamina.keras.quantizers import (
    AbsMaxQuantizer,
    Int4QuantizationConfig,
    Int8QuantizationConfig,
    abs_max_quantize,
    pack_int4,
    settings,
    unpack_int4,
)

__all__ = [
    "Quantizable",
    "QuantizableModel",
    "dequantized",
    "dequantized_rows",
    "quantize_as_policy",
    "quantized_inputs",
    "quantized_parts",
]

_MODES = ("int8", "float8", "int4", "gptq", "awq")
_REFUSED = {
    "float8": "its scales follow the training, and XLA computes in float8 on few devices",
    "gptq": "it looks for the roundings that serve a data set best",
    "awq": "it looks for the scales that serve a data set best",
}


class Quantizable:
    """The part of a Layer that quantizes it."""

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Keep the kernel as integers of 8 or 4 bits, with scales, to save memory.

        With "int8" each output has a scale, and from then on the inputs are rounded to 8 bits too,
        with a scale for each row. With "int4" each output has a scale and a zero for every 128
        inputs; two integers share a byte. The kernel is not trained any more; an adapter of
        `enable_lora` stays, and one can be added. Dense, EinsumDense, Embedding and
        ReversibleEmbedding can be quantized. A saved layer is quantized when it is loaded.

        Args:
            mode: "int8" or "int4"; None if `config` says it.
            type_check: Whether subclasses, which may compute something else, are refused.
            config: An `Int8QuantizationConfig` or `Int4QuantizationConfig`; None is the default
                one of the mode.

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
            mode: "int8" or "int4"; None if `config` says it.
            config: As of `Layer.quantize`.
            filters: A function of a layer that says whether to quantize it, a part of the names
                of those to quantize, or a list of such; None takes all.
            **kwargs: Must be empty, but for `type_check`.

        Raises:
            ValueError: an unknown argument, or as of `Layer.quantize`.
        """
        type_check = kwargs.pop("type_check", True)
        if kwargs:
            raise ValueError(f"{label(self)}: `quantize` got unknown arguments {sorted(kwargs)}.")
        config = _resolved(self, mode, config)
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if list(getattr(layer, "layers", ())):
                continue
            if filters is not None and not _passes(layer, filters):
                continue
            try:
                layer.quantize(config.mode, type_check=type_check, config=config)
            except NotImplementedError as error:
                warnings.warn(str(error).split("\n")[0], stacklevel=2)


def _resolved(who: Any, mode: Any, config: Any) -> Any:
    """Return the config to quantize with.

    Raises:
        ValueError: mode and config say different things, or neither what lamina can do.
    """
    if isinstance(config, str):
        mode, config = config, None
    if config is None and mode is None:
        raise ValueError(
            f"{label(who)}: `quantize` needs a `mode` or a `config`; got neither.\n"
            f"  Fix: quantize('int8')."
        )
    config = settings.checked(label(who), config)
    found = mode if config is None else config.mode
    if found not in _MODES or (mode is not None and mode not in _MODES):
        raise ValueError(
            f"{label(who)}: invalid quantization mode; expected one of {_MODES}; got mode={mode}."
        )
    if mode is not None and mode != found:
        raise ValueError(
            f"{label(who)}: contradictory arguments: mode={mode!r}, and a config of mode {found!r}."
            f"\n  Fix: pass one of them."
        )
    if found in _REFUSED:
        raise ValueError(
            f"{label(who)}: lamina quantizes to 'int8' and 'int4' alone; got mode={found}: "
            f"{_REFUSED[found]}.\n  Fix: quantize('int8'), or quantize('int4')."
        )
    if config is not None:
        return config
    return Int8QuantizationConfig() if found == "int8" else Int4QuantizationConfig()


def _quantize(layer: Any, mode: Any, type_check: bool, config: Any) -> None:
    kind = type(layer)
    implements = hasattr(kind, "_quantized_weights")
    if implements and type_check and "_quantized_weights" not in vars(kind):
        implements = False  # a subclass may compute something else
    if not implements:
        raise NotImplementedError(
            f"Layer {kind.__name__} does not have a `quantize` method implemented.\n"
            f"  Fix: Dense, EinsumDense and Embedding have one; type_check=False takes subclasses."
        )
    if not layer.built:
        raise ValueError(
            f"{label(layer)}: `quantize` needs the layer's weights, but the layer is not built.\n"
            f"  Fix: call it on data first."
        )
    config = _resolved(layer, mode, config)
    if isinstance(layer.dtype_policy, QuantizedDTypePolicy):
        raise ValueError(
            f"{label(layer)}: the layer is quantized already, dtype policy "
            f"{layer.dtype_policy.name!r}; got mode={mode}.\n  Fix: quantize once."
        )
    source = layer.dtype_policy.name
    layer.quantization_config = config
    if config.mode == "int8":
        layer.dtype_policy = QuantizedDTypePolicy("int8", source)
    else:
        block = -1 if config.block_size is None else config.block_size
        layer.dtype_policy = Int4DTypePolicy(f"int4/{block}", source)


def quantize_as_policy(layer: Any) -> None:
    """Quantize a layer whose policy says so, and whose weights are whole.

    Layers end their `build` with it: what is loaded has the variables that were saved. So does
    setting the policy of a layer that is built.
    """
    mode = layer.quantization_mode
    if mode not in ("int8", "int4") or not hasattr(type(layer), "_quantized_weights"):
        return
    if layer.built and layer.quantization_config is None:  # as `quantize` would have it
        layer.quantization_config = _resolved(layer, mode, None)
    config = layer.quantization_config
    by_default = AbsMaxQuantizer() if mode == "int8" else None
    layer.inputs_quantizer = by_default if config is None else config.activation_quantizer
    layer.__dict__["_lm_whole"] = {}
    for name in layer._quantized_weights():
        _replace(layer, name, quantized_parts(layer, name, layer.__dict__[name]))
    intercept([(layer.name, layer)], _quantized_call)


def _replace(layer: Any, name: str, parts: dict[str, Tensor]) -> None:
    """Put integers and scales in the place of a variable."""
    before = layer.__dict__[name]
    layer.__dict__["_lm_whole"][name] = before.shape.as_list()
    owner = name.removeprefix("reverse_")
    regularizer = getattr(layer, f"{owner}_regularizer", None)
    setattr(layer, f"{owner}_regularizer", None)  # it is for training
    layer._lm_added.remove(before)
    for own, value in parts.items():
        kept = layer.add_weight(name=own, shape=value.shape, dtype=value.dtype, trainable=False)
        kept.assign(value)
        setattr(layer, own, kept)
    setattr(layer, f"{owner}_regularizer", regularizer)


def quantized_parts(layer: Any, name: str, whole: Any) -> dict[str, Tensor]:
    """Return what stands for a weight of a quantized layer, by the variables' names."""
    of = _as_int8 if layer.quantization_mode == "int8" else _as_int4
    return of(layer, name, ops.convert_to_tensor(whole))


def _custom(layer: Any, which: str) -> Any:
    config = layer.quantization_config
    return None if config is None else getattr(config, which)


def _as_int8(layer: Any, name: str, whole: Tensor) -> dict[str, Tensor]:
    own = _custom(layer, "weight_quantizer")
    axes = layer._quantized_weights()[name]
    # Keras divides in float32 where the kernel is shorter.
    whole = ops.cast(whole, "float32")
    q, scale = abs_max_quantize(whole, axes) if own is None else own(whole)
    shape, order = _scale_layout(layer, name, whole.shape.as_list())
    kept = _kept(axes, whole.ndim)
    scale = ops.transpose(ops.squeeze(scale, axis=_summed(axes, whole.ndim)), _places(kept, order))
    return {name: q, f"{name}_scale": ops.cast(ops.reshape(scale, shape), layer.variable_dtype)}


def _summed(axes: Any, rank: int) -> list[int]:
    return [axis % rank for axis in axes]


def _kept(axes: Any, rank: int) -> list[int]:
    summed = _summed(axes, rank)
    return [axis for axis in range(rank) if axis not in summed]


def _places(kept: list[int], order: list[int]) -> list[int]:
    return [kept.index(axis) for axis in order]


def _scale_layout(layer: Any, name: str, shape: list[int]) -> tuple[list[int], list[int]]:
    """Return the shape in which an 8-bit scale is kept, and the order of the weight's axes in it.

    As in Keras: without the axes that share a scale; EinsumDense has it in the output's form.
    """
    if hasattr(layer, "_quantized_scale"):
        return layer._quantized_scale(shape)
    kept = _kept(layer._quantized_weights()[name], len(shape))
    return [shape[axis] for axis in kept], kept


def _as_int4(layer: Any, name: str, whole: Tensor) -> dict[str, Tensor]:
    block = _block(layer)
    by_rows = _by_rows(name)
    shape = _matrix(layer, name, whole.shape.as_list())
    whole = ops.cast(whole, "float32")
    rows = ops.transpose(whole) if by_rows else ops.reshape(whole, shape)
    if block == -1:
        own, given = _custom(layer, "weight_quantizer"), whole if by_rows else rows
        axis = -1 if by_rows else 0
        q, scale = own(given) if own else abs_max_quantize(given, axis, (-8, 7))
        scale = ops.cast(ops.reshape(scale, [-1]), layer.variable_dtype)
        return {name: _packed(name, q), f"{name}_scale": scale}
    q, scale, zero = ops.quantize_int4(rows, block=block)
    if by_rows:
        q, scale, zero = ops.transpose(q), ops.transpose(scale), ops.transpose(zero)
    scale = ops.cast(scale, layer.variable_dtype)
    parts = {name: _packed(name, q), f"{name}_scale": scale, f"{name}_zero": zero}
    if name.startswith("reverse_"):  # as in Keras: it has one index for both
        parts[f"{name}_zero"] = ops.cast(zero, layer.variable_dtype)
    else:
        parts["g_idx"] = ops.cast(ops.range(shape[0]) // block, "float32")
    return parts


def _packed(name: str, q: Tensor) -> Tensor:
    """Return two integers in a byte: neighbours of the axis that Keras takes for a weight."""
    return pack_int4(q, axis=0 if name.startswith("reverse_") else -1)[0]


def _unpacked(layer: Any, name: str) -> Tensor:
    """Return the integers of 4 bits, as a matrix."""
    shape = layer.__dict__["_lm_whole"][name]
    if name.startswith("reverse_"):
        return unpack_int4(layer.__dict__[name], shape[0])
    size = shape[-1] if _by_rows(name) else _matrix(layer, name, shape)[1]
    return unpack_int4(layer.__dict__[name], size, axis=-1)


def _matrix(layer: Any, name: str, shape: list[int]) -> list[int]:
    """Return the shape of a weight as a matrix whose rows share scales."""
    axes = layer._quantized_weights()[name]
    size = math.prod(shape[axis] for axis in axes)
    return [size, math.prod(shape) // size]


def _block(layer: Any) -> int:
    """Return how many inputs share a scale, by the config or the policy; -1 for all."""
    config = layer.quantization_config
    if isinstance(config, Int4QuantizationConfig):
        return -1 if config.block_size is None else config.block_size
    return getattr(layer.dtype_policy, "block_size", -1)


def _by_rows(name: str) -> bool:
    """Return whether a row has its own scales, as of an embedding; else it is a column."""
    return name == "embeddings"


def _quantized_call(path: str, layer: Any) -> Callable[..., Any]:
    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        return layer._quantized_call

    return interceptor


def quantized_inputs(layer: Any, x: Tensor, axes: Any) -> Tensor:
    """Return inputs as 8-bit integers would give them; gradients pass through.

    Args:
        layer: The layer; with "int4" inputs stay as they are, unless its config says else.
        x: Float.
        axes: The axes that share a scale.
    """
    quantizer = layer.inputs_quantizer
    if quantizer is None:
        return x
    q, scale = quantizer(x, axis=axes)
    rounded = ops.cast(q, x.dtype) / ops.cast(scale, x.dtype)
    return x + ops.stop_gradient(rounded - x)


def _read(variable: Any) -> Tensor:
    """Return a scale uncast, as float32."""
    return ops.cast(variable._read(), "float32")


def dequantized(layer: Any, name: str | None = None) -> Tensor:
    """Return a weight of a quantized layer as floats of the compute dtype.

    Args:
        layer: The layer.
        name: The weight; None is the kernel, or the vectors of an embedding.
    """
    own, name = layer.__dict__, str(name or layer._lm_adapted)
    shape, scale = own["_lm_whole"][name], _read(own[f"{name}_scale"])
    if layer.quantization_mode == "int8":
        values = ops.cast(own[name], "float32")
        return ops.cast(values / _spread(layer, name, scale), layer.compute_dtype)
    q, by_rows, block = _unpacked(layer, name), _by_rows(name), _block(layer)
    if block == -1:
        values = ops.cast(q, "float32") / (scale[:, None] if by_rows else scale)
    elif by_rows:
        ends = (ops.transpose(v) for v in (q, scale, own[f"{name}_zero"]))
        values = ops.transpose(ops.dequantize_int4(*ends, block=block))
    else:
        zero = ops.cast(own[f"{name}_zero"], "float32")
        values = ops.dequantize_int4(q, scale, zero, block=block)
    return ops.cast(ops.reshape(values, shape), layer.compute_dtype)


def _spread(layer: Any, name: str, scale: Tensor) -> Tensor:
    """Return a kept 8-bit scale in the form that broadcasts with the weight."""
    shape = layer.__dict__["_lm_whole"][name]
    _, order = _scale_layout(layer, name, shape)
    in_order = ops.reshape(scale, [shape[axis] for axis in order])
    kept = sorted(order)
    sorted_scale = ops.transpose(in_order, [order.index(axis) for axis in kept])
    return ops.reshape(sorted_scale, [n if i in kept else 1 for i, n in enumerate(shape)])


def dequantized_rows(layer: Any, indices: Tensor) -> Tensor:
    """Return rows of a quantized embedding as floats.

    Args:
        layer: The layer.
        indices: Integers, ``(…)``.

    Returns:
        ``(…, F)``, float32.
    """
    own, name = layer.__dict__, layer._lm_adapted
    scale = ops.gather(_read(own[f"{name}_scale"]), indices)
    rows = ops.gather(own[name], indices)
    if layer.quantization_mode == "int8":
        return ops.cast(rows, "float32") / scale[..., None]
    q = unpack_int4(rows, own["_lm_whole"][name][-1], axis=-1)
    values = ops.cast(q, "float32")
    if _block(layer) == -1:
        return values / scale[..., None]
    block = ops.cast(own["g_idx"], "int32")
    zero = ops.cast(ops.gather(own[f"{name}_zero"], indices), "float32")
    return (values - ops.gather(zero, block, axis=-1)) * ops.gather(scale, block, axis=-1)


def _passes(layer: Any, filters: Any) -> bool:
    if callable(filters):
        return bool(filters(layer))
    names = [filters] if isinstance(filters, str) else list(filters)
    return any(n in layer.name or n in layer.path for n in names)
