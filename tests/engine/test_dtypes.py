"""DType, as_dtype and the rules for inferring and converting dtypes; values are TF 2.21's."""

import collections
import copy
import enum
import pickle

import ml_dtypes
import numpy as np
import pytest

from lamina.engine import dtypes
from lamina.engine.dtypes import DType, as_dtype, is_compatible, python_dtype

ALL = [getattr(dtypes, name) for name in dtypes.__all__]
ALL = [constant for constant in ALL if isinstance(constant, DType)]


def test_all_dtypes_are_there():
    assert len(ALL) == 31


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_every_spelling_gives_the_one_object(dtype):
    spellings = [dtype, dtype.name, dtype.as_datatype_enum]
    if not dtype.is_quantized:  # NumPy has plain integers for those
        spellings += [dtype.np, dtype.as_numpy_dtype]
    for spelling in spellings:
        assert as_dtype(spelling) is dtype
    assert DType(dtype.as_datatype_enum) is dtype


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_copies_and_pickles_are_the_one_object(dtype):
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert copy.deepcopy(dtype) is dtype


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (float, "float32"),
        (int, "int32"),
        (bool, "bool"),
        (complex, "complex128"),
        (object, "string"),
        (str, "string"),
        (bytes, "string"),
        ("half", "float16"),
        ("float", "float32"),
        ("double", "float64"),
        ("int", "int32"),
        (np.str_, "string"),
        (np.dtype("U3"), "string"),
        (np.dtype("S"), "string"),
        (np.dtype(">i4"), "int32"),
        (np.longlong, "int64"),
        (np.intc, "int32"),
        (np.array(1.0), "float64"),
        (np.int32(3), "int32"),
        (ml_dtypes.bfloat16, "bfloat16"),
        (np.dtype(ml_dtypes.bfloat16), "bfloat16"),
        (101, "float32"),
    ],
)
def test_as_dtype_accepts(spelling, name):
    assert as_dtype(spelling).name == name


@pytest.mark.parametrize("wrong", ["foo", None, np.datetime64, [1], 999, b"float32", 1.0])
def test_as_dtype_refuses_what_is_no_dtype(wrong):
    with pytest.raises(TypeError, match=r"(?s)Cannot convert it to a TensorFlow DType.*Fix: "):
        as_dtype(wrong)


def test_as_dtype_error_names_near_dtypes():
    with pytest.raises(TypeError, match=r"Fix: use one of float16, float32, .*float64"):
        as_dtype("float31")


def test_repr_and_str():
    assert repr(dtypes.float32) == "tf.float32"
    assert str(dtypes.float32) == "<dtype: 'float32'>"
    assert repr(dtypes.bool_) == "tf.bool"


def test_equality_accepts_every_spelling():
    assert dtypes.float32 == "float32"
    assert dtypes.float32 == np.float32
    assert np.float32 == dtypes.float32
    assert dtypes.float32 == np.dtype("float32")
    assert dtypes.float32 in ("int8", "float32")


def test_equality_with_anything_else_is_false():
    assert dtypes.float32 != None  # noqa: E711
    assert dtypes.float32 != "channels_last"
    assert dtypes.float32 != dtypes.float64
    assert dtypes.float32 != [1]


def test_works_as_a_dict_key():
    assert {dtypes.int8: 1}[as_dtype("int8")] == 1


@pytest.mark.parametrize(
    ("dtype", "flags"),
    [
        (dtypes.float32, "floating numeric"),
        (dtypes.bfloat16, "floating numeric"),
        (dtypes.float8_e5m2, "floating numeric"),
        (dtypes.int8, "integer numeric"),
        (dtypes.uint8, "integer unsigned numeric"),
        (dtypes.complex64, "complex numeric"),
        (dtypes.bool_, "bool"),
        (dtypes.string, ""),
    ],
)
def test_flags(dtype, flags):
    names = ("floating", "integer", "unsigned", "complex", "bool", "numeric", "quantized")
    assert {n for n in names if getattr(dtype, f"is_{n}")} == set(flags.split())


def test_sizes_are_in_bytes():
    sizes = [d.size for d in (dtypes.bool_, dtypes.bfloat16, dtypes.complex128, dtypes.string)]
    assert sizes == [1, 2, 16, 0]


def test_extremes_are_those_of_tensorflow():
    assert (dtypes.int8.min, dtypes.int8.max) == (-128, 127)
    assert type(dtypes.int32.max) is int
    assert dtypes.uint64.max == 2**64 - 1
    assert dtypes.float32.max == np.finfo("float32").max
    assert type(dtypes.float32.max) is np.float32
    assert type(dtypes.bfloat16.max) is ml_dtypes.bfloat16


@pytest.mark.parametrize("dtype", [dtypes.bool_, dtypes.string, dtypes.complex64], ids=str)
def test_extremes_need_ordered_numbers(dtype):
    with pytest.raises(TypeError, match=r"DType.max: expected an integer or floating dtype"):
        _ = dtype.max


def test_limits_are_the_intensities_of_images():
    assert dtypes.uint8.limits == (0, 255)
    assert dtypes.int8.limits == (0, 127)
    assert dtypes.float32.limits == (0, 1)
    assert dtypes.bool_.limits == (0, True)
    with pytest.raises(ValueError, match="does not have defined limits"):
        _ = dtypes.bfloat16.limits


