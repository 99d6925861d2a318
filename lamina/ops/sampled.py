"""Losses over a sample of the classes, and the samplers they draw from."""

import collections
import dataclasses
import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import op, static_int
from lamina.ops import indexing, shaping
from lamina.ops.crossentropy import sigmoid_xent, softmax_xent
from lamina.ops.keys import folded
from lamina.ops.random import draw

__all__ = [
    "all_candidate_sampler",
    "compute_accidental_hits",
    "log_uniform_candidate_sampler",
    "nce_loss",
    "sampled_softmax_loss",
    "uniform_candidate_sampler",
]

Candidates = collections.namedtuple(
    "Candidates",
    ["sampled_candidates", "true_expected_count", "sampled_expected_count"],
)


def _probabilities(kind, size, weights):
    """Return the probability of each class, float64."""
    if kind == "uniform":
        return np.full(size, 1 / size)
    if kind == "log_uniform":
        places = np.arange(size, dtype=np.float64)
        return np.log1p(1 / (places + 1)) / math.log(size + 1)
    p = np.asarray(weights, np.float64)
    return p / p.sum()


def _tries(p, count):
    """Return how many independent draws give ``count`` distinct classes, on average."""
    low, high = float(count), 1e9
    for _ in range(60):
        middle = math.sqrt(low * high)
        enough = np.sum(-np.expm1(middle * np.log1p(-p))) > count
        low, high = (low, middle) if enough else (middle, high)
    return low


@functools.lru_cache(maxsize=32)
def _tables(kind, size, count, unique, weights):
    """Return the log probability of each class, and how often it is drawn on average.

    Programs draw in loops: the tables are made once, and are inputs that all the draws share.
    """
    p = _probabilities(kind, size, weights)
    if not unique:
        expected = p * count
    elif count == size:
        expected = np.ones(size)
    else:
        clipped = np.minimum(p, 1 - 1e-7)
        expected = -np.expm1(_tries(clipped, count) * np.log1p(-clipped))
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
    with jax.ensure_compile_time_eval():
        return jnp.asarray(log_p, jnp.float32), jnp.asarray(expected, jnp.float32)


@dataclasses.dataclass(frozen=True)
class _How:
    """How many classes are drawn, and whether each at most once."""

    count: int
    unique: bool
    weight: int = 48  # a draw compiles as slowly as so many operations: keep programs short


def drawn(key, counter, log_p, count, unique):
    """Return `count` classes drawn by their log probabilities, as JAX arrays."""
    key = folded(key, counter)
    if not unique:
        return jax.random.categorical(key, log_p, shape=(count,))
    # Gumbel's trick draws without replacement; expected counts are those of TF's rejection.
    noise = jax.random.gumbel(key, log_p.shape, jnp.float32)
    return jax.lax.top_k(log_p + noise, count)[1]


@op(mixed=True, differentiable=False)
def _sample(key, counter, true_classes, log_p, expected, *, how):
    sampled = drawn(key, counter, log_p, how.count, how.unique)
    return sampled.astype(jnp.int64), expected[true_classes], expected[sampled]


def check_count(who, count, size, unique):
    """Raise if there are not as many classes as distinct samples are asked for."""
    if unique and count > size:
        raise ValueError(
            f"{who}: `num_sampled` must be at most `range_max` where samples are unique; got "
            f"{count} of {size}.\n  Fix: unique=False, or fewer samples."
        )


def candidates(who, kind, true_classes, num_sampled, unique, size, seed, weights=None):
    """Draw classes by probabilities that do not change; see `uniform_candidate_sampler`."""
    count, size = static_int(num_sampled, f"{who}: `num_sampled`"), static_int(size, who)
    check_count(who, count, size, unique)
    log_p, expected = _tables(kind, size, count, bool(unique), weights)
    how = _How(count, bool(unique))
    return Candidates(*_sample(*draw(seed), true_classes, log_p, expected, how=how))


