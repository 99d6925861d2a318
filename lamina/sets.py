"""tf.sets: the last axis of Tensors as sets."""

from lamina.ops.sparse.sets import difference as difference
from lamina.ops.sparse.sets import intersection as intersection
from lamina.ops.sparse.sets import size as size
from lamina.ops.sparse.sets import union as union
