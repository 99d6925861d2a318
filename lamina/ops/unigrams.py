"""Samplers of classes by counts: given, from a file, or of the true classes so far."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import Variable, errors, init_scope, op, static_int
from lamina.ops.random import draw
from lamina.ops.sampled import Candidates, candidates, check_count, drawn

__all__ = ["fixed_unigram_candidate_sampler", "learned_unigram_candidate_sampler"]


def fixed_unigram_candidate_sampler(
    true_classes,
    num_true,
    num_sampled,
    unique,
    range_max,
    vocab_file="",
    distortion: Any = 1.0,
    num_reserved_ids: Any = 0,
    num_shards: Any = 1,
    shard: Any = 0,
    unigrams: Any = (),
    seed=None,
    name=None,
):
    """Draw classes in proportion to ``unigrams ** distortion``.

    Args:
        true_classes: int64, ``(B, num_true)``.
        num_true: True classes of each example.
        num_sampled: How many classes to draw.
        unique: Whether a class is drawn at most once.
        range_max: Number of classes, of this shard.
        vocab_file: The path of a text file with a line for each class, whose count stands behind
            the last comma; in place of ``unigrams``.
        distortion: Exponent of the counts; 0 draws uniformly.
        num_reserved_ids: Classes before the first count, never drawn.
        num_shards: Of how many shards this is one; it has every so many-th class.
        shard: Its number, from 0.
        unigrams: A count for each class.
        seed: Of the stream of random numbers; None uses the global one.
        name: Accepted, unused.

    Returns:
        ``(sampled_candidates, true_expected_count, sampled_expected_count)``; classes are counted
        within the shard.

    State:
        The random stream moves on by one draw.

    Raises:
        InvalidArgumentError: there is another number of counts than `range_max`.
        NotFoundError: there is no file `vocab_file`.
        ValueError: both or none of `vocab_file` and `unigrams` are given, or more unique samples
            than classes.

    Example:
        >>> tf.nn.fixed_unigram_candidate_sampler([[0]], 1, 2, False, 2, unigrams=(3, 1))[1].numpy()
        array([[1.5]], dtype=float32)
    """
    who = "tf.nn.fixed_unigram_candidate_sampler"
    if bool(vocab_file) == (len(unigrams) > 0):
        raise ValueError(
            f"{who}: one of `vocab_file` and `unigrams` was expected; got "
            f"{'both' if vocab_file else 'none'}.\n"
            f"  Fix: pass a count for each class as unigrams=."
        )
    counts = _counts_of(vocab_file, who) if vocab_file else unigrams
    weights = (0.0,) * num_reserved_ids + tuple(float(count) ** distortion for count in counts)
    weights = tuple(w for i, w in enumerate(weights) if i % num_shards == shard)
    if len(weights) != range_max:
        raise errors.InvalidArgumentError(
            f"{who}: one count for each of `range_max` = {range_max} classes was expected, those "
            f"reserved included; got {len(weights)}.\n"
            f"  Fix: range_max={len(weights)}, or other counts, shards or num_reserved_ids."
        )
    return candidates(who, "unigram", true_classes, num_sampled, unique, range_max, seed, weights)


def _counts_of(path: Any, who: str) -> list[float]:
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except FileNotFoundError:
        raise errors.NotFoundError(f"{who}: `vocab_file` {str(path)!r} does not exist.") from None
    try:
        return [float(line.rpartition(",")[2]) for line in lines if line]
    except ValueError as error:
        raise errors.InvalidArgumentError(
            f"{who}: each line of `vocab_file` must end in a count behind a comma; {error}.\n"
            f"  Fix: write lines such as 'word,12'."
        ) from None


# ---- learned -------------------------------------------------------------------------------------

# The counts of the true classes so far, by what the sampler was asked for.
_learned: dict[tuple[Any, ...], Variable] = {}


def learned_unigram_candidate_sampler(
    true_classes, num_true, num_sampled, unique, range_max, seed=None, name=None
):
    """Draw classes as often as they were true classes in the calls before, and once.

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
        The random stream moves on by one draw. The true classes are counted after the draw; all
        calls with the same other arguments share the counts.

    Raises:
        ValueError: more unique samples than classes.

    Example:
        >>> ask = lambda: tf.random.learned_unigram_candidate_sampler([[1, 1]], 2, 4, False, 2)
        >>> ask()[1].numpy(), ask()[1].numpy()
        (array([[2., 2.]], dtype=float32), array([[3., 3.]], dtype=float32))
    """
    who = "tf.random.learned_unigram_candidate_sampler"
    count, size = static_int(num_sampled, f"{who}: `num_sampled`"), static_int(range_max, who)
    check_count(who, count, size, unique)
    key = (num_true, count, bool(unique), size, seed)
    if key not in _learned:
        with init_scope():
            _learned[key] = Variable(np.ones(size, np.float32), trainable=False, name="counts")
    counts = _learned[key]
    *found, updated = _learn(*draw(seed), true_classes, counts, count=count, unique=bool(unique))
    counts.assign(updated)
    return Candidates(*found)


@op(mixed=True, differentiable=False)
def _learn(key, counter, true_classes, counts, *, count, unique):
    p = counts / jnp.sum(counts)
    sampled = drawn(key, counter, jnp.log(p), count, unique)
    expected = _distinct(p, count) if unique else p * count
    updated = counts.at[jnp.ravel(true_classes)].add(1.0)
    return sampled.astype(jnp.int64), expected[true_classes], expected[sampled], updated


def _distinct(p, count):
    """Return how often classes are drawn until there are `count` distinct ones, on average."""
    if count == p.shape[0]:
        return jnp.ones_like(p)
    log_rest = jnp.log1p(-jnp.minimum(p, 1 - 1e-7))

    def halve(_, bounds):
        low, high = bounds
        middle = jnp.sqrt(low * high)
        enough = jnp.sum(-jnp.expm1(middle * log_rest)) > count
        return jnp.where(enough, low, middle), jnp.where(enough, middle, high)

    low, _ = jax.lax.fori_loop(0, 60, halve, (jnp.float32(count), jnp.float32(1e9)))
    return -jnp.expm1(low * log_rest)
