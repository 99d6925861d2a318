"""Trainer: compile, fit, evaluate, predict, and the steps that users override."""

import warnings
from typing import Any

from lamina.engine import Tensor, local, nest
from lamina.keras import metrics as metrics_module
from lamina.keras import optimizers
from lamina.keras.core.checks import label
from lamina.keras.core.module import watchers
from lamina.keras.registry import deserialize_keras_object, serialize_keras_object
from lamina.keras.training import loop
from lamina.keras.training.base import Steps
from lamina.keras.training.batches import as_batches, split_validation, unpack_x_y_sample_weight
from lamina.keras.training.compiled import CompileLoss, CompileMetrics
from lamina.keras.training.older import OlderTraining, drop_older, refuse_unknown
from lamina.keras.training.state_tree import StateTree
from lamina.keras.training.step import make_step

__all__ = ["Trainer"]


class Trainer(Steps, StateTree, OlderTraining):
    """What a Model adds to a Layer for training; see `compile` and `fit`."""

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
            **kwargs: Older arguments without effect: `experimental_run_tf_function`, `distribute`.

        Raises:
            ValueError: an unknown name, or an unknown argument.
        """
        drop_older("Model.compile", kwargs)
        if kwargs:
            raise ValueError(
                f"{label(self)}: `compile` does not take {sorted(kwargs)}.\n"
                f"  Fix: remove them; see help(tf.keras.Model.compile)."
            )
        found: Any = optimizers.get(optimizer)
        if (
            auto_scale_loss
            and getattr(self, "_policy", None) is not None
            and self._policy.name == "mixed_float16"  # type: ignore[attr-defined]
            and not isinstance(found, optimizers.LossScaleOptimizer)
        ):
            found = optimizers.LossScaleOptimizer(found, name="loss_scale_optimizer")
        own = self.__dict__
        own["optimizer"] = found
        for watch in watchers:  # a checkpoint that was loaded before may have its state
            watch(self)
        own["loss"] = loss
        own["loss_weights"] = loss_weights
        own["run_eagerly"] = bool(run_eagerly)
        own["steps_per_execution"] = int(steps_per_execution)
        own["jit_compile"] = jit_compile
        own["stop_training"] = False
        own["compiled"] = True
        held = local.distribution  # a strategy of several replicas trains the model on all of them
        own["_lm_strategy"] = held[0] if held and held[0].num_replicas_in_sync > 1 else None
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
            if self._lm_strategy is not None:
                method = self._lm_strategy.step_of_model(self, method)
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
        **kwargs: Any,
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
            **kwargs: Older arguments without effect: `workers`, `max_queue_size`,
                `use_multiprocessing`.

        Returns:
            A History: `.history` holds lists of numbers by name, one for each epoch.

        Raises:
            ValueError: the model was not compiled, or the data does not fit together.
        """
        if kwargs:
            refuse_unknown("Model.fit", kwargs)
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
            **kwargs: Older arguments without effect, as in `fit`.

        Returns:
            The loss, a list `[loss, metric, ...]`, or a dict.
        """
        if kwargs:
            refuse_unknown("Model.evaluate", kwargs)
        self._check_compiled("evaluate")
        source = as_batches(x, y, sample_weight, batch_size=batch_size, shuffle=False, steps=steps)
        logs = loop.evaluate(self, source, 1 if verbose == "auto" else verbose, callbacks, steps)
        return logs if return_dict else self._results_in_order(logs)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Return the model's outputs for data, as NumPy arrays.

        Batches whose outputs differ in more than their number of samples give a `tf.RaggedTensor`.

        Args:
            x: As in `fit`.
            batch_size: Samples a step; None is 32 for arrays.
            verbose: As in `fit`.
            steps: Batches to use; None is all.
            callbacks: Callbacks.
            **kwargs: Older arguments without effect, as in `fit`.
        """
        if kwargs:
            refuse_unknown("Model.predict", kwargs)
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
        self.reset_metrics()
        logs = loop.to_floats(step([batch] if self.steps_per_execution > 1 else batch))
        return logs if return_dict else self._results_in_order(logs)

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
        """Compile the model as `get_compile_config` says, with the optimizer's variables made.

        A class with a `compile` of its own is left as it is, after a warning: which arguments
        that took is not known. It can define this method as well.
        """
        if type(self).compile is not Trainer.compile:
            warnings.warn(
                f"{label(self)}: `compile` was not called while the model was loaded or cloned, "
                f"since its class has a `compile` of its own.\n"
                f"  Fix: call it; or define get_compile_config and compile_from_config.",
                stacklevel=3,
            )
            return
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
