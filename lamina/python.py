"""TensorFlow's private modules, for programs that import them: they are the public ones.

Example:
    >>> from lamina.python.ops import math_ops
    >>> math_ops.reduce_sum([1, 2]).numpy()
    np.int32(3)
"""

from lamina.scope.aliases import install_below as _install_below

__path__: list[str] = []  # a package, whose modules the finder gives
__all__: list[str] = []

__getattr__ = _install_below(__name__, "tensorflow.python")
