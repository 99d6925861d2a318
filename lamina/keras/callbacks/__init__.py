"""Callbacks: what happens at the boundaries of batches, epochs and training."""

from lamina.keras.callbacks.averages import SwapEMAWeights
from lamina.keras.callbacks.backup import BackupAndRestore
from lamina.keras.callbacks.base import Callback
from lamina.keras.callbacks.chain import CallbackList
from lamina.keras.callbacks.checkpoint import ModelCheckpoint
from lamina.keras.callbacks.history import History
from lamina.keras.callbacks.logging import CSVLogger, LambdaCallback
from lamina.keras.callbacks.orbax_checkpoint import OrbaxCheckpoint
from lamina.keras.callbacks.progress import ProgbarLogger
from lamina.keras.callbacks.remote import RemoteMonitor
from lamina.keras.callbacks.schedule import LearningRateScheduler, ReduceLROnPlateau
from lamina.keras.callbacks.stopping import EarlyStopping, TerminateOnNaN
from lamina.keras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]
