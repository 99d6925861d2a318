"""Folders that `OrbaxCheckpoint` writes: a folder for each step, with variables and a config."""

import json
from pathlib import Path
from typing import Any

from lamina.keras.callbacks import orbax_checkpoint

__all__ = ["config", "restore", "step_of"]

_TREE, _CONFIG = "pytree", "model_config"


def step_of(path: Path) -> Path | None:
    """Return the folder of the last step below a path, or the path if it is one; else None."""
    if (path / _TREE).is_dir():
        return path
    if not path.is_dir():
        return None
    steps = [p for p in path.iterdir() if p.name.isdigit() and (p / _TREE).is_dir()]
    return max(steps, key=lambda p: int(p.name), default=None)


def config(step: Path, who: str) -> dict[str, Any]:
    """Return the config of the model of a step.

    Raises:
        ValueError: the step has weights alone.
    """
    file = step / _CONFIG / "metadata"
    if not file.is_file():
        raise ValueError(
            f"{who}: a checkpoint with the config of a model was expected; {str(step)!r} has its "
            f"weights alone.\n  Fix: make the model and call model.load_weights(…), or save with "
            f"OrbaxCheckpoint(save_weights_only=False)."
        )
    found = json.loads(json.loads(file.read_text())["config"])
    if not isinstance(found, dict):
        raise ValueError(f"{who}: a dict was expected in {str(file)!r}; got {found!r}.")
    return found


def restore(model: Any, step: Path) -> None:
    """Put the variables of a step into a model.

    Raises:
        ImportError: orbax-checkpoint is not installed.
        ValueError: the model has other variables.
    """
    orbax_checkpoint.put(model, orbax_checkpoint.read(step / _TREE))
