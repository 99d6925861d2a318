"""The losses and metrics of `compile`, matched to the structure of a model's outputs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import local
from lamina.keras import losses as losses_module
from lamina.keras import metrics as metrics_module
from lamina.keras.core import explaining
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.naming import snake_case

__all__ = ["CompileLoss", "CompileMetrics"]


def _is_many(value: Any) -> bool:
    return isinstance(value, list | tuple | dict) and not (
        isinstance(value, dict) and "class_name" in value
    )


def _outputs(structure: Any, names: Sequence[str] | None) -> list[tuple[str | None, Any]]:
    """Return (name, output) pairs of what a model returned; the name is None for a single one."""
    if isinstance(structure, dict):
        return [
            (path if len(structure) > 1 or inner else str(key), leaf)
            for key in structure
            for inner, leaf in _outputs(structure[key], None)
            for path in [f"{key}/{inner}" if inner else str(key)]
        ]
    if isinstance(structure, list | tuple):
        known = names if names is not None and len(names) == len(structure) else None
        found = []
        for i, item in enumerate(structure):
            base = known[i] if known else f"output_{i}"
            for inner, leaf in _outputs(item, None):
                found.append((f"{base}/{inner}" if inner else base, leaf))
        return found
    return [(names[0] if names is not None and len(names) == 1 else None, structure)]


def _match(what: str, given: Any, outputs: Any, names: Sequence[str] | None) -> list[Any]:
    """Return one entry of `given` for each output, None where there is none.

    Args:
        what: The argument's name, for messages.
        given: One entry for all outputs, or a list or dict of them.
        outputs: What the model returned.
        names: The names of the outputs, or None.
    """
    pairs = _outputs(outputs, names)
    if isinstance(given, dict) and _is_many(given):
        known = [n for n, _ in pairs]
        if isinstance(outputs, dict) or names is not None:
            extra = [
                k for k in given if not any(n == k or str(n).startswith(f"{k}/") for n in known)
            ]
            if extra:
                raise ValueError(
                    f"compile: `{what}` names the outputs {sorted(map(str, extra))}, which the "
                    f"model does not have; it has {known}."
                )
            return [given.get(n) for n in known]
        raise ValueError(
            f"compile: `{what}` is a dict, but the model's outputs have no names.\n"
            f"  Fix: return a dict from `call`, or pass a list."
        )
    if isinstance(given, list | tuple):
        flat = _flat_entries(given, outputs)
        if len(flat) == len(pairs):
            return flat
        raise ValueError(
            f"compile: `{what}` must have one entry for each of the {len(pairs)} outputs; got "
            f"{len(flat)}: {given!r}."
        )
    return [given] * len(pairs)


def _flat_entries(given: Any, outputs: Any) -> list[Any]:
    if _is_many(outputs) and _is_many(given):
        items = list(outputs.values()) if isinstance(outputs, dict) else list(outputs)
        mine = list(given.values()) if isinstance(given, dict) else list(given)
        if len(items) == len(mine):
            return [e for g, o in zip(mine, items, strict=True) for e in _flat_entries(g, o)]
        return mine
    return list(given) if isinstance(given, list | tuple) and len(given) == 1 else [given]


class CompileLoss:
    """The total loss over all outputs.

    Args:
        loss: A loss, its name or a function, for all outputs; or a list or dict of them.
        loss_weights: Factors for the outputs, a number or a list or dict of them.
        output_names: The names of a functional model's outputs, or None.

    Attributes:
        metrics: The mean of each output's loss, if there is more than one output with a loss.
    """

    def __init__(
        self, loss: Any, loss_weights: Any = None, output_names: Sequence[str] | None = None
    ) -> None:
        self._given = loss
        self._weights = loss_weights
        self._names = output_names
        self._losses: list[Any] | None = None
        self._factors: list[float | None] = []
        self.metrics: list[Metric] = []
        if not _is_many(loss):
            self._given = _loss_of(loss)  # an unknown name is an error of compile, not of fit

    def _build(self, y_pred: Any) -> None:
        pairs = _outputs(y_pred, self._names)
        found = [_loss_of(e) for e in _match("loss", self._given, y_pred, self._names)]
        factors = _match("loss_weights", self._weights, y_pred, self._names)
        if sum(f is not None for f in found) > 1:
            self.metrics = [
                metrics_module.Mean(name=f"{name or f'output_{i}'}_loss")
                for i, ((name, _), loss) in enumerate(zip(pairs, found, strict=True))
                if loss is not None
            ]
        wrong = [f for f in factors if f is not None and not np.isscalar(f)]
        if wrong:
            raise ValueError(
                f"compile: `loss_weights` must have one number for each of the {len(pairs)} "
                f"outputs; got {self._weights!r}."
            )
        self._losses, self._factors = found, factors

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the weighted sum of the outputs' losses, or None if no output has one.

        Raises:
            ValueError: the targets do not match the outputs.
        """
        if self._losses is None:
            self._build(y_pred)
        outputs = [leaf for _, leaf in _outputs(y_pred, self._names)]
        targets = _targets("y", y_true, y_pred, outputs)
        weights = _targets("sample_weight", sample_weight, y_pred, outputs)
        trackers = iter(self.metrics)
        total: Any = None
        assert self._losses is not None
        for loss, factor, t, p, w in zip(
            self._losses, self._factors, targets, outputs, weights, strict=True
        ):
            if loss is None:
                continue
            if t is None:
                raise ValueError(
                    "the loss needs targets, but `y` is None for an output that has a loss.\n"
                    "  Fix: pass `y`, or let the data give (x, y)."
                )
            if p is None:
                raise ValueError(_MSG_NO_OUTPUT)
            with _explained("loss", loss, t, p, w):
                value = ops.cast(loss(t, p, w), "float32")
            if self.metrics:
                replica = local.replica  # whose loss is a share of the whole
                whole = value if replica is None else value * replica.num_replicas_in_sync
                next(trackers).update_state(whole)  # a plain mean over batches, as in Keras
            if factor is not None:
                value = value * float(factor)
            total = value if total is None else total + value
        return total


