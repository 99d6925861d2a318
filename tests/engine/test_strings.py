"""String Tensors: they are ready, hold bytes, and run on the host."""

import copy
import pickle

import numpy as np
import pytest

import lamina as tf
from lamina.engine import StringTensor, dtypes, elementwise, host_op


def values(tensor):
    return tensor.numpy().tolist()


def test_a_string_tensor_holds_bytes_of_utf_8():
    x = tf.constant(["a", "é", b"\xff"])
    assert type(x) is StringTensor
    assert (x.dtype, x.shape) == (tf.string, [3])
    assert values(x) == [b"a", "é".encode(), b"\xff"]
    assert tf.constant("a").numpy() == b"a"
    assert repr(tf.constant("a")) == "<tf.Tensor: shape=(), dtype=string, numpy=b'a'>"


@pytest.mark.parametrize("kind", [list, np.array, lambda v: np.array(v, dtype=object)])
def test_strings_come_from_lists_and_arrays(kind):
    assert values(tf.constant(kind(["a", "bc"]))) == [b"a", b"bc"]
    assert values(tf.convert_to_tensor([tf.constant("a"), "bc"])) == [b"a", b"bc"]


def test_strings_do_not_mix_with_numbers():
    with pytest.raises(ValueError, match="mixed types int32, string"):
        tf.constant(["a", 1])
    with pytest.raises(
        ValueError, match=r"must be rectangular strings of dtype string; got .*'b', 'c'"
    ):
        tf.constant([["a"], ["b", "c"]])
    with pytest.raises(ValueError, match="strings were expected; got 1"):
        tf.constant(np.array(["a", 1], dtype=object))


def test_strings_compare_and_join():
    x = tf.constant(["a", "b"])
    assert values(x == "a") == [True, False]
    assert values(x != ["a", "c"]) == [False, True]
    assert values(x + "!") == [b"a!", b"b!"]
    assert bool(tf.constant("a") == "a")


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x[0, 1], b"b"),
        (lambda x: x[:, 1:], [[b"b"], [b"d"]]),
        (lambda x: tf.reshape(x, [-1]), [b"a", b"b", b"c", b"d"]),
        (lambda x: tf.expand_dims(x, 0), [[[b"a", b"b"], [b"c", b"d"]]]),
        (lambda x: tf.transpose(x), [[b"a", b"c"], [b"b", b"d"]]),
        (lambda x: tf.tile(x, [1, 2]), [[b"a", b"b"] * 2, [b"c", b"d"] * 2]),
        (lambda x: tf.gather(x, [1]), [[b"c", b"d"]]),
        (lambda x: tf.concat([x, x], 1), [[b"a", b"b"] * 2, [b"c", b"d"] * 2]),
        (lambda x: tf.stack([x[0], x[1]], 1), [[b"a", b"c"], [b"b", b"d"]]),
        (lambda x: tf.where([True, False], x, ""), [[b"a", b""], [b"c", b""]]),
        (lambda x: tf.boolean_mask(x, [False, True]), [[b"c", b"d"]]),
        (lambda x: tf.zeros_like(x), [[b"", b""], [b"", b""]]),
        (lambda x: tf.shape(x), [2, 2]),
        (lambda x: tf.size(x), 4),
        (lambda x: tf.unique(tf.reshape(x, [-1])).idx, [0, 1, 2, 3]),
    ],
)
def test_operations_that_move_elements_take_strings(function, expected):
    assert np.asarray(function(tf.constant([["a", "b"], ["c", "d"]]))).tolist() == expected


def test_several_outputs_come_in_their_container():
    parts = tf.split(tf.constant(["a", "b"]), 2)
    assert isinstance(parts, list)
    assert [values(p) for p in parts] == [[b"a"], [b"b"]]


def test_a_string_tensor_can_be_iterated():
    assert [s.numpy() for s in tf.constant(["a", "b"])] == [b"a", b"b"]


def test_arithmetic_on_strings_is_refused():
    for function in (tf.reduce_sum, tf.ones_like, lambda x: x * x, lambda x: x < x):
        with pytest.raises(tf.errors.InvalidArgumentError, match="no such operation on strings"):
            function(tf.constant(["a"]))


def test_copies_and_pickles_are_equal():
    x = tf.constant(["a", "b"])
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), tf.identity(x)):
        assert type(made) is StringTensor
        assert values(made) == [b"a", b"b"]


