"""tf.keras: layers, models, losses, metrics, optimizers, and what they stand on."""

from lamina.keras import (
    activations,
    applications,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    dtype_policies,
    export,
    initializers,
    layers,
    legacy,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tree,
    utils,
    visualization,
    wrappers,
)
from lamina.keras.core import Function, Input, InputSpec, KerasTensor, Layer, Operation
from lamina.keras.initializers import Initializer
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.models import Model, Sequential
from lamina.keras.optimizers import Optimizer
from lamina.keras.policy import DTypePolicy, FloatDTypePolicy
from lamina.keras.quantized import Quantizer
from lamina.keras.regularizers import Regularizer
from lamina.keras.scopes import RematScope, StatelessScope, SymbolicScope, name_scope, remat
from lamina.keras.switches import version
from lamina.keras.variable import Variable
from lamina.ops.placement import device

__version__ = version()
