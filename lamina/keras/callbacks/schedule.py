"""Callbacks that change the learning rate."""

from collections.abc import Callable
from typing import Any

from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.monitor import Monitor
from lamina.keras.console import show

__all__ = ["LearningRateScheduler", "ReduceLROnPlateau"]


def _rates(model: Any) -> dict[str, Any]:
    """Return the optimizers whose rate changes, by the names of their rates in logs."""
    inner = getattr(model.optimizer, "optimizers", None)  # of a MultiOptimizer
    if inner is None:
        return {"learning_rate": model.optimizer}
    return {f"learning_rate_{optimizer.name}": optimizer for optimizer in inner}


def _put_rates(model: Any, logs: Any) -> None:
    if logs is not None:
        logs |= {name: float(each.learning_rate) for name, each in _rates(model).items()}


class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch; of a MultiOptimizer, that of each optimizer.

    Args:
        schedule: A function of the epoch, counted from 0, and the current rate.
        verbose: 1 prints each rate.

    Raises:
        ValueError: `schedule` returns no number.
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the rate."""
        for optimizer in _rates(self.model).values():
            self._set_rate(epoch, optimizer)

    def _set_rate(self, epoch: int, optimizer: Any) -> None:
        rate = float(optimizer.learning_rate)
        try:
            rate = self.schedule(epoch, rate)
        except TypeError:
            rate = self.schedule(epoch)  # a schedule of the epoch alone
        try:
            number = float(rate)
        except (TypeError, ValueError):
            raise ValueError(
                f"LearningRateScheduler: `schedule` must return a number; got {rate!r} for epoch "
                f"{epoch}."
            ) from None
        optimizer.learning_rate = number
        if self.verbose:
            show(f"Epoch {epoch + 1}: the learning rate is {number}.")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the rate into the results."""
        _put_rates(self.model, logs)


class ReduceLROnPlateau(Monitor):
    """Lowers the learning rate when a result stops getting better.

    Args:
        monitor: The result to watch.
        factor: What the rate is multiplied by, in (0, 1).
        patience: Epochs without a better result before it is lowered.
        verbose: 1 prints each change.
        mode: "auto", "min" or "max".
        min_delta: The least change that counts as better.
        cooldown: Epochs to wait after a change.
        min_lr: The least rate.
        **kwargs: Accepted for Keras' signature.

    Raises:
        ValueError: `factor` is 1 or more.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau: `factor` must be below 1, to lower the rate; got {factor}."
            )
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the epoch with the best one, and lower the rate if it is too long ago."""
        _put_rates(self.model, logs)
        value = self._value(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif self.cooldown_counter <= 0:
            self.wait += 1
            if self.wait >= self.patience:
                for optimizer in _rates(self.model).values():
                    self._lower(epoch, optimizer)

    def _lower(self, epoch: int, optimizer: Any) -> None:
        rate = float(optimizer.learning_rate)
        if rate <= self.min_lr:
            return
        lower = max(rate * self.factor, self.min_lr)
        optimizer.learning_rate = lower
        self.cooldown_counter = self.cooldown
        self.wait = 0
        if self.verbose:
            show(f"Epoch {epoch + 1}: ReduceLROnPlateau lowers the learning rate to {lower}.")
