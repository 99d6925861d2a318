"""tf.keras.legacy.saving: the config dicts of Keras 2."""

from lamina.keras.utils.legacy import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
