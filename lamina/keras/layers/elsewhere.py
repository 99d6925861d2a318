"""Layers that run programs of other frameworks: named so that a port learns what to do."""

from typing import Any

from lamina.keras.core import Layer

__all__ = ["TFSMLayer", "TorchModuleWrapper"]


class TFSMLayer(Layer):
    """A TensorFlow SavedModel as a layer: not available, a SavedModel runs in TensorFlow only.

    Args:
        filepath: The directory of the SavedModel.
        call_endpoint: The function to call.
        call_training_endpoint: The function to call while training.
        trainable: See `Layer`.
        name: See `Layer`.
        dtype: See `Layer`.

    Raises:
        NotImplementedError: always.

    Example:
        >>> tf.keras.layers.TFSMLayer("model")
        Traceback (most recent call last):
            ...
        NotImplementedError: TFSMLayer: a SavedModel holds a TensorFlow graph, which only \
TensorFlow runs; got 'model'.
          Fix: save the model as .keras or .weights.h5 where it was made, and load that.
    """

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ):
        raise NotImplementedError(
            f"TFSMLayer: a SavedModel holds a TensorFlow graph, which only TensorFlow runs; got "
            f"{filepath!r}.\n"
            f"  Fix: save the model as .keras or .weights.h5 where it was made, and load that."
        )


class TorchModuleWrapper(Layer):
    """A PyTorch module as a layer: not available, it cannot be differentiated or compiled here.

    Args:
        module: The module.
        name: See `Layer`.
        output_shape: The shape of its output.
        **kwargs: See `Layer`.

    Raises:
        NotImplementedError: always.

    Example:
        >>> tf.keras.layers.TorchModuleWrapper("module")
        Traceback (most recent call last):
            ...
        NotImplementedError: TorchModuleWrapper: a PyTorch module runs in PyTorch only, as in \
Keras on TensorFlow; got 'module'.
          Fix: write it as a layer, or in JAX or Flax for tf.keras.layers.JaxLayer or FlaxLayer.
    """

    def __init__(
        self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any
    ):
        raise NotImplementedError(
            f"TorchModuleWrapper: a PyTorch module runs in PyTorch only, as in Keras on "
            f"TensorFlow; got {module!r}.\n"
            f"  Fix: write it as a layer, or in JAX or Flax for tf.keras.layers.JaxLayer or "
            f"FlaxLayer."
        )
