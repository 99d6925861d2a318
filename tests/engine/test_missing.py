"""Why a gradient is None, and variables that a model reads without holding them."""

import re
import warnings

import numpy as np
import pytest

import lamina as tf

X = tf.constant([[1.0, 2.0]])


def reason_of(step, decorate=lambda f: f):
    """Run a step that returns (gradients, variables), and return what the optimizer says."""
    optimizer = tf.keras.optimizers.SGD()
    other = tf.Variable(1.0, name="other")

    def run():
        grads, variables = step()
        with tf.GradientTape() as tape:
            loss = other * 2.0
        pairs = [*zip(grads, variables, strict=True), (tape.gradient(loss, other), other)]
        optimizer.apply_gradients(pairs)

    with pytest.warns(UserWarning, match="Gradients do not exist") as caught:
        decorate(run)()
    return next(str(w.message) for w in caught if "Gradients do not exist" in str(w.message))


def make(value=3.0, **kwargs):
    return tf.Variable(value, name="v", **kwargs)


def unused():
    v, w = make(), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = w * 2.0
    return [tape.gradient(y, v)], [v]


def untrainable():
    v = make(trainable=False)
    with tf.GradientTape() as tape:
        y = v * 2.0
    return [tape.gradient(y, v)], [v]


def integer():
    v = make(3)
    with tf.GradientTape() as tape:
        tape.watch(v)
        y = tf.cast(v, tf.float32) * 2.0
    return [tape.gradient(y, v)], [v]


def stopped():
    v = make()
    with tf.GradientTape() as tape:
        y = tf.stop_gradient(v * 2.0) * 3.0
    return [tape.gradient(y, v)], [v]


def rounded():
    v = make()
    with tf.GradientTape() as tape:
        y = tf.cast(tf.argmax(tf.stack([v, v * 2.0])), tf.float32) * 2.0
    return [tape.gradient(y, v)], [v]


def late():
    w = tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = w * 2.0
    v = make()
    return [tape.gradient(y * v, v)], [v]


def assigned():
    v, w = make(), tf.Variable(1.0, name="w")
    with tf.GradientTape() as tape:
        w.assign(v * 2.0)
        y = w * 3.0
    return [tape.gradient(y, v)], [v]


def independent():
    v, w = make(), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        _ = v * 2.0
        y = w * 3.0
    return [tape.gradient(y, v)], [v]


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (unused, "v:0: it was not used while the tape recorded."),
        (untrainable, "v:0: it is not trainable, and the tape does not watch it"),
        (integer, "v:0: it is int32; gradients exist with respect to floating point."),
        (stopped, "v:0: on its way to the loss stands tf.stop_gradient, which has no gradient."),
        (rounded, "v:0: on its way to the loss stands tf.argmax, which has no gradient."),
        (late, "v:0: it was made after the tape stopped recording."),
        (
            assigned,
            'v:0: its value went into the variable "w:0" by an assignment, which gradients do '
            "not follow.",
        ),
        (independent, "v:0: the loss does not depend on it."),
    ],
)
def test_none_says_why(step, text):
    assert text in reason_of(step)
    assert text in reason_of(step)  # the second time too, when the structure is known


def test_none_says_why_inside_a_function():
    v, w = make(), tf.Variable(1.0)

    def step():
        with tf.GradientTape() as tape:
            y = tf.stop_gradient(v * 2.0) * w
        return tape.gradient(y, [v, w]), [v, w]

    assert "on its way to the loss stands tf.stop_gradient" in reason_of(step, tf.function)


def test_all_none_says_why():
    v = make()
    with tf.GradientTape() as tape:
        y = tf.stop_gradient(v)
    with pytest.raises(ValueError, match=r"v:0: on its way to the loss stands tf\.stop_gradient"):
        tf.keras.optimizers.SGD().apply_gradients([(tape.gradient(y, v), v)])


class Hidden(tf.keras.Model):
    """A model with a variable that its attributes do not lead to."""

    def __init__(self, held=None, trainable=True):
        super().__init__()
        self.dense = tf.keras.layers.Dense(1)
        secret = tf.Variable(2.0, name="secret", trainable=trainable)
        self.scale = (lambda x: x * secret) if held is None else None
        self.held = {"deep": [(secret,)]} if held else None

    def call(self, x):
        x = self.dense(x)
        return self.scale(x) if self.scale else x * self.held["deep"][0][0]


def train(model):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(model(X))
    return tape.gradient(loss, model.trainable_variables)


def test_a_variable_that_the_model_does_not_hold_is_reported_with_its_place():
    text = (
        r'Hidden "hidden.*": its call reads the trainable variable "secret:0", shape \(\), which '
        r"its attributes do not lead to, so it is not in `trainable_variables` and does not "
        rf"train.\n  Read at: {re.escape(__file__)}, line \d+, in <lambda>\n"
        r"  Fix: keep it on the model"
    )
    model = Hidden()
    with pytest.warns(UserWarning, match=text):
        train(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(model)  # once is enough


def test_fit_reports_it_too():
    model = Hidden()
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="its attributes do not lead to"):
        model.fit(np.ones([2, 2]), np.ones([2, 1]), verbose=0)


@pytest.mark.parametrize("kwargs", [{"held": True}, {"trainable": False}])
def test_what_is_held_or_not_to_train_is_not_reported(kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(Hidden(**kwargs))


def test_the_other_model_of_a_gan_is_not_reported():
    generator, critic = Hidden(held=True), Hidden(held=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(critic(generator(X) * tf.ones([1, 2])))
        tape.gradient(loss, generator.trainable_variables)
