"""The `.weights.h5` file."""

from typing import Any


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save the weights."""
    raise NotImplementedError


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Load the weights."""
    raise NotImplementedError
