"""Copies of all kinds compute the same, with variables of their own."""

import copy
import pickle

import numpy as np

import lamina as tf
from tests.conformance.rows import over
from tests.conformance.table import arrays, run, takes_training


def _from_config(case, thing, inputs):
    same = type(thing).from_config(thing.get_config())
    run(case, same, inputs, **takes_training(case, same))
    same.set_weights(thing.get_weights())
    return same


def _values(structure):
    return [t.numpy() for t in tf.nest.flatten(structure)]


@over("copy", "layers", "losses", "metrics", "initializers", "regularizers", "constraints")
def test_copies_compute_the_same(case):
    thing, inputs = case.make(), arrays(case)
    run(case, thing, inputs)
    copies = [copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))]
    if case.room == "layers" and case.holds("draws"):
        copies.append(_from_config(case, thing, inputs))
    expected = _values(run(case, thing, inputs))
    own = {id(v) for v in getattr(thing, "variables", ())}
    for same in copies:
        assert type(same) is type(thing)
        theirs = {id(v) for v in getattr(same, "variables", ())}
        assert len(theirs) == len(own)
        assert not own & theirs
        for got, wanted in zip(_values(run(case, same, inputs)), expected, strict=True):
            np.testing.assert_array_equal(got, wanted)


@over("copy", "optimizers", "optimizers.schedules")
def test_copies_go_on_alike(case):
    thing, inputs = case.make(), arrays(case)
    run(case, thing, inputs)
    same = copy.deepcopy(thing)
    assert same.get_config() == thing.get_config()
    values = [v.numpy() for v in getattr(thing, "variables", ())]
    run(case, thing, inputs)
    for mine, before in zip(getattr(same, "variables", ()), values, strict=True):
        np.testing.assert_array_equal(mine.numpy(), before)
    pickled = pickle.loads(pickle.dumps(thing))
    assert pickled.get_config() == thing.get_config()
