"""NASNet: two cells found by search, stacked; each sees the outputs of the two before it.

Differs from TF: NASNetLarge without classifier takes 331x331 by default; Keras builds it for free
sizes, where it cannot run.

Reference: Zoph et al. 2017, https://arxiv.org/abs/1707.07012, fig. 4.

Example:
    >>> model = tf.keras.applications.NASNetMobile(
    ...     include_top=False, weights=None, input_shape=(32, 32, 3)
    ... )
    >>> model.output_shape
    (None, 1, 1, 1056)
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from lamina.engine import name_scope
from lamina.keras import layers
from lamina.keras.applications.frame import Frame, Published, even_padding
from lamina.keras.applications.imagenet_utils import decode_predictions
from lamina.keras.applications.imagenet_utils import tf_input as preprocess_input
from lamina.keras.applications.member import documented
from lamina.keras.models import Model
from lamina.keras.policy import image_data_format

__all__ = ["NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]


@dataclasses.dataclass(frozen=True)
class _Kind:
    """One member of the family.

    Attributes:
        size: The height and width that it was made for.
        features: The channels before the classifier.
        cells: The normal cells in each of the three stages.
        first: The filters of the first convolution.
        skips: Whether a stage's first cell sees the cell before the last one.
    """

    size: int
    features: int
    cells: int
    first: int
    skips: bool


def _normalized(x: Any, name: str) -> Any:
    return layers.BatchNormalization(axis=-1, momentum=0.9997, name=name)(x)


def _relu(x: Any, name: str | None = None) -> Any:
    return layers.Activation("relu", name=name)(x)


def _project(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(
        filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)


def _separable(x: Any, filters: int, size: int, name: str, stride: int = 1) -> Any:
    """Return two separable convolutions, each after a ReLU and before a normalization."""
    with name_scope(f"separable_conv_block_{name}"):
        for i in (1, 2):
            halves = stride == 2 and i == 1
            x = _relu(x)
            if halves:
                pad = f"separable_conv_1_pad_{name}"
                x = layers.ZeroPadding2D(even_padding(x, size), name=pad)(x)
            x = layers.SeparableConv2D(
                filters,
                size,
                strides=2 if halves else 1,
                padding="valid" if halves else "same",
                use_bias=False,
                name=f"separable_conv_{i}_{name}",
            )(x)
            x = _normalized(x, f"separable_conv_{i}_bn_{name}")
    return x


def _smoothed(x: Any, name: str) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _added(x: Any, y: Any, name: str | None = None) -> Any:
    return layers.Add(name=name)([x, y])


def _picked(x: Any, filters: int, cell: str) -> Any:
    """Return half of the pixels along each axis, from two corners, so that none is lost."""
    x = _relu(x, f"adjust_relu_1_{cell}")
    moved = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(x))
    halves = []
    for i, source in enumerate((x, moved), 1):
        pool = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{cell}")
        halves.append(_project(pool(source), filters // 2, f"adjust_conv_{i}_{cell}"))
    return _normalized(layers.Concatenate(axis=-1)(halves), f"adjust_bn_{cell}")


def _fitted(previous: Any, x: Any, filters: int, cell: str) -> Any:
    """Return the output of the cell before the last one, in the size that `x` has."""
    if previous is None:
        return x
    with name_scope("adjust_block"):
        if previous.shape[2] != x.shape[2]:
            with name_scope(f"adjust_reduction_block_{cell}"):
                return _picked(previous, filters, cell)
        if previous.shape[-1] != filters:
            with name_scope(f"adjust_projection_block_{cell}"):
                previous = _project(_relu(previous), filters, f"adjust_conv_projection_{cell}")
                return _normalized(previous, f"adjust_bn_{cell}")
    return previous


def _entered(x: Any, filters: int, kind: str, cell: str) -> Any:
    x = _project(_relu(x), filters, f"{kind}_conv_1_{cell}")
    return _normalized(x, f"{kind}_bn_1_{cell}")


def _normal(x: Any, previous: Any, filters: int, cell: str) -> Any:
    """Return the output of a normal cell, which keeps the size."""

    def sep(source: Any, size: int, side: str) -> Any:
        return _separable(source, filters, size, f"normal_{side}_{cell}")

    def smooth(source: Any, side: str) -> Any:
        return _smoothed(source, f"normal_{side}_{cell}")

    with name_scope(f"normal_A_block_{cell}"):
        p = _fitted(previous, x, filters, cell)
        h = _entered(x, filters, "normal", cell)
        pairs: list[Callable[[], tuple[Any, Any]]] = [
            lambda: (sep(h, 5, "left1"), sep(p, 3, "right1")),
            lambda: (sep(p, 5, "left2"), sep(p, 3, "right2")),
            lambda: (smooth(h, "left3"), p),
            lambda: (smooth(p, "left4"), smooth(p, "right4")),
            lambda: (sep(h, 3, "left5"), h),
        ]
        parts = [p]
        for i, pair in enumerate(pairs, 1):
            with name_scope(f"block_{i}"):
                parts.append(_added(*pair(), f"normal_add_{i}_{cell}"))
        return layers.Concatenate(axis=-1, name=f"normal_concat_{cell}")(parts)


def _reduction(x: Any, previous: Any, filters: int, cell: str) -> Any:
    """Return the output of a reduction cell, which halves the size."""

    def sep(source: Any, size: int, side: str, stride: int = 2) -> Any:
        return _separable(source, filters, size, f"reduction_{side}_{cell}", stride)

    def pool(kind: Any, side: str) -> Any:
        return kind(3, strides=2, padding="valid", name=f"reduction_{side}_{cell}")(padded)

    maximum, mean = layers.MaxPooling2D, layers.AveragePooling2D
    with name_scope(f"reduction_A_block_{cell}"):
        p = _fitted(previous, x, filters, cell)
        h = _entered(x, filters, "reduction", cell)
        padded = layers.ZeroPadding2D(even_padding(h, 3), name=f"reduction_pad_1_{cell}")(h)
        with name_scope("block_1"):
            first = _added(sep(h, 5, "left1"), sep(p, 7, "right1"), f"reduction_add_1_{cell}")
        with name_scope("block_2"):
            second = _added(pool(maximum, "left2"), sep(p, 7, "right2"), f"reduction_add_2_{cell}")
        with name_scope("block_3"):
            third = _added(pool(mean, "left3"), sep(p, 5, "right3"), f"reduction_add3_{cell}")
        fourth = _added(second, _smoothed(first, f"reduction_left4_{cell}"))
        with name_scope("block_5"):
            left = sep(first, 3, "left4", stride=1)
            fifth = _added(left, pool(maximum, "right5"), f"reduction_add4_{cell}")
        parts = [second, third, fourth, fifth]
        return layers.Concatenate(axis=-1, name=f"reduction_concat_{cell}")(parts)


def _nasnet(frame: Frame, kind: _Kind) -> Any:
    filters = kind.features // 24
    x = layers.Conv2D(
        kind.first,
        3,
        strides=2,
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem_conv1",
    )(frame.x)
    x = _normalized(x, "stem_bn1")
    previous = None
    for i, divisor in enumerate((4, 2), 1):
        x, previous = _reduction(x, previous, filters // divisor, f"stem_{i}"), x
    for stage in range(3):
        start, width = stage * kind.cells, filters << stage
        if stage:
            reduced = _reduction(x, previous, width, f"reduce_{start}")
            x, previous = reduced, previous if kind.skips else x
        for i in range(kind.cells):
            # The numbers of the cells leave out one at each reduction.
            cell = start + i + (1 if stage else 0)
            x, previous = _normal(x, previous, width, str(cell)), x
    x = _relu(x)
    if not frame.include_top:
        return frame.pooled(x, (None, None))
    return frame.classified(layers.GlobalAveragePooling2D()(x))


def _check(title: str, input_shape: Any, weights: Any) -> None:
    if image_data_format() == "channels_first":
        raise ValueError(
            f"{title}: `image_data_format` must be 'channels_last'; got 'channels_first'.\n"
            f"  Fix: tf.keras.backend.set_image_data_format('channels_last')."
        )
    if isinstance(input_shape, tuple) and None in input_shape and weights == "imagenet":
        raise ValueError(
            f"{title}: `input_shape` must be known with weights='imagenet'; got {input_shape}."
        )


def _member(title: str, remote: str, kind: _Kind):
    label = f"nasnet_{title.removeprefix('NASNet').lower()}"

    def application(
        input_shape: Any = None,
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str | None = label,
    ) -> Model:
        _check(title, input_shape, weights)
        frame = Frame(
            title,
            kind.size,
            Published("nasnet", label, "_no_top", remote=(remote, "-no-top")),
            include_top=include_top,
            weights=weights,
            input_tensor=input_tensor,
            input_shape=input_shape,
            pooling=pooling,
            classes=classes,
            classifier_activation=classifier_activation,
            fixed=True,
        )
        return frame.model(_nasnet(frame, kind), name)

    application.__doc__ = f"Return {title}, made for images of {kind.size}x{kind.size}."
    return documented(
        application,
        title,
        "Zoph et al. 2017, https://arxiv.org/abs/1707.07012",
        "in [-1, 1], as `nasnet.preprocess_input` gives them",
        fixed=True,
    )


NASNetMobile = _member("NASNetMobile", "NASNet-mobile", _Kind(224, 1056, 4, 32, skips=False))
NASNetLarge = _member("NASNetLarge", "NASNet-large", _Kind(331, 4032, 6, 96, skips=True))
