"""Dtype policies of quantized layers: names that configs of Keras have."""

from typing import Any, ClassVar

from lamina.keras import policy, registry
from lamina.keras.policy import DTypePolicy

__all__ = [
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
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
        ValueError: the mode is unknown, or integers are to be scaled to float16.

    Example:
        >>> policy = tf.keras.dtype_policies.QuantizedDTypePolicy("int8", "mixed_bfloat16")
        >>> policy.name, policy.compute_dtype
        ('int8_from_mixed_bfloat16', 'bfloat16')
    """

    _keras_module: ClassVar[str] = "keras.dtype_policies"
    # "gptq" and the numbers behind it, each with those that it may be; () stands for any size.
    _mode_pattern: ClassVar[tuple[str, tuple[tuple[str, tuple[int, ...]], ...]] | None] = None

    def __init__(self, mode: str, source_name: str | None = None):
        self._numbers = self._read_mode(mode)
        source = policy.dtype_policy().name if source_name is None else source_name
        super().__init__(source)
        if mode == "int8" and self.compute_dtype == "float16":
            raise ValueError(
                f"{type(self).__name__}: a source with a range wider than float16's was expected "
                f"for mode 'int8'; got {source!r}.\n  Fix: use 'mixed_bfloat16' or 'float32'."
            )
        self.source_name = source
        self.name = f"{mode}_from_{source}"
        self.mode = self.quantization_mode = mode.split("/")[0]
        self._whole_mode = mode

    def _read_mode(self, mode: Any) -> tuple[int, ...]:
        """Return the numbers in a mode; raise if it has not the form of this class."""
        parts = mode.split("/") if isinstance(mode, str) else [""]
        kind, fields = self._mode_pattern or (parts[0], ())
        good = parts[0] == kind and kind in _MODES and len(parts) == len(fields) + 1
        good = good and all(part.lstrip("-").isdigit() for part in parts[1:])
        numbers = tuple(map(int, parts[1:])) if good else ()
        for number, (_, allowed) in zip(numbers, fields, strict=False):
            good = good and (number in allowed if allowed else number == -1 or number > 0)
        if good:
            return numbers
        raise ValueError(f"{type(self).__name__}: {self._wanted()}; got {mode!r}.")

    def _wanted(self) -> str:
        if self._mode_pattern is None:
            return f"`mode` must be one of {_MODES}"
        kind, fields = self._mode_pattern
        told = [
            f"<{name}> {' or '.join(map(str, allowed)) or '-1 or a positive number'}"
            for name, allowed in fields
        ]
        form = "/".join([kind, *(f"<{name}>" for name, _ in fields)])
        return f"`mode` must be '{form}' with {', '.join(told)}"

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mode": self._whole_mode}

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

    default_amax_history_length: ClassVar[int] = 1024

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

    _mode_pattern = ("int4", (("block_size", ()),))

    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        (self.block_size,) = self._numbers


class _GroupedDTypePolicy(QuantizedDTypePolicy):
    def __init__(self, mode: str, source_name: str | None = None):
        super().__init__(mode, source_name)
        self.weight_bits, self.group_size = self._numbers


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

    _mode_pattern = ("gptq", (("weight_bits", (2, 3, 4, 8)), ("group_size", ())))


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

    _mode_pattern = ("awq", (("weight_bits", (4,)), ("group_size", ())))


_CLASSES = {
    "float8": QuantizedFloat8DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
}


def _read(name: str) -> QuantizedDTypePolicy | None:
    """Return the policy of a name such as "int8_from_float32"; None for other names."""
    mode, between, source = name.partition("_from_")
    kind = mode.split("/")[0]
    if not between or kind not in _MODES:
        return None
    if kind == "int4" and "/" in mode:
        return Int4DTypePolicy(mode, source)
    return _CLASSES.get(kind, QuantizedDTypePolicy)(mode, source)


policy.readers.append(_read)

for _policy in (
    QuantizedDTypePolicy,
    QuantizedFloat8DTypePolicy,
    Int4DTypePolicy,
    GPTQDTypePolicy,
    AWQDTypePolicy,
):
    registry.builtin("keras.dtype_policies")(_policy)
