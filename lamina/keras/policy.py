"""Dtype policies, and the process-wide defaults: floatx, epsilon, data format."""

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar

import numpy as np

from lamina import ops
from lamina.engine import DType, Tensor, Variable, as_dtype
from lamina.keras import registry
from lamina.keras.capture import Captured

__all__ = [
    "DTypePolicy",
    "DTypePolicyMap",
    "FloatDTypePolicy",
    "backend",
    "deserialize",
    "dtype_policy",
    "epsilon",
    "floatx",
    "get",
    "image_data_format",
    "serialize",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_data_format",
    "standardize_dtype",
]

_FLOATX = ("float16", "bfloat16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")
_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
# Functions from a name to a policy, or to None where they do not know it; `quantized` adds one.
readers: list[Callable[[str], Any]] = []


class _Defaults:
    """What holds for the whole process, in all threads."""

    floatx = "float32"
    epsilon = 1e-7
    image_data_format = "channels_last"
    policy: "DTypePolicy | DTypePolicyMap | None" = None


def floatx() -> str:
    """Return the float dtype that layers and losses use by default.

    Example:
        >>> tf.keras.backend.floatx()
        'float32'
    """
    return _Defaults.floatx


def set_floatx(value: str) -> None:
    """Set the default float dtype; the default dtype policy follows it unless it was set.

    Args:
        value: "float16", "bfloat16", "float32" or "float64".

    Raises:
        ValueError: another value.

    Example:
        >>> tf.keras.backend.set_floatx("float64")
        >>> tf.keras.backend.floatx()
        'float64'
        >>> tf.keras.backend.set_floatx("float32")
    """
    name = value.name if isinstance(value, DType) else value
    if name not in _FLOATX:
        raise ValueError(_msg_choice("set_floatx", "value", _FLOATX, value))
    _Defaults.floatx = name


def epsilon() -> float:
    """Return the small number that keeps divisions finite.

    Example:
        >>> tf.keras.backend.epsilon()
        1e-07
    """
    return _Defaults.epsilon


def set_epsilon(value: float) -> None:
    """Set the small number that keeps divisions finite.

    Args:
        value: A positive number.

    Example:
        >>> tf.keras.backend.set_epsilon(1e-5)
        >>> tf.keras.backend.epsilon()
        1e-05
        >>> tf.keras.backend.set_epsilon(1e-7)
    """
    _Defaults.epsilon = value


