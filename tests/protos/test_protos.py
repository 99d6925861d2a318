"""Messages: binary form, text, presence, as Google's library has them."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf
from lamina.protos import DecodeError, TensorProto, wire

T = tf.train


def _example():
    example = T.Example()
    example.features.feature["a"].int64_list.value.extend([1, -2, 300])
    example.features.feature["b"].bytes_list.value.append(b'x\xff"')
    example.features.feature["c"].float_list.value.extend([1.1, 2])
    return example


# What google.protobuf writes for this message.
_BYTES = (
    b"\n9\n\x16\n\x01a\x12\x11\x1a\x0f\n\r\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\xac\x02"
    b'\n\x0c\n\x01b\x12\x07\n\x05\n\x03x\xff"\n\x11\n\x01c\x12\x0c\x12\n\n\x08\xcd\xcc\x8c?\x00\x00\x00@'
)


def test_the_binary_form_is_googles():
    assert _example().SerializeToString() == _BYTES


def test_a_message_comes_back_from_its_binary_form():
    assert T.Example.FromString(_BYTES) == _example()


def test_the_text_form_is_googles():
    example = T.Example()
    example.features.feature["c"].float_list.value.append(1.1)
    example.features.feature["b"].bytes_list.value.append(b"\x00\xffa\"'\n")
    assert str(example) == (
        'features {\n  feature {\n    key: "b"\n    value {\n      bytes_list {\n'
        '        value: "\\000\\377a\\"\\\'\\n"\n      }\n    }\n  }\n  feature {\n    key: "c"\n'
        "    value {\n      float_list {\n        value: 1.1\n      }\n    }\n  }\n}\n"
    )


def test_floats_have_the_digits_they_need():
    values = [2.0, 1e20, float("inf"), -0.0, 1e-5, 1 / 3]
    lines = str(T.FloatList(value=values)).split()[1::2]
    assert lines == ["2", "1e+20", "inf", "-0", "1e-05", "0.333333343"]


def test_nested_values_are_read_by_name():
    example = T.Example.FromString(_BYTES)
    assert example.features.feature["a"].int64_list.value[0] == 1
    assert example.features.feature["b"].WhichOneof("kind") == "bytes_list"


def test_setting_one_list_clears_the_others():
    feature = T.Feature(int64_list=T.Int64List(value=[1]))
    feature.float_list.value.append(2.0)
    assert feature.WhichOneof("kind") == "float_list"
    assert not feature.HasField("int64_list")


def test_reading_a_field_does_not_set_it():
    example = T.Example()
    assert len(example.features.feature) == 0
    assert not example.HasField("features")


def test_an_empty_list_that_is_given_is_set():
    assert T.Feature(int64_list=T.Int64List()).WhichOneof("kind") == "int64_list"


def test_features_can_be_made_of_dicts():
    made = T.Example(features={"feature": {"a": {"int64_list": {"value": [1]}}}})
    assert made.features.feature["a"].int64_list.value == [1]


def test_arrays_and_tensors_fill_lists():
    assert T.Int64List(value=np.array([1, 2])).value == [1, 2]
    assert T.Int64List(value=[True, np.int32(3)]).value == [1, 3]
    assert T.FloatList(value=[tf.constant(1.5)]).value == [1.5]


def test_many_integers_come_back():
    values = [*range(-300, 300), 2**62, -(2**63)]
    assert T.Int64List.FromString(T.Int64List(value=values).SerializeToString()).value == values


def test_sequence_examples_come_back():
    made = T.SequenceExample()
    made.context.feature["n"].int64_list.value[:] = [1, 2]
    made.feature_lists.feature_list["w"].feature.add().bytes_list.value.append(b"h")
    assert T.SequenceExample.FromString(made.SerializeToString()) == made
    assert made.HasField("feature_lists")


def test_copies_are_apart():
    first = _example()
    for second in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        second.features.feature["a"].int64_list.value.append(5)
        assert first != second
    third = T.Example()
    third.CopyFrom(first)
    assert third == first
    third.Clear()
    assert third == T.Example()


def test_fields_that_are_not_known_are_kept():
    raw = wire.tag(9, wire.VARINT) + wire.varint(7)
    assert T.Example.FromString(raw).SerializeToString() == raw


def test_maps_of_scalars():
    cluster = T.ClusterDef(job=[T.JobDef(name="w", tasks={0: "a:1"})])
    assert T.ClusterDef.FromString(cluster.SerializeToString()).job[0].tasks[0] == "a:1"


def test_deterministic_maps_are_ordered():
    made = T.Features()
    for key in "ba":
        made.feature[key].int64_list.value.append(1)
    raw = made.SerializeToString(deterministic=True)
    assert raw.index(b"a") < raw.index(b"b")


def test_tensor_protos_read_each_kind_of_number():
    proto = TensorProto(dtype=1, float_val=[1.5], tensor_shape={"dim": [{"size": 3}]})
    assert tf.io.parse_tensor(proto.SerializeToString(), tf.float32).numpy().tolist() == [1.5] * 3


def test_tensor_protos_fill_a_shape():
    made = tf.make_ndarray(tf.make_tensor_proto(3.0, shape=[2, 2]))
    assert made.tolist() == [[3, 3], [3, 3]]
    with pytest.raises(TypeError, match="Expected Tensor's shape"):
        tf.make_tensor_proto([1, 2], shape=[1, 2], verify_shape=True)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: T.BytesList(value=["a"]), TypeError, "expected one of: bytes"),
        (lambda: T.Int64List(value=[1.5]), TypeError, "expected one of: int"),
        (lambda: T.Int64List(value=[2**63]), ValueError, "Value out of range"),
        (lambda: T.FloatList(value=["a"]), TypeError, "expected one of: int, float"),
        (lambda: T.JobDef(name=5), TypeError, "expected one of: bytes, str"),
        (lambda: T.Feature(foo=1), ValueError, 'has no "foo" field'),
        (lambda: setattr(T.Example(), "foo", 1), AttributeError, "Assignment not allowed"),
        (lambda: setattr(T.Example(), "features", 1), AttributeError, "Assignment not allowed"),
        (lambda: T.Features().feature.__setitem__("a", 1), ValueError, "Direct assignment"),
        (lambda: T.Feature().HasField("zz"), ValueError, "not repeated was expected"),
        (lambda: T.Feature().WhichOneof("zz"), ValueError, "has no oneof"),
        (lambda: T.Feature().ClearField("zz"), ValueError, 'has no "zz" field'),
        (lambda: T.Feature(int64_list=[1]), TypeError, "must be a Int64List or a dict"),
        (lambda: T.Example.FromString(b"junk"), DecodeError, "cut off"),
        (lambda: T.Example.FromString("a"), TypeError, "expected bytes; got str"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_dtypes_are_shown_by_name():
    for value, name in ((1.5, "DT_FLOAT"), (np.float64(1), "DT_DOUBLE"), (2, "DT_INT32")):
        assert str(tf.make_tensor_proto(value)).startswith(f"dtype: {name}\n")
    assert str(tf.make_tensor_proto("a").__class__(dtype=999)) == "dtype: 999\n"
