"""Penalties: values against the formula, and wrong arguments."""

import numpy as np
import pytest

from lamina import ops
from lamina.keras import regularizers as r
from tests.tolerances import assert_close

X = np.array([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0]], np.float32)
UNIT = X / np.linalg.norm(X, axis=1, keepdims=True)
SMOOTH = X / np.linalg.norm(X, axis=0, keepdims=True)

CASES = [
    (r.L1(0.5), 0.5 * np.abs(X).sum()),
    (r.L2(0.5), 0.5 * np.square(X).sum()),
    (r.L1L2(0.5, 0.25), 0.5 * np.abs(X).sum() + 0.25 * np.square(X).sum()),
    (r.L1L2(0.5), 0.5 * np.abs(X).sum()),
    (r.L1L2(None, None), 0.0),
    (r.L1(None), 0.01 * np.abs(X).sum()),
    (r.OrthogonalRegularizer(2.0), 2.0 * abs(UNIT[0] @ UNIT[1])),
    (
        r.OrthogonalRegularizer(1.0, "columns"),
        np.mean([abs(SMOOTH[:, i] @ SMOOTH[:, j]) for i, j in [(0, 1), (0, 2), (1, 2)]]),
    ),
    (r.Regularizer(), 0.0),
]


@pytest.mark.parametrize(("regularizer", "want"), CASES, ids=repr)
def test_value(regularizer, want):
    assert_close(regularizer(ops.constant(X)), want, "float32")
    again = type(regularizer).from_config(regularizer.get_config())
    assert again.get_config() == regularizer.get_config()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: r.L1(-1.0), "L1: `l1` must be a finite number that is not negative; got -1.0"),
        (lambda: r.L2("a"), "L2: `l2`.*got 'a'"),
        (lambda: r.L1L2(l1=float("nan")), "L1L2: `l1`.*got nan"),
        (lambda: r.OrthogonalRegularizer(mode="x"), "`mode` must be 'rows' or 'columns'; got 'x'"),
        (lambda: r.OrthogonalRegularizer()(np.ones((2, 2, 2))), r"rank 2; got shape \(2, 2, 2\)"),
    ],
)
def test_wrong_arguments(call, text):
    with pytest.raises(ValueError, match=text):
        call()


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_dtype_is_that_of_the_weight(dtype):
    for regularizer in (r.L1(), r.L2(), r.L1L2(0.1, 0.1), r.OrthogonalRegularizer()):
        assert regularizer(ops.ones((2, 3), dtype)).dtype == dtype


@pytest.mark.parametrize("name", ["l1l2", "l1_l2", "L1L2"])
def test_both_penalties_go_by_three_names(name):
    assert isinstance(r.get(name), r.L1L2)
    assert r.serialize(r.get(name))["class_name"] == "L1L2"