def image_data_format() -> str:
    """Return where the channel axis stands by default: "channels_last" or "channels_first".

    Example:
        >>> tf.keras.backend.image_data_format()
        'channels_last'
    """
    return _Defaults.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set where the channel axis stands by default.

    Args:
        data_format: "channels_last" or "channels_first".

    Raises:
        ValueError: another value.

    Example:
        >>> tf.keras.backend.set_image_data_format("channels_last")
    """
    if data_format not in _DATA_FORMATS:
        raise ValueError(
            _msg_choice("set_image_data_format", "data_format", _DATA_FORMATS, data_format)
        )
    _Defaults.image_data_format = data_format


def standardize_data_format(data_format: str | None) -> str:
    """Return a data format in lower case, the default one for None.

    Args:
        data_format: "channels_last", "channels_first" or None.

    Raises:
        ValueError: another value.
    """
    if data_format is None:
        return _Defaults.image_data_format
    found = str(data_format).lower()
    if found not in _DATA_FORMATS:
        who = registry.asker(data_format, "keras: `data_format`").partition(":")[0]
        raise ValueError(_msg_choice(who, "data_format", _DATA_FORMATS, data_format))
    return found


def backend() -> str:
    """Return "tensorflow": the API that programs which ask for the backend go on to use.

    Example:
        >>> tf.keras.backend.backend()
        'tensorflow'
    """
    return "tensorflow"


def standardize_dtype(dtype: Any) -> str:
    """Return the name of a dtype, however it is spelled; `floatx()` for None.

    Args:
        dtype: A name, DType, NumPy dtype or type, Python type (`int` is int64, `float` is
            floatx), or None.

    Returns:
        A name such as "float32".

    Raises:
        ValueError: it is no dtype.

    Example:
        >>> tf.keras.backend.standardize_dtype(tf.int32)
        'int32'
    """
    if dtype is None or dtype is float:
        return _Defaults.floatx
    if isinstance(dtype, DType):
        return dtype.name
    if dtype is int or (isinstance(dtype, str) and dtype == "int"):
        return "int64"
    if isinstance(dtype, str) and dtype.startswith("torch."):
        dtype = dtype.removeprefix("torch.")
    try:
        if isinstance(dtype, int):  # a number of TF's enum, which is no dtype to Keras
            raise TypeError
        return as_dtype(dtype).name
    except (TypeError, ValueError):
        raise ValueError(
            f"standardize_dtype: a dtype was expected as `dtype`; got {dtype!r}.\n"
            f"  Fix: pass a name such as 'float32', or an object such as tf.float32."
        ) from None


def _msg_choice(who: str, argument: str, choices: Any, got: Any) -> str:
    listed = ", ".join(repr(choice) for choice in choices)
    return (
        f"{who}: `{argument}` must be one of {listed}; got {got!r}.\n"
        f"  Fix: pass one of these names."
    )


class DTypePolicy(Captured):
    """The dtypes a layer computes in and keeps its weights in.

    Args:
        name: A dtype for both, such as "float32", or "mixed_float16" or "mixed_bfloat16": compute
            in the short dtype, keep weights in float32. None takes the global policy's name.

    Attributes:
        name: The policy's name.
        compute_dtype: The dtype that inputs are cast to and outputs have.
        variable_dtype: The dtype of weights.

    Raises:
        TypeError: `name` is no string.
        ValueError: `name` is no dtype and no mixed policy.

    Example:
        >>> policy = tf.keras.DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    _keras_module: ClassVar[str] = "keras"

    quantization_mode = None

    def __init__(self, name: str | None = None):
        if name is None:
            name = dtype_policy().name
        if not isinstance(name, str):
            raise TypeError(
                f"DTypePolicy: `name` must be a string such as 'mixed_float16'; got {name!r} of "
                f"type {type(name).__name__}.\n  Fix: pass its name, `tf.as_dtype(x).name`."
            )
        self.name = name
        self.compute_dtype, self.variable_dtype = self._parse(name)

    @staticmethod
    def _parse(name: str) -> tuple[str, str]:
        if name in _MIXED:
            return _MIXED[name], "float32"
        try:
            dtype = standardize_dtype(name)
        except ValueError:
            who = registry.asker(name, "DTypePolicy: `name`", like="dtype")
            raise ValueError(
                f"{who} must be a dtype, 'mixed_float16' or 'mixed_bfloat16'; got {name!r}.\n"
                f"  Fix: use 'mixed_bfloat16' for bfloat16 with float32 weights."
            ) from None
        return dtype, dtype

    def convert_input(self, x: Any, autocast: bool, dtype: str) -> Any:
        """Return one argument of a layer's call as a Tensor of the layer's dtype.

        Args:
            x: Floating Tensors, Variables and arrays are cast if `autocast`; other arrays become
                Tensors; everything else comes back as it is.
            autocast: Whether to cast.
            dtype: The name of the dtype to cast to.
        """
        if isinstance(x, np.ndarray | np.generic):
            x = ops.convert_to_tensor(x)
        if not isinstance(x, Tensor | Variable):
            return x
        if autocast and x.dtype.is_floating and x.dtype != dtype:
            return ops.cast(x, dtype)
        return x

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
Like = str | DType | type | DTypePolicy | Mapping[str, Any] | None


