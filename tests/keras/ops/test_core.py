"""tf.keras.ops: values, parts, branches and loops; eager, in functions, under a tape, symbolic."""

import numpy as np
import pytest

import lamina as tf

ops = tf.keras.ops
X = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.mark.parametrize(
    ("value", "dtype", "want"),
    [
        ([1.7, -1.7], "int32", [1, -1]),
        ([0, 2], "bool", [False, True]),
        (np.ones(2), None, [1.0, 1.0]),
        (tf.constant([1.5]), "float16", [1.5]),
    ],
)
def test_convert_to_tensor_takes_the_dtype_asked_for(value, dtype, want):
    found = ops.convert_to_tensor(value, dtype)
    assert found.dtype == (dtype or "float64")
    np.testing.assert_array_equal(found.numpy(), want)


@pytest.mark.parametrize(
    ("value", "dtype", "want"),
    [
        (np.float32([-300, 300, 1.5]), "int8", [-128, 127, 1]),
        (np.float32([-300, 0, 0.5]), "bool", [False, False, True]),
        (np.int64([-300, 70000]), "uint16", [0, 65535]),
    ],
)
def test_saturate_cast_keeps_to_the_range(value, dtype, want):
    np.testing.assert_array_equal(ops.saturate_cast(value, dtype).numpy(), want)


def test_facts_of_a_tensor():
    x = tf.constant(X)
    assert ops.shape(x) == (3, 4)
    assert ops.dtype(x) == "float32"
    assert ops.is_tensor(x)
    assert not ops.is_tensor(X)
    assert isinstance(ops.convert_to_numpy(x), np.ndarray)


def test_shape_holds_tensors_for_unknown_sizes():
    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def rows(x):
        sizes = ops.shape(x)
        assert sizes[1] == 4
        return sizes[0]

    assert int(rows(X)) == 3
    assert ops.shape(tf.keras.Input((4,))) == (None, 4)


@pytest.mark.parametrize(
    ("reduction", "want"),
    [(None, 5.0), ("add", 6.0), ("max", 5.0), ("min", 1.0), ("mul", 5.0), ("ADD", 6.0)],
)
def test_scatter_update_combines(reduction, want):
    found = ops.scatter_update(X, [[0, 1]], np.float32([5.0]), reduction=reduction)
    assert float(found[0, 1]) == want


def test_scatter_update_multiplies_repeated_places():
    found = ops.scatter_update(np.float32([2.0]), [[0], [0]], np.float32([3.0, 5.0]), "mul")
    assert float(found[0]) == 30.0


def test_scatter_update_refuses_an_unknown_reduction():
    with pytest.raises(ValueError, match="`reduction` must be None, 'add'"):
        ops.scatter_update(X, [[0, 1]], [5.0], "mean")


def test_parts_of_arrays():
    np.testing.assert_array_equal(ops.slice(X, np.array([1, 1]), (2, -1)).numpy(), X[1:, 1:])
    np.testing.assert_array_equal(
        ops.scatter([[0], [2], [0]], np.float32([1, 2, 3]), (4,)).numpy(), [4, 0, 2, 0]
    )
    moved = ops.slice_update(X, np.array([2, 3]), np.ones((2, 2), np.float32)).numpy()
    np.testing.assert_array_equal(moved[1:, 2:], np.ones((2, 2)))  # moved inside
    assert len(ops.unstack(X, axis=-1)) == 4


def test_slice_update_refuses_a_block_of_another_rank():
    with pytest.raises(ValueError, match="`updates` must have the rank"):
        ops.slice_update(X, [0, 0], np.float32([1.0]))


def test_branches():
    assert ops.cond(True, lambda: 1.0, lambda: 2.0) == 1.0
    found = ops.switch(7, [lambda x: x, lambda x: x * 2], X)
    np.testing.assert_array_equal(found.numpy(), X * 2)


def test_loops_give_the_structure_they_were_given():
    assert [int(v) for v in ops.while_loop(lambda i: i < 5, lambda i: (i + 2,), (0,))] == [6]
    assert int(ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0)) == 6
    assert int(ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0, maximum_iterations=1)) == 2
    assert int(ops.fori_loop(0, 4, lambda i, total: total + i, 0)) == 6


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_stacks_outputs_in_the_order_of_the_elements(reverse):
    last, outputs = ops.scan(lambda c, v: (c + v, c), np.zeros(4, np.float32), X, reverse=reverse)
    np.testing.assert_array_equal(last.numpy(), X.sum(0))
    order = X[::-1] if reverse else X
    before = np.cumsum(order, 0) - order
    np.testing.assert_array_equal(outputs.numpy(), before[::-1] if reverse else before)


def test_scan_without_elements_runs_for_a_length():
    last, outputs = ops.scan(lambda c, _: (c * 2, c), np.float32(1.0), length=3)
    assert float(last) == 8.0
    np.testing.assert_array_equal(outputs.numpy(), [1, 2, 4])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ops.scan(1, 0.0, X), TypeError, "scan: `f` must be a function"),
        (lambda: ops.scan(lambda c, x: (c, x), 0.0), ValueError, "`xs` or `length` must be given"),
        (lambda: ops.scan(max, 0.0, X, unroll=0), ValueError, "`unroll` must be a positive int"),
        (lambda: ops.associative_scan(None, X), TypeError, "`f` must be a function"),
        (
            lambda: ops.associative_scan(lambda a, b: a, (X, X[:2])),
            ValueError,
            "all elements must have one size along axis 0",
        ),
    ],
)
def test_scans_say_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("reverse", [False, True])
def test_associative_scan_is_the_running_combination(size, reverse):
    x = np.arange(1, 2 * size + 1, dtype=np.float32).reshape(2, size) / 4
    found = ops.associative_scan(lambda a, b: a * b, x, reverse=reverse, axis=1).numpy()
    want = np.cumprod(x[:, ::-1], 1)[:, ::-1] if reverse else np.cumprod(x, 1)
    np.testing.assert_allclose(found, want, rtol=1e-6)


