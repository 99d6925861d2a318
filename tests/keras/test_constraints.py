"""Projections: values against the formula, for Tensors, arrays and Variables."""

import numpy as np
import pytest

from lamina import ops
from lamina.engine import Variable
from lamina.keras import constraints as c
from tests.tolerances import assert_close

W = np.array([[3.0, 0.1], [4.0, -0.2]], np.float32)
NORM = np.linalg.norm(W, axis=0, keepdims=True)

CASES = [
    (c.MaxNorm(2.0), W * np.minimum(NORM, 2.0) / NORM),
    (c.MaxNorm(2.0, axis=[0, 1]), W * 2.0 / np.linalg.norm(W)),
    (c.UnitNorm(), W / NORM),
    (c.UnitNorm(axis=1), W / np.linalg.norm(W, axis=1, keepdims=True)),
    (c.NonNeg(), np.maximum(W, 0)),
    (c.MinMaxNorm(1.0, 2.0), W * np.clip(NORM, 1, 2) / NORM),
    (c.MinMaxNorm(1.0, 2.0, rate=0.5), W * (0.5 * np.clip(NORM, 1, 2) + 0.5 * NORM) / NORM),
    (c.Constraint(), W),
]


@pytest.mark.parametrize(("constraint", "want"), CASES, ids=repr)
def test_value(constraint, want):
    for w in (ops.constant(W), Variable(W)):
        assert_close(constraint(w), want)
    again = type(constraint).from_config(constraint.get_config())
    assert again.get_config() == constraint.get_config()


@pytest.mark.parametrize("constraint", [case[0] for case in CASES[:-1]], ids=repr)
def test_zeros_stay_finite_and_dtype_stays(constraint):
    for dtype in ("float16", "float64"):
        kept = constraint(ops.zeros((2, 2), dtype))
        assert kept.dtype == dtype
    assert np.isfinite(constraint(ops.zeros((2, 2))).numpy()).all()
