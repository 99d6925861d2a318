"""Intersection over union of segmentations."""

import warnings

from lamina import ops
from lamina.keras import policy
from lamina.keras.losses.base import to_tensor
from lamina.keras.metrics.base import Metric

__all__ = ["BinaryIoU", "IoU", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class _ConfusionMatrix(Metric):
    """Count how often each class was predicted as each class, and compare rows with columns."""

    sparse_y_true = True
    sparse_y_pred = True
    ignore_class = None
    axis = -1

    def __init__(self, num_classes, target_class_ids, name, dtype):
        super().__init__(name=name, dtype=dtype or "int64")
        wrong = [label for label in target_class_ids if not 0 <= label < num_classes]
        if wrong:
            raise ValueError(
                f"{type(self).__name__}: `target_class_ids` must lie in [0, {num_classes}); got "
                f"{list(target_class_ids)}.\n  Fix: raise `num_classes`, or drop {wrong}."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    def _labels(self, y, is_sparse):
        y = ops.convert_to_tensor(y)
        return ops.cast(y if is_sparse else ops.argmax(y, self.axis), "int64")

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_true = self._labels(y_true, self.sparse_y_true)
        y_pred = ops.reshape(self._labels(y_pred, self.sparse_y_pred), [-1])
        count = self.num_classes
        dtype = self.total_cm.dtype
        if sample_weight is not None:
            _warn_of_cut_weights(self, sample_weight, dtype)
        weights = _element_weights(sample_weight, y_true, dtype)
        y_true = ops.reshape(y_true, [-1])
        valid = ops.logical_and(_in_range(y_true, count), _in_range(y_pred, count))
        if self.ignore_class is not None:
            valid = ops.logical_and(valid, ops.not_equal(y_true, self.ignore_class))
        cells = ops.where(valid, y_true * count + y_pred, -1)  # -1 counts nowhere
        matrix = ops.unsorted_segment_sum(weights, cells, count * count)
        self.total_cm.assign_add(ops.reshape(matrix, [count, count]))

    def result(self):
        matrix = ops.cast(self.total_cm, policy.floatx())
        both = ops.diag_part(matrix)
        union = ops.reduce_sum(matrix, axis=0) + ops.reduce_sum(matrix, axis=1) - both
        both = ops.gather(both, self.target_class_ids)
        union = ops.gather(union, self.target_class_ids)
        occurring = ops.reduce_sum(ops.cast(union > 0, matrix.dtype))
        return ops.divide_no_nan(ops.reduce_sum(ops.divide_no_nan(both, union)), occurring)


def _warn_of_cut_weights(metric, sample_weight, dtype):
    """Warn that fractions of weights are cut off where the counts are integers."""
    if "int" in dtype and ops.convert_to_tensor(sample_weight).dtype.is_floating:
        warnings.warn(
            f"{type(metric).__name__}: `sample_weight` is float and the counts are {dtype}; "
            f"casting cuts off the fractions of the weights.\n"
            f'  Fix: pass dtype="float32" to the metric.',
            stacklevel=4,
        )


def _element_weights(sample_weight, labels, dtype):
    """Return one weight per label, flat; axes that the weights lack behind theirs broadcast."""
    weights = to_tensor(1 if sample_weight is None else sample_weight, dtype)
    if weights.shape.num_elements() != labels.shape.num_elements():
        for _ in range(len(labels.shape) - len(weights.shape)):
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, ops.shape(labels))
    return ops.reshape(weights, [-1])


def _in_range(labels, count):
    return ops.logical_and(labels >= 0, labels < count)


class IoU(_ConfusionMatrix):
    """Mean intersection over union of some classes.

    Args:
        num_classes: C, the number of classes.
        target_class_ids: The classes to average over.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the confusion matrix; None is int64, which cuts off fractions of weights.
        ignore_class: Label whose elements do not count, such as -1 or 255, or None.
        sparse_y_true: Whether labels are class numbers, not one-hot.
        sparse_y_pred: Whether predictions are class numbers, not probabilities.
        axis: Axis of the classes where they are not class numbers.

    Call:
        y_true: Labels, any shape; elements outside of [0, C) do not count.
        y_pred: Predictions, the same shape (but for the classes).
        sample_weight: What each element counts; None is 1.

    Returns:
        A scalar in [0, 1]: the mean over the target classes that occur of
        ``both / (true + predicted - both)``, where the three count elements; 0 at the start.

    State:
        The confusion matrix, ``(C, C)``: true classes in rows, predicted ones in columns.

    Raises:
        ValueError: a target class is not in [0, C).

    Example:
        >>> tf.keras.metrics.IoU(2, [0])([0, 0, 1, 1], [0, 1, 0, 1]).numpy()
        np.float32(0.33333334)
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis


class MeanIoU(IoU):
    """Mean intersection over union of all classes that occur.

    Args:
        num_classes: C, the number of classes.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the confusion matrix; None is int64, which cuts off fractions of weights.
        ignore_class: Label whose elements do not count, such as -1 or 255, or None.
        sparse_y_true: Whether labels are class numbers, not one-hot.
        sparse_y_pred: Whether predictions are class numbers, not probabilities.
        axis: Axis of the classes where they are not class numbers.

    Call and result are those of `IoU`.

    Example:
        >>> tf.keras.metrics.MeanIoU(2)([0, 0, 1, 1], [0, 1, 0, 1]).numpy()
        np.float32(0.33333334)
    """

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        classes = list(range(num_classes))
        super().__init__(
            num_classes, classes, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )


class OneHotIoU(IoU):
    """Mean intersection over union of some classes, from one-hot labels.

    Args:
        num_classes: C, the number of classes.
        target_class_ids: The classes to average over.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the confusion matrix; None is int64, which cuts off fractions of weights.
        ignore_class: Label whose elements do not count, or None.
        sparse_y_pred: Whether predictions are class numbers, not probabilities.
        axis: Axis of the classes.

    Call and result are those of `IoU`.

    Example:
        >>> y = [[0, 1], [1, 0]]
        >>> tf.keras.metrics.OneHotIoU(2, [0])(y, [[0.2, 0.8], [0.6, 0.4]]).numpy()
        np.float32(1.0)
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )


class OneHotMeanIoU(MeanIoU):
    """Mean intersection over union of all classes that occur, from one-hot labels.

    Args:
        num_classes: C, the number of classes.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the confusion matrix; None is int64, which cuts off fractions of weights.
        ignore_class: Label whose elements do not count, or None.
        sparse_y_pred: Whether predictions are class numbers, not probabilities.
        axis: Axis of the classes.

    Call and result are those of `IoU`.

    Example:
        >>> y = [[0, 1], [1, 0]]
        >>> tf.keras.metrics.OneHotMeanIoU(2)(y, [[0.2, 0.8], [0.6, 0.4]]).numpy()
        np.float32(1.0)
    """

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)


class BinaryIoU(_ConfusionMatrix):
    """Mean intersection over union of two classes, from labels 0 and 1.

    Args:
        target_class_ids: The classes to average over: (0,), (1,) or both.
        threshold: Predictions of at least this are class 1.
        name: Name of the metric; None makes one from the class name.
        dtype: Dtype of the confusion matrix; None is int64, which cuts off fractions of weights.

    Call and result are those of `IoU`; ``y_pred`` holds probabilities.

    Example:
        >>> tf.keras.metrics.BinaryIoU(threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7]).numpy()
        np.float32(0.33333334)
    """

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = ops.cast(to_tensor(y_pred, policy.floatx()) >= self.threshold, "int64")
        super().update_state(y_true, y_pred, sample_weight)
