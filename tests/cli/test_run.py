"""`lamina run`: programs that say tensorflow and keras run as they are."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lamina as tf
from lamina.cli import main
from lamina.cli.tracebacks import print_error
from lamina.scope.aliases import target_of

_ROOT = Path(__file__).resolve().parents[2]
_SCRIPT = """\
import sys
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers as L
from tensorflow.keras.layers import Dense
import tensorflow.keras.backend as K
from tensorflow.python.keras.layers.core import Dropout
from tensorflow.python.keras import models
import keras as standalone
from keras.models import Sequential
import tf_keras
from keras.src.losses.losses import LossFunctionWrapper
from keras.src.saving import serialization_lib
from beside import helper
from tensorflow.keras.layers.experimental.preprocessing import Rescaling

assert keras is standalone is tf_keras and Dense is L.Dense and Dropout is L.Dropout
assert LossFunctionWrapper.__name__ and serialization_lib.deserialize_keras_object
assert models.Sequential is Sequential and Rescaling is L.Rescaling
assert __name__ == "__main__" and sys.modules["__main__"].helper is helper
print(tf.__version__, sys.argv[1:], K.floatx(), helper(tf))
for name in ("tensorflow.examples.tutorials.mnist", "tensorflow.contrib.layers"):
    try:
        __import__(name)
    except ImportError as error:
        print(error)
try:
    from tensorflow.keras.layers import Dens
except ImportError as error:
    print(error)
import matplotlib
print(matplotlib.get_backend().lower())
"""
_FAILING = """\
import tensorflow as tf

def product(a):
    return tf.matmul(a, a)

product(tf.ones([2, 3]))
"""


def _run(folder, *args):
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"PYTHONPATH": str(_ROOT), "JAX_PLATFORMS": "cpu"}
    environment.pop("MPLBACKEND", None)
    return subprocess.run(
        [sys.executable, "-m", "lamina", "run", *args],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "beside.py").write_text("def helper(tf):\n    return int(tf.reduce_sum([1, 2]))\n")
    (tmp_path / "main.py").write_text(_SCRIPT)
    done = _run(tmp_path, "main.py", "--size", "3")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "2.21.0 ['--size', '3'] float32 3"
    assert lines[1] == "No module named 'tensorflow.examples'."
    assert "tf.examples: out of scope" in lines[2]
    assert "No module named 'tensorflow.contrib'." in lines
    assert "  Nearest: tf.keras.layers.Dense" in lines
    assert lines[-1] == "agg"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("eager.backprop", "GradientTape"),
        ("eager.context", "executing_eagerly"),
        ("eager.def_function", "function"),
        ("ops.custom_gradient", "custom_gradient"),
        ("ops.image_ops", "resize"),
        ("ops.lookup_ops", "StaticHashTable"),
        ("ops.map_fn", "map_fn"),
        ("ops.string_ops", "regex_replace"),
        ("ops.summary_ops_v2", "create_file_writer"),
        ("platform.gfile", "GFile"),
        ("util.nest", "flatten"),
    ],
)
def test_private_modules_that_programs_import_are_public_ones(module, name):
    target = target_of(f"tensorflow.python.{module}")
    assert target is not None
    assert hasattr(functools.reduce(getattr, target.split(".")[1:], tf), name)


def test_a_script_in_a_package_that_fails(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "other.py").write_text("size = 3\n")
    (package / "main.py").write_text("from .other import size\n" + _FAILING)
    done = _run(tmp_path, "pack/main.py")
    assert done.returncode == 1
    assert done.stderr.count('  File "') == 2
    assert 'File "pack/main.py", line 7, in <module>' in done.stderr
    assert 'File "pack/main.py", line 5, in product' in done.stderr
    assert "InvalidArgumentError: tf.matmul" in done.stderr
    assert "--full-traceback shows them" in done.stderr


def _error():
    code = _FAILING.replace("import tensorflow", "import lamina")
    try:
        exec(compile(code, "user.py", "exec"), {})
    except Exception as error:
        return error


def test_full_traceback(capsys):
    error = _error()
    print_error(error)
    assert str(_ROOT / "lamina") not in capsys.readouterr().err
    print_error(error, full=True)
    assert str(_ROOT / "lamina") in capsys.readouterr().err


def test_filtering_can_be_switched_off_by_the_program(capsys):
    tf.keras.config.disable_traceback_filtering()
    try:
        print_error(_error())
    finally:
        tf.keras.config.enable_traceback_filtering()
    assert str(_ROOT / "lamina") in capsys.readouterr().err


def test_errors_that_led_to_another_are_filtered_too(capsys):
    try:
        raise KeyError("outer") from _error()
    except KeyError as error:
        print_error(error)
    shown = capsys.readouterr().err
    assert "The above exception was the direct cause" in shown
    assert str(_ROOT / "lamina") not in shown


_CAUGHT = """\
import sys, traceback
try:
    f(tf.ones([2, 3]))
except Exception:
    sys.stderr.write(traceback.format_exc())
"""


def _code(*lines):
    return {"cell_type": "code", "source": [f"{line}\n" for line in lines], "outputs": []}


def test_a_notebook(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        _code("%matplotlib inline", "!pip install nothing", "import tensorflow as tf"),
        _code("%%time", "x = tf.ones([2])", "tf.reduce_sum(x).numpy().item()"),
        _code("lines = !echo one; echo two", "print(lines)", "!echo {lines[0]} again"),
        _code("def f(a):", "    return tf.matmul(a, a)", "", "f(tf.ones([2, 2]));"),
        _code(*_CAUGHT.splitlines()),
        _code("import sys", "", "sys.exit(7)"),
    ]
    (tmp_path / "book.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    done = _run(tmp_path, "book.ipynb")
    assert done.returncode == 7, done.stderr
    assert done.stdout.splitlines() == ["2.0", "['one', 'two']", "one again"]
    assert "left out: !pip install nothing" in done.stderr
    assert 'File "book.ipynb, cell 5", line 3, in <module>' in done.stderr
    assert 'File "book.ipynb, cell 4", line 2, in f' in done.stderr
    assert "return tf.matmul(a, a)" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("nowhere.py", None, "nowhere.py: no such file"),
        ("data.csv", b"1,2", "neither Python nor a notebook; expected a file that ends in .py"),
        ("binary.py", b"\x00\x01", "not Python: it has null bytes"),
        ("latin.py", b"x = '\xe9'", "not Python: "),
        ("book.ipynb", b"hello", "not a notebook: it is no JSON"),
        ("book.ipynb", b"[1]", "not a notebook: it has no cells"),
        ("folder.py/", None, "a folder; expected a program"),
    ],
)
def test_bad_input(tmp_path, capsys, name, content, text):
    path = tmp_path / name
    if name.endswith("/"):
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    assert main(["run", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("lamina run: ")
    assert text in error


@pytest.mark.parametrize("command", ["run", "check"])
def test_help(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "notebook" in capsys.readouterr().out


def test_no_command_is_bad_usage(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
