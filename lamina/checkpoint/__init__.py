"""Object-based checkpoints in TensorFlow's files: `tf.train`.

Bottom to top: wire, table and bundle (the files), packing, edges and graph (what is followed and
how it is called), older, restoring, state, checkpoint, manager, reader.
"""

from lamina.checkpoint.checkpoint import Checkpoint, CheckpointOptions, write_below
from lamina.checkpoint.edges import PythonState
from lamina.checkpoint.manager import CheckpointManager, checkpoints_iterator
from lamina.checkpoint.reader import (
    CheckpointView,
    TrackableView,
    list_variables,
    load_checkpoint,
    load_variable,
)
from lamina.checkpoint.restoring import restore_below
from lamina.checkpoint.state import (
    CheckpointState,
    get_checkpoint_state,
    latest_checkpoint,
)

__all__ = [
    "Checkpoint",
    "CheckpointManager",
    "CheckpointOptions",
    "CheckpointState",
    "CheckpointView",
    "PythonState",
    "TrackableView",
    "checkpoints_iterator",
    "get_checkpoint_state",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "restore_below",
    "write_below",
]
