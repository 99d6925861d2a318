"""Counts of decisions at thresholds, the state of AUC, precision, recall and the like."""

import jax.numpy as jnp

from lamina.engine import op

__all__ = ["decision_counts"]


@op(mixed=True, differentiable=False)
def decision_counts(labels, scores, weights, *, thresholds, by_label=False):
    """Return the weighted counts of the four kinds of decisions ``score > threshold``.

    Args:
        labels: Labels, ``(…, L)``; everything but 0 is positive.
        scores: Floats, the shape of the labels.
        weights: What each decision counts, broadcast to the scores; None is 1.
        thresholds: T numbers.
        by_label: Whether the last axis, of size L, is kept.

    Returns:
        True positives, false positives, true negatives and false negatives: ``(T,)``, or
        ``(T, L)`` by label, dtype of ``scores``.

    Raises:
        ValueError: the shapes of labels and scores differ.

    Example:
        >>> from lamina.ops.decisions import decision_counts
        >>> counts = decision_counts([0, 1, 1], [0.2, 0.4, 0.8], None, thresholds=[0.5])
        >>> [float(count[0]) for count in counts]
        [1.0, 0.0, 1.0, 1.0]
    """
    if labels.ndim != scores.ndim:
        raise ValueError(
            f"`y_true` and `y_pred` must have the same shape; got {labels.shape} and "
            f"{scores.shape}.\n  Fix: tf.reshape one of them, or one-hot encode the labels."
        )
    labels, scores = jnp.broadcast_arrays(labels, scores)
    weights = jnp.ones_like(scores) if weights is None else weights.astype(scores.dtype)
    weights = jnp.broadcast_to(weights, scores.shape)
    rows = (-1, scores.shape[-1]) if by_label else (-1,)
    positive, scores, weights = (x.reshape(rows) for x in (labels != 0, scores, weights))
    levels = jnp.asarray(thresholds, scores.dtype).reshape((-1,) + (1,) * len(rows))
    chosen = scores > levels  # T, N[, L]

    def count(decision, label):
        return jnp.sum(jnp.where(decision & label, weights, 0), axis=1)

    return (
        count(chosen, positive),
        count(chosen, ~positive),
        count(~chosen, ~positive),
        count(~chosen, positive),
    )
