"""`tf.train.Coordinator`: asking threads to stop, and waiting for them."""

import contextlib
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from lamina.engine import errors

__all__ = ["Coordinator"]


class Coordinator:
    """Lets threads stop together, and hands the first exception of one on to who waits.

    Args:
        clean_stop_exception_types: Exceptions that ask to stop and are not raised by `join`; None
            is OutOfRangeError.

    Example:
        >>> import threading
        >>> coordinator, done = tf.train.Coordinator(), []
        >>> def work():
        ...     while not coordinator.should_stop():
        ...         done.append(1)
        ...         coordinator.request_stop()
        >>> thread = threading.Thread(target=work)
        >>> thread.start()
        >>> coordinator.join([thread])
        >>> done
        [1]
    """

    def __init__(self, clean_stop_exception_types: Any = None) -> None:
        self._clean = tuple(clean_stop_exception_types or (errors.OutOfRangeError,))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._raised: BaseException | None = None
        self._threads: set[threading.Thread] = set()
        self._joined = False

    @property
    def joined(self) -> bool:
        """Whether `join` is done."""
        return self._joined

    def should_stop(self) -> bool:
        """Return whether a stop was asked for."""
        return self._stop.is_set()

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop.

        Args:
            ex: Why: an exception, or what `sys.exc_info()` returns. The first one is raised again
                by `join`, unless it is one of the clean ones.
        """
        with self._lock:
            error = ex[1] if isinstance(ex, tuple) else ex
            is_first = self._raised is None and not self._stop.is_set()
            if error is not None and is_first and not isinstance(error, self._clean):
                self._raised = error
            self._stop.set()

    def clear_stop(self) -> None:
        """Forget that a stop was asked for, and why."""
        with self._lock:
            self._joined = False
            self._raised = None
            self._stop.clear()

    def wait_for_stop(self, timeout: float | None = None) -> bool:
        """Wait until a stop is asked for.

        Args:
            timeout: How many seconds to wait at most.

        Returns:
            Whether one was.
        """
        return self._stop.wait(timeout)

    def register_thread(self, thread: threading.Thread) -> None:
        """Let `join` wait for a thread."""
        with self._lock:
            self._threads.add(thread)

    def raise_requested_exception(self) -> None:
        """Raise the exception that a stop was asked for with, if there is one."""
        with self._lock:
            if self._raised is not None:
                raise self._raised

    @contextlib.contextmanager
    def stop_on_exception(self) -> Iterator[None]:
        """Ask to stop with the exception that ends the block."""
        try:
            yield
        except BaseException:  # kept, whatever it is: `join` raises it where it can be handled
            self.request_stop(sys.exc_info())

    def join(
        self,
        threads: Iterable[threading.Thread] | None = None,
        stop_grace_period_secs: float = 120,
        ignore_live_threads: bool = False,
    ) -> None:
        """Wait for threads to end, and raise the exception that one stopped with.

        Args:
            threads: Threads to wait for, with those registered.
            stop_grace_period_secs: How long to wait after a stop was asked for.
            ignore_live_threads: Whether threads that are alive after that are no error.

        Raises:
            RuntimeError: threads are alive after the time.
        """
        waited = [*self._threads, *(t for t in threads or () if t not in self._threads)]
        while any(t.is_alive() for t in waited) and not self._stop.wait(1e-3):
            time.sleep(1e-3)
        end = time.monotonic() + stop_grace_period_secs
        while any(t.is_alive() for t in waited) and time.monotonic() < end:
            time.sleep(1e-3)
        alive = [t.name for t in waited if t.is_alive()]
        self._joined = True
        self._threads.clear()
        self.raise_requested_exception()
        if alive and not ignore_live_threads:
            raise RuntimeError(
                f"Coordinator stopped with threads still running: {' '.join(alive)}\n"
                f"  Fix: let them end when should_stop() is true."
            )
