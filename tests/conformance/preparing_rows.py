"""A row for each layer that prepares data: text, numbers, sound and pictures."""

import lamina as tf
from tests.conformance.table import Case, Fed, Fresh, image, integers, words

__all__ = ["PREPARING"]

L = tf.keras.layers

_NO_GRADIENT = {"gradients": "it prepares data: draws, rounds or counts"}
_STRINGS = dict.fromkeys(
    ["leaks", "dtypes"], "strings are computed on the host: nothing is traced, and nothing floats"
)
_WHOLE = {"dtypes": "its results are whole numbers"}
_DRAWN = "the size of its output is drawn, so that it cannot be traced"
_RESIZES = dict.fromkeys(
    ["function", "traced_shape", "leaks", "unknown_batch", "dtypes", "save_load"], _DRAWN
)


def _row(name, *inputs, without=None, **arguments):
    fed = tuple(i if isinstance(i, Fed) else Fed(i) for i in inputs)
    return Case("layers", name, fed, arguments, {}, {**_NO_GRADIENT, **(without or {})})


def _picture(name, *inputs, **arguments):
    return _row(name, *(inputs or (image(2, 6, 5, 3),)), **arguments)


PREPARING = [
    _row("CategoryEncoding", integers(2, 3), num_tokens=9),
    _row("Discretization", (2, 3), bin_boundaries=[-0.5, 0.0, 0.5]),
    _row("HashedCrossing", integers(4), integers(4), num_bins=5),
    _row("Hashing", integers(2, 3), num_bins=5, without=_WHOLE),
    _row("IntegerLookup", integers(2, 3), vocabulary=[3, 5, 7]),
    _row("MelSpectrogram", (2, 64), fft_length=16, sequence_stride=8, num_mel_bins=4),
    _row("Normalization", (2, 3), mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
    _row("Rescaling", (2, 3), scale=0.5, offset=1.0),
    _row("STFTSpectrogram", (2, 64, 1), mode="log", frame_length=16, frame_step=8),
    _row("StringLookup", words(2, 3), vocabulary=["red", "green"], without=_STRINGS),
    _row(
        "TextVectorization",
        words(4),
        vocabulary=["red", "blue"],
        output_sequence_length=3,
        without=_STRINGS,
    ),
    _picture("AugMix", num_chains=1, chain_depth=1),
    _picture("AutoContrast"),
    _picture("CenterCrop", height=3, width=4),
    _picture("ContrastLimitedAdaptiveHistogramEqualization", image(1, 8, 8, 1), tile_grid_size=2),
    _picture("CutMix"),
    _picture("Equalization"),
    _picture("MixUp"),
    _picture("Pipeline", layers=Fresh(lambda: [L.Rescaling(0.5), L.CenterCrop(3, 3)])),
    _picture("RandAugment", num_ops=1),
    _picture("RandomBrightness", factor=0.2),
    _picture("RandomColorDegeneration", factor=0.5),
    _picture("RandomColorJitter", brightness_factor=0.2, hue_factor=0.1),
    _picture("RandomContrast", factor=0.2),
    _picture("RandomCrop", height=3, width=4),
    _picture("RandomElasticTransform"),
    _picture("RandomErasing"),
    _picture("RandomFlip"),
    _picture("RandomGaussianBlur"),
    _picture("RandomGrayscale"),
    _picture("RandomHeight", factor=0.2, without=_RESIZES),
    _picture("RandomHue", factor=0.2),
    _picture("RandomInvert"),
    _picture("RandomPerspective"),
    _picture("RandomPosterization", factor=4),
    _picture("RandomRotation", factor=0.2),
    _picture("RandomSaturation", factor=0.5),
    _picture("RandomSharpness", factor=0.5),
    _picture("RandomShear", x_factor=0.2),
    _picture("RandomTranslation", height_factor=0.2, width_factor=0.1),
    _picture("RandomWidth", factor=0.2, without=_RESIZES),
    _picture("RandomZoom", height_factor=0.2),
    _picture("Resizing", height=4, width=3),
    _picture("Solarization", threshold_factor=0.5),
]
