"""A mask passes a layer that supports masking, and ends at one that does not."""

import pytest

import lamina as tf
from tests.conformance.rows import rows_of
from tests.conformance.table import arrays, run

_ROWS = [
    case
    for case in rows_of("masks", "layers")
    if len(case.inputs) == 1 and len(case.inputs[0].shape) > 2 and case.inputs[0].kind == "normal"
]


@pytest.mark.parametrize("case", _ROWS, ids=[case.id for case in _ROWS])
def test_mask_passes_where_it_is_supported(case):
    layer, (x,) = case.make(), arrays(case)
    without = run(case, layer, [x])
    x._keras_mask = tf.ones(x.shape[:2], tf.bool)
    y = run(case, layer, [x])
    assert (y._keras_mask is not None) == layer.supports_masking
    assert y.shape == without.shape
    if y._keras_mask is not None:
        assert y._keras_mask.dtype == "bool"
        assert y._keras_mask.shape[0] == y.shape[0]
