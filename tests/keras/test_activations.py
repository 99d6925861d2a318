"""Activation functions against NumPy, and finding them by name."""

import math

import numpy as np
import pytest

from lamina import ops
from lamina.engine import errors
from lamina.keras import activations as a
from tests.tolerances import assert_close

X = np.array([-4.0, -2.0, -1.0, -0.3, 0.0, 0.3, 1.0, 2.0, 7.0], np.float32)
SIGMOID = 1 / (1 + np.exp(-X))
CDF = np.array([0.5 * (1 + math.erf(v / math.sqrt(2))) for v in X])

CASES = [
    ("relu", {}, np.maximum(X, 0)),
    ("relu", {"negative_slope": 0.5}, np.where(X > 0, X, 0.5 * X)),
    ("relu", {"max_value": 6.0}, np.clip(X, 0, 6)),
    ("relu", {"max_value": 1.5, "negative_slope": 0.5}, np.where(X > 0, np.minimum(X, 1.5), X / 2)),
    ("relu", {"threshold": 0.5}, np.where(X > 0.5, X, 0)),
    (
        "relu",
        {"threshold": 1.0, "negative_slope": 0.1, "max_value": 2.0},
        np.where(X > 1, np.minimum(X, 2), 0.1 * (X - 1) * (X < 1)),
    ),
    ("leaky_relu", {}, np.where(X > 0, X, 0.2 * X)),
    ("relu6", {}, np.clip(X, 0, 6)),
    ("softmax", {}, np.exp(X) / np.exp(X).sum()),
    ("log_softmax", {}, X - np.log(np.exp(X).sum())),
    ("elu", {"alpha": 0.5}, np.where(X > 0, X, 0.5 * np.expm1(X))),
    ("selu", {}, 1.0507009873554805 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X))),
    ("celu", {"alpha": 0.5}, np.where(X > 0, X, 0.5 * np.expm1(X / 0.5))),
    ("softplus", {}, np.log1p(np.exp(X))),
    ("softsign", {}, X / (1 + np.abs(X))),
    ("soft_shrink", {}, np.sign(X) * np.maximum(np.abs(X) - 0.5, 0)),
    ("hard_shrink", {}, np.where(np.abs(X) > 0.5, X, 0)),
    ("threshold", {"threshold": 0.5, "default_value": 3.0}, np.where(X > 0.5, X, 3)),
    ("silu", {}, X * SIGMOID),
    ("swish", {}, X * SIGMOID),
    ("squareplus", {"b": 1}, (X + np.sqrt(X**2 + 1)) / 2),
    ("gelu", {}, X * CDF),
    (
        "gelu",
        {"approximate": True},
        X / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))),
    ),
    ("tanh", {}, np.tanh(X)),
    ("tanh_shrink", {}, X - np.tanh(X)),
    ("sigmoid", {}, SIGMOID),
    ("log_sigmoid", {}, np.log(SIGMOID)),
    ("hard_sigmoid", {}, np.clip(X / 6 + 0.5, 0, 1)),
    ("hard_silu", {}, X * np.clip(X / 6 + 0.5, 0, 1)),
    ("hard_swish", {}, X * np.clip(X / 6 + 0.5, 0, 1)),
    ("hard_tanh", {}, np.clip(X, -1, 1)),
    ("sparse_plus", {}, np.where(X <= -1, 0, np.where(X >= 1, X, (X + 1) ** 2 / 4))),
    ("sparse_sigmoid", {}, np.clip((X + 1) / 2, 0, 1)),
    ("sparsemax", {}, np.eye(len(X))[-1]),
    ("mish", {}, X * np.tanh(np.log1p(np.exp(X)))),
    ("exponential", {}, np.exp(X)),
    ("linear", {}, X),
]


@pytest.mark.parametrize(("name", "kwargs", "want"), CASES, ids=lambda v: str(v)[:30])
def test_value(name, kwargs, want):
    got = getattr(a, name)(ops.constant(X), **kwargs)
    assert_close(got, want)


def test_every_function_has_a_row():
    others = {"get", "serialize", "deserialize", "glu"}
    assert {case[0] for case in CASES} == set(a.__all__) - others


def test_glu_gates_one_half_by_the_other():
    assert_close(a.glu(ops.constant(X[:8])), X[:4] * SIGMOID[4:8])
    with pytest.raises((ValueError, errors.InvalidArgumentError), match="must be even"):
        a.glu(ops.constant(X))


@pytest.mark.parametrize("axis", [(1, 2), (-1, 0), [2]])
def test_softmax_over_several_axes_sums_to_one(axis):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    got = a.softmax(ops.constant(x), axis=axis)
    want = np.exp(x) / np.exp(x).sum(axis=tuple(axis), keepdims=True)
    assert_close(got, want)
    assert_close(a.log_softmax(x, axis=axis), np.log(want))


@pytest.mark.parametrize("name", sorted(set(a.__all__) - {"get", "serialize", "deserialize"}))
def test_names_round_trip(name):
    function = a.get(name)
    assert function is getattr(a, name)
    assert a.deserialize(a.serialize(function)) is function


def test_other_identifiers():
    assert a.get(None) is a.linear
    assert a.get(ops.relu) is ops.relu
    assert a.serialize(ops.relu) == "relu"
    assert a.serialize(a.swish) == "silu"
    own = lambda x: x  # noqa: E731
    assert a.get(own) is own
    assert a.serialize(own)["class_name"] == "__lambda__"


@pytest.mark.parametrize("wrong", ["relux", 3, {"a": 1}])
def test_unknown_identifiers_are_refused(wrong):
    with pytest.raises(ValueError, match="for the activation function; got"):
        a.get(wrong)
    if wrong == "relux":
        with pytest.raises(ValueError, match="near names: relu"):
            a.get(wrong)