_MSG_NO_OUTPUT = (
    "the loss needs the model's output; `call` returned None.\n"
    "  Fix: return the result at the end of `call`."
)


@contextmanager
def _explained(kind: str, entry: Any, y_true: Any, y_pred: Any, weight: Any) -> Iterator[None]:
    """Let an exception of a loss or metric say which it was, and what it was given."""
    try:
        yield
    except Exception as error:
        named = {"y_true": y_true, "y_pred": y_pred}
        if weight is not None:
            named["sample_weight"] = weight
        explaining.explain_function(error, f'{kind} {type(entry).__name__} "{entry.name}"', named)
        raise


def _loss_of(entry: Any) -> Loss | None:
    """Return an entry of `loss` as a Loss object, None for None."""
    if entry is None:
        return None
    found = losses_module.get(entry)
    if isinstance(found, Loss):
        return found
    return losses_module.LossFunctionWrapper(found, name=getattr(found, "__name__", None))


def _targets(what: str, given: Any, y_pred: Any, outputs: list[Any]) -> list[Any]:
    """Return one target (or weight) for each output."""
    if given is None:
        return [None] * len(outputs)
    if not _is_many(y_pred):
        if isinstance(given, list | tuple) and len(given) == 1:
            return [given[0]]
        return [given]
    if isinstance(given, dict) and isinstance(y_pred, dict):
        missing = [k for k in y_pred if k not in given]
        if missing and what == "y":
            given = {**given, **dict.fromkeys(missing)}
        return [
            t for k in y_pred for t in _targets(what, given.get(k), y_pred[k], _leaves(y_pred[k]))
        ]
    if isinstance(given, list | tuple | dict):
        flat = list(given.values()) if isinstance(given, dict) else list(given)
        items = list(y_pred.values()) if isinstance(y_pred, dict) else list(y_pred)
        if len(flat) == len(items):
            return [
                t
                for g, p in zip(flat, items, strict=True)
                for t in _targets(what, g, p, _leaves(p))
            ]
    elif what == "sample_weight":
        return [given] * len(outputs)  # one weight for all outputs
    raise ValueError(
        f"`{what}` must match the model's {len(outputs)} outputs; got "
        f"{len(given) if isinstance(given, list | tuple | dict) else type(given).__name__}.\n"
        f"  Fix: give a list or dict with one entry for each output."
    )


def _leaves(structure: Any) -> list[Any]:
    return [leaf for _, leaf in _outputs(structure, None)]


