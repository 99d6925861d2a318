"""A student learns from labels and from its teacher."""

import numpy as np
import pytest

import lamina as tf

D = tf.keras.distillation
L = tf.keras.layers
X = np.linspace(-1.0, 1.0, 24, dtype="float32").reshape(8, 3)
Y = np.arange(8) % 2


def net(width=4, outputs=2):
    return tf.keras.Sequential(
        [tf.keras.Input((3,)), L.Dense(width, "tanh", name="hidden"), L.Dense(outputs, name="out")]
    )


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def test_logits_are_compared_at_a_temperature():
    a, b = np.float32([[1.0, 2.0], [0.0, 3.0]]), np.float32([[2.0, 1.0], [1.0, 1.0]])
    p, q = softmax(a / 3), softmax(b / 3)
    expected = 9.0 * np.mean(np.sum(p * np.log(p / q), -1))
    found = D.LogitsDistillation().compute_loss(tf.constant(a), tf.constant(b))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    squared = D.LogitsDistillation(2.0, "mse").compute_loss(tf.constant(a), tf.constant(b))
    np.testing.assert_allclose(squared.numpy(), np.mean((a / 2 - b / 2) ** 2), rtol=1e-5)


def test_features_are_summed_over_outputs_that_have_a_loss():
    loss = D.FeatureDistillation(["mse", None])
    ones, zeros = tf.ones([2, 3]), tf.zeros([2, 3])
    assert loss.compute_loss([ones, ones], [zeros, zeros]).numpy() == 1.0


class Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = L.Dense(4, "tanh")
        self.out = L.Dense(2)

    def call(self, x):
        return self.out(self.hidden(x))


@pytest.mark.parametrize("make", [net, Subclassed])
def test_the_student_comes_closer_and_the_teacher_stays(make):
    tf.keras.utils.set_random_seed(1)
    teacher, student = make(), make()
    teacher(X), student(X)
    distiller = D.Distiller(
        teacher,
        student,
        [D.LogitsDistillation(2.0), D.FeatureDistillation("mse", "hidden", "hidden")],
        [1.0, 0.5],
        student_loss_weight=0.0,
    )
    distiller.compile(
        tf.keras.optimizers.Adam(0.05), tf.keras.losses.SparseCategoricalCrossentropy(True), ["acc"]
    )
    frozen = [w.numpy() for w in teacher.weights]

    def distance():
        return float(np.mean((teacher(X).numpy() - student(X).numpy()) ** 2))

    before = distance()
    history = distiller.fit(X, Y, epochs=60, verbose=0).history
    assert distance() < before / 4
    assert history["distillation_loss"][-1] < history["distillation_loss"][0]
    np.testing.assert_allclose(history["total_loss"], history["distillation_loss"], rtol=1e-5)
    for was, weight in zip(frozen, teacher.weights, strict=True):
        np.testing.assert_array_equal(weight.numpy(), was)
    assert len(distiller.trainable_variables) == 4


def test_losses_are_weighted():
    teacher, student = net(), net()
    distiller = D.Distiller(teacher, student, D.FeatureDistillation(), student_loss_weight=0.25)
    distiller.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(True))
    p = student(X)
    own = tf.keras.losses.SparseCategoricalCrossentropy(True)(Y, p)
    taught = tf.reduce_mean((teacher(X) - p) ** 2)
    found = distiller.compute_loss(tf.constant(X), tf.constant(Y))
    np.testing.assert_allclose(found.numpy(), 0.25 * own + 0.75 * taught, rtol=1e-5)


def test_config_and_files(tmp_path):
    distiller = D.Distiller(net(), net(), [D.LogitsDistillation(4.0)], [2.0])
    again = D.Distiller.from_config(distiller.get_config())
    assert again.distillation_losses[0].temperature == 4.0
    assert again.distillation_loss_weights == [2.0]
    distiller(X)
    distiller.save(tmp_path / "d.keras")
    loaded = tf.keras.models.load_model(tmp_path / "d.keras")
    np.testing.assert_array_equal(loaded(X).numpy(), distiller(X).numpy())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: D.Distiller(1, net(), D.LogitsDistillation()), "`teacher` must be a tf.keras.Mod"),
        (lambda: D.Distiller(net(), net(), None), "`distillation_losses` cannot be None"),
        (
            lambda: D.Distiller(net(), net(outputs=3), D.LogitsDistillation()),
            "outputs of teacher and student must have the same shapes",
        ),
        (
            lambda: D.Distiller(net(), net(), [D.LogitsDistillation()], [1.0, 2.0]),
            "a weight for each of the 1 distillation losses; got 2",
        ),
        (
            lambda: D.Distiller(net(), net(), D.LogitsDistillation(), student_loss_weight=2),
            "between 0.0 and 1.0; got 2",
        ),
        (lambda: D.LogitsDistillation(0.0), "temperature must be positive"),
        (lambda: D.FeatureDistillation(None), "at least one non-`None` value"),
        (
            lambda: D.Distiller(net(), net(), D.LogitsDistillation()).compile(),
            "`loss` cannot be None",
        ),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
