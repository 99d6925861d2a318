"""Protocol buffer messages that TensorFlow programs make and read, without Google's library.

wire (bytes), descriptors, enums and messages (what a message class is), text (how it is shown),
then the messages: example (tf.train.Example and others), tensor (TensorProto), cluster.
"""

from lamina.protos.cluster import ClusterDef, JobDef, ServerDef
from lamina.protos.example import (
    BytesList,
    Example,
    Feature,
    FeatureList,
    FeatureLists,
    Features,
    FloatList,
    Int64List,
    SequenceExample,
)
from lamina.protos.messages import Message
from lamina.protos.tensor import TensorProto, TensorShapeProto
from lamina.protos.wire import DecodeError

__all__ = [
    "BytesList",
    "ClusterDef",
    "DecodeError",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "JobDef",
    "Message",
    "SequenceExample",
    "ServerDef",
    "TensorProto",
    "TensorShapeProto",
]
