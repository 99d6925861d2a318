"""BackupAndRestore: training that goes on where it was interrupted."""

import io
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.position import random_state, set_random_state

__all__ = ["BackupAndRestore", "Resume"]

_WEIGHTS, _NOTES, _STATE = "latest.weights.h5", "training_metadata.json", "training_state.npz"
_OLD = ".bkp"


@dataclass
class Resume:
    """Where `fit` goes on; the callback leaves it on the model as `_lm_resume`.

    Attributes:
        epoch: The epoch.
        done: Its batches that were trained on.
        source: The position of the data when the epoch began, or None.
        settle: Restores the random numbers and metrics; to be called after `done` batches of the
            epoch were skipped.
    """

    epoch: int
    done: int
    source: Any
    settle: Callable[[], None]


class BackupAndRestore(Callback):
    """Saves the state of training, and has the next `fit` go on from there.

    What is restored: the weights, the optimizer, the epoch and the batch, the metrics of the
    epoch so far, all random numbers, and the position in the data: arrays, `PyDataset`s and
    `tf.data.Dataset`s go on with the batch that would have come next, in the order of the
    interrupted run. A generator starts anew. At the end of training the files are removed.

    Args:
        backup_dir: The folder of the files; one for each model.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: Whether the state before the last one is kept too, for files that were
            damaged.
        delete_checkpoint: Whether the files are removed at the end of training.

    Raises:
        ValueError: `backup_dir` is empty, or `save_freq` is something else; the model is not
            built when `fit` starts.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> backup = tf.keras.callbacks.BackupAndRestore(getfixture("tmp_path") / "backup")
        >>> history = model.fit(np.ones([4, 2]), np.ones(4), callbacks=[backup], verbose=0)
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: Any = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: `backup_dir` must be a folder; got an empty one.")
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f'BackupAndRestore: `save_freq` must be "epoch" or a number of batches; got '
                f"{save_freq!r}."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq: Any = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._done = 0  # batches of the epoch
        self._since = 0  # batches since the last save
        self._source: Any = None  # the data's position when the epoch began

    # -- restoring

    def on_train_begin(self, logs: Any = None) -> None:
        """Restore what was saved, if anything was."""
        if not self.model.built:
            raise ValueError(
                f"BackupAndRestore: the model {self.model.name!r} must be built before fit; it is "
                f"not.\n  Fix: call it on a batch of data first."
            )
        self._since = 0
        if not os.path.exists(self._path(_WEIGHTS)):
            return
        try:
            self._restore("")
        except (OSError, ValueError, KeyError):
            if not os.path.exists(self._path(_WEIGHTS + _OLD)):
                raise
            self._restore(_OLD)

    def _restore(self, ending: str) -> None:
        model = self.model
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        # The file is loaded under a name that load_weights takes.
        weights = self._path(_WEIGHTS)
        if ending:
            shutil.copyfile(weights + ending, weights)
        model.load_weights(weights)
        with open(self._path(_NOTES + ending), encoding="utf-8") as file:
            notes = json.load(file)
        own = notes.get("lamina")
        if own is None:  # the file is of Keras
            model.__dict__["_lm_resume"] = Resume(notes["epoch"], 0, None, lambda: None)
            return
        with np.load(self._path(_STATE + ending), allow_pickle=False) as state:
            arrays = {name: state[name] for name in state.files}

        def settle() -> None:
            for name, variable in self._more_state().items():
                is_stale = name.startswith("metric") and not own["done"]  # of the epoch before
                if name in arrays and not is_stale:
                    variable.assign(arrays[name])
            set_random_state(own["random"])

        model.__dict__["_lm_resume"] = Resume(notes["epoch"], own["done"], own["source"], settle)

    def _more_state(self) -> dict[str, Any]:
        """Return the variables that weight files leave out: random states and metrics."""
        weights = {id(v) for v in self.model.weights}
        metrics = self.model.metrics_variables
        known = weights | {id(v) for v in metrics}
        seeds = [v for v in self.model.variables if id(v) not in known]
        named = {f"seed_{i}": v for i, v in enumerate(seeds)}
        return named | {f"metric_{i}": v for i, v in enumerate(metrics)}

    # -- saving

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch, and where its data begins."""
        resume = self.model.__dict__.get("_lm_resume")
        self._epoch = epoch
        if resume is not None and resume.epoch == epoch and resume.done:
            self._done, self._source = resume.done, resume.source
        else:
            self._done, self._source = 0, self._data_position()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save if enough batches have passed."""
        self._since += batch + 1 - self._done
        self._done = batch + 1
        if self.save_freq != "epoch" and self._since >= self.save_freq:
            self._since = 0
            self._save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save at the end of the epoch."""
        self._epoch, self._done = epoch + 1, 0
        self._source = self._data_position()
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs: Any = None) -> None:
        """Remove the files."""
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)

    def _data_position(self) -> Any:
        source = self.model.__dict__.get("_lm_source")
        return None if source is None else source.position()

    def _save(self) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint:
            for name in (_WEIGHTS, _NOTES, _STATE):
                if os.path.exists(self._path(name)):
                    shutil.copyfile(self._path(name), self._path(name + _OLD))
        state = io.BytesIO()
        np.savez(state, **{k: v.numpy() for k, v in self._more_state().items()})
        notes = {
            "epoch": self._epoch,
            "batch": max(self._done - 1, 0),
            "lamina": {"done": self._done, "source": self._source, "random": random_state()},
        }
        self.model.save_weights(self._path(_WEIGHTS), overwrite=True)
        self._write(_STATE, state.getvalue())
        self._write(_NOTES, json.dumps(notes).encode())

    def _write(self, name: str, content: bytes) -> None:
        """Write a file that takes the place of the older one in one step."""
        part = self._path(f".{name}.part")
        with open(part, "wb") as file:
            file.write(content)
        os.replace(part, self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self.backup_dir, name)
