"""Concrete functions: how they are called, and what they say of themselves."""

import numpy as np
import pytest

import lamina as tf


def _traced():
    v = tf.Variable(2.0)

    @tf.function
    def scaled(a, b=2):
        return {"r": a * b + v}

    return scaled, v, scaled.get_concrete_function(tf.TensorSpec([None, 2], name="inp"))


def test_signature():
    _, v, concrete = _traced()
    spec = tf.TensorSpec([None, 2], tf.float32, name="inp")
    assert concrete.structured_input_signature == ((spec, 2), {})
    assert concrete.structured_outputs == {"r": tf.TensorSpec([None, 2], tf.float32)}
    assert concrete.output_dtypes == {"r": tf.float32}
    assert concrete.output_shapes["r"].as_list() == [None, 2]
    assert concrete.trainable_variables == (v,)
    shown = concrete.pretty_printed_signature()
    assert shown.startswith("Input Parameters:\n  a (POSITIONAL_OR_KEYWORD): TensorSpec(")
    assert "  b (POSITIONAL_OR_KEYWORD): Literal[2]\nOutput Type:\n  Dict[['r', " in shown
    assert str(concrete).startswith("ConcreteFunction Input Parameters:")
    assert repr(concrete).startswith("<ConcreteFunction (a: TensorSpec(shape=(None, 2)")


