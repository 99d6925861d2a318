"""Callbacks: what happens at the boundaries of batches, epochs and training."""

from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.chain import CallbackList
from lamina.keras.callbacks.checkpoint import ModelCheckpoint
from lamina.keras.callbacks.history import History
from lamina.keras.callbacks.logging import CSVLogger, LambdaCallback
from lamina.keras.callbacks.progress import ProgbarLogger
from lamina.keras.callbacks.schedule import LearningRateScheduler, ReduceLROnPlateau
from lamina.keras.callbacks.stopping import EarlyStopping, TerminateOnNaN

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]
