"""The loops of fit, evaluate and predict: thin, over one compiled step."""

import math
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from lamina.engine import Tensor, nest
from lamina.keras import callbacks as callbacks_module
from lamina.keras import switches
from lamina.keras.training.step import ahead, stacked

__all__ = ["evaluate", "fit", "predict", "to_floats"]


def to_floats(logs: Any) -> dict[str, Any]:
    """Return logs with numbers in place of Tensors, sorted by name as Keras' are."""
    found: dict[str, Any] = {}
    for key, value in logs.items():
        found |= to_floats(value) if isinstance(value, dict) else {key: _number(value)}
    return dict(sorted(found.items()))


def _number(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 and array.dtype.kind in "fiub" else array


class Logs(dict):
    """The logs of one step: Tensors that become numbers when somebody looks.

    The device is not waited for unless a callback reads a value.
    """

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if isinstance(value, Tensor):
            value = _number(value)
            super().__setitem__(key, value)
        return value

    def __iter__(self) -> Any:
        # Being here, it also makes dict(logs) and {**logs} ask __getitem__.
        return iter(sorted(super().keys()))

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""
        return self[key] if key in self else default  # noqa: SIM401  # this is `get`  # noqa: SIM401

    def items(self) -> Any:
        """Return (key, number) pairs."""
        return [(k, self[k]) for k in self]

    def values(self) -> Any:
        """Return the numbers."""
        return [self[k] for k in self]

    def copy(self) -> dict[str, Any]:
        """Return a plain dict of numbers."""
        return dict(self.items())

    def __repr__(self) -> str:
        return repr(self.copy())


def _steps(
    model: Any,
    source: Any,
    step: Any,
    kind: str,
    callbacks: Any,
    limit: int | None,
    resume: Any = None,
) -> Any:
    """Run one pass over the data and return the last logs."""
    note = ahead()
    size = model.steps_per_execution
    begin = getattr(callbacks, f"on_{kind}_batch_begin")
    end = getattr(callbacks, f"on_{kind}_batch_end")
    logs: Any = {}
    if resume is None:
        batches, number = source.epoch(), 0
    else:
        batches, number = _resumed(model, source, resume)
        logs = model.get_metrics_result() if number else {}
    for group in stacked(_limited(batches, None if limit is None else limit - number), size):
        first = number
        begin(first)
        logs = step(group)
        note(logs)
        number += len(group) if size > 1 else 1
        # As Keras counts: a group that the data's end cut short ends where a full one would.
        end(first + size - 1, Logs(logs) if isinstance(logs, dict) else {"loss": logs})
        if getattr(model, f"stop_{kind}ing" if kind == "train" else "stop_evaluating", False):
            break
    if number == 0:
        raise _NoBatchError(
            f"{type(model).__name__}.{'fit' if kind == 'train' else 'evaluate'}: the data must "
            f"hold at least one batch; it held none.\n"
            f"  Fix: check its length; a generator can be used up by an earlier call."
        )
    if limit is not None and number < limit:
        source.ran_out(number, limit)
    return logs


def _resumed(model: Any, source: Any, resume: Any) -> tuple[Iterator[Any], int]:
    """Return the batches of an epoch that were not trained on, and how many were."""
    if resume.source is not None:
        source.seek(resume.source)
    batches = source.epoch()
    batch: Any = None
    for _ in range(resume.done):
        batch = next(batches, batch)
    compiled = model._lm_compile_metrics
    if batch is not None and compiled is not None and not compiled.metrics:
        # The first batch makes the metrics of compile; `settle` then sets them.
        model.make_test_function()(batch if model.steps_per_execution == 1 else [batch])
    resume.settle()
    return batches, resume.done


class _NoBatchError(ValueError):
    """A pass over the data gave nothing."""


class _Continued:
    """Data of which an epoch is a part: each pass goes on where the one before stopped."""

    def __init__(self, source: Any) -> None:
        self.size = source.size
        self.ran_out = source.ran_out
        self._source = source
        self._running: Iterator[Any] | None = None
        self._begin: Any = None  # the source's position when the pass began
        self._taken = 0  # batches of the pass

    def epoch(self) -> Iterator[Any]:
        """Return the batches from here to the end, or from the start if this is the end."""
        number = 0
        if self._running is not None:
            for number, batch in enumerate(self._running, 1):  # noqa: B007
                self._taken += 1
                yield batch
        if number == 0:
            self._start()
            for batch in _each_of(self._running):  # type: ignore[arg-type]
                self._taken += 1
                yield batch
        self._running = None

    def _start(self) -> None:
        self._begin = self._source.position()
        self._running, self._taken = self._source.epoch(), 0

    def position(self) -> Any:
        """Return where the data stands, for `seek`."""
        if self._running is None:
            return [self._source.position(), 0]
        return [self._begin, self._taken]

    def seek(self, position: Any) -> None:
        """Go to a position, by going through the batches before it."""
        begin, taken = position
        self._running = None
        if begin is not None:
            self._source.seek(begin)
        if taken:
            self._start()
            for _ in range(taken):
                next(self._running, None)  # type: ignore[arg-type]
            self._taken = taken


def _each_of(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield from an iterator without closing it when this one is left."""
    for batch in batches:  # noqa: UP028
        yield batch


def _limited(batches: Iterator[Any], limit: int | None) -> Iterator[Any]:
    if limit is None:
        return batches
    return (b for _, b in zip(range(limit), batches, strict=False))


def fit(
    model: Any,
    source: Any,
    validation: Any,
    epochs: int,
    initial_epoch: int,
    verbose: Any,
    callbacks: Any,
    steps_per_epoch: int | None,
    validation_steps: int | None,
    validation_freq: Any,
) -> Any:
    """Train for some epochs, and return the History."""
    epochs = min(epochs, switches.max_epochs() or epochs)
    steps_per_epoch = switches.limited_steps(steps_per_epoch, source.size)
    steps = steps_per_epoch or source.size
    if not isinstance(callbacks, callbacks_module.CallbackList):
        callbacks = callbacks_module.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=steps,
        )
    model.__dict__["stop_training"] = False
    if steps_per_epoch is not None:
        source = _Continued(source)
    step = model.make_train_function()
    own = model.__dict__
    own["_lm_source"] = source
    callbacks.on_train_begin()
    resume = own.get("_lm_resume")
    initial_epoch = initial_epoch if resume is None else resume.epoch
    logs: dict[str, Any] = {}
    try:
        for epoch in range(initial_epoch, epochs):
            model.reset_metrics()
            callbacks.on_epoch_begin(epoch)
            resume = own.pop("_lm_resume", None)
            try:
                last = _steps(model, source, step, "train", callbacks, steps_per_epoch, resume)
            except _NoBatchError:
                if epoch == initial_epoch:
                    raise
                source.ran_out(0, steps or 1)
                break
            logs = to_floats(model._metrics_or_logs(last))
            if validation is not None and _is_due(validation_freq, epoch + 1):
                logs |= _validated(model, validation, callbacks, validation_steps)
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
            step = model.make_train_function()
    except BaseException:
        callbacks.abandon()
        raise
    finally:
        model._forget_traced_losses()
        own.pop("_lm_source", None)
        own.pop("_lm_resume", None)
    if model.optimizer is not None and epochs > 0:
        model.optimizer.finalize_variable_values(model.trainable_weights)
    callbacks.on_train_end(logs)
    return model.history


def _validated(model: Any, source: Any, callbacks: Any, steps: int | None) -> dict[str, Any]:
    """Return the logs of a pass over the validation data; none, and a warning, if it is empty."""
    if source.size == 0:
        warnings.warn(
            f"{type(model).__name__}.fit: the validation data holds no batch; it is left out.\n"
            f"  Fix: check its length, and drop_remainder=True of its batches.",
            UserWarning,
            stacklevel=4,
        )
        return {}
    found = evaluate(model, source, 0, callbacks, steps)
    return {f"val_{k}": v for k, v in to_floats(found).items()}


def _is_due(frequency: Any, epoch: int) -> bool:
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


def evaluate(
    model: Any, source: Any, verbose: Any, callbacks: Any, steps: int | None
) -> dict[str, Any]:
    """Run the test step over the data, and return the metrics; none, and a warning, if empty."""
    steps = switches.limited_steps(steps, source.size)
    if not isinstance(callbacks, callbacks_module.CallbackList):
        callbacks = callbacks_module.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=1,
            steps=steps or source.size,
        )
    step = model.make_test_function()
    model.__dict__["stop_evaluating"] = False
    callbacks.on_test_begin()
    model.reset_metrics()
    try:
        last = _steps(model, source, step, "test", callbacks, steps)
        logs = to_floats(model._metrics_or_logs(last))
    except _NoBatchError as error:
        warnings.warn(f"{error}\n  The result is empty.", UserWarning, stacklevel=3)
        logs = {}
    except BaseException:
        callbacks.abandon()
        raise
    finally:
        model._forget_traced_losses()
    callbacks.on_test_end(logs)
    return logs


def predict(model: Any, source: Any, verbose: Any, callbacks: Any, steps: int | None) -> Any:
    """Run the predict step over the data, and return the outputs as NumPy arrays."""
    steps = switches.limited_steps(steps, source.size)
    if not isinstance(callbacks, callbacks_module.CallbackList):
        callbacks = callbacks_module.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=1,
            steps=steps or source.size,
        )
    step, size = model.make_predict_function(), model.steps_per_execution
    model.__dict__["stop_predicting"] = False
    callbacks.on_predict_begin()
    parts: list[Any] = []
    note = ahead()
    try:
        for index, group in enumerate(stacked(_limited(source.epoch(), steps), size)):
            callbacks.on_predict_batch_begin(index * size)
            found = [step(batch) for batch in (group if size > 1 else [group])]
            note(found[-1])
            parts += found
            outputs = found[0] if size == 1 else nest.map_structure(_joined, *found)
            callbacks.on_predict_batch_end((index + 1) * size - 1, {"outputs": outputs})
            if model.stop_predicting:
                break
    except BaseException:
        callbacks.abandon()
        raise
    callbacks.on_predict_end()
    if not parts:
        raise ValueError(
            f"{type(model).__name__}.predict: the data must hold at least one batch; got none."
        )
    return nest.map_structure(_joined, *parts)


def _joined(*parts: Any) -> Any:
    if parts[0] is None:
        return None
    arrays = [np.asarray(p) for p in parts]
    if len(arrays) == 1:
        return np.array(arrays[0])
    if len({a.shape[1:] for a in arrays}) > 1 and len({a.ndim for a in arrays}) == 1:
        return _joined_rows(arrays)
    return np.concatenate(arrays)


def _joined_rows(arrays: list[np.ndarray]) -> Any:
    """Return the rows of batches of several sizes as a `tf.RaggedTensor`, as Keras does."""
    sizes = zip(*(a.shape for a in arrays), strict=True)
    rank = max(i for i, some in enumerate(sizes) if i and len(set(some)) > 1)
    lengths = [
        np.concatenate([np.full(math.prod(a.shape[:axis]), a.shape[axis]) for a in arrays])
        for axis in range(1, rank + 1)
    ]
    flat = np.concatenate([a.reshape(-1, *a.shape[rank + 1 :]) for a in arrays])
    ragged = import_module("lamina.ragged").RaggedTensor  # only for those who need it
    return ragged.from_nested_row_lengths(flat, lengths)
