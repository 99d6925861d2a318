"""ModelCheckpoint: saving the model while it trains."""

import glob
import os
import re
import warnings
from typing import Any

import numpy as np

from lamina.keras.callbacks.monitor import Monitor
from lamina.keras.console import show
from lamina.keras.spelling import note_older

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, at the end of epochs or every so many batches.

    Args:
        filepath: The path, ending in ".keras", or ".weights.h5" with `save_weights_only`. It may
            hold fields: "model-{epoch:02d}-{val_loss:.2f}.keras"; epochs count from 1. With
            `save_weights_only`, another path is what `model.save_weights` takes it for: the
            prefix of a checkpoint, which `tf.train.latest_checkpoint` finds.
        monitor: The result that tells which is best.
        verbose: 1 prints each save.
        save_best_only: Whether to save only what is better than all before.
        save_weights_only: Whether to save the weights alone.
        mode: "auto", "min" or "max".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: What the result must be better than from the start, or None.
        **kwargs: Older arguments: `period`, epochs from one save to the next;
            `load_weights_on_restart`, whether to load the newest file of this path when training
            starts; `options`, unused.

    Raises:
        ValueError: the path of a whole model has another ending.
        KeyError: the path has a field that is no result.

    Example:
        >>> folder = getfixture("tmp_path")
        >>> save = tf.keras.callbacks.ModelCheckpoint(
        ...     folder / "{epoch}.weights.h5", save_weights_only=True
        ... )
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[save], verbose=0)
        >>> [path.name for path in folder.iterdir()]
        ['1.weights.h5']
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
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode)
        self.filepath = os.fspath(filepath)
        _check_path(self.filepath, save_weights_only)
        self.period, self.load_weights_on_restart = _older_arguments(kwargs)
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
        self._epochs = 0  # since the last save

    def on_train_begin(self, logs: Any = None) -> None:
        """Load the newest file, if that was asked for and there is one."""
        if not self.load_weights_on_restart:
            return
        newest = _newest(self.filepath)
        if newest is not None:
            self.model.load_weights(newest)

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
        """Save at the end of the epoch, or of every `period` epochs."""
        if self.save_freq != "epoch":
            return
        self._epochs += 1
        if self._epochs >= self.period:
            self._epochs = 0
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Any) -> None:
        results = dict(logs or {})
        if self.save_best_only:
            value = self._scalar(results)
            if value is not None:  # what cannot be compared is saved, as in Keras
                if not self._is_better(value, self.best):
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

    def _scalar(self, results: dict[str, Any]) -> float | None:
        """Return the watched result; None, after a warning, where it is missing or no number."""
        value = self._value(results)
        if value is not None and np.ndim(value) > 0:
            warnings.warn(
                f"ModelCheckpoint: `monitor` must name a number to tell what is best; "
                f"{self.monitor!r} has shape {np.shape(value)}, and each time is saved.",
                stacklevel=4,
            )
            return None
        return value

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


def _check_path(path: str, weights_only: bool) -> None:
    if weights_only and path.endswith(".keras"):
        wanted = ".weights.h5"
    elif not weights_only and not path.endswith((".keras", ".h5")):
        wanted = ".keras"
    else:
        return
    raise ValueError(
        f"ModelCheckpoint: `filepath` must end in {wanted} with "
        f"save_weights_only={weights_only}; got {path!r}.\n"
        f"  Fix: use {os.path.splitext(path)[0] + wanted!r}"
        + ("." if weights_only else ", or pass save_weights_only=True.")
    )


def _older_arguments(kwargs: dict[str, Any]) -> tuple[int, bool]:
    """Return `period` and `load_weights_on_restart`; `options` asks for nothing here."""
    known = {
        "period": 'save_freq="epoch", or a number of batches',
        "load_weights_on_restart": "tf.keras.callbacks.BackupAndRestore",
        "options": "",
    }
    unknown = sorted(kwargs.keys() - known.keys())
    if unknown:
        raise TypeError(
            f"ModelCheckpoint: the arguments of Keras 3 were expected; got {unknown} too.\n"
            f"  Fix: remove them; see help(tf.keras.callbacks.ModelCheckpoint)."
        )
    for word in kwargs:
        note_older(f"tf.keras.callbacks.ModelCheckpoint({word}=)", known[word])
    period = kwargs.get("period", 1)
    if not isinstance(period, int) or period < 1:
        raise ValueError(
            f"ModelCheckpoint: `period` must be a positive number of epochs; got {period!r}."
        )
    return period, bool(kwargs.get("load_weights_on_restart", False))


def _newest(path: str) -> str | None:
    """Return the newest file that was written for a path with fields; of a checkpoint its prefix.

    Args:
        path: The path, as given to ModelCheckpoint.
    """
    parts = [glob.escape(part) for part in re.split(r"{[^{}]*}", path)]
    found = glob.glob("*".join(parts)) + glob.glob("*".join(parts) + ".index")
    newest = max(found, key=os.path.getmtime, default=None)
    return None if newest is None else newest.removesuffix(".index")
