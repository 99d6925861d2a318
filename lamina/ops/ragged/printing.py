"""RaggedTensors as Python lists, and as TensorFlow's text."""

import itertools

import numpy as np

__all__ = ["as_list", "as_text"]


def as_list(value):
    """Return nested Python lists of a ragged Tensor's elements."""
    inner = value.values
    items = as_list(inner) if hasattr(inner, "row_splits") else np.asarray(inner._jax()).tolist()
    splits = value._partition._numbers.tolist()
    return [items[a:b] for a, b in itertools.pairwise(splits)]


def as_text(value):
    """Return the elements as TensorFlow prints them: NumPy's text, with commas."""
    if not value.flat_values.shape.num_elements():
        return repr(as_list(value))
    return _text(value.numpy())


def _text(item):
    if isinstance(item, np.ndarray):
        return np.array2string(item, separator=", ", formatter={"all": _text})
    return repr(item) if isinstance(item, bytes) else str(item)
