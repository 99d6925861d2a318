"""Connectionist temporal classification: the loss, greedy decoding and beam search."""

import math

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op

__all__ = ["ctc_beams", "ctc_greedy", "ctc_loss", "ctc_loss_unbounded"]

# Stands for log(0): finite, so that gradients of impossible alignments are 0 and not NaN.
_NEVER = -1e30
# TensorFlow's log(0) of starting or ending elsewhere than a sequence does: it gives labels that are
# longer than their frames a finite loss, and is lost in rounding beside any alignment there is.
_ELSEWHERE = math.log(1e-307)


def _with_blanks(labels, blank):
    """Return ``blank, l1, blank, l2, …, blank``: ``(B, L)`` → ``(B, 2 L + 1)``."""
    pairs = jnp.stack([jnp.full_like(labels, blank), labels], axis=-1)
    flat = jnp.reshape(pairs, (labels.shape[0], 2 * labels.shape[1]))
    return jnp.concatenate([flat, jnp.full_like(labels[:, :1], blank)], axis=1)


def _moved(scores, by):
    """Return the scores of the state ``by`` places before each state."""
    filler = jnp.full_like(scores[..., :by], _NEVER)
    return jnp.concatenate([filler, scores[..., :-by]], axis=-1)


@op(mixed=True)
def _ctc_loss(labels, logits, label_length, logit_length, *, time_major, blank, bounded):
    wide = jnp.promote_types(logits.dtype, jnp.float32)
    log_p = jax.nn.log_softmax(logits.astype(wide), axis=-1)
    log_p = log_p if time_major else jnp.swapaxes(log_p, 0, 1)  # (T, B, C)
    blank = blank % logits.shape[-1]
    states = _with_blanks(labels.astype(jnp.int32), blank)  # (B, S)
    # A label may follow the label before it without a blank, unless both are the same.
    skips = (states != blank) & (states != jnp.pad(states, ((0, 0), (2, 0)))[:, :-2])
    seen = jnp.take_along_axis(log_p, states[None], axis=2)  # (T, B, S)

    def reached(scores):
        before = jnp.logaddexp(scores, _moved(scores, 1))
        return jnp.logaddexp(before, jnp.where(skips, _moved(scores, 2), _NEVER))

    def step(scores, now):
        seen, t = now
        return jnp.where((t < logit_length)[:, None], reached(scores) + seen, scores), None

    first = lax.broadcasted_iota(jnp.int32, states.shape, 1) < 2
    start = jnp.where(first, jnp.zeros((), wide), _NEVER)
    elsewhere = reached(jnp.full_like(start, _ELSEWHERE))
    times = lax.broadcasted_iota(logit_length.dtype, (seen.shape[0],), 0)
    scores, _ = lax.scan(step, jnp.stack([start, elsewhere]) + seen[0], (seen[1:], times[1:]))
    whole, headless = _at_end(scores, label_length)
    if not bounded:
        return jnp.where(whole < _NEVER / 2, jnp.inf, -whole).astype(logits.dtype)
    cut = jax.nn.logsumexp(scores[0] + _ELSEWHERE, axis=-1)
    chance = jnp.logaddexp(whole, cut)
    # TensorFlow's value leaves out what starts elsewhere, its gradient does not.
    moving = jnp.logaddexp(chance, headless)
    return (lax.stop_gradient(moving - chance) - moving).astype(logits.dtype)


def _at_end(scores, label_length):
    """Return how likely the ends of the labels are: ``(2, B, S)`` → ``(2, B)``."""
    last = 2 * label_length.astype(jnp.int32)[None, :, None]  # the blank after the last label
    places = [jnp.broadcast_to(jnp.maximum(last - i, 0), (*scores.shape[:2], 1)) for i in (0, 1)]
    blank, label = (jnp.take_along_axis(scores, place, axis=2)[..., 0] for place in places)
    return jnp.logaddexp(blank, jnp.where(last[..., 0] > 0, label, _NEVER))


