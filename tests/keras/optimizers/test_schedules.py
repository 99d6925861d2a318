"""Schedules against their formulas, on numbers, Tensors and in optimizers."""

import math

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

schedules = tf.keras.optimizers.schedules


def _restarts(t, rate=0.1, first=4, t_mul=2.0, m_mul=0.5, alpha=0.1):
    length, height = first, 1.0
    while t >= length:
        t, length, height = t - length, length * t_mul, height * m_mul
    cosine = height * 0.5 * (1 + math.cos(math.pi * t / length))
    return rate * ((1 - alpha) * cosine + alpha)


CASES = {
    "exponential": (schedules.ExponentialDecay(0.1, 10, 0.5), lambda t: 0.1 * 0.5 ** (t / 10)),
    "exponential stairs": (
        schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
        lambda t: 0.1 * 0.5 ** (t // 10),
    ),
    "inverse": (schedules.InverseTimeDecay(0.1, 5, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 5)),
    "inverse stairs": (
        schedules.InverseTimeDecay(0.1, 5, 0.5, staircase=True),
        lambda t: 0.1 / (1 + 0.5 * (t // 5)),
    ),
    "polynomial": (
        schedules.PolynomialDecay(0.1, 10, 0.01, power=2.0),
        lambda t: 0.09 * (1 - min(t, 10) / 10) ** 2 + 0.01,
    ),
    "polynomial cycle": (
        schedules.PolynomialDecay(0.1, 10, 0.01, cycle=True),
        lambda t: 0.09 * (1 - t / (10 * max(1, math.ceil(t / 10)))) + 0.01,
    ),
    "cosine": (
        schedules.CosineDecay(0.1, 10, alpha=0.2),
        lambda t: 0.1 * (0.8 * 0.5 * (1 + math.cos(math.pi * min(t, 10) / 10)) + 0.2),
    ),
    "cosine warmup": (
        schedules.CosineDecay(0.0, 10, warmup_target=0.1, warmup_steps=4),
        lambda t: 0.025 * t if t < 4 else 0.1 * 0.5 * (1 + math.cos(math.pi * min(t - 4, 10) / 10)),
    ),
    "restarts": (schedules.CosineDecayRestarts(0.1, 4, m_mul=0.5, alpha=0.1), _restarts),
    "restarts of one length": (
        schedules.CosineDecayRestarts(0.1, 4, t_mul=1.0),
        lambda t: _restarts(t, t_mul=1.0, m_mul=1.0, alpha=0.0),
    ),
    "piecewise": (
        schedules.PiecewiseConstantDecay([3, 7], [1.0, 0.5, 0.1]),
        lambda t: 1.0 if t <= 3 else 0.5 if t <= 7 else 0.1,
    ),
}
STEPS = (0, 1, 3, 5, 7, 8, 11, 14, 30)


@pytest.mark.parametrize("name", CASES)
def test_schedule_matches_its_formula(name):
    schedule, formula = CASES[name]
    expected = np.array([formula(t) for t in STEPS], np.float32)
    for make in (int, lambda t: tf.constant(t, tf.int64), lambda t: tf.Variable(float(t))):
        rates = [schedule(make(t)) for t in STEPS]
        assert all(r.dtype == tf.float32 for r in rates)
        assert_close([float(r) for r in rates], expected, "float32")


@pytest.mark.parametrize("name", CASES)
def test_config_makes_an_equal_schedule(name):
    schedule, formula = CASES[name]
    config = schedules.serialize(schedule)
    assert config["module"] == "keras.optimizers.schedules"
    assert_close(schedules.deserialize(config)(8), np.float32(formula(8)))
    optimizer = tf.keras.optimizers.SGD(schedule)
    again = type(optimizer).from_config(optimizer.get_config())
    assert_close(again.learning_rate, np.float32(formula(0)))


def test_optimizer_follows_a_schedule_inside_a_function():
    optimizer = tf.keras.optimizers.SGD(CASES["piecewise"][0])
    w = tf.Variable(0.0)

    @tf.function
    def step():
        optimizer.apply_gradients([(tf.constant(1.0), w)])

    for _ in range(6):
        step()
    assert_close(w, np.float32(-(4 * 1.0 + 2 * 0.5)))


def test_own_schedules_and_functions_work():
    class Linear(schedules.LearningRateSchedule):
        def __init__(self, slope):
            self.slope = slope

        def __call__(self, step):
            return self.slope * tf.cast(step + 1, tf.float32)

    optimizer, w = tf.keras.optimizers.SGD(Linear(0.5)), tf.Variable(0.0)
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant(1.0), w)])
    assert float(w) == -1.5
    assert optimizer.get_config()["learning_rate"]["config"] == {"slope": 0.5}
    rates = iter([1.0, 2.0])
    optimizer.learning_rate = lambda: next(rates)
    for _ in range(2):
        optimizer.apply_gradients([(tf.constant(1.0), w)])
    assert float(w) == -4.5


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` must be > 0"),
        (
            lambda: schedules.CosineDecayRestarts(0.1, -1),
            "`first_decay_steps` must be a positive integer",
        ),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2]), "one element more"),
    ],
)
def test_wrong_arguments_are_explained(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_a_schedule_must_say_its_rate():
    with pytest.raises(NotImplementedError, match="write `def __call__"):
        schedules.LearningRateSchedule()(0)
