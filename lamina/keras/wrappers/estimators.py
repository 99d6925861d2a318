"""The wrappers; this file is imported when one of them is first used."""

import copy
from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.metadata_routing import MetadataRequest
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from lamina.keras.models import Model, clone_model

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]


class _Reshaper(TransformerMixin, BaseEstimator):
    """Makes targets of rank 1 columns, and back."""

    def fit(self, y: Any) -> "_Reshaper":
        self.ndim_ = y.ndim
        return self

    def transform(self, y: Any) -> Any:
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def inverse_transform(self, y: Any) -> Any:
        check_is_fitted(self)
        return np.squeeze(y, axis=1) if self.ndim_ == 1 and y.ndim == 2 else y


class _Wrapped(BaseEstimator):
    """What the wrappers share.

    Attributes:
        model_: The fitted model.
        history_: What its `fit` returned.
    """

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Any:
        is_function = not isinstance(self.model, Model)
        return type(self)(
            model=self.model if is_function else copy.deepcopy(self.model),
            warm_start=self.warm_start,
            model_kwargs=self.model_kwargs,
            fit_kwargs=self.fit_kwargs,
        )

    @property
    def epoch_(self) -> Any:
        """The epochs that were trained."""
        history = getattr(self, "history_", None)
        return [] if history is None else history.epoch

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Ask for metadata in `fit`, as scikit-learn's metadata routing has it.

        Args:
            **kwargs: The name of a parameter of `fit` = True, False, None or an alias.

        Raises:
            RuntimeError: metadata routing is not switched on.
        """
        if not get_config().get("enable_metadata_routing", False):
            raise RuntimeError(
                f"{type(self).__name__}.set_fit_request: metadata routing is not switched on.\n"
                f"  Fix: sklearn.set_config(enable_metadata_routing=True)."
            )
        self._metadata_request = MetadataRequest(owner=type(self).__name__)
        for param, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=param, alias=alias)
        return self

    def _new_model(self, X: Any, y: Any) -> Any:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **(self.model_kwargs or {}))
        if self.warm_start:
            return self.model
        clone = clone_model(self.model)
        config = self.model.get_compile_config()
        if config is not None and not clone.compiled:
            clone.compile_from_config(config)
        return clone

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Any:
        """Fit the model.

        Args:
            X: Samples, `(N, features)`.
            y: Targets, `(N,)` or `(N, outputs)`.
            **kwargs: Arguments of `Model.fit`, in place of those in `fit_kwargs`.

        Returns:
            The estimator.

        Raises:
            RuntimeError: the model is not compiled.
        """
        X, y = validate_data(self, X, y, multi_output=True)
        targets = self._encoded(y, reset=True)
        model = self._new_model(X, targets)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError(
                f"{type(self).__name__}: the model must be compiled, with a loss and an "
                f"optimizer.\n  Fix: model.compile(optimizer=..., loss=...)."
            )
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def predict(self, X: Any) -> Any:
        """Return the targets that the model predicts for samples `(N, features)`."""
        return self._decoded(self._outputs(X))

    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return self.model_.predict(validate_data(self, X, reset=False), verbose=0)

    def _encoded(self, y: Any, reset: bool = False) -> Any:
        if type_of_target(y) == "unknown":
            raise ValueError(f"{type(self).__name__}: unknown label type: {y!r}.")
        if reset:
            self._target_encoder: Any = _Reshaper().fit(y)
        return self._target_encoder.transform(y)

    def _decoded(self, y: Any) -> Any:
        return self._target_encoder.inverse_transform(y)


class SKLearnClassifier(ClassifierMixin, _Wrapped):
    """A model as a scikit-learn classifier; its targets are one-hot.

    Args:
        model: A compiled model, which is cloned for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: Whether the next fit goes on with the fitted weights.
        model_kwargs: Arguments for the function, or None.
        fit_kwargs: Arguments for `Model.fit`, or None.

    Attributes:
        model_: The fitted model.
        history_: What its `fit` returned.
        classes_: The classes.

    Example:
        >>> def small(X, y):
        ...     inputs = tf.keras.Input((X.shape[1],))
        ...     outputs = tf.keras.layers.Dense(y.shape[1], "softmax")(inputs)
        ...     model = tf.keras.Model(inputs, outputs)
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> estimator = tf.keras.wrappers.SKLearnClassifier(small, fit_kwargs={"verbose": 0})
        >>> X, y = np.eye(4), ["a", "b", "a", "b"]
        >>> estimator.fit(X, y).predict(X).shape
        (4,)
    """

    def decision_function(self, X: Any) -> Any:
        """Return the model's outputs for samples."""
        return self._outputs(X)

    def _encoded(self, y: Any, reset: bool = False) -> Any:
        kind = type_of_target(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(
                f"SKLearnClassifier: Only binary and multiclass targets are supported. "
                f"Unknown label type: {kind}."
            )
        if reset:
            self._target_encoder = make_pipeline(_Reshaper(), OneHotEncoder(sparse_output=False))
            self._target_encoder.fit(y)
            self.classes_ = np.unique(y)
            if len(self.classes_) == 1:
                raise ValueError(
                    "SKLearnClassifier: there must be at least 2 classes; y has only one class."
                )
        return self._target_encoder.transform(y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, _Wrapped):
    """A model as a scikit-learn regressor.

    Args:
        model: A compiled model, which is cloned for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: Whether the next fit goes on with the fitted weights.
        model_kwargs: Arguments for the function, or None.
        fit_kwargs: Arguments for `Model.fit`, or None.

    Attributes:
        model_: The fitted model.
        history_: What its `fit` returned.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> estimator = tf.keras.wrappers.SKLearnRegressor(model)
        >>> estimator.fit(np.ones([4, 2]), np.ones(4), verbose=0).predict(np.ones([3, 2])).shape
        (3,)
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, _Wrapped):
    """A model as a scikit-learn transformer: `transform` returns its outputs.

    Args:
        model: A compiled model, which is cloned for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: Whether the next fit goes on with the fitted weights.
        model_kwargs: Arguments for the function, or None.
        fit_kwargs: Arguments for `Model.fit`, or None.

    Attributes:
        model_: The fitted model.
        history_: What its `fit` returned.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> estimator = tf.keras.wrappers.SKLearnTransformer(model)
        >>> estimator.fit(np.ones([4, 2]), np.ones(4), verbose=0).transform(np.ones([3, 2])).shape
        (3, 1)
    """

    def transform(self, X: Any) -> Any:
        """Return the model's outputs for samples `(N, features)`."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
