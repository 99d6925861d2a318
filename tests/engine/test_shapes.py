"""TensorShape and broadcast_static_shape; values are TF 2.21's."""

import copy
import pickle

import numpy as np
import pytest

from lamina.engine.shapes import TensorShape, as_shape, broadcast_static_shape

UNKNOWN = TensorShape(None)


@pytest.mark.parametrize(
    ("dims", "expected"),
    [
        ([None, 3], (None, 3)),
        ((2,), (2,)),
        ([], ()),
        (3, (3,)),
        (np.array([2, 3]), (2, 3)),
        ([np.int64(2)], (2,)),
        ((i for i in (1, 2)), (1, 2)),
        (TensorShape([4]), (4,)),
    ],
)
def test_constructor_accepts(dims, expected):
    assert tuple(TensorShape(dims)) == expected


def test_sizes_are_plain_ints():
    assert type(TensorShape([np.int64(2)])[0]) is int


@pytest.mark.parametrize("dims", [[1.5], "ab", [None, "a"], 2.0, [[1]]])
def test_sizes_must_be_integers_or_none(dims):
    with pytest.raises(TypeError, match="Dimension value must be integer or None"):
        TensorShape(dims)


@pytest.mark.parametrize("dims", [[-1], -1, [2, -3]])
def test_sizes_must_not_be_negative(dims):
    with pytest.raises(ValueError, match="must be >= 0"):
        TensorShape(dims)


def test_of_holds_the_same_tuple():
    dims = (None, 3)
    assert TensorShape.of(dims) == TensorShape([None, 3])
    assert TensorShape.of(None).rank is None


def test_as_shape_returns_a_shape_itself():
    shape = TensorShape([2])
    assert as_shape(shape) is shape


def test_repr_and_str():
    assert repr(TensorShape([None, 3])) == "TensorShape([None, 3])"
    assert str(TensorShape([None, 3])) == "(None, 3)"
    assert f"{TensorShape([2])}" == "(2,)"
    assert (repr(UNKNOWN), str(UNKNOWN)) == ("TensorShape(None)", "<unknown>")


def test_is_not_a_tuple_but_reads_like_one():
    shape = TensorShape([2, None, 4])
    assert not isinstance(shape, tuple)
    assert tuple(shape) == (2, None, 4)
    assert (len(shape), shape[-1], shape[np.int64(0)]) == (3, 4, 2)
    assert 4 in shape
    assert list(reversed(shape)) == [4, None, 2]
    assert np.zeros(TensorShape([2, 3])).shape == (2, 3)


def test_slices_are_shapes():
    shape = TensorShape([1, 2, 3])
    assert shape[1:] == TensorShape([2, 3])
    assert isinstance(shape[::2], TensorShape)


def test_index_beyond_the_rank_is_an_index_error():
    with pytest.raises(IndexError):
        TensorShape([1])[5]


def test_sums_are_shapes():
    shape = TensorShape([1, 2])
    for total in (shape[1:] + (3,), shape[1:] + [3], shape[1:] + 3):  # noqa: RUF005
        assert total == TensorShape([2, 3])
        assert isinstance(total, TensorShape)
    for total in ((0,) + shape, [0] + shape, 0 + shape):  # noqa: RUF005
        assert total == TensorShape([0, 1, 2])
        assert isinstance(total, TensorShape)
    assert (shape + None).rank is None


def test_equality_with_sequences_and_sizes():
    assert TensorShape([1, 2]) == (1, 2)
    assert TensorShape([1, 2]) == [1, 2]
    assert (1, 2) == TensorShape([1, 2])  # noqa: SIM300
    assert TensorShape([2]) == 2
    assert TensorShape([None]) == [None]
    assert TensorShape(None) == UNKNOWN
    assert UNKNOWN == None  # noqa: E711


def test_inequality():
    assert TensorShape([1, 2]) != (1, 3)
    assert TensorShape([1]) != "ab"
    assert TensorShape([1]) != [1.5]
    assert TensorShape([1]) != UNKNOWN
    assert not TensorShape([2]) != [2]  # noqa: SIM202


def test_equal_shapes_hash_equally():
    assert len({TensorShape([1, None]), TensorShape((1, None))}) == 1
    assert hash(UNKNOWN) == hash(TensorShape(None))


def test_copies_and_pickles_are_equal():
    for shape in (TensorShape([None, 3]), UNKNOWN):
        assert pickle.loads(pickle.dumps(shape)) == shape
        assert copy.deepcopy(shape) == shape


def test_truth_is_whether_the_rank_is_known():
    assert TensorShape([])
    assert not UNKNOWN


@pytest.mark.parametrize("read", [len, list, TensorShape.as_list])
def test_unknown_rank_has_no_items(read):
    with pytest.raises(ValueError, match="unknown rank"):
        read(UNKNOWN)


def test_unknown_rank_indexes_to_what_is_certain():
    assert UNKNOWN[0] is None
    assert UNKNOWN[1:4] == [None, None, None]
    assert UNKNOWN[:2] == [None, None]
    for unknown in (UNKNOWN[1:], UNKNOWN[:-1], UNKNOWN[-2:]):
        assert unknown.rank is None


