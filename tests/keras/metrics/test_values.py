"""Values of metrics against formulas, over batches, with weights and masks."""

import numpy as np
import pytest

import lamina as tf
from tests.tolerances import assert_close

metrics = tf.keras.metrics
RNG = np.random.default_rng(1)
Y = RNG.integers(0, 2, 40).astype("float32")
P = RNG.random(40).astype("float32")
W = RNG.random(40).astype("float32")


@pytest.mark.parametrize(
    ("values", "weights", "mean", "total"),
    [
        ([1.0, 3.0], None, 2.0, 4.0),
        ([1.0, 3.0], [1.0, 0.0], 1.0, 1.0),
        ([[1.0, 3.0], [5.0, 7.0]], [1.0, 3.0], 5.0, 40.0),
        ([[1.0, 3.0], [5.0, 7.0]], [[1.0], [3.0]], 5.0, 40.0),
        ([[1.0, 3.0], [5.0, 7.0]], [[1.0, 0.0], [0.0, 1.0]], 4.0, 8.0),
        ([[1.0, 3.0]], 2.0, 2.0, 8.0),
        (3.0, None, 3.0, 3.0),
        ([], None, 0.0, 0.0),
    ],
)
def test_mean_and_sum(values, weights, mean, total):
    values = np.array(values, "float32")
    weights = None if weights is None else np.array(weights, "float32")
    assert_close(metrics.Mean()(values, sample_weight=weights), mean)
    assert_close(metrics.Sum()(values, sample_weight=weights), total)


def test_mean_of_batches_is_the_mean_of_all_values():
    metric = metrics.MeanSquaredError()
    for part in (slice(0, 10), slice(10, 40)):
        metric.update_state(Y[part, None], P[part, None])
    assert_close(metric.result(), np.mean((Y - P) ** 2))


def test_masked_samples_do_not_count():
    predictions = tf.constant([[1.0], [5.0]])
    predictions._keras_mask = tf.constant([True, False])
    assert_close(metrics.MeanAbsoluteError()([[0.0], [0.0]], predictions), 1.0)
    weighted = metrics.MeanAbsoluteError()([[0.0], [0.0]], predictions, sample_weight=[2.0, 2.0])
    assert_close(weighted, 1.0)


def test_root_mean_squared_error_takes_the_root_last():
    metric = metrics.RootMeanSquaredError()
    metric.update_state([0.0], [3.0])
    assert_close(metric([0.0], [4.0]), np.sqrt(12.5))


ACCURACIES = [
    ("accuracy", ([1, 2, 3], [1, 0, 3]), {}, [1, 0, 1]),
    ("binary_accuracy", ([[0, 1, 1]], [[0.5, 0.5, 0.6]]), {}, [[1, 0, 1]]),
    ("binary_accuracy", ([[0, 1]], [[0.2, 0.4]]), {"threshold": 0.3}, [[1, 1]]),
    (
        "categorical_accuracy",
        ([[0, 1, 0], [1, 0, 0]], [[0.4, 0.4, 0.2], [0.2, 0.4, 0.4]]),
        {},
        [0, 0],
    ),
    ("sparse_categorical_accuracy", ([[1], [0]], [[0.1, 0.9], [0.2, 0.8]]), {}, [1, 0]),
    ("sparse_categorical_accuracy", ([[1, 0]], [[[0.1, 0.9], [0.8, 0.2]]]), {}, [[1, 1]]),
    ("top_k_categorical_accuracy", ([[0, 0, 1]], [[0.5, 0.3, 0.2]]), {"k": 2}, [0]),
    ("sparse_top_k_categorical_accuracy", ([[2, 1]], [[[0.5, 0.3, 0.3]] * 2]), {"k": 2}, [[1, 1]]),
    (
        "sparse_top_k_categorical_accuracy",
        ([1, 2], [[1, 0, 2], [0, 1, 2]]),
        {"k": 2, "from_sorted_ids": True},
        [1, 0],
    ),
]


@pytest.mark.parametrize(("name", "inputs", "options", "expected"), ACCURACIES)
def test_accuracy(name, inputs, options, expected):
    assert_close(getattr(metrics, name)(*inputs, **options), expected)


