"""Options, assets and the names that TensorFlow gives to parts of a SavedModel."""

import enum
import os
from typing import Any

from lamina.engine import Tensor, convert_to_tensor

__all__ = ["Asset", "LoadOptions", "SaveOptions", "VariablePolicy"]


class VariablePolicy(enum.Enum):
    """How variables are saved that live on several devices; here each is saved once."""

    EXPAND_DISTRIBUTED_VARIABLES = "expand_distributed_variables"
    NONE = None
    SAVE_VARIABLE_DEVICES = "save_variable_devices"


class SaveOptions:
    """How a SavedModel is written; none of them changes what lamina writes.

    Args:
        namespace_whitelist: Accepted, unused: there are no custom TensorFlow operations.
        save_debug_info: Accepted, unused.
        function_aliases: Accepted, unused.
        experimental_debug_stripper: Accepted, unused.
        experimental_io_device: Accepted, unused.
        experimental_variable_policy: Accepted, unused.
        experimental_custom_gradients: Accepted; gradients are always saved.
        experimental_image_format: Accepted, unused.
        experimental_skip_saver: Accepted, unused.
        experimental_sharding_callback: Accepted, unused.
        extra_tags: Accepted, unused.
    """

    def __init__(
        self,
        namespace_whitelist: Any = None,
        save_debug_info: bool = False,
        function_aliases: Any = None,
        experimental_debug_stripper: bool = False,
        experimental_io_device: Any = None,
        experimental_variable_policy: Any = None,
        experimental_custom_gradients: bool = True,
        experimental_image_format: bool = False,
        experimental_skip_saver: bool = False,
        experimental_sharding_callback: Any = None,
        extra_tags: Any = None,
    ) -> None:
        if isinstance(namespace_whitelist, str):
            raise TypeError(
                f"tf.saved_model.SaveOptions: `namespace_whitelist` must be a list of strings; got "
                f"{namespace_whitelist!r}.\n  Fix: [{namespace_whitelist!r}]."
            )
        self.namespace_whitelist = list(namespace_whitelist or ())
        self.save_debug_info = save_debug_info
        self.function_aliases = dict(function_aliases or {})
        self.experimental_debug_stripper = experimental_debug_stripper
        self.experimental_io_device = experimental_io_device
        self.experimental_variable_policy = experimental_variable_policy
        self.experimental_custom_gradients = experimental_custom_gradients
        self.experimental_image_format = experimental_image_format
        self.experimental_skip_saver = experimental_skip_saver
        self.experimental_sharding_callback = experimental_sharding_callback
        self.extra_tags = extra_tags


class LoadOptions:
    """How a SavedModel is read.

    Args:
        allow_partial_checkpoint: Accepted, unused: a SavedModel holds all its values.
        experimental_io_device: Accepted, unused.
        experimental_skip_checkpoint: Whether to leave variables at zero.
        experimental_variable_policy: Accepted, unused.
        experimental_load_function_aliases: Accepted, unused.
    """

    def __init__(
        self,
        allow_partial_checkpoint: bool = False,
        experimental_io_device: Any = None,
        experimental_skip_checkpoint: bool = False,
        experimental_variable_policy: Any = None,
        experimental_load_function_aliases: bool = False,
    ) -> None:
        self.allow_partial_checkpoint = allow_partial_checkpoint
        self.experimental_io_device = experimental_io_device
        self.experimental_skip_checkpoint = experimental_skip_checkpoint
        self.experimental_variable_policy = experimental_variable_policy
        self.experimental_load_function_aliases = experimental_load_function_aliases


class Asset:
    """A file that belongs to a model; `save` copies it, and the loaded one has its new path.

    Args:
        path: The path of the file.

    Example:
        >>> tf.saved_model.Asset("words.txt").asset_path.numpy()
        b'words.txt'
    """

    def __init__(self, path: Any) -> None:
        self._path = os.fspath(path)

    def _checkpoint_edges(self) -> list[tuple[str, Any]]:
        return []

    @property
    def asset_path(self) -> Tensor:
        """The path, a string Tensor."""
        return convert_to_tensor(self._path)
