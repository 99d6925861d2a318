"""CompileLoss: the losses of `compile`, matched to the structure of a model's outputs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina import ops
from lamina.engine import local
from lamina.keras import losses as losses_module
from lamina.keras import metrics as metrics_module
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.training import structure
from lamina.keras.training.shaped import SHAPED, explained, fitting_name

__all__ = ["CompileLoss"]


class _Part(NamedTuple):
    """One loss: of which output (or structure of outputs), times what, under which name."""

    path: structure.Path
    loss: Loss
    factor: Any
    name: str


class CompileLoss:
    """The total loss over all outputs.

    Args:
        loss: A loss, its name or a function, for each output; or a structure of them like that of
            the outputs. A list in the place of one output holds several losses for it, and a loss
            in the place of several outputs gets their structure.
        loss_weights: Factors, a number or a structure of them.
        output_names: The names of a functional model's outputs, or None.

    Attributes:
        metrics: The mean of each loss, if there is more than one.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None
    ) -> None:
        self._given = loss
        self._weights = loss_weights
        self._names = output_names
        self._parts: list[_Part] | None = None
        self.metrics: list[Metric] = []
        if not structure.is_many(loss) and not _is_shaped(loss):
            self._given = _loss_of(loss)  # an unknown name is an error of compile, not of fit

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Find the losses, for targets and outputs of one batch.

        Raises:
            ValueError: there are more or fewer losses or weights than outputs.
            KeyError: `loss` has an entry where the outputs have none.
        """
        given = structure.by_output("loss", self._given, y_pred, self._names)
        weights = self._weights
        if structure.is_many(given) or not structure.is_many(y_pred):
            weights = structure.by_output("loss_weights", weights, y_pred, self._names)
        names = structure.named_leaves(y_pred, self._names)
        keys = list(y_pred) if isinstance(y_pred, dict) else [n for n in names.values() if n]
        found = _Finder(names, "_".join(map(str, keys)))
        if not structure.is_many(given):
            found.add_to_all(given, self._of_all(y_pred), y_true, y_pred)
        elif not structure.is_many(y_pred) and len(given) != 1:
            raise ValueError(
                f"compile: `loss` must have one entry for the model's 1 output; got "
                f"{len(given)}: {self._given!r}."
            )
        else:
            found.add(given, weights, (), y_true, y_pred)
        self._parts = found.parts
        if len(self._parts) > 1:
            self.metrics = [metrics_module.Mean(name=f"{p.name}_loss") for p in self._parts]

    def _of_all(self, y_pred: Any) -> list[Any]:
        """Return the factor of each output for one loss that all have."""
        weights, paths = self._weights, structure.leaves(y_pred)
        if not structure.is_many(weights):
            return [weights] * len(paths)
        weights = structure.by_output("loss_weights", weights, y_pred, self._names)
        if not structure.is_many(y_pred):
            weights = weights[0] if structure.is_many(weights) and len(weights) == 1 else weights
            if structure.is_many(weights):
                raise ValueError(_wrong_weights(1, self._weights))
            return [weights]
        given = dict(structure.leaves(structure.aligned("loss_weights", weights, y_pred)))
        return [given.get(path) for path, _ in paths]

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the weighted sum of the outputs' losses, or None if no output has one.

        Raises:
            ValueError: the targets do not match the outputs.
        """
        y_true = self._targets(y_true, y_pred)
        if self._parts is None:
            self.build(y_true, y_pred)
        weights = structure.aligned("sample_weight", sample_weight, y_pred, self._names)
        trackers = iter(self.metrics)
        total: Any = None
        assert self._parts is not None
        for path, loss, factor, _ in self._parts:
            t, p, w = (structure.at(s, path) for s in (y_true, y_pred, weights))
            if t is None:
                raise ValueError(_MSG_NO_TARGET)
            if p is None:
                raise ValueError(_MSG_NO_OUTPUT)
            with explained("loss", loss, t, p, w):
                value = ops.cast(loss(t, p, w), "float32")
            if self.metrics:
                replica = local.replica  # whose loss is a share of the whole
                whole = value if replica is None else value * replica.num_replicas_in_sync
                next(trackers).update_state(whole)  # a plain mean over batches, as in Keras
            if factor is not None:
                value = value * (float(factor) if np.ndim(factor) == 0 else factor)
            total = value if total is None else total + value
        return total

    def _targets(self, y_true: Any, y_pred: Any) -> Any:
        """Return the targets in the structure of the outputs; some may be without."""
        try:
            return structure.aligned("y", y_true, y_pred, self._names)
        except ValueError:
            # Targets for the outputs that have a loss alone.
            paths = [path for path, entry in structure.leaves(self._given) if entry is not None]
            given = [leaf for _, leaf in structure.leaves(y_true)]
            if len(given) != len(paths) or not structure.is_many(self._given):
                raise
        placed = dict(zip(paths, given, strict=True))
        flat = [placed.get(path) for path, _ in structure.leaves(self._given)]
        return structure.aligned("y", flat, y_pred, self._names)