def test_rank_ndims_dims_and_as_list():
    shape = TensorShape([None, 3])
    assert (shape.rank, shape.ndims) == (2, 2)
    assert shape.dims == shape.as_list() == [None, 3]
    assert (UNKNOWN.rank, UNKNOWN.ndims, UNKNOWN.dims) == (None, None, None)


def test_num_elements():
    assert TensorShape([2, 3]).num_elements() == 6
    assert TensorShape([]).num_elements() == 1
    assert TensorShape([0, None]).num_elements() is None
    assert UNKNOWN.num_elements() is None


def test_is_fully_defined():
    assert TensorShape([]).is_fully_defined()
    assert not TensorShape([None]).is_fully_defined()
    assert not UNKNOWN.is_fully_defined()


def test_is_compatible_with():
    shape = TensorShape([None, 3])
    assert shape.is_compatible_with([2, 3])
    assert shape.is_compatible_with(UNKNOWN)
    assert not shape.is_compatible_with([2, 4])
    assert not shape.is_compatible_with([3])


def test_merge_with_takes_what_is_known_in_either():
    assert TensorShape([None, 3]).merge_with([2, None]) == [2, 3]
    assert UNKNOWN.merge_with([1]) == [1]
    assert TensorShape([1]).merge_with(None) == [1]


def test_merge_with_names_the_axis_that_differs():
    with pytest.raises(ValueError, match=r"Shapes \(1, 2\) and \(1, 3\) are not .* at axis 1"):
        TensorShape([1, 2]).merge_with([1, 3])
    with pytest.raises(ValueError, match="in rank, 2 and 1"):
        TensorShape([1, 2]).merge_with([1])


def test_concatenate():
    assert TensorShape([1]).concatenate([None]) == [1, None]
    assert TensorShape([1]).concatenate(UNKNOWN).rank is None


def test_with_rank():
    assert TensorShape([2]).with_rank(1) == [2]
    assert UNKNOWN.with_rank(2) == [None, None]
    with pytest.raises(ValueError, match=r"Shape \(1,\) must have rank 2"):
        TensorShape([1]).with_rank(2)


def test_with_rank_at_least_and_at_most():
    assert TensorShape([2]).with_rank_at_least(1).with_rank_at_most(1) == [2]
    with pytest.raises(ValueError, match="must have rank at least 2"):
        TensorShape([1]).with_rank_at_least(2)
    with pytest.raises(ValueError, match="must have rank at most 1"):
        TensorShape([1, 2]).with_rank_at_most(1)


def test_assertions_pass_silently():
    shape = TensorShape([1, 2])
    shape.assert_has_rank(2)
    shape.assert_same_rank([3, 4])
    shape.assert_same_rank(UNKNOWN)
    shape.assert_is_compatible_with([None, 2])
    shape.assert_is_fully_defined()


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda s: s.assert_has_rank(2), "must have rank 2"),
        (lambda s: s.assert_same_rank([1, 2]), "must have the same rank"),
        (lambda s: s.assert_is_compatible_with([2]), r"and \(2,\) are not compatible"),
        (lambda s: TensorShape([None]).assert_is_fully_defined(), "is not fully defined"),
    ],
)
def test_assertions_raise_value_errors(check, message):
    with pytest.raises(ValueError, match=message):
        check(TensorShape([1]))


def test_most_specific_compatible_shape():
    assert TensorShape([1, 2]).most_specific_compatible_shape([1, 3]) == [1, None]
    assert TensorShape([1, 2]).most_specific_compatible_shape([1]).rank is None


def test_subtypes_are_the_more_specific_shapes():
    assert TensorShape([1, 2]).is_subtype_of(TensorShape([None, 2]))
    assert TensorShape([1]).is_subtype_of(UNKNOWN)
    assert not UNKNOWN.is_subtype_of(TensorShape([1]))
    assert not TensorShape([None]).is_subtype_of(TensorShape([1]))
    assert not TensorShape([1]).is_subtype_of([1])


def test_most_specific_common_supertype():
    shape = TensorShape([1, 2])
    assert shape.most_specific_common_supertype([TensorShape([1, 3])]) == [1, None]
    assert shape.most_specific_common_supertype([TensorShape([1])]).rank is None
    assert shape.most_specific_common_supertype([3]) is None


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([None, 1], [5], [None, 5]),
        ([None], [None], [None]),
        ([None], [1], [None]),
        ([None], [4], [4]),
        ([1], [None], [None]),
        ([0], [1], [0]),
        ([2, 1, 3], [4, 1], [2, 4, 3]),
        ([], [3], [3]),
        (None, [4], None),
    ],
)
def test_broadcast_static_shape(a, b, expected):
    assert broadcast_static_shape(TensorShape(a), TensorShape(b)) == TensorShape(expected)
    assert broadcast_static_shape(b, a) == TensorShape(expected)


def test_broadcast_static_shape_refuses_different_sizes():
    with pytest.raises(ValueError, match=r"Incompatible shapes for broadcasting: \(3,\) and"):
        broadcast_static_shape([3], [4])
