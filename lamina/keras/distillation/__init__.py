"""tf.keras.distillation: a student model learns from labels and from a teacher's outputs."""

from lamina.keras.distillation.distiller import Distiller
from lamina.keras.distillation.losses import (
    DistillationLoss,
    FeatureDistillation,
    LogitsDistillation,
)

__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
