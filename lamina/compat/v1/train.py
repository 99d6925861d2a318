"""tf.compat.v1.train: whether a checkpoint is there."""

import glob
import os
from typing import Any

__all__ = ["checkpoint_exists"]

_ENDINGS = ("", ".index", ".weights.h5", ".keras", ".h5", "-*", ".data-*")


def checkpoint_exists(checkpoint_prefix: Any) -> bool:
    """Return whether there are files of a checkpoint.

    Args:
        checkpoint_prefix: The path that was given to `save`.

    Example:
        >>> tf.compat.v1.train.checkpoint_exists("nowhere/ckpt")
        False
    """
    prefix = glob.escape(os.fspath(checkpoint_prefix))
    return any(glob.glob(prefix + ending) for ending in _ENDINGS)
