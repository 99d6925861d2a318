"""`lamina check`: what programs use of TensorFlow that is missing, older or different."""

import json

import pytest

from lamina.cli import main
from lamina.cli.checking import check_paths


def _findings(tmp_path, source):
    path = tmp_path / "program.py"
    path.write_text(source)
    return {f.symbol: f for f in check_paths([str(path)]).findings}


@pytest.mark.parametrize(
    ("source", "symbol", "status", "instead"),
    [
        ("import tensorflow as tf\ntf.placeholder(1)", "tf.placeholder", "lacks", "tf.keras.Input"),
        ("import tensorflow\ntensorflow.nn.rellu", "tf.nn.rellu", "lacks", "tf.nn.relu"),
        ("import lamina as tf\ntf.Session()", "tf.Session", "lacks", "run at once"),
        (
            "from tensorflow.keras import layers as L\nL.Dens(3)",
            "tf.keras.layers.Dens",
            "lacks",
            "tf.keras.layers.Dense",
        ),
        ("from tensorflow import keras\nkeras.fooo", "tf.keras.fooo", "lacks", ""),
        (
            "import tensorflow as tf\nK = tf.keras.backend\nK.fooo()",
            "tf.keras.backend.fooo",
            "lacks",
            "",
        ),
        ("import tensorflow.contrib.layers", "tf.contrib", "lacks", "package"),
        ("from tensorflow.keras.layers import Fooo", "tf.keras.layers.Fooo", "lacks", ""),
        ("from keras.utils import np_utils", "tf.keras.utils.np_utils", "older", "tf.keras.utils"),
        (
            "import tensorflow as tf\ntf.keras.optimizers.Adam(lr=1)",
            "tf.keras.optimizers.Adam(lr=)",
            "older",
            "learning_rate",
        ),
        (
            "from keras.layers import Dense\nDense(1, kernel_init=0)",
            "tf.keras.layers.Dense(kernel_init=)",
            "lacks",
            "kernel_initializer",
        ),
        (
            "from keras.layers import Dense\nDense(1, input_shape=(2,))",
            "tf.keras.layers.Dense(input_shape=)",
            "older",
            "tf.keras.Input",
        ),
        (
            "import tensorflow as tf\ntf.reduce_sum(1, keep_dims=True)",
            "tf.reduce_sum(keep_dims=)",
            "lacks",
            "keepdims",
        ),
        (
            "import tensorflow as tf\ntf.keras.layers.LeakyReLU(alpha=0.2)",
            "tf.keras.layers.LeakyReLU(alpha=)",
            "older",
            "negative_slope=",
        ),
        (
            "import tensorflow as tf\ntf.keras.layers.BatchNormalization(fused=True)",
            "tf.keras.layers.BatchNormalization(fused=)",
            "older",
            "leave it out",
        ),
        ("def f(model): model.fit_generator(3)", ".fit_generator", "older", "write fit"),
        (
            "from keras import Sequential\nm = Sequential()\nm.predict_classes(1)",
            "tf.keras.Sequential.predict_classes",
            "lacks",
            "argmax",
        ),
        (
            "import tensorflow as tf\ntf.random.set_seed(1)",
            "tf.random.set_seed",
            "differs",
            "distributions",
        ),
        (
            "import tensorflow as tf\nclass N(tf.keras.Model): pass\nN().compile(metricz=1)",
            "tf.keras.Model.compile(metricz=)",
            "lacks",
            "metrics",
        ),
        (
            "import tensorflow as tf\ntf.keras.Model(inputs=1, outpts=2)",
            "tf.keras.Model(outpts=)",
            "lacks",
            "outputs",
        ),
        (
            "import tensorflow.compat.v1 as tf\ntf.get_variable(1)",
            "tf.compat.v1.get_variable",
            "lacks",
            "tf.Variable",
        ),
    ],
)
def test_findings(tmp_path, source, symbol, status, instead):
    found = _findings(tmp_path, source)
    assert symbol in found, list(found)
    assert found[symbol].status == status
    assert instead in found[symbol].instead


