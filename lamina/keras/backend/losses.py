"""Functions of tf.keras.backend: losses."""

from importlib import import_module
from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras import policy

__all__ = [
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "ctc_batch_cost",
    "ctc_decode",
    "ctc_label_dense_to_sparse",
    "sparse_categorical_crossentropy",
]


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return the elementwise binary cross-entropy of probabilities, or of logits."""
    target, output = convert_to_tensor(target), convert_to_tensor(output)
    if from_logits:
        return ops.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    small = policy.epsilon()
    output = ops.clip_by_value(output, small, 1.0 - small)
    return -(target * ops.log(output + small) + (1 - target) * ops.log(1 - output + small))


def binary_focal_crossentropy(
    target: Any,
    output: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
) -> Tensor:
    """Return the binary cross-entropy, weighted by how wrong a prediction is.

    Reference: Lin et al. 2017, https://arxiv.org/abs/1708.02002, eq. 4 and 5.
    """
    target, output = convert_to_tensor(target), convert_to_tensor(output)
    chance = ops.sigmoid(output) if from_logits else output
    right = target * chance + (1 - target) * (1 - chance)
    found = ops.pow(1.0 - right, gamma) * binary_crossentropy(target, output, from_logits)
    if apply_class_balancing:
        found = (target * alpha + (1 - target) * (1 - alpha)) * found
    return found


def categorical_crossentropy(
    target: Any, output: Any, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return the cross-entropy of class probabilities, or of logits."""
    return ops.categorical_crossentropy(
        target, output, from_logits=from_logits, axis=axis, epsilon=policy.epsilon()
    )


def categorical_focal_crossentropy(
    target: Any,
    output: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    axis: int = -1,
) -> Tensor:
    """Return the cross-entropy of classes, weighted by how wrong a prediction is.

    Reference: Lin et al. 2017, https://arxiv.org/abs/1708.02002, eq. 5.
    """
    target, output = convert_to_tensor(target), convert_to_tensor(output)
    if from_logits:
        output = ops.softmax(output, axis=axis)
    output = output / ops.reduce_sum(output, axis=axis, keepdims=True)
    output = ops.clip_by_value(output, policy.epsilon(), 1.0 - policy.epsilon())
    weighted = ops.pow(1.0 - output, gamma) * alpha * -target * ops.log(output)
    return ops.reduce_sum(weighted, axis=axis)


def sparse_categorical_crossentropy(
    target: Any,
    output: Any,
    from_logits: bool = False,
    axis: int = -1,
    ignore_class: int | None = None,
) -> Tensor:
    """Return the cross-entropy of class numbers; 0 for the ignored class."""
    target, output = ops.cast(target, "int64"), convert_to_tensor(output)
    if axis % output.ndim != output.ndim - 1:
        rest = [i for i in range(output.ndim) if i != axis % output.ndim]
        output = ops.transpose(output, [*rest, axis % output.ndim])
    if target.ndim != output.ndim - 1:
        target = ops.reshape(target, ops.shape(output)[:-1])
    known = None if ignore_class is None else ops.not_equal(target, ignore_class)
    if known is not None:
        target = ops.where(known, target, ops.zeros_like(target))
    found = ops.sparse_categorical_crossentropy(
        target, output, from_logits=from_logits, epsilon=policy.epsilon()
    )
    return found if known is None else ops.where(known, found, ops.zeros_like(found))


def ctc_batch_cost(y_true: Any, y_pred: Any, input_length: Any, label_length: Any) -> Tensor:
    """Return how unlikely the labels are, over all alignments with the frames.

    Args:
        y_true: int, ``(B, L)``, the labels.
        y_pred: ``(B, T, C)``, probabilities; the last class means no label.
        input_length: ``(B, 1)``, how many frames count.
        label_length: ``(B, 1)``, how many labels count.

    Returns:
        ``(B, 1)``, in nats.
    """
    loss = ops.ctc_loss_unbounded(
        labels=ops.cast(y_true, "int32"),
        logits=ops.log(convert_to_tensor(y_pred) + policy.epsilon()),
        label_length=ops.cast(ops.squeeze(label_length, -1), "int32"),
        logit_length=ops.cast(ops.squeeze(input_length, -1), "int32"),
    )
    return ops.expand_dims(loss, 1)


def ctc_label_dense_to_sparse(labels: Any, label_lengths: Any) -> Any:
    """Return the labels that count as a `tf.SparseTensor`.

    Args:
        labels: ``(B, L)``, the labels.
        label_lengths: int, ``(B,)``, how many labels of each row count.

    Returns:
        A SparseTensor of shape ``(B, L)`` in the dtype of `labels`.

    Example:
        >>> sparse = tf.keras.backend.ctc_label_dense_to_sparse([[3, 4, 0]], [2])
        >>> sparse.indices.numpy().tolist(), sparse.values.numpy().tolist()
        ([[0, 0], [0, 1]], [3, 4])
    """
    sparse = import_module("lamina.ops.sparse.tensor")  # only for those who need it
    labels = convert_to_tensor(labels)
    places = ops.where(ops.sequence_mask(label_lengths, ops.shape(labels)[1]))
    shape = ops.cast(ops.shape(labels), "int64")
    return sparse.SparseTensor(places, ops.gather_nd(labels, places), shape)


def ctc_decode(
    y_pred: Any, input_length: Any, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Return the labels that frames most likely stand for.

    Args:
        y_pred: ``(B, T, C)``, probabilities; the last class means no label.
        input_length: ``(B,)``, how many frames count.
        greedy: Whether to take the best class of each frame; else a beam search runs.
        beam_width: How many beginnings it keeps.
        top_paths: How many sequences it returns.

    Returns:
        A list of int64 labels ``(B, T)``, filled up with -1; and the scores, ``(B, paths)``.
    """
    logits = ops.log(convert_to_tensor(y_pred) + policy.epsilon())
    lengths = ops.cast(input_length, "int32")
    if greedy:
        labels, scores = ops.ctc_greedy(logits, lengths, blank=-1)
        return [ops.cast(labels, "int64")], scores
    found, scores = ops.ctc_beams(
        logits, lengths, beam_width=beam_width, top_paths=top_paths, blank=-1
    )
    return ops.unstack(ops.cast(found, "int64"), num=top_paths), scores
