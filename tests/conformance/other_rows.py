"""A row for each loss, metric, optimizer, schedule, initializer, regularizer, …"""

import lamina as tf
from tests.conformance.table import Case, Fed, Fresh, integers, unit

__all__ = ["OTHERS"]

_CLASSES = Fed((4, 3), "classes")
_SIGNS = Fed((4, 3), "signs")
_BITS = integers(4, 3, below=2)
_STEP = {"gradients": "its derivative jumps"}


def _rows(room, inputs, *rows):
    """Return rows of one room: a name, or a name with arguments, its own inputs, or exemptions."""
    found = []
    for row in rows:
        name, arguments, *more = (row, {}) if isinstance(row, str) else row
        fed = next((m for m in more if isinstance(m, tuple)), inputs)
        without = next((m for m in more if isinstance(m, dict)), {})
        fed = tuple(i if isinstance(i, Fed) else Fed(i) for i in fed)
        found.append(Case(room, name, fed, arguments, {}, without))
    return found


_LOSSES = _rows(
    "losses",
    (unit(4, 3), unit(4, 3)),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}),
    ("BinaryFocalCrossentropy", {}),
    ("CTC", {}, (integers(2, 3, below=4), (2, 7, 5))),
    ("CategoricalCrossentropy", {"from_logits": True}, (_CLASSES, (4, 3))),
    ("CategoricalFocalCrossentropy", {}, (_CLASSES, unit(4, 3))),
    ("CategoricalGeneralizedCrossEntropy", {}, (integers(4, below=3), unit(4, 3))),
    ("CategoricalHinge", {}, (_CLASSES, (4, 3))),
    ("Circle", {"gamma": 2.0}, (integers(4, below=2), (4, 3))),
    "CosineSimilarity",
    "Dice",
    ("Hinge", {}, (_SIGNS, (4, 3))),
    "Huber",
    "KLDivergence",
    "LogCosh",
    (
        "LossFunctionWrapper",
        {"fn": tf.keras.losses.mean_squared_error},
    ),
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
    ("SparseCategoricalCrossentropy", {}, (integers(4, below=3), unit(4, 3))),
    ("SquaredHinge", {}, (_SIGNS, (4, 3))),
    "Tversky",
)

_IDS = (integers(4, below=3), integers(4, below=3))
_CURVE = {"num_thresholds": 5}
_METRICS = _rows(
    "metrics",
    (unit(4, 3), unit(4, 3)),
    ("AUC", _CURVE, (_BITS, unit(4, 3))),
    ("Accuracy", {}, _IDS),
    ("BinaryAccuracy", {}, (_BITS, unit(4, 3))),
    ("BinaryCrossentropy", {}, (_BITS, unit(4, 3))),
    ("BinaryIoU", {}, (_BITS, unit(4, 3))),
    ("CategoricalAccuracy", {}, (_CLASSES, unit(4, 3))),
    ("CategoricalCrossentropy", {}, (_CLASSES, unit(4, 3))),
    ("CategoricalHinge", {}, (_CLASSES, (4, 3))),
    "ConcordanceCorrelation",
    "CosineSimilarity",
    ("F1Score", {"threshold": 0.5}, (_BITS, unit(4, 3))),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, (_BITS, unit(4, 3))),
    ("FalseNegatives", {}, (_BITS, unit(4, 3))),
    ("FalsePositives", {}, (_BITS, unit(4, 3))),
    ("Hinge", {}, (_SIGNS, (4, 3))),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, _IDS),
    "KLDivergence",
    "LogCoshError",
    ("Mean", {}, ((4, 3),)),
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    ("MeanIoU", {"num_classes": 3}, _IDS),
    ("MeanMetricWrapper", {"fn": tf.keras.losses.mean_squared_error}),
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0]}, (_CLASSES, unit(4, 3))),
    ("OneHotMeanIoU", {"num_classes": 3}, (_CLASSES, unit(4, 3))),
    "PearsonCorrelation",
    "Poisson",
    ("Precision", {"thresholds": 0.4}, (_BITS, unit(4, 3))),
    ("PrecisionAtRecall", {"recall": 0.5, **_CURVE}, (_BITS, unit(4, 3))),
    "R2Score",
    ("Recall", {"top_k": 2}, (_BITS, unit(4, 3))),
    ("RecallAtPrecision", {"precision": 0.5, **_CURVE}, (_BITS, unit(4, 3))),
    "RootMeanSquaredError",
    ("SensitivityAtSpecificity", {"specificity": 0.5, **_CURVE}, (_BITS, unit(4, 3))),
    ("SparseCategoricalAccuracy", {}, (integers(4, below=3), unit(4, 3))),
    ("SparseCategoricalCrossentropy", {}, (integers(4, below=3), unit(4, 3))),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, (integers(4, below=3), unit(4, 3))),
    ("SpecificityAtSensitivity", {"sensitivity": 0.5, **_CURVE}, (_BITS, unit(4, 3))),
    ("SquaredHinge", {}, (_SIGNS, (4, 3))),
    ("Sum", {}, ((4, 3),)),
    ("TopKCategoricalAccuracy", {"k": 2}, (_CLASSES, unit(4, 3))),
    ("TrueNegatives", {}, (_BITS, unit(4, 3))),
    ("TruePositives", {}, (_BITS, unit(4, 3))),
)

