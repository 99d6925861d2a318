"""What a model does with one batch: the steps that users override, losses and metrics."""

import warnings
from typing import Any

from lamina import ops
from lamina.engine import GradientTape, local, nest
from lamina.keras.core import children
from lamina.keras.core.checks import label
from lamina.keras.training.batches import unpack_x_y_sample_weight
from lamina.keras.training.compiled import CompileMetrics

__all__ = ["Steps"]


class Steps:
    """The part of a Trainer that sees one batch at a time."""

    _lm_untraced = frozenset({"built", "stop_training", "stop_evaluating", "stop_predicting"})
    # Set by compile; found here so that a model that was not compiled has them too.
    optimizer: Any = None
    loss: Any = None
    stop_training = False
    stop_evaluating = False
    stop_predicting = False
    history: Any = None
    compiled = False
    steps_per_execution = 1
    run_eagerly = False
    jit_compile: Any = "auto"
    _lm_compile_loss: Any = None
    _lm_compile_metrics: Any = None
    _lm_loss_tracker: Any = None
    _lm_compile_config: Any = None
    _lm_strategy: Any = None

    # -- steps, for users to override

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train on one batch, and return what the logs show.

        Args:
            data: What the data gives for one batch: `x`, `(x, y)` or `(x, y, sample_weight)`.

        Returns:
            Metric results by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)  # type: ignore[operator]
            loss = self._total_loss(x, y, y_pred, sample_weight, training=True)
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
        weights = self.trainable_weights  # type: ignore[attr-defined]
        if weights and self.optimizer is not None:
            gradients = tape.gradient(scaled, weights)
            self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
        elif not weights:
            warnings.warn(
                f"{label(self)}: it has no trainable weights, so `fit` changes nothing.",
                stacklevel=2,
            )
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluate on one batch, and return what the logs show."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)  # type: ignore[operator]
        self._total_loss(x, y, y_pred, sample_weight, training=False)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """Return the model's output for one batch."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self(x, training=False)  # type: ignore[operator]

    def _total_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        """Return the loss, and note it for the logs with the batch's size as weight."""
        loss: Any = self.compute_loss(
            x=x,
            y=y,
            y_pred=y_pred,
            sample_weight=sample_weight,
            **self._training_for_loss(training),
        )
        self._track_loss(loss, x)
        return loss

    def _track_loss(self, loss: Any, x: Any) -> None:
        """Update the metric "loss", with the size of a batch of `x` as weight."""
        if self._lm_loss_tracker is not None and loss is not None:
            first = next((t for t in nest.flatten(x) if t is not None), None)
            size = ops.cast(ops.shape(first)[0], "float32") if first is not None else None
            replica = local.replica  # whose loss is a share of the whole
            whole = loss if replica is None else loss * replica.num_replicas_in_sync
            self._lm_loss_tracker.update_state(whole, sample_weight=size)

    def _training_for_loss(self, training: bool) -> dict[str, bool]:
        """Return `training` for `compute_loss`, unless a user's override does not take it."""
        code = type(self).compute_loss.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        takes_any = bool(code.co_flags & 0x08)
        return {"training": training} if "training" in names or takes_any else {}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the total loss of a batch: that of `compile`, and the layers' own.

        Args:
            x: The inputs.
            y: The targets.
            y_pred: The model's outputs.
            sample_weight: Weights of the samples, or None.
            training: Whether it is for training.

        Raises:
            ValueError: there is no loss at all.
        """
        losses: list[Any] = []
        if self._lm_compile_loss is not None:
            loss = self._lm_compile_loss(y, y_pred, sample_weight)
            if loss is not None:
                losses.append(loss)
        for extra in self.losses:  # type: ignore[attr-defined]
            extra = ops.reduce_sum(ops.cast(extra, "float32"))
            replica = local.replica
            losses.append(extra if replica is None else extra / replica.num_replicas_in_sync)
        if not losses:
            if self._lm_compile_loss is None and self.compiled and self.loss is None:
                raise ValueError(
                    f"{label(self)}: there is no loss to compute.\n"
                    f"  Fix: pass `loss=` to compile, or call add_loss in a layer."
                )
            return ops.zeros(())
        total = losses[0]
        for extra in losses[1:]:
            total = total + extra
        return total

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        """Update the metrics of `compile` with a batch, and return all results by name."""
        if self._lm_compile_metrics is not None:
            self._lm_compile_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    # -- metrics

    @property
    def metrics(self) -> list[Any]:
        """The metrics: the loss, those of compile, those of the model and its layers."""
        found: list[Any] = []
        if self._lm_loss_tracker is not None:
            found.append(self._lm_loss_tracker)
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            found.extend(m for m in _metrics_of(layer) if not any(m is f for f in found))
        if self._lm_compile_metrics is not None:
            found.append(self._lm_compile_metrics)
        if self._lm_compile_loss is not None:
            found.extend(self._lm_compile_loss.metrics)
        return found

    @property
    def metrics_names(self) -> list[str]:
        """The names of the metrics."""
        return [m.name for m in self.metrics]

    @property
    def metrics_variables(self) -> list[Any]:
        """The variables of the metrics."""
        return [v for m in self.metrics for v in m.variables]

    def reset_metrics(self) -> None:
        """Start all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of all metrics by name."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            result = metric.result()
            if isinstance(result, dict):
                results |= result
            else:
                results[metric.name] = result
        return results

    def _results_in_order(self, logs: dict[str, Any]) -> Any:
        """Return results as a list in Keras' order, loss first, or the only one."""
        names: list[str] = []
        for metric in self.metrics:
            parts = metric.metrics if isinstance(metric, CompileMetrics) else [metric]
            names.extend(m.name for m in parts)
        known = [n for n in dict.fromkeys(names) if n in logs]
        values = [logs[n] for n in [*known, *sorted(set(logs) - set(known))]]
        return values[0] if len(values) == 1 else values

    def _metrics_or_logs(self, logs: Any) -> dict[str, Any]:
        """Return the metrics' results if the step returned those, else the step's own logs."""
        if not isinstance(logs, dict):
            return {"loss": logs}
        flat: dict[str, Any] = {}
        for name, value in logs.items():  # the metrics of `compile` are one that has a dict
            flat |= value if isinstance(value, dict) else {name: value}
        found = self.get_metrics_result()
        return found if set(found) == set(flat) else flat

    def _forget_traced_losses(self) -> None:
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            layer._lm_losses.clear()


def _metrics_of(layer: Any) -> list[Any]:
    return [v for _, v in children(layer) if getattr(type(v), "_tracked_as", None) == "metric"]