class CompileMetrics:
    """The metrics of `compile`, made when the first batch shows the outputs.

    Args:
        metrics: Metrics, names or functions: a list for all outputs, or a list or dict of lists.
        weighted_metrics: Likewise; these take the sample weights.
        output_names: The names of a functional model's outputs, or None.
    """

    name = "compile_metrics"
    _tracked_as = "metric"

    def __init__(
        self, metrics: Any, weighted_metrics: Any = None, output_names: Sequence[str] | None = None
    ) -> None:
        self._given = (metrics, weighted_metrics)
        self._names = output_names
        # For each output: its name, its metrics, and its weighted metrics.
        self._slots: list[tuple[str | None, list[Metric], list[Metric]]] | None = None

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs; none before the first batch."""
        return [m for _, plain, weighted in self._slots or [] for m in (*plain, *weighted)]

    @property
    def variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for m in self.metrics for v in m.variables]

    def _build(self, y_true: Any, y_pred: Any) -> None:
        pairs = _outputs(y_pred, self._names)
        targets = _targets("y", y_true, y_pred, [p for _, p in pairs])
        rows = [self._per_output(given, y_pred, len(pairs)) for given in self._given]
        self._slots = [
            (
                name,
                [_metric_of(m, t, p) for m in plain],
                [_metric_of(m, t, p) for m in weighted],
            )
            for (name, p), t, plain, weighted in zip(pairs, targets, *rows, strict=True)
        ]

    def _per_output(self, given: Any, y_pred: Any, count: int) -> list[list[Any]]:
        """Return the list of entries for each output."""
        if given is None:
            return [[] for _ in range(count)]
        if count == 1 and not isinstance(given, dict):
            flat = given if isinstance(given, list | tuple) else [given]
            inner = flat[0] if len(flat) == 1 and isinstance(flat[0], list | tuple) else flat
            return [[m for m in inner if m is not None]]
        if (
            isinstance(given, list | tuple)
            and not any(isinstance(m, list | tuple | dict) or m is None for m in given)
            and len(given) != count
        ):
            raise ValueError(
                f"compile: `metrics` must have one entry for each of the {count} outputs; got "
                f"{given!r}.\n  Fix: pass a list of {count} lists, or a dict by output."
            )
        if isinstance(given, dict):
            found = _match("metrics", given, y_pred, self._names)
        else:
            found = list(given) if isinstance(given, list | tuple) else [given] * count
        return [
            []
            if e is None
            else [m for m in e if m is not None]
            if isinstance(e, list | tuple)
            else [e]
            for e in found
        ]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics with a batch."""
        if self._slots is None:
            self._build(y_true, y_pred)
        outputs = [leaf for _, leaf in _outputs(y_pred, self._names)]
        targets = _targets("y", y_true, y_pred, outputs)
        weights = _targets("sample_weight", sample_weight, y_pred, outputs)
        assert self._slots is not None
        for (_, plain, weighted), t, p, w in zip(
            self._slots, targets, outputs, weights, strict=True
        ):
            for metric in plain:
                with _explained("metric", metric, t, p, None):
                    metric.update_state(t, p, sample_weight=_mask_of(p))
            for metric in weighted:
                with _explained("metric", metric, t, p, w):
                    metric.update_state(t, p, sample_weight=_mask_of(p) if w is None else w)

    def result(self) -> dict[str, Any]:
        """Return the results by name; with several outputs the output's name comes first."""
        slots = self._slots or []
        found: dict[str, Any] = {}
        for name, plain, weighted in slots:
            prefix = f"{name}_" if len(slots) > 1 and name else ""
            for i, metric in enumerate((*plain, *weighted)):
                key = prefix + metric.name
                if i >= len(plain) and key in found:
                    key = f"{prefix}weighted_{metric.name}"
                unique, count = key, 1
                while unique in found:
                    unique, count = f"{key}_{count}", count + 1
                result = metric.result()
                found |= result if isinstance(result, dict) else {unique: result}
        return found

    def reset_state(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()


def _mask_of(y_pred: Any) -> Any:
    mask = getattr(y_pred, "_keras_mask", None)
    return None if mask is None else ops.cast(mask, "float32")


_SHAPED = {
    "accuracy": ("binary_accuracy", "sparse_categorical_accuracy", "categorical_accuracy"),
    "crossentropy": (
        "binary_crossentropy",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
    ),
}
_SHAPED |= {"acc": _SHAPED["accuracy"], "ce": _SHAPED["crossentropy"]}


def _metric_of(entry: Any, y_true: Any, y_pred: Any) -> Metric:
    """Return an entry of `metrics` as a Metric; "accuracy" fits itself to the shapes."""
    if isinstance(entry, Metric):
        return entry
    shown = entry if isinstance(entry, str) else snake_case(getattr(entry, "__name__", "metric"))
    if isinstance(entry, str) and entry.lower() in _SHAPED:
        binary, sparse, categorical = _SHAPED[entry.lower()]
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if pred[-1:] == (1,) or len(pred) == 0:
            chosen = binary
        elif len(true) < len(pred) or true[-1:] == (1,):
            chosen = sparse
        else:
            chosen = categorical
        function = metrics_module.get(chosen)
        if isinstance(function, Metric):
            function.name = entry
            return function
        return metrics_module.MeanMetricWrapper(function, name=entry)
    found = metrics_module.get(entry)
    if isinstance(found, Metric):
        if isinstance(entry, str):
            found.name = shown
        return found
    return metrics_module.MeanMetricWrapper(found, name=shown)
