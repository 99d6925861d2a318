"""The optimizers of Keras 2: today's, under the names of TensorFlow 2.11–2.15."""

import sys
from typing import Any

from lamina.demand import missing
from lamina.keras.optimizers.adam import Adam, Adamax, Nadam
from lamina.keras.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from lamina.keras.optimizers.base import Optimizer
from lamina.keras.optimizers.sgd import SGD
from lamina.keras.spelling import note_older

__all__ = ["SGD", "Adadelta", "Adagrad", "Adam", "Adamax", "Ftrl", "Nadam", "Optimizer", "RMSprop"]

_TODAY = {name: globals().pop(name) for name in __all__}  # asked for one by one, with a note


def __getattr__(name: str) -> Any:
    if name not in _TODAY:
        return missing(__name__, name, sys._getframe(1))
    note_older(f"tf.keras.optimizers.legacy.{name}", f"tf.keras.optimizers.{name}")
    return _TODAY[name]
