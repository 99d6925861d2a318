"""Records as arrays: the features of serialized Examples, and pieces that make up results."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.engine import Tensor, convert_to_tensor, dtypes, errors, from_host
from lamina.protos import wire

__all__ = [
    "Named",
    "as_tensor",
    "checked_features",
    "features_of",
    "joined",
    "objects",
    "raw_bytes",
    "sequences_of",
    "sparse",
    "values_of",
]

_KINDS = {1: dtypes.string, 2: dtypes.float32, 3: dtypes.int64}
_Features = dict[str, tuple[int, bytes]]


def raw_bytes(serialized: Any, who: str, rank: int | None) -> np.ndarray:
    """Return serialized records as an array of `bytes`.

    Raises:
        ValueError: they have another rank.
        TypeError: they are no strings.
    """
    tensor = convert_to_tensor(serialized, dtypes.string)
    array = np.asarray(tensor.numpy(), dtype=object)
    if rank is not None and array.ndim != rank:
        raise ValueError(
            f"{who}: `serialized` must have rank {rank}; got shape {array.shape}.\n"
            f"  Fix: {'pass one record' if rank == 0 else 'pass a vector of records'}."
        )
    return array


def _bad(error: Exception, what: str) -> errors.InvalidArgumentError:
    return errors.InvalidArgumentError(
        f"tf.io: Could not parse example input, value: {error}\n"
        f"  Fix: pass the bytes of a {what}, from SerializeToString() or a TFRecord file."
    )


def _entries(data: bytes) -> _Features:
    """Return a Features message as (number of the list's kind, the list's bytes) by name."""
    out: _Features = {}
    for number, _, entry in wire.fields(data):
        if number != 1:
            continue
        name, value = b"", b""
        for part, _, found in wire.fields(entry):
            name, value = (found, value) if part == 1 else (name, found)
        for kind, _, content in wire.fields(value):
            out[name.decode()] = kind, content
    return out


def features_of(data: bytes) -> _Features:
    """Return the features of a serialized Example, as `values_of` takes them.

    Raises:
        InvalidArgumentError: the bytes are no Example.
    """
    try:
        out: _Features = {}
        for number, _, content in wire.fields(data):
            if number == 1:
                out |= _entries(content)
        return out
    except (wire.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise _bad(error, "tf.train.Example") from None


def sequences_of(data: bytes) -> tuple[_Features, dict[str, list[tuple[int, bytes]]]]:
    """Return the context and the feature lists of a serialized SequenceExample.

    Raises:
        InvalidArgumentError: the bytes are no SequenceExample.
    """
    try:
        context: _Features = {}
        lists: dict[str, list[tuple[int, bytes]]] = {}
        for number, _, content in wire.fields(data):
            if number == 1:
                context |= _entries(content)
            elif number == 2:
                lists |= _lists(content)
        return context, lists
    except (wire.DecodeError, UnicodeDecodeError, TypeError) as error:
        raise _bad(error, "tf.train.SequenceExample") from None


def _lists(data: bytes) -> dict[str, list[tuple[int, bytes]]]:
    out: dict[str, list[tuple[int, bytes]]] = {}
    for _, _, entry in wire.fields(data):
        parts = {number: content for number, _, content in wire.fields(entry)}
        steps = []
        for _, _, feature in wire.fields(parts.get(2, b"")):
            kinds = [(kind, content) for kind, _, content in wire.fields(feature)]
            steps.append(kinds[-1] if kinds else (0, b""))
        out[parts.get(1, b"").decode()] = steps
    return out


class Named(NamedTuple):
    """What a message says about a feature: its key, and the record's place or name."""

    key: str
    record: Any


def values_of(found: tuple[int, bytes] | None, dtype: Any, where: Named) -> np.ndarray | None:
    """Return the values of a feature as a vector; None if it is missing.

    Raises:
        InvalidArgumentError: the feature holds another kind of values.
    """
    if found is None or not found[0]:
        return None
    kind, content = found
    if _KINDS.get(kind) is not dtype:
        came = _KINDS[kind].name if kind in _KINDS else "unknown"
        raise errors.InvalidArgumentError(
            f"tf.io: Key: {where.key}, Index: {where.record}.  Data types don't match. "
            f"Expected type: "
            f"{dtype.name}, Data type: {came}.\n  Fix: describe the feature with tf.{came}."
        )
    if kind == 1:
        return objects([value for _, _, value in wire.fields(content)])
    parts: list[Any] = [np.empty(0, dtype.np)]
    for _, form, value in wire.fields(content):
        if kind == 2:
            parts.append(np.frombuffer(value, "<f4"))
        elif form == wire.VARINT:
            parts.append(np.array([wire.signed(value)], np.int64))
        else:
            parts.append(np.array(wire.varints(value), np.int64))
    return parts[1] if len(parts) == 2 else np.concatenate(parts)


def objects(values: Sequence[bytes]) -> np.ndarray:
    """Return strings as an array of objects."""
    out = np.empty(len(values), dtype=object)
    out[:] = values
    return out


def joined(parts: Sequence[np.ndarray], dtype: Any) -> np.ndarray:
    """Return arrays one after the other; none give an empty vector."""
    return np.concatenate([np.empty((0, *parts[0].shape[1:]) if parts else 0, dtype.np), *parts])


def as_tensor(array: Any) -> Tensor:
    """Return a NumPy array as a ready Tensor."""
    return from_host(np.asarray(array))


def sparse(indices: Any, values: Any, shape: Sequence[int]) -> Any:
    """Return a SparseTensor of arrays."""
    from lamina.sparse import SparseTensor

    places = np.asarray(indices, np.int64).reshape(-1, len(shape))
    return SparseTensor(as_tensor(places), as_tensor(values), as_tensor(np.array(shape, np.int64)))


def checked_features(features: Any, who: str) -> Mapping[str, Any]:
    """Return descriptions of features, which must be a dict with entries.

    Raises:
        ValueError: there are none.
        TypeError: they are no dict.
    """
    if not features:
        raise ValueError(f"{who}: Missing: features was {features!r}.\n  Fix: describe one.")
    if not isinstance(features, Mapping):
        raise TypeError(
            f"{who}: `features` must be a dict of descriptions by name; got "
            f"{type(features).__name__}.\n  Fix: {{'x': tf.io.FixedLenFeature([], tf.int64)}}."
        )
    return features
