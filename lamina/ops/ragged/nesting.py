"""What ragged values are made of: their row partitions and their flat values."""

from lamina.engine import convert_to_tensor

__all__ = ["flat_of", "is_ragged", "nrows_of", "parts_of", "values_of"]


def is_ragged(value):
    """Return whether a value is a RaggedTensor."""
    return hasattr(type(value), "flat_values")


def values_of(value, who):
    """Return what goes into a ragged Tensor: a Tensor of at least one axis, or a ragged one."""
    if is_ragged(value):
        return value
    tensor = convert_to_tensor(value)
    if tensor.shape.rank == 0:
        raise ValueError(
            f"{who}: `values` must have at least one axis; got a scalar.\n  Fix: pass a vector."
        )
    return tensor


def flat_of(value):
    """Return the innermost values of a ragged Tensor; of another value, the value."""
    while is_ragged(value):
        value = value.values
    return value


def parts_of(value):
    """Return the row partitions of a ragged Tensor, outermost first."""
    found = []
    while is_ragged(value):
        found.append(value._partition)
        value = value.values
    return found


def nrows_of(values):
    """Return the number of rows of a ragged or dense Tensor."""
    return values._partition.static_nrows if is_ragged(values) else values.shape[0]
