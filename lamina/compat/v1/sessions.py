"""Sessions as programs for TensorFlow 2 still make them, to set options of a GPU."""

from typing import Any

__all__ = ["ConfigProto", "GPUOptions", "InteractiveSession", "Session"]


class GPUOptions:
    """Options of a GPU's memory; JAX reads XLA_PYTHON_CLIENT_PREALLOCATE and …_MEM_FRACTION.

    Args:
        **options: Accepted, unused.
    """

    def __init__(self, **options: Any) -> None:
        self.allow_growth = False
        self.per_process_gpu_memory_fraction = 1.0
        vars(self).update(options)


class ConfigProto:
    """Options of a session: kept, and unused.

    Args:
        **options: Accepted, unused.

    Example:
        >>> config = tf.compat.v1.ConfigProto()
        >>> config.gpu_options.allow_growth = True
    """

    def __init__(self, **options: Any) -> None:
        self.gpu_options = GPUOptions()
        vars(self).update(options)


class Session:
    """A session with nothing to run: operations run at once.

    Args:
        target: Accepted, unused.
        graph: Accepted, unused.
        config: Accepted, unused.

    Example:
        >>> session = tf.compat.v1.InteractiveSession(config=tf.compat.v1.ConfigProto())
        >>> session.close()
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self._options = (target, graph, config)

    def run(self, fetches: Any, feed_dict: Any = None, **options: Any) -> Any:
        """Refuse: there is no graph.

        Args:
            fetches: Accepted, unused.
            feed_dict: Accepted, unused.
            **options: Accepted, unused.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "tf.compat.v1.Session.run: out of scope (TensorFlow 1): the session's graph is empty, "
            "operations run at once.\n"
            "  Fix: call the functions directly; tensor.numpy() gives a value."
        )

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "Session":
        """Return the session."""
        return self

    def __exit__(self, *error: object) -> None:
        """Do nothing."""


class InteractiveSession(Session):
    """The same; see `Session`."""
