"""OrbaxCheckpoint: checkpoints in Orbax' format, written in the background."""

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from lamina.keras.callbacks.monitor import Monitor
from lamina.keras.console import show

__all__ = ["OrbaxCheckpoint", "put", "read"]

_PARTS = (
    "trainable_variables",
    "non_trainable_variables",
    "optimizer_variables",
    "metrics_variables",
)


class OrbaxCheckpoint(Monitor):
    """Saves the state of training with Orbax. It needs the package orbax-checkpoint.

    Each step is a folder in `directory` that holds `pytree`, the variables as a tree by their
    paths, and `model_config`. `load_model` and `load_weights` take the folder, or that of a step.

    Args:
        directory: The folder.
        monitor: The result that tells which is best.
        verbose: 1 prints each save.
        save_best_only: Whether to save only what is better than all before.
        mode: "auto", "min" or "max".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: What the result must be better than from the start, or None.
        max_to_keep: How many steps are kept; None keeps all.
        save_on_background: Whether files are written while training goes on.
        save_weights_only: Whether optimizer, metrics and config are left out.

    Raises:
        ImportError: orbax-checkpoint is not installed.
        ValueError: `save_freq` or `mode` is something else.
    """

    def __init__(
        self,
        directory: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not isinstance(save_freq, int):
            raise ValueError(
                f'OrbaxCheckpoint: `save_freq` must be "epoch" or a number of batches; got '
                f"{save_freq!r}."
            )
        self._orbax = _orbax()
        self.directory = os.path.abspath(os.fspath(directory))
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq: Any = save_freq
        self.best = initial_value_threshold
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._manager: Any = None
        self._since = 0
        self._last = 0
        self._batches = 0  # trained on so far: the step of saves by batch

    @property
    def checkpointer(self) -> Any:
        """The `orbax.checkpoint.CheckpointManager`."""
        if self._manager is None:
            options = self._orbax.CheckpointManagerOptions(
                max_to_keep=self.max_to_keep,
                enable_async_checkpointing=self.save_on_background,
                create=True,
            )
            self._manager = self._orbax.CheckpointManager(
                self.directory, options=options, item_names=("pytree", "model_config")
            )
        return self._manager

    def on_train_begin(self, logs: Any = None) -> None:
        """Go on counting from the optimizer's steps; the folder is there, whatever is saved."""
        os.makedirs(self.directory, exist_ok=True)
        optimizer = self.model.optimizer
        self._batches = int(optimizer.iterations.numpy()) if optimizer is not None else 0
        self._since = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Count the epoch's batches from 0."""
        self._last = 0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save if enough batches have passed."""
        if self.save_freq == "epoch":
            return
        new = batch + 1 - self._last
        self._last = batch + 1
        self._since += new
        self._batches += new
        if self._since >= self.save_freq:
            self._since = 0
            self._save_if_better(self._batches, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Save at the end of the epoch."""
        if self.save_freq == "epoch":
            self._save_if_better(epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Wait until all files are written."""
        if self._manager is not None:
            self._manager.wait_until_finished()
            self._manager.close()
            self._manager = None

    _abandon = on_train_end

    def wait_until_finished(self) -> None:
        """Wait until all files are written."""
        if self._manager is not None:
            self._manager.wait_until_finished()

    def restore(self, model: Any = None, step: int | None = None) -> int:
        """Put a saved state into a model.

        Args:
            model: A built model; None takes the callback's own.
            step: The step; None takes the last one.

        Returns:
            The step.

        Raises:
            FileNotFoundError: nothing is saved in the folder.
            ValueError: the model has other variables.
        """
        target = self.model if model is None else model
        self.wait_until_finished()
        found = self.checkpointer.latest_step() if step is None else step
        if found is None:
            raise FileNotFoundError(
                f"OrbaxCheckpoint: there is no checkpoint in {self.directory!r}."
            )
        args = self._orbax.args
        tree = self.checkpointer.restore(found, args=args.Composite(pytree=args.StandardRestore()))[
            "pytree"
        ]
        put(target, tree)
        return found

    def _save_if_better(self, step: int, logs: Any) -> None:
        if self.save_best_only:
            value = self._value(logs)
            if value is None or not self._is_better(value, self.best):
                return
            self.best = value
        if self.verbose:
            show(f"OrbaxCheckpoint: saving step {step} to {self.directory}")
        args = self._orbax.args
        parts = _PARTS[:2] if self.save_weights_only else _PARTS
        found = _variables(self.model)
        tree = {part: _tree(found[part]) for part in parts}
        items = {"pytree": args.StandardSave(tree)}
        if not self.save_weights_only:
            items["model_config"] = args.JsonSave({"config": self.model.to_json()})
        self.checkpointer.save(step, args=args.Composite(**items), force=True)


def read(folder: Any) -> dict[str, Any]:
    """Return the tree of arrays that a step saved in a folder.

    Raises:
        ImportError: orbax-checkpoint is not installed.
    """
    with _orbax().StandardCheckpointer() as checkpointer:
        return checkpointer.restore(os.path.abspath(folder))


def put(model: Any, tree: dict[str, Any]) -> None:
    """Assign the arrays of a tree to a model's variables, and to its optimizer's.

    Raises:
        ValueError: the model has other variables.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not optimizer.built:
        optimizer.build(model.trainable_variables)
    for part, variables in _variables(model).items():
        if tree.get(part) is not None:
            _assign(part, variables, tree[part])


def _orbax() -> Any:
    try:
        import orbax.checkpoint as orbax  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError(
            "OrbaxCheckpoint: it needs orbax-checkpoint, which is not installed.\n"
            "  Fix: pip install orbax-checkpoint"
        ) from None
    return orbax


def _variables(model: Any) -> dict[str, list[Any]]:
    optimizer = model.optimizer
    found = (
        model.trainable_variables,
        model.non_trainable_variables,
        [] if optimizer is None else optimizer.variables,
        model.metrics_variables,
    )
    return {part: list(variables) for part, variables in zip(_PARTS, found, strict=True)}


def _places(variables: Iterable[Any]) -> Iterable[tuple[list[str], Any]]:
    """Yield the path in the tree of each variable; paths that two have get a number."""
    seen: dict[str, int] = {}
    for v in variables:
        path = getattr(v, "path", None) or v.name
        count = seen.get(path, 0)
        seen[path] = count + 1
        yield (path if not count else f"{path}_{count}").split("/"), v


def _tree(variables: Iterable[Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, v in _places(variables):
        place = tree
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = np.asarray(v.numpy())
    return tree


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Return the arrays of a tree by their paths."""
    if not isinstance(tree, dict):
        return {path: tree}
    return {p: v for name, below in tree.items() for p, v in _leaves(below, (*path, name)).items()}


def _place(path: tuple[str, ...], leaves: dict[tuple[str, ...], Any]) -> tuple[str, ...]:
    """Return where the array of a variable stands.

    A model that is made from its config builds its layers before they are in it: paths, and what
    an optimizer makes of them, may then lack the model's name in front.
    """
    if path in leaves:
        return path
    near = [p for p in leaves if _is_end(p, path) or _is_end(path, p)]
    return near[0] if len(near) == 1 else path


def _is_end(whole: tuple[str, ...], end: tuple[str, ...]) -> bool:
    """Return whether a path has another at its end: "net/d/kernel" or "sgd/net_d_kernel"."""
    if whole[-len(end) :] == end:
        return True
    return whole[:-1] == end[:-1] and whole[-1].endswith(f"_{end[-1]}")


def _assign(part: str, variables: list[Any], tree: dict[str, Any]) -> None:
    places = list(_places(variables))
    tops = {path[0] for path, _ in places}
    depths = [{len(path) for path in _leaves(tree)}, {len(path) for path, _ in places}]
    if len(tops) == len(tree) == 1 and depths[0] == depths[1]:
        # One model, one optimizer: it may be called "adam_1" now.
        tree = dict(zip(tops, tree.values(), strict=True))
    leaves = _leaves(tree)
    for path, v in places:
        value = leaves.get(_place(tuple(path), leaves))
        if value is None or tuple(np.shape(value)) != tuple(v.shape):
            held = "nothing" if value is None else f"shape {np.shape(value)}"
            raise ValueError(
                f"OrbaxCheckpoint: {part} must hold {'/'.join(path)!r} of shape {v.shape}; it "
                f"holds {held}.\n  Fix: make the same model, with the same names."
            )
        v.assign(np.asarray(value))
