"""What long programs repeat is compiled once: the same values, from fewer equations."""

import jax
import numpy as np
import pytest

import lamina as tf
from lamina.engine import outlining
from lamina.engine.outlining import Piece, outlined
from lamina.engine.trace import replay

pytestmark = pytest.mark.skipif(jax.default_backend() != "cpu", reason="done on CPU only")


def _program(function, *args):
    trace = tf.function(function).get_concrete_function(*args).trace
    return trace.equations, trace.outputs


def _same(equations, outputs, *inputs):
    """Return the outlined program, once it gave the same values."""
    pieces = outlined(equations, outputs, replay)
    got = jax.jit(lambda *values: replay(pieces, values, outputs))(*inputs)
    wanted = jax.jit(lambda *values: replay(equations, values, outputs))(*inputs)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    return pieces


def test_steps_that_repeat_are_pieces():
    def walk(x, w):
        kept, aside = [x, x, x], x  # one step's own value is wanted of all
        for i in range(40):
            h = tf.tanh(tf.matmul(kept[-1], w)) + kept[-3]
            g = tf.sigmoid(h) * kept[-1]
            kept.append(tf.nn.relu(g - h) + tf.exp(-h) + x)
            aside = g if i == 7 else aside
        return kept[-1], aside

    x, w = np.full((2, 3), 0.3, "float32"), np.eye(3, dtype="float32") * 0.5
    equations, outputs = _program(walk, tf.constant(x), tf.constant(w))
    pieces = _same(equations, outputs, x, w)
    found = [p for p in pieces if isinstance(p, Piece)]
    assert len(found) >= 36
    assert len({p.run for p in found}) == 1
    assert len(pieces) < len(equations) / 5


def test_pieces_need_the_same_operands():
    def mixed(x):
        values = [x]
        for i in range(120):  # the same operations, but each step reads others
            a, b = values[-1 - i % min(3, len(values))], values[-1]
            values.append(tf.sin(a) * tf.cos(b) + a)
        return values[-1]

    x = np.full(3, 0.3, "float32")
    equations, outputs = _program(mixed, tf.constant(x))
    _same(equations, outputs, x)


@pytest.mark.parametrize("length", [8, 400])
def test_what_is_short_or_does_not_repeat_stands_as_it_is(length):
    rng = np.random.default_rng(0)
    ops = [tf.sin, tf.cos, tf.tanh, tf.exp, tf.square, tf.nn.relu, tf.abs, tf.sigmoid]

    def random(x):
        for _ in range(length):
            x = ops[rng.integers(len(ops))](x) + x
        return x

    equations, outputs = _program(random, tf.ones(2))
    assert outlined(equations, outputs, replay) == list(equations)


class _Unrolled(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.cell = tf.keras.layers.LSTMCell(4)
        self.out = tf.keras.layers.Dense(3)

    def call(self, x):
        state = [tf.zeros((2, 4)), tf.zeros((2, 4))]
        steps = []
        for t in range(24):
            h, state = self.cell(x[:, t], states=state)
            steps.append(self.out(h))
        return tf.stack(steps, 1)


@pytest.mark.parametrize("decorate", [lambda step: step, tf.function])
def test_a_cell_in_a_loop_trains_the_same(monkeypatch, decorate):
    x = tf.random.stateless_normal((2, 24, 3), (1, 2))

    def trained(longest):
        monkeypatch.setattr(outlining, "_LONG", longest)
        tf.keras.utils.set_random_seed(3)
        model = _Unrolled()
        optimizer = tf.keras.optimizers.SGD(0.5)

        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(model(x) - x))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        model(x)
        run = decorate(step)
        return [float(run()) for _ in range(3)] + [w.numpy() for w in model.weights]

    whole, pieces = trained(10**9), trained(300)
    for a, b in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=1e-6)
