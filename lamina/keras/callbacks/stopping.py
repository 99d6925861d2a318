"""Callbacks that end training: EarlyStopping, TerminateOnNaN."""

import math
from typing import Any

from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.monitor import Monitor
from lamina.keras.console import show

__all__ = ["EarlyStopping", "TerminateOnNaN"]


class EarlyStopping(Monitor):
    """Ends training when a result stops getting better.

    Args:
        monitor: The result to watch.
        min_delta: The least change that counts as better.
        patience: Epochs without one before training ends.
        verbose: 1 prints when it ends.
        mode: "auto", "min" or "max".
        baseline: What the result must be better than from the start, or None.
        restore_best_weights: Whether the model gets the weights of its best epoch back, however
            training ends.
        start_from_epoch: Epochs before watching begins.

    State:
        Set anew when training begins, so an instance can be used again.

    Example:
        >>> stop = tf.keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._forget()

    def _forget(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best: float | None = None
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare the epoch with the best one, and end training if it is too long ago."""
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)  # so that there is something to go back to if nothing gets better
        self.wait += 1
        if self._is_better(value, self.best):
            self.best = value
            self.best_epoch = epoch
            if self.restore_best_weights:
                self._keep(epoch)
            if self.baseline is None or self._is_better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def get_monitor_value(self, logs: Any) -> float | None:
        """Return the watched result of an epoch's logs; None, after a warning, if it lacks it."""
        return self._value(logs)

    def _keep(self, epoch: int) -> None:
        self.best_weights = self.model.get_weights()
        self.best_epoch = epoch

    def on_train_end(self, logs: Any = None) -> None:
        """Give the best weights back."""
        if self.stopped_epoch and self.verbose:
            show(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose:
                show(f"Restoring the weights of the best epoch: {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)

    _abandon = on_train_end


class TerminateOnNaN(Callback):
    """Ends training when the loss of a batch is NaN or infinite.

    Args:
        raise_error: Whether to raise instead of stopping.

    Raises:
        RuntimeError: with `raise_error`, the loss is NaN or infinite.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss of the batch."""
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"Batch {batch}: the loss is {loss}; training ends.")
        show(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
