"""ModelCheckpoint: saving the model while it trains."""

import os
from typing import Any

from lamina.keras.callbacks.monitor import Monitor
from lamina.keras.console import show

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, at the end of epochs or every so many batches.

    Args:
        filepath: The path, ending in ".keras", or ".weights.h5" with `save_weights_only`. It may
            hold fields: "model-{epoch:02d}-{val_loss:.2f}.keras"; epochs count from 1.
        monitor: The result that tells which is best.
        verbose: 1 prints each save.
        save_best_only: Whether to save only what is better than all before.
        save_weights_only: Whether to save the weights alone.
        mode: "auto", "min" or "max".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: What the result must be better than from the start, or None.

    Raises:
        ValueError: the path has another ending, or a field that is no result.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        ending = ".weights.h5" if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(ending):
            raise ValueError(
                f"ModelCheckpoint: `filepath` must end in "
                f"{ending if save_weights_only else '.keras'} with "
                f"save_weights_only={save_weights_only}; got {self.filepath!r}."
            )
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f'ModelCheckpoint: `save_freq` must be "epoch" or a number of batches; got '
                f"{save_freq!r}."
            )
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = initial_value_threshold
        self._epoch = 0
        self._since = 0
        self._last = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch."""
        self._epoch = epoch
        self._last = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save if enough batches have passed."""
        if not isinstance(self.save_freq, int):  # "epoch"
            return
        self._since += batch + 1 - self._last
        self._last = batch + 1
        if self._since >= self.save_freq:
            self._since = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save at the end of the epoch."""
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        results = dict(logs or {})
        if self.save_best_only:
            value = self._value(results)
            if value is None or not self._is_better(value, self.best):
                return
            self.best = value
        path = self._path(epoch, batch, results)
        if os.path.dirname(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if self.verbose:
            show(f"Epoch {epoch + 1}: saving model to {path}")
        if self.save_weights_only:
            self.model.save_weights(path, overwrite=True)
        else:
            self.model.save(path, overwrite=True)

    def _path(self, epoch: int, batch: int | None, results: dict[str, Any]) -> str:
        fields = {"epoch": epoch + 1, **results}
        if batch is not None:
            fields["batch"] = batch + 1
        try:
            return self.filepath.format(**fields)
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: `filepath` {self.filepath!r} needs a result named {error}; "
                f"there are {sorted(fields)}."
            ) from None
