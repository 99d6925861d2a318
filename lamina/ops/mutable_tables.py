"""Lookup tables that can be changed, and what checkpoints keep of them."""

import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from lamina.engine import convert_to_tensor, dtypes, errors, is_traced, restorer
from lamina.ops.hashing import murmur
from lamina.ops.hosting import eager_in_functions
from lamina.ops.lookup import Table, host_array, scalar
from lamina.ops.selection import where

__all__ = ["DenseHashTable", "MutableHashTable", "sharing"]

_FULLEST = 0.8  # of a dense table's buckets may be in use, as in TF
_shared: ContextVar[Mapping[str, "MutableHashTable"]] = ContextVar("shared tables")


@contextmanager
def sharing(tables: Mapping[str, "MutableHashTable"]) -> Generator[None, None, None]:
    """Let lookups that are restored inside look into these tables, by their `key_in_files`."""
    token = _shared.set(tables)
    try:
        yield
    finally:
        _shared.reset(token)


@restorer
def restored_mutable_find(table, kinds, default, keys, values):
    """Return the operation that looks keys up, in the table of a file or a copy of it."""
    if found := _shared.get({}).get(table):
        return found._operation()
    key_dtype, value_dtype = kinds
    made = MutableHashTable(key_dtype, value_dtype, default)
    made._dict = dict(zip(keys, values, strict=True))
    return made._operation()


class MutableHashTable(Table):
    """A table that can be changed.

    Args:
        key_dtype: The dtype of the keys.
        value_dtype: The dtype of the values.
        default_value: What keys get that are not in the table; its shape is that of a value.
        name: A name.
        checkpoint: Accepted, unused: tf.train.Checkpoint keeps all tables, as TF's does.
        experimental_is_anonymous: Accepted, unused.

    Example:
        >>> table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        >>> table.insert(["a", "b"], tf.constant([5, 6], tf.int64))
        >>> table.lookup(["b", "c"]).numpy()
        array([ 6, -1])
    """

    is_fixed = False
    restored_by = f"{__name__}:restored_mutable_find"

    def __init__(
        self,
        key_dtype,
        value_dtype,
        default_value,
        name="MutableHashTable",
        checkpoint=True,
        experimental_is_anonymous=False,
    ):
        super().__init__(key_dtype, value_dtype, default_value, name)
        self.key_in_files = uuid.uuid4().hex  # how programs in files name it

    def _recipe(self):
        return super()._recipe() | {"table": self.key_in_files}

    def _changes(self, method):
        """Have a function that is recorded run eagerly: the table differs from call to call."""
        eager_in_functions(f"tf.lookup.experimental.{type(self).__name__}.{method}")

    def _find(self, keys):
        if not is_traced(keys):  # else the lookup is an operation, which looks when it runs
            self._changes("lookup")
        return super()._find(keys)

    def size(self, name=None):
        """Return the number of keys, an int64 scalar."""
        self._changes("size")
        return super().size()

    def export(self, name=None):
        """Return the keys and the values, as Tensors."""
        self._changes("export")
        return super().export()

    def _saved(self):
        """Return the keys and the values as TF's checkpoints hold them, as arrays."""
        return self._arrays()

    def _restore(self, keys, values):
        """Hold what `_saved` gave, and nothing else.

        Raises:
            InvalidArgumentError: the shape of the values does not fit.
        """
        if values.shape != keys.shape + self._default.shape:
            raise errors.InvalidArgumentError(
                f"{type(self).__name__}: Expected shape {list(keys.shape + self._default.shape)} "
                f"for the values of keys of shape {list(keys.shape)}, got {list(values.shape)}."
                f"\n  Fix: make the table with a default value of the shape that was saved."
            )
        flat = values.reshape(-1, *self._default.shape)
        self._dict = dict(zip(keys.reshape(-1).tolist(), flat, strict=True))

    def insert(self, keys, values, name=None):
        """Set the values of keys.

        Raises:
            InvalidArgumentError: the shape of the values does not fit.
        """
        self._changes("insert")
        given = host_array(keys, self._key_dtype)
        values = host_array(values, self._value_dtype)
        if values.shape != given.shape + self._default.shape:
            raise errors.InvalidArgumentError(
                f"{type(self).__name__}.insert: Expected shape "
                f"{list(given.shape + self._default.shape)} for value, got {list(values.shape)}."
            )
        flat = values.reshape(-1, *self._default.shape)
        for key, value in zip(given.reshape(-1).tolist(), flat, strict=True):
            self._dict[key] = value

    def remove(self, keys, name=None):
        """Take keys out; those that are not in the table are skipped."""
        self._changes("remove")
        for key in host_array(keys, self._key_dtype).reshape(-1).tolist():
            self._dict.pop(key, None)

    erase = remove

    def lookup(  # pyright: ignore[reportIncompatibleMethodOverride]  # TF's place of `name`
        self, keys, dynamic_default_values=None, name=None
    ):
        """Return the values of keys, the default value for those that are not in the table.

        Args:
            keys: A Tensor, RaggedTensor or SparseTensor of keys.
            dynamic_default_values: What each key gets that is not in the table, in place of the
                default value.
            name: Accepted, unused.
        """
        found = self._each(self._find, keys)
        if dynamic_default_values is None:
            return found
        given = host_array(keys, self._key_dtype)
        there = np.asarray([k in self._dict for k in given.reshape(-1).tolist()])
        there = there.reshape(given.shape + (1,) * self._default.ndim)
        return where(there, found, convert_to_tensor(dynamic_default_values, self._value_dtype))


