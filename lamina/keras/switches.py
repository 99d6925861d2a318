"""Switches that hold for the whole process, and the version."""

import os
from typing import Any

__all__ = [
    "VERSION",
    "disable_flash_attention",
    "disable_traceback_filtering",
    "enable_flash_attention",
    "enable_traceback_filtering",
    "is_flash_attention_enabled",
    "is_nnx_enabled",
    "is_traceback_filtering_enabled",
    "limited_steps",
    "max_epochs",
    "max_steps_per_epoch",
    "set_backend",
    "set_max_epochs",
    "set_max_steps_per_epoch",
    "version",
]

VERSION = "3.15.0"  # Keras' version whose API this is


def _from_environment(name: str) -> int | None:
    value = os.environ.get(name)
    return int(value) if value else None


class _Switches:
    flash_attention: bool | None = None
    traceback_filtering = True
    max_epochs = _from_environment("KERAS_MAX_EPOCHS")
    max_steps_per_epoch = _from_environment("KERAS_MAX_STEPS_PER_EPOCH")


def version() -> str:
    """Return the version of Keras whose API this is.

    Example:
        >>> tf.keras.version()
        '3.15.0'
    """
    return VERSION


def set_backend(backend: str) -> None:
    """Accept "tensorflow" or "jax": programs of this API run on JAX and XLA in any case.

    Args:
        backend: The name.

    Raises:
        ValueError: another name.

    Example:
        >>> tf.keras.config.set_backend("tensorflow")
    """
    if backend not in ("tensorflow", "jax"):
        raise ValueError(
            f"set_backend: `backend` must be 'tensorflow' or 'jax'; got {backend!r}.\n"
            f"  Fix: leave the call out; there is one backend, XLA."
        )


def is_nnx_enabled() -> bool:
    """Return False: layers are modules of their own kind, not of Flax NNX.

    Example:
        >>> tf.keras.config.is_nnx_enabled()
        False
    """
    return False


def enable_flash_attention() -> None:
    """Say that attention may use a fused kernel; XLA uses one where it can in any case.

    Example:
        >>> tf.keras.config.enable_flash_attention()
        >>> tf.keras.config.is_flash_attention_enabled()
        True
    """
    _Switches.flash_attention = True


def disable_flash_attention() -> None:
    """Say that attention should use no fused kernel; see `enable_flash_attention`."""
    _Switches.flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """Return what was said of fused attention kernels, None if nothing was."""
    return _Switches.flash_attention


def enable_traceback_filtering() -> None:
    """Accept that tracebacks leave out internal frames; errors name the user's line anyway.

    Example:
        >>> tf.keras.config.enable_traceback_filtering()
        >>> tf.keras.config.is_traceback_filtering_enabled()
        True
    """
    _Switches.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Accept that tracebacks show all frames; they do in any case."""
    _Switches.traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """Return what was said of tracebacks; True if nothing was."""
    return _Switches.traceback_filtering


def _limit(who: str, what: str, value: Any) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value <= 0):
        raise ValueError(f"{who}: `{what}` must be a positive int or None; got {value!r}.")
    return value


def max_epochs() -> int | None:
    """Return the most epochs that a `fit` runs, None for no limit.

    The environment variable KERAS_MAX_EPOCHS sets it too.
    """
    return _Switches.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Bound the epochs of each `fit`, to try a program out.

    Args:
        max_epochs: A positive int, or None for no limit.

    Raises:
        ValueError: it is something else.

    Example:
        >>> tf.keras.config.set_max_epochs(2)
        >>> tf.keras.config.max_epochs()
        2
        >>> tf.keras.config.set_max_epochs(None)
    """
    _Switches.max_epochs = _limit("set_max_epochs", "max_epochs", max_epochs)


def max_steps_per_epoch() -> int | None:
    """Return the most steps of an epoch, None for no limit.

    The environment variable KERAS_MAX_STEPS_PER_EPOCH sets it too.
    """
    return _Switches.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bound the steps of each epoch of `fit`, `evaluate` and `predict`, to try a program out.

    Args:
        max_steps_per_epoch: A positive int, or None for no limit.

    Raises:
        ValueError: it is something else.

    Example:
        >>> tf.keras.config.set_max_steps_per_epoch(5)
        >>> tf.keras.config.max_steps_per_epoch()
        5
        >>> tf.keras.config.set_max_steps_per_epoch(None)
    """
    _Switches.max_steps_per_epoch = _limit(
        "set_max_steps_per_epoch", "max_steps_per_epoch", max_steps_per_epoch
    )


def limited_steps(steps: int | None, size: int | None) -> int | None:
    """Return the steps of an epoch within `max_steps_per_epoch`.

    Args:
        steps: The steps asked for, or None for all.
        size: How many there are, or None where nobody knows.
    """
    limit = _Switches.max_steps_per_epoch
    asked = steps or size
    return steps if limit is None or (asked is not None and asked <= limit) else limit
