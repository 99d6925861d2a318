"""Making, reshaping, joining and padding tensors: values, dtypes, gradients, errors."""

import numpy as np
import pytest

import lamina as tf
from lamina.engine import type_of
from lamina.engine.signature import infer, symbolic_dim
from lamina.ops import array, counting, padding, shaping
from tests.tolerances import assert_close

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
ROWS = np.arange(12).reshape(3, 4)


def values(result):
    if isinstance(result, list | tuple):
        return [values(each) for each in result]
    return result.numpy()


def assert_same(result, expected):
    if isinstance(expected, list):
        assert len(result) == len(expected)
        for one, other in zip(result, expected, strict=True):
            assert_same(one, other)
        return
    expected = np.asarray(expected)
    assert result.dtype.name == expected.dtype.name
    assert_close(result, expected)


def gradient(function, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    found = tape.gradient(y, x)
    return None if found is None else found.numpy()


i32, i64, f32, f64 = np.int32, np.int64, np.float32, np.float64
MADE = {
    "constant repeats": (lambda: tf.constant(3, shape=(2, 2)), np.full((2, 2), 3, i32)),
    "constant reshapes": (lambda: tf.constant([1, 2, 3, 4], shape=[2, 2]), i32([[1, 2], [3, 4]])),
    "constant of a dtype": (lambda: tf.constant([1, 2], tf.float64), f64([1, 2])),
    "identity_n": (lambda: tf.identity_n([1.0, 2]), [f32(1), i32(2)]),
    "shape": (lambda: tf.shape(X), i32([2, 3, 4])),
    "shape int64": (lambda: tf.shape(X, tf.int64), i64([2, 3, 4])),
    "shape of a list": (lambda: tf.shape([[1, 2]]), i32([1, 2])),
    "shape_n": (lambda: tf.shape_n([X, X[0]]), [i32([2, 3, 4]), i32([3, 4])]),
    "size": (lambda: tf.size(X), i32(24)),
    "size int64": (lambda: tf.size(X, tf.int64), i64(24)),
    "rank": (lambda: tf.rank(X), i32(3)),
    "broadcast_dynamic_shape": (lambda: tf.broadcast_dynamic_shape([2, 1], [3]), i32([2, 3])),
    "unravel_index": (lambda: tf.unravel_index([5, 23], [2, 3, 4]), i32([[0, 1], [1, 2], [1, 3]])),
    "zeros of a number": (lambda: tf.zeros(3), np.zeros(3, f32)),
    "zeros of a Tensor": (lambda: tf.zeros(tf.constant([2, 1]), tf.int64), np.zeros((2, 1), i64)),
    "zeros of Tensors": (lambda: tf.zeros([tf.shape(X)[0], 1]), np.zeros((2, 1), f32)),
    "ones bool": (lambda: tf.ones((2,), tf.bool), np.ones(2, bool)),
    "fill": (lambda: tf.fill([2], 7), i32([7, 7])),
    "zeros_like": (lambda: tf.zeros_like([True]), np.zeros(1, bool)),
    "ones_like of a dtype": (lambda: tf.ones_like([1, 2], tf.float32), np.ones(2, f32)),
    "range": (lambda: tf.range(5), np.arange(5, dtype=i32)),
    "range down": (lambda: tf.range(5, 0, -2), i32([5, 3, 1])),
    "range float": (lambda: tf.range(1.0, 2.0, 0.3), f32([1, 1.3, 1.6, 1.9])),
    "range mixed": (lambda: tf.range(0, 3.5), f32([0, 1, 2, 3])),
    "range of a Tensor": (lambda: tf.range(tf.constant(4, tf.int64)), np.arange(4)),
    "range of a dtype": (lambda: tf.range(3, dtype=tf.float64), f64([0, 1, 2])),
    "linspace": (lambda: tf.linspace(0.0, 1.0, 5), np.linspace(0, 1, 5, dtype=f32)),
    "linspace of one": (lambda: tf.linspace(2.0, 5.0, 1), f32([2])),
    "linspace of none": (lambda: tf.linspace(2.0, 5.0, 0), f32([])),
    "linspace of ints": (lambda: tf.linspace(0, 10, 3), f64([0, 5, 10])),
    "linspace axis": (
        lambda: tf.linspace([0.0, 1.0], [2.0, 3.0], 3, axis=-1),
        f32([[0, 1, 2], [1, 2, 3]]),
    ),
    "one_hot out of range": (lambda: tf.one_hot([0, -1, 5], 2), f32([[1, 0], [0, 0], [0, 0]])),
    "one_hot axis": (
        lambda: tf.one_hot([[0, 1]], 3, 5, 2, axis=1),
        i32([[[5, 2], [2, 5], [2, 2]]]),
    ),
    "one_hot of NumPy floats": (
        lambda: tf.one_hot(np.array([1.0, np.nan], np.float32), 2),
        f32([[0, 1], [0, 0]]),
    ),
    "one_hot dtype": (lambda: tf.one_hot([1], 2, on_value=2, dtype=tf.float32), f32([[0, 2]])),
    "sequence_mask": (lambda: tf.sequence_mask([2, 0]), np.array([[True, True], [False, False]])),
    "sequence_mask maxlen": (lambda: tf.sequence_mask([1, 3], 2, tf.int32), i32([[1, 0], [1, 1]])),
    "searchsorted rows": (
        lambda: tf.searchsorted([[1, 3], [2, 2]], [[3, 4], [2, 1]], "right"),
        i32([[2, 2], [2, 0]]),
    ),
    "meshgrid ij": (
        lambda: tf.meshgrid([1, 2], [3, 4], indexing="ij"),
        [i32([[1, 1], [2, 2]]), i32([[3, 4], [3, 4]])],
    ),
}
SHAPED = {
    "reshape -1": (lambda: tf.reshape(X, (4, -1)), X.reshape(4, -1)),
    "reshape number": (lambda: tf.reshape(X, -1), X.ravel()),
    "reshape scalar": (lambda: tf.reshape([[5.0]], []), f32(5)),
    "reshape empty": (lambda: tf.reshape(np.zeros((0, 3), f32), (-1, 3)), np.zeros((0, 3), f32)),
    "reshape empty with -1": (lambda: tf.reshape(np.zeros((0, 3), f32), (0, -1)), X[:0, 0, :3]),
    "reshape of Tensors": (lambda: tf.reshape(X, [tf.shape(X)[0], -1]), X.reshape(2, -1)),
    "transpose": (lambda: tf.transpose(X), X.T),
    "transpose perm": (lambda: tf.transpose(X, [0, -1, 1]), X.transpose(0, 2, 1)),
    "transpose perm Tensor": (
        lambda: tf.transpose(X, tf.constant([2, 0, 1])),
        X.transpose(2, 0, 1),
    ),
    "transpose conjugate": (
        lambda: tf.transpose(np.complex64([[1 + 2j]]), conjugate=True),
        np.complex64([[1 - 2j]]),
    ),
    "expand_dims": (lambda: tf.expand_dims(X, -1), X[..., None]),
    "squeeze": (lambda: tf.squeeze(X[:1, :, :1]), X[0, :, 0]),
    "squeeze axes": (lambda: tf.squeeze(X[:1, :, :1], [0, -1]), X[0, :, 0]),
    "broadcast_to": (lambda: tf.broadcast_to([1, 2], [2, 2]), i32([[1, 2], [1, 2]])),
    "concat": (lambda: tf.concat([X, X], -1), np.concatenate([X, X], -1)),
    "concat lists": (lambda: tf.concat([[1.0], tf.constant([2.0])], 0), f32([1, 2])),
    "concat one": (lambda: tf.concat(X, 0), X),
    "stack": (lambda: tf.stack([X, X], 1), np.stack([X, X], 1)),
    "stack numbers": (lambda: tf.stack([tf.constant(1), 2]), i32([1, 2])),
    "stack a Tensor": (lambda: tf.stack(tf.constant(X), 1), np.stack(X, 1)),
    "stack nothing": (lambda: tf.stack([]), f32([])),
    "unstack": (lambda: tf.unstack(X, axis=1), [X[:, i] for i in range(3)]),
    "split": (lambda: tf.split(X, 2, axis=-1), np.split(X, 2, -1)),
    "split rest": (lambda: tf.split(X, [1, -1], axis=1), np.split(X, [1], 1)),
    "split Tensor": (lambda: tf.split(X, tf.constant([1, 2]), 1), np.split(X, [1], 1)),
    "tile": (lambda: tf.tile(X, [1, 2, 3]), np.tile(X, (1, 2, 3))),
    "repeat": (lambda: tf.repeat(X, 2), np.repeat(X, 2)),
    "repeat each": (lambda: tf.repeat(X, [1, 2, 0], 1), np.repeat(X, [1, 2, 0], 1)),
    "repeat one": (lambda: tf.repeat(X, [3], -1), np.repeat(X, 3, -1)),
    "pad": (lambda: tf.pad(ROWS, [[0, 1], [2, 0]]), np.pad(ROWS, [(0, 1), (2, 0)])),
    "pad value": (lambda: tf.pad([1, 2], [[1, 0]], constant_values=7), i32([7, 1, 2])),
    "pad bool": (lambda: tf.pad([True], [[1, 0]]), np.array([False, True])),
    "pad Tensor": (lambda: tf.pad([1], tf.constant([[1, 1]])), i32([0, 1, 0])),
    "pad reflect": (
        lambda: tf.pad(ROWS, [[1, 2], [0, 3]], "REFLECT"),
        np.pad(ROWS, [(1, 2), (0, 3)], "reflect"),
    ),
    "pad symmetric": (
        lambda: tf.pad(ROWS, [[1, 3], [0, 4]], "symmetric"),
        np.pad(ROWS, [(1, 3), (0, 4)], "symmetric"),
    ),
    "reverse": (lambda: tf.reverse(X, [0, -1]), X[::-1, :, ::-1]),
    "roll": (lambda: tf.roll(X, [1, -3], [0, 2]), np.roll(X, (1, -3), (0, 2))),
    "roll by a Tensor": (lambda: tf.roll(X, tf.constant(2), 1), np.roll(X, 2, 1)),
    "reverse_sequence": (
        lambda: tf.reverse_sequence(ROWS, [1, 2, 4], seq_axis=1),
        np.array([[0, 1, 2, 3], [5, 4, 6, 7], [11, 10, 9, 8]]),
    ),
    "reverse_sequence batch axis": (
        lambda: tf.reverse_sequence(ROWS.T, [1, 2, 4], seq_axis=0, batch_axis=1),
        np.array([[0, 1, 2, 3], [5, 4, 6, 7], [11, 10, 9, 8]]).T,
    ),
    "space_to_batch": (
        lambda: tf.space_to_batch(X[:1, :2, :, None], [2, 2], [[0, 0], [0, 0]]),
        X[0, :2].reshape(1, 2, 2, 2).transpose(1, 3, 0, 2)[..., None].reshape(4, 1, 2, 1),
    ),
    "space_to_depth": (
        lambda: tf.nn.space_to_depth(X[:1, :2, :, None], 2),
        f32([[[[0, 1, 4, 5], [2, 3, 6, 7]]]]),
    ),
}


@pytest.mark.parametrize("case", [*MADE, *SHAPED])
def test_values_and_dtypes(case):
    function, expected = (MADE | SHAPED)[case]
    assert_same(function(), expected)


INVERSES = {
    "batch": lambda x: tf.batch_to_space(
        tf.space_to_batch(x, [2, 3], [[1, 0], [0, 2]]), [2, 3], [[1, 0], [0, 2]]
    ),
    "depth": lambda x: tf.nn.depth_to_space(tf.nn.space_to_depth(x[:, :2], 2), 2),
    "depth NCHW": lambda x: tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2, "NCHW"), 2, "NCHW"),
    "stack": lambda x: tf.stack(tf.unstack(x, axis=2), 2),
    "split": lambda x: tf.concat(tf.split(x, [1, 2], 1), 1),
    "transpose": lambda x: tf.transpose(tf.transpose(x, [3, 1, 0, 2]), [2, 1, 3, 0]),
    "reverse": lambda x: tf.reverse(tf.reverse(x, [1]), [1]),
    "roll": lambda x: tf.roll(tf.roll(x, 2, 1), -2, 1),
}


