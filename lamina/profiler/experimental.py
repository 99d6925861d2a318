"""tf.profiler.experimental: start and stop profiles, and mark steps in them."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple, Self

import jax

from lamina.engine import errors, flush, local

__all__ = ["Profile", "ProfilerOptions", "Trace", "client", "server", "start", "stop"]


class ProfilerOptions(NamedTuple):
    """How a profile is taken.

    Args:
        host_tracer_level: How much of the host is seen, 0 to 3.
        python_tracer_level: 1 to see calls of Python functions.
        device_tracer_level: Accepted, unused: devices are always seen.
        delay_ms: Accepted, unused.
    """

    host_tracer_level: int = 2
    python_tracer_level: int = 0
    device_tracer_level: int = 1
    delay_ms: int | None = None


_running: list[str] = []


def start(logdir: Any, options: ProfilerOptions | None = None) -> None:
    """Start a profile.

    Args:
        logdir: The folder that TensorBoard reads.
        options: How it is taken.

    Raises:
        AlreadyExistsError: one is being taken.
    """
    if _running:
        raise errors.AlreadyExistsError(None, None, "Another profiler is running.")
    folder = os.fspath(logdir)
    chosen = jax.profiler.ProfileOptions()
    if options is not None:
        chosen.host_tracer_level = options.host_tracer_level
        chosen.python_tracer_level = options.python_tracer_level
    jax.profiler.start_trace(folder, profiler_options=chosen)
    _running.append(folder)


def stop(save: bool = True) -> None:
    """Stop the profile, and write it.

    Args:
        save: Accepted; JAX writes it in any case.

    Raises:
        UnavailableError: none is being taken.
    """
    if not _running:
        raise errors.UnavailableError(
            None, None, "Cannot export profiling results. No profiler is running."
        )
    if local.trace.eager:
        flush()
    _running.clear()
    jax.profiler.stop_trace()


class Profile:
    """Take a profile of a block: ``with tf.profiler.experimental.Profile(logdir): …``.

    Args:
        logdir: The folder that TensorBoard reads.
        options: How it is taken.
    """

    def __init__(self, logdir: Any, options: ProfilerOptions | None = None) -> None:
        self._logdir = logdir
        self._options = options

    def __enter__(self) -> Self:
        start(self._logdir, self._options)
        return self

    def __exit__(self, *exception: Any) -> None:
        stop()


class Trace:
    """Mark a block in a profile; with `step_num`, as a training step.

    Args:
        name: Its name.
        **kwargs: What is noted with it: `step_num`, and anything else.
    """

    def __init__(self, name: str, **kwargs: Any) -> None:
        if "step_num" in kwargs:
            self._mark: Any = jax.profiler.StepTraceAnnotation(name, **kwargs)
        else:
            self._mark = jax.profiler.TraceAnnotation(name, **kwargs)

    def __enter__(self) -> Self:
        self._mark.__enter__()
        return self

    def set_metadata(self, **kwargs: Any) -> None:
        """Accept what is to be noted after the block began; JAX notes it at the start only."""

    def __exit__(self, *exception: Any) -> None:
        self._mark.__exit__(*exception)


class server:  # noqa: N801  # TF's name
    """tf.profiler.experimental.server."""

    @staticmethod
    def start(port: int) -> None:
        """Have profiles taken from outside, over a port."""
        _servers.append(jax.profiler.start_server(port))


_servers: list[Any] = []


class client:  # noqa: N801  # TF's name
    """tf.profiler.experimental.client: profiles of other processes are TensorBoard's to take."""

    @staticmethod
    def trace(service_addr: str, logdir: str, duration_ms: int, **kwargs: Any) -> None:
        """Refuse: TensorBoard's own button takes profiles of a server.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            f"tf.profiler.experimental.client.trace: profiles of {service_addr!r} are taken by "
            f"TensorBoard.\n  Fix: press its Capture profile button, or use Profile(logdir) there."
        )

    monitor: Callable[..., Any] = trace
