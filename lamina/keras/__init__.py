"""tf.keras: layers, models, losses, metrics, optimizers, and what they stand on."""

from lamina.engine import name_scope
from lamina.keras import (
    activations,
    backend,
    callbacks,
    constraints,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    optimizers,
    random,
    regularizers,
    saving,
    utils,
)
from lamina.keras import policy as config
from lamina.keras.core import Input, InputSpec, KerasTensor, Layer
from lamina.keras.initializers import Initializer
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.models import Model, Sequential
from lamina.keras.optimizers import Optimizer
from lamina.keras.policy import DTypePolicy
from lamina.keras.regularizers import Regularizer
from lamina.keras.variable import Variable

__version__ = "3.15.0"
