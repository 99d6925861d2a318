"""Lookup tables: keys to values, kept on the host."""

from typing import Any

import numpy as np

from lamina.engine import (
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    from_host,
    host_op,
    is_traced,
    local,
    restorer,
    type_of,
)
from lamina.engine.composite import Composite
from lamina.ops import indexing, shaping
from lamina.ops.casting import cast
from lamina.ops.comparison import equal
from lamina.ops.counting import searchsorted
from lamina.ops.hashing import hash_bucket
from lamina.ops.selection import where

__all__ = [
    "KeyValueTensorInitializer",
    "StaticHashTable",
    "StaticVocabularyTable",
    "Table",
    "TextFileIndex",
    "TextFileInitializer",
]


def host_array(value, dtype):
    """Return a value as a NumPy array."""
    return np.asarray(convert_to_tensor(value, dtype)._jax())


def scalar(value):
    """Return the element of an array of one."""
    return value.item() if hasattr(value, "item") else value


class KeyValueTensorInitializer:
    """The keys and values of a table, given as Tensors.

    Args:
        keys: A vector of strings or integers.
        values: As many values.
        key_dtype: The dtype of the keys; None infers it.
        value_dtype: The dtype of the values; None infers it.
        name: Accepted, unused.

    Raises:
        ValueError: the numbers of keys and values differ.

    Example:
        >>> init = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        >>> tf.lookup.StaticHashTable(init, -1).lookup(tf.constant(["b", "z"])).numpy()
        array([ 2, -1], dtype=int32)
    """

    def __init__(self, keys, values, key_dtype=None, value_dtype=None, name=None):
        kind = None if value_dtype is None else as_dtype(value_dtype)
        if kind is None and not hasattr(values, "dtype"):
            kind = _wide(values)
        key_kind = None if key_dtype is None else as_dtype(key_dtype)
        if key_kind is None and not hasattr(keys, "dtype"):
            key_kind = _wide(keys)
        keys, values = convert_to_tensor(keys, key_kind), convert_to_tensor(values, kind)
        self.key_dtype, self.value_dtype = keys.dtype, values.dtype
        self._keys, self._values = (np.asarray(t._jax()).reshape(-1) for t in (keys, values))
        if len(self._keys) != len(self._values):
            raise ValueError(
                f"tf.lookup.KeyValueTensorInitializer: `keys` and `values` must be equally many; "
                f"got {len(self._keys)} and {len(self._values)}."
            )

    def _pairs(self):
        return self._keys.tolist(), self._values


def _wide(values):
    return None if np.size(values) else dtypes.int64


class TextFileIndex:
    """Which part of a line is a key or value.

    Attributes:
        WHOLE_LINE: The line.
        LINE_NUMBER: Its number, from 0.
    """

    WHOLE_LINE = -2
    LINE_NUMBER = -1


class TextFileInitializer:
    r"""The keys and values of a table, read from the lines of a text file.

    Args:
        filename: The path.
        key_dtype: The dtype of the keys.
        key_index: Which column holds keys, or a constant of `tf.lookup.TextFileIndex`.
        value_dtype: The dtype of the values.
        value_index: The same for values.
        vocab_size: The number of lines to read; None reads all.
        delimiter: What stands between columns.
        name: Accepted, unused.
        value_index_offset: What is added to line numbers.

    Raises:
        NotFoundError: there is no such file.
        ValueError: a dtype does not fit its index, or an index is out of range.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "vocabulary.txt"
        >>> _ = path.write_text("red\ngreen\n")
        >>> index = tf.lookup.TextFileIndex
        >>> init = tf.lookup.TextFileInitializer(
        ...     str(path), tf.string, index.WHOLE_LINE, tf.int64, index.LINE_NUMBER
        ... )
        >>> tf.lookup.StaticHashTable(init, -1).lookup(tf.constant("green")).numpy()
        np.int64(1)
    """

    def __init__(
        self,
        filename,
        key_dtype,
        key_index,
        value_dtype,
        value_index,
        vocab_size=None,
        delimiter="\t",
        name=None,
        value_index_offset=0,
    ):
        self.key_dtype, self.value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)
        for index, kind, what in (
            (key_index, self.key_dtype, "key"),
            (value_index, self.value_dtype, "value"),
        ):
            if index < -2:
                raise ValueError(f"tf.lookup: invalid `{what}_index` {index}.")
            if index == TextFileIndex.LINE_NUMBER and not kind.is_integer:
                raise ValueError(
                    f"tf.lookup: `{what}_dtype` must be an integer for line numbers; got "
                    f"{kind.name}."
                )
            if index == TextFileIndex.WHOLE_LINE and not (kind is dtypes.string or kind.is_integer):
                raise ValueError(
                    f"tf.lookup: `{what}_dtype` must be string or integer for whole lines; got "
                    f"{kind.name}."
                )
        self._key_index, self._value_index = key_index, value_index
        self._filename = scalar(host_array(filename, dtypes.string))
        self._limit, self._delimiter = vocab_size, delimiter.encode()
        self._offset = value_index_offset

    def _pairs(self):
        path: Any = self._filename
        path = path.decode() if isinstance(path, bytes) else path
        try:
            with open(path, "rb") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            raise errors.NotFoundError(f"tf.lookup: the file {path} does not exist.") from None
        if self._limit is not None:
            if len(lines) < self._limit:
                raise errors.InvalidArgumentError(
                    f"tf.lookup: {path} must have {self._limit} lines; got {len(lines)}."
                )
            lines = lines[: self._limit]
        keys = self._column(lines, self._key_index, self.key_dtype, 0)
        values = self._column(lines, self._value_index, self.value_dtype, self._offset)
        return keys, _array(values, self.value_dtype)

    def _column(self, lines, index, kind, offset):
        if index == TextFileIndex.LINE_NUMBER:
            return [i + offset for i in range(len(lines))]
        found = lines
        if index != TextFileIndex.WHOLE_LINE:
            found = [line.split(self._delimiter)[index] for line in lines]
        if kind is dtypes.string:
            return found
        return [int(v) if kind.is_integer else float(v) for v in found]


