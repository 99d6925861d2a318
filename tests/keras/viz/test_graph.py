import json

import numpy as np
import pytest

import lamina as tf
from lamina.engine import stats
from tests.keras.viz.models import ResNet

layers = tf.keras.layers


def names(nodes):
    return [node.path if node.role == "layer" else node.name for node in nodes]


def edges_of(graph):
    found = names(graph.nodes)
    return [(found[e.source], found[e.target]) for e in graph.edges]


def test_every_call_in_order_with_shapes_and_parameters():
    graph = ResNet().graph((None, 16, 16, 3))
    top = graph.children()
    assert names(top) == [
        "x", "stem", "relu", "blocks[0]", "blocks[1]", "pool", "drop", "head", "output",
    ]  # fmt: skip
    assert names(graph.children(graph["blocks[1]"])) == [
        "blocks[1].conv1", "blocks[1].bn1", "blocks[1].relu", "blocks[1].conv2", "blocks[1].bn2",
        "blocks[1].project", "add", "blocks[1].relu",
    ]  # fmt: skip
    assert graph["blocks[1].conv2"].output_shape == (None, 8, 8, 8)
    assert graph["blocks[1].conv2"].parameters == 3 * 3 * 8 * 8
    assert graph["head"].inputs[0] == tf.TensorSpec((None, 8))
    assert graph.uncalled == ["spare"]
    assert [call.repeat for call in graph.find("blocks[0].relu")] == [0, 1]


def test_skips_are_edges():
    edges = edges_of(ResNet().graph((None, 16, 16, 3)))
    assert ("relu", "blocks[0].conv1") in edges
    assert ("relu", "add") in edges
    assert ("blocks[0].bn2", "add") in edges
    assert ("add", "blocks[0].relu") in edges
    assert ("blocks[1].project", "add") in edges
    # Dropout gives its input as it is at inference, and is on the way all the same.
    assert ("pool", "drop") in edges
    assert ("drop", "head") in edges
    assert ("pool", "head") not in edges
    assert edges[-1] == ("head", "output")


def test_nothing_is_compiled_or_computed():
    before = stats.flushes, stats.compiles
    ResNet().graph((None, 16, 16, 3))
    assert (stats.flushes, stats.compiles) == before


def test_flops_count_two_for_a_multiply_add_and_scale_with_the_batch():
    model = ResNet()
    one = model.graph((None, 16, 16, 3))
    assert one["stem"].flops == 2 * 16 * 16 * 4 * 3 * 3 * 3 + 16 * 16 * 4  # and the bias
    four = model.graph(np.zeros((4, 16, 16, 3), np.float32))
    assert four["stem"].output_shape == (4, 16, 16, 4)
    assert four.flops == pytest.approx(4 * one.flops, rel=1e-3)
    assert four["stem"].activation_bytes == 4 * 16 * 16 * 4 * 4
    inside = sum(call.flops for call in one.children(one["blocks[0]"]))
    assert one["blocks[0]"].flops == pytest.approx(inside)
    assert one.activation_bytes == sum(n.activation_bytes for n in one.children())


def test_the_model_is_built_and_otherwise_unchanged():
    class Counting(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)
            self.last = None
            self.seen = []

        def call(self, x):
            self.last = self.dense(x)
            self.seen.append(self.last)
            self.add_loss(tf.reduce_sum(self.last))
            return self.last

    model = Counting()
    model.graph((None, 3))
    assert model.built
    assert model.dense.kernel.shape == (3, 2)
    assert model.last is None
    assert model.seen == []
    assert model.losses == []
    kernel = model.dense.kernel.numpy()
    model(tf.ones((1, 3)))
    last = model.last
    model.graph()
    assert model.last is last
    np.testing.assert_array_equal(model.dense.kernel.numpy(), kernel)


def test_a_model_that_was_called_needs_no_inputs():
    model = ResNet()
    model(np.zeros((2, 16, 16, 3), np.float32))
    assert model.graph()["stem"].output_shape == (None, 16, 16, 4)


def test_a_model_that_was_never_called_needs_inputs():
    with pytest.raises(ValueError, match="its inputs are not known; it has never been") as caught:
        ResNet().graph()
    assert "Fix: model.graph((None, 32)), or build or call the model first." in str(caught.value)


def test_what_is_no_input():
    with pytest.raises(ValueError, match="an input must be data, a shape such as"):
        ResNet().graph("image")


