"""`docs/not_included.md` lists each public name of Keras that lamina lacks, with a reason."""

import re
from pathlib import Path

import pytest

import lamina as tf

pytestmark = pytest.mark.filterwarnings("ignore:.*is an older spelling:DeprecationWarning")

_PAGE = Path(__file__).resolve().parents[1] / "docs" / "not_included.md"
_ROW = re.compile(r"\| `(tf\.[\w.]+)` \| (.+) \|")


def _is_there(name):
    found = tf
    for part in name.split(".")[1:]:
        found = getattr(found, part, None)
        if found is None:
            return False
    return True


def test_each_row_has_a_name_once_and_a_reason():
    lines = [line for line in _PAGE.read_text().splitlines() if line.startswith("| `")]
    rows = [_ROW.fullmatch(line) for line in lines]
    assert all(row is not None and len(row[2]) > 10 for row in rows)
    names = [row[1] for row in rows]
    assert len(names) == len(set(names))


def test_what_is_listed_is_not_there():
    listed = _ROW.findall(_PAGE.read_text())
    assert [name for name, _ in listed if _is_there(name)] == [], "take them off the page"


def test_every_missing_name_is_listed(shared):
    lines = (shared / "census" / "keras_api.txt").read_text().splitlines()
    public = {re.split(r"[( ]", line)[0] for line in lines if line.startswith("tf.")}
    listed = {name for name, _ in _ROW.findall(_PAGE.read_text())}
    missing = {name for name in public if not _is_there(name)}
    assert missing - listed == set(), "say on the page why"
