"""Nested structures of Python containers: flatten them, map over them, pack them again.

A structure is a list, tuple, namedtuple or other sequence, a mapping (in sorted order of its
keys), a dataclass instance or a composite value (engine/composite.py), whose items are structures;
anything else, None included, is a leaf.
"""

import collections
import copy
import dataclasses
from collections.abc import Callable, Iterable, Mapping, MappingView, Sequence
from typing import Any, NamedTuple, cast

__all__ = [
    "assert_same_structure",
    "flatten",
    "flatten_with_path",
    "has_composites",
    "is_nested",
    "map_composites",
    "map_structure",
    "map_structure_with_path",
    "pack_sequence_as",
    "register_leaf",
]


class _Node(NamedTuple):
    """How to take containers of one class apart, and make them again."""

    keys: Callable[[Any], Iterable[Any]]  # names of the children, in the order of children()
    children: Callable[[Any], Iterable[object]]
    rebuild: Callable[[Any, list[Any]], Any]  # (a like instance, new children) -> new instance
    family: str  # containers of one family may differ in class (dict and OrderedDict)


def is_nested(seq: object) -> bool:
    """Return whether `seq` is a container of a nested structure, an empty one included.

    Args:
        seq: Any object.

    Returns:
        True for sequences (strings and arrays are none), mappings, their views, and dataclasses.

    Example:
        >>> tf.nest.is_nested([]), tf.nest.is_nested("text"), tf.nest.is_nested({"a": 1})
        (True, False, True)
    """
    return _node(type(seq)) is not None


def flatten(structure: object, expand_composites: bool = False) -> list[Any]:
    """Return the leaves of a structure in order.

    Args:
        structure: A nested structure, or a leaf.
        expand_composites: Accepted; composite values are always taken apart here.

    Returns:
        The list of leaves; `[structure]` for a leaf.

    Raises:
        TypeError: a mapping's keys cannot be sorted.

    Example:
        >>> tf.nest.flatten({"b": [1, 2], "a": (3, None)})
        [3, None, 1, 2]
    """
    leaves: list[Any] = []
    node = _node(type(structure))
    if node is None:
        leaves.append(structure)
    else:
        _collect(node, structure, leaves)
    return leaves


