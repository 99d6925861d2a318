"""tf.image: geometry, colour, cropping and quality of images."""

from lamina.ops.image import *
