"""What models for TensorFlow 2.0–2.15 are called with to train, and Keras 3 does not know."""

from typing import Any

from lamina.keras.spelling import note_older

__all__ = ["OlderTraining", "drop_older", "refuse_unknown"]

# They ask for nothing here: batches come from one thread, and there is one way to run a step.
_UNUSED = {
    "distribute",
    "experimental_run_tf_function",
    "max_queue_size",
    "sample_weight_mode",
    "use_multiprocessing",
    "workers",
}


def drop_older(who: str, kwargs: dict[str, Any]) -> None:
    """Take out older arguments that have no effect, with one note each.

    Args:
        who: The method, for the note.
        kwargs: Arguments that the method does not know; changed.
    """
    for word in sorted(_UNUSED & kwargs.keys()):
        del kwargs[word]
        note_older(f"{who}({word}=)", "")


def refuse_unknown(who: str, kwargs: dict[str, Any]) -> None:
    """Raise for arguments that are not even older ones.

    Args:
        who: The method.
        kwargs: Arguments that the method does not know; changed.

    Raises:
        TypeError: one is left.
    """
    drop_older(who, kwargs)
    if kwargs:
        raise UnknownArgumentError(
            f"{who}: the arguments of Keras 3 were expected; got {sorted(kwargs)} too.\n"
            f"  Fix: remove them; see help(tf.keras.{who})."
        )


class UnknownArgumentError(TypeError, ValueError):
    """An argument that a method does not take."""


class CompiledMetrics:
    """The metrics of `compile`, as train steps for TensorFlow 2.2–2.15 update them.

    Args:
        model: The model.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def metrics(self) -> list[Any]:
        """The metrics, in order."""
        held = self._model._lm_compile_metrics
        return [] if held is None else list(held.metrics)

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Update the metrics with a batch.

        Args:
            y: The targets.
            y_pred: The model's outputs.
            sample_weight: Weights of the samples, or None; for `weighted_metrics` alone.
        """
        held = self._model._lm_compile_metrics
        if held is not None:
            held.update_state(y, y_pred, sample_weight)

    def reset_state(self) -> None:
        """Start the metrics anew."""
        for metric in self.metrics:
            metric.reset_state()


class OlderTraining:
    """What a Model's own steps call, and the methods that read generators, before Keras 3."""

    def compiled_loss(
        self, y: Any, y_pred: Any, sample_weight: Any = None, regularization_losses: Any = None
    ) -> Any:
        """Return the loss of a batch: the older spelling of `compute_loss`.

        As in TensorFlow 2, the metric "loss" is updated with it.

        Args:
            y: The targets.
            y_pred: The model's outputs.
            sample_weight: Weights of the samples, or None.
            regularization_losses: Accepted, unused, as in Keras 3: the layers' losses are added.
        """
        note_older("Model.compiled_loss", "compute_loss(y=y, y_pred=y_pred)")
        loss = self.compute_loss(None, y, y_pred, sample_weight)  # type: ignore[attr-defined]
        self._track_loss(loss, y_pred)  # type: ignore[attr-defined]
        return loss

    @property
    def compiled_metrics(self) -> CompiledMetrics:
        """The metrics of `compile`, to be updated by a train step of one's own."""
        note_older("Model.compiled_metrics", "compute_metrics(x, y, y_pred, sample_weight)")
        return CompiledMetrics(self)

    def fit_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """Train on a generator: the older spelling of `fit`.

        Args:
            generator: A generator, a dataset or a `PyDataset` of ``(x, y)``.
            *args: `steps_per_epoch`, `epochs`, `verbose`, `callbacks`, `validation_data`,
                `validation_steps`, `validation_freq`, `class_weight`, in this order.
            **kwargs: The same by name, and other arguments of `fit`.

        Returns:
            A History, as `fit` returns.
        """
        note_older("Model.fit_generator", "fit")
        return self.fit(generator, **{**_named(_FIT, args), **kwargs})  # type: ignore[attr-defined]

    def evaluate_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate on a generator: the older spelling of `evaluate`.

        Args:
            generator: As in `fit_generator`.
            *args: `steps`, `callbacks`.
            **kwargs: The same by name, and other arguments of `evaluate`.

        Returns:
            What `evaluate` returns.
        """
        note_older("Model.evaluate_generator", "evaluate")
        given = {"verbose": 0, **_named(_EVALUATE, args), **kwargs}
        return self.evaluate(generator, **given)  # type: ignore[attr-defined]

    def predict_generator(self, generator: Any, *args: Any, **kwargs: Any) -> Any:
        """Predict on a generator: the older spelling of `predict`.

        Args:
            generator: A generator, a dataset or a `PyDataset` of ``x`` or ``(x, y)``.
            *args: `steps`, `callbacks`.
            **kwargs: The same by name, and other arguments of `predict`.

        Returns:
            What `predict` returns.
        """
        note_older("Model.predict_generator", "predict")
        given = {"verbose": 0, **_named(_EVALUATE, args), **kwargs}
        return self.predict(generator, **given)  # type: ignore[attr-defined]

    def reset_states(self) -> None:
        """Set the states of stateful recurrent layers to zero."""
        note_older("Model.reset_states", "layer.reset_state() for each recurrent layer")
        for layer in self._flatten_layers(include_self=False):  # type: ignore[attr-defined]
            if hasattr(layer, "reset_state"):
                layer.reset_state()


_FIT = (
    "steps_per_epoch",
    "epochs",
    "verbose",
    "callbacks",
    "validation_data",
    "validation_steps",
    "validation_freq",
    "class_weight",
)
_EVALUATE = ("steps", "callbacks")


def _named(names: tuple[str, ...], args: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(names, args, strict=False))
