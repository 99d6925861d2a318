"""The metrics of `compile`, matched to the structure of a model's outputs."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.keras import metrics as metrics_module
from lamina.keras.metrics import Metric
from lamina.keras.naming import snake_case
from lamina.keras.training import structure
from lamina.keras.training.shaped import SHAPED, explained, fitting_name
from lamina.keras.training.total import CompileLoss

__all__ = ["CompileLoss", "CompileMetrics"]


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
        # For each output: its path and name, its metrics, and its weighted metrics.
        self._slots: list[tuple[structure.Path, str | None, list[Metric], list[Metric]]] | None = (
            None
        )

    @property
    def metrics(self) -> list[Metric]:
        """The metrics of all outputs; none before the first batch."""
        return [m for _, _, plain, weighted in self._slots or [] for m in (*plain, *weighted)]

    @property
    def variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for m in self.metrics for v in m.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Make the metrics, for targets and outputs of one batch.

        Raises:
            ValueError: they do not match the outputs.
        """
        names = self._output_names(y_pred)
        y_true = structure.aligned("y", y_true, y_pred, self._names)
        plain, weighted = (
            self._per_output(what, given, y_pred, list(names.values()))
            for what, given in zip(("metrics", "weighted_metrics"), self._given, strict=True)
        )
        self._slots = [
            (
                path,
                name if len(names) > 1 else None,
                [_metric_of(m, structure.at(y_true, path), structure.at(y_pred, path)) for m in a],
                [_metric_of(m, structure.at(y_true, path), structure.at(y_pred, path)) for m in b],
            )
            for (path, name), a, b in zip(names.items(), plain, weighted, strict=True)
        ]

    def _output_names(self, y_pred: Any) -> dict[structure.Path, str | None]:
        """Return each output's name by its path: the key in a dict, else the model's name."""
        paths = [path for path, _ in structure.leaves(y_pred)]
        if not isinstance(y_pred, dict) or any(len(path) > 1 for path in paths):
            return structure.named_leaves(y_pred, self._names)
        keys = list(y_pred)
        if self._names is not None and set(self._names) == set(keys):
            return {(name,): name for name in self._names}
        return {path: str(path[0]) for path in paths}

    def _per_output(
        self, what: str, given: Any, y_pred: Any, names: list[str | None]
    ) -> list[list[Any]]:
        """Return the list of entries for each output, in the order of their names."""
        count = len(names)
        if not given:
            return [[] for _ in names]
        if count == 1:
            return [[m for _, m in structure.leaves(given) if m is not None]]
        is_flat = structure.is_many(y_pred) and len(y_pred) == count
        is_list = isinstance(given, list | tuple)
        entries: Any = None
        if is_flat and is_list and len(given) == count:
            entries = given
        elif is_flat and isinstance(given, dict) and all(key in names for key in given):
            entries = [given.get(name) for name in names]
        elif not is_list or len(given) != 1 or is_flat:
            entries = _nested(given, y_pred)
        if entries is None:
            raise ValueError(
                f"compile: `{what}` must have one entry for each of the {count} outputs"
                f"{'' if None in names else f', {names}'}; got {given!r}.\n"
                f"  Fix: pass a list of {count} lists, or a dict by output."
            )
        return [_as_list(entry) for entry in entries]

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update all metrics with a batch."""
        if self._slots is None:
            self.build(y_true, y_pred)
        y_true = structure.aligned("y", y_true, y_pred, self._names)
        weights = structure.aligned("sample_weight", sample_weight, y_pred, self._names)
        assert self._slots is not None
        for path, _, plain, weighted in self._slots:
            t, p, w = (structure.at(s, path) for s in (y_true, y_pred, weights))
            for metric in plain:
                with explained("metric", metric, t, p, None):
                    metric.update_state(t, p, sample_weight=_mask_of(p))
            for metric in weighted:
                with explained("metric", metric, t, p, w):
                    metric.update_state(t, p, sample_weight=_mask_of(p) if w is None else w)

    def result(self) -> dict[str, Any]:
        """Return the results by name; with several outputs the output's name comes first."""
        slots = self._slots or []
        found: dict[str, Any] = {}
        for _, name, plain, weighted in slots:
            prefix = f"{name}_" if name else ""
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


def _nested(given: Any, y_pred: Any) -> list[Any] | None:
    """Return the entries of metrics in the structure of the outputs, None if it is another."""
    if not structure.is_many(y_pred):
        return [given]
    if isinstance(y_pred, dict):
        if not isinstance(given, dict) or set(given) != set(y_pred):
            return None
    elif not isinstance(given, list | tuple) or len(given) != len(y_pred):
        return None
    keys = dict.fromkeys(path[0] for path, _ in structure.leaves(y_pred))
    found = [_nested(given[key], y_pred[key]) for key in keys]
    return None if None in found else [entry for part in found if part for entry in part]


def _as_list(entry: Any) -> list[Any]:
    entries = entry if isinstance(entry, list | tuple) else [entry]
    return [m for m in entries if m is not None]


def _metric_of(entry: Any, y_true: Any, y_pred: Any) -> Metric:
    """Return an entry of `metrics` as a Metric; "accuracy" fits itself to the shapes."""
    if isinstance(entry, Metric):
        return entry
    shown = entry if isinstance(entry, str) else snake_case(getattr(entry, "__name__", "metric"))
    if isinstance(entry, str) and entry.lower() in SHAPED:
        function = metrics_module.get(fitting_name(SHAPED[entry.lower()], y_true, y_pred))
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
