"""tf.lookup.experimental: tables that can be changed."""

from lamina.ops.mutable_tables import DenseHashTable as DenseHashTable
from lamina.ops.mutable_tables import MutableHashTable as MutableHashTable
