"""The `.keras` archive."""

from typing import Any


def save_model(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save a model."""
    raise NotImplementedError


def load_model(
    filepath: Any, custom_objects: Any = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Load a model."""
    raise NotImplementedError
