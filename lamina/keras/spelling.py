"""Older spellings: what programs for TensorFlow 2.0–2.15 write runs, with one note each."""

import sys
import warnings
from types import FrameType

__all__ = ["forget_notes", "note_older", "users_level"]

_PACKAGE = __name__.split(".", maxsplit=1)[0]
_noted: set[str] = set()


def note_older(what: str, instead: str) -> None:
    """Give a DeprecationWarning at the user's line, once in a process for each spelling.

    Args:
        what: The older spelling, as in "Adam(lr=...)".
        instead: What to write now, as in "learning_rate="; "" if it has no effect.

    Example:
        >>> import warnings
        >>> with warnings.catch_warnings(record=True) as notes:
        ...     warnings.simplefilter("always")
        ...     tf.keras.optimizers.SGD(lr=0.1).learning_rate.numpy()
        np.float32(0.1)
        >>> str(notes[0].message)
        'tf.keras.optimizers.SGD(lr=) is an older spelling; write learning_rate=.'
    """
    if what in _noted:
        return
    _noted.add(what)
    warnings.warn(
        f"{what} is an older spelling"
        + (f"; write {instead}." if instead else " that has no effect; leave it out."),
        DeprecationWarning,
        stacklevel=users_level() + 1,
    )


def users_level() -> int:
    """Return the `stacklevel` of the innermost line outside of lamina, seen from the caller."""
    frame: FrameType | None = sys._getframe(1)
    level = 0
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
        level += 1
    return max(level, 1)


def _is_ours(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__", "").split(".")[0]
    return module in (_PACKAGE, "importlib", "_frozen_importlib")


def forget_notes() -> None:
    """Start anew: each spelling is noted again."""
    _noted.clear()
