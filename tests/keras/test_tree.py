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
        (("a", 0), 3),
        (("a", 1, "c"), 4),
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
        (lambda: tree.assert_same_structure([1], (1,)), ValueError, "the same containers"),
        (lambda: tree.assert_same_structure({"a": 1}, {"b": 1}), ValueError, "keys"),
        (lambda: tree.assert_same_paths([1], [1, 2]), ValueError, "must have the same paths"),
        (lambda: tree.pack_sequence_as([0, 0], [1]), ValueError, "as many items"),
        (lambda: tree.map_structure(1, []), TypeError, "`func` must be a function"),
        (lambda: tree.map_structure(max, [1], (1,)), ValueError, "same containers"),
        (
            lambda: tree.map_structure(max, [None], [1], none_is_leaf=False),
            ValueError,
            "all leaves must be None",
        ),
        (lambda: tree.map_structure_up_to([0], len, [1, 2]), ValueError, "the same length"),
        (lambda: tree.traverse(None, []), TypeError, "`func` must be a function"),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


Span = collections.namedtuple("Span", "start stop")


def test_ordered_dicts_keep_their_order_and_dicts_are_sorted():
    ordered = collections.OrderedDict([("z", 1), ("m", {"b": 2, "a": 3})])
    assert tree.flatten(ordered) == [1, 3, 2]
    packed = tree.pack_sequence_as(ordered, [10, 20, 30])
    assert list(packed.items()) == [("z", 10), ("m", {"b": 30, "a": 20})]
    summed = tree.map_structure(lambda a, b: a + b, ordered, {"m": {"a": 5, "b": 6}, "z": 7})
    assert list(summed.items()) == [("z", 8), ("m", {"b": 8, "a": 8})]


def test_fields_of_namedtuples_are_indices_in_paths():
    paths = [path for path, _ in tree.flatten_with_path({"s": Span([4], 5)})]
    assert paths == [("s", 0, 0), ("s", 1)]
    tree.assert_same_paths(Span(1, 2), [3, 4])


def test_sparse_tensors_and_subclasses_of_containers_are_leaves():
    class Names(list):
        pass

    sparse = tf.sparse.from_dense([[0.0, 2.0]])
    leaves = tree.flatten({"a": sparse, "b": Names([1, 2]), "c": range(2)})
    assert leaves == [sparse, Names([1, 2]), range(2)]
    assert not tree.is_nested(sparse)


def test_keys_of_several_types_stay_in_their_order():
    assert tree.flatten_with_path({"a": 1, 3: 2}) == [(("a",), 1), ((3,), 2)]


@pytest.mark.parametrize(
    ("first", "second"), [([1], (1,)), ([1, 2], [1]), (3, [3]), (Span(1, 2), (1, 2)), ([1], [[1]])]
)
def test_containers_that_differ_are_refused(first, second):
    with pytest.raises(ValueError, match=r"tree\.map_structure: the (structures|containers) must"):
        tree.map_structure(lambda a, b: a, first, second)
    with pytest.raises(ValueError, match=r"tree\.assert_same_structure"):
        tree.assert_same_structure(first, second)


def test_map_structure_up_to_wants_containers_of_one_class():
    with pytest.raises(ValueError, match="must have the same containers"):
        tree.map_structure_up_to([1, 2], lambda x: x, (1, 2))
    found = tree.map_structure_up_to({"a": 0, "b": 0}, len, collections.OrderedDict(b=[1], a=[]))
    assert found == {"a": 0, "b": 1}
