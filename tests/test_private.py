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


def test_device_lib_lists_the_devices():
    from lamina.python.client import device_lib

    cpus = [d for d in device_lib.list_local_devices() if d.device_type == "CPU"]
    assert [d.name for d in cpus] == [d.name for d in tf.config.list_logical_devices("CPU")]
    first = cpus[0]
    assert (first.memory_limit, first.physical_device_desc) == (268435456, "")
    lines = str(first).splitlines()
    assert lines[:3] == ['name: "/device:CPU:0"', 'device_type: "CPU"', "memory_limit: 268435456"]
    assert lines[3:5] == ["locality {", "}"]
    assert lines[6] == "xla_global_id: -1"
    again = type(first).FromString(first.SerializeToString())
    assert again == first
    assert again.incarnation == first.incarnation > 0
