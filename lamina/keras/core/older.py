"""Arguments of layers that TensorFlow 2.0–2.15 knew and Keras 3 does not."""

from typing import Any

from lamina.keras import registry
from lamina.keras.core.checks import label
from lamina.keras.spelling import note_older

__all__ = ["INSTEAD", "UNUSED", "take_older_arguments"]

# Argument: what to write now.
INSTEAD = {
    "input_shape": "tf.keras.Input(shape) before it",
    "input_dim": "tf.keras.Input((size,)) before it",
    "batch_input_shape": "tf.keras.Input(batch_shape=shape) before it",
    "weights": "layer.set_weights(weights) after building",
}
# Argument: the values that ask for nothing.
UNUSED: dict[str, tuple[Any, ...]] = {
    "adjustment": (None,),
    "dynamic": (None, False, True),
    "fused": (None, False, True),
    "implementation": (0, 1, 2),
    "input_length": (),
    "time_major": (None, False),
    "virtual_batch_size": (None,),
}


def take_older_arguments(layer: Any, kwargs: dict[str, Any]) -> None:
    """Take the older arguments of a layer, with one note each.

    Args:
        layer: The layer that is made.
        kwargs: Arguments that no class of it has taken; changed.

    Raises:
        ValueError: there are others.
    """
    _note(layer, kwargs)
    own = layer.__dict__
    weights = kwargs.pop("weights", None)
    if weights is not None:
        own["_lm_start_weights"] = weights
    shape = kwargs.pop("input_shape", None)
    if "input_dim" in kwargs:
        shape = (kwargs.pop("input_dim"),)
    if "batch_input_shape" in kwargs:
        own["_batch_input_shape"] = tuple(kwargs.pop("batch_input_shape"))
    elif shape is not None:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        own["_batch_input_shape"] = (kwargs.pop("batch_size", None), *shape)
    if kwargs:
        raise ValueError(
            f"{label(layer)}: unrecognized keyword arguments {sorted(kwargs)}.\n"
            f"  Fix: remove them, or take them in `__init__` without passing them on."
        )


def _note(layer: Any, kwargs: dict[str, Any]) -> None:
    """Give one note for each older argument; take out those that ask for nothing."""
    cls = type(layer)
    name = f"tf.keras.layers.{cls.__name__}" if registry.is_own(cls) else cls.__name__
    for word in list(kwargs):
        if word in INSTEAD and kwargs[word] is not None:
            note_older(f"{name}({word}=)", INSTEAD[word])
        elif word in UNUSED and (not UNUSED[word] or kwargs[word] in UNUSED[word]):
            del kwargs[word]
            note_older(f"{name}({word}=)", "")
