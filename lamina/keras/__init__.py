"""tf.keras: layers, models, losses, metrics, optimizers, and what they stand on."""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from lamina.demand import on_demand as _on_demand
from lamina.keras import (
    activations,
    backend,
    callbacks,
    config,
    constraints,
    dtype_policies,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    quantizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
)
from lamina.keras import registry as _registry
from lamina.keras.core import Function, Input, InputSpec, KerasTensor, Layer, Operation
from lamina.keras.initializers import Initializer
from lamina.keras.losses import Loss
from lamina.keras.metrics import Metric
from lamina.keras.models import Model, Sequential
from lamina.keras.optimizers import Optimizer
from lamina.keras.policy import DTypePolicy, FloatDTypePolicy
from lamina.keras.quantizers import Quantizer
from lamina.keras.regularizers import Regularizer
from lamina.keras.scopes import RematScope, StatelessScope, SymbolicScope, name_scope, remat
from lamina.keras.switches import version
from lamina.keras.variable import Variable
from lamina.ops.placement import device

if _TYPE_CHECKING:
    from lamina.keras import (
        applications,
        datasets,
        distillation,
        export,
        legacy,
        mixed_precision,
        ops,
        preprocessing,
        visualization,
        wrappers,
    )

__version__ = version()

# Imported when a program first asks for them; the registry asks for those that files may name.
__getattr__, __dir__ = _on_demand(
    __name__,
    modules=(
        "applications",
        "datasets",
        "distillation",
        "export",
        "legacy",
        "mixed_precision",
        "ops",
        "preprocessing",
        "visualization",
        "wrappers",
    ),
)
_registry.define_late("lamina.keras.applications", "lamina.keras.distillation", "lamina.keras.ops")