def uniform_candidate_sampler(
    true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None
):
    """Draw classes that are all equally likely.

    Args:
        true_classes: int64, ``(B, num_true)``.
        num_true: True classes of each example.
        num_sampled: How many classes to draw.
        unique: Whether a class is drawn at most once.
        range_max: Number of classes.
        seed: Of the stream of random numbers; None uses the global one.
        name: Accepted, unused.

    Returns:
        ``(sampled_candidates, true_expected_count, sampled_expected_count)``: int64
        ``(num_sampled,)``; how often a class is drawn on average, float32.

    State:
        The random stream moves on by one draw.

    Raises:
        ValueError: more unique samples than classes.

    Example:
        >>> from lamina import ops
        >>> ops.uniform_candidate_sampler([[0]], 1, 2, False, 4)[2].numpy()
        array([0.5, 0.5], dtype=float32)
    """
    who = "tf.random.uniform_candidate_sampler"
    return candidates(who, "uniform", true_classes, num_sampled, unique, range_max, seed)


def log_uniform_candidate_sampler(
    true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None
):
    """Draw classes with Zipf's frequencies: class c in proportion to ``log(1 + 1 / (c + 1))``.

    Args:
        true_classes: int64, ``(B, num_true)``.
        num_true: True classes of each example.
        num_sampled: How many classes to draw.
        unique: Whether a class is drawn at most once.
        range_max: Number of classes, the most frequent first.
        seed: Of the stream of random numbers; None uses the global one.
        name: Accepted, unused.

    Returns:
        ``(sampled_candidates, true_expected_count, sampled_expected_count)``: int64
        ``(num_sampled,)``; how often a class is drawn on average, float32.

    State:
        The random stream moves on by one draw.

    Raises:
        ValueError: more unique samples than classes.

    Example:
        >>> from lamina import ops
        >>> ops.log_uniform_candidate_sampler([[0]], 1, 2, False, 3)[1].numpy()
        array([[1.]], dtype=float32)
    """
    who = "tf.random.log_uniform_candidate_sampler"
    return candidates(who, "log_uniform", true_classes, num_sampled, unique, range_max, seed)


@op(mixed=True, differentiable=False)
def _all(true_classes, *, size):
    ones = jnp.ones(true_classes.shape, jnp.float32)
    return jnp.arange(size, dtype=jnp.int64), ones, jnp.ones((size,), jnp.float32)


def all_candidate_sampler(true_classes, num_true, num_sampled, unique, seed=None, name=None):
    """Return all classes, each once: for testing.

    Args:
        true_classes: int64, ``(B, num_true)``.
        num_true: True classes of each example.
        num_sampled: Number of classes.
        unique: Accepted, unused.
        seed: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(sampled_candidates, true_expected_count, sampled_expected_count)``.

    Example:
        >>> tf.nn.all_candidate_sampler([[0]], 1, 3, True)[0].numpy()
        array([0, 1, 2])
    """
    return Candidates(*_all(true_classes, size=num_sampled))


def compute_accidental_hits(true_classes, sampled_candidates, num_true, seed=None, name=None):
    """Return where sampled classes are true classes.

    Args:
        true_classes: int64, ``(B, num_true)``.
        sampled_candidates: int64, ``(S,)``.
        num_true: True classes of each example.
        seed: Accepted, unused.
        name: Accepted, unused.

    Returns:
        ``(indices, ids, weights)``, one entry for each hit: the row, int32; the place in
        ``sampled_candidates``, int64; and minus the largest float32.

    Example:
        >>> rows, places, _ = tf.nn.compute_accidental_hits([[4], [7]], [7, 5], 1)
        >>> rows.numpy(), places.numpy()
        (array([1], dtype=int32), array([0]))
    """
    true, sampled = (np.asarray(v) for v in (true_classes, sampled_candidates))
    rows, _, places = np.nonzero(true[:, :, None] == sampled)
    weights = np.full(rows.shape, -np.finfo(np.float32).max, np.float32)
    return tuple(_constant(v) for v in (rows.astype(np.int32), places.astype(np.int64), weights))


@op
def _constant(value):
    return value


