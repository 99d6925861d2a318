"""What TensorFlow's kernels refuse or give at the edges: windows, diagonals, ranges, boxes."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

import lamina as tf
from lamina.engine import errors

X = tf.reshape(tf.range(24.0), (1, 3, 4, 2))


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        (lambda: tf.nn.conv2d(X, tf.ones((4, 2, 2, 5)), 1, "VALID"), (1, 0, 3, 5)),
        (lambda: tf.nn.conv2d(X, tf.ones((6, 5, 2, 5)), 2, "VALID"), (1, 0, 0, 5)),
        (lambda: tf.nn.depthwise_conv2d(X, tf.ones((4, 2, 2, 3)), [1] * 4, "VALID"), (1, 0, 3, 6)),
        (lambda: tf.nn.max_pool2d(X, 4, 1, "VALID"), (1, 0, 1, 2)),
        (lambda: tf.nn.avg_pool2d(X, (4, 5), 1, "VALID"), (1, 0, 0, 2)),
        (lambda: tf.nn.max_pool_with_argmax(X, 4, 1, "VALID").argmax, (1, 0, 1, 2)),
        (lambda: tf.nn.pool(X, [4, 2], "MAX", dilations=[1, 2]), (1, 0, 2, 2)),
        (lambda: tf.nn.max_pool2d(tf.ones((2, 0, 4, 2)), 3, 1, "SAME"), (2, 0, 4, 2)),
        (
            lambda: tf.nn.conv2d(tf.ones((2, 0, 4, 2)), tf.ones((2, 2, 2, 3)), 1, "SAME"),
            (2, 0, 4, 3),
        ),
        (lambda: tf.keras.layers.MaxPool2D(4, 1)(X), (1, 0, 1, 2)),
    ],
)
def test_a_window_a_little_too_large_gives_nothing(call, shape):
    assert call().numpy().shape == shape


def test_nothing_has_gradients_of_zero():
    kernel = tf.Variable(tf.ones((4, 2, 2, 5)))
    with tf.GradientTape() as tape:
        tape.watch(X)
        y = tf.reduce_sum(tf.nn.conv2d(X, kernel, 1, "VALID")) + tf.reduce_sum(
            tf.nn.avg_pool2d(X, 4, 1, "VALID")
        )
    for found in tape.gradient(y, (X, kernel)):
        assert not found.numpy().any()


@pytest.mark.parametrize(
    "call",
    [
        lambda: tf.nn.conv2d(X, tf.ones((5, 2, 2, 5)), 1, "VALID"),
        lambda: tf.nn.max_pool2d(X, 9, 2, "VALID"),
        lambda: tf.function(lambda x: tf.nn.max_pool2d(x, 4, 1, "VALID"))(X),
        lambda: tf.function(lambda x: tf.nn.conv2d(x, tf.ones((4, 2, 2, 5)), 1, "VALID"))(X),
    ],
)
def test_a_window_far_too_large_or_where_shapes_come_first_is_refused(call):
    with pytest.raises(errors.InvalidArgumentError, match="must fit into the padded input"):
        call()


def test_windows_over_channels():
    x = tf.reshape(tf.range(12.0), (1, 1, 2, 6))
    found = tf.nn.max_pool(x, [1, 1, 1, 3], [1, 1, 1, 3], "SAME")
    assert found.numpy().ravel().tolist() == [2, 5, 8, 11]
    with pytest.raises(errors.InvalidArgumentError, match="must divide their number"):
        tf.nn.max_pool2d(x, [1, 1, 1, 4], [1, 1, 1, 4], "VALID")
    with pytest.raises(errors.InvalidArgumentError, match="a window over channels must be"):
        tf.nn.max_pool2d(x, [1, 1, 1, 3], [1, 1, 1, 1], "VALID")


@pytest.mark.parametrize("pool", [tf.nn.max_pool, tf.nn.avg_pool])
def test_pooling_needs_a_spatial_axis(pool):
    with pytest.raises(ValueError, match="must have rank 3, 4 or 5"):
        pool(tf.ones((5, 2)), 2, 2, "SAME")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: tf.nn.max_pool2d(X, 0, 1, "VALID"), "`ksize` must be positive"),
        (lambda: tf.nn.conv2d(X, tf.ones((1, 1, 2, 1)), 0, "VALID"), "`strides` must be positive"),
        (lambda: tf.nn.conv2d(X, tf.ones((1, 1, 2, 1)), 1, "FULL"), "`padding` must be"),
        (lambda: tf.linalg.band_part(tf.ones((2, 3)), 3, 0), "at most 2"),
        (lambda: tf.linalg.band_part(tf.ones((2, 3)), 0, 4), "at most 3"),
        (lambda: tf.linalg.diag_part(tf.ones((2, 3)), k=3), "`k` must name diagonals"),
        (lambda: tf.linalg.diag_part(tf.ones((2, 3)), k=(-2, 0)), "`k` must name diagonals"),
        (lambda: tf.linalg.set_diag(tf.ones((2, 3)), [1.0], k=3), "`k` must name diagonals"),
        (lambda: tf.linalg.tensor_diag(2.0), "must have an axis"),
        (lambda: tf.linalg.cross(tf.ones(3), tf.ones((2, 3))), "one for both"),
        (lambda: tf.linalg.lu([[1.0, 2.0], [2.0, 4.0]]), "must be invertible"),
        (lambda: tf.random.uniform([2], 3, 3, tf.int32), "`minval` must be below `maxval`"),
        (lambda: tf.random.stateless_uniform([2], (1, 2), 5, 2, tf.int64), "must be below"),
        (lambda: tf.clip_by_norm(tf.ones(2), tf.ones((2, 1))), "must broadcast to the shape"),
        (lambda: tf.nn.dropout(tf.ones((4, 6)), 0.5, noise_shape=(4, 5)), "must broadcast with"),
        (lambda: tf.nn.dropout(tf.ones((4, 6)), 0.5, noise_shape=(4,)), "one entry for each axis"),
    ],
)
def test_refused_as_in_tensorflow(call, text):
    with pytest.raises(errors.InvalidArgumentError, match=text):
        call()


def test_boxes_must_be_of_an_image():
    with pytest.raises(errors.OutOfRangeError, match=r"must lie in \[0, 1\)"):
        tf.image.crop_and_resize(X, [[0.0, 0.0, 1.0, 1.0]], [1], (2, 2))


@pytest.mark.parametrize("delta", [1.5, tf.constant(-2.0)])
def test_a_hue_turns_once_at_most(delta):
    with pytest.raises(ValueError, match=r"`delta` must lie in \[-1, 1\]"):
        tf.image.adjust_hue(tf.ones((2, 2, 3)), delta)


def test_a_gamma_in_a_tensor_is_checked_too():
    with pytest.raises(errors.InvalidArgumentError, match="must not be negative"):
        tf.image.adjust_gamma(tf.ones(2), tf.constant(-1.0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: tf.image.pad_to_bounding_box(tf.ones((0, 2, 3)), 0, 0, 1, 2),
        lambda: tf.image.crop_to_bounding_box(tf.ones((2, 2, 0)), 0, 0, 1, 1),
        lambda: tf.image.resize_with_crop_or_pad(tf.ones((0, 2, 3)), 1, 1),
    ],
)
def test_images_without_pixels_are_refused(call):
    with pytest.raises(ValueError, match="must have pixels and channels"):
        call()


def test_dtypes_that_differ_are_a_type_error_too():
    with pytest.raises(TypeError, match="must have one dtype"):
        tf.divide(tf.constant(1, tf.int8), tf.constant(2, tf.uint8))


def test_noise_with_more_entries_repeats_the_input():
    x = tf.nn.dropout(tf.ones((1, 30)), 0.5, noise_shape=(4, 1))
    assert x.shape == x.numpy().shape == (4, 30)


def test_numbers_of_trials_and_means_out_of_range():
    assert tf.random.poisson((2,), -1.0).numpy().tolist() == [0, 0]
    assert tf.random.stateless_poisson((2,), (1, 2), -1.0).numpy().tolist() == [0, 0]
    assert tf.random.stateless_binomial((2,), (1, 2), 3.0, 1.5).numpy().tolist() == [3, 3]
    assert tf.random.uniform((0,), 5, 2, tf.int32).shape == (0,)


def test_shards_of_an_embedding_take_rows_in_order():
    shards = [[1.0, 2.0], [3.0, 4.0]]
    assert tf.nn.embedding_lookup(shards, [2, 0]).numpy().tolist() == [3, 1]
    assert tf.nn.embedding_lookup([shards], [1]).numpy().tolist() == [[3, 4]]
    assert tf.nn.embedding_lookup([tf.ones((2, 3)), tf.zeros((1, 3))], [2, 1]).numpy()[
        :, 0
    ].tolist() == [0, 1]


def test_places_in_nothing():
    found = tf.searchsorted(tf.zeros((2, 0)), tf.zeros((2, 3)))
    assert found.numpy().tolist() == [[0, 0, 0]] * 2
    assert tf.searchsorted(tf.zeros((2, 3)), tf.zeros((2, 0))).shape == (2, 0)


def test_fingerprints_of_nothing_are_those_of_no_bytes():
    row = [79, 64, 144, 47, 59, 106, 225, 154]
    assert tf.fingerprint(tf.zeros((2, 0))).numpy().tolist() == [row, row]
    assert tf.fingerprint(tf.zeros((0, 2))).shape == (0, 8)


def test_slope_of_spence_about_one():
    x = tf.constant([0.5, 1.0, 1.00001, 3.0], tf.float64)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.math.special.spence(x)
        slope = tape.gradient(y, x)
    at = np.array([0.5, 1.0, 1.00001, 3.0])
    wanted = np.where(at == 1, -1, np.log(at) / np.where(at == 1, 1, 1 - at))
    np.testing.assert_allclose(slope, wanted, 1e-9)
    assert outer.gradient(slope, x).numpy()[1] == 0.5


def test_numbers_of_real_transforms_are_single_precision():
    assert tf.signal.irfft([1.0 + 0j, 2.0]).dtype is tf.float32
    assert tf.signal.rfft(np.array([1.0, 2.0])).dtype is tf.complex64
    assert tf.signal.rfft(tf.constant([1.0, 2.0], tf.float64)).dtype is tf.complex128
    assert tf.signal.fft([1.0 + 0j, 2.0]).dtype is tf.complex128


def test_clipping_rows_gives_rows():
    rows = tf.IndexedSlices(tf.constant([[3.0, 4.0]]), tf.constant([1]))
    clipped = tf.clip_by_norm(rows, 1.0)
    np.testing.assert_allclose(clipped.values, [[0.6, 0.8]], 1e-6)
    assert clipped.indices is rows.indices
    (clipped, none), norm = tf.clip_by_global_norm([rows, None], 10.0)
    assert (clipped.values.numpy().tolist(), none, float(norm)) == ([[3, 4]], None, 5)


def test_clipping_gradients_of_several_dtypes():
    given = [tf.constant([3.0]), tf.constant([4.0], tf.bfloat16)]
    clipped, norm = tf.clip_by_global_norm(given, 2.5)
    assert [t.dtype for t in clipped] == [tf.float32, tf.bfloat16]
    assert [float(t[0]) for t in clipped] == [1.5, 2.0]
    assert (norm.dtype, float(norm)) == (tf.float32, 5.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda: tf.nn.convolution(X, tf.ones((1, 2, 2, 1)), strides=2, dilations=2),
        lambda: tf.nn.pool(X, [1, 2], "AVG", strides=[2, 2], dilations=[2, 2]),
        lambda: tf.nn.pool(X, [1, 2], "MAX", padding="SAME", dilations=[2, 2]),
    ],
)
def test_dilated_windows_move_by_single_steps(call):
    with pytest.raises(ValueError, match="`dilations` above 1 go with strides of 1"):
        call()


def test_a_device_is_named_once():
    with pytest.raises(ValueError, match="Multiple device types"):
        tf.DeviceSpec.from_string("/cpu:0/gpu:0")


def test_a_generator_draws_all_integers():
    drawn = tf.random.Generator.from_seed(1).uniform((50,), None, None, tf.int32)
    assert drawn.dtype is tf.int32
    assert int(tf.reduce_min(drawn)) < 0


def test_logarithms_and_roots_where_eigenvalues_are_negative():
    given = np.array([[0.5, -2.0], [1.0, -3.0]]) + 0j
    assert np.linalg.eigvals(given).real.min() < 0
    for x in (tf.constant(given), tf.constant(np.stack([given, 2 * given]))):
        np.testing.assert_allclose(tf.linalg.expm(tf.linalg.logm(x)), x, atol=1e-9)
        root = tf.linalg.sqrtm(x)
        np.testing.assert_allclose(root @ root, x, atol=1e-9)


def test_slopes_of_zeta_and_betainc():
    a, b, x = (tf.constant(v, tf.float64) for v in (1.5, 0.7, 0.2))
    with tf.GradientTape(persistent=True) as outer:
        outer.watch((a, b, x))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch((a, b, x))
            beta, zeta = tf.math.betainc(a, b, x), tf.math.zeta(a, x)
        slope = tape.gradient(beta, x)
    np.testing.assert_allclose(slope, scipy.stats.beta(1.5, 0.7).pdf(0.2), rtol=1e-9)
    wanted = -1.5 * scipy.special.zeta(2.5, 0.2)
    np.testing.assert_allclose(tape.gradient(zeta, x), wanted, rtol=1e-9)
    step = 1e-6

    def density(a, b):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.math.betainc(a, b, x)
        return float(tape.gradient(y, x))

    wanted = (density(a + step, b) - density(a - step, b)) / (2 * step)
    np.testing.assert_allclose(outer.gradient(slope, a), wanted, rtol=1e-6)


def test_tridiagonal_systems_without_unused_elements():
    above, middle, below = [1.0, 2.0], [4.0, 5.0, 6.0], [1.0, 3.0]
    whole = tf.constant([[4.0, 1.0, 0.0], [1.0, 5.0, 2.0], [0.0, 3.0, 6.0]])
    for three in ((above, middle, below), ([*above, 9.0], middle, [9.0, *below])):
        found = tf.linalg.tridiagonal_solve(three, [1.0, 2.0, 3.0], diagonals_format="sequence")
        np.testing.assert_allclose(tf.linalg.matvec(whole, found), [1, 2, 3], rtol=1e-5)
    with pytest.raises(errors.InvalidArgumentError, match="must have 3 elements, or 2"):
        tf.linalg.tridiagonal_solve(
            ([1.0], middle, below), [1.0, 2.0, 3.0], diagonals_format="sequence"
        )
    with pytest.raises(errors.InvalidArgumentError, match="three diagonals"):
        tf.linalg.tridiagonal_solve(tf.ones((2, 3)), tf.ones(3))
    assert tf.linalg.tridiagonal_solve(tf.zeros((3, 0)), tf.zeros((0, 1))).shape == (0, 1)


def test_map_fn_keeps_to_its_signature():
    x = tf.constant([1, 2])
    for call in (tf.map_fn, tf.function(tf.map_fn)):
        with pytest.raises(errors.InvalidArgumentError, match="must return int32"):
            call(lambda t: tf.cast(t, tf.float32), x)
    with pytest.raises(ValueError, match="must return the structure"):
        tf.map_fn(lambda t: (t, t), x)
    with pytest.raises(ValueError, match="must return the shape"):
        tf.map_fn(lambda t: tf.ones(2), x, fn_output_signature=tf.TensorSpec([3], tf.float32))
    two = tf.map_fn(lambda t: (t, 0.5), x, fn_output_signature=(tf.int32, tf.float32))
    assert [t.dtype for t in two] == [tf.int32, tf.float32]


def test_functions_of_operators():
    dense = tf.constant([[4.0, 1.0], [2.0, 3.0]])
    a = tf.linalg.LinearOperatorFullMatrix(dense)
    x = tf.constant([[1.0], [2.0]])
    pairs = [
        (tf.matmul(a, x), tf.matmul(dense, x)),
        (tf.matmul(x, a, adjoint_a=True), tf.matmul(x, dense, adjoint_a=True)),
        (tf.matmul(a, a).to_dense(), tf.matmul(dense, dense)),
        (tf.linalg.matvec(a, [1.0, 2.0]), [6.0, 8.0]),
        (tf.linalg.solve(a, x), tf.linalg.solve(dense, x)),
        (tf.linalg.inv(a).to_dense(), tf.linalg.inv(dense)),
        (tf.linalg.adjoint(a).to_dense(), tf.transpose(dense)),
        (tf.linalg.trace(a), 7.0),
        (tf.linalg.det(a), 10.0),
        (tf.linalg.diag_part(a), [4.0, 3.0]),
    ]
    for found, wanted in pairs:
        np.testing.assert_allclose(found, wanted, rtol=1e-5)
    with pytest.raises(ValueError, match="takes `adjoint_a`"):
        tf.matmul(a, x, transpose_a=True)
    with pytest.raises(ValueError, match="`matrix` must be an operator"):
        tf.linalg.solve(x, a)


def test_keras_map_takes_what_the_function_returns():
    found = tf.keras.ops.map(lambda t: tf.cast(t, tf.float32) / 2, tf.constant([1, 2]))
    assert found.numpy().tolist() == [0.5, 1]
