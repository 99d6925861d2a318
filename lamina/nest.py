"""tf.nest: nested structures of Python containers; composite values are leaves unless asked."""

from collections.abc import Callable
from typing import Any

from lamina.engine import nest as _nest

__all__ = [
    "assert_same_structure",
    "flatten",
    "is_nested",
    "map_structure",
    "pack_sequence_as",
]


class _Whole:
    """A leaf that stands for a composite value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _closed(structure: Any) -> Any:
    """Return a structure with its composite values closed up as leaves."""
    if not _nest.has_composites(structure):
        return structure
    return _nest.map_composites(_Whole, structure)


def _opened(leaf: Any) -> Any:
    return leaf.value if type(leaf) is _Whole else leaf


def is_nested(seq: Any) -> bool:
    """Return whether `seq` is a container of a nested structure, an empty one included.

    Args:
        seq: Any object.

    Returns:
        True for sequences (strings, arrays and ragged or sparse Tensors are none), mappings, their
        views, and dataclasses.

    Example:
        >>> tf.nest.is_nested([]), tf.nest.is_nested("text"), tf.nest.is_nested({"a": 1})
        (True, False, True)
    """
    return _nest.is_nested(seq) and not isinstance(_closed(seq), _Whole)


def flatten(structure: Any, expand_composites: bool = False) -> list[Any]:
    """Return the leaves of a structure in order.

    Args:
        structure: A nested structure of lists, tuples, dicts (in sorted order of their keys),
            dataclasses and such, or a leaf.
        expand_composites: Whether ragged and sparse Tensors, extension types and such are taken
            apart into their Tensors.

    Returns:
        The list of leaves; `[structure]` for a leaf.

    Raises:
        TypeError: a mapping's keys cannot be sorted.

    Example:
        >>> tf.nest.flatten({"b": [1, 2], "a": (3, None)})
        [3, None, 1, 2]
    """
    if expand_composites:
        return _nest.flatten(structure)
    return [_opened(leaf) for leaf in _nest.flatten(_closed(structure))]


def pack_sequence_as(structure: Any, flat_sequence: Any, expand_composites: bool = False) -> Any:
    """Return `structure` with its leaves replaced, in order, by those of `flat_sequence`.

    Args:
        structure: A nested structure, or a leaf.
        flat_sequence: As many leaves as `structure` has.
        expand_composites: Whether composite values are made anew of their Tensors.

    Returns:
        New containers of the same classes; the one item of `flat_sequence` if `structure` is a
        leaf.

    Raises:
        TypeError: `flat_sequence` is not a sequence.
        ValueError: the number of leaves differs.

    Example:
        >>> tf.nest.pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    return _nest.pack_sequence_as(
        structure if expand_composites else _closed(structure), flat_sequence
    )


def map_structure(func: Callable[..., Any], *structure: Any, **kwargs: Any) -> Any:
    """Return a structure of `func(leaf)`, or `func(leaf1, leaf2, ...)` for several structures.

    Args:
        func: Called once per leaf, in the order of `flatten`.
        *structure: One or more structures that match.
        **kwargs: `check_types` (True): whether the classes of the containers must match too, list
            with list; `expand_composites` (False): whether to go into composite values.

    Returns:
        Containers like those of the first structure, holding the results.

    Raises:
        TypeError: `func` is not callable, classes of containers differ, or a keyword is unknown.
        ValueError: there is no structure, or the structures differ.

    Example:
        >>> tf.nest.map_structure(lambda a, b: a + b, {"x": (1, 2)}, {"x": (3, 4)})
        {'x': (4, 6)}
    """
    expand, check = kwargs.pop("expand_composites", False), kwargs.pop("check_types", True)
    if kwargs:
        raise ValueError(
            f"tf.nest.map_structure: only `expand_composites` and `check_types` are valid keyword "
            f"arguments; got {list(kwargs)}.\n  Fix: pass the structures by position."
        )
    if expand or not callable(func):
        return _nest.map_structure(func, *structure, check_types=check)
    return _nest.map_structure(
        lambda *leaves: func(*map(_opened, leaves)), *map(_closed, structure), check_types=check
    )


def assert_same_structure(
    nest1: Any, nest2: Any, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raise an error unless both structures have the same containers, keys and lengths.

    Args:
        nest1: A nested structure, or a leaf.
        nest2: The same.
        check_types: Whether the classes of the containers must match too. A dict matches any
            mapping, a namedtuple one with the same name and fields.
        expand_composites: Whether the insides of composite values are compared too.

    Raises:
        ValueError: a leaf stands opposite to a container, or lengths or keys differ.
        TypeError: classes of containers differ and `check_types` is true.
    """
    if not expand_composites:
        nest1, nest2 = _closed(nest1), _closed(nest2)
    _nest.assert_same_structure(nest1, nest2, check_types)
