"""tf.distribute.experimental: older names, and what TF has not settled."""

from typing import Any

from lamina.distribute import coordinator, partitioners
from lamina.distribute.servers import ParameterServerStrategy
from lamina.distribute.strategies import (
    CentralStorageStrategy,
    MultiWorkerMirroredStrategy,
    TPUStrategy,
)
from lamina.distribute.values import (
    CollectiveCommunication,
    CollectiveHints,
    CommunicationImplementation,
    CommunicationOptions,
    ValueContext,
)

__all__ = [
    "CentralStorageStrategy",
    "CollectiveCommunication",
    "CollectiveHints",
    "CommunicationImplementation",
    "CommunicationOptions",
    "MultiWorkerMirroredStrategy",
    "ParameterServerStrategy",
    "PreemptionCheckpointHandler",
    "PreemptionWatcher",
    "TPUStrategy",
    "TerminationConfig",
    "ValueContext",
    "coordinator",
    "partitioners",
]


class TerminationConfig:
    """What to do when the machine is about to go.

    Args:
        termination_watcher_fn: Returns whether it is.
        exit_fn: Called after the last save.
        grace_period: Seconds between the signal and the end.
        save_fn: Saves, in place of the checkpoint manager.
    """

    def __init__(
        self,
        termination_watcher_fn: Any = None,
        exit_fn: Any = None,
        grace_period: float | None = None,
        save_fn: Any = None,
    ) -> None:
        self.termination_watcher_fn = termination_watcher_fn
        self.exit_fn = exit_fn
        self.grace_period = grace_period
        self.save_fn = save_fn


class PreemptionWatcher:
    """Refused: nothing announces preemptions to a JAX process.

    Raises:
        ValueError: always.
    """

    def __init__(self) -> None:
        raise ValueError(
            "tf.distribute.experimental.PreemptionWatcher: no service announces preemptions "
            "here.\n  Fix: save with keras.callbacks.BackupAndRestore or "
            "tf.train.CheckpointManager, and start again."
        )


class PreemptionCheckpointHandler:
    """Refused, as `PreemptionWatcher`.

    Args:
        cluster_resolver: Unused, as all the others.
        checkpoint_or_checkpoint_manager: Unused.
        checkpoint_dir: Unused.
        termination_config: Unused.

    Raises:
        ValueError: always.
    """

    def __init__(
        self,
        cluster_resolver: Any,
        checkpoint_or_checkpoint_manager: Any,
        checkpoint_dir: Any = None,
        termination_config: Any = None,
    ) -> None:
        raise ValueError(
            "tf.distribute.experimental.PreemptionCheckpointHandler: no service announces "
            "preemptions here.\n  Fix: save with keras.callbacks.BackupAndRestore or "
            "tf.train.CheckpointManager, and start again."
        )
