"""Names that stand for what fits the shapes, and messages of losses and metrics that fail."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from lamina.keras.core import explaining

__all__ = ["SHAPED", "explained", "fitting_name"]

SHAPED = {
    "accuracy": ("binary_accuracy", "sparse_categorical_accuracy", "categorical_accuracy"),
    "crossentropy": (
        "binary_crossentropy",
        "sparse_categorical_crossentropy",
        "categorical_crossentropy",
    ),
}
SHAPED |= {"acc": SHAPED["accuracy"], "ce": SHAPED["crossentropy"]}


def fitting_name(names: Sequence[str], y_true: Any, y_pred: Any) -> str:
    """Return the name for binary, sparse or categorical targets, as the shapes say."""
    binary, sparse, categorical = names
    true, pred = tuple(y_true.shape), tuple(y_pred.shape)
    if pred[-1:] == (1,) or len(pred) == 0:
        return binary
    if len(true) < len(pred) or true[-1:] == (1,):
        return sparse
    return categorical


@contextmanager
def explained(kind: str, entry: Any, y_true: Any, y_pred: Any, weight: Any) -> Iterator[None]:
    """Let an exception of a loss or metric say which it was, and what it was given."""
    try:
        yield
    except Exception as error:
        named = {"y_true": y_true, "y_pred": y_pred}
        if weight is not None:
            named["sample_weight"] = weight
        explaining.explain_function(error, f'{kind} {type(entry).__name__} "{entry.name}"', named)
        raise
