"""Functions of TF that a program extends to its own classes."""

import inspect
import subprocess
import sys

import pytest

import lamina as tf
from lamina.engine import dispatching


class Celsius(tf.experimental.ExtensionType):
    degrees: tf.Tensor


class Other(tf.experimental.ExtensionType):
    x: tf.Tensor


@pytest.fixture
def undo():
    targets = []
    yield targets.append
    for target in targets:
        tf.experimental.unregister_dispatch_for(target)


def test_one_function_by_annotations(undo):
    @tf.experimental.dispatch_for_api(tf.stack)
    def stack(values: list[Celsius | tf.Tensor], axis=0):
        return Celsius(tf.stack([getattr(v, "degrees", v) for v in values], axis))

    undo(stack)
    found = tf.stack([Celsius([1.0]), tf.constant([2.0])])
    assert found.degrees.numpy().tolist() == [[1.0], [2.0]]
    assert tf.stack([1, 2]).numpy().tolist() == [1, 2]
    with pytest.raises((TypeError, ValueError)):
        tf.stack([Other(1.0)])


def test_one_function_by_signatures(undo):
    @tf.experimental.dispatch_for_api(tf.matmul, {"a": Celsius}, {"b": Celsius})
    def matmul(a, b, **kwargs):
        return "mine"

    undo(matmul)
    assert tf.matmul(Celsius([[1.0]]), [[1.0]]) == "mine"
    assert tf.matmul([[1.0]], b=Celsius([[1.0]])) == "mine"
    assert tf.matmul([[2.0]], [[3.0]]).numpy().tolist() == [[6.0]]


def test_all_functions_of_one_argument(undo):
    @tf.experimental.dispatch_for_unary_elementwise_apis(Celsius)
    def handle(api, x):
        return Celsius(api(x.degrees))

    undo(handle)
    assert tf.abs(Celsius([-1.0])).degrees.numpy().tolist() == [1.0]
    assert tf.ones_like(Celsius([-1.0]), dtype=tf.int32).degrees.dtype is tf.int32
    assert tf.cast(Celsius([1.5]), tf.int32).degrees.numpy().tolist() == [1]
    with pytest.raises(AssertionError, match="already been registered"):
        tf.experimental.dispatch_for_unary_elementwise_apis(Celsius)(lambda api, x: x)


def test_all_functions_of_two_arguments(undo):
    @tf.experimental.dispatch_for_binary_elementwise_apis(Celsius | tf.Tensor, Celsius | tf.Tensor)
    def handle(api, x, y):
        return Celsius(api(getattr(x, "degrees", x), getattr(y, "degrees", y)))

    undo(handle)
    assert tf.add(Celsius([1.0]), tf.constant([2.0])).degrees.numpy().tolist() == [3.0]
    assert tf.maximum(x=[1.0], y=Celsius([2.0])).degrees.numpy().tolist() == [2.0]
    assert isinstance(tf.add(1.0, 2.0), tf.Tensor)


def test_all_assertions(undo):
    @tf.experimental.dispatch_for_binary_elementwise_assert_apis(Celsius, Celsius)
    def handle(api, x, y):
        return api(x.degrees, y.degrees)

    undo(handle)
    tf.debugging.assert_less(Celsius([1.0]), Celsius([2.0]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.debugging.assert_less(Celsius([3.0]), Celsius([2.0]))


def test_what_is_unregistered_is_gone():
    @tf.experimental.dispatch_for_unary_elementwise_apis(Celsius)
    def handle(api, x):
        return x

    tf.experimental.unregister_dispatch_for(handle)
    with pytest.raises(ValueError, match="unsupported type"):
        tf.abs(Celsius([1.0]))
    with pytest.raises(ValueError, match="was not registered"):
        tf.experimental.unregister_dispatch_for(handle)


def test_parameters_must_be_those_of_the_function():
    with pytest.raises(ValueError, match="has no parameters"):

        @tf.experimental.dispatch_for_api(tf.stack)
        def stack(things: Celsius):
            return things

    with pytest.raises(ValueError, match="at least one signature"):

        @tf.experimental.dispatch_for_api(tf.stack)
        def bare(values):
            return values


def test_a_function_held_before_its_first_handler_asks_it_too():
    def held(x, y=2, *, z=3):
        return x + y + z + limit

    limit = 10
    held_before, signature = held, inspect.signature(held)
    dispatching.add_handler(
        held, lambda public, args, kwargs: "handled" if args == ("x",) else NotImplemented
    )
    assert held_before("x") == "handled"
    assert (held_before(1), held_before(1, z=0)) == (16, 13)
    assert inspect.signature(held_before) == signature
    assert dispatching.undispatched(held)(1, 5) == 19
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        held_before()


def test_a_call_whose_arguments_load_the_ragged_rules_knows_them():
    program = (
        "from lamina import concat\n"
        "import lamina as tf\n"
        "print(tf.cast(tf.SparseTensor([[0]], [1.5], [2]), tf.int32).values.numpy())\n"
        "print(tf.math.bincount(tf.ragged.constant([[1, 2], [2]]), axis=-1).numpy().tolist())\n"
        "print(concat([tf.ragged.constant([[1], []])] * 2, 0).to_list())\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout.split("\n")[:3] == ["[1]", "[[0, 1, 1], [0, 0, 1]]", "[[1], [], [1], []]"]
