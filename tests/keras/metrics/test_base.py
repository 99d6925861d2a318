"""What all metrics share: variables, paths, calls, resets, configs, compiled updates."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

metrics = tf.keras.metrics

Y = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]], "float32")
P = np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6], [0.4, 0.5, 0.1]], "float32")
LABELS = Y.argmax(-1)

BARE = ["Mean", "Sum", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]
ARGUMENTS = {
    "IoU": (3, [0, 2]),
    "MeanIoU": (3,),
    "OneHotIoU": (3, [1]),
    "OneHotMeanIoU": (3,),
    "PrecisionAtRecall": (0.5,),
    "RecallAtPrecision": (0.5,),
    "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
}
NAMES = [
    name
    for name, cls in vars(metrics).items()
    if isinstance(cls, type)
    and issubclass(cls, metrics.Metric)
    and name not in ("Metric", "MeanMetricWrapper", "FunctionMetric")
]


def make(name):
    return getattr(metrics, name)(*ARGUMENTS.get(name, ()))


def batch(name):
    if name in ("Mean", "Sum"):
        return (P,)
    if name in ("IoU", "MeanIoU"):
        return LABELS, P.argmax(-1)
    if name.startswith("Sparse"):
        return LABELS, P
    return Y, P


@pytest.mark.parametrize("name", NAMES)
def test_compiled_updates_equal_eager_ones_and_a_copy_repeats_them(name):
    eager, compiled = make(name), make(name)
    update = tf.function(lambda *args: compiled(*args))
    for _ in range(2):
        first, second = eager(*batch(name)), update(*map(tf.constant, batch(name)))
    assert_close(second, first)
    copy = type(eager).from_config(eager.get_config())
    assert copy.get_config() == eager.get_config()
    assert_close(copy(*batch(name)), make(name)(*batch(name)))
    eager.reset_state()
    assert all(not np.any(variable.numpy()) for variable in eager.variables)
    assert all(variable.path.startswith(f"{eager.name}/") for variable in eager.variables)


@pytest.mark.parametrize("name", NAMES)
def test_result_of_no_batch_is_finite(name):
    assert np.all(np.isfinite(np.asarray(make(name).result())))


class Pair(metrics.Metric):
    def __init__(self, name="pair", **kwargs):
        super().__init__(name=name, **kwargs)
        self.parts = {"means": [metrics.Mean(name="first")]}
        self.calls = self.add_weight(name="calls", initializer="zeros")
        self.start = self.add_variable(shape=(2,), initializer="ones", name="start")

    def update_state(self, values):
        self.calls.assign_add(1)
        self.parts["means"][0].update_state(values)

    def result(self):
        return {"mean": self.parts["means"][0].result(), "calls": self.calls}


def test_variables_are_found_in_attributes_own_ones_first():
    metric = Pair()
    paths = [variable.path for variable in metric.variables]
    assert paths == ["pair/calls", "pair/start", "first/total", "first/count"]
    assert float(metric([1.0, 3.0])["mean"]) == 2.0
    metric.reset_state()
    assert [variable.numpy().sum() for variable in metric.variables] == [0.0] * 4
    assert metric.get_config() == {"name": "pair", "dtype": "float32"}


def test_outer_scopes_and_slashes_in_names():
    with tf.keras.backend.name_scope("model"):
        metric = metrics.Mean(name="a/b")
    assert [variable.path for variable in metric.variables] == [
        "model/a>b/total",
        "model/a>b/count",
    ]


def test_names_count_up():
    assert [metrics.AUC().name for _ in range(2)] == ["auc", "auc_1"]
    assert [metrics.Mean().name for _ in range(2)] == ["mean", "mean"]


def test_variables_before_super_are_refused():
    class Early(metrics.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    with pytest.raises(RuntimeError, match=r"`super\(\).__init__\(name=…\)` must run before"):
        Early()


@pytest.mark.parametrize("method", ["update_state", "result"])
def test_missing_methods_are_named(method):
    with pytest.raises(NotImplementedError, match=f"needs the method `{method}"):
        getattr(metrics.Metric(name="bare"), method)()


def test_stateless_calls_change_nothing():
    metric = metrics.Mean()
    values = metric.stateless_update_state([1.0, 1.0], [2.0, 3.0])
    assert [float(value) for value in values] == [6.0, 3.0]
    assert float(metric.stateless_result(values)) == 2.0
    assert [float(value) for value in metric.stateless_reset_state()] == [0.0, 0.0]
    assert [variable.numpy() for variable in metric.variables] == [0.0, 0.0]
    with pytest.raises(ValueError, match="`metric_variables` must hold 2 values"):
        metric.stateless_result([1.0])


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("accuracy", "Accuracy"),
        ("mse", "MeanSquaredError"),
        ("mean_squared_error", "MeanSquaredError"),
        ("MeanSquaredError", "MeanSquaredError"),
        ("auc", "AUC"),
        ("io_u", "TypeError"),
        (metrics.Recall, "Recall"),
        ({"class_name": "Sum", "config": {"name": "s"}}, "Sum"),
    ],
)
def test_get_makes_an_instance(identifier, name):
    if name == "TypeError":
        with pytest.raises(TypeError, match="num_classes"):
            metrics.get(identifier)
    else:
        assert type(metrics.get(identifier)).__name__ == name


def test_get_refuses_an_unknown_name():
    with pytest.raises(ValueError, match="got 'most'"):
        metrics.get("most")


def test_docs_of_a_class_list_the_options_of_its_function():
    assert "threshold: Predictions above it" in metrics.BinaryAccuracy.__doc__