_sgd = Fresh(lambda: tf.keras.optimizers.SGD(0.1, momentum=0.9))
_OPTIMIZERS = _rows(
    "optimizers",
    ((3, 2), (3, 2)),
    "Adadelta",
    "Adafactor",
    "Adagrad",
    ("Adam", {"amsgrad": True, "clipnorm": 1.0}),
    ("AdamW", {"use_ema": True}),
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    ("LossScaleOptimizer", {"inner_optimizer": _sgd}),
    (
        "MultiOptimizer",
        {"optimizer_map": Fresh(lambda: tf.keras.optimizers.OptimizerMap(_sgd.make(), {}))},
    ),
    "Muon",
    "Nadam",
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    "ScheduleFreeAdamW",
)

_RATE = {"initial_learning_rate": 0.1}
_SCHEDULES = _rows(
    "optimizers.schedules",
    (integers(1, below=9),),
    ("CosineDecay", {**_RATE, "decay_steps": 20, "warmup_target": 0.2, "warmup_steps": 3}),
    ("CosineDecayRestarts", {**_RATE, "first_decay_steps": 4}),
    ("ExponentialDecay", {**_RATE, "decay_steps": 5, "decay_rate": 0.9}),
    ("InverseTimeDecay", {**_RATE, "decay_steps": 5, "decay_rate": 0.9, "staircase": True}),
    ("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [0.1, 0.2, 0.3]}),
    ("PolynomialDecay", {**_RATE, "decay_steps": 5, "power": 2.0}),
)

_INITIALIZERS = _rows(
    "initializers",
    ((3, 3),),
    ("Constant", {"value": 0.5}),
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    ("STFT", {"side": "imag"}, ((4, 1, 3),)),
    "TruncatedNormal",
    ("VarianceScaling", {"mode": "fan_avg", "distribution": "uniform"}),
    "Zeros",
)

_REGULARIZERS = _rows(
    "regularizers",
    ((4, 3),),
    ("L1", {"l1": 0.1}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    "L2",
    "OrthogonalRegularizer",
)

_CONSTRAINTS = _rows(
    "constraints",
    ((4, 3),),
    ("MaxNorm", {"max_value": 1.0}),
    ("MinMaxNorm", {"rate": 0.5}),
    "NonNeg",
    ("UnitNorm", {"axis": 1}),
)

_ACTIVATIONS = _rows(
    "activations",
    ((4, 6),),
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    ("hard_shrink", {}, _STEP),
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh",
    "tanh_shrink",
)
_THRESHOLD = {"threshold": 0.5, "default_value": 0.0}
_ACTIVATIONS.append(Case("activations", "threshold", (Fed((4, 6)),), {}, _THRESHOLD, _STEP))

OTHERS = [
    *_LOSSES,
    *_METRICS,
    *_OPTIMIZERS,
    *_SCHEDULES,
    *_INITIALIZERS,
    *_REGULARIZERS,
    *_CONSTRAINTS,
    *_ACTIVATIONS,
]
