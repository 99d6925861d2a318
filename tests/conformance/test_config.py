"""`get_config` → JSON → `from_config` gives an equal config; `repr` names class and arguments."""

import json

import pytest

import lamina as tf
from tests.conformance.rows import over, rows_of

_CLASSES = {case.room for case in rows_of("config")} - {"activations"}


@over("config", *_CLASSES, compiles=False)
def test_config_round_trip(case):
    thing = case.make()
    config = thing.get_config()
    stored = json.loads(json.dumps(config))
    same = type(thing).from_config(stored)
    assert type(same) is type(thing)
    assert json.dumps(same.get_config()) == json.dumps(config)

    whole = json.loads(json.dumps(tf.keras.utils.serialize_keras_object(thing)))
    found = tf.keras.utils.deserialize_keras_object(whole)
    assert type(found) is type(thing)
    assert json.dumps(found.get_config()) == json.dumps(config)


@over("config", *_CLASSES, compiles=False)
def test_repr_names_class_and_arguments(case):
    shown = repr(case.make())
    assert case.kind.__name__ in shown
    assert " object at 0x" not in shown


@over("config", "activations", compiles=False)
def test_activation_is_found_by_its_name(case):
    name = tf.keras.activations.serialize(case.kind)
    assert tf.keras.activations.deserialize(name) is case.kind
    assert tf.keras.activations.get(case.name) is case.kind


@pytest.mark.parametrize("room", ["losses", "metrics", "optimizers", "initializers"])
def test_rows_are_found_by_their_names(room):
    found = getattr(tf.keras, room)
    for case in rows_of("config", room):
        kind = case.kind
        try:
            assert isinstance(found.get(case.name), kind)
        except TypeError as error:  # it cannot be made without arguments
            assert "argument" in str(error)  # noqa: PT017
