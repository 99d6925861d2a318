"""The tape's gradient along a random direction is the slope of the values, in float64."""

import numpy as np

import lamina as tf
from tests.conformance.rows import over
from tests.conformance.table import floats, run

_STEP = 1e-6
# A central difference in float64 with this step: rounding 1e-10, divided by values of order 1.
_TOLERANCE = {"rtol": 2e-5, "atol": 1e-7}


def _inputs(case):
    found = [fed.array(i) for i, fed in enumerate(case.inputs)]
    return [tf.constant(a.astype("float64") if a.dtype.kind == "f" else a) for a in found]


def _scalar(case, thing, inputs):
    """Return one number that depends on every output."""
    return tf.add_n(
        [
            tf.reduce_sum(tf.sin(tf.reshape(y, [-1]) + tf.range(tf.size(y), dtype=y.dtype)))
            for y in floats(run(case, thing, inputs))
        ]
    )


@over("gradients", "layers", "losses", "regularizers", "constraints", "activations")
def test_gradient_is_the_slope(case):
    tf.keras.config.set_dtype_policy("float64")  # layers inside layers follow it too
    thing = case.make(**({"dtype": "float64"} if case.room == "losses" else {}))
    inputs = _inputs(case)
    run(case, thing, inputs)  # builds it
    rng = np.random.default_rng(7)
    # Of a loss, the predictions are what is moved.
    moved = list(range(len(inputs)))[1 if case.room == "losses" else 0 :]
    moved = [i for i in moved if inputs[i].dtype.is_floating]
    variables = list(getattr(thing, "trainable_variables", ()))
    ways = [rng.normal(size=inputs[i].shape) for i in moved]
    ways_of_variables = [rng.normal(size=v.shape) for v in variables]

    with tf.GradientTape() as tape:
        for i in moved:
            tape.watch(inputs[i])
        value = _scalar(case, thing, inputs)
    slopes = tape.gradient(value, [*(inputs[i] for i in moved), *variables])
    assert all(s is not None for s in slopes)
    ours = sum(
        float(np.sum(s.numpy() * w))
        for s, w in zip(map(tf.convert_to_tensor, slopes), ways + ways_of_variables, strict=True)
    )

    def at(step):
        there = list(inputs)
        for i, way in zip(moved, ways, strict=True):
            there[i] = tf.constant(inputs[i].numpy() + step * way)
        before = [v.numpy() for v in variables]
        for v, b, way in zip(variables, before, ways_of_variables, strict=True):
            v.assign(b + step * way)
        found = float(_scalar(case, thing, there))
        for v, b in zip(variables, before, strict=True):
            v.assign(b)
        return found

    np.testing.assert_allclose(ours, (at(_STEP) - at(-_STEP)) / (2 * _STEP), **_TOLERANCE)