def ctc_loss(
    labels,
    logits,
    label_length,
    logit_length,
    logits_time_major=True,
    unique=None,
    blank_index=None,
    name=None,
):
    """Return ``-log p(labels)``, summed over all alignments of labels to frames.

    Args:
        labels: int32, ``(B, L)``, each row padded behind its ``label_length`` entries.
        logits: Floating point, ``(T, B, C)``, or ``(B, T, C)`` if not ``logits_time_major``.
        label_length: ``(B,)``, how many labels count.
        logit_length: ``(B,)``, how many frames count.
        logits_time_major: Whether time comes first.
        unique: Accepted as in TF, unused.
        blank_index: The class that means no label; negative ones count from C; None is 0.
        name: Accepted, unused.

    Returns:
        ``(B,)``, the dtype of ``logits``, in nats; computed in float32 at least. Above 700, as in
        TF, where the frames are too few for the labels.

    Example:
        >>> loss = tf.nn.ctc_loss([[1]], tf.zeros((1, 1, 2)), [1], [1])
        >>> loss.numpy()
        array([0.6931472], dtype=float32)

    Reference: Graves et al. 2006, "Connectionist Temporal Classification", section 4.1.
    """
    return _ctc_loss(
        labels,
        logits,
        label_length,
        logit_length,
        time_major=logits_time_major,
        blank=0 if blank_index is None else blank_index,
        bounded=True,
    )


def ctc_loss_unbounded(labels, logits, label_length, logit_length):
    """Return `ctc_loss` that is infinite where the frames are too few for the labels.

    Args:
        labels: int32, ``(B, L)``.
        logits: Floating point, ``(B, T, C)``; the last class means no label.
        label_length: ``(B,)``, how many labels count.
        logit_length: ``(B,)``, how many frames count.
    """
    return _ctc_loss(
        labels, logits, label_length, logit_length, time_major=False, blank=-1, bounded=False
    )


@op(mixed=True, differentiable=False)
def ctc_greedy(inputs, lengths, *, merge_repeated=True, blank=0):
    """Return the most likely class of each frame, without blanks and (optionally) repetitions.

    Args:
        inputs: Floating point, ``(B, T, C)``, log probabilities or logits.
        lengths: ``(B,)``, how many frames count.
        merge_repeated: Whether a class that repeats without a blank between counts once.
        blank: The class that means no label.

    Returns:
        ``(labels, score)``: int32 ``(B, T)``, filled up with -1; and minus the sum of the chosen
        entries of ``inputs``, ``(B, 1)``.

    Example:
        >>> from lamina import ops
        >>> frames = tf.one_hot([[1, 1, 0, 1]], 2)
        >>> ops.ctc_greedy(frames, [4])[0].numpy()
        array([[ 1,  1, -1, -1]], dtype=int32)
    """
    time = inputs.shape[1]
    best = jnp.argmax(inputs, axis=-1).astype(jnp.int32)
    counts = lax.broadcasted_iota(jnp.int32, best.shape, 1) < lengths.astype(jnp.int32)[:, None]
    keep = counts & (best != blank % inputs.shape[-1])
    if merge_repeated:
        before = jnp.concatenate([jnp.full_like(best[:, :1], -1), best[:, :-1]], axis=1)
        keep &= best != before
    # Move what is kept to the front: the rest is written behind the end, where it is dropped.
    place = jnp.where(keep, jnp.cumsum(keep, axis=1) - 1, time)
    rows = lax.broadcasted_iota(jnp.int32, best.shape, 0)
    labels = jnp.full_like(best, -1).at[rows, place].set(best, mode="drop")
    score = -jnp.sum(jnp.where(counts, jnp.max(inputs, axis=-1), 0), axis=1, keepdims=True)
    return labels, score


# ---- beam search ------------------------------------------------------------------------------


def _extends(labels, counts):
    """Return whether beam i with one more label is beam j: ``(W, W)``."""
    time = labels.shape[1]
    places = lax.broadcasted_iota(jnp.int32, (1, 1, time), 2)
    same = (labels[:, None] == labels[None]) | (places >= counts[:, None, None])
    return (counts[None] == counts[:, None] + 1) & jnp.all(same, axis=-1)


def _ends(labels, counts):
    """Return the last label of each beam, -1 for an empty one."""
    last = jnp.take_along_axis(labels, jnp.maximum(counts - 1, 0)[:, None], axis=1)[:, 0]
    return jnp.where(counts > 0, last, -1)