def _array(values, kind):
    if kind is not dtypes.string:
        return np.asarray(values, kind.np)
    out = np.empty(len(values), object)
    out[:] = values
    return out


class Table:
    """What all tables have: keys to values in a dict, and dtypes."""

    is_fixed = True  # programs may hold the keys and values as they are
    restored_by = f"{__name__}:restored_find"

    def __init__(self, key_dtype, value_dtype, default_value, name):
        self._key_dtype, self._value_dtype = as_dtype(key_dtype), as_dtype(value_dtype)
        self._default = host_array(default_value, self._value_dtype)
        self._name = name
        self._dict = {}
        self._sorted = None
        self._lookup = None

    @property
    def key_dtype(self):
        """The dtype of the keys."""
        return self._key_dtype

    @property
    def value_dtype(self):
        """The dtype of the values."""
        return self._value_dtype

    @property
    def default_value(self):
        """What keys get that are not in the table."""
        return from_host(self._default)

    @property
    def name(self):
        """The name."""
        return self._name

    def size(self, name=None):
        """Return the number of keys, an int64 scalar."""
        return convert_to_tensor(np.asarray(len(self._dict), np.int64))

    def export(self, name=None):
        """Return the keys and the values, as Tensors."""
        keys, values = self._arrays()
        return from_host(keys), from_host(values)

    def _arrays(self):
        """Return the keys `(N,)` and the values `(N, *shape of a value)`, as arrays."""
        keys, values = _array(list(self._dict), self._key_dtype), list(self._dict.values())
        if self._value_dtype is not dtypes.string:
            values = np.asarray(values, self._value_dtype.np)
            return keys, values.reshape(len(keys), *self._default.shape)
        made = np.empty((len(keys), *self._default.shape), object)
        for place, value in enumerate(values):
            made[place] = value
        return keys, made

    def __getitem__(self, keys):
        """Return `lookup(keys)`."""
        return self.lookup(keys)

    def lookup(self, keys, name=None):
        """Return the values of keys, the default value for those that are not in the table.

        Args:
            keys: A Tensor, RaggedTensor or SparseTensor of keys.
            name: Accepted, unused.

        Raises:
            TypeError: the keys have another dtype than those of the table.
        """
        return self._each(self._find, keys)

    def _each(self, find, keys):
        """Call `find` with Tensors of keys; of ragged and sparse ones with their values."""
        if isinstance(keys, Composite):
            self._check(keys)
            parts: Any = keys
            if hasattr(keys, "dense_shape"):
                return parts.with_values(find(parts.values))
            return parts.with_flat_values(find(parts.flat_values))
        if not hasattr(keys, "dtype"):
            keys = convert_to_tensor(keys, self._key_dtype)
        keys = convert_to_tensor(keys)
        self._check(keys)
        return find(keys)

    def _check(self, keys):
        if keys.dtype is not self._key_dtype:
            raise TypeError(
                f"{type(self).__name__}.lookup: Signature mismatch: `keys` must have dtype "
                f"{self._key_dtype.name}, got {keys.dtype.name}.\n  Fix: tf.cast them."
            )

    def _find(self, keys):
        numbers = dtypes.string not in (self._key_dtype, self._value_dtype)
        is_compiled = self.is_fixed and not local.trace.eager
        if numbers and is_compiled and not self._default.ndim:
            return self._find_traced(keys)
        if is_traced(keys):
            return self._operation()(keys)
        return from_host(self._found(np.asarray(keys._jax())))

    def _operation(self):
        """Return the lookup as an operation on the host, which a program can hold."""
        if self._lookup is None:  # one for all calls: traces refer to it, and do not keep it
            value_dtype, dims = self._value_dtype, self._default.shape

            def infer(kinds, **attributes):
                return (type_of((*kinds[0].dims, *dims), value_dtype),), None

            def find(keys):
                return self._found(keys)

            self._lookup = host_op(infer, (self.restored_by, self._recipe))(find)
        return self._lookup

    def _recipe(self):
        """Return what `restored_find` makes the same lookup of, from a file."""
        return {
            "kinds": (self._key_dtype, self._value_dtype),
            "default": self._default,
            "keys": list(self._dict),
            "values": [v.tolist() if isinstance(v, np.ndarray) else v for v in self._dict.values()],
        }

    def _found(self, host):
        """Return the values of an array of keys, as an array."""
        found = [self._dict.get(k, None) for k in host.reshape(-1).tolist()]
        default = self._default
        values = [default if v is None else v for v in found]
        if self._value_dtype is dtypes.string:
            texts = [scalar(v) for v in values]
            return _array(texts, dtypes.string).reshape(host.shape)
        made = np.asarray(values, self._value_dtype.np)
        return made.reshape((*host.shape, *default.shape))

    def _find_traced(self, keys):
        """Return the values of integer keys by a search, inside a compiled program."""
        if self._sorted is None:
            order = sorted(self._dict)
            self._sorted = (
                np.asarray(order, self._key_dtype.np),
                np.asarray([self._dict[k] for k in order], self._value_dtype.np),
            )
        known, values = self._sorted
        default = convert_to_tensor(self._default, self._value_dtype)
        if not len(known):
            return shaping.broadcast_to(default, list(keys.shape))
        flat = shaping.reshape(keys, [-1])
        at = searchsorted(known, flat)
        at = cast(where(at < len(known), at, len(known) - 1), dtypes.int64)
        there = equal(indexing.gather(known, at), flat)
        found = where(there, indexing.gather(values, at), default)
        return shaping.reshape(found, list(keys.shape))


