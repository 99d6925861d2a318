"""tf.keras.applications.vgg19."""

from lamina.keras.applications.vgg import VGG19, decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]