def pack_sequence_as(
    structure: object, flat_sequence: object, expand_composites: bool = False
) -> Any:
    """Return `structure` with its leaves replaced, in order, by those of `flat_sequence`.

    Args:
        structure: A nested structure, or a leaf.
        flat_sequence: As many leaves as `structure` has.
        expand_composites: Accepted; composite values are always taken apart here.

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
    node = _node(type(flat_sequence))
    if node is None or node.family == "mapping":
        raise TypeError(
            f"tf.nest.pack_sequence_as: `flat_sequence` must be a list or tuple; "
            f"got {type(flat_sequence).__name__}.\n"
            f"  Fix: pass tf.nest.flatten(...) of it."
        )
    leaves = list(node.children(flat_sequence))
    wanted = flatten(structure)
    if len(wanted) != len(leaves):
        raise ValueError(
            f"tf.nest.pack_sequence_as: `flat_sequence` must have as many items as `structure` "
            f"has leaves, {len(wanted)}; got {len(leaves)}.\n"
            f"  structure: {_brief(structure)}\n"
            f"  flat_sequence: {_brief(flat_sequence)}"
        )
    return _pack(structure, iter(leaves).__next__)


def map_structure(
    func: Callable[..., Any],
    *structure: object,
    check_types: bool = True,
    expand_composites: bool = False,
) -> Any:
    """Return a structure of `func(leaf)`, or `func(leaf1, leaf2, ...)` for several structures.

    Args:
        func: Called once per leaf, in the order of `flatten`.
        *structure: One or more structures that match.
        check_types: Whether the classes of the containers must match too, list with list.
        expand_composites: Accepted; composite values are always taken apart here.

    Returns:
        Containers like those of the first structure, holding the results.

    Raises:
        TypeError: `func` is not callable, or classes of containers differ.
        ValueError: there is no structure, or the structures differ.

    Example:
        >>> tf.nest.map_structure(lambda a, b: a + b, {"x": (1, 2)}, {"x": (3, 4)})
        {'x': (4, 6)}
    """
    _check_call("map_structure", func, structure)
    if len(structure) == 1:
        (only,) = structure
        node = _node(type(only))
        return func(only) if node is None else _map(func, node, only)
    return _map_several("map_structure", func, structure, check_types)


def assert_same_structure(
    nest1: object, nest2: object, check_types: bool = True, expand_composites: bool = False
) -> None:
    """Raise an error unless both structures have the same containers, keys and lengths.

    Args:
        nest1: A nested structure, or a leaf.
        nest2: The same.
        check_types: Whether the classes of the containers must match too. A dict matches any
            mapping, a namedtuple one with the same name and fields.
        expand_composites: Accepted; composite values are always taken apart here.

    Raises:
        ValueError: a leaf stands opposite to a container, or lengths or keys differ.
        TypeError: classes of containers differ and `check_types` is true.
    """
    _assert_same(nest1, nest2, check_types, "assert_same_structure")


def flatten_with_path(structure: object) -> list[tuple[str, Any]]:
    """Return pairs of path and leaf, in the order of `flatten`.

    Args:
        structure: A nested structure, or a leaf.

    Returns:
        Pairs such as `("0/x", leaf)`: the keys, indices or field names joined by slashes. The
        path of a structure that is a leaf is "".
    """
    pairs: list[tuple[str, Any]] = []
    _collect_paths("", structure, pairs)
    return pairs


def map_structure_with_path(
    func: Callable[..., Any], *structure: object, check_types: bool = True
) -> Any:
    """Return a structure of `func(path, leaf)`, or `func(path, leaf1, leaf2, ...)`.

    Args:
        func: Called once per leaf with its path, as `flatten_with_path` writes it.
        *structure: One or more structures that match.
        check_types: Whether the classes of the containers must match too.

    Returns:
        Containers like those of the first structure, holding the results.

    Raises:
        TypeError: `func` is not callable, or classes of containers differ.
        ValueError: there is no structure, or the structures differ.
    """
    who = "map_structure_with_path"
    _check_call(who, func, structure)
    paths = iter([path for path, _ in flatten_with_path(structure[0])])
    return _map_several(who, lambda *leaves: func(next(paths), *leaves), structure, check_types)


def register_leaf(cls: type[Any]) -> type[Any]:
    """Make instances of the class `cls` leaves, though it is a container by its bases.

    Args:
        cls: A class, such as a dataclass that means one value. Subclasses are not included.

    Returns:
        `cls`, so that it can be used as a decorator.
    """
    _nodes[cls] = None
    return cls


def has_composites(structure: object) -> bool:
    """Return whether a composite value is in a structure."""
    node = _node(type(structure))
    if node is None:
        return False
    return node.family == "composite" or any(map(has_composites, node.children(structure)))


def map_composites(func: Callable[[Any], Any], structure: object) -> Any:
    """Return a structure with `func(value)` for each outermost composite value in it."""
    node = _node(type(structure))
    if node is None:
        return structure
    if node.family == "composite":
        return func(structure)
    children = [map_composites(func, child) for child in node.children(structure)]
    return node.rebuild(structure, children)


def _collect(node: _Node, structure: object, leaves: list[Any]) -> None:
    for child in node.children(structure):
        inner = _node(type(child))
        if inner is None:
            leaves.append(child)
        else:
            _collect(inner, child, leaves)


def _collect_paths(path: str, structure: object, pairs: list[tuple[str, Any]]) -> None:
    node = _node(type(structure))
    if node is None:
        pairs.append((path, structure))
        return
    for key, child in zip(node.keys(structure), node.children(structure), strict=True):
        _collect_paths(f"{path}/{key}" if path else str(key), child, pairs)


def _map(func: Callable[[Any], Any], node: _Node, structure: object) -> Any:
    results: list[Any] = []
    for child in node.children(structure):
        inner = _node(type(child))
        results.append(func(child) if inner is None else _map(func, inner, child))
    return node.rebuild(structure, results)


def _map_several(
    who: str, func: Callable[..., Any], structures: tuple[object, ...], check_types: bool
) -> Any:
    first, *others = structures
    for other in others:
        _assert_same(first, other, check_types, who)
    return _pack(first, map(func, *map(flatten, structures)).__next__)


def _check_call(who: str, func: object, structures: tuple[object, ...]) -> None:
    if not callable(func):
        raise TypeError(
            f"tf.nest.{who}: `func` must be callable; got a {type(func).__name__}.\n"
            f"  Fix: write {who}(func, structure), the function first."
        )
    if not structures:
        raise ValueError(
            f"tf.nest.{who}: at least one structure must be given; got none.\n"
            f"  Fix: write {who}(func, structure)."
        )


def _pack(structure: object, take: Callable[[], Any]) -> Any:
    node = _node(type(structure))
    if node is None:
        return take()
    return node.rebuild(structure, [_pack(child, take) for child in node.children(structure)])


def _assert_same(a: object, b: object, check_types: bool, who: str) -> None:
    found = _difference(a, b, check_types, "")
    if found is not None:
        error, path, what = found
        at = f"at {path!r}" if path else "at the top"
        raise error(
            f"tf.nest.{who}: The two structures must have the same nested structure; "
            f"{at} they differ, {what}.\n"
            f"  first: {_brief(a)}\n"
            f"  second: {_brief(b)}"
        )


_Difference = tuple[type[Exception], str, str]  # (error class, path, what differs)


def _difference(a: object, b: object, check_types: bool, path: str) -> _Difference | None:
    left, right = _node(type(a)), _node(type(b))
    if left is None and right is None:
        return None
    if left is None or right is None:
        what = f"{_kind(a, left)} against {_kind(b, right)}"
        return ValueError, path, what
    if check_types and not _same_class(left, right, a, b):
        return TypeError, path, f"{type(a).__name__} against {type(b).__name__}"
    keys, other_keys = list(left.keys(a)), list(right.keys(b))
    by_key = check_types and left.family == right.family == "mapping"
    if len(keys) != len(other_keys) or (by_key and keys != other_keys):
        if by_key:
            return ValueError, path, f"keys {keys} against {other_keys}"
        return ValueError, path, f"{len(keys)} items against {len(other_keys)}"
    for key, x, y in zip(keys, left.children(a), right.children(b), strict=True):
        found = _difference(x, y, check_types, f"{path}/{key}" if path else str(key))
        if found is not None:
            return found
    return None


def _same_class(left: _Node, right: _Node, a: Any, b: Any) -> bool:
    if type(a) is type(b) or left.family == right.family in ("mapping", "list"):
        return True
    if left.family == right.family == "namedtuple":
        # As in TF: equal by name and fields, so one recreated by pickle or a reload matches.
        return type(a).__name__ == type(b).__name__ and a._fields == b._fields
    if left.family == right.family == "composite":
        return bool(a._like() == b._like())
    return False


def _kind(value: object, node: _Node | None) -> str:
    if node is None:
        return f"a leaf of type {type(value).__name__}"
    return f"a {type(value).__name__} with {len(list(node.keys(value)))} items"


def _brief(structure: object, limit: int = 300) -> str:
    """Return the structure with `.` for each leaf, cut to `limit` characters."""
    node = _node(type(structure))
    text = _outline(structure) if node is not None else f". ({type(structure).__name__})"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _outline(structure: object) -> str:
    node = _node(type(structure))
    if node is None:
        return "."
    inner = [_outline(child) for child in node.children(structure)]
    if node.family == "list":
        return f"[{', '.join(inner)}]"
    if node.family == "tuple":
        return f"({', '.join(inner)}{',' if len(inner) == 1 else ''})"
    named = list(zip(node.keys(structure), inner, strict=True))
    if node.family == "mapping":
        return "{" + ", ".join(f"{key!r}: {text}" for key, text in named) + "}"
    return f"{type(structure).__name__}({', '.join(f'{key}={text}' for key, text in named)})"


# ---- container classes -----------------------------------------------------------------------


def _indices(value: Any) -> Iterable[int]:
    return range(len(value))


def _itself(value: Any) -> Any:
    return value


def _always(names: tuple[str, ...]) -> Callable[[Any], tuple[str, ...]]:
    return lambda _: names


def _new_list(_: Any, children: list[Any]) -> list[Any]:
    return children


def _new_tuple(_: Any, children: list[Any]) -> tuple[Any, ...]:
    return tuple(children)


def _new_like(like: Any, children: list[Any]) -> Any:
    return type(like)(children)


def _sorted_keys(value: Mapping[Any, Any]) -> list[Any]:
    try:
        return sorted(value)
    except TypeError:
        raise TypeError(
            f"tf.nest: the keys of a mapping must be sortable, since nest takes them in sorted "
            f"order; got {list(value)}.\n"
            f"  Fix: use keys of one type, such as strings."
        ) from None


def _sorted_values(value: Mapping[Any, Any]) -> list[Any]:
    return [value[key] for key in _sorted_keys(value)]


def _new_dict(like: Any, children: list[Any]) -> dict[Any, Any]:
    new = dict(zip(_sorted_keys(like), children, strict=True))
    return {key: new[key] for key in like}  # in the order of `like`, not of the sorted keys


def _new_defaultdict(like: Any, children: list[Any]) -> Any:
    return type(like)(like.default_factory, _new_dict(like, children))


def _new_mapping(like: Any, children: list[Any]) -> Any:
    try:
        return type(like)(_new_dict(like, children))
    except TypeError as error:
        raise TypeError(
            f"tf.nest: a mapping class must be constructible from a dict; "
            f"got {type(like).__name__}, whose constructor says: {error}.\n"
            f"  Fix: give it that constructor, or pass dict(value)."
        ) from error


def _namedtuple_node(cls: type[Any]) -> _Node:
    fields: tuple[str, ...] = cls._fields

    def rebuild(_: Any, children: list[Any]) -> Any:
        return cls._make(children)

    return _Node(_always(fields), _itself, rebuild, "namedtuple")


def _dataclass_node(cls: type[Any]) -> _Node:
    names = tuple(field.name for field in dataclasses.fields(cls))

    def rebuild(like: Any, children: list[Any]) -> Any:
        # A copy, not a constructor call: __post_init__ must not run on leaves of another kind.
        new = copy.copy(like)
        for name, child in zip(names, children, strict=True):
            object.__setattr__(new, name, child)
        return new

    def children(value: Any) -> list[Any]:
        return [getattr(value, name) for name in names]

    return _Node(_always(names), children, rebuild, "dataclass")


_LIST = _Node(_indices, _itself, _new_list, "list")
_TUPLE = _Node(_indices, _itself, _new_tuple, "tuple")
_DICT = _Node(_sorted_keys, _sorted_values, _new_dict, "mapping")
_DEFAULTDICT = _Node(_sorted_keys, _sorted_values, _new_defaultdict, "mapping")
_MAPPING = _Node(_sorted_keys, _sorted_values, _new_mapping, "mapping")
_LIST_SUBCLASS = _Node(_indices, _itself, _new_like, "list")
_TUPLE_SUBCLASS = _Node(_indices, _itself, _new_like, "tuple")
_SEQUENCE = _Node(_indices, _itself, _new_like, "sequence")  # deque, UserList
_READ_ONLY = _Node(_indices, _itself, _new_list, "sequence")  # range, dict.values(): made lists
_TEXT = (str, bytes, bytearray, memoryview)


def _new_composite(like: Any, children: list[Any]) -> Any:
    return like._rebuilt(children)


def _composite_node(cls: Any) -> _Node:
    def keys(value: Any) -> Iterable[Any]:
        return range(len(value._components()))

    return _Node(keys, cls._components, _new_composite, "composite")


def _classify(cls: type[Any]) -> _Node | None:
    if hasattr(cls, "_rebuilt"):
        return _composite_node(cls)
    if issubclass(cls, collections.defaultdict):
        return _DEFAULTDICT
    if issubclass(cls, Mapping):
        return _MAPPING
    if issubclass(cls, tuple):
        named = isinstance(getattr(cast("type[Any]", cls), "_fields", None), tuple)
        return _namedtuple_node(cast("type[Any]", cls)) if named else _TUPLE_SUBCLASS
    if issubclass(cls, list):
        return _LIST_SUBCLASS
    if issubclass(cls, range | MappingView):
        return _READ_ONLY
    if issubclass(cls, Sequence):
        return None if issubclass(cls, _TEXT) else _SEQUENCE
    return _dataclass_node(cls) if dataclasses.is_dataclass(cls) else None


class _Nodes(dict[type[Any], "_Node | None"]):
    """The node of each class met so far; a class met first is classified."""

    def __missing__(self, cls: type[Any]) -> _Node | None:
        node = self[cls] = _classify(cls)
        return node


_nodes = _Nodes({list: _LIST, tuple: _TUPLE, dict: _DICT, str: None})
_node = _nodes.__getitem__
