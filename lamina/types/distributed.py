"""tf.types.experimental.distributed: what strategies make, for `isinstance` and annotations."""

from typing import Any

from lamina.distribute.values import DistributedValues, PerReplica
from lamina.engine import Variable

__all__ = ["Mirrored", "PerReplica"]


class _OfVariables(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return isinstance(instance, Variable) and "_mirrored" in instance.__dict__


class Mirrored(DistributedValues, metaclass=_OfVariables):
    """A value that is the same on all replicas: a Variable of a strategy with several replicas.

    Example:
        >>> isinstance(tf.Variable(1.0), tf.types.experimental.distributed.Mirrored)
        False
    """
