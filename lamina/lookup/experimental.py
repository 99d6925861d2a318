"""tf.lookup.experimental: tables that can be changed."""

from lamina.ops.lookup import DenseHashTable as DenseHashTable
from lamina.ops.lookup import MutableHashTable as MutableHashTable
