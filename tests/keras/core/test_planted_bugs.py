"""Every planted bug gives its whole message: planted_bugs.py makes them, planted_bugs.txt says."""

import inspect
import re
import warnings
from pathlib import Path

import pytest

from tests.keras.core import planted_bugs

TEXTS = Path(__file__).with_name("planted_bugs.txt")


def messages():
    blocks = re.split(r"^===== (\w+)\n", TEXTS.read_text(), flags=re.MULTILINE)[1:]
    return {name: text.rstrip("\n") for name, text in zip(blocks[::2], blocks[1::2], strict=True)}


def told(function):
    """Run a planted bug, and return what the user reads, without what depends on the place."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as raised:  # noqa: PT011  # the text is the test
            function()
    error = raised.value
    text = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])])
    source, start = inspect.getsourcelines(function)
    at_fault = next((start + i for i, line in enumerate(source) if "# <-" in line), 0)
    text = text.replace(planted_bugs.__file__, "{file}").replace("  # <-", "")
    text = re.sub(rf"line {at_fault}\b", "line {line}", text)
    return re.sub(r'"(\w+?)_\d+"', r'"\1"', text)


@pytest.mark.parametrize("function", planted_bugs.BUGS, ids=lambda f: f.__name__)
def test_message(function):
    assert told(function) == messages()[function.__name__]


def test_there_are_thirty():
    assert len(planted_bugs.BUGS) >= 30
    assert sorted(messages()) == sorted(f.__name__ for f in planted_bugs.BUGS)
