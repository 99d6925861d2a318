"""Every exported class has a row, or a named exemption with a reason."""

import inspect

import pytest

import lamina as tf
from tests.conformance.rows import ROWS

_BASE = "a base class: what it offers holds in the rows of its subclasses"
_USER = "runs code or a file of the user, which a row cannot make up"
EXEMPT = {
    "layers.FlaxLayer": f"{_USER}; tests/keras/wrappers",
    "layers.InputLayer": "an entry of a graph, with no computation; tests/keras/core/test_graph.py",
    "layers.JaxLayer": f"{_USER}; tests/keras/wrappers",
    "layers.Lambda": f"{_USER}; tests/keras/layers/test_linear.py",
    "layers.Layer": _BASE,
    "layers.MaxNumBoundingBoxes": "takes dicts of boxes only; its tests are with the boxes'",
    "layers.TFSMLayer": f"{_USER}; tests/savedmodel",
    "layers.TorchModuleWrapper": f"{_USER}: always raises, with the way out",
    "layers.Wrapper": _BASE,
    "losses.FunctionLoss": _BASE,
    "losses.Loss": _BASE,
    "metrics.FunctionMetric": _BASE,
    "metrics.Metric": _BASE,
    "optimizers.Optax": "wraps an object of optax, an optional package; tests/keras/optimizers",
    "optimizers.Optimizer": _BASE,
    "optimizers.schedules.LearningRateSchedule": _BASE,
    "initializers.Initializer": _BASE,
    "regularizers.Regularizer": _BASE,
    "constraints.Constraint": _BASE,
}

_ROOMS = {
    "layers": tf.keras.layers.Layer,
    "losses": tf.keras.losses.Loss,
    "metrics": tf.keras.metrics.Metric,
    "optimizers": tf.keras.optimizers.Optimizer,
    "optimizers.schedules": tf.keras.optimizers.schedules.LearningRateSchedule,
    "initializers": tf.keras.initializers.Initializer,
    "regularizers": tf.keras.regularizers.Regularizer,
    "constraints": tf.keras.constraints.Constraint,
}


def _room(name):
    found = tf.keras
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _exported(room):
    """Return the names of a room's classes (functions for activations), one for each object."""
    values = vars(_room(room)).items()
    if room == "activations":
        helpers = {"get", "serialize", "deserialize"}
        found = {v for k, v in values if inspect.isfunction(v) and k not in helpers}
        return {v for v in found if v.__module__.startswith("lamina.keras.activations")}
    return {v for v in dict(values).values() if isinstance(v, type) and issubclass(v, _ROOMS[room])}


@pytest.mark.parametrize("room", [*_ROOMS, "activations"])
def test_every_exported_class_has_a_row_or_a_reason(room):
    rows = {case.kind for case in ROWS if case.room == room}
    exempt = {
        getattr(_room(room), n.rsplit(".", 1)[1]) for n in EXEMPT if n[: n.rindex(".")] == room
    }
    missing = {kind.__name__ for kind in _exported(room) - rows - exempt}
    assert not missing, f"{room}: write a row for {sorted(missing)} in tests/conformance"
    assert not rows & exempt, "a row and an exemption"


def test_rows_and_reasons_are_written_once():
    names = [case.id for case in ROWS]
    assert len(names) == len(set(names))
    assert all(EXEMPT.values())
    assert all(reason for case in ROWS for reason in case.without.values())