def counts(thresholds, weights):
    chosen = P[None] > np.array(thresholds)[:, None]
    return {
        "TruePositives": np.sum(weights * chosen * Y, -1),
        "FalsePositives": np.sum(weights * chosen * (1 - Y), -1),
        "TrueNegatives": np.sum(weights * ~chosen * (1 - Y), -1),
        "FalseNegatives": np.sum(weights * ~chosen * Y, -1),
    }


@pytest.mark.parametrize("weights", [None, W])
@pytest.mark.parametrize("thresholds", [0.3, [0.2, 0.5, 0.9]])
def test_confusion_counts_and_ratios(thresholds, weights):
    expected = counts(np.atleast_1d(thresholds), np.ones(40) if weights is None else weights)
    true, false, missed = (
        expected[name] for name in ("TruePositives", "FalsePositives", "FalseNegatives")
    )
    expected |= {"Precision": true / (true + false), "Recall": true / (true + missed)}
    for name, values in expected.items():
        got = getattr(metrics, name)(thresholds)(Y, P, sample_weight=weights)
        assert_close(got, values if isinstance(thresholds, list) else values[0])


def test_precision_of_the_top_k_and_of_one_class():
    y, p = [[0, 1, 0, 1]], [[0.1, 0.9, 0.9, 0.2]]
    assert_close(metrics.Precision(top_k=2)(y, p), 0.5)
    assert_close(metrics.Precision(class_id=2)(y, p), 0.0)
    assert_close(metrics.Recall(class_id=1)(y, p), 1.0)


def rank_auc(y, p):
    pairs = p[y == 1][:, None] - p[y == 0][None]
    return np.mean((pairs > 0) + 0.5 * (pairs == 0))


def test_auc_tends_to_the_share_of_ordered_pairs():
    got = metrics.AUC(num_thresholds=5000)(Y, P)
    np.testing.assert_allclose(got, rank_auc(Y, P), atol=2e-3)
    logits = np.log(P / (1 - P))
    np.testing.assert_allclose(metrics.AUC(5000, from_logits=True)(Y, logits), got, atol=2e-3)


def test_auc_by_label_averages_the_labels():
    y, p = Y.reshape(20, 2), P.reshape(20, 2)
    single = [float(metrics.AUC()(y[:, i], p[:, i])) for i in range(2)]
    assert_close(metrics.AUC(multi_label=True)(y, p), np.mean(single))
    weighted = metrics.AUC(multi_label=True, num_labels=2, label_weights=[1.0, 3.0])
    assert_close(weighted(y, p), np.average(single, weights=[1, 3]))


@pytest.mark.parametrize(
    ("curve", "method", "expected"),
    [
        ("ROC", "interpolation", 0.75),
        ("ROC", "minoring", 0.5),
        ("ROC", "majoring", 1.0),
        ("PR", "minoring", 0.25),
        ("PR", "majoring", 1.0),
        ("PRGAIN", "interpolation", 0.5),
        ("PRGAIN", "majoring", 1.0),
    ],
)
def test_auc_of_three_thresholds(curve, method, expected):
    metric = metrics.AUC(3, curve=curve, summation_method=method)
    assert_close(metric([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]), expected)


def test_value_at_a_point_of_a_curve():
    y, p = [0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8]
    assert_close(metrics.SensitivityAtSpecificity(0.5)(y, p), 0.5)
    assert_close(metrics.SpecificityAtSensitivity(0.5)(y, p), 2 / 3)
    assert_close(metrics.PrecisionAtRecall(0.9)(y, p), 0.5)
    assert_close(metrics.RecallAtPrecision(0.99)(y, p), 0.0)


def test_iou_counts_elements_by_class():
    y, p = [0, 1, 2, 2, -1], [0, 1, 1, 2, 0]
    assert_close(metrics.MeanIoU(3)(y, p), np.mean([1, 1 / 2, 1 / 2]))
    assert_close(metrics.MeanIoU(3, ignore_class=2)(y, p), np.mean([1, 1]))
    assert_close(metrics.IoU(4, [2, 3])(y, p), 0.5)  # class 3 does not occur
    weights = np.array([1.0, 1.0, 2.0, 2.0, 1.0], "float32")
    assert_close(metrics.IoU(3, [1], dtype="float32")(y, p, sample_weight=weights), 1 / 3)


