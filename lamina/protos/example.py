"""tf.train.Example and what it is made of: records of named lists of bytes, floats, ints."""

from lamina.protos.messages import Field, Message

__all__ = [
    "BytesList",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "SequenceExample",
]


class BytesList(Message):
    """A list of byte strings.

    Fields:
        value: The strings; only `bytes` are taken.

    Example:
        >>> tf.train.BytesList(value=[b"abc", b"12345"])
        value: "abc"
        value: "12345"
    """

    value = Field(1, "bytes", repeated=True)


class FloatList(Message):
    """A list of float32.

    Fields:
        value: The numbers.

    Example:
        >>> tf.train.FloatList(value=[1.0, 2.5]).value
        [1.0, 2.5]
    """

    value = Field(1, "float", repeated=True)


class Int64List(Message):
    r"""A list of int64.

    Fields:
        value: The numbers.

    Example:
        >>> tf.train.Int64List(value=[1, -2]).SerializeToString()
        b'\n\x0b\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01'
    """

    value = Field(1, "int64", repeated=True)


class Feature(Message):
    """One of three lists: setting one clears the others.

    Fields:
        bytes_list: A BytesList.
        float_list: A FloatList.
        int64_list: An Int64List.

    Example:
        >>> feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[7]))
        >>> feature.WhichOneof("kind")
        'int64_list'
    """

    bytes_list = Field(1, BytesList, oneof="kind")
    float_list = Field(2, FloatList, oneof="kind")
    int64_list = Field(3, Int64List, oneof="kind")


class Features(Message):
    """Features by name.

    Fields:
        feature: A map of names to `tf.train.Feature`; a name that is asked for appears.
    """

    feature = Field(1, Feature, key="string")


class Example(Message):
    """A record for training: features by name.

    Fields:
        features: A `tf.train.Features`.

    Example:
        >>> example = tf.train.Example()
        >>> example.features.feature["age"].int64_list.value.append(29)
        >>> tf.train.Example.FromString(example.SerializeToString())
        features {
          feature {
            key: "age"
            value {
              int64_list {
                value: 29
              }
            }
          }
        }
    """

    features = Field(1, Features)


class FeatureList(Message):
    """A sequence of features.

    Fields:
        feature: A list of `tf.train.Feature`.
    """

    feature = Field(1, Feature, repeated=True)


class FeatureLists(Message):
    """Sequences of features by name.

    Fields:
        feature_list: A map of names to `tf.train.FeatureList`.
    """

    feature_list = Field(1, FeatureList, key="string")


class SequenceExample(Message):
    """A record of a sequence: features of the whole, and features of each step.

    Fields:
        context: A `tf.train.Features`.
        feature_lists: A `tf.train.FeatureLists`.

    Example:
        >>> sequence = tf.train.SequenceExample()
        >>> words = sequence.feature_lists.feature_list["words"]
        >>> words.feature.add().bytes_list.value.append(b"hello")
        >>> len(sequence.feature_lists.feature_list["words"].feature)
        1
    """

    context = Field(1, Features)
    feature_lists = Field(2, FeatureLists)
