import re
import time

import numpy as np
import pytest

import lamina as tf
from benchmarks.__main__ import table
from benchmarks.changing import measure_changing
from benchmarks.models import CASES
from benchmarks.recording import measure_recording
from benchmarks.timing import interleaved, ratio
from benchmarks.training import built, keras_loop, measure_training, raw_loop


def test_ways_take_turns_and_fill_their_chunks():
    calls = []

    def way(name, seconds):
        def run(n):
            calls.append(name)
            time.sleep(n * seconds)

        return run

    times = interleaved({"a": way("a", 0.001), "b": way("b", 0.002)}, rounds=4, chunk=0.01)
    assert {name: len(found) for name, found in times.items()} == {"a": 4, "b": 4}
    assert calls[-8:] == ["a", "b", "b", "a", "a", "b", "b", "a"]
    found = ratio(times["b"], times["a"])
    assert 1 < found.middle < 3
    assert found.low <= found.middle <= found.high
    assert found.extra > 0


def test_ratio_is_taken_round_by_round():
    found = ratio(np.array([2.0, 40.0, 6.0]), np.array([1.0, 20.0, 3.0]))
    assert (found.middle, found.low, found.high, found.extra, found.base) == (2, 2, 2, 3, 3)
    assert str(found) == "2.00 (2.00–2.00)"


@pytest.mark.parametrize("name", CASES)
def test_both_sides_compute_the_same_losses(name):
    case = CASES[name]._replace(batch=4)
    model = built(tf.keras, case)
    losses = [run(3) for run in (raw_loop(case, model.get_weights()), keras_loop(tf, model, case))]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)


def test_training_ratios_of_a_small_case():
    found = measure_training(tf, CASES["MLP, 2 layers"]._replace(batch=4), rounds=2, chunk=0.001)
    assert list(found) == ["custom loop", "tf.function", "fit"]
    assert all(r.middle > 0 for r in found.values())


def test_recording_and_changing_are_measured():
    assert all(seconds > 0 for seconds in measure_recording(tf, rounds=1).values())
    assert measure_changing(tf, rounds=1, chunk=0.001).middle > 0


def test_table_is_markdown_with_aligned_columns():
    lines = table("Title", ["one", "two"], [["a", "1"], ["bcd", "234"]]).splitlines()
    assert lines[1] == "**Title**"
    assert lines[3:] == ["| one | two |", "|-----|----:|", "| a   |   1 |", "| bcd | 234 |"]
    assert all(re.fullmatch(r"\|.*\|", line) for line in lines[3:])
