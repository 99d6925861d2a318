"""tf.keras.wrappers: models in scikit-learn."""

import sys

import numpy as np
import pytest

import lamina as tf

sklearn = pytest.importorskip("sklearn")
RNG = np.random.RandomState(0)
X = RNG.randn(40, 3)
NAMES = np.where(X[:, 0] > 0, "yes", "no")


def network(X, y, width=4, activation=None, loss="mse"):
    inputs = tf.keras.Input((X.shape[1],))
    hidden = tf.keras.layers.Dense(width, "relu")(inputs)
    outputs = tf.keras.layers.Dense(y.shape[1] if y.ndim > 1 else 1, activation)(hidden)
    model = tf.keras.Model(inputs, outputs)
    model.compile(tf.keras.optimizers.Adam(0.05), loss)
    return model


CLASSES = {"activation": "softmax", "loss": "categorical_crossentropy", "width": 8}


def classifier(**kwargs):
    given = {"model_kwargs": CLASSES, "fit_kwargs": {"epochs": 15, "verbose": 0}} | kwargs
    return tf.keras.wrappers.SKLearnClassifier(network, **given)


def test_a_classifier_learns_names():
    tf.keras.utils.set_random_seed(1)
    fitted = classifier().fit(X, NAMES)
    assert fitted.classes_.tolist() == ["no", "yes"]
    assert fitted.score(X, NAMES) > 0.9
    assert fitted.decision_function(X).shape == (40, 2)
    assert len(fitted.epoch_) == 15


def test_it_works_in_pipelines_and_searches():
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = make_pipeline(StandardScaler(), classifier(fit_kwargs={"epochs": 1, "verbose": 0}))
    assert cross_val_score(pipeline, X, NAMES, cv=2).shape == (2,)


def test_a_compiled_model_is_cloned_for_each_fit():
    model = network(X, X[:, 0])
    estimator = tf.keras.wrappers.SKLearnRegressor(model)
    before = model.get_weights()[0]
    estimator.fit(X, X[:, 0], epochs=1, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)
    assert estimator.predict(X).shape == (40,)
    assert estimator.fit(X, X[:, 0], verbose=0).model_ is not model
    assert sklearn.base.clone(estimator).model is not model


def test_a_warm_start_goes_on():
    estimator = tf.keras.wrappers.SKLearnRegressor(network, warm_start=True)
    first = estimator.fit(X, X[:, 0], verbose=0).model_
    assert estimator.fit(X, X[:, 0], verbose=0).model_ is first


def test_a_transformer_gives_the_outputs():
    estimator = tf.keras.wrappers.SKLearnTransformer(network, model_kwargs={"width": 2})
    assert estimator.fit(X, X[:, :2], verbose=0).transform(X).shape == (40, 2)


def test_errors():
    plain = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(1)])
    with pytest.raises(RuntimeError, match="the model must be compiled"):
        tf.keras.wrappers.SKLearnRegressor(plain).fit(X, X[:, 0])
    with pytest.raises(ValueError, match="Only binary and multiclass targets"):
        classifier().fit(X, X[:, 0])
    with pytest.raises(ValueError, match="only one class"):
        classifier().fit(X, np.zeros(40, int))
    with pytest.raises(sklearn.exceptions.NotFittedError):
        classifier().predict(X)
    with pytest.raises(RuntimeError, match="metadata routing is not switched on"):
        classifier().set_fit_request(sample_weight=True)
    with pytest.raises(AttributeError, match=r"tf\.keras\.wrappers\.Other: not there"):
        tf.keras.wrappers.Other  # noqa: B018


def test_scikit_learn_is_asked_for(monkeypatch):
    monkeypatch.delitem(sys.modules, "lamina.keras.wrappers.estimators", raising=False)
    monkeypatch.delattr(tf.keras.wrappers, "estimators", raising=False)
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError, match=r"it needs scikit-learn.*\n  Fix: pip install"):
        tf.keras.wrappers.SKLearnRegressor  # noqa: B018
