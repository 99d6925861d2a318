"""Each loss function against its formula, and each class against its function."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

losses = tf.keras.losses
RNG = np.random.default_rng(0)
EPS = 1e-7
REAL = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
POSITIVE = RNG.uniform(0.1, 2, (4, 3)), RNG.uniform(0.1, 2, (4, 3))
BINARY = RNG.integers(0, 2, (4, 3)).astype(float), RNG.uniform(0.05, 0.95, (4, 3))
ONE_HOT = np.eye(3)[[0, 2, 1, 1]], RNG.dirichlet(np.ones(3), 4)
SPARSE = np.array([0, 2, 1, 1]), ONE_HOT[1]


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def bce(t, p):
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def of_label(t, p):
    return t * p + (1 - t) * (1 - p)


# name, options, inputs, formula of float64 arrays
CASES = [
    ("mean_squared_error", {}, REAL, lambda t, p: np.mean((t - p) ** 2, -1)),
    ("mean_absolute_error", {}, REAL, lambda t, p: np.mean(abs(t - p), -1)),
    (
        "mean_absolute_percentage_error",
        {},
        POSITIVE,
        lambda t, p: 100 * np.mean(abs((t - p) / t), -1),
    ),
    (
        "mean_squared_logarithmic_error",
        {},
        POSITIVE,
        lambda t, p: np.mean((np.log1p(t) - np.log1p(p)) ** 2, -1),
    ),
    ("cosine_similarity", {}, REAL, lambda t, p: -np.sum(unit(t) * unit(p), -1)),
    (
        "huber",
        {"delta": 0.7},
        REAL,
        lambda t, p: np.mean(
            np.where(abs(t - p) <= 0.7, (t - p) ** 2 / 2, 0.7 * abs(t - p) - 0.245), -1
        ),
    ),
    ("log_cosh", {}, REAL, lambda t, p: np.mean(np.log(np.cosh(p - t)), -1)),
    ("poisson", {}, POSITIVE, lambda t, p: np.mean(p - t * np.log(p), -1)),
    (
        "kl_divergence",
        {},
        BINARY,
        lambda t, p: np.sum(np.clip(t, EPS, 1) * np.log(np.clip(t, EPS, 1) / p), -1),
    ),
    ("hinge", {}, BINARY, lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0), -1)),
    ("hinge", {}, REAL, lambda t, p: np.mean(np.maximum(1 - t * p, 0), -1)),
    (
        "squared_hinge",
        {},
        BINARY,
        lambda t, p: np.mean(np.maximum(1 - (2 * t - 1) * p, 0) ** 2, -1),
    ),
    (
        "categorical_hinge",
        {},
        ONE_HOT,
        lambda t, p: np.maximum(np.max((1 - t) * p, -1) - np.sum(t * p, -1) + 1, 0),
    ),
    ("binary_crossentropy", {}, BINARY, lambda t, p: np.mean(bce(t, p), -1)),
    (
        "binary_crossentropy",
        {"label_smoothing": 0.2, "axis": 0},
        BINARY,
        lambda t, p: np.mean(bce(0.8 * t + 0.1, p), 0),
    ),
    (
        "binary_crossentropy",
        {"from_logits": True},
        (BINARY[0], REAL[1]),
        lambda t, z: np.mean(bce(t, 1 / (1 + np.exp(-z))), -1),
    ),
    (
        "binary_focal_crossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 3.0},
        BINARY,
        lambda t, p: np.mean((t * 0.3 + (1 - t) * 0.7) * (1 - of_label(t, p)) ** 3 * bce(t, p), -1),
    ),
    ("categorical_crossentropy", {}, ONE_HOT, lambda t, p: -np.sum(t * np.log(p), -1)),
    (
        "categorical_crossentropy",
        {"from_logits": True, "label_smoothing": 0.3},
        (ONE_HOT[0], np.log(ONE_HOT[1])),
        lambda t, z: -np.sum((0.7 * t + 0.1) * z, -1),
    ),
    (
        "categorical_focal_crossentropy",
        {"gamma": 1.5},
        ONE_HOT,
        lambda t, p: -np.sum(0.25 * (1 - p) ** 1.5 * t * np.log(p), -1),
    ),
    ("sparse_categorical_crossentropy", {}, SPARSE, lambda t, p: -np.log(p[range(4), t])),
    (
        "sparse_categorical_crossentropy",
        {"from_logits": True},
        (SPARSE[0][:, None], np.log(SPARSE[1])),
        lambda t, z: -z[range(4), t[:, 0]],
    ),
    (
        "categorical_generalized_cross_entropy",
        {"q": 0.3},
        SPARSE,
        lambda t, p: (1 - p[range(4), t] ** 0.3) / 0.3,
    ),
    (
        "dice",
        {"axis": 1},
        BINARY,
        lambda t, p: 1 - 2 * np.sum(t * p, 1) / (np.sum(t, 1) + np.sum(p, 1) + EPS),
    ),
    (
        "tversky",
        {"alpha": 0.3, "beta": 0.9},
        BINARY,
        lambda t, p: (
            1
            - np.sum(t * p)
            / (np.sum(t * p) + 0.3 * np.sum(t * (1 - p)) + 0.9 * np.sum((1 - t) * p))
        ),
    ),
]


@pytest.mark.parametrize(("name", "options", "inputs", "formula"), CASES)
def test_function_follows_its_formula(name, options, inputs, formula):
    y_true, y_pred = inputs
    got = getattr(losses, name)(y_true, tf.constant(y_pred, "float64"), **options)
    assert_close(got, formula(y_true, y_pred))


CLASSES = [
    cls
    for cls in vars(losses).values()
    if isinstance(cls, type) and issubclass(cls, losses.FunctionLoss) and "function" in vars(cls)
]


def sample(cls):
    if cls is losses.CTC:
        return [[1, 2], [2, 0]], RNG.normal(size=(2, 5, 4))
    if cls is losses.Circle:
        return [0, 0, 1, 1], unit(RNG.normal(size=(4, 3)))
    sparse = cls in (
        losses.SparseCategoricalCrossentropy,
        losses.CategoricalGeneralizedCrossEntropy,
    )
    return SPARSE if sparse else ONE_HOT


@pytest.mark.parametrize("cls", CLASSES)
def test_class_averages_its_function_and_survives_its_config(cls):
    y_true, y_pred = (np.asarray(y) for y in sample(cls))
    loss = cls()
    options = {"q": 0.5} if "q" in loss.options else {}
    values = cls.function(y_true, y_pred.astype("float32"), **options)
    assert_close(loss(y_true, y_pred), np.mean(values), "float32")
    copy = cls.from_config(loss.get_config())
    assert copy.get_config() == loss.get_config()
    assert_close(copy(y_true, y_pred), loss(y_true, y_pred))


def test_ignored_class_is_masked_out_of_the_mean():
    labels = np.array([0, -1, 2, 1])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    expected = -np.log(SPARSE[1][[0, 2, 3], [0, 2, 1]])
    assert_close(loss(labels, SPARSE[1]), expected.mean())
    values = losses.sparse_categorical_crossentropy(labels, SPARSE[1], ignore_class=-1)
    assert_close(values, np.insert(expected, 1, 0.0))
    assert values._keras_mask.numpy().tolist() == [True, False, True, True]


def test_large_labels_survive_a_short_dtype():
    logits = np.zeros((1, 3001), "float32")
    logits[0, 2999] = 5.0
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, dtype="bfloat16")
    assert float(loss([2999], logits)) < float(loss([2998], logits))


@pytest.mark.parametrize("cls", [losses.BinaryCrossentropy, losses.CategoricalCrossentropy])
def test_crossentropy_refuses_to_broadcast(cls):
    with pytest.raises(ValueError, match="must have the same shape"):
        cls()(tf.ones((4, 1)), tf.ones((4, 3)))


def test_sparse_crossentropy_takes_the_last_axis_only():
    with pytest.raises(ValueError, match="`axis` must be the last"):
        losses.sparse_categorical_crossentropy([[0, 0]], np.ones((1, 3, 2), "float32"), axis=1)


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_crossentropies_of_extreme_logits_are_finite(logit):
    x = tf.constant([[logit, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = losses.binary_crossentropy([[1.0, 0.0]], x, from_logits=True) + (
            losses.sparse_categorical_crossentropy([0], x, from_logits=True)
        )
    assert np.isfinite(value.numpy()).all()
    assert np.isfinite(tape.gradient(value, x).numpy()).all()


def test_circle_masks_samples_without_a_pair_of_each_kind():
    values = losses.circle([0, 0, 1], unit(RNG.normal(size=(3, 2))).astype("float32"))
    assert values._keras_mask.numpy().tolist() == [True, True, False]
    assert float(values[2]) == 0.0


def test_circle_gradient_is_finite_without_positive_pairs():
    x = tf.constant(unit(RNG.normal(size=(3, 2))), "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = losses.Circle()([0, 1, 2], x)
    assert_close(tape.gradient(value, x), np.zeros((3, 2)))


def test_generalized_crossentropy_refuses_q_outside_of_its_range():
    with pytest.raises(ValueError, match=r"`q` must lie in \(0, 1\); got 1"):
        losses.CategoricalGeneralizedCrossEntropy(q=1)


@pytest.mark.parametrize("name", ["categorical_crossentropy", "categorical_focal_crossentropy"])
def test_one_class_is_warned_of(name):
    with pytest.warns(SyntaxWarning, match=rf"{name}: more than one class was expected"):
        getattr(tf.keras.losses, name)([[1.0], [0.0]], [[0.5], [0.5]])


def test_a_softmax_of_one_unit_is_warned_of():
    with pytest.warns(UserWarning, match=r"axis -1 of shape \(2, 1\) has size 1"):
        tf.keras.layers.Dense(1, activation="softmax")(tf.ones((2, 3)))
