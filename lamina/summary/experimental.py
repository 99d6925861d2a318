"""tf.summary.experimental: the default step, scopes of names, and ready-made summaries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lamina.engine import convert_to_tensor, name_scope
from lamina.summary.writer import emit, state

__all__ = ["get_step", "set_step", "summary_scope", "write_raw_pb"]


def set_step(step: Any) -> None:
    """Set the step of the summaries that give none.

    Args:
        step: An int, a Tensor, a Variable (its value of then counts), or None for no default.
    """
    state.step = step


def get_step() -> Any:
    """Return the step of the summaries that give none, or None."""
    return state.step


@contextmanager
def summary_scope(
    name: str, default_name: str = "summary", values: Any = None
) -> Iterator[tuple[str, str]]:
    """Open a scope of names for a summary.

    Args:
        name: The summary's name; an empty one is `default_name`.
        default_name: See `name`.
        values: Accepted, unused.

    Returns:
        A context manager of (tag, scope).
    """
    with name_scope(name or default_name) as scope:
        yield scope.rstrip("/"), scope


def write_raw_pb(tensor: Any, step: Any = None, name: str | None = None) -> Any:
    """Write summaries that are protocol buffers already.

    Args:
        tensor: A scalar string: a serialized `Summary`.
        step: As for `tf.summary.scalar`.
        name: Accepted, unused.

    Returns:
        Whether they are written.
    """

    def run(file: Any, at: int, x: Any) -> None:
        from tensorboardX.proto.summary_pb2 import (  # pyright: ignore[reportMissingImports]
            Summary,  # pyright: ignore[reportAttributeAccessIssue]  # made at run time
        )

        data = x if isinstance(x, bytes) else x.item()
        file.file_writer.add_summary(Summary.FromString(data), at)

    return emit(run, [convert_to_tensor(tensor)], step)
