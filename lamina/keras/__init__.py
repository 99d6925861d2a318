"""tf.keras: layers, models, losses, metrics, optimizers, and what they stand on."""

from lamina.keras import (
    activations,
    backend,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    random,
    regularizers,
    utils,
)
from lamina.keras import policy as config
from lamina.keras.core import Input, InputSpec, KerasTensor, Layer
from lamina.keras.initializers import Initializer
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.optimizers import Optimizer
from lamina.keras.policy import DTypePolicy
from lamina.keras.regularizers import Regularizer
from lamina.keras.variable import Variable
