"""Layers that multiply by a matrix: Dense, and EinsumDense for any contraction."""

import copy
from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import activations, constraints, initializers, regularizers
from lamina.keras.core import Adaptable, AdaptedWeight, InputSpec, checks
from lamina.keras.core.quantizing import dequantized, quantized_inputs
from lamina.keras.layers import contraction
from lamina.keras.layers.biases import activated, add_bias
from lamina.keras.quantizers import settings

__all__ = ["Dense", "EinsumDense"]


class Dense(Adaptable):
    """Return ``activation(inputs @ kernel + bias)``.

    Args:
        units: The size of the output's last axis, U.
        activation: A function or its name; None does nothing.
        use_bias: Whether to add a bias.
        kernel_initializer: Start value of the kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        activity_regularizer: Penalty on the output, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        lora_rank: r: freeze the kernel, and train a product of rank r that is added to it; None
            trains the kernel. See `enable_lora`.
        lora_alpha: α: the product counts with ``α / r``; None is r.
        quantization_config: How `quantize`, or a quantized dtype policy, is to round; None is the
            default of its mode.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, …, I)``; I must be known.

    Returns:
        ``(B, …, U)``, dtype of the inputs. The mask passes through.

    Weights:
        kernel: ``(I, U)``.
        bias: ``(U,)``, if `use_bias`.
        lora_kernel_a, lora_kernel_b: ``(I, r)`` and ``(r, U)``, with `lora_rank`.

    Raises:
        ValueError: `units` is not positive, or the last axis is unknown or changes.

    Example:
        >>> layer = tf.keras.layers.Dense(2, kernel_initializer="ones")
        >>> layer(tf.constant([[1.0, 2.0]])).numpy()
        array([[3., 3.]], dtype=float32)
    """

    supports_masking = True
    kernel = AdaptedWeight("kernel")
    _config_omit = ("lora_rank", "lora_alpha")
    _config_omit_none = ("activity_regularizer",)

    def __init__(
        self,
        units: int,
        activation: activations.Like | None = None,
        use_bias: bool = True,
        kernel_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        activity_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs,
    ):
        super().__init__(lora_rank, lora_alpha, activity_regularizer=activity_regularizer, **kwargs)
        self.quantization_config = settings.checked(checks.label(self), quantization_config)
        self.units = checks.positive_int(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Shape):
        checks.rank(self, input_shape, at_least=2)
        size = checks.known_size(self, input_shape, -1)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(size, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        else:
            self.bias = None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: size})
        self.start_lora()

    def call(self, inputs: Tensor) -> Tensor:
        if not inputs.dtype.is_floating:
            inputs = checks.real(self, inputs, self.compute_dtype)
        if self.bias is None:
            y = ops.matmul(inputs, self.kernel)
        else:
            y = ops.affine(inputs, self.kernel, self.bias)
        return activated(self, y)

    def _quantized_weights(self) -> dict[str, tuple[int, ...]]:
        return {"kernel": (0,)}

    def _quantized_call(self, inputs: Tensor) -> Tensor:
        inputs = ops.cast(inputs, self.compute_dtype)
        y = ops.matmul(quantized_inputs(self, inputs, -1), dequantized(self))
        y = self._with_adapter(y, lambda kernel: ops.matmul(inputs, kernel))
        y = y if self.bias is None else add_bias(y, self.bias)
        return activated(self, y)


