"""tf.nest: flatten, pack, map and compare; values are TF 2.21's, dataclasses excepted."""

import collections
import dataclasses
import types

import numpy as np
import pytest

from lamina.engine import nest

Point = collections.namedtuple("Point", "x y")
Other = collections.namedtuple("Other", "x y")


class Stack(list):
    pass


class Pair(tuple):
    pass


@dataclasses.dataclass(frozen=True)
class Batch:
    image: object
    label: object
    checked: list = dataclasses.field(default_factory=list, init=False)

    def __post_init__(self):
        assert self.image is not None


@nest.register_leaf
@dataclasses.dataclass
class Spec:
    shape: object


def add(a, b):
    return a + b


def double(x):
    return x * 2


CONTAINERS = [
    [1, 2],
    (1, 2),
    {"b": 1, "a": 2},
    collections.OrderedDict([("b", 1), ("a", 2)]),
    collections.defaultdict(list, {"b": 1}),
    collections.UserDict({"b": 1}),
    types.MappingProxyType({"b": 1}),
    Point(1, 2),
    Stack([1, 2]),
    Pair([1, 2]),
    collections.deque([1, 2]),
    collections.UserList([1, 2]),
    Batch(1, 2),
    [],
    {},
    (),
]
IDS = [type(value).__name__ for value in CONTAINERS]


@pytest.mark.parametrize("value", CONTAINERS, ids=IDS)
def test_containers_are_nested(value):
    assert nest.is_nested(value)


@pytest.mark.parametrize("value", [{1}, "a", b"a", 1, None, np.zeros(2), Spec([1, 2]), object()])
def test_leaves_are_not_nested(value):
    assert not nest.is_nested(value)
    assert nest.flatten(value)[0] is value
    assert nest.map_structure(lambda x: [x], value)[0] is value


@pytest.mark.parametrize("value", CONTAINERS, ids=IDS)
def test_map_structure_keeps_the_class_and_leaves_the_original(value):
    before = repr(value)
    mapped = nest.map_structure(lambda x: x, value)
    assert type(mapped) is type(value)
    assert repr(mapped) == before
    assert not value or mapped is not value


@pytest.mark.parametrize("value", CONTAINERS, ids=IDS)
def test_pack_inverts_flatten(value):
    packed = nest.pack_sequence_as(value, nest.flatten(value))
    assert type(packed) is type(value)
    assert packed == value


def test_flatten_takes_mappings_in_sorted_order():
    assert nest.flatten({"b": [1, 2], "a": (3, None)}) == [3, None, 1, 2]


def test_flatten_of_empty_containers_has_no_leaves():
    assert nest.flatten([[], {}, ()]) == []


def test_flatten_refuses_keys_that_do_not_sort():
    with pytest.raises(TypeError, match="keys of a mapping must be sortable"):
        nest.flatten({1: 1, "a": 2})


def test_views_and_ranges_become_lists():
    assert nest.map_structure(double, {"a": 2}.values()) == [4]
    assert nest.map_structure(double, range(3)) == [0, 2, 4]
    assert nest.flatten({1: 2}.items()) == [1, 2]


def test_map_structure_keeps_the_order_of_keys():
    assert list(nest.map_structure(double, {"b": 1, "a": 2}).items()) == [("b", 2), ("a", 4)]


def test_map_structure_keeps_a_default_factory():
    assert nest.map_structure(double, collections.defaultdict(list, b=1)).default_factory is list


def test_map_structure_calls_in_the_order_of_flatten():
    seen = []
    nest.map_structure(seen.append, {"b": [1, 2], "a": (3, 4)})
    assert seen == [3, 4, 1, 2]


def test_map_structure_of_a_dataclass_does_not_run_its_constructor():
    mapped = nest.map_structure(lambda x: None, Batch(1, [2, 3]))
    assert (mapped.image, mapped.label) == (None, [None, None])


def test_registered_classes_are_leaves():
    assert nest.flatten([Spec(1), Batch(2, 3)]) == [Spec(1), 2, 3]


def test_map_structure_over_several():
    got = nest.map_structure(add, {"x": (1, [2])}, {"x": (3, [4])})
    assert got == {"x": (4, [6])}
    assert nest.map_structure(add, 1, 2) == 3


