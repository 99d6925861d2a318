"""tf.version: which TensorFlow's API this is. `lamina.__version__` is the package's own version."""

from lamina.release import TENSORFLOW as VERSION
from lamina.release import own_version

__all__ = [
    "COMPILER_VERSION",
    "GIT_VERSION",
    "GRAPH_DEF_VERSION",
    "GRAPH_DEF_VERSION_MIN_CONSUMER",
    "GRAPH_DEF_VERSION_MIN_PRODUCER",
    "VERSION",
]

GIT_VERSION = f"lamina {own_version()}"
COMPILER_VERSION = "XLA"
GRAPH_DEF_VERSION = 2474
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