def test_calls_by_name_and_with_python_values():
    _, _, concrete = _traced()
    x = tf.ones([1, 2])
    for found in (concrete(x), concrete(x, 2), concrete(a=x), concrete(x, b=2)):
        assert found["r"].numpy().tolist() == [[4.0, 4.0]]
    assert concrete(np.ones((1, 2), np.float32))["r"].shape == (1, 2)
    with pytest.raises(TypeError, match="b=3 where 2 was traced"):
        concrete(x, b=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'c'"):
        concrete(x, c=3)
    with pytest.raises(TypeError, match="a missing argument 'a'"):
        concrete()
    with pytest.raises(TypeError, match="too many positional"):
        concrete(x, 2, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a Tensor of type"):
        concrete(tf.ones([1, 2], tf.int32))


def test_graph():
    _, v, concrete = _traced()
    graph = concrete.graph
    types = [o.type for o in graph.get_operations()]
    assert types == ["Placeholder", "Const", "ReadVariableOp", "Mul", "AddV2", "Identity"]
    assert isinstance(graph, tf.Graph)
    assert graph.captures[0][0] is v
    assert [t.name for t in concrete.inputs] == ["inp:0", "Variable/Read:0"]
    assert [t.name for t in concrete.outputs] == ["Identity:0"]
    node = graph.get_operation_by_name("mul")
    assert [t.name for t in node.inputs] == ["inp:0", "Const:0"]
    assert graph.get_tensor_by_name("mul:0") is node.outputs[0]
    assert node.get_attr("T") is tf.float32
    text = str(graph.as_graph_def())
    assert 'name: "inp"\n  op: "Placeholder"' in text
    assert [n.name for n in graph.as_graph_def().node][-1] == "Identity"
    with pytest.raises(KeyError, match="refers to no operation"):
        graph.get_operation_by_name("nothing")
    with pytest.raises(ValueError, match="no attribute named"):
        node.get_attr("zzz")


def test_functions_on_strings_have_concrete_functions():
    twice = tf.function(lambda s: s + s)
    concrete = twice.get_concrete_function(tf.TensorSpec([], tf.string))
    assert concrete(tf.constant("a")).numpy() == b"aa"
    assert concrete(s=tf.constant("b")).numpy() == b"bb"
    assert [o.type for o in concrete.graph.get_operations()] == ["Placeholder", "EagerPyFunc"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected a Tensor of TensorSpec"):
        concrete(tf.constant(1))
    with pytest.raises(TypeError, match="it has no program"):
        _ = concrete.trace


def test_graphs_are_not_built_by_hand():
    with pytest.raises(tf.errors.UnimplementedError, match="there are no sessions"):
        tf.Graph().as_default()
    with pytest.raises(tf.errors.UnimplementedError, match="do not run on XLA"):
        tf.import_graph_def(None)
    with pytest.raises(tf.errors.UnimplementedError, match="custom_gradient"):
        tf.Graph().gradient_override_map({})


def test_arguments_may_say_their_tracing_type():
    class Kind:
        def __eq__(self, other):
            return isinstance(other, Kind)

        def __hash__(self):
            return 1

    class Fruit:
        def __tf_tracing_type__(self, context):
            return Kind()

    traced = []
    f = tf.function(lambda fruit: traced.append(1) or tf.constant(1.0))
    f(Fruit())
    f(Fruit())
    assert traced == [1]


def test_no_strong_reference_to_arguments():
    import gc
    import weakref

    class Thing:
        value = 1.0

    f = tf.function(lambda thing, x: x * thing.value)
    thing = Thing()
    f(thing, tf.constant(1.0))
    kept = weakref.ref(thing)
    del thing
    gc.collect()
    assert kept() is None


def test_tensors_of_a_program_are_shown_with_tensorflow_names():
    shown = []

    @tf.function
    def f(x, more):
        y = x + 1
        shown.extend([str(x), repr(y), str(y * 2), str(y * 3), repr([more["a"]]), str(x @ y)])
        shown.extend([tf.reduce_sum(x).name, x[0].name, tf.nn.relu(x).name, (x > 1).name])
        return y

    f(tf.ones((2, 2)), {"a": tf.constant(1)})
    assert shown == [
        'Tensor("x:0", shape=(2, 2), dtype=float32)',
        "<tf.Tensor 'add:0' shape=(2, 2) dtype=float32>",
        'Tensor("mul:0", shape=(2, 2), dtype=float32)',
        'Tensor("mul_1:0", shape=(2, 2), dtype=float32)',
        "[<tf.Tensor 'more:0' shape=() dtype=int32>]",
        'Tensor("MatMul:0", shape=(2, 2), dtype=float32)',
        "Sum:0",
        "strided_slice:0",
        "Relu:0",
        "Greater:0",
    ]


def test_the_spec_of_an_input_signature_names_the_tensor():
    shown = []
    spec = tf.TensorSpec([None], tf.float32, name="inp")
    tf.function(lambda a, b: shown.extend([a.name, b.name]), input_signature=[spec, spec])(
        tf.ones(2), tf.ones(2)
    )
    assert shown == ["inp:0", "inp_1:0"]


def test_what_a_loop_or_a_variable_gives_has_a_name():
    shown = []
    variable = tf.Variable(1.0)

    @tf.function
    def f():
        shown.append(variable.read_value().name)
        return tf.while_loop(lambda i: i < 3, lambda i: (shown.append(str(i)), [i + 1])[1], [0])

    f()
    assert shown == ["ReadVariableOp:0", 'Tensor("Placeholder:0", shape=(), dtype=int32)']


def test_a_concrete_function_takes_the_tensors_of_structures_by_their_flat_names():
    @tf.function
    def weigh(pair, **rest):
        return pair[0]["left"] - 2.0 * pair[1] - 3.0 * rest["offset"]

    named, plain = tf.TensorSpec([], name="first"), tf.TensorSpec([])
    concrete = weigh.get_concrete_function(({"left": named}, plain), offset=plain)
    a, b, c = (tf.constant(v) for v in (1.0, 2.0, 3.0))
    assert concrete(first=a, pair=b, offset=c).numpy() == -12.0
    assert concrete(a, b, c).numpy() == -12.0
    assert concrete(({"left": a}, b), offset=c).numpy() == -12.0
    concrete = tf.function(lambda x: x[0] - 2.0 * x[1]).get_concrete_function([plain, plain])
    assert concrete(x=a, x_1=b).numpy() == -3.0
    with pytest.raises(TypeError, match="missing argument"):
        concrete()
    with pytest.raises(TypeError, match="unexpected keyword argument 'x_2'"):
        concrete(x=a, x_2=b)
