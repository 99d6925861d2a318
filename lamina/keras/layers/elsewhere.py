"""Layers that run programs that were saved, or those of other frameworks."""

from importlib import import_module
from typing import Any

from lamina.keras.core import Layer

__all__ = ["TFSMLayer", "TorchModuleWrapper"]


class TFSMLayer(Layer):
    """A function of a SavedModel as a layer, its variables as the layer's weights.

    Args:
        filepath: The folder that `tf.saved_model.save` or `Model.export` wrote.
        call_endpoint: The function to call: an attribute of the loaded object, or a signature.
        call_training_endpoint: The function to call while training; None takes the other.
        trainable: See `Layer`.
        name: See `Layer`.
        dtype: See `Layer`.

    Call:
        inputs: What the function takes.

    Returns:
        What the function returns.

    Raises:
        ValueError: there is no such function, or the SavedModel is TensorFlow's.
        OSError: there is no SavedModel.

    Example:
        >>> import tempfile
        >>> model = tf.keras.Sequential([tf.keras.Input((3,)), tf.keras.layers.Dense(2)])
        >>> folder = tempfile.mkdtemp()
        >>> model.export(folder, verbose=False)
        >>> tf.keras.layers.TFSMLayer(folder)(tf.ones([4, 3])).shape
        TensorShape([4, 2])
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
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        self.filepath = str(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        # A SavedModel holds a checkpoint, which knows layers: it stands above them.
        loaded = import_module("lamina.savedmodel").load(filepath)
        self._lm_endpoint = self._found(loaded, call_endpoint)
        self._lm_training_endpoint = (
            self._found(loaded, call_training_endpoint) if call_training_endpoint else None
        )
        used = [self._lm_endpoint, self._lm_training_endpoint or self._lm_endpoint]
        held = {id(v): v for f in used for v in getattr(f, "variables", ())}
        self._tf_variables = list(held.values())
        self.built = True

    def _found(self, loaded: Any, endpoint: str) -> Any:
        served = getattr(loaded, "signatures", {})
        function = getattr(loaded, endpoint, None) or served.get(endpoint)
        if function is None:
            raise ValueError(
                f"TFSMLayer: The endpoint '{endpoint}' is neither an attribute of the reloaded "
                f"SavedModel, nor an entry in the `signatures` field of the reloaded SavedModel. "
                f"Select another endpoint via the `call_endpoint` argument. Available endpoints "
                f"for this SavedModel: {list(served)}"
            )
        return function

    def call(self, inputs: Any, training: bool | None = False, **kwargs: Any) -> Any:
        """Call the function."""
        function = self._lm_training_endpoint if training else None
        return (function or self._lm_endpoint)(inputs, **kwargs)


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