class _Finder:
    """Pairs losses with outputs.

    Args:
        names: The name of each output by its path.
        whole: The name of all outputs together.
    """

    def __init__(self, names: dict[structure.Path, str | None], whole: str) -> None:
        self.names = names
        self.whole = whole
        self.parts: list[_Part] = []

    def add_to_all(self, entry: Any, factors: list[Any], y_true: Any, y_pred: Any) -> None:
        """Add one loss to each output."""
        for (path, p), factor in zip(structure.leaves(y_pred), factors, strict=True):
            self._add_one(entry, factor, path, structure.at(y_true, path), p)

    def add(self, given: Any, weights: Any, path: structure.Path, y_true: Any, y_pred: Any) -> None:
        """Add a structure of losses for what stands at a path."""
        if given is None:
            return
        if not structure.is_many(given):
            self._add_one(given, weights, path, y_true, y_pred)
            return
        factors = structure.weights_for(weights, given)
        is_list = isinstance(given, list | tuple)
        places = structure.leaves(y_pred)
        if is_list and len(given) == len(places) and not any(map(structure.is_many, given)):
            for i, (below, p) in enumerate(places):
                true = structure.at(y_true, below)
                self.add(given[i], factors[i], path + below, true, p)
        elif is_list and not isinstance(y_pred, type(given)):  # several losses for one output
            for i, entry in enumerate(given):
                self.add(entry, factors[i], path, y_true, y_pred)
        elif is_list and not path and len(given) > len(y_pred):
            raise ValueError(
                f"compile: `loss` must have one entry for each of the {len(y_pred)} outputs; got "
                f"{len(given)}: {given!r}."
            )
        else:
            for key, entry in enumerate(given) if is_list else given.items():
                if entry is not None:
                    below = _below(y_pred, key, (*path, key))
                    true = structure.at(y_true, (key,))
                    self.add(entry, factors[key], (*path, key), true, below)

    def _add_one(
        self, entry: Any, factor: Any, path: structure.Path, y_true: Any, y_pred: Any
    ) -> None:
        if structure.is_many(factor):
            raise ValueError(_wrong_weights(1, factor))
        loss = _loss_of(entry, y_true, y_pred)
        if loss is not None:
            self.parts.append(_Part(path, loss, factor, self._name(path, loss)))

    def _name(self, path: structure.Path, loss: Loss) -> str:
        """Return the name of the output at a path, or of all outputs below it."""
        parts = path
        if path in self.names:
            own = self.names[path] or loss.name
            parts = (own,) if not path else (*path[:-1], own if _is_index(path[-1]) else path[-1])
        return "/".join(map(str, parts)) if parts else self.whole or loss.name


def _is_index(key: Any) -> bool:
    return isinstance(key, int)


def _below(y_pred: Any, key: Any, path: structure.Path) -> Any:
    has = structure.is_many(y_pred) and (
        key in y_pred if isinstance(y_pred, dict) else _is_index(key) and key < len(y_pred)
    )
    if not has:
        shown = "/".join(map(str, path))
        paths = ["/".join(map(str, p)) for p, _ in structure.leaves(y_pred)]
        raise KeyError(
            f"compile: `loss` has an entry at {shown!r}, where the model's outputs have none; "
            f"there they have {paths}."
        )
    return y_pred[key]


_MSG_NO_TARGET = (
    "the loss needs targets, but `y` is None for an output that has a loss.\n"
    "  Fix: pass `y`, or let the data give (x, y)."
)
_MSG_NO_OUTPUT = (
    "the loss needs the model's output; `call` returned None.\n"
    "  Fix: return the result at the end of `call`."
)


def _wrong_weights(count: int, given: Any) -> str:
    return (
        f"compile: `loss_weights` must have one number for each of the {count} outputs; got "
        f"{given!r}."
    )


def _is_shaped(entry: Any) -> bool:
    return isinstance(entry, str) and SHAPED.get(entry.lower()) is SHAPED["crossentropy"]


def _loss_of(entry: Any, y_true: Any = None, y_pred: Any = None) -> Loss | None:
    """Return an entry of `loss` as a Loss object, None for None."""
    if entry is None:
        return None
    if _is_shaped(entry):
        found = losses_module.get(fitting_name(SHAPED["crossentropy"], y_true, y_pred))
    else:
        found = losses_module.get(entry)
    if isinstance(found, Loss):
        return found
    name = entry if isinstance(entry, str) else getattr(found, "__name__", None)
    return losses_module.LossFunctionWrapper(found, name=name)