def test_none_is_a_leaf():
    assert nest.map_structure(lambda a, b: a is b, [None], [None]) == [True]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"a": 1}, collections.OrderedDict(a=1)),
        (Point(1, 2), collections.namedtuple("Point", "x y")(1, 2)),
        ([1], Stack([1])),
        ([1, (2,)], [None, ("x",)]),
    ],
)
def test_same_structures(a, b):
    nest.assert_same_structure(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [([1], (1,)), (Point(1, 2), (1, 2)), (Point(1, 2), Other(1, 2)), ({"a": 1}, [1])],
)
def test_different_classes_are_type_errors_unless_unchecked(a, b):
    with pytest.raises(TypeError, match="same nested structure"):
        nest.assert_same_structure(a, b)
    nest.assert_same_structure(a, b, check_types=False)
    assert nest.map_structure(lambda x, _: x, a, b, check_types=False) == a


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1], [1, 2]),
        ([1], 1),
        (1, [1]),
        ([], 3),
        ([[1]], [1]),
        ([[1, 2], 3], [[1, 2]]),
        ({"a": 1}, {"b": 1}),
    ],
)
def test_different_structures_are_value_errors(a, b):
    with pytest.raises(ValueError, match="same nested structure"):
        nest.assert_same_structure(a, b)
    with pytest.raises(ValueError, match="same nested structure"):
        nest.map_structure(add, a, b)


def test_unchecked_mappings_match_by_sorted_order():
    assert nest.map_structure(add, {"a": 1}, {"b": 2}, check_types=False) == {"a": 3}


def test_error_shows_both_structures_and_the_path():
    with pytest.raises(ValueError, match="same nested structure") as caught:
        nest.map_structure(add, {"x": [1, Point(2, 3)]}, {"x": [1, Point(2, [3])]})
    assert str(caught.value) == (
        "tf.nest.map_structure: The two structures must have the same nested structure; "
        "at 'x/1/y' they differ, a leaf of type int against a list with 1 items.\n"
        "  first: {'x': [., Point(x=., y=.)]}\n"
        "  second: {'x': [., Point(x=., y=[.])]}"
    )


def test_error_cuts_long_structures():
    with pytest.raises(ValueError, match=r"\.\.\.") as caught:
        nest.assert_same_structure(list(range(1000)), [1])
    assert len(str(caught.value)) < 800


def test_map_structure_needs_a_function_and_a_structure():
    with pytest.raises(TypeError, match="`func` must be callable"):
        nest.map_structure([1], double)
    with pytest.raises(ValueError, match="at least one structure"):
        nest.map_structure(double)


def test_pack_sequence_as_a_leaf():
    assert nest.pack_sequence_as(1, [3]) == 3


def test_pack_sequence_as_keeps_keys_in_place():
    assert nest.pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3]) == {"b": 3, "a": (1, 2)}


@pytest.mark.parametrize(("structure", "leaves"), [([1, 2], [3]), (1, [3, 4]), ([], [1])])
def test_pack_sequence_as_counts_leaves(structure, leaves):
    with pytest.raises(ValueError, match="must have as many items as `structure` has leaves"):
        nest.pack_sequence_as(structure, leaves)


@pytest.mark.parametrize("leaves", [3, "ab", {"a": 1, "b": 2}, np.array([3, 4]), iter([1, 2])])
def test_pack_sequence_as_needs_a_sequence(leaves):
    with pytest.raises(TypeError, match="`flat_sequence` must be a list or tuple"):
        nest.pack_sequence_as([1, 2], leaves)


def test_flatten_with_path():
    structure = [{"x": 1, "a": (2,)}, Point(3, 4), Batch(5, [6])]
    assert nest.flatten_with_path(structure) == [
        ("0/a/0", 2),
        ("0/x", 1),
        ("1/x", 3),
        ("1/y", 4),
        ("2/image", 5),
        ("2/label/0", 6),
    ]
    assert nest.flatten_with_path(7) == [("", 7)]


def test_map_structure_with_path():
    got = nest.map_structure_with_path(lambda path, a, b: f"{path}:{a + b}", {"w": [1]}, {"w": [2]})
    assert got == {"w": ["w/0:3"]}


def test_map_structure_with_path_needs_a_structure():
    with pytest.raises(ValueError, match="map_structure_with_path: at least one structure"):
        nest.map_structure_with_path(add)


def test_mapping_that_cannot_be_rebuilt_is_named():
    class Fixed(dict):
        def __init__(self):
            super().__init__(a=1)

    with pytest.raises(TypeError, match="got Fixed, whose constructor says"):
        nest.map_structure(double, Fixed())
