"""Where summaries go: the writers, the default one, the step, and whether anything is written."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamina.engine import Tensor, convert_to_tensor, local
from lamina.engine import flush as run_pending
from lamina.ops.host import call_host

__all__ = [
    "SummaryWriter",
    "create_file_writer",
    "create_noop_writer",
    "emit",
    "flush",
    "record_if",
    "should_record_summaries",
    "state",
]


class _State(threading.local):
    """What holds in this thread: the default writer, the default step, and the condition."""

    def __init__(self) -> None:
        self.writer: SummaryWriter | None = None
        self.step: Any = None
        self.condition: Any = True


state = _State()


class SummaryWriter:
    """A writer of summaries; `create_file_writer` makes it.

    Args:
        logdir: The folder of the event file; None writes nothing.
        filename_suffix: What the file's name ends with.
    """

    def __init__(
        self, logdir: Any = None, filename_suffix: str = "", flush_seconds: float = 120.0
    ) -> None:
        self._logdir = None if logdir is None else os.fspath(logdir)
        self._suffix = filename_suffix
        self._flush_seconds = flush_seconds
        self._file: Any = None
        self._closed = False

    @property
    def file(self) -> Any:
        """The `tensorboardX.SummaryWriter`, None if nothing is written.

        Raises:
            ImportError: tensorboardX is not installed.
            RuntimeError: the writer is closed.
        """
        if self._logdir is None:
            return None
        if self._closed:
            raise RuntimeError("SummaryWriter is already closed")
        if self._file is None:
            try:
                from tensorboardX import (  # pyright: ignore[reportMissingImports]
                    SummaryWriter as EventWriter,
                )
            except ImportError:
                raise ImportError(
                    "tf.summary: it needs tensorboardX, which is not installed.\n"
                    "  Fix: pip install tensorboardX"
                ) from None
            self._file = EventWriter(
                self._logdir,
                flush_secs=self._flush_seconds,  # type: ignore[arg-type]  # a float will do
                filename_suffix=self._suffix,
            )
        return self._file

    @contextmanager
    def as_default(self, step: Any = None) -> Iterator["SummaryWriter"]:
        """Have summaries inside the block go to this writer.

        Args:
            step: The default step inside the block; None leaves it.
        """
        before = state.writer, state.step
        state.writer = self
        if step is not None:
            state.step = step
        try:
            yield self
        finally:
            state.writer, state.step = before
            if not self._closed:
                self.flush()

    def set_as_default(self, step: Any = None) -> None:
        """Have summaries go to this writer from here on; see `as_default`."""
        state.writer = self
        if step is not None:
            state.step = step

    def init(self) -> None:
        """Open the event file."""
        _ = self.file

    def flush(self) -> None:
        """Write to the file what was noted so far."""
        if local.trace.eager:
            run_pending()
        if self._file is not None and not self._closed:
            self._file.flush()

    def close(self) -> None:
        """Write all, and close the file."""
        if self._closed:
            return
        self.flush()
        if self._file is not None:
            self._file.close()
        self._closed = self._logdir is not None


def create_file_writer(
    logdir: Any,
    max_queue: int | None = None,
    flush_millis: int | None = None,
    filename_suffix: str | None = None,
    name: str | None = None,
    experimental_trackable: bool = False,
    experimental_mesh: Any = None,
) -> SummaryWriter:
    """Return a writer of an event file in a folder, which TensorBoard reads.

    Args:
        logdir: The folder.
        max_queue: Accepted, unused.
        flush_millis: Milliseconds between two writes to the file; None is two minutes.
        filename_suffix: What the file's name ends with; None is ".v2".
        name: Accepted, unused, as the others.
        experimental_trackable: Unused.
        experimental_mesh: Unused.

    Raises:
        ValueError: `logdir` is None.
        ImportError: tensorboardX is not installed.

    Example:
        >>> import tempfile
        >>> writer = tf.summary.create_file_writer(tempfile.mkdtemp())
        >>> with writer.as_default():
        ...     for step in range(3):
        ...         _ = tf.summary.scalar("loss", 1.0 / (step + 1), step=step)
        >>> writer.close()
    """
    if logdir is None:
        raise ValueError("Argument `logdir` cannot be None.")
    if isinstance(logdir, Tensor):
        logdir = logdir.numpy()
    logdir = logdir.decode() if isinstance(logdir, bytes) else logdir
    seconds = 120.0 if flush_millis is None else max(flush_millis / 1000, 0.001)
    suffix = ".v2" if filename_suffix is None else filename_suffix
    writer = SummaryWriter(logdir, suffix, seconds)
    writer.init()
    return writer


def create_noop_writer() -> SummaryWriter:
    """Return a writer that writes nothing."""
    return SummaryWriter()


@contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """Write summaries inside the block only where a condition holds.

    Args:
        condition: A bool, a bool Tensor, or a function without arguments that returns one.
    """
    before = state.condition
    state.condition = condition
    try:
        yield
    finally:
        state.condition = before


def _condition() -> Any:
    condition = state.condition
    return condition() if callable(condition) and not isinstance(condition, Tensor) else condition


def should_record_summaries() -> Tensor:
    """Return whether a summary written here would be recorded, a bool Tensor."""
    if state.writer is None or state.writer._logdir is None:
        return convert_to_tensor(False)
    return convert_to_tensor(_condition(), "bool")


def emit(write: Callable[..., None], values: Any, step: Any) -> Tensor:
    """Have `write(file, step, *values)` called, where a program runs each time that it does.

    Returns:
        Whether it is, a bool Tensor.

    Raises:
        ValueError: there is no step.
        TypeError: the step is a string.
    """
    writer = state.writer
    if writer is None or writer._logdir is None:
        return convert_to_tensor(False)
    step = state.step if step is None else step
    if step is None:
        raise ValueError(
            "No step set. Please specify one either through the `step` argument or through "
            "tf.summary.experimental.set_step()."
        )
    tensors = [convert_to_tensor(v) for v in (_condition(), step, *values)]
    if tensors[1].dtype.name == "string":
        raise TypeError(f"tf.summary: `step` must be an integer; got {step!r}.")

    def run(condition: Any, at: Any, *arrays: Any) -> None:
        if bool(np.asarray(condition)):
            write(writer.file, int(np.asarray(at)), *arrays)

    if local.trace.eager:
        run(*[t.numpy() for t in tensors])
    else:
        call_host(run, tensors)
    return tensors[0]


def flush(writer: SummaryWriter | None = None, name: str | None = None) -> None:
    """Write to the file what was noted so far.

    Args:
        writer: A writer; None is the default one, if there is one.
        name: Accepted, unused.
    """
    writer = writer or state.writer
    if writer is not None:
        writer.flush()
