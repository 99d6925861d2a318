"""The file `checkpoint` of a folder: which checkpoints there are, and which is the latest."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "CheckpointState",
    "get_checkpoint_state",
    "latest_checkpoint",
    "update_checkpoint_state",
]


@dataclass
class CheckpointState:
    """What the file `checkpoint` says; paths as they can be opened.

    Attributes:
        model_checkpoint_path: The latest checkpoint.
        all_model_checkpoint_paths: All that are kept, oldest first.
        all_model_checkpoint_timestamps: When they were written, in seconds since 1970.
        last_preserved_timestamp: When the last one to be kept for good was written.
    """

    model_checkpoint_path: str = ""
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


_LINE = re.compile(r'^\s*(\w+):\s*(?:"((?:[^"\\]|\\.)*)"|([-+.\deE]+))\s*$')


def get_checkpoint_state(
    checkpoint_dir: Any, latest_filename: str | None = None
) -> CheckpointState | None:
    """Read the file `checkpoint` of a folder.

    Args:
        checkpoint_dir: The folder.
        latest_filename: Another name for the file.

    Returns:
        A `CheckpointState`, or None if there is no such file or no checkpoint in it.

    Example:
        >>> tf.train.get_checkpoint_state("/no/such/folder") is None
        True
    """
    folder = os.fspath(checkpoint_dir)
    try:
        text = Path(folder, latest_filename or "checkpoint").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    state = CheckpointState()
    for found in filter(None, map(_LINE.match, text.splitlines())):
        name, quoted, number = found.groups()
        if name == "model_checkpoint_path" and quoted is not None:
            state.model_checkpoint_path = os.path.join(folder, _unescaped(quoted))
        elif name == "all_model_checkpoint_paths" and quoted is not None:
            state.all_model_checkpoint_paths.append(os.path.join(folder, _unescaped(quoted)))
        elif name == "all_model_checkpoint_timestamps" and number:
            state.all_model_checkpoint_timestamps.append(float(number))
        elif name == "last_preserved_timestamp" and number:
            state.last_preserved_timestamp = float(number)
    return state if state.model_checkpoint_path else None


def latest_checkpoint(checkpoint_dir: Any, latest_filename: str | None = None) -> str | None:
    """Return the path of the latest checkpoint in a folder, for `Checkpoint.restore`.

    Args:
        checkpoint_dir: The folder.
        latest_filename: Another name for the file `checkpoint`.

    Returns:
        The path without ending, or None if there is none.

    Example:
        >>> tf.train.latest_checkpoint("/no/such/folder") is None
        True
    """
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if state is None or not Path(f"{state.model_checkpoint_path}.index").exists():
        return None
    return state.model_checkpoint_path


def update_checkpoint_state(
    folder: str,
    latest: str,
    paths: list[str],
    timestamps: list[float] | None = None,
    preserved: float | None = None,
) -> None:
    """Write the file `checkpoint` of a folder; paths inside the folder are written relative."""

    def shown(path: str) -> str:
        same = os.path.abspath(os.path.dirname(path) or ".") == os.path.abspath(folder)
        name = os.path.basename(path) if same else os.path.abspath(path)
        return name.replace("\\", "\\\\").replace('"', '\\"')

    lines = [f'model_checkpoint_path: "{shown(latest)}"'] if latest else []
    lines += [f'all_model_checkpoint_paths: "{shown(p)}"' for p in paths]
    lines += [f"all_model_checkpoint_timestamps: {t!r}" for t in timestamps or ()]
    if preserved is not None:
        lines.append(f"last_preserved_timestamp: {preserved!r}")
    target = Path(folder, "checkpoint")
    beside = Path(folder, f"checkpoint.tmp-{os.getpid()}")
    beside.write_text("\n".join(lines) + "\n")
    os.replace(beside, target)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
