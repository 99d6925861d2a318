"""Accuracies: how often predictions match labels."""

from lamina import ops
from lamina.engine import convert_to_tensor
from lamina.keras import policy
from lamina.keras.losses.base import aligned, class_numbers, match_ranks
from lamina.keras.metrics.means import FunctionMetric

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "accuracy",
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]


def _matches(x, y):
    return ops.cast(ops.equal(x, y), policy.floatx())


def accuracy(y_true, y_pred):
    """Return 1 where ``y_true`` equals ``y_pred``, else 0.

    Args:
        y_true: Labels, ``(B, …)``; cast to the dtype of ``y_pred``.
        y_pred: Predicted labels, ``(B, …)``.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.Accuracy()([1, 2, 3, 4], [0, 2, 3, 4]).numpy()
        np.float32(0.75)
    """
    y_pred = convert_to_tensor(y_pred)
    return _matches(*match_ranks(ops.cast(y_true, y_pred.dtype), y_pred))


class Accuracy(FunctionMetric):
    """Fraction of predicted labels that equal the label."""

    function = staticmethod(accuracy)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Return 1 where ``y_pred > threshold`` equals the label, else 0.

    Args:
        y_true: Labels 0 or 1, ``(B, …)``.
        y_pred: Probabilities or scores, ``(B, …)``, float.
        threshold: Predictions above it are taken for 1.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.binary_accuracy([[1, 1, 0]], [[0.98, 0.2, 0.5]]).numpy()
        array([[1., 0., 1.]], dtype=float32)
    """
    y_true, y_pred = aligned(y_true, y_pred)
    return _matches(y_true, ops.cast(y_pred > threshold, y_pred.dtype))


class BinaryAccuracy(FunctionMetric):
    """Fraction of predictions that lie on the label's side of a threshold."""

    function = staticmethod(binary_accuracy)

    def __init__(self, name=None, dtype=None, threshold=0.5):
        super().__init__(name, dtype)
        self.threshold = threshold


def categorical_accuracy(y_true, y_pred):
    """Return 1 where the largest prediction stands at the class of the label, else 0.

    Args:
        y_true: One-hot labels, ``(B, …, C)``.
        y_pred: Probabilities or scores, ``(B, …, C)``; at a tie the first class counts.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.categorical_accuracy(
        ...     [[0, 1], [1, 0]], [[0.1, 0.9], [0.3, 0.7]]
        ... ).numpy()
        array([1., 0.], dtype=float32)
    """
    return sparse_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred)


class CategoricalAccuracy(FunctionMetric):
    """Fraction of samples whose largest prediction stands at the one-hot label."""

    function = staticmethod(categorical_accuracy)


def sparse_categorical_accuracy(y_true, y_pred):
    """Return 1 where the largest prediction stands at the class ``y_true``, else 0.

    Args:
        y_true: Integer labels, ``(B, …)`` or ``(B, …, 1)``.
        y_pred: Probabilities or scores, ``(B, …, C)``; at a tie the first class counts.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.sparse_categorical_accuracy([1, 1], [[0.1, 0.9], [0.8, 0.2]]).numpy()
        array([1., 0.], dtype=float32)
    """
    y_pred = convert_to_tensor(y_pred)
    return _matches(ops.cast(class_numbers(y_true, y_pred), "int64"), ops.argmax(y_pred, axis=-1))


class SparseCategoricalAccuracy(FunctionMetric):
    """Fraction of samples whose largest prediction stands at the integer label."""

    function = staticmethod(sparse_categorical_accuracy)


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """Return 1 where the class of the label is among the ``k`` largest predictions, else 0.

    Args:
        y_true: One-hot labels, ``(B, …, C)``.
        y_pred: Probabilities or scores, ``(B, …, C)``.
        k: How many predictions count; all that tie with the last of them do.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.top_k_categorical_accuracy([[0, 0, 1]], [[0.1, 0.7, 0.2]], k=2).numpy()
        array([1.], dtype=float32)
    """
    return sparse_top_k_categorical_accuracy(ops.argmax(y_true, axis=-1), y_pred, k)


class TopKCategoricalAccuracy(FunctionMetric):
    """Fraction of samples whose one-hot label is among the largest predictions."""

    function = staticmethod(top_k_categorical_accuracy)

    def __init__(self, k=5, name=None, dtype=None):
        super().__init__(name, dtype)
        self.k = k


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """Return 1 where the class ``y_true`` is among the ``k`` largest predictions, else 0.

    Args:
        y_true: Integer labels, ``(B, …)`` or ``(B, …, 1)``.
        y_pred: Probabilities or scores, ``(B, …, C)``, or class numbers, best first.
        k: How many predictions count; all that tie with the last of them do.
        from_sorted_ids: Whether ``y_pred`` holds class numbers, best first.

    Returns:
        ``(B, …)``, ``tf.keras.config.floatx()``.

    Example:
        >>> tf.keras.metrics.sparse_top_k_categorical_accuracy([2], [[0.1, 0.7, 0.2]], k=2).numpy()
        array([1.], dtype=float32)
    """
    y_pred = convert_to_tensor(y_pred)
    y_true = ops.cast(class_numbers(y_true, y_pred), "int64")
    if from_sorted_ids:
        best = ops.cast(y_pred[..., :k], "int64")
        found = ops.reduce_any(ops.equal(best, ops.expand_dims(y_true, -1)), axis=-1)
        return ops.cast(found, policy.floatx())
    rows = ops.reshape(y_pred, [-1, y_pred.shape[-1]])
    found = ops.in_top_k(ops.reshape(y_true, [-1]), rows, k=k)
    return ops.reshape(ops.cast(found, policy.floatx()), ops.shape(y_true))


class SparseTopKCategoricalAccuracy(FunctionMetric):
    """Fraction of samples whose integer label is among the largest predictions."""

    function = staticmethod(sparse_top_k_categorical_accuracy)

    def __init__(self, k=5, name=None, dtype=None, from_sorted_ids=False):
        super().__init__(name, dtype)
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def get_config(self) -> dict:
        config = super().get_config()
        if not self.from_sorted_ids:
            del config["from_sorted_ids"]  # Keras stores it only where it is set
        return config
