"""What the preprocessing layers share: plain data in, adapting over batches, encodings."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable, as_dtype, convert_to_tensor, local
from lamina.engine.composite import Composite
from lamina.keras.core import Layer, checks

__all__ = ["DataLayer", "as_output_mode", "as_sparse", "batches_of", "encoded", "one_salt"]

HOT = ("one_hot", "multi_hot", "count")


class DataLayer(Layer):
    """A layer that takes numbers, strings, lists and NumPy arrays too, as data come.

    Args:
        **kwargs: See `Layer`. Inputs are not cast to the layer's dtype.
    """

    def __init__(self, **kwargs: Any):
        kwargs.setdefault("autocast", False)
        super().__init__(**kwargs)

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Convert the data to Tensors, and run `call`."""
        given = self._as_inputs(inputs)
        if isinstance(given, Composite):
            return self._on_composite(given, *args, **kwargs)
        found = super().__call__(given, *args, **kwargs)
        if getattr(self, "sparse", False) and type(found) is Tensor and local.trace.eager:
            return import_module("lamina.sparse").from_dense(found)
        return found

    def _on_composite(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the output for a ragged or sparse input: each element's, in its place."""
        mode = getattr(self, "output_mode", "int")
        if hasattr(inputs, "dense_shape"):
            if mode != "int":
                dense = import_module("lamina.sparse").to_dense(inputs)
                return self(dense, *args, **kwargs)
            return inputs.with_values(self(inputs.values, *args, **kwargs))
        if mode == "int":
            return inputs.with_flat_values(self(inputs.flat_values, *args, **kwargs))
        if mode == "one_hot":
            raise ValueError(
                f"{checks.label(self)}: a ragged input takes output_mode 'int', 'multi_hot' or "
                f"'count'; got 'one_hot', shape {inputs.shape}."
            )
        rows = [self(row, *args, **kwargs) for row in inputs]
        if not getattr(self, "sparse", False):
            return ops.stack(rows)
        sparse = import_module("lamina.sparse")
        return sparse.from_dense(ops.stack([sparse.to_dense(row) for row in rows]))

    def _as_inputs(self, inputs: Any) -> Any:
        return as_tensor(inputs)


def as_tensor(value: Any) -> Any:
    """Return data as a Tensor; Tensors and KerasTensors stay as they are."""
    if isinstance(value, Tensor | Variable | Composite):
        return value
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    return convert_to_tensor(value)


def batches_of(data: Any, steps: int | None = None) -> Iterator[Any]:
    """Yield what `adapt` is given: one array, or each batch of a dataset, generator, iterable.

    Args:
        data: An array, Tensor or list, which is one batch; anything else that can be iterated
            gives batches.
        steps: The most batches to take, or None.
    """
    single = isinstance(data, list | tuple | str | np.ndarray | Tensor | Variable)
    if single or not isinstance(data, Iterable):
        yield data
        return
    for number, batch in enumerate(data):
        if steps is not None and number >= steps:
            return
        yield batch


def as_output_mode(layer: Layer, value: Any, allowed: Sequence[str]) -> str:
    """Return an output mode in its current spelling."""
    older = {"binary": "multi_hot", "tf-idf": "tf_idf"}
    return checks.choice(layer, "output_mode", older.get(value, value), allowed)


def as_sparse(layer: Layer, sparse: bool, mode: str) -> bool:
    """Return whether outputs are SparseTensors, which encodings may be and numbers not."""
    if sparse and mode == "int":
        raise ValueError(
            f"{checks.label(layer)}: `sparse` must be False, an output_mode of 'int' has no zeros; "
            f"got {sparse!r}.\n  Fix: omit it."
        )
    return bool(sparse)


def one_salt(layer: Layer, salt: Any) -> list[int] | None:
    """Return the key of a salted hash as two integers."""
    if salt is None:
        return None
    if isinstance(salt, int | np.integer) and not isinstance(salt, bool):
        return [int(salt), int(salt)]
    if isinstance(salt, tuple | list) and len(salt) == 2:
        return [checks.integer(layer, "salt", s) for s in salt]
    raise ValueError(
        f"{checks.label(layer)}: `salt` must be an integer or a tuple of 2 integers; got {salt!r}."
    )


def encoded_shape(shape: Sequence[Any], mode: str, depth: int | None) -> tuple[int | None, ...]:
    """Return the shape that Keras' layers report for encodings of indices of a shape.

    It merges the last axis, also where "multi_hot" and "count" of rank 3 merge another.

    Args:
        shape: The shape of the indices.
        mode: As in `encoded`.
        depth: The size of the encodings; None if it is not known yet.
    """
    sizes = tuple(shape)
    if mode == "int":
        return sizes
    keeps = mode == "one_hot" and (len(sizes) == 1 or sizes[-1:] != (1,))
    return (*(sizes if keeps else sizes[:-1]), depth)


def encoded(
    indices: Tensor, mode: str, depth: int, dtype: Any, weights: Tensor | None = None
) -> Tensor:
    """Return indices as vectors of a size, the vocabulary's or the number of bins.

    Args:
        indices: Integers `(…, N)`; those outside of [0, D) leave no trace.
        mode: "int" for the indices themselves; "one_hot", `(…, N, D)`, where an N of 1 is
            dropped; "multi_hot" and "count", `(…, D)`: which occur in a sample, how often. With
            three axes and more, a sample is what lies along axis 1, as in TF.
        depth: The size D.
        dtype: The dtype of the result.
        weights: What each occurrence adds to a count; None is 1.

    Returns:
        A Tensor of `dtype`.
    """
    dtype = as_dtype(dtype)
    if mode == "int":
        return ops.cast(indices, dtype)
    if indices.ndim == 0:
        indices = ops.expand_dims(indices, -1)
        weights = None if weights is None else ops.reshape(weights, (1,))
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype)
    if indices.ndim <= 2:
        binary = mode == "multi_hot"
        return ops.count_tokens(indices, weights, depth=depth, binary=binary, dtype=dtype)
    hot = ops.one_hot(indices, depth, dtype=dtype)
    if mode == "multi_hot":
        return ops.reduce_max(hot, 1)
    return ops.reduce_sum(hot if weights is None else hot * ops.expand_dims(weights, -1), 1)
