"""What callbacks that watch a result share: which direction is better, and what is missing."""

import warnings
from typing import Any

from lamina.keras import ops
from lamina.keras.callbacks.base import Callback

__all__ = ["Monitor"]

_UP = ("acc", "auc", "precision", "recall", "f1", "fbeta", "iou", "r2", "fmeasure")


class Monitor(Callback):
    """A callback that watches one result.

    Args:
        monitor: The name of the result, such as "val_loss".
        mode: "min", "max", or "auto": "max" for names of scores, else "min". Others count as
            "auto", after a warning.
        min_delta: The least change that counts as better.
    """

    def __init__(self, monitor: str, mode: str = "auto", min_delta: float = 0.0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f'{type(self).__name__}: `mode` must be "auto", "min" or "max"; got {mode!r}, '
                f'which counts as "auto".',
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        self._sign: float | None = {"min": -1.0, "max": 1.0}.get(mode)

    def _direction(self) -> float:
        """Return 1 if larger is better, else -1."""
        if self._sign is None:
            name = self.monitor.removeprefix("val_").lower()
            self._sign = 1.0 if any(part in name for part in _UP) else -1.0
        return self._sign

    @property
    def monitor_op(self) -> Any:
        """What tells whether the first of two results is better: `keras.ops.less` or `greater`."""
        return ops.greater if self._direction() > 0 else ops.less

    def _is_better(self, value: float, best: float | None) -> bool:
        if best is None:
            return value == value
        return (value - best) * self._direction() > self.min_delta

    def _value(self, logs: Any) -> float | None:
        """Return the watched result, or None after a warning that lists what there is."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__}: no result is named {self.monitor!r}; there are "
                f"{sorted(logs or {})}.\n  Fix: monitor one of them, or pass validation data.",
                stacklevel=3,
            )
        return value