def test_associative_scan_over_an_axis_of_unknown_size():
    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def f(x):
        return ops.associative_scan(lambda a, b: a + b, x)

    np.testing.assert_array_equal(f(X).numpy(), np.cumsum(X, 0))


def test_maps():
    np.testing.assert_array_equal(ops.map(lambda row: row * 2, X).numpy(), X * 2)
    found = ops.map(lambda pair: {"sum": pair[0] + pair[1]}, (X, X))
    np.testing.assert_array_equal(found["sum"].numpy(), X * 2)
    np.testing.assert_array_equal(ops.vectorized_map(ops.sum, X).numpy(), X.sum(1))


def test_gradients_flow_through_loops_and_stop_where_asked():
    x = tf.constant([1.0, 2.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        total = ops.scan(lambda c, v: (c + v * v, c), tf.constant(0.0), x)[0]
        stopped = ops.sum(x * ops.stop_gradient(x))
    np.testing.assert_array_equal(tape.gradient(total, x).numpy(), [2, 4, 6])
    np.testing.assert_array_equal(tape.gradient(stopped, x).numpy(), [1, 2, 3])


def test_custom_gradient_replaces_the_gradient():
    @ops.custom_gradient
    def straight(x):
        return ops.round(x), lambda upstream: upstream * 3.0

    x = tf.constant(1.6)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = straight(x)
    assert (float(y), float(tape.gradient(y, x))) == (2.0, 3.0)


SYMBOLIC = {
    "map": lambda x: ops.map(lambda row: row * 2, x),
    "scan": lambda x: ops.scan(lambda c, v: (c + v, c), tf.zeros(4), x)[1],
    "associative_scan": lambda x: ops.associative_scan(lambda a, b: a + b, x, axis=1),
    "while_loop": lambda x: ops.while_loop(lambda v: ops.max(v) < 99, lambda v: v * 2, x),
    "fori_loop": lambda x: ops.fori_loop(0, 3, lambda i, v: v + 1, x),
    "vectorized_map": lambda x: ops.vectorized_map(lambda row: row + 1, x),
    "switch": lambda x: ops.switch(1, [lambda v: v, lambda v: v * 2], x),
    "unstack": lambda x: ops.unstack(x, axis=1)[2],
    "rearrange": lambda x: ops.rearrange(x, "b (h w) -> b w h", h=2),
    "slice_update": lambda x: ops.slice_update(x, [0, 1], tf.ones((1, 2))),
    "conv": lambda x: ops.conv(ops.expand_dims(x, -1), tf.ones((2, 1, 3)), padding="same"),
    "layer_normalization": lambda x: ops.layer_normalization(x),
    "dot_product_attention": lambda x: ops.dot_product_attention(
        *[ops.reshape(x, (-1, 2, 1, 2))] * 3
    ),
    "norm": lambda x: ops.norm(x, axis=-1),
    "segment_sum": lambda x: ops.segment_sum(ops.transpose(x), [0, 1, 0, 1], num_segments=2),
    "stft": lambda x: ops.stft(x, 2, 1, 2)[0],
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_functions_are_the_same_eager_traced_and_in_a_model(name):
    compute = SYMBOLIC[name]
    want = compute(tf.constant(X)).numpy()
    np.testing.assert_allclose(tf.function(compute)(tf.constant(X)).numpy(), want, rtol=1e-6)
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, compute(inputs))
    np.testing.assert_allclose(model(X).numpy(), want, rtol=1e-6)


def test_a_model_with_such_a_function_is_saved(tmp_path):
    inputs = tf.keras.Input((4,))
    model = tf.keras.Model(inputs, ops.rearrange(inputs, "b (h w) -> b w h", h=2))
    model.save(tmp_path / "model.keras")
    again = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(X).numpy(), model(X).numpy())


@pytest.mark.parametrize(
    ("pattern", "sizes", "message"),
    [
        ("a b", {}, "there must be one arrow"),
        ("a -> a", {}, "the tensor has shape"),
        ("a b -> a c", {}, "the sides have axes"),
        ("(a b) c -> a b c", {}, "the size of one of"),
        ("(a b) c -> a b c", {"a": 2}, "not a multiple of 2"),
    ],
)
def test_rearrange_says_why_a_pattern_does_not_fit(pattern, sizes, message):
    with pytest.raises(ValueError, match=message):
        ops.rearrange(X, pattern, **sizes)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (lambda: tf.sparse.from_dense(np.float32([[0, 1], [2, 0]])), (2, 2)),
        (lambda: tf.ragged.constant([[0.0, 1.0], [2.0]]), (2, None)),
    ],
)
def test_sparse_and_ragged_tensors_are_tensors(value, shape):
    x = value()
    assert ops.is_tensor(x)
    assert tf.is_tensor(x)
    assert ops.shape(x) == shape
    assert ops.convert_to_tensor(x) is x
    assert type(ops.convert_to_tensor(x, "int32")) is type(x)
    assert ops.convert_to_tensor(x, "int32").dtype == "int32"
    dense = ops.convert_to_tensor(x, sparse=False, ragged=False)
    np.testing.assert_array_equal(dense, [[0, 1], [2, 0]])
    np.testing.assert_array_equal(ops.convert_to_numpy(x), [[0, 1], [2, 0]])
