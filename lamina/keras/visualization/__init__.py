"""tf.keras.visualization: images with boxes and masks drawn in, and galleries of them."""

from lamina.keras.visualization.drawing import draw_bounding_boxes, draw_segmentation_masks
from lamina.keras.visualization.galleries import (
    plot_bounding_box_gallery,
    plot_image_gallery,
    plot_segmentation_mask_gallery,
)

__all__ = [
    "draw_bounding_boxes",
    "draw_segmentation_masks",
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]
