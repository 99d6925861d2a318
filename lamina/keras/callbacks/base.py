"""Callback: what happens at the boundaries of training."""

from typing import Any

__all__ = ["Callback"]


class Callback:
    """Actions at the boundaries of training; a subclass writes the hooks that it needs.

    Attributes:
        model: The model that trains.
        params: `verbose`, `epochs`, `steps` by name.

    Example:
        >>> class Stop(tf.keras.callbacks.Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.model.stop_training = logs["loss"] < 0.1
    """

    def __init__(self) -> None:
        self.params: dict[str, Any] | None = None
        self._model: Any = None

    @property
    def model(self) -> Any:
        """The model that trains."""
        return self.__dict__.get("_model")

    def set_params(self, params: dict[str, Any]) -> None:
        """Take `verbose`, `epochs` and `steps`."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Take the model."""
        self._model = model

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each training batch; the older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each training batch; the older name of `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Called after each epoch, with its results and those of validation ("val_loss")."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each training batch, counted from 0."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each training batch; reading `logs` waits for the device."""
        self.on_batch_end(batch, logs=logs)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each batch of `evaluate` or validation."""

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each batch of `evaluate` or validation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Called before each batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Called after each batch of `predict`, with its outputs."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Called when training starts."""

    def on_train_end(self, logs: Any = None) -> None:
        """Called when training ends, with the last epoch's results."""

    def on_test_begin(self, logs: Any = None) -> None:
        """Called when evaluation or validation starts."""

    def on_test_end(self, logs: Any = None) -> None:
        """Called when evaluation or validation ends, with its results."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Called when prediction starts."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Called when prediction ends."""
