"""Names of operations in files: which op an OpLayer means, and which Keras operation it is."""

import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lamina.engine import DType, Op, Tensor, as_dtype, host_value
from lamina.keras import registry
from lamina.keras.core.checks import label

__all__ = [
    "as_keras",
    "decode_arguments",
    "encode_arguments",
    "find",
    "from_keras",
    "is_keras",
    "name_of",
]

_ROOM = "lamina.ops."


# ---- names ------------------------------------------------------------------------------------


@functools.cache
def _table() -> dict[str, Op]:
    """Return the ops by name: "concat", or "morphology.negative" where two share a name."""
    found: dict[str, list[Op]] = {}
    for path, module in sorted(sys.modules.items()):
        if path.startswith(_ROOM):
            for value in vars(module).values():
                if isinstance(value, Op) and value.__module__ == path:
                    found.setdefault(value.label, []).append(value)
    table: dict[str, Op] = {}
    for name, same in found.items():
        public = [o for o in same if not o.__name__.startswith("_")]
        plain = same[0] if len(same) == 1 else public[0] if len(public) == 1 else None
        for o in same:
            table[name if o is plain else f"{o.__module__.removeprefix(_ROOM)}.{name}"] = o
    return table


@functools.cache
def _names() -> dict[int, str]:
    return {id(o): name for name, o in _table().items()}


def name_of(op: Op) -> str | None:
    """Return the name that files give an op; None for one that is not among lamina's."""
    return _names().get(id(op))


def find(name: str) -> Any:
    """Return the operation of a name that `name_of` gave.

    Raises:
        ValueError: there is none of that name.
    """
    found = _get_item if name == "get_item" else _table().get(name)
    if found is None:
        raise ValueError(
            f"OpLayer: `function` must name one of lamina's operations; got {name!r}.\n"
            f"  Fix: a file of a newer version may use operations that this one does not know."
        )
    return found


def _get_item(x: Any, key: Any) -> Any:
    return x[tuple(key) if isinstance(key, list) else key]


# ---- arguments --------------------------------------------------------------------------------


def encode_arguments(layer: Any) -> dict[str, Any]:
    """Return the static arguments of an OpLayer as JSON can hold them."""
    return {k: _encoded(layer, k, v) for k, v in layer.arguments.items()}


