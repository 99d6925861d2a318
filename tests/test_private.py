"""`tf.python`: TensorFlow's private modules, for programs that import them."""

import importlib

import pytest

import lamina as tf


def test_private_modules_are_the_public_ones():
    from lamina.python.framework import dtypes
    from lamina.python.keras.layers.core import Dropout
    from lamina.python.ops import math_ops, summary_ops_v2

    assert math_ops is tf.math
    assert summary_ops_v2 is tf.summary
    assert dtypes is tf.dtypes
    assert Dropout is tf.keras.layers.Dropout


def test_private_modules_by_attribute():
    assert tf.python.ops.array_ops.reshape is tf.reshape
    assert tf.python.keras is tf.keras


@pytest.mark.parametrize("name", ["tf.python.nothing", "tf.python.ops.nothing"])
def test_names_that_are_not_there(name):
    *path, last = name.split(".")[1:]
    found = tf
    for part in path:
        found = getattr(found, part)
    with pytest.raises(AttributeError, match=rf"{name}: out of scope .TensorFlow's internals"):
        getattr(found, last)


@pytest.mark.parametrize("name", ["lamina.python.grappler.cluster", "lamina.python.ops.nothing"])
def test_modules_that_are_not_there(name):
    with pytest.raises(ModuleNotFoundError, match="out of scope"):
        importlib.import_module(name)
