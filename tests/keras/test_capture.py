"""Configs by capture: any constructor, nested objects, user overrides, and bad configs."""

import copy
import pickle

import pytest

from lamina.keras import activations, initializers, regularizers
from lamina.keras.capture import Captured


class Plain(Captured):
    def __init__(self, units, activation=None, *, rate=0.5):
        self.units = units * 10  # the config shows what was given, not this


class Variadic(Captured):
    def __init__(self, first, *rest, last=0, **kwargs):
        self.seen = (first, rest, last, kwargs)


class PositionalOnly(Captured):
    def __init__(self, a, b=2, /, c=3):
        self.seen = (a, b, c)


class NoSuper(Captured):
    def __init__(self, *args, **kwargs):
        self.seen = (args, kwargs)


class NoInit(Captured):
    pass


class Inherits(Plain):
    pass


class Forwards(Plain):
    def __init__(self, depth, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth


CASES = [
    (Plain(3), {"units": 3, "activation": None, "rate": 0.5}),
    (Plain(units=3, rate=0.1), {"units": 3, "activation": None, "rate": 0.1}),
    (Variadic(1), {"first": 1, "rest": (), "last": 0}),
    (Variadic(1, 2, 3, last=4, k=5), {"first": 1, "rest": (2, 3), "last": 4, "k": 5}),
    (PositionalOnly(1, c=4), {"a": 1, "b": 2, "c": 4}),
    (NoSuper(1, k=2), {"args": (1,), "k": 2}),
    (NoInit(), {}),
    (Inherits(4), {"units": 4, "activation": None, "rate": 0.5}),
    (Forwards(2, units=3), {"depth": 2, "units": 3}),
]


@pytest.mark.parametrize(("obj", "config"), CASES, ids=lambda v: repr(v)[:40])
def test_config_has_the_arguments_and_makes_an_equal_object(obj, config):
    assert obj.get_config() == config
    again = type(obj).from_config(config)
    assert again.get_config() == config
    assert getattr(again, "seen", None) == getattr(obj, "seen", None)


def test_repr_shows_the_arguments_as_given():
    assert repr(Plain(3, activation=activations.relu)) == "<Plain units=3, activation=relu>"
    assert repr(NoInit()) == "<NoInit>"


def test_nested_objects_and_functions_come_back_as_objects():
    made = Variadic([regularizers.L2(0.5)], k={"init": initializers.Ones()}, act=activations.relu)
    first, _, _, kwargs = Variadic.from_config(made.get_config()).seen
    assert first[0].l2 == 0.5
    assert type(kwargs["k"]["init"]) is initializers.Ones
    assert kwargs["act"] is activations.relu  # a user's constructor gets the function, no name


def test_own_classes_show_normalised_values_and_omit_what_keras_omits():
    assert regularizers.L1(1).get_config() == {"l1": 1.0}
    assert initializers.Identity(gain=2.0).get_config() == {}
    assert initializers.VarianceScaling(distribution="normal").get_config() == {
        "scale": 1.0,
        "mode": "fan_in",
        "distribution": "truncated_normal",
        "seed": None,
        "input_axes": None,
        "output_axes": None,
    }


def test_what_own_classes_omit_does_not_bind_the_user():
    class Mine(initializers.Identity):
        def __init__(self, gain):
            super().__init__(gain)

    assert Mine(2.0).get_config() == {"gain": 2.0}


def test_super_get_config_describes_the_base_constructor():
    class Noisy(initializers.RandomNormal):
        def __init__(self, noise, **kwargs):
            super().__init__(**kwargs)
            self.noise = noise

        def get_config(self):
            return {**super().get_config(), "noise": self.noise}

    class Noisier(Noisy):
        def get_config(self):
            return {**super().get_config(), "more": 1}

    base = {"mean": 0.0, "stddev": 0.1, "noise": 3}
    assert Noisy(3, stddev=0.1).get_config() | {"seed": None} == base | {"seed": None}
    assert Noisier(3, stddev=0.1).get_config()["more"] == 1
    assert Noisy.from_config(Noisy(3, stddev=0.1).get_config()).stddev == 0.1


def test_head_entries_a_constructor_does_not_take_are_restored_after_it():
    class Headed(Captured):
        _config_head_keys = ("name", "trainable")

        def _config_head(self):
            return {"name": "auto", "trainable": True}

        def _config_restore(self, entries):
            self.restored = entries

    class Own(Headed):
        name = "attribute"

        def __init__(self, name=None):
            pass

    Own.__module__ = "lamina.keras.layers.invented"
    assert Own().get_config() == {"name": "auto", "trainable": True}

    class Short(Headed):
        def __init__(self, units, name=None):
            self.given = name

    assert Short(1).get_config() == {"name": "auto", "trainable": True, "units": 1}
    assert Short(1, name="mine").get_config()["name"] == "mine"
    again = Short.from_config(Short(1).get_config())
    assert again.given == "auto"
    assert again.restored == {"trainable": True}


def test_config_entries_the_constructor_refuses_are_named():
    with pytest.raises(TypeError, match=r"Plain: a config with the entries .*got `size` too"):
        Plain.from_config({"units": 1, "size": 3})
    assert Plain.from_config({"units": 1, "newer_option": None}).units == 10
    with pytest.raises(TypeError, match="units"):
        Plain.from_config({})


def test_argument_that_cannot_be_stored_is_named():
    with pytest.raises(TypeError, match="get_config") as caught:
        Plain(units=3, activation={1}).get_config()
    assert "`activation` of Plain" in caught.value.__notes__[0]


def test_copy_and_pickle_keep_the_arguments():
    for again in (copy.copy(CASES[0][0]), pickle.loads(pickle.dumps(CASES[0][0]))):
        assert again.get_config() == CASES[0][1]


def test_attributes_may_be_watched_from_the_start():
    class Watched(Captured):
        def __init__(self, a):
            self.names = ["names"]
            self.a = a

        def __setattr__(self, name, value):
            if name != "names":
                self.names.append(name)
            super().__setattr__(name, value)

    assert Watched(1).names == ["names", "a"]
