"""Activations, norms, cross-entropies, dropout, embeddings, sampled losses, CTC."""

import itertools
import math

import jax
import numpy as np
import pytest
from jax import export

from lamina import ops
from lamina.engine import GradientTape, convert_to_tensor, errors, function
from lamina.ops import rnn
from tests.tolerances import assert_close

RNG = np.random.RandomState(0)
X = RNG.randn(3, 4).astype("float32")


def gradient(fn, *values):
    """Return the gradients of the sum of ``fn`` with respect to each value."""
    tensors = [convert_to_tensor(v) for v in values]
    with GradientTape() as tape:
        for t in tensors:
            tape.watch(t)
        y = ops.reduce_sum(fn(*tensors))
    return tape.gradient(y, tensors)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


ERF = np.vectorize(math.erf)

# name → (function, keyword arguments, NumPy reference)
FORMULAS = {
    "relu": (ops.relu, {}, lambda x: np.maximum(x, 0)),
    "relu6": (ops.relu6, {}, lambda x: np.clip(x, 0, 6)),
    "crelu": (ops.crelu, {}, lambda x: np.maximum(np.concatenate([x, -x], -1), 0)),
    "leaky_relu": (ops.leaky_relu, {"alpha": 0.1}, lambda x: np.where(x > 0, x, 0.1 * x)),
    "elu": (ops.elu, {"alpha": 2.0}, lambda x: np.where(x > 0, x, 2 * np.expm1(x))),
    "selu": (
        ops.selu,
        {},
        lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(x)),
    ),
    "celu": (ops.celu, {"alpha": 2.0}, lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2))),
    "gelu": (ops.gelu, {}, lambda x: x * 0.5 * (1 + ERF(x / np.sqrt(2)))),
    "gelu_tanh": (
        ops.gelu,
        {"approximate": True},
        lambda x: x * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ),
    "glu": (ops.glu, {}, lambda x: x[..., :2] * sigmoid(x[..., 2:])),
    "sigmoid": (ops.sigmoid, {}, sigmoid),
    "log_sigmoid": (ops.log_sigmoid, {}, lambda x: np.log(sigmoid(x))),
    "softplus": (ops.softplus, {}, lambda x: np.log1p(np.exp(x))),
    "softsign": (ops.softsign, {}, lambda x: x / (1 + abs(x))),
    "silu": (ops.silu, {}, lambda x: x * sigmoid(x)),
    "swish": (ops.silu, {"beta": 2.0}, lambda x: x * sigmoid(2 * x)),
    "hard_sigmoid": (ops.hard_sigmoid, {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "hard_silu": (ops.hard_silu, {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "hard_tanh": (ops.hard_tanh, {}, lambda x: np.clip(x, -1, 1)),
    "hard_shrink": (ops.hard_shrink, {}, lambda x: np.where(abs(x) > 0.5, x, 0)),
    "soft_shrink": (ops.soft_shrink, {}, lambda x: np.sign(x) * np.maximum(abs(x) - 0.5, 0)),
    "tanh_shrink": (ops.tanh_shrink, {}, lambda x: x - np.tanh(x)),
    "squareplus": (ops.squareplus, {}, lambda x: (x + np.sqrt(x**2 + 4)) / 2),
    "sparse_plus": (
        ops.sparse_plus,
        {},
        lambda x: np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4)),
    ),
    "sparse_sigmoid": (ops.sparse_sigmoid, {}, lambda x: np.clip((x + 1) / 2, 0, 1)),
    "mish": (ops.mish, {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
    "softmax": (ops.softmax, {"axis": 0}, lambda x: softmax(x, 0)),
    "log_softmax": (ops.log_softmax, {}, lambda x: np.log(softmax(x))),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_is_its_formula(name):
    fn, kwargs, reference = FORMULAS[name]
    assert_close(fn(X, **kwargs).numpy(), reference(X.astype("float64")), "float32")


@pytest.mark.parametrize("name", FORMULAS)
def test_activation_gradient_is_the_slope(name):
    fn, kwargs, reference = FORMULAS[name]
    x, step = X.astype("float64") + 0.01, 1e-5
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        slopes[place] = (reference(up).sum() - reference(down).sum()) / (2 * step)
    (found,) = gradient(lambda v: fn(v, **kwargs), x)
    assert_close(found.numpy(), slopes, "float32")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_activation_keeps_the_dtype(name, dtype):
    fn, kwargs, _ = FORMULAS[name]
    assert fn(ops.cast(X, dtype), **kwargs).dtype.name == dtype


@pytest.mark.parametrize(
    ("fn", "at", "slope"),
    [
        (ops.relu, 0.0, 0.0),
        (ops.relu, np.nan, 0.0),
        (ops.relu6, 0.0, 0.0),
        (ops.relu6, 6.0, 0.0),
        (ops.leaky_relu, 0.0, 0.2),
        (ops.elu, 0.0, 1.0),
        (ops.selu, 0.0, 1.0507),
        (ops.softplus, 0.0, 0.5),
        (ops.hard_tanh, 1.0, 1.0),
        (ops.softsign, 0.0, 1.0),
    ],
)
def test_gradient_at_a_joint_is_tf_s(fn, at, slope):
    assert_close(gradient(fn, np.float32(at))[0].numpy(), slope, "float32")


def test_relu_takes_integers_and_leaky_relu_converts_them():
    assert ops.relu(np.array([-1, 2])).numpy().tolist() == [0, 2]
    assert ops.leaky_relu(np.array([-1, 2])).dtype.name == "float32"


def test_relu_keeps_nan():
    assert np.isnan(ops.relu([np.nan]).numpy()).all()


@pytest.mark.parametrize("fn", [ops.softmax, ops.sigmoid, ops.elu, ops.gelu, ops.l2_loss])
def test_integers_raise_where_tf_wants_floats(fn):
    with pytest.raises(errors.InvalidArgumentError, match="must be float or complex; got int32"):
        fn([1, 2])


def test_glu_of_odd_size_says_so():
    with pytest.raises(ValueError, match="axis -1 must be even"):
        ops.glu([1.0, 2.0, 3.0])


def test_every_rnn_activation_takes_one_array():
    with jax.enable_x64(True):
        for name, body in rnn.ACTIVATIONS.items():
            assert body(jax.numpy.asarray(X)).dtype == np.float32, name


# --- moments and norms ------------------------------------------------------------------------


@pytest.mark.parametrize("axes", [[0], [1], [0, 1], (-1,)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_moments(axes, keepdims):
    mean, variance = ops.moments(X, axes, keepdims=keepdims)
    assert_close(mean.numpy(), X.mean(tuple(axes), keepdims=keepdims))
    assert_close(variance.numpy(), X.var(tuple(axes), keepdims=keepdims))


def test_moments_of_half_are_summed_in_float32():
    x = np.full((70000,), 1.0, "float16")
    mean, variance = ops.moments(x, [0])
    assert (mean.dtype.name, float(mean), float(variance)) == ("float16", 1.0, 0.0)


def test_moments_of_an_axis_out_of_range():
    with pytest.raises(errors.InvalidArgumentError, match="must be an int in"):
        ops.moments(X, [2])


def test_weighted_moments_count_values():
    mean, variance = ops.weighted_moments([1.0, 4.0], [0], [2.0, 1.0])
    assert_close(mean.numpy(), np.mean([1, 1, 4]), "float32")
    assert_close(variance.numpy(), np.var([1, 1, 4]), "float32")


def test_sufficient_statistics_give_the_moments_back():
    count, mean_ss, variance_ss, shift = ops.sufficient_statistics(X, [0], shift=0.5)
    mean, variance = ops.normalize_moments(count, mean_ss, variance_ss, shift)
    assert_close(mean.numpy(), X.mean(0))
    assert_close(variance.numpy(), X.var(0))


def normalized(x, axes, epsilon, scale=1.0, offset=0.0):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + epsilon) * scale + offset


def test_batch_norm_train_normalises_each_channel():
    scale, offset = RNG.randn(2, 4).astype("float32")
    y, mean, variance = ops.batch_norm_train(X, offset, scale, None)
    assert_close(y.numpy(), normalized(X, 0, 1e-3, scale, offset))
    assert_close(mean.numpy(), X.mean(0))
    assert_close(variance.numpy(), X.var(0))
    assert_close(ops.batch_norm(X, mean, variance, offset, scale).numpy(), y.numpy())


def test_batch_norm_train_leaves_masked_positions_out_of_the_statistics():
    x = RNG.randn(2, 3, 4).astype("float32")
    mask = np.array([[1, 1, 0], [0, 1, 0]], bool)
    _, mean, variance = ops.batch_norm_train(x, None, None, mask)
    assert_close(mean.numpy(), x[mask].mean(0))
    assert_close(variance.numpy(), x[mask].var(0))


def test_batch_norm_on_another_axis():
    x = RNG.randn(2, 3, 4).astype("float32")
    y, mean, _ = ops.batch_norm_train(x, None, None, None, axis=1)
    assert_close(y.numpy(), normalized(x, (0, 2), 1e-3))
    assert mean.shape == (3,)


def test_batch_norm_mask_of_wrong_rank():
    with pytest.raises(ValueError, match="one axis less"):
        ops.batch_norm_train(X, None, None, np.ones((3, 4), bool))


def test_norms_follow_their_equations():
    x, scale, offset = RNG.randn(2, 3, 4), RNG.randn(4), RNG.randn(4)
    assert_close(ops.layer_norm(x, scale, offset).numpy(), normalized(x, -1, 1e-3, scale, offset))
    wide = RNG.randn(3, 4)
    assert_close(
        ops.layer_norm(x, wide, None, axes=(1, 2)).numpy(), normalized(x, (1, 2), 1e-3, wide)
    )
    root = np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    assert_close(ops.rms_norm(x, scale).numpy(), x / root * scale)
    grouped = normalized(x.reshape(2, 3, 2, 2), (1, 3), 1e-3).reshape(x.shape) * scale + offset
    assert_close(ops.group_norm(x, scale, offset, groups=2).numpy(), grouped)


def test_group_norm_needs_a_divisor():
    with pytest.raises(ValueError, match="3 groups, 4 channels"):
        ops.group_norm(X, None, None, groups=3)


@pytest.mark.parametrize("fn", [ops.layer_norm, ops.rms_norm, ops.batch_norm_train])
def test_half_norms_return_half(fn):
    x = ops.cast(X, "float16")
    out = fn(x, *[None] * (len(fn.operands) - 1))
    assert (out[0] if isinstance(out, tuple) else out).dtype.name == "float16"


def test_batch_normalization_without_scale_and_offset():
    y = ops.batch_normalization(X, X.mean(0), X.var(0), None, None, 1e-3)
    assert_close(y.numpy(), normalized(X, 0, 1e-3))


def test_lrn_divides_by_the_neighbourhood():
    x = RNG.randn(1, 1, 1, 5).astype("float32")
    sums = [sum(x.ravel()[max(c - 1, 0) : c + 2] ** 2) for c in range(5)]
    y = ops.lrn(x, depth_radius=1, bias=2.0, alpha=0.5, beta=0.75)
    assert_close(y.numpy().ravel(), x.ravel() / (2 + 0.5 * np.array(sums)) ** 0.75, "float32")


# --- cross-entropies --------------------------------------------------------------------------

LABELS = np.array([2, 0, 3])
ONE_HOT = np.eye(4, dtype="float32")[LABELS]
LOSSES = -np.log(softmax(X))[np.arange(3), LABELS]


def test_softmax_cross_entropies_agree():
    assert_close(ops.softmax_cross_entropy_with_logits(ONE_HOT, X).numpy(), LOSSES)
    assert_close(ops.sparse_softmax_cross_entropy_with_logits(LABELS, X).numpy(), LOSSES)
    assert_close(ops.softmax_cross_entropy_with_logits(ONE_HOT.T, X.T, axis=0).numpy(), LOSSES)


def test_softmax_cross_entropy_gradient_takes_labels_to_sum_to_one():
    labels = np.full((3, 4), 0.5, "float32")
    to_labels, to_logits = gradient(ops.softmax_cross_entropy_with_logits, labels, X)
    assert_close(to_logits.numpy(), softmax(X) - labels)
    assert_close(to_labels.numpy(), -np.log(softmax(X)))


def test_sparse_cross_entropy_gradient():
    (found,) = gradient(lambda x: ops.sparse_softmax_cross_entropy_with_logits(LABELS, x), X)
    assert_close(found.numpy(), softmax(X) - ONE_HOT)


def test_sparse_cross_entropy_of_an_unknown_class_is_nan():
    loss = ops.sparse_softmax_cross_entropy_with_logits([1, 4, -1], X).numpy()
    assert np.isnan(loss).tolist() == [False, True, True]


def test_sparse_cross_entropy_checks_shapes_and_dtypes():
    with pytest.raises(ValueError, match="must have the same shape"):
        ops.sparse_softmax_cross_entropy_with_logits([1], X)
    with pytest.raises(ValueError, match="must hold class numbers"):
        ops.sparse_softmax_cross_entropy_with_logits(ONE_HOT[:, 0], X)


def test_sigmoid_cross_entropy():
    z = RNG.rand(3, 4).astype("float32")
    expected = -z * np.log(sigmoid(X)) - (1 - z) * np.log(1 - sigmoid(X))
    assert_close(ops.sigmoid_cross_entropy_with_logits(labels=z, logits=X).numpy(), expected)
    weighted = -3 * z * np.log(sigmoid(X)) - (1 - z) * np.log(1 - sigmoid(X))
    assert_close(ops.weighted_cross_entropy_with_logits(z, X, 3.0).numpy(), weighted)


def test_sigmoid_cross_entropy_slope_and_curvature_at_zero():
    x = convert_to_tensor(0.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = ops.sigmoid_cross_entropy_with_logits(labels=0.25, logits=x)
        slope = inner.gradient(y, x)
    assert (float(slope), float(outer.gradient(slope, x))) == (0.25, 0.25)


def test_sigmoid_cross_entropy_arguments():
    with pytest.raises(ValueError, match="must both be given"):
        ops.sigmoid_cross_entropy_with_logits(labels=X)
    with pytest.raises(ValueError, match="must have the same shape"):
        ops.sigmoid_cross_entropy_with_logits(labels=X, logits=X[:1])


def test_probability_cross_entropies_are_keras_s():
    p = softmax(X)
    assert_close(ops.categorical_crossentropy(ONE_HOT, 3 * p).numpy(), LOSSES)
    assert_close(ops.sparse_categorical_crossentropy(LABELS[:, None], p).numpy(), LOSSES)
    assert_close(ops.categorical_crossentropy(ONE_HOT, X, from_logits=True).numpy(), LOSSES)
    y = ops.binary_crossentropy([0.0, 1.0], [1.0, 1.0]).numpy()
    assert_close(y, [-np.log(np.float32(1) - np.float32(1 - 1e-7)), 1e-7], "float32")


def test_crossentropy_shapes_must_agree():
    for fn in (ops.categorical_crossentropy, ops.binary_crossentropy):
        with pytest.raises(ValueError, match="same shape"):
            fn(X, X[:, :3])
    with pytest.raises(ValueError, match="`axis` must be the last one"):
        ops.sparse_categorical_crossentropy(LABELS, X, axis=0)


def test_log_poisson_loss_with_stirling():
    z = np.array([0.5, 3.0])
    loss = ops.log_poisson_loss(z, [0.0, 0.0], compute_full_loss=True).numpy()
    assert_close(loss, [1, 1 + 3 * np.log(3) - 3 + 0.5 * np.log(6 * np.pi)], "float32")


def test_average_loss_divides_by_the_global_batch():
    assert float(ops.compute_average_loss([1.0, 3.0], [1.0, 0.5], global_batch_size=5)) == 0.5
    assert float(ops.compute_average_loss(np.float32([[1, 1], [2, 2]]), [1.0, 0.5])) == 2.0
    with pytest.raises(ValueError, match="one value for each example"):
        ops.compute_average_loss(1.0)


# --- the rest ---------------------------------------------------------------------------------


def test_bias_add_in_both_layouts():
    x, b = RNG.randn(2, 3, 4, 4), np.arange(4.0)
    assert_close(ops.bias_add(x, b).numpy(), x + b)
    assert_close(ops.bias_add(x, b[:3], "NC...").numpy(), x + b[:3, None, None])
    with pytest.raises(ValueError, match="3 entries, 4 channels"):
        ops.bias_add(x, b[:3])


def test_dropout_keeps_the_mean_and_scales():
    x = np.ones((100, 100), "float32")
    y = ops.dropout(x, 0.25).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert abs(y.mean() - 1) < 0.02
    rows = ops.dropout(x, 0.5, noise_shape=[None, 1]).numpy()
    assert (rows == rows[:, :1]).all()


def test_dropout_draws_anew_and_a_function_too():
    drop = function(lambda x: ops.dropout(x, 0.5))
    x = ops.ones(64)
    draws = [ops.dropout(x, 0.5), ops.dropout(x, 0.5), drop(x), drop(x)]
    assert len({d.numpy().tobytes() for d in draws}) == 4


def test_stateless_dropout_depends_on_its_seed():
    x = ops.ones(64)
    a, b, c = (ops.stateless_dropout(x, 0.5, seed=[1, s]).numpy() for s in (2, 2, 3))
    assert (a == b).all()
    assert (a != c).any()


def test_dropout_arguments():
    assert ops.dropout(X, 0.0).numpy().tolist() == X.tolist()
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\); got 1"):
        ops.dropout(X, 1)
    with pytest.raises(ValueError, match="must be floating point"):
        ops.dropout([1, 2], 0.5)


def test_embedding_lookup_gathers_clips_and_adds_gradients_up():
    table = RNG.randn(5, 3).astype("float32")
    ids = np.array([[1, 1], [2, 0]])
    assert_close(ops.embedding_lookup(table, ids).numpy(), table[ids])
    assert_close(ops.embedding_lookup([table[:3], table[3:]], ids).numpy(), table[ids])
    norms = np.linalg.norm(ops.embedding_lookup(table, ids, max_norm=0.5).numpy(), axis=-1)
    assert (norms <= 0.5001).all()
    (found,) = gradient(lambda t: ops.embedding_lookup(t, ids), table)
    counts = np.bincount(ids.ravel(), minlength=5)
    assert_close(ops.convert_to_tensor(found).numpy(), np.tile(counts[:, None], 3), "float32")


def test_isotonic_regression_averages_and_so_does_its_gradient():
    y, segments = ops.isotonic_regression([1.0, 3.0, 2.0, 4.0], decreasing=False)
    assert y.numpy().tolist() == [1, 2.5, 2.5, 4]
    assert segments.numpy().tolist() == [0, 1, 1, 2]
    weights = convert_to_tensor([1.0, 2.0, 4.0, 8.0])
    (found,) = gradient(
        lambda x: weights * ops.isotonic_regression(x, decreasing=False)[0], [1.0, 3.0, 2.0, 4.0]
    )
    assert found.numpy().tolist() == [1, 3, 3, 8]


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize(
    "sampler", [ops.log_uniform_candidate_sampler, ops.uniform_candidate_sampler]
)
def test_candidate_samplers_expect_what_they_draw(sampler, unique):
    counts, expected = np.zeros(8), np.zeros(8)
    for _ in range(200):
        drawn, true, _ = sampler(np.arange(8)[None], 8, 3, unique, 8)
        counts += np.bincount(drawn.numpy(), minlength=8)
        expected += true.numpy()[0]
        assert not unique or len(set(drawn.numpy())) == 3
    assert_close(expected.sum(), 600.0, "float32")
    assert abs(counts - expected).max() < 60


def test_samplers_refuse_more_unique_samples_than_classes():
    with pytest.raises(ValueError, match="4 of 3"):
        ops.uniform_candidate_sampler([[0]], 1, 4, True, 3)


def test_sampled_softmax_over_all_classes_is_the_softmax():
    weights, biases = RNG.randn(5, 4).astype("float32"), RNG.randn(5).astype("float32")
    labels = np.array([[2], [0], [4]])
    every = ops.all_candidate_sampler(labels, 1, 5, True)
    loss = ops.sampled_softmax_loss(weights, biases, labels, X, 5, 5, sampled_values=every)
    logits = X @ weights.T + biases
    assert_close(loss.numpy(), -np.log(softmax(logits))[np.arange(3), labels[:, 0]])
    nce = ops.nce_loss(weights, biases, labels, X, 5, 5, sampled_values=every).numpy()
    own = -np.log(sigmoid(logits))[np.arange(3), labels[:, 0]]
    assert_close(nce, own - np.log(1 - sigmoid(logits)).sum(1))


def brute_force_ctc(p, labels, blank=0):
    """Add up all alignments of a short sequence."""
    total = 0.0
    for path in itertools.product(range(p.shape[1]), repeat=p.shape[0]):
        merged = [c for c, _ in itertools.groupby(path)]
        if [c for c in merged if c != blank] == list(labels):
            total += np.prod(p[np.arange(len(path)), path])
    return -np.log(total)


def test_ctc_loss_adds_up_all_alignments():
    logits = RNG.randn(3, 4, 3).astype("float32")
    labels, lengths, frames = np.array([[1, 2], [1, 1], [2, 0]]), [2, 2, 1], [4, 3, 2]
    loss = ops.ctc_loss(labels, logits, lengths, frames, logits_time_major=False)
    expected = [
        brute_force_ctc(softmax(logits[i, : frames[i]]), labels[i, : lengths[i]]) for i in range(3)
    ]
    assert_close(loss.numpy(), expected, "float32")


def test_ctc_loss_of_too_few_frames_is_large_and_its_gradient_finite():
    logits = np.zeros((1, 1, 3), "float32")
    unbounded = ops.ctc_loss_unbounded([[0, 1]], logits, [2], [1])
    assert np.isinf(unbounded.numpy()).all()

    def fn(x):
        return ops.ctc_loss([[1, 2]], x, [2], [1])

    # One frame, two labels: the blank or the first label, and an end where none may be.
    assert_close(fn(logits), [-np.log(2 / 3) - np.log(1e-307)])
    (slope,) = gradient(fn, logits)
    assert np.isfinite(slope.numpy()).all()
    assert np.abs(slope.numpy()).max() > 0.01


def test_ctc_greedy_merges_and_drops_blanks():
    frames = np.eye(3, dtype="float32")[[[1, 1, 0, 1, 2]]]
    assert ops.ctc_greedy(frames, [5])[0].numpy().tolist() == [[1, 1, 2, -1, -1]]
    assert ops.ctc_greedy(frames, [4], merge_repeated=False)[0].numpy().tolist() == [
        [1, 1, 1, -1, -1]
    ]


# --- unknown batch ----------------------------------------------------------------------------

B = export.symbolic_shape("b")[0]
SYMBOLIC = {
    "batch_norm_train": (ops.batch_norm_train, [(B, 4, 3), (3,), (3,), None], {}),
    "layer_norm": (ops.layer_norm, [(B, 4, 3), (3,), (3,)], {}),
    "group_norm": (ops.group_norm, [(B, 4, 4), (4,), (4,)], {"groups": 2}),
    "rms_norm": (ops.rms_norm, [(B, 4, 3), (3,)], {}),
    "softmax": (ops.softmax, [(B, 4)], {}),
    "sparsemax": (ops.sparsemax, [(B, 4)], {}),
    "binary": (ops.binary_crossentropy, [(B, 4), (B, 4)], {}),
    "categorical": (ops.categorical_crossentropy, [(B, 4), (B, 4)], {"from_logits": True}),
    "sparse": (ops.sparse_categorical_crossentropy, [(B, 1), (B, 4)], {}),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_kernel_takes_an_unknown_batch(name):
    fn, shapes, kwargs = SYMBOLIC[name]
    given = [None if s is None else jax.ShapeDtypeStruct(s, np.float32) for s in shapes]
    present = [g for g in given if g is not None]

    def body(*values):
        values = iter(values)
        return fn.body(*[None if g is None else next(values) for g in given], **kwargs)

    with jax.enable_x64(True):
        out = jax.eval_shape(body, *present)
    first = out[0] if isinstance(out, tuple) else out
    assert first.shape[0] == B
    assert first.dtype == np.float32
