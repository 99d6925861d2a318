"""tf.keras.wrappers: models as scikit-learn estimators. They need the package scikit-learn."""

import sys
from typing import TYPE_CHECKING, Any

from lamina.demand import missing

if TYPE_CHECKING:
    from lamina.keras.wrappers.estimators import (
        SKLearnClassifier,
        SKLearnRegressor,
        SKLearnTransformer,
    )

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


def __getattr__(name: str) -> Any:
    """Import scikit-learn when a wrapper is first used: it takes a second."""
    if name not in __all__:
        return missing(__name__, name, sys._getframe(1))
    try:
        from lamina.keras.wrappers import estimators
    except ImportError as error:
        if not (error.name or "").startswith("sklearn"):
            raise
        raise ImportError(
            f"tf.keras.wrappers.{name}: it needs scikit-learn, which is not installed.\n"
            f"  Fix: pip install scikit-learn"
        ) from None
    return getattr(estimators, name)
