"""One small model of each family computes what Keras 3.15 does, with weights from a formula."""

import numpy as np
import pytest

import lamina as tf

# Function, image size, logits of Keras for the weights and the image below.
LOGITS = [
    ("VGG16", 32, [-0.300501, -0.0987674, 0.149418, 0.327329]),
    ("ResNet50", 32, [-0.199557, -0.056057, 0.113807, 0.230146]),
    ("ResNet50V2", 32, [0.0743864, 0.179145, 0.199648, 0.126254]),
    ("DenseNet121", 32, [-0.0171145, -0.0621678, -0.0779826, -0.057121]),
    ("Xception", 71, [0.197054, 0.0205665, -0.165594, -0.273873]),
    ("InceptionV3", 75, [0.00280826, 0.104307, 0.156749, 0.135469]),
    ("InceptionResNetV2", 75, [-0.202793, -0.251404, -0.181776, -0.026656]),
    ("MobileNet", 32, [-0.203012, -0.213955, -0.124272, 0.0238586]),
    ("MobileNetV2", 32, [-0.0766078, -0.0389905, 0.0169647, 0.0649411]),
    ("MobileNetV3Small", 32, [0.09916, 0.0697931, 0.00760141, -0.0581653]),
    ("EfficientNetB0", 32, [-0.091276, -0.0433706, 0.0249326, 0.0815096]),
    ("EfficientNetV2B0", 32, [0.0965566, 0.0557604, -0.0112609, -0.072986]),
    ("ConvNeXtTiny", 32, [-0.0217618, 0.0009901, 0.0232761, 0.0346152]),
    ("NASNetMobile", 32, [0.00194423, 0.0994099, 0.150121, 0.130229]),
]
SCALES_ITSELF = ("EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny", "MobileNetV3Small")


def _value(kind, shape, number):
    wave = np.sin(np.arange(np.prod(shape, dtype=int)) * 0.7 + number).reshape(shape)
    if kind in ("gamma", "moving_variance", "variance"):
        return 1 + 0.1 * wave
    if "kernel" in kind:
        return wave * np.sqrt(4 / np.prod(shape[:-1]))
    return 0.1 * wave


@pytest.mark.parametrize(
    ("title", "size", "expected"),
    [
        pytest.param(*row, id=row[0], marks=[] if row[0] == "MobileNet" else [pytest.mark.slow])
        for row in LOGITS
    ],
)
def test_logits_are_those_of_keras(title, size, expected):
    model = getattr(tf.keras.applications, title)(
        weights=None, input_shape=(size, size, 3), classes=4, classifier_activation=None
    )
    for i, v in enumerate(model.weights):
        if v.name != "count":
            v.assign(_value(v.name, tuple(v.shape), i).astype("float32"))
    x = np.sin(np.arange(size * size * 3) * 0.37).reshape(1, size, size, 3) * 127 + 128
    x = x if title in SCALES_ITSELF else x / 127.5 - 1
    logits = model.predict(x.astype("float32"), verbose=0)[0]
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
