"""Slices, gather, scatter, masks and operators: values, gradients, errors, structures."""

import operator

import numpy as np
import pytest

import lamina as tf
from lamina.engine import stats, type_of
from lamina.engine.signature import infer, symbolic_dim
from lamina.ops import indexing, slicing
from tests.tolerances import assert_close

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
Invalid = tf.errors.InvalidArgumentError
S = slice

KEYS = [
    0,
    -1,
    np.int64(1),
    (0, 1),
    (1, -2, 3),
    S(1, None),
    S(0, 1),
    S(1, 5),
    S(0, 100),
    S(2, 1),
    S(None, None, -1),
    (S(None), S(2, 0, -1)),
    (S(None), S(None, None, 2), S(-3, -1)),
    (Ellipsis, 1),
    (0, Ellipsis, S(None, 2)),
    (None, 0, None),
    (S(None), None, Ellipsis, None),
    (None, Ellipsis),
    (S(0, 1), 2),
    Ellipsis,
    (),
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_reads_as_in_numpy(key):
    assert_close(tf.constant(X)[key], X[key])
    assert_close(tf.Variable(X)[key], X[key])


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_key_assigns_and_has_a_gradient_as_in_numpy(key):
    expected = X.copy()
    expected[key] = -X[key]
    v = tf.Variable(X)
    assert v[key].assign(-X[key]) is v
    assert_close(v, expected)
    with tf.GradientTape() as tape:
        y = 2.0 * v[key]
    marks = np.zeros_like(X)
    marks[key] = 2
    assert_close(tape.gradient(y, v), marks)


def test_assigned_values_broadcast():
    v = tf.Variable(X)
    v[:, 1].assign(3.0)
    v[1, ..., tf.constant(2)].assign([7.0, 8.0, 9.0])
    v[v > 20.0].assign(0.0)
    expected = X.copy()
    expected[:, 1] = 3
    expected[1, ..., 2] = [7, 8, 9]
    expected[expected > 20] = 0
    assert_close(v, expected)
    with pytest.raises(Invalid, match=r"shape of the slice, \(2, 4\); got shape \(3,\)"):
        v[:, 1].assign([1.0, 2.0, 3.0])


def test_tensors_stand_in_keys():
    x, i = tf.constant(X), tf.constant(1)
    assert_close(x[i], X[1])
    assert_close(x[:, tf.constant(-1, tf.int64)], X[:, -1])
    assert_close(x[:i, tf.constant(0) : tf.shape(x)[0]], X[:1, :2])
    assert_close(x[i * 1, :, i + 1], X[1, :, 2])
    assert_close(x[x > 4.0], X[X > 4])
    assert_close(x[np.array([True, False])], X[:1])
    assert_close(x[[0, 1]], X[0, 1])  # as in TF: a list is a tuple


def test_a_loop_over_rows_or_batches_is_one_structure():
    def read(fetch):
        for i in range(2, 8):
            fetch(i)
        before = stats.compiles
        for i in range(8, 30):
            fetch(i)
        return stats.compiles - before

    x = tf.random.normal((64, 8))
    assert read(lambda i: x[i].numpy()) == 0
    assert read(lambda i: x[2 * i : 2 * i + 2].numpy()) == 0
    assert read(lambda i: x[i, i % 8].numpy()) == 0


BAD_KEYS = {
    "too large": (5, Invalid, "index 5 of axis 0 is out of bounds for size 2"),
    "too small": ((0, -4), Invalid, "index -4 of axis 1"),
    "Tensor": (tf.constant(7), Invalid, "index 7 of axis 0"),
    "too many": ((0, 0, 0, 0), Invalid, "4 indices were given for 3 axes"),
    "step": (S(None, None, 0), Invalid, "step of a slice must not be 0"),
    "vector": (tf.constant([0, 1]), TypeError, "Only integers, slices"),
    "array": (np.array([0, 1]), TypeError, "Only integers, slices"),
    "float": (1.0, TypeError, r"Only integers, slices (.|\n)*got 1.0"),
    "float Tensor": (tf.constant(1.0), TypeError, "tf.cast"),
    "string": ("a", TypeError, "Only integers, slices"),
    "float bound": (S(0.0, 1.0), TypeError, "Only integers, slices"),
    "nested list": ((0, [0, 1]), TypeError, "tf.gather"),
    "mask": (np.array([True, False, True]), ValueError, "`mask` must have the shape"),
}


@pytest.mark.parametrize("case", BAD_KEYS)
def test_bad_keys_say_what_is_allowed(case):
    key, kind, text = BAD_KEYS[case]
    with pytest.raises(kind, match=text):
        tf.constant(X)[key]


def test_tensors_have_no_item_assignment():
    with pytest.raises(TypeError, match="tensor_scatter_nd_update"):
        tf.constant(X)[0] = 1.0


def test_shape_arithmetic_stays_on_the_host():
    @tf.function(input_signature=[tf.TensorSpec([None, 4])])
    def halves(x):
        half = tf.shape(x)[1] // 2
        return tf.reshape(x, tf.concat([tf.shape(x)[:1], [half, 2]], 0))

    assert halves(tf.ones((3, 4))).shape == (3, 2, 2)


PLACES = np.array([[0, 2], [1, 0]])
READS = {
    "gather": (lambda x: tf.gather(x, [1, 0, 1]), lambda x: x[[1, 0, 1]]),
    "gather scalar": (lambda x: tf.gather(x, 1), lambda x: x[1]),
    "gather axis": (lambda x: tf.gather(x, PLACES, axis=-1), lambda x: x[..., PLACES]),
    "gather none": (lambda x: tf.gather(x, tf.zeros(0, tf.int32)), lambda x: x[:0]),
    "gather batch": (
        lambda x: tf.gather(x, PLACES, batch_dims=1),
        lambda x: np.stack([x[0, PLACES[0]], x[1, PLACES[1]]]),
    ),
    "gather batch axis": (
        lambda x: tf.gather(x, PLACES, axis=2, batch_dims=1),
        lambda x: np.stack([x[0][:, PLACES[0]], x[1][:, PLACES[1]]]),
    ),
    "gather_nd": (lambda x: tf.gather_nd(x, [[0, 1], [1, 2]]), lambda x: x[[0, 1], [1, 2]]),
    "gather_nd one": (lambda x: tf.gather_nd(x, [1, 2, 3]), lambda x: x[1, 2, 3]),
    "gather_nd batch": (
        lambda x: tf.gather_nd(x, [[[0]], [[1]]], batch_dims=1),
        lambda x: np.stack([x[0, [0]], x[1, [1]]]),
    ),
    "slice": (lambda x: tf.slice(x, [1, 0, 2], [-1, 2, 1]), lambda x: x[1:, :2, 2:3]),
    "slice from a Tensor": (
        lambda x: tf.slice(x, tf.constant([0, 1, 2]) * 1, [2, 1, 2]),
        lambda x: x[:, 1:2, 2:],
    ),
    "strided_slice": (
        lambda x: tf.strided_slice(x, [0, 2, 0], [2, 0, 4], [1, -1, 2]),
        lambda x: x[0:2, 2:0:-1, 0:4:2],
    ),
    "strided_slice masks": (
        lambda x: tf.strided_slice(
            x,
            [1, 0, 0, 1],
            [1, 0, 0, 9],
            begin_mask=8,
            ellipsis_mask=2,
            new_axis_mask=4,
            shrink_axis_mask=1,
        ),
        lambda x: x[1, ..., None, :9],
    ),
    "boolean_mask": (
        lambda x: tf.boolean_mask(x, [[True, False, True], [False, True, False]]),
        lambda x: x[[0, 0, 1], [0, 2, 1]],
    ),
    "boolean_mask axis": (
        lambda x: tf.boolean_mask(x, [True, False, True], axis=1),
        lambda x: x[:, [0, 2]],
    ),
    "where": (lambda x: tf.where(x > 4.0, x, 0.0), lambda x: np.where(x > 4, x, 0)),
    "where broadcasts": (
        lambda x: tf.where([[True], [False], [True]], x, tf.ones(4)),
        lambda x: np.where([[True], [False], [True]], x, 1),
    ),
    "dynamic_partition": (
        lambda x: tf.dynamic_partition(x, [[1, 0, 1], [0, 0, 1]], 2)[1],
        lambda x: x[[0, 0, 1], [0, 2, 2]],
    ),
    "dynamic_stitch": (
        lambda x: tf.dynamic_stitch([[0, 1], [3, 1]], [x, 2 * x]),
        lambda x: np.stack([x[0], 2 * x[1], 0 * x[0], 2 * x[0]]),
    ),
}


def numeric_gradient(function, x):
    """Return the gradient of sum(f(x) * w) for a linear f, by applying f to unit vectors."""
    weights = np.cos(np.arange(function(x).size)).reshape(function(x).shape)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([np.sum(function(u) * weights) for u in units]).reshape(x.shape), weights


@pytest.mark.parametrize("name", READS)
def test_reads_and_their_gradients_agree_with_numpy(name):
    function, reference = READS[name]
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    assert_close(y, reference(X))
    if "where" in name:
        return
    expected, weights = numeric_gradient(reference, X)
    assert_close(tape.gradient(y, x, output_gradients=tf.constant(weights, tf.float32)), expected)


def test_where_has_no_gradient_on_the_other_side():
    x = tf.constant([-1.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.where(x > 0.0, x * x, 3.0)
    assert_close(tape.gradient(y, x), [0.0, 4.0])


SCATTERS = {
    "update": ([[0], [2]], [9.0, 8.0], [9, 2, 8]),
    "add": ([[0], [0]], [1.0, 2.0], [4, 2, 3]),
    "sub": ([[0], [0]], [1.0, 2.0], [-2, 2, 3]),
    "max": ([[0], [2]], [5.0, 0.0], [5, 2, 3]),
    "min": ([[0], [2]], [5.0, 0.0], [1, 2, 0]),
}


@pytest.mark.parametrize("how", SCATTERS)
def test_scatters_into_tensors_and_variables(how):
    indices, updates, expected = SCATTERS[how]
    x = tf.constant([1.0, 2.0, 3.0])
    assert_close(getattr(tf, f"tensor_scatter_nd_{how}")(x, indices, updates), expected)
    v = tf.Variable(x)
    assert getattr(v, f"scatter_nd_{how}")(indices, updates) is v
    assert_close(v, expected)
    v.assign(x)
    getattr(v, f"scatter_{how}")(tf.IndexedSlices(updates, np.ravel(indices)))
    assert_close(v, expected)


def test_the_gradient_of_a_scatter_max_is_shared_among_equals():
    x, updates = tf.constant([1.0, 2.0]), tf.constant([1.0, 1.0])
    with tf.GradientTape() as tape:
        tape.watch([x, updates])
        y = tf.tensor_scatter_nd_max(x, [[0], [1]], updates)
    dx, du = tape.gradient(y, [x, updates])
    assert_close(dx, [0.5, 1.0])
    assert_close(du, [0.5, 0.0])


def test_scatter_nd_adds_duplicates_and_gives_rows_back():
    updates = tf.constant([[1.0], [2.0], [3.0]])
    with tf.GradientTape() as tape:
        tape.watch(updates)
        y = tf.scatter_nd([[0], [0], [2]], updates, [4, 1])
    assert_close(y, [[3.0], [0.0], [3.0], [0.0]])
    assert_close(tape.gradient(y, updates), np.ones((3, 1)))


def test_variables_scale_rows_and_read_coordinates():
    v = tf.Variable([2.0, 4.0])
    v.scatter_mul(tf.IndexedSlices([3.0], [0]))
    v.scatter_div(tf.IndexedSlices([4.0], [1]))
    assert_close(v.gather_nd([[1], [0]]), [1.0, 6.0])
    with pytest.raises(TypeError, match=r"must be a tf\.IndexedSlices; got list"):
        v.scatter_add([1.0])
    dense = tf.convert_to_tensor(tf.IndexedSlices([[1.0]], [1], [3, 1]))
    assert_close(dense, [[0.0], [1.0], [0.0]])


def test_places_and_distinct_values():
    assert_close(tf.where([[True, False], [True, True]]), [[0, 0], [1, 0], [1, 1]])
    assert tf.where([0, 1]).dtype is tf.int64
    y, places, counts = tf.unique_with_counts([5, 3, 5, 1, 3])
    assert [t.numpy().tolist() for t in (y, places, counts)] == [
        [5, 3, 1],
        [0, 1, 0, 2, 1],
        [2, 2, 1],
    ]
    assert tf.unique([1.5], tf.int64).idx.dtype is tf.int64


READ_ERRORS = {
    "gather": (lambda: tf.gather(X, [2]), Invalid, r"`indices` must lie in \[0, 2\) for axis 0"),
    "gather float": (lambda: tf.gather(X, [1.0]), Invalid, "`indices` must be integers"),
    "gather axis": (lambda: tf.gather(X, [0], axis=3), Invalid, "`axis` must lie in"),
    "gather batch": (
        lambda: tf.gather(X, PLACES * 0, axis=0, batch_dims=1),
        Invalid,
        "less than `batch_dims`",
    ),
    "gather_nd": (lambda: tf.gather_nd(X, [[0] * 4]), Invalid, "must address axes"),
    "scatter_nd": (
        lambda: tf.scatter_nd([[0]], [1.0, 2.0], [4]),
        Invalid,
        "`updates` must have shape",
    ),
    "slice": (lambda: tf.slice(X, [0] * 3, [3, 1, 1]), Invalid, "must lie inside shape"),
    "slice rank": (lambda: tf.slice(X, [0], [1]), Invalid, "must have 3 entries"),
    "where half": (lambda: tf.where([True], X), ValueError, "both or neither"),
    "where shapes": (lambda: tf.where([True, False], X, X), Invalid, "must broadcast to one shape"),
    "where ints": (lambda: tf.where([1, 0], 1, 2), Invalid, "`condition` must be bool"),
    "mask scalar": (lambda: tf.boolean_mask(X, True), ValueError, "`mask` must have the shape"),
    "unique": (lambda: tf.unique([[1]]), Invalid, "must be a vector"),
    "partition": (lambda: tf.dynamic_partition(X, [0, 5], 2), Invalid, r"must lie in \[0, 2\)"),
    "partition rows": (lambda: tf.dynamic_partition(X, [0], 2), Invalid, "one group per row"),
    "indexed slices": (
        lambda: tf.identity(tf.IndexedSlices([1.0], [0])),
        ValueError,
        "`dense_shape`",
    ),
}


@pytest.mark.parametrize("case", READ_ERRORS)
def test_errors_say_what_was_expected(case):
    function, kind, text = READ_ERRORS[case]
    with pytest.raises(kind, match=text):
        function()


DATA_DEPENDENT = {
    "where": lambda x: tf.where(x > 0),
    "boolean_mask": lambda x: tf.boolean_mask(x, x > 0),
    "mask": lambda x: x[x > 0],
    "unique": tf.unique,
    "dynamic_partition": lambda x: tf.dynamic_partition(x, x, 9),
    "dynamic_stitch": lambda x: tf.dynamic_stitch([x], [x]),
}


@pytest.mark.parametrize("name", DATA_DEPENDENT)
def test_shapes_that_depend_on_data_are_refused_in_a_trace(name):
    @tf.function
    def traced(x):
        with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="shape of the result"):
            DATA_DEPENDENT[name](x)
        return x

    traced(tf.constant([1, 2]))


def test_an_unknown_batch_goes_through():
    b = symbolic_dim(0)
    x, i = type_of((b, 4), tf.float32), type_of((), tf.int32)
    ids = type_of((b, 2), tf.int32)

    def dims(body, *kinds, **attributes):
        return infer("x", lambda *a: body(*a, **attributes), kinds)[0][0].dims

    assert dims(slicing._read.body, x, i, spec=("signed",)) == (4,)
    assert dims(slicing._read.body, x, i, spec=((None, None, None), "index")) == (b,)
    assert dims(slicing._read.body, x, spec=((1, None, None), None)) == (b - 1, 1, 4)
    assert dims(indexing._gather.body, x, ids, axis=1, batch_dims=1) == (b, 2)
    assert dims(indexing._gather.body, x, ids, axis=0, batch_dims=0) == (b, 2, 4)
    assert dims(indexing._gather_nd.body, x, ids, batch_dims=0) == (b,)


INTS, OTHERS = np.int32([7, -7]), np.int32([2, 3])
FLOATS = np.float32([7.0, -7.5])
BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod"]
COMPARED = ["lt", "le", "gt", "ge", "eq", "ne"]


@pytest.mark.parametrize("name", BINARY + COMPARED)
@pytest.mark.parametrize(("left", "right"), [(INTS, OTHERS), (FLOATS, FLOATS[::-1]), (FLOATS, 2)])
def test_operators_agree_with_numpy(name, left, right):
    function = getattr(operator, name)
    for x, y in [(left, right), (right, left)]:
        expected = function(np.asarray(x, left.dtype), np.asarray(y, left.dtype))
        results = (
            [function(tf.constant(left), y)] if x is left else [function(x, tf.constant(left))]
        )
        results.append(function(tf.Variable(x, dtype=left.dtype), tf.Variable(y, dtype=left.dtype)))
        for result in results:
            assert isinstance(result, tf.Tensor)
            assert_close(result, expected)


def test_operators_of_bits_bools_powers_and_matrices():
    a, b = tf.constant([True, False]), tf.constant([True, True])
    assert [t.numpy().tolist() for t in (a & b, a | b, a ^ b, ~a, a * b, True & a)] == [
        [True, False], [True, True], [False, True], [False, True], [True, False], [True, False],
    ]  # fmt: skip
    i = tf.constant(INTS)
    assert [t.numpy().tolist() for t in (i & 3, i | 1, i ^ 2, ~i, -i, abs(i))] == [
        (INTS & 3).tolist(), (INTS | 1).tolist(), (INTS ^ 2).tolist(), (~INTS).tolist(),
        [-7, 7], [7, 7],
    ]  # fmt: skip
    f = tf.constant([1.0, 2.0])
    assert_close(f**2, [1.0, 4.0])
    assert_close(f**0.5, np.sqrt(np.float32([1, 2])))
    assert_close(2**f, [2.0, 4.0])
    assert_close(f[None] @ f[:, None], [[5.0]])
    assert_close(np.float32([[1, 1]]) @ f[:, None], [[3.0]])


@pytest.mark.parametrize(("kind", "dtype"), [("int32", "float64"), ("int8", "float32")])
def test_integers_divide_to_floats(kind, dtype):
    x = tf.constant([1, 2], kind)
    assert (x / x).dtype == dtype
    assert (x / 2).dtype == dtype
    assert (1 / x).dtype == dtype


def test_equality_is_elementwise_and_tensors_are_not_keys():
    x = tf.constant([1.0, 2.0])
    assert (x == [1.0, 3.0]).numpy().tolist() == [True, False]
    assert (x is None) is False
    assert (x is not None) is True
    assert x != tf.ones(3)
    assert x != tf.ones(3)
    with pytest.raises(
        TypeError, match=r"Tensor is unhashable. Instead, use tensor.ref\(\) as the key"
    ):
        hash(x)
    assert {x.ref(): 1}[x.ref()] == 1


class Foreign:
    def __radd__(self, other):
        return "foreign"


def test_operators_defer_to_foreign_classes_and_refuse_other_dtypes():
    x = tf.constant([1, 2])
    assert x + Foreign() == "foreign"
    with pytest.raises(TypeError, match=r"0\.5"):
        x * 0.5
    with pytest.raises(Invalid, match="one dtype"):
        x * tf.ones(2)
    with pytest.raises(ValueError, match="None"):
        x - None


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow"])
def test_variables_are_not_replaced_in_place(name):
    v = tf.Variable(1.0, name="v")
    with pytest.raises(RuntimeError, match=r"`variable .*= value` is not supported"):
        getattr(operator, name)(v, 1.0)


@pytest.mark.parametrize("wrong", [[[5]], [[-1]]])
def test_coordinates_out_of_range_are_an_error_where_they_are_known(wrong):
    x = tf.constant([1.0, 2.0])
    calls = {
        "gather_nd": lambda **k: tf.gather_nd(x, wrong, **k),
        "scatter_nd": lambda **k: tf.scatter_nd(wrong, [3.0], [2], **k),
        "tensor_scatter_nd_add": lambda **k: tf.tensor_scatter_nd_add(x, wrong, [3.0], **k),
        "tensor_scatter_nd_max": lambda **k: tf.tensor_scatter_nd_max(x, wrong, [3.0], **k),
    }
    for name, call in calls.items():
        for policy in ({}, {"bad_indices_policy": "ERROR"}):
            with pytest.raises(tf.errors.InvalidArgumentError, match=rf"tf.{name}: `indices` must"):
                call(**policy)
        with pytest.raises(tf.errors.NotFoundError, match=rf"tf.{name}: `bad_indices_policy` must"):
            call(bad_indices_policy="huh")
        kept = call(bad_indices_policy="IGNORE").numpy().tolist()
        assert kept == {"gather_nd": [0.0], "scatter_nd": [0.0, 0.0]}.get(name, [1.0, 2.0])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"tf\.tensor_scatter_nd_update"):
        tf.tensor_scatter_nd_update(x, wrong, [3.0])
