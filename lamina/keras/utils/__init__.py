"""tf.keras.utils: files, data sets, images, encodings, registration."""

from lamina.keras.backend import clear_session
from lamina.keras.console import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)
from lamina.keras.policy import standardize_dtype
from lamina.keras.registry import (
    CustomObjectScope,
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)
from lamina.keras.training.batches import pack_x_y_sample_weight, unpack_x_y_sample_weight
from lamina.keras.training.py_dataset import PyDataset
from lamina.keras.training.py_dataset import PyDataset as Sequence
from lamina.keras.utils import bounding_boxes, legacy
from lamina.keras.utils.audio_folders import audio_dataset_from_directory
from lamina.keras.utils.encoding import normalize, pad_sequences, to_categorical
from lamina.keras.utils.feature_space import FeatureSpace
from lamina.keras.utils.files import get_file
from lamina.keras.utils.image_folders import image_dataset_from_directory
from lamina.keras.utils.images import array_to_img, img_to_array, load_img, save_img
from lamina.keras.utils.progbar import Progbar
from lamina.keras.utils.seeds import set_random_seed
from lamina.keras.utils.settings import Config
from lamina.keras.utils.splitting import split_dataset
from lamina.keras.utils.symbols import get_source_inputs, is_keras_tensor
from lamina.keras.utils.text_folders import text_dataset_from_directory
from lamina.keras.utils.timeseries import timeseries_dataset_from_array
from lamina.keras.viz.plot import model_to_dot, plot_model

__all__ = [
    "Config",
    "CustomObjectScope",
    "FeatureSpace",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "audio_dataset_from_directory",
    "bounding_boxes",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "image_dataset_from_directory",
    "img_to_array",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "legacy",
    "load_img",
    "model_to_dot",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "plot_model",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "split_dataset",
    "standardize_dtype",
    "text_dataset_from_directory",
    "timeseries_dataset_from_array",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
