"""Layers that `model.replace` put in the place of others, which the constructor does not make."""

from typing import Any

from lamina.keras import registry
from lamina.keras.core import paths, replacing

__all__ = ["apply", "notes"]


def notes(model: Any) -> list[list[Any]]:
    """Return (path, config of the layer that is there now) for each replaced layer, in order."""
    found: list[list[Any]] = []
    for prefix, below in [("", model), *paths.named_layers(model)]:
        for path in vars(below).get("_lm_replaced", ()):
            full = f"{prefix}.{path}" if prefix else path
            now = _at(model, full)
            if now is not None:
                found.append([full, registry.serialize_keras_object(now)])
    return found


def _at(model: Any, path: str) -> Any:
    try:
        return paths.match(model, path)[0][1]
    except ValueError:  # replaced with what was around it
        return None


def apply(model: Any, entries: Any, who: str) -> None:
    """Put the layers of `notes` into a model that its constructor made.

    Args:
        model: The model.
        entries: What `notes` returned; other values are left alone.
        who: The function and file, for messages.

    Raises:
        ValueError: the model has no layer at a path.
    """
    if not isinstance(entries, list):
        return
    done: list[str] = []
    for path, config in entries:
        old = _at(model, str(path))
        if old is None:
            raise ValueError(
                f"{who}: a layer that was replaced was expected at {path!r}; the model has none.\n"
                f"  Fix: make the layer in `__init__`, or load with the class that it was saved "
                f"with."
            )
        done.append(str(path))
        if type(old).__name__ == config.get("class_name") and _same(old, config):
            continue
        new = registry.revive(config)
        replacing.replace(model, [(str(path), old)], lambda _, new=new: new)
    if done:
        model.__dict__["_lm_replaced"] = done


def _same(layer: Any, config: Any) -> bool:
    """Return whether a functional model's own config has made the layer already."""
    try:
        return registry.serialize_keras_object(layer)["config"] == config["config"]
    except TypeError:
        return False
