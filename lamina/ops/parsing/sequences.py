"""parse_sequence_example and parse_single_sequence_example."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.engine import errors
from lamina.ops.parsing.examples import checked_dtype, default_of, padded, parsed_features
from lamina.ops.parsing.features import FixedLenSequenceFeature, RaggedFeature, VarLenFeature
from lamina.ops.parsing.ragged import from_lengths
from lamina.ops.parsing.records import (
    Named,
    as_tensor,
    joined,
    raw_bytes,
    sequences_of,
    sparse,
    values_of,
)

__all__ = ["parse_sequence_example", "parse_single_sequence_example"]


def parse_sequence_example(
    serialized, context_features=None, sequence_features=None, example_names=None, name=None
):
    """Parse serialized `tf.train.SequenceExample` records.

    Args:
        serialized: A vector of N strings, each the bytes of a record.
        context_features: Descriptions of features of the whole record, as for
            `tf.io.parse_example`.
        sequence_features: Descriptions of the feature lists: FixedLenSequenceFeature,
            VarLenFeature or RaggedFeature.
        example_names: Accepted, unused.
        name: Accepted, unused.

    Returns:
        Three dicts by name: the context as of `tf.io.parse_example`; the sequences, `(N, T,
        *shape)` padded, SparseTensors `(N, T, L)` or RaggedTensors; and the number of steps of
        each record, int64 `(N,)`, for each FixedLenSequenceFeature.

    Raises:
        InvalidArgumentError: bytes that are no record, or a feature list that is missing or of
            another kind than described.
        ValueError: nothing is described.

    Example:
        >>> record = tf.train.SequenceExample()
        >>> words = record.feature_lists.feature_list["words"]
        >>> words.feature.add().int64_list.value.append(7)
        >>> _, sequences, lengths = tf.io.parse_sequence_example(
        ...     [record.SerializeToString()],
        ...     sequence_features={"words": tf.io.FixedLenSequenceFeature([], tf.int64)},
        ... )
        >>> sequences["words"].numpy(), lengths["words"].numpy()
        (array([[7]]), array([1]))
    """
    who = "tf.io.parse_sequence_example"
    records = list(raw_bytes(serialized, who, 1))
    return _parsed(records, context_features, sequence_features, False, who)


def parse_single_sequence_example(
    serialized, context_features=None, sequence_features=None, example_name=None, name=None
):
    """Parse one serialized `tf.train.SequenceExample` record.

    Args:
        serialized: A scalar string, the bytes of a record.
        context_features: Descriptions of features of the whole record.
        sequence_features: Descriptions of the feature lists.
        example_name: Accepted, unused.
        name: Accepted, unused.

    Returns:
        Two dicts as of `tf.io.parse_sequence_example`, without the axis N.

    Raises:
        InvalidArgumentError: bytes that are no record, or a feature list that is missing or of
            another kind than described.
        ValueError: nothing is described, or `serialized` is not a scalar.

    Example:
        >>> record = tf.train.SequenceExample()
        >>> record.context.feature["n"].int64_list.value.append(2)
        >>> context, _ = tf.io.parse_single_sequence_example(
        ...     record.SerializeToString(), {"n": tf.io.FixedLenFeature([], tf.int64)}
        ... )
        >>> context["n"].numpy()
        np.int64(2)
    """
    who = "tf.io.parse_single_sequence_example"
    record = bytes(raw_bytes(serialized, who, 0)[()])
    return _parsed([record], context_features, sequence_features, True, who)[:2]


def _parsed(records: list[bytes], context: Any, sequences: Any, is_one: bool, who: str) -> Any:
    if not context and not sequences:
        raise ValueError(
            f"{who}: Missing features: both `context_features` and `sequence_features` are "
            f"empty.\n  Fix: describe one."
        )
    taken = [sequences_of(r) for r in records]
    found = parsed_features([c for c, _ in taken], context or {}, is_one, who)
    lists = [s for _, s in taken]
    out, lengths = {}, {}
    kinds = VarLenFeature, FixedLenSequenceFeature, RaggedFeature  # the order of TF's results
    place = {
        k: next((i for i, c in enumerate(kinds) if isinstance(f, c)), 3)
        for k, f in (sequences or {}).items()
    }
    for key in sorted(place, key=lambda k: (place[k], k)):
        feature = sequences[key]
        steps = _steps(lists, key, feature, who)
        counts = np.array([len(s) for s in steps], np.int64)
        if isinstance(feature, VarLenFeature):
            out[key] = _sparse(steps, checked_dtype(feature, key), is_one)
        elif isinstance(feature, RaggedFeature):
            out[key] = _ragged(steps, feature, checked_dtype(feature, key), is_one)
        else:
            out[key] = _dense(steps, key, feature, is_one)
            lengths[key] = as_tensor(counts)
    return found, out, lengths


def _steps(lists: Sequence[Any], key: str, feature: Any, who: str) -> list[list[np.ndarray]]:
    """Return the values of each step of each record."""
    if not isinstance(feature, FixedLenSequenceFeature | VarLenFeature | RaggedFeature):
        raise TypeError(
            f"{who}: `sequence_features` must hold FixedLenSequenceFeature, VarLenFeature or "
            f"RaggedFeature; got {feature!r} for {key!r}.\n  Fix: use one of these."
        )
    if isinstance(feature, RaggedFeature) and feature.partitions:
        raise ValueError(
            f"{who}: feature {key!r}: a RaggedFeature of a sequence must have no partitions; got "
            f"{feature.partitions}.\n  Fix: leave them out, the steps are the rows."
        )
    dtype = checked_dtype(feature, key)
    name = getattr(feature, "value_key", None) or key
    out = []
    for i, record in enumerate(lists):
        if name not in record and not getattr(feature, "allow_missing", True):
            raise errors.InvalidArgumentError(
                f"tf.io: Name: <unknown>, Feature list '{key}' is required but could not be "
                f"found.  Did "
                f"you mean to include it in feature_list_dense_missing_assumed_empty?\n"
                f"  Fix: allow_missing=True in the FixedLenSequenceFeature."
            )
        values = [values_of(s, dtype, Named(key, i)) for s in record.get(name, [])]
        out.append([np.empty(0, dtype.np) if v is None else v for v in values])
    return out


def _dense(steps: Sequence[Any], key: str, feature: Any, is_one: bool) -> Any:
    dtype = checked_dtype(feature, key)
    shape = feature.shape.as_list() if hasattr(feature.shape, "as_list") else feature.shape
    dims = tuple(shape) if isinstance(shape, list | tuple) else (shape,)
    size = int(np.prod(dims))
    for i, record in enumerate(steps):
        for step in record:
            if step.size != size:
                raise errors.InvalidArgumentError(
                    f"tf.io: Key: {key}, Index: {i}.  Number of {dtype.name} values != expected. "
                    f" values "
                    f"size: {step.size} but output shape: {list(dims)}.\n"
                    f"  Fix: change `shape`, or use tf.io.RaggedFeature."
                )
    blank = np.empty((0, *dims), dtype.np)
    parts = [np.stack([s.reshape(dims) for s in r]) if r else blank for r in steps]
    out = padded(parts, dims, dtype, default_of(feature, (), dtype, key))
    return as_tensor(out[0] if is_one else out)


def _sparse(steps: Sequence[Any], dtype: Any, is_one: bool) -> Any:
    places = [
        (i, t, j) for i, r in enumerate(steps) for t, s in enumerate(r) for j in range(s.size)
    ]
    values = joined([s for r in steps for s in r], dtype)
    longest = max((s.size for r in steps for s in r), default=0)
    shape = [len(steps), max(map(len, steps), default=0), longest]
    found = np.array(places, np.int64).reshape(-1, 3)
    return sparse(found[:, 1:], values, shape[1:]) if is_one else sparse(found, values, shape)


def _ragged(steps: Sequence[Any], feature: Any, dtype: Any, is_one: bool) -> Any:
    inner = np.array([s.size for r in steps for s in r], np.int64)
    flat = joined([s for r in steps for s in r], dtype)
    outer = [] if is_one else [np.array([len(r) for r in steps])]
    return from_lengths(flat, [*outer, inner], feature.row_splits_dtype)
