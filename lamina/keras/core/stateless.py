"""Layers as pure functions of their variables, and built anew from files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lamina.keras.core import calling, lifting
from lamina.keras.core.callspec import CallSpec
from lamina.keras.core.checks import label
from lamina.keras.scopes import StatelessScope

__all__ = ["Stateless"]

# What a copy makes anew.
_REMADE = (
    "_lm_spec",
    "_lm_weights",
    "_lm_variables",
    "_lm_with_losses",
    "_lm_fitted",
    "call",  # hooks hold for the layer that they were put on
    "_lm_interceptors",
    "_lm_intermediate",
)


class Stateless:
    """The part of a Layer that is copied, and called with other values of its variables."""

    # Set by Layer.
    built: bool
    losses: Any
    build: Callable[..., Any]

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call the layer with other values of its variables, which stay as they are.

        Args:
            trainable_variables: A value for each of `self.trainable_variables`.
            non_trainable_variables: A value for each of `self.non_trainable_variables`.
            *args: What `call` takes.
            return_losses: Whether to return the losses too.
            **kwargs: Further arguments of `call`.

        Returns:
            The output, and the values that the non-trainable variables would have now; then the
            losses, if asked for.

        Raises:
            ValueError: the layer is not built, or there are too many or too few values.
        """
        layer: Any = self
        if not self.built:
            raise ValueError(
                f"{label(self)}: `stateless_call` needs a layer whose weights exist; it is not "
                f"built.\n  Fix: call it on some data first, or `build` it."
            )
        mapping = _mapping(layer, "trainable_variables", trainable_variables)
        mapping += _mapping(layer, "non_trainable_variables", non_trainable_variables)
        with StatelessScope(mapping, collect_losses=return_losses) as scope:
            outputs = layer(*args, **kwargs)
            losses = self.losses if return_losses else None
        state = [scope.get_current_value(v) for v in layer.non_trainable_variables]
        return (outputs, state, losses) if return_losses else (outputs, state)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state["_inbound_nodes"] = []
        state["_lm_losses"] = []
        for name in _REMADE:
            state.pop(name, None)
        return lifting.lowered(state)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__["_lm_spec"] = CallSpec.of(type(self))

    @property
    def input(self) -> Any:
        """The KerasTensors of the layer's only call in a functional model."""
        return calling.only_node(self, "input")

    @property
    def output(self) -> Any:
        """What the layer's only call in a functional model returned."""
        return calling.only_node(self, "output")

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes that the layer was built for, None if it was not."""
        return self.__dict__.get("_lm_build_shapes")

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Build the layer for the shapes that `get_build_config` gave."""
        if not config or self.built or not self._has_weights_to_make():
            return
        shapes = {k: calling.as_shapes(v) for k, v in config.items()}
        if set(shapes) == {"input_shape"}:
            self.build(shapes["input_shape"])
        else:
            self.build(**shapes)
        self.built = True

    def _has_weights_to_make(self) -> bool:
        """Return whether the class writes `build`; else the first call makes what there is."""
        owner = next(cls for cls in type(self).__mro__ if "build" in vars(cls))
        return Stateless not in owner.__bases__  # Layer itself, whose `build` records a call


def _mapping(layer: Any, name: str, given: Sequence[Any]) -> list[tuple[Any, Any]]:
    own = getattr(layer, name)
    if len(own) != len(given):
        raise ValueError(
            f"{label(layer)}: `{name}` must hold one value for each of the layer's {len(own)}; "
            f"got {len(given)}.\n  Fix: pass values in the order of layer.{name}."
        )
    return list(zip(own, given, strict=True))
