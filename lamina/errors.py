"""tf.errors: the error classes of TensorFlow, and lamina's own."""

from lamina.engine.errors import *
