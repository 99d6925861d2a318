"""What a symbolic call reports, `compute_output_shape` says, and a run gives, are one shape."""

import lamina as tf
from tests.conformance.rows import over
from tests.conformance.table import arrays, run, specs


def _types(structure, batch=True):
    return [
        ((None, *t.shape[1:]) if batch else tuple(t.shape), tf.as_dtype(t.dtype).name)
        for t in tf.nest.flatten(structure)
    ]


@over("traced_shape", "layers")
def test_symbolic_shape_is_the_real_one(case):
    inputs = arrays(case)
    symbols = [tf.keras.Input(x.shape[1:], dtype=x.dtype.name) for x in inputs]
    layer = case.make()
    out = run(case, layer, symbols)
    assert _types(out, batch=False) == _types(run(case, layer, inputs))
    # What takes named inputs says its shape by names, and what takes states, with them.
    if len(inputs) == 1:
        said = layer.compute_output_shape((None, *inputs[0].shape[1:]))
        said = [said] if isinstance(out, tf.keras.KerasTensor) else list(said)
        assert [tuple(s) for s in said] == [s for s, _ in _types(out, batch=False)]


@over(
    "traced_shape",
    *("losses", "metrics", "initializers", "regularizers", "constraints", "activations"),
)
def test_traced_shape_is_the_real_one(case):
    thing, inputs = case.make(), arrays(case)
    real = run(case, thing, inputs)
    function = tf.function(lambda *t: run(case, thing, list(t)))
    batch = inputs[0].shape[0]
    traced = function.get_concrete_function(*specs(case, batch)).structured_outputs
    assert _types(traced, batch=False) == _types(real, batch=False)