@pytest.mark.parametrize("name", INVERSES)
def test_there_and_back_is_the_identity_and_so_is_its_gradient(name):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2)).astype(f32)
    x = x[:, :2] if name == "depth" else x
    if name == "depth NCHW":
        x = np.moveaxis(x[:, :2], 1, -1)
    assert_close(INVERSES[name](tf.constant(x)), x)
    assert_close(gradient(lambda t: INVERSES[name](t) * x, x), x)


GRADIENTS = {
    "concat": (lambda x: tf.concat([x, 2 * x], 0), 3.0),
    "stack": (lambda x: tf.stack([x, x, x]), 3.0),
    "tile": (lambda x: tf.tile(x, [2, 1, 3]), 6.0),
    "repeat": (lambda x: tf.repeat(x, 4, 1), 4.0),
    "broadcast_to": (lambda x: tf.broadcast_to(x, [5, 2, 3, 4]), 5.0),
    "pad": (lambda x: 2 * tf.pad(x, [[1, 1]] * 3, constant_values=9.0), 2.0),
    "pad edge": (lambda x: tf.pad(x[:1, :1, :1], [[1, 1]] * 3, "SYMMETRIC")[1:2], None),
    "identity": (tf.identity, 1.0),
    "ensure_shape": (lambda x: tf.ensure_shape(x, (None, 3, 4)), 1.0),
    "stop_gradient": (tf.stop_gradient, None),
    "zeros_like": (tf.zeros_like, None),
    "ones_like": (tf.ones_like, None),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    function, expected = GRADIENTS[name]
    found = gradient(function, X)
    if name == "pad edge":
        assert found[0, 0, 0] == 9
    elif expected is None:
        assert found is None
    else:
        assert_close(found, np.full_like(X, expected))


Invalid = tf.errors.InvalidArgumentError
ERRORS = {
    "reshape": (lambda: tf.reshape(X, [5]), Invalid, "must hold the 24 elements"),
    "reshape twice -1": (lambda: tf.reshape(X, [-1, -1]), Invalid, "at most one -1"),
    "transpose": (lambda: tf.transpose(X, [0, 1]), Invalid, "permutation of the 3 axes"),
    "expand_dims": (lambda: tf.expand_dims(X, 9), Invalid, r"`axis` must lie in \[-4, 4\); got 9"),
    "squeeze": (lambda: tf.squeeze(X, 1), Invalid, "axes of size 1; got axis 1"),
    "broadcast_to": (lambda: tf.broadcast_to(X, [5]), Invalid, "to which the input broadcasts"),
    "concat shapes": (lambda: tf.concat([X, X[:, :1]], 0), Invalid, r"values\[1\]"),
    "concat nothing": (lambda: tf.concat([], 0), Invalid, "at least one Tensor"),
    "concat axis": (lambda: tf.concat([X, X], 7), Invalid, "`axis` must lie in"),
    "concat dtypes": (
        lambda: tf.concat([tf.zeros(1), tf.zeros(1, tf.int32)], 0),
        Invalid,
        "one dtype",
    ),
    "stack shapes": (lambda: tf.stack([X, X[0]]), Invalid, "equal shapes"),
    "stack axis": (lambda: tf.stack([X, X], 5), ValueError, "`axis` must lie in"),
    "unstack scalar": (lambda: tf.unstack(1.0), ValueError, "must be an axis of `value`"),
    "unstack num": (lambda: tf.unstack(X, num=5), Invalid, "`num` must be the size of axis 0"),
    "split number": (lambda: tf.split(X, 2, 1), Invalid, "must divide the 3 elements"),
    "split sizes": (lambda: tf.split(X, [1, 1], 1), Invalid, "must sum to the 3 elements"),
    "tile": (lambda: tf.tile(X, [2]), Invalid, "one entry per axis"),
    "pad pairs": (lambda: tf.pad(X, [[0, 1]]), Invalid, r"shape \(3, 2\)"),
    "pad negative": (lambda: tf.pad([1], [[-1, 0]]), Invalid, "must not be negative"),
    "pad mirror": (lambda: tf.pad([1, 2], [[2, 0]], "REFLECT"), Invalid, "must not exceed"),
    "pad mode": (lambda: tf.pad([1], [[1, 0]], "EDGE"), ValueError, "`mode` must be"),
    "reverse": (lambda: tf.reverse(X, [3]), Invalid, "`axis` must lie in"),
    "data_format": (lambda: tf.nn.space_to_depth(X[None], 2, "CHWN"), ValueError, "`data_format`"),
    "zeros": (lambda: tf.zeros([2, -1]), Invalid, "non-negative sizes"),
    "fill": (lambda: tf.fill([2], [1, 2]), Invalid, "`value` must be a scalar"),
    "constant": (lambda: tf.constant([1, 2, 3], shape=(2, 2)), TypeError, "one element or as many"),
    "range away": (lambda: tf.range(5, 0), Invalid, "`delta` must lead from"),
    "range still": (lambda: tf.range(0, 5, 0), Invalid, "`delta` must lead from"),
    "linspace": (lambda: tf.linspace(0.0, 1.0, -1), Invalid, "`num` must not be negative"),
    "one_hot": (lambda: tf.one_hot([0], 2, 1.0, 0), TypeError, "must have one dtype"),
    "meshgrid": (lambda: tf.meshgrid([1], [2], indexing="x"), ValueError, "`indexing` must be"),
    "searchsorted": (lambda: tf.searchsorted([1], [1], "up"), ValueError, "`side` must be"),
    "ensure_shape": (lambda: tf.ensure_shape(X, [2]), Invalid, "`x` must have shape"),
    "broadcast_dynamic_shape": (lambda: tf.broadcast_dynamic_shape([2], [3]), Invalid, "must be"),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_say_what_was_expected(case):
    function, kind, text = ERRORS[case]
    with pytest.raises(kind, match=text):
        function()


B = symbolic_dim(0)
UNKNOWN = {
    "reshape": (shaping._reshape, {"shape": (-1, 2)}, (2 * B, 2)),
    "flatten": (shaping._reshape, {"shape": (B, -1)}, (B, 4)),
    "transpose": (shaping.transpose, {}, (4, B)),
    "expand_dims": (shaping._expand_dims, {"axis": 0}, (1, B, 4)),
    "squeeze": (shaping.squeeze, {}, (B, 4)),
    "split": (shaping._split, {"sizes": 2, "axis": 1}, (B, 2)),
    "tile": (padding._tile, {"multiples": (2, 1)}, (2 * B, 4)),
    "repeat": (padding._repeat, {"repeats": (3,), "axis": 0}, (3 * B, 4)),
    "reverse": (padding._reverse, {"axis": (0,)}, (B, 4)),
    "roll": (padding._roll, {"shift": (1,), "axis": (0,)}, (B, 4)),
    "mirror": (
        padding._pad_mirrored,
        {"paddings": ((0, 0), (1, 1)), "mode": "reflect"},
        (B, 6),
    ),
    "full_like": (array._full_like, {"value": 1, "dtype": None}, (B, 4)),
    "linspace": (lambda x: counting._linspace.body(x, x, num=3, axis=0), {}, (3, B, 4)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_batch_goes_through(name):
    function, attributes, dims = UNKNOWN[name]
    body = getattr(function, "body", function)
    kind = type_of((B, 4), tf.float32)
    outputs, _ = infer(name, lambda x: body(x, **attributes), [kind])
    assert outputs[0].dims == dims


def test_shapes_are_known_while_tracing():
    @tf.function(input_signature=[tf.TensorSpec([None, 3])])
    def flat_twice(x):
        batch, width = tf.unstack(tf.shape(x))
        return tf.reshape(tf.concat([x, x], 1), tf.stack([batch * width, -1]))

    assert_close(flat_twice(tf.ones((2, 3))), np.ones((6, 2)))


def test_a_length_that_depends_on_data_is_refused_in_a_trace():
    @tf.function
    def mask(lengths):
        with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="pass `maxlen`"):
            tf.sequence_mask(lengths)
        return lengths

    mask(tf.constant([1, 2]))


def test_numpy_memory_is_copied():
    source = np.ones(3, f32)
    made = tf.constant(source)
    source[:] = 7
    assert made.numpy().tolist() == [1, 1, 1]


def test_is_tensor_and_static_values():
    assert tf.is_tensor(tf.Variable(1))
    assert not tf.is_tensor(np.ones(2))
    assert tf.get_static_value(tf.constant([1, 2])).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("dims", "axis"),
    [([(2, 3), (5, 3)], 0), ([(2, 3), (2, 0), (2, 1)], -1), ([(1,)], 0), ([(2, 1, 3)] * 3, 1)],
)
def test_the_type_of_a_join_without_tracing_is_the_traced_one(dims, axis):
    kinds = [type_of(each, tf.float16) for each in dims]
    traced = infer("concat", lambda *values: shaping._concat.body(*values, axis=axis), kinds)
    assert shaping._concat.infer(kinds, axis=axis) == traced


@pytest.mark.parametrize(
    ("dims", "axis"),
    [([(2, 3), (2, 4)], 0), ([(2,), ()], 0), ([(2,), (3,)], 1), ([(symbolic_dim(0),), (3,)], 0)],
)
def test_joins_that_do_not_fit_or_have_symbols_are_traced(dims, axis):
    assert shaping._concat.infer([type_of(each, tf.float32) for each in dims], axis=axis) is None


def test_repeat_takes_strings_scalars_and_nothing():
    assert tf.repeat(["a", "b", "c"], [3, 0, 1], axis=0).numpy().tolist() == [b"a"] * 3 + [b"c"]
    assert tf.repeat(3, 2, axis=0).numpy().tolist() == [3, 3]
    assert tf.repeat(tf.zeros([0]), [], axis=0).shape == [0]
    assert tf.repeat([1, 2], [2, -1]).numpy().tolist() == [1, 1]
    with pytest.raises(tf.errors.InvalidArgumentError, match="one for each of 3 elements"):
        tf.repeat([1, 2, 3], [1, 2])
    with pytest.raises(ValueError, match="must be a scalar or a vector"):
        tf.repeat([1, 2], [[1, 2]])


def test_shapes_may_be_python_ranges():
    assert tf.ones(range(1, 4)).shape == [1, 2, 3]
    assert tf.reshape([1, 2], range(1, 3)).shape == [1, 2]
