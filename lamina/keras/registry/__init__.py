"""Names and objects: what a config or a saved file may refer to, and how both turn into each other.

`names` holds the tables, `encode` turns objects into configs, `decode` turns configs into objects.
Nothing here imports a module or runs code that a file names: a file may name only lamina's own
classes and functions, what the program registered or defined, and what the caller passes in
`custom_objects`.
"""

from lamina.keras.registry.asking import asker
from lamina.keras.registry.decode import (
    decoder,
    deserialize_keras_object,
    enable_unsafe_deserialization,
    in_safe_mode,
    resolve,
    revive,
)
from lamina.keras.registry.encode import function_name, is_public_function, serialize_keras_object
from lamina.keras.registry.names import (
    CustomObjectScope,
    UnknownNameError,
    builtin,
    custom_object_scope,
    define,
    define_late,
    find,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    is_own,
    load_late,
    near_names,
    public_path,
    publish,
    register_keras_serializable,
    same,
)

__all__ = [
    "CustomObjectScope",
    "UnknownNameError",
    "asker",
    "builtin",
    "custom_object_scope",
    "decoder",
    "define",
    "define_late",
    "deserialize_keras_object",
    "enable_unsafe_deserialization",
    "find",
    "function_name",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "in_safe_mode",
    "is_own",
    "is_public_function",
    "load_late",
    "near_names",
    "public_path",
    "publish",
    "register_keras_serializable",
    "resolve",
    "revive",
    "same",
    "serialize_keras_object",
]
