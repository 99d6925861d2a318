"""Structures of elements: tuples, namedtuples and mappings of leaves; a list is a leaf (a Tensor).

What `lamina.engine.nest` is to arguments, this is to elements. Whole values, such as ragged Tensors
and datasets, are leaves here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = [
    "assert_same_structure",
    "flatten",
    "is_nested",
    "map_structure",
    "pack_sequence_as",
]


def is_nested(value: Any) -> bool:
    """Return whether a value is a tuple or mapping."""
    return isinstance(value, tuple | Mapping) and not hasattr(type(value), "_type_spec")


def flatten(structure: Any) -> list[Any]:
    """Return the leaves in order; those of a mapping in the sorted order of its keys."""
    if not is_nested(structure):
        return [structure]
    found: list[Any] = []
    for part in _parts(structure):
        found.extend(flatten(part))
    return found


def _parts(structure: Any) -> Sequence[Any]:
    if isinstance(structure, Mapping):
        return [structure[key] for key in sorted(structure)]
    return structure


def pack_sequence_as(structure: Any, leaves: Sequence[Any]) -> Any:
    """Return a structure with its leaves replaced, in order."""
    return _packed(structure, iter(leaves).__next__)


def _packed(structure: Any, take: Callable[[], Any]) -> Any:
    if not is_nested(structure):
        return take()
    if isinstance(structure, Mapping):
        found = {key: _packed(structure[key], take) for key in sorted(structure)}
        kind = type(structure)
        ordered = {key: found[key] for key in structure}
        return ordered if kind is dict else _mapping(structure, ordered)
    parts = [_packed(part, take) for part in structure]
    return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)


def _mapping(like: Any, values: dict[Any, Any]) -> Any:
    try:
        return type(like)(values)
    except TypeError:  # a defaultdict
        return values


def map_structure(function: Callable[..., Any], structure: Any, *others: Any) -> Any:
    """Return a structure with a function's results for its leaves, and those of others.

    Raises:
        TypeError: the structures differ.
    """
    if not others:
        if not is_nested(structure):
            return function(structure)
        return pack_sequence_as(structure, [function(leaf) for leaf in flatten(structure)])
    for other in others:
        assert_same_structure(structure, other)
    columns = zip(flatten(structure), *map(flatten, others), strict=True)
    return pack_sequence_as(structure, [function(*leaves) for leaves in columns])


def assert_same_structure(first: Any, second: Any) -> None:
    """Raise if two structures differ, in classes, keys or lengths.

    Raises:
        TypeError: so it is.
    """
    same = is_nested(first) == is_nested(second)
    if same and is_nested(first):
        if isinstance(first, Mapping):
            same = isinstance(second, Mapping) and set(first) == set(second)
        else:
            same = isinstance(second, tuple) and len(first) == len(second)
        if same:
            for one, other in zip(_parts(first), _parts(second), strict=True):
                assert_same_structure(one, other)
    if not same:
        raise TypeError(f"tf.data: two elements must have one structure; got {first}, {second}.")
