"""tf.xla: TensorFlow's switches for its compiler; here every program is compiled by XLA."""

from lamina.xla import experimental

__all__ = ["experimental"]
