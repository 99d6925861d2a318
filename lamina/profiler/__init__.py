"""tf.profiler: profiles of what runs, by `jax.profiler`, for TensorBoard's profile plugin."""

from lamina.profiler import experimental

__all__ = ["experimental"]
