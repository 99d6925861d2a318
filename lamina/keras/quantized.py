"""Dtype policies and a base class of quantized layers: names that configs of Keras have."""

from typing import Any, ClassVar

from lamina.keras import policy, registry
from lamina.keras.capture import Captured
from lamina.keras.policy import DTypePolicy

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "Quantizer",
]

_MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """The dtypes of a layer whose kernels were quantized after training.

    Dense, EinsumDense and Embedding that are built with it have the integers of `quantize`, in the
    modes "int8" and "int4". Other layers, and other modes, compute as with its source.

    Args:
        mode: "int8", "float8", "int4", "gptq" or "awq".
        source_name: The name of the policy before; None takes the global policy's.

    Attributes:
        quantization_mode: The mode.

    Raises:
        ValueError: the mode is unknown.

    Example:
        >>> policy = tf.keras.dtype_policies.QuantizedDTypePolicy("int8", "mixed_bfloat16")
        >>> policy.name, policy.compute_dtype
        ('int8_from_mixed_bfloat16', 'bfloat16')
    """

    _keras_module: ClassVar[str] = "keras.dtype_policies"
    _mode_pattern: ClassVar[tuple[str, int] | None] = None  # "gptq" and 2 for "gptq/4/128"

    def __init__(self, mode: str, source_name: str | None = None):
        self._check_mode(mode)
        source = policy.dtype_policy().name if source_name is None else source_name
        super().__init__(source)
        self.mode = mode
        self.source_name = source
        self.name = f"{mode}_from_{source}"
        self.quantization_mode = mode.split("/")[0]

    def _check_mode(self, mode: str) -> None:
        parts = mode.split("/") if isinstance(mode, str) else []
        if self._mode_pattern is None:
            good, wanted = mode in _MODES, f"one of {_MODES}"
        else:
            kind, count = self._mode_pattern
            numbers = parts[1:]
            good = parts[:1] == [kind] and len(numbers) == count
            good = good and all(n.lstrip("-").isdigit() for n in numbers)
            wanted = (
                f"'{kind}' and {count} whole numbers, as in '{'/'.join([kind, *'48'[:count]])}'"
            )
        if not good:
            raise ValueError(f"{type(self).__name__}: `mode` must be {wanted}; got {mode!r}.")

    def __repr__(self) -> str:
        return f'<{type(self).__name__} "{self.name}">'


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """The dtypes of a layer that computes in float8, with scales from the last steps.

    Args:
        mode: "float8".
        source_name: The name of the policy before; None takes the global policy's.
        amax_history_length: How many steps the scales look back.

    Raises:
        ValueError: the mode is unknown.
        TypeError: the length is no int.

    Example:
        >>> tf.keras.dtype_policies.QuantizedFloat8DTypePolicy("float8").amax_history_length
        1024
    """

    def __init__(self, mode: str, source_name: str | None = None, amax_history_length: int = 1024):
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                f"QuantizedFloat8DTypePolicy: `amax_history_length` must be an int; got "
                f"{amax_history_length!r}."
            )
        self.amax_history_length = amax_history_length


class Int4DTypePolicy(QuantizedDTypePolicy):
    """The dtypes of a layer with int4 kernels, scaled in blocks.

    Args:
        mode: "int4/<block size>"; -1 is one block a channel.
        source_name: The name of the policy before; None takes the global policy's.

    Raises:
        ValueError: the mode has not this form.

    Example:
        >>> tf.keras.dtype_policies.Int4DTypePolicy("int4/128").block_size
        128
    """

    _mode_pattern = ("int4", 1)

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        self.block_size = int(mode.split("/")[1])


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        self.weight_bits, self.group_size = map(int, mode.split("/")[1:])


class GPTQDTypePolicy(_GroupedDTypePolicy):
    """The dtypes of a layer with kernels quantized by GPTQ.

    Args:
        mode: "gptq/<bits>/<group size>".
        source_name: The name of the policy before; None takes the global policy's.

    Raises:
        ValueError: the mode has not this form.

    Example:
        >>> tf.keras.dtype_policies.GPTQDTypePolicy("gptq/4/128").weight_bits
        4

    Reference: Frantar et al. 2022, https://arxiv.org/abs/2210.17323.
    """

    _mode_pattern = ("gptq", 2)


class AWQDTypePolicy(_GroupedDTypePolicy):
    """The dtypes of a layer with kernels quantized by AWQ.

    Args:
        mode: "awq/<bits>/<group size>".
        source_name: The name of the policy before; None takes the global policy's.

    Raises:
        ValueError: the mode has not this form.

    Example:
        >>> tf.keras.dtype_policies.AWQDTypePolicy("awq/4/128").group_size
        128

    Reference: Lin et al. 2023, https://arxiv.org/abs/2306.00978.
    """

    _mode_pattern = ("awq", 2)


class Quantizer(Captured):
    """What turns values into integers and a scale; a subclass writes `__call__`.

    Args:
        output_dtype: The dtype of the integers.

    Example:
        >>> tf.keras.Quantizer("int8").get_config()
        {'output_dtype': 'int8'}
    """

    _keras_module: ClassVar[str] = "keras.quantizers"

    def __init__(self, output_dtype: Any = "int8"):
        self.output_dtype = output_dtype

    def __call__(self, x: Any) -> Any:
        """Return the integers and the scale of values.

        Raises:
            NotImplementedError: a subclass writes it.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: `__call__` must be written by the subclass.\n"
            f"  Fix: def __call__(self, x): return integers, scale"
        )


for _policy in (
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    Int4DTypePolicy,
    GPTQDTypePolicy,
    AWQDTypePolicy,
):
    registry.builtin("keras.dtype_policies")(_policy)
