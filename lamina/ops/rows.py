"""tf.IndexedSlices: some rows of a larger Tensor, and its TypeSpec."""

from typing import Any

import numpy as np

from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    as_dtype,
    convert_to_tensor,
    dtypes,
)
from lamina.engine.composite import Composite
from lamina.engine.typespec import TypeSpec
from lamina.ops.indexing import scatter_nd

__all__ = ["IndexedSlices", "IndexedSlicesSpec"]


class IndexedSlices(Composite):
    """Some rows of a larger Tensor: row `indices[i]` is `values[i]`.

    Gradients here are dense; this is for `Variable.scatter_add` and the like. It converts to a
    Tensor where one is expected.

    Args:
        values: A Tensor `(N, …)`.
        indices: N integers.
        dense_shape: The shape of the larger Tensor, needed to convert to one.

    Example:
        >>> v = tf.Variable([1.0, 2.0])
        >>> v.scatter_add(tf.IndexedSlices([5.0], [1])).numpy()
        array([1., 7.], dtype=float32)
    """

    _is_tensor = True

    def __init__(self, values, indices, dense_shape=None):
        self.values = convert_to_tensor(values)
        self.indices = convert_to_tensor(indices)
        self.dense_shape = None if dense_shape is None else convert_to_tensor(dense_shape)

    @property
    def shape(self):
        """The shape of the larger Tensor, a `tf.TensorShape`; of unknown rank if not given."""
        dense = self.dense_shape
        if dense is None:
            return TensorShape(None)
        known = dense._host
        ready = dense._value is not None or (dense._trace is not None and dense._trace.eager)
        if known is None and not ready:  # it is computed in a function that is traced
            return TensorShape([None] * dense.shape[0])
        return TensorShape((np.asarray(dense) if known is None else known).tolist())

    @property
    def _type_spec(self):
        return IndexedSlicesSpec.from_value(self)

    @property
    def name(self):
        """A name for messages."""
        return self.values.name

    @property
    def device(self):
        """The device that holds the rows."""
        return self.values.device

    def consumers(self):
        """Return [], since there is no graph."""
        return []

    def __neg__(self):
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __repr__(self):
        shape = "" if self.dense_shape is None else f", dense_shape={self.dense_shape!s}"
        return f"IndexedSlices(indices={self.indices!s}, values={self.values!s}{shape})"

    @property
    def dtype(self):
        """The dtype of the rows."""
        return self.values.dtype

    def _as_tensor(self):
        if self.dense_shape is None:
            raise ValueError(
                "tf.IndexedSlices: `dense_shape` must be given to make a Tensor of it; got None.\n"
                "  Fix: tf.IndexedSlices(values, indices, dense_shape)."
            )
        return scatter_nd(self.indices[..., None], self.values, self.dense_shape)

    def _components(self):
        parts = [self.values, self.indices]
        return parts if self.dense_shape is None else [*parts, self.dense_shape]

    def _rebuilt(self, components):
        if components[0] is None:  # the gradient of nothing
            return None
        if isinstance(components[0], TypeSpec):
            return self._type_spec
        made = object.__new__(IndexedSlices)
        made.values, made.indices, *dense = components
        made.dense_shape = dense[0] if dense else None
        if dense and isinstance(dense[0], Tensor) and dense[0]._value is None:
            # `_kind` has the shape, so a tf.function is traced for it.
            known = self.shape
            if dense[0]._host is None and known.is_fully_defined():
                dense[0]._host = np.asarray(known, dense[0].dtype.np)
        return made

    def _kind(self):
        return self.shape


class IndexedSlicesSpec(TypeSpec):
    """The TypeSpec of `tf.IndexedSlices`.

    Args:
        shape: The shape of the larger Tensor; None allows any.
        dtype: The dtype of the rows.
        indices_dtype: The dtype of the indices.
        dense_shape_dtype: The dtype of `dense_shape`, or None if there is none.
        indices_shape: The shape of the indices, which has one axis.

    Example:
        >>> tf.IndexedSlicesSpec([10, 2], tf.float32).value_type is tf.IndexedSlices
        True
    """

    def __init__(
        self,
        shape: Any = None,
        dtype: Any = dtypes.float32,
        indices_dtype: Any = dtypes.int64,
        dense_shape_dtype: Any = None,
        indices_shape: Any = None,
    ) -> None:
        self._shape = TensorShape(shape)
        self._dtype = as_dtype(dtype)
        self._indices_dtype = as_dtype(indices_dtype)
        self._dense_shape_dtype = None if dense_shape_dtype is None else as_dtype(dense_shape_dtype)
        self._indices_shape = TensorShape(indices_shape).with_rank(1)

    @property
    def value_type(self) -> Any:
        """The class of the values: `tf.IndexedSlices`."""
        return IndexedSlices

    def _serialize(self) -> tuple[Any, ...]:
        kinds = self._dtype, self._indices_dtype, self._dense_shape_dtype
        return (self._shape, *kinds, self._indices_shape)

    @property
    def _component_specs(self) -> Any:
        rows = TensorShape(self._indices_shape).concatenate(
            self._shape[1:] if self._shape.rank is not None else TensorShape(None)
        )
        specs = [
            TensorSpec(rows, self._dtype),
            TensorSpec(self._indices_shape, self._indices_dtype),
        ]
        if self._dense_shape_dtype is not None:
            specs.append(TensorSpec([self._shape.rank], self._dense_shape_dtype))
        return tuple(specs)

    def _to_components(self, value: Any) -> Any:
        parts = (value.values, value.indices)
        return parts if value.dense_shape is None else (*parts, value.dense_shape)

    def _from_components(self, components: Any) -> Any:
        return IndexedSlices(*components)

    def is_compatible_with(self, spec_or_value: Any) -> bool:
        """Return whether a spec, or `tf.IndexedSlices`, fits this spec."""
        if isinstance(spec_or_value, IndexedSlices):
            spec_or_value = self.from_value(spec_or_value)
        return super().is_compatible_with(spec_or_value)

    @staticmethod
    def from_value(value: Any) -> "IndexedSlicesSpec":
        """Return the spec of a `tf.IndexedSlices`."""
        dense, rows = value.dense_shape, value.values.shape
        return IndexedSlicesSpec(
            TensorShape([None]).concatenate(rows[1:]) if dense is None else value.shape,
            value.values.dtype,
            value.indices.dtype,
            None if dense is None else dense.dtype,
            value.indices.shape,
        )
