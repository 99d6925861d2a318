"""Training: compile, one compiled step, and the loops over it that fit, evaluate and predict are."""

from lamina.keras.training.trainer import Trainer

__all__ = ["Trainer"]
