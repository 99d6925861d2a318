"""parse_example and parse_single_example: serialized records to dicts of Tensors."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import dtypes, errors
from lamina.engine.dtypes import as_dtype
from lamina.ops.parsing.features import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    RaggedFeature,
    SparseFeature,
    VarLenFeature,
)
from lamina.ops.parsing.ragged import ragged
from lamina.ops.parsing.records import (
    Named,
    as_tensor,
    checked_features,
    features_of,
    joined,
    objects,
    raw_bytes,
    sparse,
    values_of,
)

__all__ = ["parse_example", "parse_single_example"]

_DTYPES = ("float32", "int64", "string")
_ORDER = (VarLenFeature, SparseFeature, FixedLenFeature, FixedLenSequenceFeature, RaggedFeature)


def parse_example(serialized, features, example_names=None, name=None):
    """Parse serialized `tf.train.Example` records into a dict of Tensors.

    Args:
        serialized: A vector of N strings, each the bytes of a record; one string is parsed as
            by `tf.io.parse_single_example`.
        features: A dict of names to descriptions, as `tf.io.FixedLenFeature`.
        example_names: Names of the records, for messages.
        name: Accepted, unused.

    Returns:
        A dict of names to values: `(N, *shape)` for FixedLenFeature, `(N, T, *shape)` with the
        longest T for FixedLenSequenceFeature, SparseTensors `(N, T)` for VarLenFeature,
        `(N, *size)` for SparseFeature, RaggedTensors for RaggedFeature.

    Raises:
        InvalidArgumentError: bytes that are no record, or a feature that is missing, of another
            kind or of another size than described.
        ValueError: no features, or a description that does not fit together.

    Example:
        >>> record = tf.train.Example()
        >>> record.features.feature["x"].float_list.value.extend([1.0, 2.0])
        >>> description = {"x": tf.io.FixedLenFeature([2], tf.float32)}
        >>> tf.io.parse_example([record.SerializeToString()], description)["x"].numpy()
        array([[1., 2.]], dtype=float32)
    """
    who = "tf.io.parse_example"
    found = raw_bytes(serialized, who, None)
    if found.ndim == 0:
        return _parsed([bytes(found[()])], features, True, who, _names(example_names))
    if found.ndim > 1:
        raw_bytes(serialized, who, 1)
    return _parsed(found.tolist(), features, False, who, _names(example_names))


def parse_single_example(serialized, features, example_names=None, name=None):
    """Parse one serialized `tf.train.Example` record into a dict of Tensors.

    Args:
        serialized: A scalar string, the bytes of a record.
        features: A dict of names to descriptions, as `tf.io.FixedLenFeature`.
        example_names: The name of the record, for messages.
        name: Accepted, unused.

    Returns:
        A dict of names to values as of `tf.io.parse_example`, without the axis N.

    Raises:
        InvalidArgumentError: bytes that are no record, or a feature that is missing, of another
            kind or of another size than described.
        ValueError: no features, or `serialized` is not a scalar.

    Example:
        >>> record = tf.train.Example()
        >>> record.features.feature["label"].int64_list.value.append(3)
        >>> description = {"label": tf.io.FixedLenFeature([], tf.int64)}
        >>> tf.io.parse_single_example(record.SerializeToString(), description)["label"].numpy()
        np.int64(3)
    """
    who = "tf.io.parse_single_example"
    found = raw_bytes(serialized, who, 0)
    return _parsed([bytes(found[()])], features, True, who, _names(example_names))


def _names(names: Any) -> Any:
    return None if names is None else raw_bytes(names, "tf.io: `example_names`", None).reshape(-1)


def _parsed(records: list[bytes], features: Any, is_one: bool, who: str, names: Any) -> Any:
    described = checked_features(features, who)
    rows = [features_of(r) for r in records]
    return parsed_features(rows, described, is_one, who, names)


def parsed_features(
    rows: Sequence[Any], described: Any, is_one: bool, who: str, names: Any = None
) -> dict[str, Any]:
    """Return the values of features of records that are taken apart already."""
    out = {}
    for kind in _ORDER:
        for key in sorted(k for k, f in described.items() if isinstance(f, kind)):
            out[key] = _value(rows, key, described[key], is_one, names)
    if len(out) < len(described):
        wrong = next(k for k in described if k not in out)
        raise ValueError(
            f"{who}: `features` must hold descriptions; got {described[wrong]!r} for {wrong!r}.\n"
            f"  Fix: use tf.io.FixedLenFeature, VarLenFeature, RaggedFeature or others."
        )
    return out


def checked_dtype(feature: Any, key: str) -> Any:
    """Return a description's dtype.

    Raises:
        InvalidArgumentError: records hold no such values.
    """
    dtype = as_dtype(feature.dtype)
    if dtype.name not in _DTYPES:
        raise errors.InvalidArgumentError(
            f"tf.io: the dtype of feature {key!r} must be float32, int64 or string; got "
            f"{dtype.name}.\n  Fix: parse as one of these, then tf.cast."
        )
    return dtype


def _value(rows: Sequence[Any], key: str, feature: Any, is_one: bool, names: Any) -> Any:
    if isinstance(feature, VarLenFeature):
        return _var_len(rows, key, checked_dtype(feature, key), is_one)
    if isinstance(feature, SparseFeature):
        return _sparse(rows, key, feature, is_one)
    if isinstance(feature, RaggedFeature):
        return ragged(rows, key, feature, is_one, checked_dtype(feature, key))
    if isinstance(feature, FixedLenSequenceFeature):
        return _sequence(rows, key, feature, is_one)
    return _fixed(rows, key, feature, is_one, names)


# ---- dense ----------------------------------------------------------------------------------


def default_of(feature: Any, shape: Sequence[int], dtype: Any, key: str) -> np.ndarray | None:
    """Return a description's default value in its shape, or None.

    Raises:
        ValueError: it does not fit the shape.
    """
    if feature.default_value is None:
        return None
    value: Any = feature.default_value
    value = value.numpy() if hasattr(value, "numpy") else value
    if dtype is dtypes.string:
        given = np.array(value, object)
        flat = [v.encode() if isinstance(v, str) else v for v in given.reshape(-1)]
        array = objects(flat).reshape(given.shape)
    else:
        array = np.asarray(value, dtype.np)
    if array.size == 1:
        return np.full(shape, array.reshape(-1)[0], array.dtype)
    if array.size != math.prod(shape):
        raise ValueError(
            f"tf.io: `default_value` of feature {key!r} must be one value or have shape "
            f"{tuple(shape)}; got shape {array.shape}.\n  Fix: give one of that shape."
        )
    return array.reshape(shape)  # as in TF, values in their order are enough


def _dims(feature: Any, key: str) -> tuple[Any, ...]:
    shape = feature.shape
    shape = shape.as_list() if hasattr(shape, "as_list") else shape
    dims = tuple(shape) if isinstance(shape, list | tuple | np.ndarray) else (shape,)
    if any(d is None for d in dims[1:]):
        raise ValueError(
            f"tf.io: the shape of feature {key!r} must be known, the first axis excepted; got "
            f"{dims}.\n  Fix: use tf.io.RaggedFeature or VarLenFeature."
        )
    return tuple(d if d is None else int(d) for d in dims)


def _fixed(rows: Sequence[Any], key: str, feature: Any, is_one: bool, names: Any) -> Any:
    dims = _dims(feature, key)
    if None in dims:
        inner = FixedLenSequenceFeature(dims[1:], feature.dtype, True, feature.default_value)
        return _sequence(rows, key, inner, is_one)
    dtype = checked_dtype(feature, key)
    default = default_of(feature, dims, dtype, key)
    count = int(np.prod(dims))
    out = np.empty((len(rows), *dims), dtype.np)
    for i, row in enumerate(rows):
        values = values_of(row.get(key), dtype, Named(key, i))
        if values is None and default is None:
            named = "<unknown>" if names is None else names[i].decode()
            raise errors.InvalidArgumentError(
                f"Name: {named}, Feature: {key} (data type: {dtype.name}) is required but could "
                f"not be found.\n  Fix: give the FixedLenFeature a default_value."
            )
        found: Any = default if values is None else values
        if found.size != count:
            raise errors.InvalidArgumentError(
                f"tf.io: Key: {key}, Index: {i}.  Number of {dtype.name} values != expected. "
                f" values "
                f"size: {found.size} but output shape: {list(dims)}.\n"
                f"  Fix: change `shape`, or use tf.io.VarLenFeature."
            )
        out[i] = found.reshape(dims)[()]
    return as_tensor(out.reshape(dims) if is_one else out)


def _sequence(rows: Sequence[Any], key: str, feature: Any, is_one: bool) -> Any:
    if not feature.allow_missing:
        raise ValueError(
            f"tf.io: feature {key!r}: a FixedLenSequenceFeature of an Example must have "
            f"allow_missing=True.\n  Fix: pass it, or use tf.io.parse_sequence_example."
        )
    dtype, dims = checked_dtype(feature, key), _dims(feature, key)
    size = int(np.prod(dims))
    found = []
    for i, row in enumerate(rows):
        values = values_of(row.get(key), dtype, Named(key, i))
        values = np.empty(0, dtype.np) if values is None else values
        if size == 0 or values.size % size:
            raise errors.InvalidArgumentError(
                f"tf.io: Key: {key}, Index: {i}.  Number of {dtype.name} values is not a "
                f"multiple of "
                f"stride length. Saw {values.size} values but output shape is {list(dims)}.\n"
                f"  Fix: change `shape`."
            )
        found.append(values.reshape(-1, *dims))
    out = padded(found, dims, dtype, default_of(feature, (), dtype, key))
    return as_tensor(out[0] if is_one else out)


def padded(parts: Sequence[np.ndarray], dims: Sequence[int], dtype: Any, fill: Any) -> np.ndarray:
    """Return arrays with rows of shape `dims` as one, shorter ones filled up."""
    longest = max(map(len, parts), default=0)
    blank = b"" if dtype is dtypes.string else 0
    out = np.full((len(parts), longest, *dims), blank if fill is None else fill[()], dtype.np)
    for i, part in enumerate(parts):
        out[i, : len(part)] = part
    return out


# ---- sparse ---------------------------------------------------------------------------------


def _vectors(rows: Sequence[Any], key: str, dtype: Any) -> list[np.ndarray]:
    found = [values_of(row.get(key), dtype, Named(key, i)) for i, row in enumerate(rows)]
    return [np.empty(0, dtype.np) if v is None else v for v in found]


def _var_len(rows: Sequence[Any], key: str, dtype: Any, is_one: bool) -> Any:
    parts = _vectors(rows, key, dtype)
    if is_one:
        return sparse(np.arange(parts[0].size), parts[0], [parts[0].size])
    places = [(i, j) for i, part in enumerate(parts) for j in range(part.size)]
    longest = max((p.size for p in parts), default=0)
    return sparse(places, joined(parts, dtype), [len(rows), longest])


def _sparse(rows: Sequence[Any], key: str, feature: Any, is_one: bool) -> Any:
    keys = feature.index_key if isinstance(feature.index_key, list | tuple) else [feature.index_key]
    sizes = feature.size if isinstance(feature.size, list | tuple) else [feature.size]
    if len(keys) != len(sizes):
        raise ValueError(
            f"tf.io.SparseFeature {key!r}: `index_key` and `size` must be of one length; got "
            f"{keys} and {sizes}.\n  Fix: give one size for each axis."
        )
    dtype = checked_dtype(feature, key)
    values = _vectors(rows, feature.value_key, dtype)
    axes = [_vectors(rows, k, dtypes.int64) for k in keys]
    places, kept = [], []
    for i, row in enumerate(values):
        columns = [axis[i] for axis in axes]
        if any(c.size != row.size for c in columns):
            raise errors.InvalidArgumentError(
                f"tf.io.SparseFeature {key!r}: a record must have as many indices as values; got "
                f"{[c.size for c in columns]} and {row.size}.\n  Fix: write one index a value."
            )
        order = np.arange(row.size) if feature.already_sorted else np.lexsort(columns[::-1])
        column = np.stack(columns, axis=1)[order].reshape(-1, len(keys))
        places.append(column if is_one else np.insert(column, 0, i, axis=1))
        kept.append(row[order])
    shape = [int(s) for s in sizes] if is_one else [len(rows), *map(int, sizes)]
    found = np.concatenate(places) if places else np.empty((0, len(shape)))
    return sparse(found, joined(kept, dtype), shape)
