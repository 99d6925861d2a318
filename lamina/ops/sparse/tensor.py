"""SparseTensor: some elements of a Tensor and where they stand, the others being 0."""

import numpy as np

from lamina.engine import (
    Tensor,
    TensorShape,
    TensorSpec,
    as_dtype,
    convert_to_tensor,
    dtypes,
    static_ints,
    type_of,
)
from lamina.engine.spec import symbolic_dims
from lamina.engine.typespec import TypeSpec
from lamina.ops.casting import cast
from lamina.ops.composite import ArrayOfParts, ArraySpec

__all__ = ["SparseTensor", "SparseTensorSpec", "host_of", "is_sparse", "sparse"]


# What the functions of `tf` do with sparse operands: engine op label -> function; sparse/rules.py
# fills it.
RULES = {}


def is_sparse(value):
    """Return whether a value is a SparseTensor."""
    return isinstance(value, SparseTensor)


def sparse(value, who):
    """Return a SparseTensor; what is `(indices, values, dense_shape)` is made one.

    Raises:
        TypeError: it is none.
    """
    if is_sparse(value):
        return value
    if isinstance(value, tuple) and hasattr(value, "dense_shape"):
        return SparseTensor(*value)
    raise TypeError(
        f"{who}: a tf.SparseTensor was expected; got {type(value).__name__}.\n"
        f"  Fix: tf.sparse.from_dense(it)."
    )


def host_of(tensor):
    """Return the value of a Tensor as a NumPy array.

    Raises:
        TracedValueError: it belongs to a program that is being traced.
    """
    return np.asarray(tensor._jax())


def _integers(value, what):
    if isinstance(value, TensorShape):
        value = value.as_list()
    if not isinstance(value, Tensor) and not hasattr(type(value), "_as_tensor"):
        array = np.asarray(value) if not _has_tensors(value) else None
        if array is not None and (array.size == 0 or array.dtype.kind in "iu"):
            value = array.astype(np.int64)
    tensor = convert_to_tensor(value)
    if tensor.dtype is dtypes.int64:
        return tensor
    if tensor.dtype is dtypes.int32 and _has_tensors(value):
        return cast(tensor, dtypes.int64)
    raise ValueError(
        f"tf.SparseTensor: `{what}` must be int64; got dtype {tensor.dtype.name}.\n"
        f"  Fix: tf.cast({what}, tf.int64)."
    )


def _has_value(tensor):
    """Return whether a Tensor is of eager code, and no result of a program that was traced."""
    return tensor._value is not None or (tensor._trace is not None and tensor._trace.eager)


def _is_input(tensor):
    """Return whether a Tensor stands for an argument of a program that is traced."""
    return tensor._value is None and not tensor._trace.eager and tensor._slot < 0


def _as_tensor(value):
    return convert_to_tensor(value) if isinstance(value, np.ndarray | np.generic) else value


def _has_tensors(value):
    return isinstance(value, list | tuple) and any(
        isinstance(v, Tensor) or hasattr(type(v), "_as_tensor") for v in value
    )


