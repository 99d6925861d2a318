"""Switches of tf.debugging that look at each operation: its numbers, and where it runs."""

import sys
from typing import Any

import numpy as np

from lamina.engine import Op, Tensor, errors, local
from lamina.engine.context import config
from lamina.engine.places import place_of_caller

__all__ = [
    "disable_check_numerics",
    "enable_check_numerics",
    "get_log_device_placement",
    "set_log_device_placement",
]


class _Inspector:
    """What is looked at, and what was in place of it before."""

    def __init__(self) -> None:
        self.numerics = False
        self.placement = False
        self.record: Any = None  # Op._record, while it is replaced
        self.ran_eagerly = False

    def settle(self) -> None:
        """Put the looking version of `Op._record` in place, or the first one back."""
        wanted = self.numerics or self.placement
        if wanted and self.record is None:
            self.record = Op._record
            Op._record = _inspected  # type: ignore[method-assign]
        elif not wanted and self.record is not None:
            Op._record = self.record  # type: ignore[method-assign]
            self.record = None


_inspector = _Inspector()


def _inspected(self: Any, signature: Any, tensors: Any, attributes: Any) -> Any:
    result = _inspector.record(self, signature, tensors, attributes)
    if local.trace.eager:
        made = [result] if isinstance(result, Tensor) else list(result)
        if _inspector.placement:
            device = made[0].device if made else ""
            print(f"Executing op {_label(self)} in device {device}", file=sys.stderr)
        if _inspector.numerics:
            for number, tensor in enumerate(made):
                _check(self, tensor, number, len(made), tensors)
    return result


def _label(op: Any) -> str:
    return "".join(part.capitalize() for part in op.label.split("_"))


def _check(op: Any, tensor: Tensor, number: int, count: int, inputs: Any) -> None:
    if not (tensor.dtype.is_floating or tensor.dtype.is_complex):
        return
    values = np.asarray(tensor._jax())
    if values.dtype.kind not in "fc":
        values = values.astype(np.float32)
    if np.all(np.isfinite(values)):
        return
    kinds = [
        f"{name}: {total}"
        for name, total in (
            ("-Inf", int(np.sum(np.isneginf(values.real)))),
            ("+Inf", int(np.sum(np.isposinf(values.real)))),
            ("NaN", int(np.sum(np.isnan(values)))),
        )
        if total
    ]
    given = "".join(f"\n  Input {i}: {_shown(t)}" for i, t in enumerate(inputs))
    raise errors.InvalidArgumentError(
        f"\n!!! Detected Infinity or NaN in output {number} of eagerly-executing op "
        f'"{_label(op)}" (# of outputs: {count}) !!!\n'
        f"  dtype: {tensor.dtype!r}\n  shape: {tensor.shape}\n"
        f"  # of elements: {', '.join(kinds)} of {values.size}\n"
        f"  at {place_of_caller()}{given}"
    )


def _shown(tensor: Tensor) -> str:
    text = str(tensor)
    return text if len(text) < 200 else f"{text[:200]}…"


def enable_check_numerics(stack_height_limit: int = 30, path_length_limit: int = 50) -> None:
    """Check every operation's float results, and raise at the line that makes NaN or infinity.

    Everything then runs operation by operation, the bodies of `tf.function`s and of `fit`'s steps
    too, so it is slow.

    Args:
        stack_height_limit: Accepted, unused: the error names the user's line.
        path_length_limit: Accepted, unused.

    Raises:
        InvalidArgumentError: in the operation itself, from then on.

    Example:
        >>> tf.debugging.enable_check_numerics()
        >>> try:
        ...     tf.math.log(tf.constant(-1.0))
        ... except tf.errors.InvalidArgumentError as error:
        ...     print(error.message.split(" of eagerly")[0].strip())
        ... finally:
        ...     tf.debugging.disable_check_numerics()
        !!! Detected Infinity or NaN in output 0
    """
    if not _inspector.numerics:
        _inspector.numerics = True
        _inspector.ran_eagerly = config.run_functions_eagerly
        config.run_functions_eagerly = True
        _inspector.settle()


def disable_check_numerics() -> None:
    """Check no more; see `enable_check_numerics`."""
    if _inspector.numerics:
        _inspector.numerics = False
        config.run_functions_eagerly = _inspector.ran_eagerly
        _inspector.settle()


def set_log_device_placement(enabled: bool) -> None:
    """Say on stderr for each operation of eager code on which device its result is.

    Each operation then runs by itself, which is slow.

    Args:
        enabled: Whether to.
    """
    _inspector.placement = bool(enabled)
    _inspector.settle()


def get_log_device_placement() -> bool:
    """Return what `set_log_device_placement` set, False at first."""
    return _inspector.placement
