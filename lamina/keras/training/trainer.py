"""Trainer: compile, fit, evaluate, predict, and the steps that users override."""

import warnings
from typing import Any

from lamina import ops
from lamina.engine import GradientTape, Tensor, nest
from lamina.keras import metrics as metrics_module
from lamina.keras import optimizers
from lamina.keras.core import children
from lamina.keras.core.checks import label
from lamina.keras.registry import deserialize_keras_object, serialize_keras_object
from lamina.keras.training import loop
from lamina.keras.training.batches import as_batches, split_validation, unpack_x_y_sample_weight
from lamina.keras.training.compiled import CompileLoss, CompileMetrics
from lamina.keras.training.step import make_step

__all__ = ["Trainer"]


class Trainer:
    """What a Model adds to a Layer for training; see `compile` and `fit`."""

    _lm_untraced = frozenset({"built", "stop_training", "stop_evaluating"})
    # Set by compile; found here so that a model that was not compiled has them too.
    optimizer: Any = None
    loss: Any = None
    stop_training = False
    stop_evaluating = False
    history: Any = None
    compiled = False
    steps_per_execution = 1
    run_eagerly = False
    jit_compile: Any = "auto"
    _lm_compile_loss: Any = None
    _lm_compile_metrics: Any = None
    _lm_loss_tracker: Any = None
    _lm_compile_config: Any = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **kwargs: Any,
    ) -> None:
        """Say how the model is trained.

        Args:
            optimizer: An Optimizer, its name, a config, or an optax transform.
            loss: A loss, its name, or a list or dict of them, one for each output.
            loss_weights: Factors for the outputs' losses.
            metrics: Metrics, their names or functions; "accuracy" fits itself to the output.
            weighted_metrics: Metrics that take the sample weights too.
            run_eagerly: Whether the steps run as Python, for debugging.
            steps_per_execution: How many batches one call of the compiled step runs through.
            jit_compile: Accepted; everything is compiled by XLA.
            auto_scale_loss: Whether mixed_float16 gets a LossScaleOptimizer.
            **kwargs: None are known.

        Raises:
            ValueError: an unknown name, or an unknown argument.
        """
        if kwargs:
            raise ValueError(
                f"{label(self)}: `compile` does not take {sorted(kwargs)}.\n"
                f"  Fix: remove them; see help(tf.keras.Model.compile)."
            )
        found = optimizers.get(optimizer)
        if (
            auto_scale_loss
            and getattr(self, "_policy", None) is not None
            and self._policy.name == "mixed_float16"  # type: ignore[attr-defined]
            and not isinstance(found, optimizers.LossScaleOptimizer)
        ):
            found = optimizers.LossScaleOptimizer(found, name="loss_scale_optimizer")
        own = self.__dict__
        own["optimizer"] = found
        own["loss"] = loss
        own["loss_weights"] = loss_weights
        own["run_eagerly"] = bool(run_eagerly)
        own["steps_per_execution"] = int(steps_per_execution)
        own["jit_compile"] = jit_compile
        own["stop_training"] = False
        own["compiled"] = True
        names = getattr(self, "output_names", None)
        own["_lm_compile_loss"] = (
            None if loss is None else CompileLoss(loss, loss_weights, output_names=names)
        )
        own["_lm_compile_metrics"] = (
            CompileMetrics(metrics, weighted_metrics, output_names=names)
            if metrics is not None or weighted_metrics is not None
            else None
        )
        own["_lm_loss_tracker"] = metrics_module.Mean(name="loss")
        own["_lm_compile_config"] = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self._forget_steps()

    def _forget_steps(self) -> None:
        for name in ("train_function", "test_function", "predict_function"):
            self.__dict__[name] = None

    def _check_compiled(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"{label(self)}: `compile` must be called before `{what}`.\n"
                f"  Fix: model.compile(optimizer=..., loss=...)."
            )

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

    def _total_loss(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Tensor:
        """Return the loss, and note it for the logs with the batch's size as weight."""
        loss = self.compute_loss(
            x=x,
            y=y,
            y_pred=y_pred,
            sample_weight=sample_weight,
            **self._training_for_loss(training),
        )
        if self._lm_loss_tracker is not None and loss is not None:
            first = next((t for t in nest.flatten(x) if t is not None), None)
            size = ops.cast(ops.shape(first)[0], "float32") if first is not None else None
            self._lm_loss_tracker.update_state(loss, sample_weight=size)
        return loss

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
            losses.append(ops.reduce_sum(ops.cast(extra, "float32")))
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
        """The metrics: the loss, those of compile, and those in the model's and layers' attributes."""
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

    def _metrics_or_logs(self, logs: Any) -> dict[str, Any]:
        """Return the metrics' results if the step returned those, else the step's own logs."""
        if not isinstance(logs, dict):
            return {"loss": logs}
        found = self.get_metrics_result()
        return found if set(found) == set(logs) else logs

    def _forget_traced_losses(self) -> None:
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            layer._lm_losses.clear()

    # -- loops

    def make_train_function(self, force: bool = False) -> Any:
        """Return the compiled train step, a function of one batch."""
        return self._step("train", force)

    def make_test_function(self, force: bool = False) -> Any:
        """Return the compiled test step, a function of one batch."""
        return self._step("test", force)

    def make_predict_function(self, force: bool = False) -> Any:
        """Return the compiled predict step, a function of one batch."""
        return self._step("predict", force)

    def _step(self, kind: str, force: bool) -> Any:
        key = f"{kind}_function"
        found = self.__dict__.get(key)
        if found is None or force:
            steps = self.steps_per_execution if kind != "predict" else 1
            method = getattr(self, f"{kind}_step")
            eager = bool(self.run_eagerly)
            found = make_step(method, f"{type(self).__name__}.{kind}_step", eager, steps)
            self.__dict__[key] = found
        return found

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> Any:
        """Train the model.

        Args:
            x: The inputs: arrays or Tensors, lists or dicts of them, a dataset, a generator or a
                `PyDataset` that gives `(x, y)` or `(x, y, sample_weight)`.
            y: The targets, if `x` is arrays.
            batch_size: Samples a step; None is 32 for arrays.
            epochs: The number of the last epoch.
            verbose: 0 silent, 1 a bar, 2 a line an epoch, "auto" 1.
            callbacks: Callbacks.
            validation_split: The share of the samples, from the end, to validate on; in [0, 1).
            validation_data: `(x, y)`, `(x, y, sample_weight)`, or a dataset.
            shuffle: Whether to shuffle arrays at each epoch.
            class_weight: Factors for the loss by class number.
            sample_weight: Factors for the loss, one for each sample.
            initial_epoch: The number of the first epoch.
            steps_per_epoch: Batches an epoch; None is all.
            validation_steps: Batches of validation; None is all.
            validation_batch_size: Samples a validation step; None is `batch_size`.
            validation_freq: Validate every so many epochs, or at the epochs listed (from 1).

        Returns:
            A History: `.history` holds lists of numbers by name, one for each epoch.

        Raises:
            ValueError: the model was not compiled, or the data does not fit together.
        """
        self._check_compiled("fit")
        validation = None
        if validation_split and validation_data is None:
            (x, y, sample_weight), validation_data = split_validation(
                x, y, sample_weight, validation_split
            )
        source = as_batches(
            x,
            y,
            sample_weight,
            batch_size=batch_size,
            shuffle=shuffle,
            class_weight=class_weight,
            steps=steps_per_epoch,
        )
        if validation_data is not None:
            parts = validation_data if isinstance(validation_data, list | tuple) else None
            val = unpack_x_y_sample_weight(tuple(parts)) if parts else (validation_data, None, None)
            validation = as_batches(
                *val,
                batch_size=validation_batch_size or batch_size,
                shuffle=False,
                steps=validation_steps,
            )
        return loop.fit(
            self,
            source,
            validation,
            epochs,
            initial_epoch,
            1 if verbose == "auto" else verbose,
            callbacks,
            steps_per_epoch,
            validation_steps,
            validation_freq,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Return the loss and metrics on data.

        Args:
            x: As in `fit`.
            y: As in `fit`.
            batch_size: Samples a step; None is 32 for arrays.
            verbose: As in `fit`.
            sample_weight: As in `fit`.
            steps: Batches to use; None is all.
            callbacks: Callbacks.
            return_dict: Whether to return results by name.
            **kwargs: None are known.

        Returns:
            The loss, a list `[loss, metric, ...]`, or a dict.
        """
        if kwargs:
            raise ValueError(f"{label(self)}: `evaluate` does not take {sorted(kwargs)}.")
        self._check_compiled("evaluate")
        source = as_batches(x, y, sample_weight, batch_size=batch_size, shuffle=False, steps=steps)
        logs = loop.evaluate(self, source, 1 if verbose == "auto" else verbose, callbacks, steps)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the model's outputs for data, as NumPy arrays.

        Args:
            x: As in `fit`.
            batch_size: Samples a step; None is 32 for arrays.
            verbose: As in `fit`.
            steps: Batches to use; None is all.
            callbacks: Callbacks.
        """
        source = as_batches(x, None, None, batch_size=batch_size, shuffle=False, steps=steps)
        return loop.predict(self, source, 1 if verbose == "auto" else verbose, callbacks, steps)

    # -- one batch

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Train on one batch; returns the loss, a list of results, or a dict."""
        self._check_compiled("train_on_batch")
        return self._on_batch("train", x, y, sample_weight, class_weight, return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Evaluate on one batch; returns the loss, a list of results, or a dict."""
        self._check_compiled("test_on_batch")
        return self._on_batch("test", x, y, sample_weight, None, return_dict)

    def _on_batch(
        self, kind: str, x: Any, y: Any, weight: Any, class_weight: Any, return_dict: bool
    ) -> Any:
        source = as_batches(
            x, y, weight, batch_size=_count(x), shuffle=False, class_weight=class_weight
        )
        batch = next(iter(source.epoch()))
        step = self._step(kind, force=False)
        logs = loop.to_floats(step([batch] if self.steps_per_execution > 1 else batch))
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """Return the model's outputs for one batch, as NumPy arrays."""
        outputs = self._step("predict", force=False)((x,))
        return nest.map_structure(lambda t: t.numpy() if isinstance(t, Tensor) else t, outputs)

    # -- compile's config

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile`, as plain values."""
        if not self.compiled:
            return None
        config = dict(self._lm_compile_config)
        config["optimizer"] = self.optimizer
        return {k: serialize_keras_object(v) for k, v in config.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile the model as `get_compile_config` says, with the optimizer's variables made."""
        given = {
            k: deserialize_keras_object(v) if isinstance(v, dict | list) else v
            for k, v in config.items()
        }
        self.compile(**given)
        if self.optimizer is not None and self.built:  # type: ignore[attr-defined]
            self.optimizer.build(self.trainable_weights)  # type: ignore[attr-defined]


def _count(x: Any) -> int:
    first = next(t for t in nest.flatten(x) if t is not None)
    return len(first)


def _metrics_of(layer: Any) -> list[Any]:
    return [v for _, v in children(layer) if getattr(type(v), "_tracked_as", None) == "metric"]
