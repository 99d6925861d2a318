"""tf.Module: variables and modules found by walking, names, order."""

import dataclasses
import inspect

import pytest

import lamina as tf


class Linear(tf.Module):
    def __init__(self, n, name=None):
        super().__init__(name)
        self.w = tf.Variable(tf.ones([n, n]), name="w")
        self.b = tf.Variable(tf.zeros([n]), trainable=False, name="b")


def test_variables_are_sorted_by_attribute():
    m = Linear(2)
    assert m.variables == (m.b, m.w) or [v.name for v in m.variables] == ["b:0", "w:0"]
    assert [v.name for v in m.trainable_variables] == ["w:0"]
    assert [v.name for v in m.non_trainable_variables] == ["b:0"]


def test_containers_are_looked_through():
    @dataclasses.dataclass
    class Box:
        inside: object

    m = tf.Module()
    m.items = [Linear(1), {"x": (Linear(1),)}, Box(Linear(1))]
    m.late = {}
    assert len(m.submodules) == 3
    m.late["y"] = Linear(1)
    assert len(m.variables) == 8


def test_cycles_and_shared_modules_count_once():
    a, b = Linear(1), tf.Module()
    a.other, b.other, b.again = b, a, a
    a.itself = a
    assert len(a.variables) == 2
    assert len(b.submodules) <= 2


def test_names():
    assert Linear(1).name == "linear"
    assert Linear(1, name="mine").name == "mine"
    with pytest.raises(ValueError, match="`name` must be a Python identifier; got 'a b'"):
        Linear(1, name="a b")


def test_name_scope_names_variables():
    class Net(tf.Module):
        @tf.Module.with_name_scope
        def make(self):
            return tf.Variable(1.0, name="v")

    assert Net("net").make().name == "net/v:0"
    m = Net("other")
    with m.name_scope:
        assert tf.Variable(1.0).name == "other/Variable:0"


def test_name_scope_is_one_object_that_knows_where_the_module_was_made():
    with tf.name_scope("outer"):
        m = tf.Module(name="inner")
    assert m.name_scope is m.name_scope
    assert m.name_scope.name == "outer/inner/"
    with tf.name_scope("elsewhere"), m.name_scope, m.name_scope as scope:
        assert scope == "outer/inner/"
        assert tf.get_current_name_scope() == "outer/inner"
    assert tf.get_current_name_scope() == ""


def test_with_name_scope_keeps_name_and_signature():
    class Net(tf.Module):
        @tf.Module.with_name_scope
        def __call__(self, x, scale=2.0):
            "Scale."
            return x * scale

    assert (Net.__call__.__name__, Net.__call__.__doc__) == ("__call__", "Scale.")
    assert list(inspect.signature(Net()).parameters) == ["x", "scale"]


def test_module_inside_a_layer_is_trained():
    layer = tf.keras.layers.Layer()
    layer.linear = Linear(1)
    assert len(layer.trainable_weights) == 1
    assert len(layer.weights) == 2
