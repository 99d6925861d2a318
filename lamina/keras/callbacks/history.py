"""History: the results of all epochs."""

from typing import Any

from lamina.keras.callbacks.base import Callback

__all__ = ["History"]


class History(Callback):
    """Keeps the results of each epoch; `fit` adds one and returns it.

    Attributes:
        history: A list of numbers by name: `{"loss": [...], "val_loss": [...]}`.
        epoch: The numbers of the epochs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Start anew."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the epoch's results."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        if self.model is not None:
            self.model.__dict__["history"] = self
