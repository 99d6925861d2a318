"""CallbackList: several callbacks as one."""

from collections.abc import Iterable
from typing import Any

from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.history import History
from lamina.keras.callbacks.progress import ProgbarLogger

__all__ = ["CallbackList"]

_BATCH_HOOKS = tuple(
    f"on_{kind}_batch_{when}" for kind in ("train", "test", "predict") for when in ("begin", "end")
)


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
                getattr(callback, hook)(batch, {} if logs is None else logs)

        call: Any = of_batch

    elif "epoch" in hook:

        def of_epoch(self: CallbackList, epoch: int, logs: Any = None) -> None:
            for callback in self.callbacks:
                getattr(callback, hook)(epoch, {} if logs is None else logs)

        call = of_epoch

    else:

        def of_run(self: CallbackList, logs: Any = None) -> None:
            for callback in self.callbacks:
                getattr(callback, hook)({} if logs is None else logs)

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