def _encoded(layer: Any, name: str, value: Any) -> Any:
    if isinstance(value, DType):
        return {"class_name": "__dtype__", "config": value.name}
    if isinstance(value, list | tuple):
        return [_encoded(layer, name, v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"{label(layer)}: the argument `{name}` must be made of numbers, strings and dtypes to "
        f"be saved; got {value!r} ({type(value).__name__}).\n"
        f"  Fix: put the computation into a Layer of your own; or, for a size that is unknown "
        f"while building, use -1 in tf.reshape."
    )


def decode_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `encode_arguments` was given."""
    return {k: _decoded(v) for k, v in arguments.items()}


def _decoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return registry.revive(value)
    return tuple(_decoded(v) for v in value) if isinstance(value, list | tuple) else value


@registry.decoder("__dtype__")
def _dtype(config: Any) -> DType:
    return as_dtype(str(config))


# ---- Keras' operations ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Keras:
    """How an operation of lamina looks in a file of Keras.

    Attributes:
        function: The name here.
        module: The last part of Keras' module, "keras.src.ops.<module>".
        keys: Key in Keras' config → argument here.
        joined: Whether the operands are one list there.
        filled: Keys of Keras' config and what None means there.
    """

    function: str
    module: str = "numpy"
    keys: Mapping[str, str] = field(default_factory=dict)
    joined: bool = False
    filled: Mapping[str, Any] = field(default_factory=dict)


_AXES = {"axis": "axis", "keepdims": "keepdims"}
_KERAS: dict[str, _Keras] = {
    "Absolute": _Keras("abs"),
    "Add": _Keras("add"),
    "Cast": _Keras("cast", "core", {"dtype": "dtype"}),
    "Concatenate": _Keras("concat", keys={"axis": "axis"}, joined=True),
    "Cos": _Keras("cos"),
    "Elu": _Keras("elu", "nn", {"alpha": "alpha"}),
    "Equal": _Keras("equal"),
    "Exp": _Keras("exp"),
    "ExpandDims": _Keras("expand_dims", keys={"axis": "axis"}),
    "FloorDivide": _Keras("floordiv"),
    "GetItem": _Keras("get_item"),
    "Gelu": _Keras("gelu", "nn", {"approximate": "approximate"}),
    "Greater": _Keras("greater"),
    "GreaterEqual": _Keras("greater_equal"),
    "LeakyRelu": _Keras("leaky_relu", "nn", {"negative_slope": "alpha"}),
    "Less": _Keras("less"),
    "LessEqual": _Keras("less_equal"),
    "Log": _Keras("log"),
    "LogSoftmax": _Keras("log_softmax", "nn", {"axis": "axis"}, filled={"axis": -1}),
    "LogicalAnd": _Keras("logical_and"),
    "LogicalNot": _Keras("logical_not"),
    "LogicalOr": _Keras("logical_or"),
    "Matmul": _Keras("matmul"),
    "Max": _Keras("reduce_max", keys=_AXES),
    "Maximum": _Keras("maximum"),
    "Mean": _Keras("reduce_mean", keys=_AXES),
    "Min": _Keras("reduce_min", keys=_AXES),
    "Minimum": _Keras("minimum"),
    "Mod": _Keras("floormod"),
    "Multiply": _Keras("multiply"),
    "Negative": _Keras("negative"),
    "NotEqual": _Keras("not_equal"),
    "Power": _Keras("pow"),
    "Relu": _Keras("relu", "nn"),
    "Relu6": _Keras("relu6", "nn"),
    "Reshape": _Keras("reshape", keys={"newshape": "shape"}),
    "Rsqrt": _Keras("rsqrt", "math"),
    "Sigmoid": _Keras("sigmoid", "nn"),
    "Silu": _Keras("silu", "nn"),
    "Sin": _Keras("sin"),
    "Softmax": _Keras("softmax", "nn", {"axis": "axis"}, filled={"axis": -1}),
    "Softplus": _Keras("softplus", "nn"),
    "Split": _Keras("split", keys={"indices_or_sections": "sizes", "axis": "axis"}),
    "Sqrt": _Keras("sqrt"),
    "Square": _Keras("square"),
    "Squeeze": _Keras("squeeze", keys={"axis": "axis"}),
    "Stack": _Keras("stack", keys={"axis": "axis"}, joined=True),
    "Subtract": _Keras("subtract"),
    "Sum": _Keras("reduce_sum", keys=_AXES),
    "Tanh": _Keras("tanh"),
    "Transpose": _Keras("transpose", keys={"axes": "perm"}),
    "TrueDivide": _Keras("truediv"),
    "Where": _Keras("select"),
}
_CLASS_OF = {entry.function: name for name, entry in _KERAS.items()}
# Read, but not written: other names of the same.
_KERAS |= {"Divide": _Keras("truediv"), "Abs": _Keras("abs")}


def is_keras(config: Mapping[str, Any]) -> bool:
    """Return whether the config of a layer is one of Keras' own operations."""
    return str(config.get("module")).startswith("keras.src.ops.")


def from_keras(config: Mapping[str, Any]) -> tuple[str, dict[str, Any], bool]:
    """Return the function, its arguments, and whether the operands come as one list.

    Args:
        config: The config of one of Keras' operations, as a functional model holds it.

    Raises:
        ValueError: the operation is unknown here, or has an argument that is.
    """
    kind, inner = str(config.get("class_name")), dict(config.get("config") or {})
    entry = _KERAS.get(kind)
    name = inner.pop("name", None)
    if entry is None:
        raise ValueError(
            f'Functional model: the operation "{name}" must be one that lamina knows '
            f"({', '.join(sorted(_KERAS))}); got {kind} of {config.get('module')}.\n"
            f"  Fix: put the operation into a Layer of your own before saving, and pass it in "
            f"`custom_objects`."
        )
    arguments = {entry.keys[k]: v for k, v in inner.items() if k in entry.keys}
    extra = {k: v for k, v in inner.items() if k not in entry.keys and v is not None}
    if kind == "Split" and not isinstance(arguments.get("sizes"), int):
        extra["indices_or_sections"] = arguments.get("sizes")
    if extra:
        raise ValueError(
            f'Functional model: the operation {kind} "{name}" is known with the arguments '
            f"{sorted(entry.keys)}; got {extra} too.\n"
            f"  Fix: put the operation into a Layer of your own before saving."
        )
    return entry.function, decode_arguments(arguments), entry.joined


def as_keras(layer: Any, args: Sequence[Any]) -> tuple[dict[str, Any], Sequence[Any]] | None:
    """Return an OpLayer as one of Keras' operations, with the operands as Keras writes them.

    Args:
        layer: An OpLayer.
        args: The operands of a call.

    Returns:
        The config and the operands; None if it is not exactly one of Keras' operations.
    """
    if layer.function == "read":
        key = _key(layer.arguments["spec"], args[1:])
        return (
            None if key is None else (_keras_config("numpy", "GetItem", layer, {}), [args[0], key])
        )
    kind = _CLASS_OF.get(layer.function)
    if kind is None:
        return None
    entry = _KERAS[kind]
    defaults = getattr(layer._operation, "defaults", {})
    backwards = {here: there for there, here in entry.keys.items()}
    config = {}
    for k, v in layer.arguments.items():
        if k in backwards:
            there = backwards[k]
            value = v.name if isinstance(v, DType) else v
            config[there] = entry.filled.get(there) if value is None else value
        elif k not in defaults or defaults[k] != v:
            return None
    if kind == "Split" and not isinstance(config.get("indices_or_sections"), int):
        return None
    checked = {k: _encoded(layer, k, v) for k, v in config.items()}
    operands = [list(args)] if entry.joined else args
    return _keras_config(entry.module, kind, layer, checked), operands


def _keras_config(module: str, kind: str, layer: Any, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": f"keras.src.ops.{module}",
        "class_name": kind,
        "config": {"name": layer.name, **config},
        "registered_name": kind,
    }


def _key(spec: Sequence[Any], operands: Sequence[Any]) -> list[Any] | None:
    """Return what stands in `x[...]` for the spec of a read; None if it depends on data."""
    left = iter(operands)
    key: list[Any] = []
    for entry in spec:
        if entry is None or (isinstance(entry, tuple) and len(entry) == 3):
            key.append(entry and slice(*entry))
            continue
        operand = next(left)
        known = host_value(operand) if isinstance(operand, Tensor) else None
        if known is None or known.ndim:
            return None
        start = int(known)
        key.append(slice(start, start + entry[0]) if isinstance(entry, tuple) else start)
    return key
