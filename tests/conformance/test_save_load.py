"""The weights of many rows go through one `.weights.h5` and come back as they were."""

import numpy as np

import lamina as tf
from tests.conformance.rows import groups
from tests.conformance.table import arrays, run


def _together(cases):
    """Return a model that holds all the layers, built."""
    model = tf.keras.Model()
    model.rows = [case.make(**_named(case, i)) for i, case in enumerate(cases)]
    for case, layer in zip(cases, model.rows, strict=True):
        run(case, layer, arrays(case))
    model.built = True
    return model


def _named(case, number):
    return {"name": f"row_{number}_{case.name.lower()}"}


@groups("save_load", "layers", size=50)
def test_weights_come_back(cases, tmp_path):
    model, other = _together(cases), _together(cases)
    for layer in model.rows:
        layer.set_weights([_other_values(w) for w in layer.get_weights()])
    path = tmp_path / "all.weights.h5"
    model.save_weights(path)
    other.load_weights(path)
    for case, ours, theirs in zip(cases, model.rows, other.rows, strict=True):
        assert len(ours.weights) == len(theirs.weights), case.id
        for a, b in zip(ours.weights, theirs.weights, strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=case.id)


def _other_values(weight):
    if weight.dtype.kind != "f":
        return weight
    return weight + np.random.default_rng(1).uniform(0.1, 1.0, weight.shape).astype(weight.dtype)


@groups("save_load", "layers", size=50)
def test_layers_come_back_with_a_whole_model(cases, tmp_path):
    cases = [c for c in cases if len(c.inputs) == 1 and c.inputs[0].kind == "normal"]
    inputs = [tf.keras.Input(c.inputs[0].shape[1:]) for c in cases]
    outputs = [
        c.make(**_named(c, i))(x) for i, (c, x) in enumerate(zip(cases, inputs, strict=True))
    ]
    if not cases:
        return
    model = tf.keras.Model(inputs, outputs)
    model.save(tmp_path / "all.keras")
    again = tf.keras.models.load_model(tmp_path / "all.keras")
    assert [tuple(t.shape) for t in again.outputs] == [tuple(t.shape) for t in model.outputs]
    assert again.count_params() == model.count_params()
    for a, b in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)
