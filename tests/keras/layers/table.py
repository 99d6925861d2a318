"""One row for each layer without state of its own kind: how to make it, and what to feed it."""

from typing import NamedTuple

import numpy as np

from lamina.keras import layers as L


class Row(NamedTuple):
    """A layer, the shapes of its inputs (a list for several), and the dtype of the inputs."""

    name: str
    make: object
    shape: object
    dtype: str = "float32"


ROWS = [
    Row("Activation", lambda **k: L.Activation("tanh", **k), (2, 3)),
    Row("ActivityRegularization", lambda **k: L.ActivityRegularization(0.1, **k), (2, 3)),
    Row("AdaptiveAveragePooling1D", lambda **k: L.AdaptiveAveragePooling1D(2, **k), (2, 5, 3)),
    Row("AdaptiveAveragePooling2D", lambda **k: L.AdaptiveAveragePooling2D(2, **k), (2, 5, 4, 3)),
    Row(
        "AdaptiveAveragePooling3D", lambda **k: L.AdaptiveAveragePooling3D(2, **k), (2, 3, 3, 3, 2)
    ),
    Row("AdaptiveMaxPooling1D", lambda **k: L.AdaptiveMaxPooling1D(2, **k), (2, 5, 3)),
    Row("AdaptiveMaxPooling2D", lambda **k: L.AdaptiveMaxPooling2D((2, 3), **k), (2, 5, 4, 3)),
    Row("AdaptiveMaxPooling3D", lambda **k: L.AdaptiveMaxPooling3D(2, **k), (2, 3, 3, 3, 2)),
    Row("Add", L.Add, [(2, 3, 4), (2, 4)]),
    Row("AlphaDropout", lambda **k: L.AlphaDropout(0.5, **k), (2, 3)),
    Row("Average", L.Average, [(2, 3), (2, 3), (2, 1)]),
    Row("AveragePooling1D", lambda **k: L.AveragePooling1D(2, **k), (2, 5, 3)),
    Row("AveragePooling2D", lambda **k: L.AveragePooling2D(2, 1, "same", **k), (2, 5, 4, 3)),
    Row("AveragePooling3D", lambda **k: L.AveragePooling3D(2, **k), (2, 4, 3, 4, 2)),
    Row("BatchNormalization", lambda **k: L.BatchNormalization(**k), (4, 3)),
    Row("Concatenate", L.Concatenate, [(2, 3), (2, 4)]),
    Row("Conv1D", lambda **k: L.Conv1D(4, 3, padding="causal", **k), (2, 6, 3)),
    Row("Conv1DTranspose", lambda **k: L.Conv1DTranspose(4, 3, 2, **k), (2, 4, 3)),
    Row("Conv2D", lambda **k: L.Conv2D(4, (2, 3), 2, "same", groups=2, **k), (2, 5, 4, 2)),
    Row("Conv2DTranspose", lambda **k: L.Conv2DTranspose(2, 3, 2, "same", **k), (2, 3, 4, 2)),
    Row("Conv3D", lambda **k: L.Conv3D(2, 2, activation="relu", **k), (2, 3, 4, 3, 2)),
    Row("Conv3DTranspose", lambda **k: L.Conv3DTranspose(2, 2, **k), (2, 3, 2, 2, 2)),
    Row("ConvLSTM1D", lambda **k: L.ConvLSTM1D(2, 3, padding="same", **k), (2, 3, 4, 2)),
    Row("ConvLSTM2D", lambda **k: L.ConvLSTM2D(2, 2, return_sequences=True, **k), (2, 3, 4, 3, 1)),
    Row("ConvLSTM3D", lambda **k: L.ConvLSTM3D(2, 2, **k), (1, 2, 3, 3, 3, 1)),
    Row("Cropping1D", lambda **k: L.Cropping1D((1, 0), **k), (2, 5, 3)),
    Row("Cropping2D", lambda **k: L.Cropping2D((1, 2), **k), (2, 5, 6, 3)),
    Row("Cropping3D", lambda **k: L.Cropping3D(**k), (2, 3, 4, 5, 2)),
    Row("Dense", lambda **k: L.Dense(4, "relu", kernel_regularizer="l2", **k), (2, 5, 3)),
    Row("DepthwiseConv1D", lambda **k: L.DepthwiseConv1D(2, depth_multiplier=2, **k), (2, 5, 3)),
    Row("DepthwiseConv2D", lambda **k: L.DepthwiseConv2D(2, 2, "same", **k), (2, 5, 4, 3)),
    Row("Dot", lambda **k: L.Dot((2, 1), normalize=True, **k), [(2, 3, 4), (2, 4, 5)]),
    Row("Dropout", lambda **k: L.Dropout(0.5, **k), (2, 3)),
    Row("ELU", L.ELU, (2, 3)),
    Row("EinsumDense", lambda **k: L.EinsumDense("abc,cd->abd", (5, 4), **k), (2, 5, 3)),
    Row("Embedding", lambda **k: L.Embedding(9, 3, **k), (2, 5), "int32"),
    Row("Flatten", L.Flatten, (2, 3, 4)),
    Row("GaussianDropout", lambda **k: L.GaussianDropout(0.5, **k), (2, 3)),
    Row("GaussianNoise", lambda **k: L.GaussianNoise(0.5, **k), (2, 3)),
    Row("GlobalAveragePooling1D", L.GlobalAveragePooling1D, (2, 5, 3)),
    Row("GlobalAveragePooling2D", L.GlobalAveragePooling2D, (2, 5, 4, 3)),
    Row("GlobalAveragePooling3D", L.GlobalAveragePooling3D, (2, 3, 4, 3, 2)),
    Row("GlobalMaxPooling1D", lambda **k: L.GlobalMaxPooling1D(keepdims=True, **k), (2, 5, 3)),
    Row("GlobalMaxPooling2D", L.GlobalMaxPooling2D, (2, 5, 4, 3)),
    Row("GlobalMaxPooling3D", L.GlobalMaxPooling3D, (2, 3, 4, 3, 2)),
    Row("GroupNormalization", lambda **k: L.GroupNormalization(2, **k), (2, 3, 4)),
    Row("Identity", L.Identity, (2, 3)),
    Row("LayerNormalization", lambda **k: L.LayerNormalization([1, 2], **k), (2, 3, 4)),
    Row("LeakyReLU", lambda **k: L.LeakyReLU(0.1, **k), (2, 3)),
    Row("Masking", L.Masking, (2, 4, 3)),
    Row("MaxPooling1D", lambda **k: L.MaxPooling1D(padding="same", **k), (2, 5, 3)),
    Row("MaxPooling2D", lambda **k: L.MaxPooling2D((2, 3), 1, **k), (2, 5, 4, 3)),
    Row("MaxPooling3D", L.MaxPooling3D, (2, 4, 3, 4, 2)),
    Row("Maximum", L.Maximum, [(2, 3), (2, 3)]),
    Row("Minimum", L.Minimum, [(2, 3), (2, 3)]),
    Row("Multiply", L.Multiply, [(2, 3), (2, 3)]),
    Row("PReLU", lambda **k: L.PReLU("ones", shared_axes=1, **k), (2, 3, 4)),
    Row("Permute", lambda **k: L.Permute((2, 1), **k), (2, 3, 4)),
    Row("RMSNormalization", L.RMSNormalization, (2, 3, 4)),
    Row("ReLU", lambda **k: L.ReLU(6, 0.1, 0.2, **k), (2, 3)),
    Row("RepeatVector", lambda **k: L.RepeatVector(3, **k), (2, 4)),
    Row("Reshape", lambda **k: L.Reshape((2, -1), **k), (2, 3, 4)),
    Row("ReversibleEmbedding", lambda **k: L.ReversibleEmbedding(9, 3, **k), (2, 5), "int32"),
    Row("SeparableConv1D", lambda **k: L.SeparableConv1D(4, 2, **k), (2, 5, 3)),
    Row("SeparableConv2D", lambda **k: L.SeparableConv2D(4, 2, **k), (2, 5, 4, 3)),
    Row("Softmax", lambda **k: L.Softmax([1, 2], **k), (2, 3, 4)),
    Row("SpatialDropout1D", lambda **k: L.SpatialDropout1D(0.5, **k), (2, 5, 3)),
    Row("SpatialDropout2D", lambda **k: L.SpatialDropout2D(0.5, **k), (2, 5, 4, 3)),
    Row("SpatialDropout3D", lambda **k: L.SpatialDropout3D(0.5, **k), (2, 3, 4, 3, 2)),
    Row("Subtract", L.Subtract, [(2, 3), (2, 3)]),
    Row("ThresholdedReLU", L.ThresholdedReLU, (2, 3)),
    Row("UnitNormalization", L.UnitNormalization, (2, 3)),
    Row("UpSampling1D", L.UpSampling1D, (2, 3, 2)),
    Row("UpSampling2D", lambda **k: L.UpSampling2D(2, None, "bilinear", **k), (2, 3, 3, 2)),
    Row("UpSampling3D", L.UpSampling3D, (2, 2, 2, 2, 1)),
    Row("ZeroPadding1D", L.ZeroPadding1D, (2, 3, 2)),
    Row("ZeroPadding2D", lambda **k: L.ZeroPadding2D((1, 2), **k), (2, 3, 3, 2)),
    Row("ZeroPadding3D", L.ZeroPadding3D, (2, 2, 2, 2, 1)),
]


def inputs_of(row, seed=0):
    """Return NumPy inputs for a row."""
    rng = np.random.default_rng(seed)

    def one(shape):
        if row.dtype == "int32":
            return rng.integers(0, 9, shape).astype("int32")
        return rng.normal(size=shape).astype(row.dtype)

    return [one(s) for s in row.shape] if isinstance(row.shape, list) else one(row.shape)