def test_inputs_in_all_forms():
    class Two(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = layers.Embedding(9, 4)
            self.dense = layers.Dense(4)

        def call(self, inputs, scale=None):
            x = self.dense(inputs["image"]) + tf.reduce_sum(self.embed(inputs["tokens"]), axis=1)
            return {"out": x if scale is None else x * scale, "tokens": inputs["tokens"]}

    model = Two()
    given = {"image": (None, 5), "tokens": tf.TensorSpec((None, 6), "int32")}
    graph = model.graph(given)
    assert names(graph.inputs) == ["inputs_0", "inputs_1"]
    assert names(graph.outputs) == ["out", "tokens"]
    assert graph["embed"].inputs[0].dtype is tf.int32
    graph = model.graph(given, scale=(None, 1))
    assert ("scale", "multiply") in edges_of(graph)


def test_a_shape_means_whole_numbers_where_floats_do_not_do():
    class Tokens(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.embed = layers.Embedding(9, 4)

        def call(self, x):
            return tf.gather(self.embed(x), tf.bitwise.bitwise_and(x[0], 1), axis=1)

    graph = Tokens().graph((None, 6))
    assert graph.inputs[0].outputs[0].dtype is tf.int32
    assert graph["embed"].output_shape == (None, 6, 4)


def test_functional_models_have_operations_and_repeats():
    x = tf.keras.Input((4,), name="start")
    shared = layers.Dense(4, name="shared")
    once = shared(x)
    model = tf.keras.Model(x, tf.nn.relu(once) + shared(once))
    graph = model.graph()
    assert names(graph.nodes) == ["start", "shared", "relu", "shared", "add", "output"]
    assert [call.is_counted for call in graph.calls] == [True, False]
    assert graph.parameters == 20
    assert set(edges_of(graph)) == {
        ("start", "shared"),
        ("shared", "relu"),
        ("shared", "shared"),
        ("relu", "add"),
        ("shared", "add"),
        ("add", "output"),
    }


def test_calls_inside_loops_are_counted_for_each_step():
    class Cell(layers.Layer):
        state_size = 3

        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3, use_bias=False)

        def call(self, x, states):
            h = self.dense(x) + states[0]
            return h, [h]

    model = tf.keras.Sequential([layers.RNN(Cell())])
    graph = model.graph((None, 7, 2))
    rnn = next(call for call in graph.calls if call.kind == "RNN")
    assert rnn.is_opaque
    dense = next(call for call in graph.calls if call.kind == "Dense")
    assert dense.flops == pytest.approx(7 * 2 * 2 * 3, rel=0.05)
    assert rnn.flops >= dense.flops


def test_masks_are_no_inputs_but_edges():
    model = tf.keras.Sequential(
        [layers.Embedding(9, 4, mask_zero=True, name="e"), layers.LSTM(3, name="l")]
    )
    graph = model.graph(tf.TensorSpec((None, 5), "int32"))
    assert len(graph["l"].inputs) == 1
    assert {e.spec.dtype.name for e in graph.edges if e.target == graph["l"].id} == {
        "float32",
        "bool",
    }


def test_the_place_of_the_call_is_known():
    file, line = ResNet().graph((None, 16, 16, 3))["stem"].where
    assert file.endswith("models.py")
    with open(file, encoding="utf-8") as source:
        assert "self.stem(x)" in source.read().splitlines()[line - 1]


def test_frozen_and_own_parameters():
    model = ResNet()
    model.blocks[0].trainable = False
    graph = model.graph((None, 16, 16, 3))
    assert not graph["blocks[0]"].is_trainable
    assert graph["blocks[0]"].trainable_parameters == 0
    assert graph["blocks[0]"].own_parameters == 0
    assert graph["stem"].own_parameters == graph["stem"].parameters


def test_graph_as_data_and_text():
    graph = ResNet().graph((None, 16, 16, 3))
    found = json.loads(json.dumps(graph.to_dict()))
    assert found["nodes"][1]["path"] == "stem"
    assert found["nodes"][1]["outputs"] == [{"shape": [None, 16, 16, 4], "dtype": "float32"}]
    assert found["uncalled"] == ["spare"]
    text = str(graph)
    assert "blocks[1] (Block)" in text
    assert "  relu #2 " in text
    assert text.splitlines()[-1].startswith("total of res_net")
    assert repr(graph["stem"]) == "<Call stem (Conv2D) → (None, 16, 16, 4)>"
    assert len(graph) == len(list(graph)) == len(graph.calls)
    assert graph[0].path == "stem"


def test_a_path_of_several_calls_is_found_not_indexed():
    graph = ResNet().graph((None, 16, 16, 3))
    with pytest.raises(ValueError, match=r"'blocks\[0\].relu' has 2 calls"):
        graph["blocks[0].relu"]
    assert len(graph.find("blocks[*].relu")) == 4


def test_sources_targets_and_lifted_edges():
    graph = ResNet().graph((None, 16, 16, 3))
    add = next(node for node in graph.nodes if node.name == "add")
    assert names(graph.sources(add)) == ["relu", "blocks[0].bn2"]
    assert names(graph.targets(add)) == ["blocks[0].relu"]
    top = [node.id for node in graph.children()]
    shown = names(graph.nodes)
    assert [(shown[a], shown[b]) for a, b in graph.lifted(top)][:4] == [
        ("x", "stem"),
        ("stem", "relu"),
        ("relu", "blocks[0]"),
        ("blocks[0]", "blocks[1]"),
    ]


def test_tf_functions_inside_are_entered():
    class Traced(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        @tf.function
        def call(self, x):
            return self.dense(x)

    model = Traced()
    model(tf.ones((1, 3)))
    assert names(model.graph().calls) == ["dense"]


def test_branches_and_loops_hold_their_calls():
    class Branching(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.a = layers.Dense(3)
            self.b = layers.Dense(3)

        def call(self, x):
            y = tf.cond(tf.reduce_sum(x) > 0.0, lambda: self.a(x), lambda: self.b(x))
            return tf.while_loop(
                lambda i, y: i < 5, lambda i, y: (i + 1, self.b(y)), [0, y], maximum_iterations=5
            )[1]

    graph = Branching().graph((4, 3))
    cond, loop = (next(n for n in graph.nodes if n.name == k) for k in ("cond", "while_loop"))
    assert sorted(names(graph.children(cond))) == ["a", "b"]
    assert names(graph.children(loop)) == ["b"]
    one = 4 * (2 * 3 * 3 + 3)
    assert cond.flops == pytest.approx(one)
    assert graph.find("b")[1].flops == pytest.approx(5 * one, rel=0.05)
