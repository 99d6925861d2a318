"""identity: which object it is, without the audit event that `id` raises."""

import sys

import numpy as np

import lamina as tf
from lamina.engine.identity import identity


def test_it_tells_objects_apart_hashable_or_not():
    objects = [[], [], {}, object(), tf.constant(1.0), np.zeros(2), tf.Variable(1.0)._tensor._jax()]
    assert len({identity(x) for x in objects}) == len(objects)
    assert [identity(x) for x in objects] == [identity(x) for x in objects]


def _train(steps, model, optimizer, x):
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(x) ** 2.0)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    model.trainable_variables[0].numpy()


def test_a_training_step_raises_no_audit_events():
    """Any audit hook, such as filelock's, runs Python at each event."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(4, activation="relu") for _ in range(3)])
    optimizer = tf.keras.optimizers.Adam()
    x = tf.ones([2, 4])
    _train(8, model, optimizer, x)
    audited = []

    def profile(frame, event, function):
        if event == "c_call" and function in (id, sys._getframe):
            audited.append(frame.f_code.co_qualname)

    sys.setprofile(profile)
    try:
        _train(3, model, optimizer, x)
    finally:
        sys.setprofile(None)
    assert audited == []
