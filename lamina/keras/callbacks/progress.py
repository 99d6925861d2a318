"""ProgbarLogger: the bar on the terminal, or plain lines where there is none."""

import sys
import time
from typing import Any

from lamina.keras.callbacks.base import Callback
from lamina.keras.console import is_interactive_logging_enabled, show

__all__ = ["ProgbarLogger", "format_logs"]

_EVERY = 0.1  # seconds between two looks at the device
_WIDTH = 20  # of the bar, in characters


def format_logs(logs: dict[str, Any]) -> str:
    """Return results in one line: "accuracy: 0.9821 - loss: 0.0593"."""
    return " - ".join(f"{k}: {_short(v)}" for k, v in logs.items())


def _short(value: Any) -> str:
    if not isinstance(value, int | float):
        return str(value)
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:.4f}"
    return f"{value:.4e}"


class ProgbarLogger(Callback):
    """Shows the steps of an epoch, the time a step takes, and the results so far.

    On a terminal it is a bar that says "compiling" until the first step is done; elsewhere, and
    with `verbose=2`, one line an epoch. The last line of an epoch shows the numbers that `fit`
    returns.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar: Any = None
        self._task: Any = None
        self._started = 0.0
        self._looked = 0.0
        self._seen = 0
        self._training = False
        self._waiting = "compiling"  # what the bar says until the first step is done

    # -- epochs of fit

    def on_train_begin(self, logs: Any = None) -> None:
        """Note that validation inside of fit gets no bar of its own."""
        self._training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Stop the bar."""
        self._training = False
        self._close()

    _abandon = on_train_end

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the epoch's bar."""
        epochs = self._param("epochs", 1)
        if self._param("verbose", 1) and epochs > 1:
            show(f"Epoch {epoch + 1}/{epochs}")
        self._open()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar on."""
        self._advance(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Show the epoch's results."""
        self._finish(logs or {})

    # -- evaluate and predict

    def on_test_begin(self, logs: Any = None) -> None:
        """Start the bar of `evaluate`."""
        if not self._training:
            self._open()

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar of `evaluate` on."""
        if not self._training:
            self._advance(batch + 1, logs)

    def on_test_end(self, logs: Any = None) -> None:
        """Show the results of `evaluate`."""
        if not self._training:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Any = None) -> None:
        """Start the bar of `predict`."""
        self._open()

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar of `predict` on."""
        self._advance(batch + 1, None)

    def on_predict_end(self, logs: Any = None) -> None:
        """Stop the bar of `predict`."""
        self._finish({})

    # -- drawing

    def _param(self, name: str, default: Any) -> Any:
        value = (self.params or {}).get(name)
        return default if value is None else value

    def _open(self) -> None:
        self._started = time.perf_counter()
        self._looked = 0.0
        self._seen = 0
        if (
            self._param("verbose", 1) != 1
            or not sys.stdout.isatty()
            or not is_interactive_logging_enabled()
        ):
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn
        from rich.table import Column

        self._bar = Progress(
            TextColumn("{task.fields[steps]}"),
            BarColumn(bar_width=_WIDTH),
            TextColumn("{task.fields[pace]}"),
            TextColumn(
                "{task.fields[results]}",
                markup=False,
                table_column=Column(no_wrap=True, overflow="ellipsis"),
            ),
            console=Console(),
            transient=True,
            refresh_per_second=10,
        )
        total = (self.params or {}).get("steps")
        self._task = self._bar.add_task(
            "", total=total, steps=_count(0, total), pace=self._waiting, results=""
        )
        self._bar.start()

    def _advance(self, done: int, logs: Any) -> None:
        self._seen = done
        self._waiting = ""
        if self._bar is None:
            return
        now = time.perf_counter()
        if now - self._looked < _EVERY:
            return
        shown = format_logs(logs) if logs else ""
        self._looked = time.perf_counter()
        total = (self.params or {}).get("steps")
        done = done if total is None else min(done, total)  # the last of several steps at once
        self._bar.update(
            self._task,
            completed=done,
            steps=_count(done, total),
            pace=self._pace(done),
            results=shown,
        )

    def _pace(self, done: int) -> str:
        seconds = time.perf_counter() - self._started
        each = seconds / max(done, 1)
        pace = f"{each:.2f}s" if each >= 1 else f"{each * 1e3:.0f}ms"
        return f"{seconds:.0f}s {pace if each >= 1e-3 else f'{each * 1e6:.0f}us'}/step"

    def _finish(self, logs: dict[str, Any]) -> None:
        bar = f" {'━' * _WIDTH} " if self._bar is not None else " - "
        self._close()
        if not self._param("verbose", 1):
            return
        line = f"{_count(self._seen, self._seen)}{bar}{self._pace(self._seen)}"
        show(f"{line} - {format_logs(logs)}" if logs else line)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _count(done: int, total: int | None) -> str:
    return f"{done}/{'?' if total is None else total}"
