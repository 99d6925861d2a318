"""tf.sparse: Tensors of which only some elements are kept."""

from lamina.ops.sparse import rules as _rules  # noqa: F401  # what functions do with them
from lamina.ops.sparse.calculating import *
from lamina.ops.sparse.counting import *
from lamina.ops.sparse.making import *
from lamina.ops.sparse.tensor import SparseTensor as SparseTensor
from lamina.ops.sparse.tensor import SparseTensorSpec as SparseTensorSpec
