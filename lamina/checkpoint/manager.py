"""`tf.train.CheckpointManager`: which checkpoints a folder keeps, and waiting for new ones."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lamina.checkpoint.checkpoint import Checkpoint, CheckpointOptions
from lamina.checkpoint.state import (
    get_checkpoint_state,
    latest_checkpoint,
    update_checkpoint_state,
)

__all__ = ["CheckpointManager", "checkpoints_iterator"]


class CheckpointManager:
    """Saves numbered checkpoints in a folder and deletes the oldest ones.

    What the folder holds already is taken over from its file `checkpoint`.

    Args:
        checkpoint: The `tf.train.Checkpoint` to save.
        directory: The folder; it is made when the first checkpoint is saved.
        max_to_keep: How many checkpoints to keep; None keeps all.
        keep_checkpoint_every_n_hours: Keep for good one checkpoint of each such time.
        checkpoint_name: What files are called before their number.
        step_counter: A variable that counts steps; needed by `checkpoint_interval`.
        checkpoint_interval: Save only when that many steps have passed since the last one.
        init_fn: A function without arguments, for `restore_or_initialize` without a checkpoint.
        last_checkpoint_step: The step of the last checkpoint, where saving goes on.

    Raises:
        ValueError: `max_to_keep` is below 1, or `checkpoint_interval` without `step_counter`.

    Example:
        >>> import tempfile
        >>> v = tf.Variable(1.0)
        >>> manager = tf.train.CheckpointManager(
        ...     tf.train.Checkpoint(v=v), tempfile.mkdtemp(), max_to_keep=2
        ... )
        >>> paths = [manager.save() for _ in range(3)]
        >>> manager.checkpoints == paths[1:]
        True
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        directory: Any,
        max_to_keep: int | None,
        keep_checkpoint_every_n_hours: float | None = None,
        checkpoint_name: str = "ckpt",
        step_counter: Any = None,
        checkpoint_interval: int | None = None,
        init_fn: Callable[[], Any] | None = None,
        last_checkpoint_step: int | None = None,
    ) -> None:
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(
                f"Expected a positive integer or `None` for `max_to_keep`, got {max_to_keep}."
            )
        if checkpoint_interval is not None and step_counter is None:
            raise ValueError(
                "`step_counter` should be passed if `checkpoint_interval` is not None.\n"
                "  Fix: CheckpointManager(..., step_counter=optimizer.iterations)."
            )
        self._checkpoint = checkpoint
        self._directory = os.fspath(directory)
        self._max_to_keep = max_to_keep
        self._hours = keep_checkpoint_every_n_hours
        self._prefix = os.path.join(self._directory, checkpoint_name)
        self._step_counter = step_counter
        self._interval = checkpoint_interval
        self._init_fn = init_fn
        self._last_step = last_checkpoint_step
        self._kept: dict[str, float] = {}  # when each was written
        self._latest: str | None = None
        self._preserved = time.time()
        self._take_over()

    def _take_over(self) -> None:
        state = get_checkpoint_state(self._directory)
        if state is None:
            return
        paths = state.all_model_checkpoint_paths
        # Without times they are of `Checkpoint.save`, and not the manager's to delete, as in TF.
        times = state.all_model_checkpoint_timestamps
        self._latest = state.model_checkpoint_path
        self._preserved = state.last_preserved_timestamp or self._preserved
        self._kept = {
            path: when
            for path, when in zip(paths, times, strict=False)
            if Path(f"{path}.index").exists()
        }

    @property
    def checkpoint(self) -> Checkpoint:
        """The `tf.train.Checkpoint`."""
        return self._checkpoint

    @property
    def directory(self) -> str:
        """The folder."""
        return self._directory

    @property
    def checkpoint_interval(self) -> int | None:
        """The least number of steps between checkpoints, or None."""
        return self._interval

    @property
    def checkpoints(self) -> list[str]:
        """The paths of the checkpoints kept, oldest first; those kept for good are left out."""
        return list(self._kept)

    @property
    def latest_checkpoint(self) -> str | None:
        """The path of the latest checkpoint, or None."""
        return self._latest

    def save(
        self,
        checkpoint_number: Any = None,
        check_interval: bool = True,
        options: CheckpointOptions | None = None,
    ) -> str | None:
        """Save a checkpoint, and delete those that are too many.

        Args:
            checkpoint_number: The number behind the name, an int or a scalar Tensor or Variable;
                None takes the Checkpoint's `save_counter`.
            check_interval: Whether to leave it out if `checkpoint_interval` is not over.
            options: See `CheckpointOptions`.

        Returns:
            The path, or None if it was left out.
        """
        step = None if self._step_counter is None else int(self._step_counter)
        if self._interval is not None and step is not None:
            too_early = self._last_step is not None and step < self._last_step + self._interval
            if check_interval and too_early:
                return None
            self._last_step = step
        counter = self._checkpoint.save_counter.assign_add(1)
        number = int(counter if checkpoint_number is None else checkpoint_number)
        path = self._checkpoint.write(f"{self._prefix}-{number}", options)
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._latest = path
        self._sweep()
        self._write_state()
        return path

    def _sweep(self) -> None:
        """Delete the oldest checkpoints that are too many, but for those to keep for good."""
        if self._max_to_keep is None:
            return
        while len(self._kept) > self._max_to_keep:
            oldest = next(iter(self._kept))
            written = self._kept.pop(oldest)
            if self._hours and written - self._hours * 3600 >= self._preserved:
                self._preserved = written
                continue
            folder, name = os.path.split(oldest)
            for file in Path(folder or ".").iterdir():
                if file.name == f"{name}.index" or file.name.startswith(f"{name}.data-"):
                    file.unlink(missing_ok=True)

    def _write_state(self) -> None:
        update_checkpoint_state(
            self._directory,
            self._latest or "",
            list(self._kept),
            list(self._kept.values()),
            self._preserved,
        )

    def restore_or_initialize(self) -> str | None:
        """Restore the latest checkpoint, or call `init_fn` if there is none.

        Returns:
            The path of the checkpoint restored, or None.
        """
        if self._latest is not None:
            self._checkpoint.restore(self._latest)
            if self._last_step is None and self._step_counter is not None:
                self._last_step = int(self._step_counter)
            return self._latest
        if self._init_fn is not None:
            self._init_fn()
        return None

    def sync(self) -> None:
        """Wait for a save in progress; none ever is."""


def checkpoints_iterator(
    checkpoint_dir: Any,
    min_interval_secs: float = 0,
    timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:
    """Yield the path of each new checkpoint of a folder as another program saves it.

    Args:
        checkpoint_dir: The folder.
        min_interval_secs: The least time from one checkpoint to the next.
        timeout: How many seconds to wait for a new one; None waits for ever.
        timeout_fn: Called when the time is over; it ends if this returns True, else goes on. None
            ends it.

    Yields:
        Paths for `Checkpoint.restore`.
    """
    seen = None
    while True:
        found = _wait_for_new(checkpoint_dir, seen, timeout)
        if found is None:
            if timeout_fn is None or timeout_fn():
                return
            continue
        seen, start = found, time.time()
        yield found
        time.sleep(max(0.0, start + min_interval_secs - time.time()))


def _wait_for_new(folder: Any, seen: str | None, timeout: float | None) -> str | None:
    end = None if timeout is None else time.time() + timeout
    while True:
        found = latest_checkpoint(folder)
        if found is not None and found != seen:
            return found
        left = 1.0 if end is None else min(1.0, end - time.time())
        if left <= 0:
            return None
        time.sleep(left)