def test_real_and_base_dtype():
    assert dtypes.complex64.real_dtype is dtypes.float32
    assert dtypes.complex128.real_dtype is dtypes.float64
    assert dtypes.int8.real_dtype is dtypes.int8.base_dtype is dtypes.int8


def test_is_compatible_with_takes_any_spelling():
    assert dtypes.float32.is_compatible_with("float")
    assert not dtypes.float32.is_compatible_with(np.float64)
    with pytest.raises(TypeError, match="Cannot convert"):
        dtypes.float32.is_compatible_with(None)


def test_supertypes_are_the_dtype_alone():
    assert dtypes.int8.most_specific_common_supertype([dtypes.int8]) is dtypes.int8
    assert dtypes.int8.most_specific_common_supertype([dtypes.int32]) is None


@pytest.mark.parametrize(
    ("desired", "got"),
    [
        ("float32", "float32 int32 int64 bool float64"),
        ("bfloat16", "bfloat16 float32 int32 bool"),
        ("int32", "int32 int64 bool uint8"),
        ("complex64", "complex128 float32 int32 bool"),
        ("bool", "bool"),
        ("string", "string"),
    ],
)
def test_is_compatible(desired, got):
    names = [
        "bool",
        "int32",
        "int64",
        "uint8",
        "float32",
        "float64",
        "bfloat16",
        "complex128",
        "string",
    ]
    found = {n for n in names if is_compatible(as_dtype(desired), as_dtype(n))}
    assert set(got.split()) <= found
    assert found.isdisjoint({"string", "complex128"} - set(got.split()))
    if desired == "int32":
        assert found.isdisjoint({"float32", "float64", "bfloat16"})


Color = enum.IntEnum("Color", "RED BLUE")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int32"),
        (2**31 - 1, "int32"),
        (2**31, "int64"),
        (-(2**31), "int32"),
        (-(2**31) - 1, "int64"),
        (1.0, "float32"),
        (1j, "complex128"),
        (True, "bool"),
        ("a", "string"),
        (b"a", "string"),
        (Color.RED, "int32"),
        (np.float64(1), "float64"),
        (np.bool_(True), "bool"),
        (np.uint64(2**63), "uint64"),
        (np.array(["a"]), "string"),
        (np.zeros(2, ml_dtypes.bfloat16), "bfloat16"),
        ([], "float32"),
        ([[], []], "float32"),
        ([1, 2**40], "int64"),
        ([1, 2.5], "float32"),
        ([2.5, 1], "float32"),
        ([[1], [2.0]], "float32"),
        ([1, True], "int32"),
        ([1.0, True], "float32"),
        ([1, True, 2.0], "float32"),
        ([1j, 1.0], "complex128"),
        ([1j, True], "complex128"),
        ([2.0, 2**70], "float32"),
        ([2**31, 2.0], "float32"),
        ([np.float64(1), 2.0], "float64"),
        ([2.0, np.float64(1)], "float32"),
        ([np.float64(1), 2], "float64"),
        ([np.float16(1), 2.0], "float16"),
        ([np.float32(1), np.float64(1)], "float32"),
        ([np.int64(1), 2], "int32"),
        ([np.int8(1)], "int32"),
        ([np.array([2**40])], "int64"),
        ([np.array([1]), [1.5]], "float32"),
        ([np.array([1.0]), [2.0]], "float64"),
        ([[1.0], np.array([1.0])], "float32"),
        ([np.complex64(1j)], "complex128"),
        (["a", b"b"], "string"),
        ([b"b", np.str_("a")], "string"),
        ([np.bool_(True), False], "bool"),
        ([Color.RED, Color.BLUE], "int32"),
        (range(3), "int32"),
        ([range(3)], "int32"),
        (collections.UserList([1, 2]), "int32"),
        (collections.deque([1, 2]), "int32"),
    ],
)
def test_python_dtype(value, name):
    assert python_dtype(value).name == name


@pytest.mark.parametrize("value", [[True, 1], [True, 1.0], [1, 1j], [1.0, 1j], ["a", 1], [1, "a"]])
def test_python_dtype_refuses_mixed_types(value):
    with pytest.raises(ValueError, match="mixed types"):
        python_dtype(value)


@pytest.mark.parametrize("value", [2**63, [2**63], [1, -(2**63) - 1], [np.uint64(2**63)]])
def test_python_dtype_refuses_ints_beyond_int64(value):
    with pytest.raises(ValueError, match="out-of-range integer"):
        python_dtype(value)


@pytest.mark.parametrize("value", [None, [None], {1: 2}, {1}, object()])
def test_python_dtype_refuses_what_no_tensor_holds(value):
    with pytest.raises(ValueError, match="must be a number, a string, an array"):
        python_dtype(value)


def test_narrow_integers_have_limits():
    assert (dtypes.int4.min, dtypes.int4.max) == (-8, 7)
    assert (dtypes.uint2.min, dtypes.uint2.max) == (0, 3)
    assert dtypes.int4.is_integer
    assert dtypes.uint4.is_unsigned


def test_quantized_dtypes_are_no_numbers():
    assert dtypes.qint8.is_quantized
    assert not dtypes.qint8.is_integer
    assert as_dtype(np.int8) is dtypes.int8
    with pytest.raises(TypeError, match="expected an integer or floating dtype"):
        _ = dtypes.qint8.min
