"""Galleries: several images in one figure. They need matplotlib."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina.keras import policy
from lamina.keras.visualization.drawing import (
    check_batch,
    draw_bounding_boxes,
    draw_segmentation_masks,
)

__all__ = ["plot_bounding_box_gallery", "plot_image_gallery", "plot_segmentation_mask_gallery"]


def _pyplot(who: str) -> Any:
    try:
        from matplotlib import pyplot
    except ImportError:
        raise ImportError(
            f"{who}: it needs matplotlib, which is not installed.\n  Fix: pip install matplotlib"
        ) from None
    return pyplot


def _channels_last(images: Any, data_format: str | None) -> np.ndarray:
    array = np.asarray(images)
    first = policy.standardize_data_format(data_format) == "channels_first"
    return array.transpose(0, 2, 3, 1) if first else array


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: Mapping[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Show images, or save them as one figure.

    Args:
        images: `(B, H, W, C)` or `(B, C, H, W)`.
        y_true: The true class of each image, or None.
        y_pred: The predicted class of each image, or None.
        label_map: The names of the classes.
        rows: Rows; None makes the figure about square.
        cols: Columns; None makes the figure about square.
        value_range: The range of the images' values.
        scale: The size of an image, in inches.
        path: A file to save in, or None.
        show: Whether to show the figure; None shows it unless there is a `path`.
        transparent: Whether the file's background is transparent.
        dpi: Dots an inch of the file.
        legend_handles: Matplotlib handles of a legend, or None.
        data_format: "channels_last" or "channels_first"; None is the default one.

    Raises:
        ValueError: `images` are no batch, classes come without names, or both `path` and `show`
            are given.
        ImportError: matplotlib is not installed.
    """
    plt = _pyplot("plot_image_gallery")
    check_batch("plot_image_gallery", images)
    if path is not None and show:
        raise ValueError("plot_image_gallery: only one of `path` and `show` can be given.")
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(
            "plot_image_gallery: `y_true` and `y_pred` need the names of the classes, `label_map`."
        )
    pixels = _channels_last(images, data_format)
    rows, cols = _grid(len(pixels), rows, cols)
    low, high = value_range
    pixels = (pixels.astype("float32") - low) / (high - low) * 255
    figure, axes = plt.subplots(
        nrows=rows,
        ncols=cols,
        figsize=(cols * scale, rows * scale),
        frameon=False,
        layout="tight",
        squeeze=False,
        sharex="row",
        sharey="col",
    )
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    for i, axis in enumerate(axes.flat):
        axis.margins(x=0, y=0)
        axis.axis("off")
        if i < len(pixels):
            axis.imshow(np.clip(pixels[i], 0, 255).astype("uint8").squeeze(), cmap="gray")
            title = _title(i, y_true, y_pred, label_map or {})
            if title:
                axis.set_title(title, fontsize=8)
    if path is not None:
        figure.savefig(path, pad_inches=0, bbox_inches="tight", transparent=transparent, dpi=dpi)
        plt.close(figure)
    elif show is None or show:
        plt.show()
        plt.close(figure)


def _grid(count: int, rows: int | None, cols: int | None) -> tuple[int, int]:
    rows = rows or (math.ceil(count / cols) if cols else math.ceil(math.sqrt(count)))
    return rows, cols or math.ceil(count / rows)


