"""tf.autodiff: gradients of both kinds."""

from lamina.engine import GradientTape
from lamina.ops.forward_mode import ForwardAccumulator

__all__ = ["ForwardAccumulator", "GradientTape"]
