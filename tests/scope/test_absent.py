"""A name that lamina lacks: the error says whether it will come, and what to use."""

import operator
import pickle
import re

import pytest

import lamina as tf
from lamina import scope
from lamina.scope.absent import is_known
from lamina.scope.older import RENAMED, get
from lamina.scope.successors import LEFT_OUT, SUCCESSORS


@pytest.mark.parametrize(
    ("symbol", "status", "text"),
    [
        ("tf.placeholder", "out of scope", "use an argument of the function, or tf.keras.Input"),
        ("tf.Session", "out of scope", "operations run at once"),
        ("tf.train.AdamOptimizer", "out of scope", "use tf.keras.optimizers.Adam"),
        ("tf.variable_scope", "out of scope", "tf.Module"),
        ("tf.layers.dense", "out of scope", "use tf.keras.layers.Dense"),
        ("tf.contrib.layers.fully_connected", "out of scope", "contributions"),
        ("tf.compat.v1.placeholder", "out of scope", "use an argument"),
        ("tf.compat.v1.train.AdamOptimizer", "out of scope", "use tf.keras.optimizers.Adam"),
        ("tf.estimator.Estimator", "out of scope", "tf.keras.Model"),
        ("tf.lite.TFLiteConverter", "out of scope", "TensorFlow Lite"),
        ("tf.raw_ops.Add", "out of scope", "public function"),
        ("tf.tpu.experimental.initialize_tpu_system", "out of scope", "JAX finds TPUs"),
        ("tf.keras.losses.sigmoid_cross_entropy", "out of scope", "sigmoid_cross_entropy_with_"),
        ("tf.keras.wrappers.scikit_learn.KerasClassifier", "out of scope", "SKLearnClassifier"),
        ("tf.keras.quantizers.GPTQConfig", "out of scope", "int8"),
        ("tf.train.QueueRunner", "out of scope", "only TensorFlow 1 has it"),
        ("tf.nn.rellu", "unknown", "TensorFlow 2.21 has no such name either"),
    ],
)
def test_what_is_said(symbol, status, text):
    absent = scope.explain(symbol)
    assert absent.status == status
    assert text in str(absent)
    assert str(absent).startswith(f"{symbol}: ")


def test_a_name_that_tensorflow_has_is_not_there_yet():
    absent = scope.explain("tf.debugging.experimental.enable_dump_debug_info")
    assert absent.status == "not there yet"


@pytest.mark.parametrize(
    ("symbol", "near"),
    [
        ("tf.nn.rellu", "tf.nn.relu"),
        ("tf.softmax", "tf.nn.softmax"),
        ("tf.keras.layers.Dens", "tf.keras.layers.Dense"),
        ("tf.keras.layers.dense", "tf.keras.layers.Dense"),
        ("tf.keras.losses.reduction", "tf.keras.losses.Reduction"),
    ],
)
def test_nearest_name(symbol, near):
    assert near in scope.explain(symbol).nearest


@pytest.mark.parametrize(
    "space",
    [
        tf,
        tf.nn,
        tf.math,
        tf.image,
        tf.linalg,
        tf.random,
        tf.data,
        tf.errors,
        tf.config,
        tf.dtypes,
        tf.signal,
        tf.compat,
        tf.keras,
        tf.keras.layers,
        tf.keras.ops,
        tf.keras.losses,
        tf.keras.optimizers,
        tf.keras.optimizers.schedules,
        tf.keras.applications.vgg16,
        tf.keras.preprocessing.image,
        tf.keras.wrappers,
    ],
    ids=lambda space: space.__name__,
)
def test_every_namespace_answers(space):
    symbol = f"{scope.public_name(space.__name__)}.fooo"
    assert not hasattr(space, "fooo")
    with pytest.raises(AttributeError, match=f"^{re.escape(symbol)}: not there"):
        _ = space.fooo


def test_import_of_a_missing_name_is_an_import_error():
    with pytest.raises(ImportError, match=r"Dens: .*\n  Nearest: tf.keras.layers.De"):
        from lamina.keras.layers import Dens  # noqa: F401
    with pytest.raises(ImportError, match=r"tf.placeholder: out of scope"):
        from lamina import placeholder  # noqa: F401


def test_dunder_names_stay_plain():
    with pytest.raises(AttributeError, match="has no attribute '__wrapped__'"):
        _ = tf.nn.__wrapped__


def test_the_error_can_be_pickled_and_knows_its_symbol():
    error = pickle.loads(pickle.dumps(scope.MissingName("tf.nn.foo")))
    assert error.symbol == "tf.nn.foo"
    assert error.name == "foo"


def test_successors_are_there():
    """What a successor names, if it is a name of tf, exists or is TensorFlow's."""
    names = [word for text in SUCCESSORS.values() for word in re.findall(r"\btf\.[\w.]*\w", text)]
    assert len(names) > 100
    assert [n for n in names if not is_known(n) and not _is_there(n)] == []


def _is_there(symbol):
    try:
        return get(symbol) is not None
    except AttributeError:
        return False


def test_older_names_lead_to_todays():
    assert [name for name, today in RENAMED.items() if not _is_there(today)] == []


@pytest.mark.parametrize(
    ("symbol", "today"),
    [
        ("tf.keras.layers.experimental.preprocessing.Rescaling", "tf.keras.layers.Rescaling"),
        ("tf.keras.optimizers.experimental.Adam", "tf.keras.optimizers.Adam"),
        ("tf.keras.utils.np_utils.to_categorical", "tf.keras.utils.to_categorical"),
        ("tf.keras.engine.InputSpec", "tf.keras.InputSpec"),
        (
            "tf.keras.mixed_precision.experimental.set_policy",
            "tf.keras.mixed_precision.set_global_policy",
        ),
        ("tf.keras.experimental.CosineDecay", "tf.keras.optimizers.schedules.CosineDecay"),
        ("tf.keras.layers.CuDNNLSTM", "tf.keras.layers.LSTM"),
    ],
)
def test_older_namespaces_are_noted_once(symbol, today):
    with pytest.warns(DeprecationWarning, match="is an older spelling; write tf.keras"):
        found = get(symbol)
    assert found is get(symbol)  # no second warning: it would be an error here
    assert found is get(today)


def test_a_name_that_no_older_namespace_had():
    with pytest.raises(AttributeError, match=r"tf.keras.layers.experimental.foo: "):
        _ = tf.keras.layers.experimental.foo


def test_what_is_left_out_is_not_there():
    # Of these, parts are there.
    there = ("compat.v1", "Graph", "Operation", "keras.experimental", "python", "raw_ops")
    spaces = {f"tf.{name}" for name in there}
    for name in LEFT_OUT.keys() - spaces:
        with pytest.raises(AttributeError):
            operator.attrgetter(name.removeprefix("tf."))(tf)


def test_kernels_can_be_asked_for():
    assert not hasattr(tf.raw_ops, "BlockLSTMV2")
    with pytest.raises(AttributeError, match="public function"):
        _ = tf.raw_ops.Relu