def test_a_variable_holds_strings():
    v = tf.Variable(["a", "b"])
    assert values(v + "!") == [b"a!", b"b!"]
    v.assign(["c", "d"])
    assert values(v[1:]) == [b"d"]


def test_jax_gets_no_strings():
    with pytest.raises(tf.errors.UnimplementedError, match="XLA has none") as error:
        tf.constant(["a"]).__jax_array__()
    assert "dataset.map(lookup)" in str(error.value)


# ---- in functions -------------------------------------------------------------------------------


def test_a_function_of_strings_runs_eagerly():
    @tf.function
    def join(x, *, end="!"):
        return x + end

    assert values(join(tf.constant(["a"]))) == [b"a!"]
    assert values(join(tf.constant(["a"]), end="?")) == [b"a?"]
    assert join.experimental_get_tracing_count() == 0


def test_an_input_signature_takes_strings():
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def first(x):
        return x[0]

    assert first(["a", "b"]).numpy() == b"a"


def test_string_constants_are_used_while_tracing():
    @tf.function
    def pick(x):
        return tf.where(tf.constant(["a", "b"]) == "a", x, 0.0)

    assert values(pick(tf.constant(3.0))) == [3.0, 0.0]
    assert pick.experimental_get_tracing_count() == 1


def test_a_function_that_makes_strings_falls_back():
    @tf.function
    def name(i):
        return tf.gather(tf.constant(["a", "b"]), i)

    with pytest.warns(UserWarning, match="works on strings, which compiled programs cannot hold"):
        assert name(tf.constant(1)).numpy() == b"b"
    assert name(tf.constant(0)).numpy() == b"a"


# ---- operations of their own ----------------------------------------------------------------


@host_op(elementwise(dtypes.int32))
def length(strings, extra=0):
    """Return the length of each string."""
    return np.vectorize(len, otypes=[np.int32])(strings) + np.int32(extra)


def test_a_host_op_runs_at_once():
    assert values(length(["a", "bcd"])) == [1, 3]
    assert values(length(tf.constant(["a"]), extra=2)) == [3]
    assert length.__name__ == "length"


def test_a_host_op_is_noted_in_a_model():
    x = tf.keras.Input((2,), dtype=tf.string)
    y = length(x)
    assert (tuple(y.shape), y.dtype) == ((None, 2), tf.int32)
    model = tf.keras.Model(x, y)
    assert values(model(tf.constant([["a", "bc"]]))) == [[1, 2]]


def test_a_host_op_has_no_compiled_form():
    @host_op(elementwise())
    def twice(x):
        return 2 * x

    with pytest.raises(tf.errors.UnimplementedError, match=r"got tf\.twice"):
        tf.function(lambda x: twice(x))(tf.constant(1))


def test_strings_get_the_shape_of_the_operation():
    x = tf.constant([["a", "b"]])
    for moved in (tf.squeeze(x, []), tf.reshape(x, [-1]), tf.unstack(x)[0]):
        assert values(moved) == [b"a", b"b"]
    assert tf.reshape(tf.zeros([0, 2], tf.string), [-1, 0]).shape == (2, 0)
    assert tf.reshape(tf.constant(["a"]), []).numpy() == b"a"


def test_single_strings_from_numpy_are_bytes_as_others():
    words = tf.constant([b"a", b"b"])
    for one in [words[0] + b"c", tf.unstack(words)[0], tf.strings.upper(words[0])]:
        assert type(one) is type(words)
        assert type(one.numpy()) is bytes
        assert "np.bytes_" not in str(one)


@pytest.mark.parametrize("wrap", [lambda f: f, tf.function])
def test_map_fn_runs_on_the_host_for_each_string(wrap):
    words = tf.constant([b"a", b"bc"])

    def run(words):
        lengths = tf.map_fn(tf.strings.length, words, fn_output_signature=tf.int32)
        return tf.map_fn(lambda w: w + "!", words), lengths

    longer, lengths = wrap(run)(words)
    assert longer.numpy().tolist() == [b"a!", b"bc!"]
    assert lengths.numpy().tolist() == [1, 2]
    elems = (words, tf.constant([3, 4]))
    pairs = tf.map_fn(
        lambda p: tf.strings.join([p[0], tf.strings.as_string(p[1])]),
        elems,
        fn_output_signature=tf.string,
    )
    assert pairs.numpy().tolist() == [b"a3", b"bc4"]
