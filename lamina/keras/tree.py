"""tf.keras.tree: nested structures of lists, tuples and dicts."""

from collections.abc import Callable, Iterator
from typing import Any

from lamina.engine import nest

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


def is_nested(structure: Any) -> bool:
    """Return whether a value is a container of a nested structure.

    Args:
        structure: Any object.

    Example:
        >>> tf.keras.tree.is_nested([1]), tf.keras.tree.is_nested("text")
        (True, False)
    """
    return nest.is_nested(structure)


def flatten(structure: Any) -> list[Any]:
    """Return the leaves of a structure in order, dicts by sorted keys; None is a leaf.

    Args:
        structure: A structure, or a leaf.

    Example:
        >>> tf.keras.tree.flatten({"b": [1, 2], "a": (3,)})
        [3, 1, 2]
    """
    return nest.flatten(structure)


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
    node = nest._node(type(structure))
    if node is None:
        yield path, structure
        return
    for key, child in zip(node.keys(structure), node.children(structure), strict=True):
        yield from _paths((*path, key), child)


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
    return nest.pack_sequence_as(structure, list(flat_sequence))


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

    def skipping(*leaves: Any) -> Any:
        if leaves[0] is not None:
            return func(*leaves)
        if any(leaf is not None for leaf in leaves):
            raise ValueError(
                f"tree.map_structure: all leaves must be None where one is; got {leaves}."
            )
        return None

    try:
        return nest.map_structure(func if none_is_leaf else skipping, *structures)
    except TypeError as error:
        if str(error).startswith("tf.nest."):
            raise ValueError(str(error)) from None
        raise


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
    node = nest._node(type(shallow_structure))
    if node is None:
        return func(*structures)
    keys = list(node.keys(shallow_structure))
    parts = []
    for structure in structures:
        other = nest._node(type(structure))
        if other is None or list(other.keys(structure)) != keys:
            raise ValueError(
                f"tree.map_structure_up_to: the structures must have the containers of the "
                f"shallow one, {shallow_structure!r}; got {structure!r}."
            )
        parts.append(list(other.children(structure)))
    results = [
        map_structure_up_to(child, func, *[part[i] for part in parts])
        for i, child in enumerate(node.children(shallow_structure))
    ]
    return node.rebuild(shallow_structure, results)


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise an error unless two structures have the same containers, keys and lengths.

    Args:
        a: A structure, or a leaf.
        b: The same.
        check_types: Accepted; the classes of containers must match in any case.

    Raises:
        ValueError: they differ.

    Example:
        >>> tf.keras.tree.assert_same_structure([1, (2,)], ["x", ("y",)])
    """
    try:
        nest.assert_same_structure(a, b)
    except TypeError as error:
        raise ValueError(str(error)) from None


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
        node = nest._node(type(value))
        if node is None:
            return value
        return node.rebuild(value, [traverse(func, c, top_down) for c in node.children(value)])

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