@registry.builtin("keras.dtype_policies")
class DTypePolicyMap(Captured, MutableMapping[str, Any]):
    """Dtype policies by layer path.

    Args:
        default_policy: The policy of layers that no entry fits; None takes the global policy.
        policy_map: Path → policy. A path matches itself, or as a regular expression the whole
            path.

    Raises:
        TypeError: `policy_map` is no dict.

    Example:
        >>> policies = tf.keras.dtype_policies.DTypePolicyMap("float32")
        >>> policies["encoder/.*"] = "mixed_bfloat16"
        >>> policies["encoder/dense"].name, policies["decoder"].name
        ('mixed_bfloat16', 'float32')
    """

    _keras_module: ClassVar[str] = "keras.dtype_policies"

    quantization_mode = None

    def __init__(self, default_policy: Like = None, policy_map: Mapping[str, Any] | None = None):
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(
                f"DTypePolicyMap: `policy_map` must be a dict of paths and policies; got "
                f"{policy_map!r} of type {type(policy_map).__name__}."
            )
        self._default = None if default_policy is None else get(default_policy)
        self.policy_map = {path: get(policy) for path, policy in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers that no entry fits."""
        policy = dtype_policy() if self._default is None else self._default
        return policy.default_policy if isinstance(policy, DTypePolicyMap) else policy

    @property
    def name(self) -> str:
        """The default policy's name with "map_" before it."""
        return f"map_{self.default_policy.name}"

    @property
    def compute_dtype(self) -> str:
        """The default policy's compute dtype."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The default policy's variable dtype."""
        return self.default_policy.variable_dtype

    def __getitem__(self, path: str) -> DTypePolicy:
        if path in self.policy_map:
            return self.policy_map[path]
        found = [key for key in self.policy_map if re.fullmatch(key, path)]
        if len(found) > 1:
            raise ValueError(
                f"DTypePolicyMap: one entry was expected to fit the path {path!r}; got {found}.\n"
                f"  Fix: make the patterns exclude each other."
            )
        return self.policy_map[found[0]] if found else self.default_policy

    def __setitem__(self, path: str, policy: Like) -> None:
        if path in self.policy_map:
            raise ValueError(
                f"DTypePolicyMap: a path without an entry was expected; got {path!r}, which has "
                f"{self.policy_map[path]!r}.\n  Fix: delete the entry first."
            )
        self.policy_map[path] = get(policy)

    def __delitem__(self, path: str) -> None:
        del self.policy_map[path]

    def __contains__(self, path: object) -> bool:
        return path in self.policy_map

    def __len__(self) -> int:
        return len(self.policy_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self.policy_map)

    def __repr__(self) -> str:
        entries = ", ".join(f"{path!r}: {policy.name}" for path, policy in self.policy_map.items())
        return f"<DTypePolicyMap default={self.default_policy.name} {{{entries}}}>"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()

    __hash__ = None  # type: ignore[assignment]

    def get_config(self) -> dict[str, Any]:
        # Keras' keys; the default stays None if none was given, and is not frozen.
        return {
            "default_policy": None if self._default is None else self._default.name,
            "policy_map": {path: policy.name for path, policy in self.policy_map.items()},
        }


def dtype_policy() -> DTypePolicy | DTypePolicyMap:
    """Return the policy of layers that are made without one.

    Example:
        >>> tf.keras.config.dtype_policy()
        <DTypePolicy "float32">
    """
    return _Defaults.policy if _Defaults.policy is not None else DTypePolicy(_Defaults.floatx)


def set_dtype_policy(policy: Like | DTypePolicyMap) -> None:
    """Set the policy of layers that are made from now on.

    Args:
        policy: A DTypePolicy, its name, or a config.

    Raises:
        ValueError: it names no policy.

    Example:
        >>> tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
        >>> tf.keras.layers.Dense(1).compute_dtype
        'bfloat16'
        >>> tf.keras.mixed_precision.set_global_policy("float32")
    """
    if policy is None:
        raise ValueError(
            "set_dtype_policy: a policy or its name was expected as `policy`; got None.\n"
            "  Fix: pass a name such as 'float32' or 'mixed_bfloat16'."
        )
    _Defaults.policy = get(policy)


def get(identifier: Like | DTypePolicyMap) -> Any:
    """Return the dtype policy that an identifier names.

    Args:
        identifier: A policy, its name, a dtype, a config, or None for the global policy.

    Returns:
        A DTypePolicy or DTypePolicyMap.

    Raises:
        ValueError: it names no policy.

    Example:
        >>> tf.keras.dtype_policies.get(tf.float16)
        <DTypePolicy "float16">
    """
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy | DTypePolicyMap):
        return identifier
    if isinstance(identifier, str):
        found = next((made for read in readers if (made := read(identifier)) is not None), None)
        return DTypePolicy(identifier) if found is None else found
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    try:
        return DTypePolicy(standardize_dtype(identifier))
    except ValueError:
        raise ValueError(
            f"dtype_policies.get: a policy, its name or a dtype was expected; got "
            f"{identifier!r}.\n  Fix: pass a name such as 'float32' or 'mixed_bfloat16'."
        ) from None


def serialize(dtype_policy: DTypePolicy | DTypePolicyMap) -> dict[str, Any]:
    """Return the config of a policy, with its class.

    Example:
        >>> tf.keras.dtype_policies.serialize(tf.keras.DTypePolicy("float16"))["config"]
        {'name': 'float16'}
    """
    return registry.serialize_keras_object(dtype_policy)


def deserialize(
    config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
) -> DTypePolicy | DTypePolicyMap:
    """Return the policy that a config describes.

    Args:
        config: What `serialize` returned.
        custom_objects: Name → class, for policies that are not registered.

    Example:
        >>> config = {"class_name": "DTypePolicy", "config": {"name": "float16"}}
        >>> tf.keras.dtype_policies.deserialize(config)
        <DTypePolicy "float16">
    """
    return registry.deserialize_keras_object(config, custom_objects)
