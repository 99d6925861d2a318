"""tf.image: geometry, colour, cropping and quality of images; image files."""

from lamina.demand import on_demand as _on_demand
from lamina.ops.image import *

_CODECS = (
    "decode_and_crop_jpeg",
    "decode_bmp",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "extract_jpeg_shape",
    "is_jpeg",
)
_PROPOSALS = (
    "combined_non_max_suppression",
    "generate_bounding_box_proposals",
    "non_max_suppression_overlaps",
    "non_max_suppression_padded",
    "sample_distorted_bounding_box",
    "stateless_sample_distorted_bounding_box",
)
_QUALITIES = ("adjust_jpeg_quality", "random_jpeg_quality", "stateless_random_jpeg_quality")

__getattr__, __dir__ = _on_demand(
    __name__,
    names={
        "draw_bounding_boxes": "lamina.ops.image.glimpses",
        "encode_jpeg": "lamina.ops.image.encoders",
        "encode_png": "lamina.ops.image.encoders",
        "extract_glimpse": "lamina.ops.image.glimpses",
        **dict.fromkeys(_CODECS, "lamina.ops.image.codecs"),
        **dict.fromkeys(_PROPOSALS, "lamina.ops.image.proposals"),
        **dict.fromkeys(_QUALITIES, "lamina.ops.image.jpeg_quality"),
    },
)
