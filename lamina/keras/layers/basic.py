"""Layers without weights that do what the model says: nothing, a function, a mask."""

from collections.abc import Callable, Mapping
from typing import Any

from lamina import ops
from lamina.engine import Tensor
from lamina.keras import registry
from lamina.keras.core import Layer, checks

__all__ = ["Identity", "Lambda", "Masking"]


class Identity(Layer):
    """Return the inputs.

    Args:
        **kwargs: See `Layer`.

    Call:
        inputs: Tensors in any structure.

    Returns:
        `inputs`. The mask passes through.

    Example:
        >>> tf.keras.layers.Identity()(tf.constant([1.0])).numpy()
        array([1.], dtype=float32)
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs


class Lambda(Layer):
    """Apply a function.

    A function that reads variables hides them from the model: write a `Layer` subclass then.

    Args:
        function: ``inputs, **arguments → outputs``; it may take `mask` and `training`. Register
            it with ``tf.keras.utils.register_keras_serializable`` to save the model.
        output_shape: Accepted, unused: shapes are found by tracing.
        mask: The mask of the output, or a function ``inputs, mask → mask``; None has none.
        arguments: Further arguments of the function, by name.
        **kwargs: See `Layer`.

    Call:
        inputs: What the function takes.
        mask: The mask of the inputs.
        training: Whether the model trains.

    Returns:
        What the function returns.

    Raises:
        TypeError: `function` cannot be called.

    Example:
        >>> tf.keras.layers.Lambda(lambda x: x**2)(tf.constant([3.0])).numpy()
        array([9.], dtype=float32)
    """

    _config_omit_none = ("output_shape", "mask")

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: Mapping[str, Any] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"{checks.label(self)}: `function` must be callable; got {function!r}.")
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})
        self.supports_masking = mask is not None
        code = getattr(function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        self._takes = tuple(name for name in ("mask", "training") if name in names)

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        given = {"mask": mask, "training": training}
        extra = {name: given[name] for name in self._takes if name not in self.arguments}
        return self.function(inputs, **self.arguments, **extra)

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> "Lambda":
        """Return a layer with the settings of a config.

        Args:
            config: What `get_config` returned.
            custom_objects: Functions by the names that the config has for them.
            safe_mode: Accepted for Keras' signature: no code in a config is run.

        Raises:
            ValueError: the function is Python code without a name.
        """
        with registry.CustomObjectScope(custom_objects or {}):
            return super().from_config(config)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask


class Masking(Layer):
    """Mask the steps at which all features equal a value, and set them to 0.

    Args:
        mask_value: The value.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, T, …, F)``.

    Returns:
        Shape and dtype of `inputs`, 0 at the masked steps.

    Masking:
        ``(B, T, …)``: True where any feature differs from `mask_value`.

    Example:
        >>> y = tf.keras.layers.Masking()(tf.constant([[[1.0, 0.0], [0.0, 0.0]]]))
        >>> y._keras_mask.numpy()
        array([[ True, False]])
    """

    _lm_needs_no_build = True
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = mask_value

    def call(self, inputs: Tensor) -> Tensor:
        mask = self.compute_mask(inputs)
        y = inputs * ops.cast(ops.expand_dims(mask, -1), inputs.dtype)
        y._keras_mask = mask
        return y

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        return ops.reduce_any(ops.not_equal(inputs, ops.cast(self.mask_value, inputs.dtype)), -1)
