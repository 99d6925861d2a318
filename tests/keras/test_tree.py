"""tf.keras.tree: flattening, mapping and comparing structures."""

import collections

import pytest

import lamina as tf

tree = tf.keras.tree
Point = collections.namedtuple("Point", ["x", "y"])
NESTED = {"b": [1, (2, None)], "a": Point(3, {"c": 4})}


def test_leaves_come_in_the_order_of_sorted_keys_and_go_back():
    flat = tree.flatten(NESTED)
    assert flat == [3, 4, 1, 2, None]
    assert tree.pack_sequence_as(NESTED, flat) == NESTED
    assert tree.flatten_with_path(NESTED) == [
        (("a", "x"), 3),
        (("a", "y", "c"), 4),
        (("b", 0), 1),
        (("b", 1, 0), 2),
        (("b", 1, 1), None),
    ]


@pytest.mark.parametrize(
    ("value", "want"), [([], True), ({}, True), ((1,), True), (None, False), ("ab", False)]
)
def test_is_nested(value, want):
    assert tree.is_nested(value) is want


def test_map_structure_over_several_and_around_none():
    assert tree.map_structure(lambda a, b: a + b, [1, (2,)], [3, (4,)]) == [4, (6,)]
    assert tree.map_structure(lambda v: v is None, [1, None]) == [False, True]
    assert tree.map_structure(lambda v: v + 1, [1, None], none_is_leaf=False) == [2, None]


def test_map_structure_up_to_gives_parts_to_the_function():
    assert tree.map_structure_up_to({"a": 0}, lambda p, q: p + q, {"a": [1]}, {"a": [2]}) == {
        "a": [1, 2]
    }


def test_map_shape_structure_takes_shapes_as_leaves():
    shapes = {"a": (None, 3), "b": [[1, 2], (4,)]}
    assert tree.map_shape_structure(len, shapes) == {"a": 2, "b": [2, 1]}


def test_traverse_replaces_from_above_or_from_below():
    seen = []

    def note(value):
        seen.append(value)
        return "gone" if value == [1] else None

    assert tree.traverse(note, [[1], 2]) == ["gone", 2]
    assert seen == [[[1], 2], [1], 2]
    assert tree.traverse(lambda v: tree.MAP_TO_NONE if v == 2 else None, (1, 2)) == (1, None)
    assert tree.traverse(
        lambda v: sum(v) if isinstance(v, list) else None, [[1, 2], 3], top_down=False
    ) == (6)
    assert tree.lists_to_tuples([1, {"a": [2, [3]]}]) == (1, {"a": (2, (3,))})


def test_same_structures_pass():
    tree.assert_same_structure(NESTED, tree.map_structure(str, NESTED))
    tree.assert_same_paths([1, (2,)], (3, [4]))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tree.assert_same_structure([1], (1,)), ValueError, "same nested structure"),
        (lambda: tree.assert_same_structure({"a": 1}, {"b": 1}), ValueError, "keys"),
        (lambda: tree.assert_same_paths([1], [1, 2]), ValueError, "must have the same paths"),
        (lambda: tree.pack_sequence_as([0, 0], [1]), ValueError, "as many items"),
        (lambda: tree.map_structure(1, []), TypeError, "`func` must be a function"),
        (lambda: tree.map_structure(max, [1], (1,)), ValueError, "same nested structure"),
        (
            lambda: tree.map_structure(max, [None], [1], none_is_leaf=False),
            ValueError,
            "all leaves must be None",
        ),
        (lambda: tree.map_structure_up_to([0], len, [1, 2]), ValueError, "containers of the"),
        (lambda: tree.traverse(None, []), TypeError, "`func` must be a function"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
