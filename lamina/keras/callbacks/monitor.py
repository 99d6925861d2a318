"""What callbacks that watch a result share: which direction is better, and what is missing."""

import warnings
from typing import Any

from lamina.keras import ops
from lamina.keras.callbacks.base import Callback
from lamina.keras.naming import snake_case

__all__ = ["Monitor"]

_LOSSES = ("loss", "error")
_UP = (
    *("acc", "auc", "precision", "recall", "f1", "fbeta", "fmeasure", "iou", "dice", "r2"),
    *("similarity", "correlation", "true_", "specificity", "sensitivity", "psnr", "ssim", "bleu"),
)
_DOWN = (
    *("mae", "mse", "mape", "msle", "rmse", "crossentropy", "divergence", "poisson", "hinge"),
    *("logcosh", "perplexity", "false_"),
)


class Monitor(Callback):
    """A callback that watches one result.

    Args:
        monitor: The name of the result, such as "val_loss".
        mode: "min", "max", or "auto": what the metric's `_direction` ("up" or "down"), its name or
            its class say. Others count as "auto", after a warning.
        min_delta: The least change that counts as better.

    Raises:
        ValueError: when the first result comes, `mode` is "auto" and nothing says the direction.
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
            name = self.monitor.removeprefix("val_")
            given = getattr(self._model, "metrics", None) or ()
            metrics = [m for each in given for m in getattr(each, "metrics", None) or [each]]
            metric = next((m for m in metrics if m.name == name), None)
            sign = {"up": 1.0, "down": -1.0}.get(getattr(metric, "_direction", None) or "")
            sign = sign or _sign_of(name) or _sign_of(snake_case(type(metric).__name__))
            if sign is None:
                raise ValueError(
                    f"{type(self).__name__}: whether larger is better must be known of "
                    f"monitor={self.monitor!r}; neither its name nor a metric of the model says "
                    f'so.\n  Fix: pass mode="min" or mode="max".'
                )
            self._sign = sign
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
        self._direction()
        if value is None:
            warnings.warn(
                f"{type(self).__name__}: no result is named {self.monitor!r}; there are "
                f"{sorted(logs or {})}.\n  Fix: monitor one of them, or pass validation data.",
                stacklevel=3,
            )
        return value


def _sign_of(name: str) -> float | None:
    """Return 1 for names of scores, -1 for names of losses, None for others."""
    name = name.lower()
    for parts, sign in ((_LOSSES, -1.0), (_UP, 1.0), (_DOWN, -1.0)):
        if any(part in name for part in parts):
            return sign
    return None