def _title(i: int, y_true: Any, y_pred: Any, names: Mapping[Any, str]) -> str:
    parts = []
    for label, values in (("Label", y_true), ("Pred", y_pred)):
        if values is not None and i < len(values):
            parts.append(f"{label}: {names.get(np.asarray(values)[i].item(), 'Unknown')}")
    return "  ".join(parts)


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: Mapping[int, str] | None = None,
    ground_truth_mapping: Mapping[int, str] | None = None,
    prediction_mapping: Mapping[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images with true and predicted boxes.

    Args:
        images: `(B, H, W, 3)` or `(B, 3, H, W)`.
        bounding_box_format: As in `tf.keras.utils.bounding_boxes.convert_format`.
        y_true: The true boxes, as in `draw_bounding_boxes`, or None.
        y_pred: The predicted boxes, or None.
        value_range: The range of the images' values.
        true_color: The color of true boxes.
        pred_color: The color of predicted boxes.
        line_thickness: The width of lines, in pixels.
        font_scale: The size of names, in units of 12 pixels.
        text_thickness: The weight of the letters; None is `line_thickness`.
        class_mapping: The names by class number, or None.
        ground_truth_mapping: Those of true boxes, where they differ.
        prediction_mapping: Those of predicted boxes, where they differ.
        legend: Whether a legend says which color is which.
        legend_handles: Matplotlib handles of another legend, or None.
        rows: Rows; None makes the figure about square.
        cols: Columns; None makes the figure about square.
        data_format: "channels_last" or "channels_first"; None is the default one.
        **kwargs: Further arguments of `plot_image_gallery`.

    Raises:
        ValueError: `images` are no batch, or both `legend` and `legend_handles` are given.
        ImportError: matplotlib or Pillow is not installed.
    """
    _pyplot("plot_bounding_box_gallery")
    check_batch("plot_bounding_box_gallery", images)
    if legend and legend_handles:
        raise ValueError(
            "plot_bounding_box_gallery: only one of `legend` and `legend_handles` can be given."
        )
    drawn = _channels_last(images, data_format)
    sides = (
        (y_true, true_color, ground_truth_mapping or class_mapping),
        (y_pred, pred_color, prediction_mapping or class_mapping),
    )
    for boxes, color, names in sides:
        if boxes is not None:
            drawn = draw_bounding_boxes(
                drawn,
                boxes,
                bounding_box_format,
                class_mapping=names,
                color=color,
                line_thickness=line_thickness,
                text_thickness=text_thickness,
                font_scale=font_scale,
                data_format="channels_last",
            )
    if legend:
        from matplotlib.patches import Patch

        legend_handles = [
            Patch(color=tuple(channel / 255.0 for channel in color), label=label)
            for color, label in ((true_color, "Ground Truth"), (pred_color, "Prediction"))
        ]
    plot_image_gallery(
        drawn,
        value_range=value_range,
        legend_handles=legend_handles,
        rows=rows,
        cols=cols,
        data_format="channels_last",
        **kwargs,
    )


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Mapping[int, Any] | None = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images beside themselves with true and predicted masks, one row an image.

    Args:
        images: `(B, H, W, 3)` or `(B, 3, H, W)`.
        num_classes: The number of classes.
        value_range: The range of the images' values.
        y_true: The true masks, as in `draw_segmentation_masks`, or None.
        y_pred: The predicted masks, or None.
        color_mapping: The color of each class; None makes colors.
        blend: Whether colors and image are mixed.
        alpha: The weight of the colors, in [0, 1].
        ignore_index: The class that is not drawn.
        data_format: "channels_last" or "channels_first"; None is the default one.
        **kwargs: Further arguments of `plot_image_gallery`.

    Raises:
        ValueError: `images` are no batch.
        ImportError: matplotlib is not installed.
    """
    check_batch("plot_segmentation_mask_gallery", images)
    pixels = _channels_last(images, data_format)
    columns = [pixels]
    for masks in (y_true, y_pred):
        if masks is not None:
            columns.append(
                draw_segmentation_masks(
                    pixels,
                    _channels_last(masks, data_format).astype("int32"),
                    num_classes,
                    color_mapping,
                    alpha,
                    blend,
                    ignore_index,
                    "channels_last",
                )
            )
    together = np.stack(columns, axis=1).reshape(-1, *pixels.shape[1:])
    plot_image_gallery(
        together,
        value_range=value_range,
        rows=len(pixels),
        cols=len(columns),
        data_format="channels_last",
        **kwargs,
    )
