"""Callback and CallbackList: what happens at the boundaries of training."""

from collections.abc import Iterable
from typing import Any

__all__ = ["Callback", "CallbackList"]

_BATCH_HOOKS = tuple(
    f"on_{kind}_batch_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")
)


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


class CallbackList(Callback):
    """Several callbacks as one.

    Batch hooks reach only the callbacks that write them, so that nothing is read from the device
    at each batch unless somebody asks.

    Args:
        callbacks: Callbacks, one or a list.
        add_history: Whether to add a History.
        add_progbar: Whether to add a ProgbarLogger.
        model: The model.
        **params: `verbose`, `epochs`, `steps`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks = _flat(callbacks)
        for callback in self.callbacks:
            if not hasattr(callback, "set_model"):
                raise TypeError(
                    f"callbacks must be tf.keras.callbacks.Callback objects; got {callback!r} "
                    f"({type(callback).__name__}).\n  Fix: make an instance of the class."
                )
        # Here, since these two stand on this file.
        from lamina.keras.callbacks.history import History
        from lamina.keras.callbacks.progress import ProgbarLogger

        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if add_history and self._history is None:
            self._history = History()
            self.callbacks.append(self._history)
        self._by_hook = {
            hook: [c for c in self.callbacks if _writes(c, hook)] for hook in _BATCH_HOOKS
        }
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def append(self, callback: Callback) -> None:
        """Add a callback."""
        self.callbacks.append(callback)
        for hook, callbacks in self._by_hook.items():
            if _writes(callback, hook):
                callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Hand `verbose`, `epochs` and `steps` on."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Hand the model on; it gets the History as `model.history`."""
        self._model = model
        if self._history is not None:
            model.__dict__["history"] = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def abandon(self) -> None:
        """Let the callbacks tidy up after an exception: stop bars, close files, restore weights."""
        for callback in self.callbacks:
            tidy = getattr(callback, "_abandon", None)
            if tidy is not None:
                tidy()

    def __iter__(self) -> Any:
        return iter(self.callbacks)


def _flat(callbacks: Any) -> list[Any]:
    if callbacks is None:
        return []
    if isinstance(callbacks, Iterable):
        return [c for item in callbacks for c in _flat(item)]
    return [callbacks]


def _writes(callback: Any, hook: str) -> bool:
    """Return whether a callback's class has its own code for a batch hook."""
    kind = type(callback)
    if not isinstance(callback, Callback):
        return hasattr(callback, hook)
    older = hook.replace("_train_batch_", "_batch_")
    own = getattr(kind, hook) is not getattr(Callback, hook) or hook in vars(callback)
    return own or ("train" in hook and getattr(kind, older) is not getattr(Callback, older))


def _forward(hook: str) -> Any:
    if hook in _BATCH_HOOKS:

        def of_batch(self: CallbackList, batch: int, logs: Any = None) -> None:
            for callback in self._by_hook[hook]:
                getattr(callback, hook)(batch, logs)

        call: Any = of_batch

    elif "epoch" in hook:

        def of_epoch(self: CallbackList, epoch: int, logs: Any = None) -> None:
            for callback in self.callbacks:
                getattr(callback, hook)(epoch, logs)

        call = of_epoch

    else:

        def of_run(self: CallbackList, logs: Any = None) -> None:
            for callback in self.callbacks:
                getattr(callback, hook)(logs)

        call = of_run

    call.__name__ = hook
    call.__doc__ = f"Call `{hook}` of the callbacks."
    return call


for _hook in (
    *_BATCH_HOOKS,
    *("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end"),
    *("on_test_begin", "on_test_end", "on_predict_begin", "on_predict_end"),
):
    setattr(CallbackList, _hook, _forward(_hook))
