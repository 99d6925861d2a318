"""One compiled step moves each trainable weight of a layer; an optimizer moves its variable."""

import numpy as np

import lamina as tf
from tests.conformance.rows import groups
from tests.conformance.table import arrays, floats, run, takes_training


@groups("train_step", "layers", size=8)
def test_a_step_moves_what_is_trainable(cases):
    layers, inputs = [c.make() for c in cases], [arrays(c) for c in cases]
    for case, layer, given in zip(cases, layers, inputs, strict=True):
        run(case, layer, given)
    kept = [(c, layer, x) for c, layer, x in zip(cases, layers, inputs, strict=True)]
    kept = [row for row in kept if row[1].trainable_variables]
    if not kept:
        return
    variables = [v for _, layer, _ in kept for v in layer.trainable_variables]
    optimizer = tf.keras.optimizers.SGD(0.01)
    optimizer.build(variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            values = [run(c, layer, x, **takes_training(c, layer)) for c, layer, x in kept]
            loss = tf.add_n([tf.reduce_sum(tf.sin(y) + y) for v in values for y in floats(v)])
        gradients = tape.gradient(loss, variables)
        optimizer.apply(gradients, variables)
        return [tf.reduce_max(tf.abs(tf.convert_to_tensor(g))) for g in gradients]

    before = [v.numpy() for v in variables]
    for size, variable, old in zip(step(), variables, before, strict=True):
        new = variable.numpy()
        assert np.all(np.isfinite(new)), variable.path
        # A gradient may be 0 (a bias before a normalisation); what has one moves.
        assert (size.numpy() > 0) == bool(np.any(new != old)), variable.path


@groups("train_step", "optimizers", size=20)
def test_every_optimizer_moves_its_variable(cases):
    optimizers, inputs = [c.make() for c in cases], [arrays(c) for c in cases]
    for case, optimizer, given in zip(cases, optimizers, inputs, strict=True):
        moved = run(case, optimizer, given).numpy()
        assert np.all(np.isfinite(moved)), case.id
        assert not np.array_equal(moved, given[0].numpy()), case.id
        assert int(optimizer.iterations.numpy()) == 1, case.id
