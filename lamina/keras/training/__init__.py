"""Training: compile, one compiled step, and the loops over it: fit, evaluate and predict."""

from lamina.keras.training.trainer import Trainer

__all__ = ["Trainer"]
