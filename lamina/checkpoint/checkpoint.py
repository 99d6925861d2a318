# pyright: reportPrivateUsage=false
"""`tf.train.Checkpoint`: saving and restoring the objects that hang below a root."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from lamina.checkpoint.bundle import write_bundle
from lamina.checkpoint.edges import edges, is_trackable
from lamina.checkpoint.graph import GRAPH_KEY, collect, graph_bytes
from lamina.checkpoint.restoring import InitializationOnlyStatus, attached, restore_below
from lamina.checkpoint.state import update_checkpoint_state
from lamina.engine import Tensor, Variable, errors, init_scope

__all__ = ["Checkpoint", "CheckpointOptions", "write_below"]


class CheckpointOptions:
    """How checkpoints are written; one process writes one file, so none changes the result.

    Args:
        experimental_io_device: Accepted, unused.
        experimental_enable_async_checkpoint: Accepted; files are complete when a call returns.
        experimental_write_callbacks: Functions called after a checkpoint is written, with its path
            if they take an argument.
        enable_async: Accepted, as `experimental_enable_async_checkpoint`.
        experimental_skip_slot_variables: Accepted; slots are variables of the optimizer.
        experimental_sharding_callback: Accepted, unused.
    """

    def __init__(
        self,
        experimental_io_device: Any = None,
        experimental_enable_async_checkpoint: bool = False,
        experimental_write_callbacks: Any = None,
        enable_async: bool = False,
        experimental_skip_slot_variables: bool = False,
        experimental_sharding_callback: Any = None,
    ) -> None:
        self.experimental_io_device = experimental_io_device
        self.enable_async = experimental_enable_async_checkpoint or enable_async
        self.experimental_write_callbacks = experimental_write_callbacks
        self.experimental_skip_slot_variables = experimental_skip_slot_variables
        self.experimental_sharding_callback = experimental_sharding_callback


class ListWrapper(list):
    """A list set on a Checkpoint: items added later are restored too."""

    def __repr__(self) -> str:
        return f"ListWrapper({list(self)!r})"


class _DictWrapper(dict):
    """A dict set on a Checkpoint: items added later are restored too."""


def _changing(base: Any, name: str) -> Any:
    method = getattr(base, name)

    def changed(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        for key in list(self.keys() if base is dict else range(len(self))):
            wrapped = wrap(self[key])
            if wrapped is not self[key]:
                base.__setitem__(self, key, wrapped)
        attached(self)
        return result

    changed.__name__ = name
    return changed


for _name in ("append", "extend", "insert", "__setitem__", "__iadd__"):
    setattr(ListWrapper, _name, _changing(list, _name))
for _name in ("__setitem__", "update", "setdefault", "__ior__"):
    setattr(_DictWrapper, _name, _changing(dict, _name))


def wrap(value: Any) -> Any:
    """Return a list or dict that tells when it gets items; other values as they are."""
    if type(value) is list:
        return ListWrapper(map(wrap, value))
    if type(value) is dict:
        return _DictWrapper({k: wrap(v) for k, v in value.items()})
    return value


class Checkpoint:
    """Saves and restores variables, found by walking the attributes of objects.

    The files are TensorFlow's: a checkpoint of either loads in the other. Values are named by the
    path of attributes from the Checkpoint, `model/dense/bias/.ATTRIBUTES/VARIABLE_VALUE`, and
    found again along the same path, so the program that restores may have more or fewer objects.

    Args:
        root: An object whose attributes count as the Checkpoint's own, or None.
        **kwargs: What to save, by name: variables, tf.Modules, layers, models, optimizers,
            metrics, lookup tables, random generators, dataset iterators, other Checkpoints, lists
            and dicts.

    Attributes:
        save_counter: int64 Variable, the number of `save`s so far.

    Raises:
        ValueError: a value is nothing that can be saved, or `root` has an attribute of its name.

    Example:
        >>> import os, tempfile
        >>> step = tf.Variable(3)
        >>> path = tf.train.Checkpoint(step=step).save(os.path.join(tempfile.mkdtemp(), "ckpt"))
        >>> os.path.basename(path)
        'ckpt-1'
        >>> other = tf.Variable(0)
        >>> _ = tf.train.Checkpoint(step=other).restore(path).assert_consumed()
        >>> int(other)
        3
    """

    _root: Any
    _save_counter: Any

    def __init__(self, root: Any = None, **kwargs: Any) -> None:
        own = self.__dict__
        own["_root"], own["_save_counter"] = root, None
        if root is not None:
            _check("root", root)
        taken = dict(edges(root)) if root is not None else {}
        for name in sorted(kwargs):
            _check(name, kwargs[name])
            held = getattr(root, name, None) if name not in taken else taken[name]
            if root is not None and held is not None and held is not kwargs[name]:
                raise ValueError(
                    f"Cannot create a Checkpoint with keyword argument {name} if root.{name} "
                    f"already exists.\n  Fix: use another name."
                )
            setattr(self, name, kwargs[name])

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, wrap(value))
        attached(self)

    def _checkpoint_edges(self) -> list[tuple[str, Any]]:
        found = [] if self._root is None else list(edges(self._root))
        names = {name for name, _ in found}
        for name, value in self.__dict__.items():
            if name not in names and name not in ("_root", "_save_counter") and is_trackable(value):
                found.append((name, value))
        if self._save_counter is not None:
            found.append(("save_counter", self._save_counter))
        return found

    @property
    def save_counter(self) -> Variable:
        """The number of `save`s so far: an int64 Variable, restored with the rest."""
        counter = self._save_counter
        if counter is None:
            with init_scope():
                counter = Variable(np.int64(0), trainable=False, name="save_counter")
            self.__dict__["_save_counter"] = counter
            attached(self)
        return counter

    def write(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Write a checkpoint under exactly this name; `save` numbers it.

        Args:
            file_prefix: The path, without ending: `PREFIX.index` and
                `PREFIX.data-00000-of-00001` are written.
            options: See `CheckpointOptions`.

        Returns:
            The path, as a string.
        """
        path = _path(file_prefix)
        write_below(self, path)
        for callback in getattr(options, "experimental_write_callbacks", None) or ():
            count = getattr(getattr(callback, "__code__", None), "co_argcount", 1)
            callback(path) if count else callback()
        return path

    def save(self, file_prefix: Any, options: CheckpointOptions | None = None) -> str:
        """Write a checkpoint with the number of the save behind its name.

        The file `checkpoint` in the same folder then names it as the latest.

        Args:
            file_prefix: The path without number and ending.
            options: See `CheckpointOptions`.

        Returns:
            The path with the number, such as "folder/ckpt-1".
        """
        self.save_counter.assign_add(1)
        path = self.write(f"{_path(file_prefix)}-{int(self.save_counter)}", options)
        update_checkpoint_state(os.path.dirname(path) or ".", path, [path])
        return path

    def read(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Read what `write` wrote: `restore` for files without a save counter.

        Args:
            save_path: The path, without ".index".
            options: See `CheckpointOptions`.

        Returns:
            A status; see `restore`.
        """
        return self._restored(save_path)

    def restore(self, save_path: Any, options: CheckpointOptions | None = None) -> Any:
        """Restore the values of a checkpoint, those of objects that come later included.

        Args:
            save_path: A path that `save` or a CheckpointManager returned, the directory of a
                SavedModel, or None: nothing is restored.
            options: See `CheckpointOptions`.

        Returns:
            A status, with `assert_consumed()`, `assert_existing_objects_matched()`,
            `assert_nontrivial_match()` and `expect_partial()`.

        Raises:
            NotFoundError: there is no such checkpoint.
            DataLossError: its files are damaged.
            ValueError: a variable has another shape than its value.
            InvalidArgumentError: a variable has another dtype than its value.
        """
        if save_path is None:
            return InitializationOnlyStatus()
        status = self._restored(save_path)
        assert self.save_counter is not None  # made now, so that it is restored with the others
        return status

    def _restored(self, save_path: Any) -> Any:
        path = _path(save_path)
        inside = Path(path, "variables", "variables")
        if Path(path).is_dir() and inside.with_suffix(".index").exists():
            path = str(inside)
        try:
            return restore_below(self, path, self._root)
        except errors.NotFoundError as error:
            raise errors.NotFoundError(
                f"Error when restoring from checkpoint or SavedModel at {path}: {error}\n"
                f"Please double-check that the path is correct. You may be missing the checkpoint "
                f"suffix (e.g. the '-1' in 'path/to/ckpt-1')."
            ) from None

    def sync(self) -> None:
        """Wait for a save in progress; none ever is."""


def _path(value: Any) -> str:
    """Return a path, which may be a string Tensor, as a string."""
    return os.fsdecode(value.numpy()) if isinstance(value, Tensor) else os.fspath(value)


def _check(name: str, value: Any) -> None:
    if not is_trackable(value):
        raise ValueError(
            f"`Checkpoint` was expecting {name} to be a trackable object (an object derived from "
            f"`Trackable`), got {value}.\n  Fix: wrap a number in tf.Variable(...), and keep an "
            f"object of your own as a tf.Module or a tf.train.experimental.PythonState."
        )


def write_below(root: Any, path: str) -> None:
    """Write all values below a root as a checkpoint.

    Raises:
        FailedPreconditionError: a variable has no value yet.
    """
    found = collect(root)
    tensors = {key: array for node in found for key, array in node.tensors().items()}
    tensors[GRAPH_KEY] = np.array(graph_bytes(found), object)
    write_bundle(path, tensors)
