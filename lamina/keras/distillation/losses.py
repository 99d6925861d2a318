"""What a student loses against its teacher."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, nest
from lamina.keras import losses, registry
from lamina.keras.capture import Captured

__all__ = ["DistillationLoss", "FeatureDistillation", "LogitsDistillation"]


@registry.builtin("keras.distillation")
class DistillationLoss(Captured):
    """The base of losses between a teacher and a student; a subclass writes `compute_loss`."""

    teacher_layer_name: str | None = None
    student_layer_name: str | None = None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """Return the loss, a scalar.

        Args:
            teacher_outputs: What the teacher gave, a Tensor or a structure of them.
            student_outputs: The same of the student.
            **kwargs: For subclasses.

        Raises:
            NotImplementedError: the subclass has no `compute_loss`.
        """
        raise NotImplementedError(
            f"{type(self).__name__}: `compute_loss` must be written by the subclass.\n"
            f"  Fix: def compute_loss(self, teacher_outputs, student_outputs): return a scalar"
        )

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raise ValueError where the two structures differ."""
        nest.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Raise ValueError where the loss does not fit the two models."""


def _losses_of(who: str, loss: Any) -> Any:
    """Return a structure of loss functions for one of names, losses and None."""
    made = nest.map_structure(lambda one: None if one is None else losses.get(one), loss)
    if all(one is None for one in nest.flatten(made)):
        raise ValueError(
            f"{who}: `loss` must contain at least one non-`None` value; got {loss!r}.\n"
            f"  Fix: name a loss for an output at least."
        )
    return made


def _summed(terms: Any) -> Tensor:
    return ops.add_n([ops.convert_to_tensor(t) for t in nest.flatten(terms) if t is not None])


@registry.builtin("keras.distillation")
class FeatureDistillation(DistillationLoss):
    """Compares what a layer of the teacher gives with what one of the student gives.

    Args:
        loss: A loss, or its name; for layers with several outputs a structure of them, in which
            None leaves an output out.
        teacher_layer_name: The teacher's layer, by its name or its path in the model
            (`"blocks[3].attention"`); None takes the model's output.
        student_layer_name: The student's layer, likewise.

    Raises:
        ValueError: every loss is None.

    Reference: Romero et al. 2015, https://arxiv.org/abs/1412.6550, eq. 3.
    """

    def __init__(
        self,
        loss: Any = "mse",
        teacher_layer_name: str | None = None,
        student_layer_name: str | None = None,
    ) -> None:
        self.loss = _losses_of("FeatureDistillation", loss)
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Raise ValueError where the outputs, or the losses for them, differ in structure."""
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            nest.assert_same_structure(self.loss, teacher_outputs)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"FeatureDistillation: Loss structure mismatch: `loss` must have the structure of "
                f"the outputs; got {self.loss!r}.\n  {error}"
            ) from None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """Return the sum over outputs of the mean loss."""

        def term(loss: Any, teacher: Any, student: Any) -> Any:
            return None if loss is None else ops.reduce_mean(loss(teacher, student))

        return _summed(nest.map_structure(term, self.loss, teacher_outputs, student_outputs))


@registry.builtin("keras.distillation")
class LogitsDistillation(DistillationLoss):
    """Compares the logits of teacher and student, both divided by a temperature.

    With the Kullback-Leibler divergence, of the softmax of both, the loss is multiplied by the
    square of the temperature, so that gradients keep their size.

    Args:
        temperature: Above 0; larger ones weigh the less likely classes more.
        loss: A loss, or its name; for models with several outputs a structure of them, in which
            None leaves an output out. Other losses than the divergence are given the logits.

    Raises:
        ValueError: `temperature` is no number above 0, or every loss is None.

    Reference: Hinton et al. 2015, https://arxiv.org/abs/1503.02531, section 2.
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self.loss = _losses_of("LogitsDistillation", loss)
        if not isinstance(temperature, int | float) or temperature <= 0:
            raise ValueError(
                f"LogitsDistillation: `temperature` must be a number above 0 (temperature must be "
                f"positive); got {temperature!r}."
            )
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Tensor:
        """Return the sum over outputs of the mean loss."""

        def term(loss: Any, teacher: Any, student: Any) -> Any:
            if loss is None:
                return None
            teacher, student = teacher / self.temperature, student / self.temperature
            if not isinstance(loss, losses.KLDivergence) and loss is not losses.kl_divergence:
                return ops.reduce_mean(loss(teacher, student))
            found = ops.reduce_mean(loss(ops.softmax(teacher), ops.softmax(student)))
            return found * self.temperature**2

        return _summed(nest.map_structure(term, self.loss, teacher_outputs, student_outputs))
