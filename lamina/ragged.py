"""tf.ragged: Tensors whose rows have different lengths."""

from lamina.ops.ragged import rules as _rules  # noqa: F401  # what functions do with them
from lamina.ops.ragged.making import *
from lamina.ops.ragged.partition import RowPartition as RowPartition
from lamina.ops.ragged.picking import boolean_mask as boolean_mask
from lamina.ops.ragged.shape import DynamicRaggedShape as DynamicRaggedShape
from lamina.ops.ragged.shaping import stack as stack
from lamina.ops.ragged.tensor import RaggedTensor as RaggedTensor
from lamina.ops.ragged.tensor import RaggedTensorSpec as RaggedTensorSpec
from lamina.ops.sparse import rules as _sparse_rules  # noqa: F401  # to_sparse makes such
from lamina.ops.sparse.counting import ragged_cross as cross  # noqa: F401
from lamina.ops.sparse.counting import ragged_cross_hashed as cross_hashed  # noqa: F401