@op(mixed=True)
def _sampled_loss(
    inputs,
    true_w,
    true_b,
    sampled_w,
    sampled_b,
    labels,
    sampled,
    true_q,
    sampled_q,
    *,
    softmax,
    remove_hits,
):
    """Return the loss of each example; the true classes' columns come first.

    Shapes: inputs ``(B, D)``, true_w ``(B, P, D)``, sampled_w ``(S, D)`` → ``(B,)``.
    """
    true = jnp.einsum("bd,bpd->bp", inputs, true_w) + true_b - jnp.log(true_q)
    other = jnp.matmul(inputs, sampled_w.T) + sampled_b - jnp.log(sampled_q)
    if remove_hits:
        hit = jnp.any(labels[:, :, None] == sampled, axis=1)  # (B, S)
        other = jnp.where(hit, other - float(np.finfo(np.float32).max), other)
    logits = jnp.concatenate([true, other], axis=1)
    positive = jnp.full_like(true, 1.0 / true.shape[1])
    targets = jnp.concatenate([positive, jnp.zeros_like(other)], axis=1)
    if softmax:
        return softmax_xent(targets, logits)
    return jnp.sum(sigmoid_xent(targets, logits), axis=1)


def _loss(weights: Any, biases, labels, inputs, sampled_values, softmax, remove_hits):
    if isinstance(weights, list | tuple):
        parts = list(weights)
        weights = shaping.concat(parts, 0) if len(parts) > 1 else parts[0]
    sampled, true_q, sampled_q = sampled_values
    return _sampled_loss(
        inputs,
        indexing.gather(weights, labels),
        indexing.gather(biases, labels),
        indexing.gather(weights, sampled),
        indexing.gather(biases, sampled),
        labels,
        sampled,
        true_q,
        sampled_q,
        softmax=softmax,
        remove_hits=remove_hits,
    )


def nce_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true: Any = 1,
    sampled_values=None,
    remove_accidental_hits=False,
    name="nce_loss",
):
    """Return the noise-contrastive estimation loss: true classes against a few sampled ones.

    Args:
        weights: ``(num_classes, D)``, floating point; or a list of tensors with as many rows.
        biases: ``(num_classes,)``.
        labels: int64, ``(B, num_true)``.
        inputs: ``(B, D)``.
        num_sampled: How many classes to draw for the batch.
        num_classes: Number of classes, the most frequent first.
        num_true: True classes of each example.
        sampled_values: What a candidate sampler returned; None draws log-uniformly.
        remove_accidental_hits: Ignore sampled classes that are true.
        name: Accepted, unused.

    Returns:
        ``(B,)``.

    State:
        The random stream moves on by one draw, if ``sampled_values`` is None.

    Example:
        >>> loss = tf.nn.nce_loss(tf.zeros((4, 2)), tf.zeros(4), [[1]], tf.ones((1, 2)), 2, 4)
        >>> loss.shape
        TensorShape([1])

    Reference: Gutmann and Hyvärinen 2010, "Noise-contrastive estimation".
    """
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(
            labels, num_true, num_sampled, True, num_classes
        )
    return _loss(weights, biases, labels, inputs, sampled_values, False, remove_accidental_hits)


def sampled_softmax_loss(
    weights,
    biases,
    labels,
    inputs,
    num_sampled,
    num_classes,
    num_true: Any = 1,
    sampled_values=None,
    remove_accidental_hits=True,
    seed=None,
    name="sampled_softmax_loss",
):
    """Return the softmax cross-entropy over the true classes and a few sampled ones.

    Args:
        weights: ``(num_classes, D)``, floating point; or a list of tensors with as many rows.
        biases: ``(num_classes,)``.
        labels: int64, ``(B, num_true)``.
        inputs: ``(B, D)``.
        num_sampled: How many classes to draw for the batch.
        num_classes: Number of classes, the most frequent first.
        num_true: True classes of each example.
        sampled_values: What a candidate sampler returned; None draws log-uniformly.
        remove_accidental_hits: Ignore sampled classes that are true.
        seed: Of the stream of random numbers; None uses the global one.
        name: Accepted, unused.

    Returns:
        ``(B,)``.

    State:
        The random stream moves on by one draw, if ``sampled_values`` is None.

    Example:
        >>> loss = tf.nn.sampled_softmax_loss(
        ...     tf.zeros((4, 2)), tf.zeros(4), [[1]], tf.ones((1, 2)), 2, 4
        ... )
        >>> loss.shape
        TensorShape([1])

    Reference: Jean et al. 2014, https://arxiv.org/abs/1412.2007, section 3.
    """
    if sampled_values is None:
        sampled_values = log_uniform_candidate_sampler(
            labels, num_true, num_sampled, True, num_classes, seed
        )
    return _loss(weights, biases, labels, inputs, sampled_values, True, remove_accidental_hits)
