"""tf.keras.tree: nested structures of lists, tuples and dicts.

They differ from `tf.nest`'s: OrderedDicts go by insertion, fields of namedtuples by index, and
subclasses of containers, dataclasses, sparse and ragged Tensors are leaves.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

__all__ = [
    "MAP_TO_NONE",
    "assert_same_paths",
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "is_nested",
    "lists_to_tuples",
    "map_shape_structure",
    "map_structure",
    "map_structure_up_to",
    "pack_sequence_as",
    "traverse",
]


class MAP_TO_NONE:  # noqa: N801  # Keras' name
    """What a function given to `traverse` returns to put None there; None itself means "go on"."""


# ---- containers -------------------------------------------------------------------------------


class _Node(NamedTuple):
    """How to take containers of one class apart, and make them again."""

    keys: Callable[[Any], Iterable[Any]]
    rebuild: Callable[[Any, list[Any]], Any]  # (a like instance, children by keys) -> a new one


def _by_sorted_keys(value: Any) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:  # keys of several types stay in their order
        return list(value)


def _rebuilt_dict(like: Any, children: list[Any]) -> dict[Any, Any]:
    new = dict(zip(_by_sorted_keys(like), children, strict=True))
    return {key: new[key] for key in like}


_NODES: dict[type, _Node] = {
    list: _Node(lambda v: range(len(v)), lambda _, c: c),
    tuple: _Node(lambda v: range(len(v)), lambda _, c: tuple(c)),
    deque: _Node(lambda v: range(len(v)), lambda like, c: deque(c, like.maxlen)),
    dict: _Node(_by_sorted_keys, _rebuilt_dict),
    defaultdict: _Node(
        _by_sorted_keys, lambda like, c: defaultdict(like.default_factory, _rebuilt_dict(like, c))
    ),
    OrderedDict: _Node(list, lambda like, c: OrderedDict(zip(like, c, strict=True))),
}
_NAMED = _Node(lambda v: range(len(v)), lambda like, c: type(like)._make(c))
_MAPPINGS = (dict, defaultdict, OrderedDict)


def _node(value: Any) -> _Node | None:
    """Return how a container is taken apart; None for a leaf."""
    kind = type(value)
    node = _NODES.get(kind)
    if node is None and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _NAMED
    return node


def _children(node: _Node, value: Any) -> list[Any]:
    return [value[key] for key in node.keys(value)]


def _opposite(who: str, node: _Node, value: Any, other: Any) -> list[Any]:
    """Return what stands in `other` at the keys of `value`; raise where it is no such container."""
    are_mappings = type(value) in _MAPPINGS and type(other) in _MAPPINGS
    if not are_mappings and type(value) is not type(other):
        raise ValueError(
            f"tree.{who}: the structures must have the same containers; got "
            f"{_told(value)} against {_told(other)}."
        )
    if set(node.keys(value)) != (set(other) if are_mappings else set(range(len(other)))):
        raise ValueError(
            f"tree.{who}: the containers must have the same "
            f"{'keys' if are_mappings else 'length'}; got {_told(value)} against {_told(other)}."
        )
    return [other[key] for key in node.keys(value)]


def _told(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


# ---- functions --------------------------------------------------------------------------------


def is_nested(structure: Any) -> bool:
    """Return whether a value is a container of a nested structure.

    Args:
        structure: Any object.

    Example:
        >>> tf.keras.tree.is_nested([1]), tf.keras.tree.is_nested("text")
        (True, False)
    """
    return _node(structure) is not None


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a structure in order; None is a leaf.

    Dicts go by sorted keys, an OrderedDict by its own order.

    Args:
        structure: A structure, or a leaf.

    Example:
        >>> tf.keras.tree.flatten({"b": [1, 2], "a": (3,)})
        [3, 1, 2]
    """
    return [leaf for _, leaf in _paths((), structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """Return pairs of path and leaf, in the order of `flatten`.

    Args:
        structure: A structure, or a leaf.

    Returns:
        Pairs such as ``(("a", 0), leaf)``.

    Example:
        >>> tf.keras.tree.flatten_with_path({"a": [7, 8]})
        [(('a', 0), 7), (('a', 1), 8)]
    """
    return list(_paths((), structure))


def _paths(path: tuple[Any, ...], structure: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    node = _node(structure)
    if node is None:
        yield path, structure
        return
    for key in node.keys(structure):
        yield from _paths((*path, key), structure[key])


def pack_sequence_as(structure: Any, flat_sequence: Any) -> Any:
    """Return a structure with its leaves replaced in order.

    Args:
        structure: A structure, or a leaf.
        flat_sequence: As many leaves as it has.

    Raises:
        ValueError: the number of leaves differs.

    Example:
        >>> tf.keras.tree.pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
        {'b': 3, 'a': (1, 2)}
    """
    leaves, wanted = list(flat_sequence), len(flatten(structure))
    if len(leaves) != wanted:
        raise ValueError(
            f"tree.pack_sequence_as: `flat_sequence` must have as many items as `structure` has "
            f"leaves, {wanted}; got {len(leaves)}.\n  Fix: pass what tree.flatten gives of it."
        )
    given = iter(leaves)
    return _mapped("pack_sequence_as", lambda _: next(given), (structure,), True)


def _require_function(who: str, func: Any) -> None:
    if not callable(func):
        raise TypeError(
            f"tree.{who}: `func` must be a function; got {func!r} ({type(func).__name__}).\n"
            f"  Fix: the function comes before the structure."
        )


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """Return a structure of `func(leaf)`, or `func(leaf1, leaf2, …)` for several structures.

    Args:
        func: Called once per leaf.
        *structures: One or more structures that match.
        none_is_leaf: Whether None is given to `func`; if not, it stays.

    Raises:
        TypeError: `func` is no function.
        ValueError: there is no structure, or the structures differ.

    Example:
        >>> tf.keras.tree.map_structure(lambda a, b: a + b, {"x": (1, 2)}, {"x": (3, 4)})
        {'x': (4, 6)}
    """
    _require_function("map_structure", func)

    if not structures:
        raise ValueError(
            "tree.map_structure: at least one structure must be given; got none.\n"
            "  Fix: write map_structure(func, structure)."
        )
    return _mapped("map_structure", func, structures, none_is_leaf)


def _mapped(
    who: str, func: Callable[..., Any], structures: tuple[Any, ...], none_is_leaf: bool
) -> Any:
    first, *others = structures
    node = _node(first)
    if node is not None:
        columns = [_children(node, first), *(_opposite(who, node, first, o) for o in others)]
        rows = zip(*columns, strict=True)
        return node.rebuild(first, [_mapped(who, func, row, none_is_leaf) for row in rows])
    for other in others:
        if _node(other) is not None:
            raise ValueError(
                f"tree.{who}: the structures must end at the same places; got a leaf, "
                f"{_told(first)}, against {_told(other)}."
            )
    if none_is_leaf or all(leaf is not None for leaf in structures):
        return func(*structures)
    if any(leaf is not None for leaf in structures):
        raise ValueError(f"tree.{who}: all leaves must be None where one is; got {structures}.")
    return None


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """Return a structure like `shallow_structure` of `func` of what stands at its leaves.

    Args:
        shallow_structure: A structure.
        func: Called once per leaf of it, with the parts of `structures` at that place.
        *structures: Structures that have the same containers as far as it goes.

    Raises:
        TypeError: `func` is no function.
        ValueError: a structure ends, or has other lengths or keys, before `shallow_structure`.

    Example:
        >>> tf.keras.tree.map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    _require_function("map_structure_up_to", func)
    node = _node(shallow_structure)
    if node is None:
        return func(*structures)
    columns = [_opposite("map_structure_up_to", node, shallow_structure, s) for s in structures]
    found = [
        map_structure_up_to(child, func, *(column[i] for column in columns))
        for i, child in enumerate(_children(node, shallow_structure))
    ]
    return node.rebuild(shallow_structure, found)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise an error unless two structures have the same containers, keys and lengths.

    Args:
        a: A structure, or a leaf.
        b: The same.
        check_types: Accepted; the classes of containers must match in any case, but mappings do.

    Raises:
        ValueError: they differ.

    Example:
        >>> tf.keras.tree.assert_same_structure([1, (2,)], ["x", ("y",)])
    """
    _mapped("assert_same_structure", lambda *_: None, (a, b), True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise an error unless two structures have leaves at the same paths.

    Args:
        a: A structure, or a leaf.
        b: The same; lists and tuples do not differ.

    Raises:
        ValueError: they differ.

    Example:
        >>> tf.keras.tree.assert_same_paths([1, 2], ("x", "y"))
    """
    first, second = ({path for path, _ in flatten_with_path(s)} for s in (a, b))
    if first != second:
        raise ValueError(
            f"tree.assert_same_paths: `a` and `b` must have the same paths; only in `a`: "
            f"{sorted(first - second, key=str)}, only in `b`: {sorted(second - first, key=str)}."
        )


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """Replace parts of a structure by what a function of them returns.

    Args:
        func: A function of a container or leaf; None leaves it as it is, `MAP_TO_NONE` puts None
            there. Top down, what it replaces is not entered.
        structure: A structure, or a leaf.
        top_down: Whether containers come before what is in them.

    Returns:
        The new structure.

    Raises:
        TypeError: `func` is no function.

    Example:
        >>> tf.keras.tree.traverse(lambda v: tuple(v) if isinstance(v, list) else None, [[1], 2])
        ([1], 2)
    """
    _require_function("traverse", func)

    def inside(value: Any) -> Any:
        node = _node(value)
        if node is None:
            return value
        return node.rebuild(value, [traverse(func, c, top_down) for c in _children(node, value)])

    given = structure if top_down else inside(structure)
    found = func(given)
    if found is None:
        return inside(structure) if top_down else given
    return None if found is MAP_TO_NONE else found


def lists_to_tuples(structure: Any) -> Any:
    """Return a structure with tuples in place of lists.

    Args:
        structure: A structure, or a leaf.

    Example:
        >>> tf.keras.tree.lists_to_tuples([1, {"a": [2]}])
        (1, {'a': (2,)})
    """
    return traverse(lambda v: tuple(v) if isinstance(v, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """Return a structure of `func(shape)`: tuples and lists of sizes and None are leaves.

    Args:
        func: Called once per shape.
        structure: A structure of shapes.

    Raises:
        TypeError: `func` is no function.

    Example:
        >>> tf.keras.tree.map_shape_structure(len, {"a": (None, 3), "b": [1, 2, 3]})
        {'a': 2, 'b': 3}
    """
    _require_function("map_shape_structure", func)

    def at(value: Any) -> Any:
        is_shape = isinstance(value, list | tuple) and all(
            d is None or isinstance(d, int) for d in value
        )
        if not is_shape and is_nested(value):
            return None
        found = func(value)
        return MAP_TO_NONE if found is None else found

    return traverse(at, structure)