@restorer
def restored_find(kinds, default, keys, values):
    """Return the operation that looks keys up, from what a file holds of a table."""
    key_dtype, value_dtype = kinds
    table = Table(key_dtype, value_dtype, default, "restored")
    table._dict = dict(zip(keys, values, strict=True))
    return table._operation()


class StaticHashTable(Table):
    """A table that never changes.

    Args:
        initializer: Its keys and values, such as `tf.lookup.KeyValueTensorInitializer`.
        default_value: What keys get that are not in the table.
        name: A name.
        experimental_is_anonymous: Accepted, unused.

    Raises:
        InvalidArgumentError: a key has two different values.

    Example:
        >>> init = tf.lookup.KeyValueTensorInitializer([10, 20], ["ten", "twenty"])
        >>> table = tf.lookup.StaticHashTable(init, "?")
        >>> table[tf.constant([20, 30])].numpy()
        array([b'twenty', b'?'], dtype=object)
    """

    def __init__(self, initializer, default_value, name=None, experimental_is_anonymous=False):
        kinds = initializer.key_dtype, initializer.value_dtype
        super().__init__(*kinds, default_value, name or "hash_table")
        keys, values = initializer._pairs()
        for key, value in zip(keys, values, strict=True):
            kept = self._dict.setdefault(key, value)
            if kept is not value and kept != value:
                raise errors.FailedPreconditionError(
                    f"tf.lookup.StaticHashTable: HashTable has different value for same key: key "
                    f"{key} has {kept} and trying to add value {value}.\n  Fix: drop one of them."
                )


class StaticVocabularyTable(Table):
    """A table of terms to their numbers; other terms share some numbers behind them, by hash.

    Args:
        initializer: The terms and their numbers, int64; None for hashes alone.
        num_oov_buckets: How many numbers the other terms share.
        lookup_key_dtype: The dtype of the keys, if not that of the initializer.
        name: A name.
        experimental_is_anonymous: Accepted, unused.

    Raises:
        ValueError: `num_oov_buckets` is not positive.
        TypeError: the initializer's values are not int64.

    Example:
        >>> init = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64))
        >>> tf.lookup.StaticVocabularyTable(init, 1).lookup(tf.constant(["b", "z"])).numpy()
        array([1, 2])
    """

    def __init__(
        self,
        initializer,
        num_oov_buckets,
        lookup_key_dtype=None,
        name=None,
        experimental_is_anonymous=False,
    ):
        if num_oov_buckets <= 0:
            raise ValueError(
                f"tf.lookup.StaticVocabularyTable: `num_oov_buckets` must be > 0; got "
                f"{num_oov_buckets}."
            )
        kind = dtypes.string if initializer is None else initializer.key_dtype
        kind = kind if lookup_key_dtype is None else as_dtype(lookup_key_dtype)
        super().__init__(kind, dtypes.int64, np.int64(-1), name or "vocabulary_table")
        self._buckets = int(num_oov_buckets)
        if initializer is not None:
            if initializer.value_dtype is not dtypes.int64:
                raise TypeError(
                    f"tf.lookup.StaticVocabularyTable: Invalid `value_dtype`: the values must be "
                    f"int64; got {initializer.value_dtype.name}."
                )
            keys, values = initializer._pairs()
            self._dict = dict(zip(keys, values, strict=True))

    def size(self, name=None):
        """Return the number of terms and of numbers for other ones, an int64 scalar."""
        return convert_to_tensor(np.asarray(len(self._dict) + self._buckets, np.int64))

    def _find(self, keys):
        found = super()._find(keys)
        other = hash_bucket(keys, self._buckets, None)
        return where(found < 0, cast(other, dtypes.int64) + len(self._dict), found)
