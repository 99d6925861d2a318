"""Low-rank adapters: a frozen kernel W, and a trained product A B that is added to it.

All that the layers with a kernel share of it: `Dense`, `EinsumDense`, the convolutions, and
`Embedding`, whose kernel is called `embeddings`.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import initializers
from lamina.keras.core.checks import label
from lamina.keras.core.layer import Layer
from lamina.keras.core.quantizing import dequantized, quantize_as_policy, quantized_parts

__all__ = ["Adaptable", "AdaptedWeight"]


class AdaptedWeight:
    """The attribute of a weight that may be adapted: the Variable, or with an adapter W + s A B.

    The Variable stands in the layer's `__dict__` under the same name, where weights are found.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type | None = None) -> Any:
        if layer is None:
            return self
        own = layer.__dict__
        if self.name not in own:
            raise AttributeError(f"{label(layer)}: `{self.name}` is made by `build`.")
        return own[self.name] if not own["lora_enabled"] else layer._adapted_weight()

    def __set__(self, layer: Any, value: Any) -> None:
        layer.__dict__[self.name] = value

    def __delete__(self, layer: Any) -> None:
        del layer.__dict__[self.name]


class Adaptable(Layer):
    """A layer whose kernel can be frozen and adapted: `enable_lora`.

    A subclass has ``kernel = AdaptedWeight("kernel")``, and ends `build` with `start_lora`.

    Args:
        lora_rank: r, the inner size of the adapter that `build` adds; None adds none.
        lora_alpha: α: the adapter counts with ``α / r``; None is r.
        **kwargs: See `Layer`.

    Weights:
        lora_kernel_a: A, float32, the kernel's shape with r as its last size.
        lora_kernel_b: B, float32, ``(r, F)``, F the kernel's last size.

    Reference: Hu et al. 2021, https://arxiv.org/abs/2106.09685.
    """

    _lm_adapted: ClassVar[str] = "kernel"

    def __init__(self, lora_rank: int | None = None, lora_alpha: float | None = None, **kwargs):
        super().__init__(**kwargs)
        self.lora_rank = lora_rank
        self.lora_alpha = lora_rank if lora_alpha is None else lora_alpha
        self.lora_enabled = False

    def start_lora(self) -> None:
        """Quantize as the policy says, and add the adapter that the constructor was asked for."""
        if self.quantization_mode is not None:
            quantize_as_policy(self)
        if self.lora_rank:
            self.built = True
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freeze the kernel W and train A and B in its place: the layer uses ``W + α / r · A B``.

        Args:
            rank: r, the inner size of the product.
            lora_alpha: α; None is r.
            a_initializer: Start value of A.
            b_initializer: Start value of B; zeros leave the layer as it is at first.

        Raises:
            ValueError: the layer is not built, is adapted already, or has a constraint.
        """
        name = self._lm_adapted
        self._check_adaptable(name)
        weight = self.__dict__[name]
        regularizer = getattr(self, f"{name}_regularizer")
        shape = self.__dict__.get("_lm_whole", {}).get(name, weight.shape)  # whole, if quantized
        shapes = {"a": (*shape[:-1], rank), "b": (rank, shape[-1])}
        for side, start in (("a", a_initializer), ("b", b_initializer)):
            made = self.add_weight(
                name=f"lora_{name}_{side}",
                shape=shapes[side],
                initializer=initializers.get(start),
                dtype="float32",
                regularizer=regularizer,
            )
            setattr(self, f"lora_{name}_{side}", made)
        weight.trainable = False
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = rank if lora_alpha is None else lora_alpha

    def _check_adaptable(self, name: str) -> None:
        if getattr(self, f"{name}_constraint") is not None:
            raise ValueError(
                f"{label(self)}: `enable_lora` needs a kernel without constraint, because the "
                f"sum with the adapter would break it; got `{name}_constraint`.\n"
                f"  Fix: remove `{name}_constraint`."
            )
        if not self.built:
            raise ValueError(
                f"{label(self)}: `enable_lora` needs the layer's kernel, but the layer is not "
                f"built.\n  Fix: call it on data first, or pass `lora_rank` to the constructor."
            )
        if self.lora_enabled:
            raise ValueError(
                f"{label(self)}: `enable_lora` works once for a layer; its adapter has rank "
                f"{self.lora_rank}.\n  Fix: omit the second call."
            )

    def _adapter(self) -> tuple[Any, Any]:
        own, name = self.__dict__, self._lm_adapted
        return own[f"lora_{name}_a"], own[f"lora_{name}_b"]

    def _adapted_weight(self) -> Any:
        """Return ``W + α / r · A B`` in the compute dtype."""
        product = self._product()
        weight = dequantized(self) if self._is_quantized() else self.__dict__[self._lm_adapted]
        return ops.cast(ops.cast(weight, product.dtype) + product, self.compute_dtype)

    def _product(self) -> Tensor:
        """Return ``α / r · A B``."""
        a, b = map(ops.convert_to_tensor, self._adapter())
        return self._adapter_scale() * ops.tensordot(a, b, 1)

    def _adapter_scale(self) -> float:
        assert self.lora_alpha is not None  # there is an adapter
        assert self.lora_rank is not None
        return self.lora_alpha / self.lora_rank

    def _with_adapter(self, y: Tensor, times: Callable[[Tensor], Tensor]) -> Tensor:
        """Return the output of a quantized kernel, and the adapter's part beside it.

        Args:
            y: The output.
            times: What the inputs give with a kernel.
        """
        if not self.lora_enabled:
            return y
        return y + ops.cast(times(ops.cast(self._product(), y.dtype)), y.dtype)

    # -- as Keras' files have it: the sum is saved, and loading starts the adapter anew

    def save_own_variables(self, store: Any) -> None:
        if not self.lora_enabled:
            super().save_own_variables(store)
            return
        kept, name = self._without_adapter(), self._lm_adapted
        whole = self._adapted_weight()
        parts = quantized_parts(self, name, whole) if self._is_quantized() else {name: whole}
        merged = {id(self.__dict__[own]): value for own, value in parts.items()}
        for i, variable in enumerate(kept):
            store[str(i)] = merged.get(id(variable), variable).numpy()

    def load_own_variables(self, store: Any) -> None:
        kept = self._without_adapter()
        if not self.lora_enabled or len(store) != len(kept):
            super().load_own_variables(store)
            return
        for i, variable in enumerate(kept):
            variable.assign(store[str(i)])
        for variable in self._adapter():
            variable.assign(ops.zeros_like(variable))

    def _without_adapter(self) -> list[Any]:
        inner = [id(v) for v in self._adapter()] if self.lora_enabled else []
        own = self._own_variables() if not self._is_quantized() else self._in_file_order()
        return [v for v in own if id(v) not in inner]

    def _in_file_order(self) -> list[Any]:
        order = super()._in_file_order()
        if self._is_quantized():  # as in Keras, the kernel is the first though it is not trained
            first = self.__dict__[self._lm_adapted]
            order = [first, *(v for v in order if v is not first)]
        return order

    def _is_quantized(self) -> bool:
        return "_lm_whole" in self.__dict__

    def _config_head(self) -> dict[str, Any]:
        head = super()._config_head()
        if self.lora_rank:
            head |= {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
        return head
