"""Callbacks that write results down: CSVLogger, LambdaCallback."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.keras.callbacks.base import Callback
from lamina.late import late_module

__all__ = ["CSVLogger", "LambdaCallback"]

csv = late_module("csv")


class CSVLogger(Callback):
    """Writes the results of each epoch into a CSV file.

    Args:
        filename: The path.
        separator: What stands between the columns.
        append: Whether to add to an existing file.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file: Any = None
        self._keys: list[str] = []

    def on_train_begin(self, logs: Any = None) -> None:
        """Open the file."""
        old = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._has_header = self.append and old
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self._keys = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write one row."""
        results = logs or {}
        writer = csv.writer(self._file, delimiter=self.separator)
        if not self._keys:
            self._keys = sorted(results)
            if not any(k.startswith("val_") for k in self._keys):
                # As Keras: validation may come in a later epoch (`validation_freq`).
                self._keys += [f"val_{k}" for k in self._keys]
            if not self._has_header:
                writer.writerow(["epoch", *self._keys])
        writer.writerow([epoch, *[_cell(results.get(k, "NA")) for k in self._keys]])
        self._file.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    _abandon = on_train_end


def _cell(value: Any) -> Any:
    array = np.asarray(value)
    return value if array.ndim == 0 else f'"[{", ".join(map(str, array.ravel()))}]"'


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin: A function of (epoch, logs).
        on_epoch_end: A function of (epoch, logs).
        on_train_begin: A function of (logs).
        on_train_end: A function of (logs).
        on_train_batch_begin: A function of (batch, logs).
        on_train_batch_end: A function of (batch, logs).
        **kwargs: Functions for further hooks.

    Example:
        >>> show = tf.keras.callbacks.LambdaCallback(
        ...     on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"])
        ... )
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        } | kwargs
        unknown = [k for k in given if not hasattr(Callback, k)]
        if unknown:
            raise TypeError(f"LambdaCallback: there are no hooks named {unknown}.")
        for hook, function in given.items():
            if function is not None:
                setattr(self, hook, function)
