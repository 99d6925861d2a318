"""What `tf.Variable(aggregation=, synchronization=)` take."""

import enum

__all__ = ["VariableAggregation", "VariableSynchronization"]


class VariableAggregation(enum.Enum):
    """How what replicas assign to a variable becomes one value.

    `NONE` keeps that of the first replica, `SUM` and `MEAN` combine them all, and
    `ONLY_FIRST_REPLICA` takes the first replica's.
    """

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


class VariableSynchronization(enum.Enum):
    """When the copies of a variable become one: at each assignment, or (`ON_READ`) when read."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3