class EinsumDense(Adaptable):
    """Return ``activation(einsum(equation, inputs, kernel) + bias)``.

    Args:
        equation: As "abc,cd->abd": the inputs' axes, the kernel's, the output's. The first axis
            of inputs and output is the batch; "..." stands for further axes.
        output_shape: Sizes of the output's axes without the batch; None where the input tells.
            An int for one axis.
        activation: A function or its name; None does nothing.
        bias_axes: Axes of the output that the bias has, as "d"; None adds no bias.
        kernel_initializer: Start value of the kernel.
        bias_initializer: Start value of the bias.
        kernel_regularizer: Penalty on the kernel, or None.
        bias_regularizer: Penalty on the bias, or None.
        kernel_constraint: Projection applied to the kernel after each update, or None.
        bias_constraint: Projection applied to the bias after each update, or None.
        lora_rank: r: freeze the kernel, and train a product of rank r that is added to it; None
            trains the kernel. See `enable_lora`.
        lora_alpha: α: the product counts with ``α / r``; None is r.
        gptq_unpacked_column_size: Accepted for Keras' signature; unused.
        quantization_config: How `quantize`, or a quantized dtype policy, is to round; None is the
            default of its mode.
        activity_regularizer: Penalty on the output, or None.
        **kwargs: See `Layer`.

    Call:
        inputs: float, axes as in the equation; those that the kernel has must be known.

    Returns:
        Axes as in the equation, dtype of the inputs.

    Weights:
        kernel: axes as in the equation.
        bias: the `bias_axes` of the output, with 1 at the axes between and after them.

    Raises:
        ValueError: the equation cannot be read, or sizes do not fit it.

    Example:
        >>> layer = tf.keras.layers.EinsumDense("abc,cd->abd", (None, 8), bias_axes="d")
        >>> layer(tf.ones((2, 5, 3))).shape
        TensorShape([2, 5, 8])
    """

    kernel = AdaptedWeight("kernel")
    _config_omit = ("lora_rank", "lora_alpha", "gptq_unpacked_column_size")

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: activations.Like | None = None,
        bias_axes: str | None = None,
        kernel_initializer: initializers.Like = "glorot_uniform",
        bias_initializer: initializers.Like = "zeros",
        kernel_regularizer: regularizers.Like | None = None,
        bias_regularizer: regularizers.Like | None = None,
        kernel_constraint: constraints.Like | None = None,
        bias_constraint: constraints.Like | None = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        *,
        activity_regularizer: regularizers.Like | None = None,
        **kwargs,
    ):
        super().__init__(lora_rank, lora_alpha, activity_regularizer=activity_regularizer, **kwargs)
        self.quantization_config = settings.checked(checks.label(self), quantization_config)
        self.equation = contraction.checked(self, equation)
        self.output_shape = (
            (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        )
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Shape):
        kernel, bias = contraction.weight_shapes(
            self, self.equation, tuple(input_shape), self.output_shape, self.bias_axes
        )
        self.kernel = self.add_weight(
            name="kernel",
            shape=checks.known_shape(self, kernel),
            initializer=self._scaled_initializer(),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if bias is not None:
            self.bias = self.add_weight(
                name="bias",
                shape=checks.known_shape(self, bias),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.start_lora()

    def _scaled_initializer(self) -> Any:
        """Return the kernel's initializer, which scales by the inputs of the equation's sum."""
        found = self.kernel_initializer
        if not isinstance(found, initializers.VarianceScaling):
            return found
        if found.input_axes is not None and found.output_axes is not None:
            return found
        found = copy.copy(found)  # with its seed; the config keeps what was given
        found.input_axes, found.output_axes = contraction.fan_axes(self.equation)
        return found

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        # As Keras: what `output_shape` leaves open stays so, though the input may tell.
        return contraction.stated_shape(self.equation, tuple(input_shape), self.output_shape)

    def call(self, inputs: Tensor) -> Tensor:
        y = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            y = add_bias(y, self.bias)
        return activated(self, y)

    def _quantized_weights(self) -> dict[str, tuple[int, ...]]:
        return {"kernel": contraction.summed_axes(self.equation, 1)}

    def _quantized_scale(self, shape: list[int]) -> tuple[list[int], list[int]]:
        return contraction.scale_layout(self.equation, shape)

    def _quantized_call(self, inputs: Tensor) -> Tensor:
        inputs = ops.cast(inputs, self.compute_dtype)
        x = quantized_inputs(self, inputs, contraction.summed_axes(self.equation, 0))
        y = ops.einsum(self.equation, x, dequantized(self))
        y = self._with_adapter(y, lambda kernel: ops.einsum(self.equation, inputs, kernel))
        y = y if self.bias is None else add_bias(y, self.bias)
        return activated(self, y)
