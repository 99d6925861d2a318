"""Distiller: a model that trains its student beside a frozen teacher."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, nest
from lamina.keras import losses, metrics, registry
from lamina.keras.core.checks import label
from lamina.keras.models import Model

__all__ = ["Distiller"]


@registry.builtin("keras.distillation")
class Distiller(Model):
    """Trains a student on labels and on what a teacher gives for the same inputs.

    The loss is ``w · student_loss + (1 - w) · Σ wᵢ · distillation_lossᵢ``.

    Args:
        teacher: A trained model; it is frozen, and called with `training=False`.
        student: The model to train; take it from the attribute of this name afterwards.
        distillation_losses: One DistillationLoss, or several.
        distillation_loss_weights: A weight wᵢ for each of several; None is 1 for all.
        student_loss_weight: The weight w in [0, 1] of the labels' loss.
        name: The name.
        **kwargs: As for `tf.keras.Model`.

    Call:
        inputs: What the student takes.

    Returns:
        What the student gives.

    Raises:
        ValueError: an argument is none of these, or the models' inputs or outputs differ.

    Example:
        >>> def net(units):
        ...     return tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(units)])
        >>> distiller = tf.keras.distillation.Distiller(
        ...     net(2), net(2), tf.keras.distillation.LogitsDistillation()
        ... )
        >>> distiller.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(True))
        >>> history = distiller.fit(np.ones((4, 3)), np.zeros(4), verbose=0)
        >>> distiller.student(tf.ones([1, 3])).shape
        TensorShape([1, 2])

    Reference: Hinton et al. 2015, https://arxiv.org/abs/1503.02531, section 2.
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str | None = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        for what, model in (("teacher", teacher), ("student", student)):
            if not isinstance(model, Model):
                raise ValueError(
                    f"{label(self)}: `{what}` must be a tf.keras.Model; got {model!r} "
                    f"({type(model).__name__})."
                )
        for what in ("inputs", "outputs"):
            self._check_alike(what, teacher, student)
        if not isinstance(student_loss_weight, int | float) or not 0 <= student_loss_weight <= 1:
            raise ValueError(
                f"{label(self)}: `student_loss_weight` must be a number between 0.0 and 1.0; got "
                f"{student_loss_weight!r}."
            )
        if distillation_losses is None:
            raise ValueError(
                f"{label(self)}: `distillation_losses` cannot be None.\n"
                f"  Fix: tf.keras.distillation.LogitsDistillation()"
            )
        several = isinstance(distillation_losses, list | tuple)
        self.distillation_losses = list(distillation_losses) if several else [distillation_losses]
        count = len(self.distillation_losses)
        weights = distillation_loss_weights if several else None
        self.distillation_loss_weights = [1.0] * count if weights is None else list(weights)
        if len(self.distillation_loss_weights) != count:
            raise ValueError(
                f"{label(self)}: `distillation_loss_weights` must hold a weight for each of the "
                f"{count} distillation losses; got {len(self.distillation_loss_weights)}."
            )
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self.teacher, self.student = teacher, student
        self.student_loss_weight = student_loss_weight
        self.teacher.trainable = False
        self.student_loss_tracker = metrics.Mean(name="student_loss")
        self.distillation_loss_tracker = metrics.Mean(name="distillation_loss")
        self.total_loss_tracker = metrics.Mean(name="total_loss")

    def _check_alike(self, what: str, teacher: Any, student: Any) -> None:
        """Check that two models with known inputs and outputs agree on shapes and dtypes."""
        theirs, own = getattr(teacher, what, None), getattr(student, what, None)
        if not theirs or not own:
            return
        for a, b in zip(nest.flatten(theirs), nest.flatten(own), strict=False):
            if not a.shape.is_compatible_with(b.shape) or a.dtype != b.dtype:
                raise ValueError(
                    f"{label(self)}: the {what} of teacher and student must have the same shapes "
                    f"and dtypes; got {a.dtype.name}{tuple(a.shape)} of the teacher, "
                    f"{b.dtype.name}{tuple(b.shape)} of the student."
                )

    def compile(  # pyright: ignore[reportIncompatibleMethodOverride]  # as Keras
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Set the student's optimizer, its loss on the labels, and further metrics.

        Args:
            optimizer: An optimizer, or its name.
            loss: A loss, its name, or a structure of these for several outputs.
            metrics: A list of metrics, or None.
            **kwargs: As for `Model.compile`.

        Raises:
            ValueError: there is no loss, or `metrics` is no list.
        """
        if loss is None:
            raise ValueError(
                f"{label(self)}.compile: `loss` cannot be None.\n"
                f"  Fix: give the student's loss on the labels; student_loss_weight=0 ignores it."
            )
        if metrics is not None and not isinstance(metrics, list | tuple):
            raise ValueError(
                f"{label(self)}.compile: `metrics` must be a list or tuple; got {metrics!r}."
            )
        self._student_loss = nest.map_structure(
            lambda one: None if one is None else losses.get(one), loss
        )
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        """Return what the student gives."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Return the weighted sum of the student's loss and the distillation losses.

        Args:
            x: The inputs.
            y: The labels; None leaves the student's loss out.
            y_pred: The student's outputs; None computes them.
            sample_weight: Weights of the samples in the student's loss, or None.
            training: Whether the student runs in training mode.
        """
        if y_pred is None:
            y_pred = self(x, training=training)
        own: Any = ops.constant(0.0)
        if self.student_loss_weight > 0 and y is not None:
            own = self._loss_on_labels(y, y_pred, sample_weight)
        taught: Any = ops.constant(0.0)
        if self.student_loss_weight < 1:
            taught = self._loss_on_teacher(x, y_pred, training)
        total = self.student_loss_weight * own + (1.0 - self.student_loss_weight) * taught
        self.student_loss_tracker.update_state(own)
        self.distillation_loss_tracker.update_state(taught)
        self.total_loss_tracker.update_state(total)
        return total

    def _loss_on_labels(self, y: Any, y_pred: Any, sample_weight: Any) -> Tensor:
        weighted = {} if sample_weight is None else {"sample_weight": sample_weight}

        def term(loss: Any, true: Any, predicted: Any) -> Any:
            return None if loss is None else ops.reduce_mean(loss(true, predicted, **weighted))

        terms = nest.flatten(nest.map_structure(term, self._student_loss, y, y_pred))
        return ops.add_n([t for t in terms if t is not None])

    def _loss_on_teacher(self, x: Any, y_pred: Any, training: bool) -> Tensor:
        final = None
        terms: list[Tensor] = []
        pairs = zip(self.distillation_losses, self.distillation_loss_weights, strict=True)
        for loss, weight in pairs:
            if getattr(loss, "teacher_layer_name", None) is None:
                if final is None:
                    final = self.teacher(x, training=False)
                theirs = final
            else:
                theirs = self.teacher.intermediate(x, loss.teacher_layer_name, training=False)
            if getattr(loss, "student_layer_name", None) is None:
                own = y_pred
            else:
                own = self.student.intermediate(x, loss.student_layer_name, training=training)
            loss.validate_outputs(theirs, own)
            found = ops.convert_to_tensor(loss.compute_loss(theirs, own))
            if found.shape.rank:
                raise ValueError(
                    f"{type(loss).__name__}.compute_loss: it must return a scalar; returned a "
                    f"non-scalar loss with shape {found.shape}.\n  Fix: tf.reduce_mean(loss)"
                )
            terms.append(weight * found)
        return ops.add_n(terms)
