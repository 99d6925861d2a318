"""Descriptors of messages: Google's text and JSON functions read and write lamina's messages."""

import pytest

import lamina as tf

T = tf.train
text_format = pytest.importorskip("google.protobuf.text_format")
json_format = pytest.importorskip("google.protobuf.json_format")

_TEXT = """
features {
  feature { key: "colors" value { bytes_list { value: ["red", "blue"] } } }
  feature { key: "weights" value { float_list { value: [1.5, 2.5] } } }
  feature { key: "lengths" value { int64_list { value: 7 value: -1 } } }
}
"""


def _example():
    return text_format.Merge(_TEXT, T.Example())


def test_googles_text_parser_fills_maps_and_lists():
    feature = _example().features.feature
    assert list(feature["colors"].bytes_list.value) == [b"red", b"blue"]
    assert list(feature["weights"].float_list.value) == [1.5, 2.5]
    assert list(feature["lengths"].int64_list.value) == [7, -1]


def test_googles_text_is_the_messages_own():
    assert text_format.MessageToString(_example()) == str(_example())


def test_googles_text_parser_refuses_what_the_message_lacks():
    with pytest.raises(text_format.ParseError, match='Example" has no field named "nothing"'):
        text_format.Parse("nothing: 1", T.Example())
    with pytest.raises(text_format.ParseError, match="float_list"):
        text_format.Parse("bytes_list { value: 'a' } float_list { value: 1 }", T.Feature())


def test_json_comes_back():
    example = _example()
    assert json_format.Parse(json_format.MessageToJson(example), T.Example()) == example
    lengths = json_format.MessageToDict(example)["features"]["feature"]["lengths"]
    assert lengths == {"int64List": {"value": ["7", "-1"]}}


def test_maps_of_scalars_are_read():
    cluster = T.ClusterDef()
    text_format.Parse("job { name: 'w' tasks { key: 1 value: 'b:1' } }", cluster)
    assert cluster.job[0].tasks[1] == "b:1"
    assert json_format.MessageToDict(cluster) == {"job": [{"name": "w", "tasks": {"1": "b:1"}}]}


def test_a_descriptor_names_message_and_fields():
    described = T.Feature.DESCRIPTOR
    assert (described.name, described.full_name) == ("Feature", "tensorflow.Feature")
    assert [f.name for f in described.oneofs_by_name["kind"].fields] == list(T.Feature.fields)
    field = described.fields_by_name["bytes_list"]
    assert field.full_name == "tensorflow.Feature.bytes_list"
    assert field.message_type is T.BytesList.DESCRIPTOR
    assert field.json_name == "bytesList"
    assert field.has_presence
    entry = T.Features.DESCRIPTOR.fields_by_number[1].message_type
    assert entry.full_name == "tensorflow.Features.FeatureEntry"
    assert entry.GetOptions().map_entry


def test_dtypes_are_shown_and_read_by_name():
    proto = tf.make_tensor_proto([1.0, 2.0])
    assert str(proto).startswith("dtype: DT_FLOAT\n")
    assert proto.dtype == 1
    assert text_format.Parse(str(proto), type(proto)()) == proto
    assert json_format.MessageToDict(proto)["dtype"] == "DT_FLOAT"
    proto.dtype = "DT_INT64"
    assert proto.dtype == tf.int64.as_datatype_enum
    with pytest.raises(ValueError, match='unknown enum label "DT_X"'):
        proto.dtype = "DT_X"