class SparseTensor(ArrayOfParts):
    """A Tensor of which only some elements are kept; the others are 0.

    Args:
        indices: Where the elements stand: int64 `(N, R)`, R being the number of axes.
        values: The elements, `(N,)`, of any dtype.
        dense_shape: The shape: R integers.

    The functions of `tf.sparse` work on it, and Python's operators `+`, `*`, `/` with dense
    Tensors and numbers; `tf.sparse.to_dense` gives it as a Tensor. Indices in row-major order
    are expected, which `tf.sparse.reorder` gives.

    Raises:
        ValueError: the ranks or sizes do not fit, or indices are not integers.

    Example:
        >>> st = tf.SparseTensor(indices=[[0, 3], [2, 4]], values=[10, 20], dense_shape=[3, 10])
        >>> st.shape
        TensorShape([3, 10])
        >>> tf.sparse.reduce_sum(st).numpy()
        np.int32(30)
    """

    _rules = RULES
    _to_dense = "tf.sparse.to_dense(value)"
    _is_tensor = True

    def __init__(self, indices, values, dense_shape):
        self._indices = _integers(indices, "indices")
        self._values = convert_to_tensor(values)
        self._dense_shape = _integers(dense_shape, "dense_shape")
        places, count, sizes = (t.shape for t in (self._indices, self._values, self._dense_shape))
        if self._indices.shape.num_elements() == 0 and len(places) == 1:
            self._indices = convert_to_tensor(np.zeros((0, sizes[0] or 0), np.int64))
            places = self._indices.shape
        if (
            len(places) != 2
            or len(count) != 1
            or len(sizes) != 1
            or not places.is_compatible_with([count[0], sizes[0]])
        ):
            raise ValueError(
                f"tf.SparseTensor: `indices` must have shape (N, R), `values` (N,), `dense_shape` "
                f"(R,); got {places}, {count} and {sizes}."
            )

    @classmethod
    def from_value(cls, sparse_tensor_value):
        """Return a SparseTensor of one, or of `(indices, values, dense_shape)`."""
        return sparse(sparse_tensor_value, "SparseTensor.from_value")

    @property
    def indices(self):
        """Where the elements stand, int64 `(N, R)`."""
        return self._indices

    @property
    def dense_shape(self):
        """The shape as a Tensor, int64 `(R,)`."""
        return self._dense_shape

    @property
    def shape(self):
        """The shape; in a trace None for sizes that are computed."""
        known = self._dense_shape._host
        if known is None and (
            self._dense_shape._value is not None or self._dense_shape._trace.eager
        ):
            known = host_of(self._dense_shape)
        if known is None:
            return TensorShape([None] * self._dense_shape.shape[0])
        sizes = [int(n) if isinstance(n, int | np.integer) else -1 for n in known]
        return TensorShape([n if n >= 0 else None for n in sizes])  # -1 is unknown, as in TF

    @property
    def _static_shape(self):
        """The shape as a tuple of ints."""
        return static_ints(self._dense_shape, "dense_shape")

    def set_shape(self, shape):
        """Check that the shape is compatible with `shape`.

        Raises:
            ValueError: it is not.
        """
        if not self.shape.is_compatible_with(TensorShape(shape)):
            raise ValueError(
                f"SparseTensor.set_shape: `shape` must be compatible with {self.shape}; got "
                f"{TensorShape(shape)}."
            )

    def with_values(self, new_values):
        """Return the same places with other values, of which there must be as many."""
        return SparseTensor(self._indices, new_values, self._dense_shape)

    @property
    def graph(self):
        """Not there, as in TensorFlow's eager mode.

        Raises:
            AttributeError: always.
        """
        raise AttributeError("SparseTensor.graph: there are no graphs; got an eager value.")

    @property
    def op(self):
        """Not there, as in TensorFlow's eager mode.

        Raises:
            AttributeError: always.
        """
        raise AttributeError("SparseTensor.op: there are no graph operations; got an eager value.")

    def eval(self, feed_dict=None, session=None):
        """Return `(indices, values, dense_shape)` as NumPy arrays.

        Args:
            feed_dict: Accepted, unused.
            session: Accepted, unused.
        """
        return self._indices.numpy(), self._values.numpy(), self._dense_shape.numpy()

    # -- as the engine sees it

    def _components(self):
        return [self._indices, self._values, self._dense_shape]

    def _rebuilt(self, components):
        indices, values, dense_shape = map(_as_tensor, components)
        if values is None:  # the gradient of nothing
            return None
        if isinstance(values, TypeSpec):
            return self._type_spec
        made = object.__new__(SparseTensor)
        made._values = values
        made._indices = self._indices if indices is None else indices
        made._dense_shape = self._dense_shape if dense_shape is None else dense_shape
        if isinstance(dense_shape, Tensor) and _is_input(dense_shape):
            # `_kind` has the shape, so a tf.function is traced for it.
            dense_shape._host = self._dense_shape._host
            if dense_shape._host is None and _has_value(self._dense_shape):
                dense_shape._host = host_of(self._dense_shape)
        return made

    def _kind(self):
        return self.shape

    def __repr__(self):
        return (
            f"SparseTensor(indices={self._indices!s}, values={self._values!s}, "
            f"dense_shape={self._dense_shape!s})"
        )


class SparseTensorSpec(ArraySpec):
    """The shape and dtype that a SparseTensor must have.

    Args:
        shape: The shape; None in it allows any size, None for the whole any rank.
        dtype: The element type.

    Example:
        >>> tf.SparseTensorSpec([None, 3], tf.int32)
        SparseTensorSpec(TensorShape([None, 3]), tf.int32)
    """

    def __init__(self, shape=None, dtype=dtypes.float32):
        self._shape, self._dtype = TensorShape(shape), as_dtype(dtype)

    @property
    def value_type(self):
        """The class of the values: SparseTensor."""
        return SparseTensor

    @classmethod
    def from_value(cls, value):
        """Return the spec of a SparseTensor."""
        return cls(value.shape, value.dtype)

    def _serialize(self):
        return self._shape, self._dtype

    @property
    def _component_specs(self):
        rank = self._shape.rank
        return [
            TensorSpec([None, rank], dtypes.int64),
            TensorSpec([None], self._dtype),
            TensorSpec([rank], dtypes.int64),
        ]

    def _component_types(self, fresh):
        indices, values, shape = (s.type() for s in self._component_specs)
        count = fresh()
        return [
            type_of((count, *indices.dims[1:]), indices.dtype),
            type_of((count,), values.dtype),
            shape,
        ]

    def _from_components(self, components):
        dense_shape = components[2]
        if dense_shape._value is None and dense_shape._trace is None:  # a placeholder
            dense_shape._host = np.asarray(symbolic_dims(self._shape), object)
        return SparseTensor(*components)


SparseTensor._spec = SparseTensorSpec