@pytest.mark.parametrize("weights", [2, [2, 2], [[2], [2]], [2, 2, 2, 2]])
def test_iou_weights_broadcast_over_the_elements(weights):
    metric = metrics.MeanIoU(2)
    metric.update_state([[0, 1], [1, 1]], [[0, 1], [0, 1]], sample_weight=weights)
    assert metric.total_cm.numpy().tolist() == [[2, 0], [2, 4]]


@pytest.mark.parametrize(
    ("average", "expected"),
    [
        (None, [10 / 26, 10 / 11, 10 / 12]),
        ("macro", np.mean([10 / 26, 10 / 11, 10 / 12])),
        ("weighted", np.average([10 / 26, 10 / 11, 10 / 12], weights=[3, 2, 1])),
        ("micro", 2 / 3),
    ],
)
def test_fbeta_score(average, expected):
    y = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    p = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    assert_close(metrics.FBetaScore(average, 2.0, 0.5)(y, p), expected)


def test_r2_score_over_batches():
    y, p = RNG.normal(size=(10, 2)), RNG.normal(size=(10, 2))
    metric = metrics.R2Score(None)
    metric.update_state(y[:4], p[:4])
    metric.update_state(y[4:], p[4:])
    expected = 1 - np.sum((y - p) ** 2, 0) / np.sum((y - y.mean(0)) ** 2, 0)
    assert_close(metric.result(), expected)


def test_correlations():
    y, p = RNG.normal(size=(3, 10)), RNG.normal(size=(3, 10))
    pearson = [np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)]
    assert_close(metrics.pearson_correlation(y, p), pearson, "float32")
    concordance = [
        2 * np.cov(a, b, bias=True)[0, 1] / (a.var() + b.var() + (a.mean() - b.mean()) ** 2)
        for a, b in zip(y, p, strict=True)
    ]
    assert_close(metrics.concordance_correlation(y, p), concordance, "float32")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.AUC(1), "`num_thresholds` must be over 1; got 1"),
        (lambda: metrics.AUC(curve="x"), "`curve` must be one of"),
        (lambda: metrics.AUC(summation_method="x"), "`summation_method` must be one of"),
        (lambda: metrics.Precision(2.0), r"`thresholds` must lie in \[0, 1\]; got \[2.0\]"),
        (lambda: metrics.F1Score("x"), "`average` must be one of"),
        (lambda: metrics.FBetaScore(beta=0), "`beta` must be a float over 0"),
        (lambda: metrics.F1Score(threshold=2.0), r"`threshold` must be a float in \(0, 1\]"),
        (lambda: metrics.F1Score()([1.0], [1.0]), "must have one shape"),
        (lambda: metrics.IoU(3, [5]), r"`target_class_ids` must lie in \[0, 3\)"),
        (lambda: metrics.R2Score("x"), "`class_aggregation` must be one of"),
        (
            lambda: metrics.R2Score(num_regressors=-1),
            "`num_regressors` must be an integer of at least 0",
        ),
        (lambda: metrics.PrecisionAtRecall(2.0), r"`recall` must lie in \[0, 1\]"),
        (lambda: metrics.PrecisionAtRecall(0.5, 0), "`num_thresholds` must be over 0"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_confusion_matrix_warns_of_weights_that_it_cuts_off():
    metric = tf.keras.metrics.MeanIoU(2)
    with pytest.warns(UserWarning, match="cuts off the fractions"):
        metric.update_state([0, 1], [0, 1], sample_weight=[1.5, 2.0])
    assert metric.total_cm.numpy().tolist() == [[1, 0], [0, 2]]


@pytest.mark.parametrize("kind", [tf.keras.metrics.Precision, tf.keras.metrics.Recall])
def test_a_class_needs_an_axis_of_classes(kind):
    with pytest.raises(ValueError, match="an axis of classes"):
        kind(class_id=1).update_state([0, 1, 1], [0.1, 0.9, 0.4])


def test_thresholds_of_an_auc_need_no_number_of_them():
    metric = tf.keras.metrics.AUC(num_thresholds=None, thresholds=[0.25, 0.75])
    assert metric.get_config()["num_thresholds"] == 4