class DenseHashTable(MutableHashTable):
    """A table that can be changed, with two keys that it cannot hold.

    Args:
        key_dtype: The dtype of the keys.
        value_dtype: The dtype of the values.
        default_value: What keys get that are not in the table; its shape is that of a value.
        empty_key: A key that is never used.
        deleted_key: Another one.
        initial_num_buckets: Accepted, unused.
        name: A name.
        checkpoint: Accepted, unused: tf.train.Checkpoint keeps all tables, as TF's does.
        experimental_is_anonymous: Accepted, unused.

    Raises:
        InvalidArgumentError: one of the two keys is used.

    Example:
        >>> table = tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1, -1, -2)
        >>> table.insert(tf.constant([7], tf.int64), tf.constant([70], tf.int64))
        >>> table.size().numpy()
        np.int64(1)
    """

    def __init__(
        self,
        key_dtype,
        value_dtype,
        default_value,
        empty_key,
        deleted_key,
        initial_num_buckets=None,
        name="MutableDenseHashTable",
        checkpoint=True,
        experimental_is_anonymous=False,
    ):
        super().__init__(key_dtype, value_dtype, default_value, name)
        self._reserved = {
            scalar(host_array(k, self._key_dtype)): what
            for k, what in ((empty_key, "empty_key"), (deleted_key, "deleted_key"))
        }
        if len(self._reserved) < 2:
            raise errors.InvalidArgumentError(
                f"DenseHashTable: Empty and deleted keys cannot be equal; got {empty_key!r} twice."
            )

    def _refuse_reserved(self, keys):
        for key in host_array(keys, self._key_dtype).reshape(-1).tolist():
            if key in self._reserved:
                raise errors.InvalidArgumentError(
                    f"DenseHashTable: Using the {self._reserved[key]} as a table key is not "
                    f"allowed; got {key!r}."
                )

    def insert(self, keys, values, name=None):
        """Set the values of keys.

        Raises:
            InvalidArgumentError: a key is reserved, or the shape of the values does not fit.
        """
        self._refuse_reserved(keys)
        super().insert(keys, values)

    def remove(self, keys, name=None):
        """Take keys out; those that are not in the table are skipped.

        Raises:
            InvalidArgumentError: a key is reserved.
        """
        self._refuse_reserved(keys)
        super().remove(keys)

    erase = remove

    def _saved(self):
        """Return all buckets, as TF's tables lay them out: keys `(B, 1)`, values `(B, size)`."""
        keys, values = self._arrays()
        count = 4
        while len(keys) > count * _FULLEST:
            count *= 2
        empty, _ = self._reserved
        in_keys = np.full((count, 1), empty, keys.dtype)
        fill = b"" if self._value_dtype is dtypes.string else 0
        in_values = np.full((count, max(self._default.size, 1)), fill, values.dtype)
        for key, value in zip(keys.tolist(), values, strict=True):
            place = self._bucket(key, in_keys[:, 0], empty)
            in_keys[place, 0], in_values[place] = key, np.reshape(value, -1)
        return in_keys, in_values

    @staticmethod
    def _bucket(key, in_keys, empty):
        """Return the first free place for a key: the steps from its hash on grow by one."""
        number = murmur(key) if isinstance(key, bytes) else int(key)
        last = len(in_keys) - 1  # the count is a power of two
        place, step = number & last, 0
        while in_keys[place] != empty:
            step += 1
            place = (place + step) & last
        return place

    def _restore(self, keys, values):
        """Hold what `_saved` gave, and nothing else.

        Raises:
            InvalidArgumentError: a shape does not fit.
        """
        size = max(self._default.size, 1)
        if keys.shape != (len(values), 1) or values.shape != (len(keys), size):
            raise errors.InvalidArgumentError(
                f"DenseHashTable: Expected keys of shape [N, 1] and values of shape [N, {size}], "
                f"got {list(keys.shape)} and {list(values.shape)}.\n  Fix: restore what a "
                f"DenseHashTable with a default value of the same shape was saved as."
            )
        flat = values.reshape(-1, *self._default.shape)
        pairs = zip(keys[:, 0].tolist(), flat, strict=True)
        self._dict = {key: value for key, value in pairs if key not in self._reserved}