@pytest.mark.parametrize(
    "source",
    [
        "import tensorflow as tf\nx[..., tf.newaxis]\ntf.float32.as_numpy_dtype\ntf.__version__",
        "import tensorflow as tf\ndef f(tf):\n    return tf.nothing",
        "import tensorflow as tf\ntf = object()\ntf.nothing",
        "import numpy as np\nnp.placeholder\nmodel.anything(metricz=3)",
        "from tensorflow.keras.layers import *\nDense(3, activation='relu', name='x')",
        "import tensorflow as tf\nclass N(tf.Module):\n    def to_yaml(self): pass\nN().to_yaml()",
        "import tensorflow as tf\nf = lambda tf: tf.nothing",
        "import tensorflow as tf\n@tf.function\ndef f(x: tf.Tensor): return tf.nn.relu(x)",
        "import tensorflow as tf\ntf.keras.optimizers.Adam(learning_rate=1, clipnorm=1.0)",
        "import tensorflow as tf\ntf.data.Dataset.range(3).map(f).batch(2).fooo",
        "import tensorflow as tf\ntf.keras.Model(inputs=1, outputs=2, name='x')",
        "import tensorflow as tf\nclass N(tf.keras.Model): pass\nN.to_yaml = f\nN().to_yaml()",
        "import tensorflow as tf\nm = tf.keras.Model()\nm.to_yaml = 1\nm.to_yaml",
    ],
)
def test_nothing_to_say(tmp_path, source):
    assert _findings(tmp_path, source) == {}


def test_place_in_a_file(tmp_path):
    found = _findings(tmp_path, "import tensorflow as tf\n\nx = 1 + tf.placeholder\n")
    assert (found["tf.placeholder"].line, found["tf.placeholder"].column) == (3, 9)


def test_names_pass_from_cell_to_cell(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "tf.nope"},
        {"cell_type": "code", "source": "%matplotlib inline\nimport tensorflow as tf"},
        {"cell_type": "code", "source": ["\n", "tf.placeholder"]},
    ]
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    (finding,) = check_paths([str(path)]).findings
    assert (finding.cell, finding.line, finding.symbol) == (2, 2, "tf.placeholder")


def test_exit_status_and_text(tmp_path, capsys):
    good, bad, broken = (tmp_path / f"{name}.py" for name in ("good", "bad", "broken"))
    good.write_text("import tensorflow as tf\ntf.ones([1])\n")
    assert main(["check", str(good)]) == 0
    assert "1 program: 1 without anything missing" in capsys.readouterr().out
    bad.write_text("import tensorflow as tf\ntf.placeholder\n")
    assert main(["check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert f"{bad}:2:1: lacks tf.placeholder: out of scope (TensorFlow 1); use" in out
    assert "2 programs: 1 without anything missing, 1 with 1 name missing" in out
    broken.write_text("print 'x'\n")
    assert main(["check", str(tmp_path)]) == 2
    assert "broken.py: not Python (Python 2?): " in capsys.readouterr().out


def test_json(tmp_path, capsys):
    path = tmp_path / "a.py"
    path.write_text("import tensorflow as tf\ntf.Session()\n")
    assert main(["check", "--json", str(path)]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == [str(path)]
    assert found["findings"][0]["symbol"] == "tf.Session"
    assert found["findings"][0]["line"] == 2
    assert found["summary"] == {"lacks": 1, "differs": 0, "older": 0}


@pytest.mark.parametrize(
    ("name", "text"),
    [("nowhere.py", "no such file"), ("empty", "no program in this folder"), ("x.txt", "neither")],
)
def test_bad_usage(tmp_path, capsys, name, text):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.txt").write_text("hello")
    assert main(["check", str(tmp_path / name)]) == 2
    assert text in capsys.readouterr().err