def _beam_step(state, log_p, blank):
    """Return the beams after one more frame.

    A beam is a sequence of labels with two scores: of the alignments that end in a blank, and of
    those that end in its last label.
    """
    labels, counts, with_blank, with_label = state
    width, classes = labels.shape[0], log_p.shape[0]
    total, last = jnp.logaddexp(with_blank, with_label), _ends(labels, counts)
    # Kept as they are: a blank, the last label again, or the label that makes i to beam j.
    again = jnp.where(last >= 0, log_p[jnp.maximum(last, 0)], _NEVER)
    before = jnp.where(last[:, None] == last[None], with_blank[:, None], total[:, None])
    links = _extends(labels, counts)
    joined = jax.nn.logsumexp(jnp.where(links, before, _NEVER), axis=0)
    kept_label = jnp.logaddexp(with_label, joined) + again
    kept_blank = total + log_p[blank]
    # Longer by one label, unless that is a beam already.
    ids = lax.broadcasted_iota(jnp.int32, (width, classes), 1)
    longer = jnp.where(ids == last[:, None], with_blank[:, None], total[:, None]) + log_p[None]
    taken = jnp.zeros((width, classes), bool)
    targets = jnp.broadcast_to(jnp.maximum(last, 0)[None], links.shape)
    rows = lax.broadcasted_iota(jnp.int32, links.shape, 0)
    taken = taken.at[rows, targets].max(links)
    longer = jnp.where(taken | (ids == blank), _NEVER, longer)
    scores = jnp.concatenate([jnp.logaddexp(kept_blank, kept_label), longer.reshape(-1)])
    _, chosen = lax.top_k(scores, width)
    is_new = chosen >= width
    parent = jnp.where(is_new, (chosen - width) // classes, chosen)
    label = (chosen - width) % classes
    new_counts = counts[parent] + is_new
    place = jnp.where(is_new, counts[parent], labels.shape[1])
    new_labels = (
        labels[parent].at[jnp.arange(width), place].set(label.astype(jnp.int32), mode="drop")
    )
    return (
        new_labels,
        new_counts,
        jnp.where(is_new, _NEVER, kept_blank[parent]),
        jnp.where(is_new, longer.reshape(-1)[jnp.maximum(chosen - width, 0)], kept_label[parent]),
    )


def _search(log_p, length, width, paths, blank):
    time = log_p.shape[0]
    never = jnp.full((width,), _NEVER, log_p.dtype)
    start = (
        jnp.full((width, time), -1, jnp.int32),
        jnp.zeros((width,), jnp.int32),
        never.at[0].set(0),
        never,
    )

    def step(state, now):
        frame, t = now
        after = _beam_step(state, frame, blank)
        return jax.tree.map(lambda a, b: jnp.where(t < length, a, b), after, state), None

    times = lax.broadcasted_iota(jnp.int32, (time,), 0)
    (labels, _, with_blank, with_label), _ = lax.scan(step, start, (log_p, times))
    scores, best = lax.top_k(jnp.logaddexp(with_blank, with_label), paths)
    return labels[best], scores


@op(mixed=True, differentiable=False)
def ctc_beams(inputs, lengths, *, beam_width=100, top_paths=1, blank=-1):
    """Return the most likely label sequences, found by a search that keeps the best beginnings.

    Args:
        inputs: Floating point, ``(B, T, C)``, logits.
        lengths: ``(B,)``, how many frames count.
        beam_width: How many beginnings are kept after each frame.
        top_paths: P, how many sequences are returned.
        blank: The class that means no label.

    Returns:
        ``(labels, scores)``: int32 ``(P, B, T)``, filled up with -1; and the logarithms of the
        sequences' probabilities, ``(B, P)``.

    Raises:
        ValueError: `top_paths` is greater than `beam_width`.

    Example:
        >>> from lamina import ops
        >>> frames = tf.one_hot([[1, 1, 0, 1]], 2) * 9.0
        >>> ops.ctc_beams(frames, [4], beam_width=4, blank=0)[0].numpy()
        array([[[ 1,  1, -1, -1]]], dtype=int32)

    Reference: Graves & Jaitly 2014, "Towards end-to-end speech recognition", algorithm 1.
    """
    if top_paths > beam_width:
        raise ValueError(
            f"`top_paths` must be at most `beam_width`, {beam_width}; got {top_paths}.\n"
            f"  Fix: widen the beam."
        )
    log_p = jax.nn.log_softmax(inputs.astype(jnp.promote_types(inputs.dtype, jnp.float32)), -1)
    blank = blank % inputs.shape[-1]

    def one(frames, length):
        return _search(frames, length, beam_width, top_paths, blank)

    labels, scores = jax.vmap(one)(log_p, lengths.astype(jnp.int32))
    return jnp.swapaxes(labels, 0, 1), scores.astype(inputs.dtype)
