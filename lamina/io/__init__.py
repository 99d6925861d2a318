"""tf.io: files, records, images, and strings of bytes as numbers."""

from lamina.data.records import RecordWriter as TFRecordWriter
from lamina.data.records import TFRecordOptions
from lamina.io import gfile
from lamina.ops.files import *
from lamina.ops.image.codecs import *
from lamina.ops.image.encoders import *
from lamina.ops.parsing import *
from lamina.ops.sparse_records import (
    deserialize_many_sparse,
    serialize_many_sparse,
    serialize_sparse,
)
from lamina.ops.tabular import *
