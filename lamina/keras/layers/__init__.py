"""tf.keras.layers: what models are made of. A file is a family; a layer is its math and weights."""

from collections.abc import Mapping
from typing import Any

from lamina.keras import registry
from lamina.keras.core import Input, InputLayer, InputSpec, Layer
from lamina.keras.layers.activation import *
from lamina.keras.layers.attention import *
from lamina.keras.layers.attention_grouped import *
from lamina.keras.layers.attention_scores import *
from lamina.keras.layers.basic import *
from lamina.keras.layers.bidirectional import *
from lamina.keras.layers.borders import *
from lamina.keras.layers.cells import *
from lamina.keras.layers.conv import *
from lamina.keras.layers.conv_lstm import *
from lamina.keras.layers.conv_transpose import *
from lamina.keras.layers.depthwise import *
from lamina.keras.layers.elsewhere import *
from lamina.keras.layers.embedding import *
from lamina.keras.layers.jax_layer import *
from lamina.keras.layers.linear import *
from lamina.keras.layers.merging import *
from lamina.keras.layers.normalization import *
from lamina.keras.layers.pooling import *
from lamina.keras.layers.preprocessing import *
from lamina.keras.layers.recurrent import *
from lamina.keras.layers.regularization import *
from lamina.keras.layers.reshaping import *
from lamina.keras.layers.rnn import *
from lamina.keras.layers.spectrogram import *
from lamina.keras.layers.stacked import *
from lamina.keras.layers.time_distributed import *
from lamina.keras.layers.upsampling import *
from lamina.keras.layers.wrapper import *

# Symbolic calls report the compute dtype, as in Keras, though integers may come out of a run;
# these report what the traced call gives.
_TRACED = {FlaxLayer, Flatten, GRUCell, Identity, InputLayer, JaxLayer, LSTMCell, Lambda, Layer}
_TRACED |= {Permute, Reshape, SimpleRNNCell, StackedRNNCells, Wrapper}
for _kind in list(vars().values()):
    if (
        isinstance(_kind, type)
        and issubclass(_kind, Layer)
        and _kind not in _TRACED
        and ".preprocessing." not in _kind.__module__
    ):
        _kind._lm_reports_compute_dtype = True


def serialize(layer: Layer) -> dict[str, Any]:
    """Return a layer's class and config, as plain values.

    Args:
        layer: A layer.

    Returns:
        A dict that `deserialize` makes an equal layer from.

    Example:
        >>> tf.keras.layers.serialize(tf.keras.layers.Dense(2))["class_name"]
        'Dense'
    """
    return registry.serialize_keras_object(layer)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> Layer:
    """Return the layer that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class, for those that are not registered.

    Raises:
        ValueError: the config names no layer.

    Example:
        >>> config = tf.keras.layers.serialize(tf.keras.layers.Dense(2))
        >>> tf.keras.layers.deserialize(config).units
        2
    """
    layer = registry.deserialize_keras_object(config, custom_objects, hint="keras.layers")
    if not isinstance(layer, Layer):
        raise ValueError(
            f"keras.layers.deserialize: a layer's config was expected; got {config!r}.\n"
            f"  Fix: pass what keras.layers.serialize returned."
        )
    return layer
