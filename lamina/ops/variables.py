# pyright: reportPrivateUsage=false
"""What a Variable can do beside being read, assigned and scattered into; older spellings too."""

from lamina.engine import TensorShape, Variable, convert_to_tensor, errors
from lamina.ops.indexing import gather, tensor_scatter_nd_update

__all__: list[str] = []


def _sparse_read(self, indices, name=None):
    """Return the rows of the given numbers; see `tf.gather`."""
    return gather(self, indices)


def _batch_scatter_update(self, sparse_delta, use_locking=False, name=None):
    """Replace, in each row of a batch, the elements that the `(batch, n)` indices name."""
    places = convert_to_tensor(sparse_delta.indices)
    for i in range(places.shape[0]):
        row = tensor_scatter_nd_update(self[i], places[i][:, None], sparse_delta.values[i])
        self[i].assign(row)
    return self


def _count_up_to(self, limit):
    """Add 1, and return the value before.

    Raises:
        OutOfRangeError: the value is at the limit.
    """
    before = self.read_value()
    if int(before) >= limit:
        raise errors.OutOfRangeError(f'Variable "{self.name}": Reached limit of {limit}')
    self.assign_add(1)
    return before


def _set_shape(self, shape):
    """Say what shape values have; it must fit the shape known.

    Raises:
        ValueError: it does not.
    """
    self._shape = self._shape.merge_with(TensorShape(shape))


def _load(self, value, session=None):
    """Assign a value; the older name of `assign`."""
    self.assign(value)


_METHODS = {
    "sparse_read": _sparse_read,
    "batch_scatter_update": _batch_scatter_update,
    "count_up_to": _count_up_to,
    "set_shape": _set_shape,
    "load": _load,
    "experimental_ref": Variable.ref,
}
for _name, _method in _METHODS.items():
    setattr(Variable, _name, _method)
_none = property(lambda self: None, doc="None: the value is set when it is made.")
setattr(Variable, "initializer", _none)  # noqa: B010  # no attribute that the class declares
