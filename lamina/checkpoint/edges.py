# pyright: reportPrivateUsage=false
"""What a checkpoint follows: the named edges from an object to those it holds, and values.

The names are TensorFlow's with Keras 3, so that a checkpoint of either loads in the other:
attributes by name, items of lists by number, layers of functional models as `_operations`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lamina import ops
from lamina.checkpoint.bundle import Bundle
from lamina.checkpoint.packing import packed, unpacked
from lamina.engine import Function, Variable, convert_to_tensor, dtypes, errors, init_scope
from lamina.keras import layers, optimizers
from lamina.keras.core import Layer, Module
from lamina.keras.core.module import is_bookkeeping
from lamina.keras.models import Model, Sequential
from lamina.keras.optimizers.state import _OWN_ATTRIBUTES as _OPTIMIZER_OWN
from lamina.ops.lookup import Table
from lamina.ops.mutable_tables import MutableHashTable

__all__ = ["Group", "PythonState", "Value", "edges", "is_trackable", "value_of", "weakly_held"]


class PythonState:
    """Base class of Python objects that a checkpoint saves as strings.

    A subclass writes `serialize`, which returns a string or bytes, and `deserialize`, which takes
    the bytes back.

    Example:
        >>> class Words(tf.train.experimental.PythonState):
        ...     words = ["a"]
        ...
        ...     def serialize(self):
        ...         return ",".join(self.words)
        ...
        ...     def deserialize(self, string_value):
        ...         self.words = string_value.decode().split(",")
    """

    def serialize(self) -> str | bytes:
        """Return the state; a subclass writes it."""
        raise TypeError(f"{type(self).__name__}: `serialize` must be written by the subclass.")

    def deserialize(self, string_value: bytes) -> None:
        """Take the state back; a subclass writes it."""
        raise TypeError(f"{type(self).__name__}: `deserialize` must be written by the subclass.")


class Value:
    """A value in a checkpoint: how it is called, read and set.

    Args:
        kind: The name of the attribute, "VARIABLE_VALUE" for variables.
        name: The variable's own name.
        get: Returns the value as an array.
        put: Sets the value from an array; its second argument is the key, for messages.
    """

    __slots__ = ("get", "kind", "name", "put")

    def __init__(
        self, kind: str, name: str, get: Callable[[], Any], put: Callable[[Any, str], None]
    ) -> None:
        self.kind, self.name, self.get, self.put = kind, name, get, put

    def tensors(self, key: str) -> dict[str, Any]:
        """Return the arrays that go into a file, by key."""
        return {key: self.get()}

    def read(self, bundle: Bundle, key: str) -> None:
        """Set the value from a file."""
        self.put(bundle.read(key), f"{bundle.prefix}: {key}")


class _TableValue(Value):
    """The keys and the values of a table: two arrays of a file that are one value."""

    __slots__ = ()

    def tensors(self, key: str) -> dict[str, Any]:
        keys, values = self.get()
        return {f"{key}-keys": keys, f"{key}-values": values}

    def read(self, bundle: Bundle, key: str) -> None:
        arrays = bundle.read(f"{key}-keys"), bundle.read(f"{key}-values")
        self.put(arrays, f"{bundle.prefix}: {key}")


class Group:
    """Named objects that are one object in TensorFlow's graph, and none here.

    Args:
        owner: The object that holds them.
        name: What it holds them as.
        found: (name, object) of each.
    """

    def __init__(self, owner: Any, name: str, found: list[tuple[str, Any]]) -> None:
        self.identity = (id(owner), name)
        self.found = found


class _GeneratorState:
    """The one variable that TensorFlow keeps in a `tf.random.Generator`."""

    def __init__(self, generator: Any) -> None:
        self.generator = generator
        self.identity = (id(generator), "_state_var")


def identity(obj: Any) -> Any:
    """Return what tells objects of one graph apart."""
    return obj.identity if isinstance(obj, Group | _GeneratorState) else id(obj)


def weakly_held(obj: Any) -> bool:
    """Return whether an object can be noted in place, and has attributes that come later."""
    return hasattr(obj, "__weakref__") and not isinstance(obj, Group | _GeneratorState)


def _is_iterator(obj: Any) -> bool:
    return hasattr(obj, "__next__") and hasattr(obj, "state") and hasattr(obj, "restore")


_OBJECTS = (
    Variable,
    Module,
    optimizers.Optimizer,
    ops.Generator,
    PythonState,
    Function,
    Group,
    _GeneratorState,
    Table,
)


def is_trackable(obj: Any) -> bool:
    """Return whether a checkpoint can follow an object."""
    if isinstance(obj, _OBJECTS) or hasattr(type(obj), "_checkpoint_edges"):
        return True
    if isinstance(obj, list | tuple | Mapping):
        return True
    return hasattr(type(obj), "_tracked_as") or _is_iterator(obj) or hasattr(obj, "element_spec")


def edges(obj: Any) -> list[tuple[str, Any]]:
    """Return (name, object) for what an object holds directly, in TensorFlow's order."""
    if hasattr(type(obj), "_checkpoint_edges"):
        return obj._checkpoint_edges()
    if isinstance(obj, Group):
        return obj.found
    if isinstance(obj, list | tuple):
        return [(str(i), v) for i, v in enumerate(obj) if _holds(v)]
    if isinstance(obj, Mapping):
        return _items(obj)
    if isinstance(obj, optimizers.Optimizer):
        return _of_optimizer(obj)
    if isinstance(obj, ops.Generator):
        return [("_state_var", _GeneratorState(obj))]
    if isinstance(obj, Layer):
        return _of_layer(obj)
    if isinstance(obj, Module) or hasattr(type(obj), "_tracked_as"):
        return _attributes(obj)
    return []


def _holds(value: Any) -> bool:
    """Return whether a value is followed, or is a container with something that is."""
    if isinstance(value, list | tuple):
        return type(value).__name__ == "ListWrapper" or any(map(_holds, value))
    if isinstance(value, Mapping):
        return type(value).__name__ == "_DictWrapper" or any(map(_holds, value.values()))
    return is_trackable(value) and not isinstance(value, Function)


def _items(mapping: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    found = [(key, value) for key, value in mapping.items() if _holds(value)]
    for key, value in found:
        if not isinstance(key, str):
            raise ValueError(
                f"tf.train.Checkpoint: the keys of a dict must be strings where it holds "
                f"variables; got the key {key!r} of {type(value).__name__}.\n"
                f"  Fix: use str(key)."
            )
    return found


def _attributes(obj: Any, skipped: frozenset[str] = frozenset()) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in list(vars(obj).items())
        if not is_bookkeeping(name) and name not in skipped and _holds(value)
    ]


_NOT_FOLLOWED = ("metric", "seed")  # inside of Keras layers, as in TensorFlow
_OF_MODELS = frozenset({"graph_layers", "_optimizer", "optimizer", "_graph"})


def _of_layer(layer: Layer) -> list[tuple[str, Any]]:
    found = [
        (name, value)
        for name, value in _attributes(
            layer, _OF_MODELS if isinstance(layer, Model) else frozenset()
        )
        if getattr(type(value), "_tracked_as", "") not in _NOT_FOLLOWED
    ]
    found = _renamed(layer, found)
    if isinstance(layer, Model):
        found += _of_model(layer)
    held = {id(value) for _, value in found}
    names = {name for name, _ in found}
    for v in layer.__dict__.get("_lm_added", ()):
        # A weight that is no attribute goes by its name.
        if id(v) not in held and v.name not in names and not _is_inside(v, found):
            found.append((v.name, v))
    return found


def _is_inside(variable: Any, found: list[tuple[str, Any]]) -> bool:
    def look(value: Any) -> bool:
        if isinstance(value, list | tuple):
            return any(map(look, value))
        if isinstance(value, Mapping):
            return any(map(look, value.values()))
        return value is variable

    return any(look(value) for _, value in found)


_PRIVATE = (
    ((layers.Dense, layers.EinsumDense, layers.Conv1D, layers.Conv2D, layers.Conv3D), "kernel"),
    ((layers.Embedding,), "embeddings"),
)


def _renamed(layer: Layer, found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Name weights as Keras' attributes, those of older checkpoints after them."""
    for classes, name in _PRIVATE:
        if isinstance(layer, classes) and not _is_transposed(layer):
            value = dict(found).get(name)
            if value is not None:
                return [(f"_{name}" if n == name else n, v) for n, v in found] + [(name, value)]
    return found


def _is_transposed(layer: Layer) -> bool:
    return isinstance(
        layer, layers.Conv1DTranspose | layers.Conv2DTranspose | layers.Conv3DTranspose
    )


def _of_model(model: Model) -> Iterator[tuple[str, Any]]:
    held = model.__dict__.get("graph_layers")
    if isinstance(model, Sequential):
        # The first operation is the input, which holds nothing.
        numbered = [(str(i), layer) for i, layer in enumerate(held or (), 1)]
        inner = [("_operations", Group(model, "_operations", numbered))]
        yield "_functional", Group(model, "_functional", inner)
    elif held is not None:
        numbered = [(str(i), layer) for i, layer in enumerate(held)]
        yield "_operations", Group(model, "_operations", numbered)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        yield "optimizer", optimizer


_OF_OPTIMIZERS = {"_momentum_product": "_u_product"}  # Keras' names


def _of_optimizer(optimizer: Any) -> list[tuple[str, Any]]:
    own = optimizer.__dict__
    listed = Group(optimizer, "_variables", _numbered(optimizer.variables))
    trained = Group(optimizer, "_trained", _numbered(own.get("_trainable_variables", ())))
    found = [("_variables", listed), ("_trainable_variables", trained)]
    for name in ("_iterations", "_learning_rate"):
        if isinstance(own.get(name), Variable):
            found.append((name, own[name]))
    others = _attributes(optimizer, _OPTIMIZER_OWN)
    return found + [(_OF_OPTIMIZERS.get(name, name), value) for name, value in others]


def _numbered(items: Any) -> list[tuple[str, Any]]:
    return [(str(i), item) for i, item in enumerate(items)]


# ---- values ---------------------------------------------------------------------------------


def value_of(obj: Any) -> Value | None:
    """Return the value that an object has itself, or None."""
    if isinstance(obj, Variable):
        return _variable(obj)
    if isinstance(obj, _GeneratorState):
        generator = obj.generator
        return Value(
            "VARIABLE_VALUE",
            "StateVar",
            lambda: np.asarray(generator.state),
            lambda array, key: generator.reset(array),
        )
    if isinstance(obj, MutableHashTable):  # others are made anew by their initializers
        return _table(obj)
    if isinstance(obj, PythonState):
        return Value("py_state", "", lambda: _string(obj.serialize()), _taking(obj.deserialize))
    if _is_iterator(obj):
        return Value(
            "ITERATOR_STATE",
            "",
            lambda: _string(packed(obj.state(), type(obj).__name__)),
            _taking_state(obj),
        )
    return None


def _string(value: str | bytes) -> np.ndarray:
    return np.array(value.encode() if isinstance(value, str) else value, object)


def _taking(put: Callable[[bytes], None]) -> Callable[[Any, str], None]:
    return lambda array, key: put(array[()])


def _taking_state(iterator: Any) -> Callable[[Any, str], None]:
    def put(array: Any, key: str) -> None:
        try:
            state = unpacked(array[()])
        except (TypeError, ValueError, KeyError):
            raise errors.DataLossError(
                f"{key}: the state of an iterator that lamina saved was expected; TensorFlow's "
                f"cannot be read.\n  Fix: restore without the iterator."
            ) from None
        iterator.restore(state)

    return put


def _variable(variable: Any) -> Value:
    own: Any = variable
    kind = own._dtype
    name = getattr(variable, "path", None) or own._name

    def get() -> Any:
        value = variable.numpy()
        return np.array(value, object) if kind is dtypes.string else np.asarray(value)

    def put(array: Any, key: str) -> None:
        if not own._shape.is_compatible_with(array.shape):
            raise ValueError(
                f"tf.train.Checkpoint.restore: {key} has shape {array.shape}; the variable "
                f'"{name}" has shape {own._shape}.\n  Fix: make the variable as it was when it was '
                f"saved, or leave it out of the Checkpoint."
            )
        _check_dtype(array, kind, key, f'the variable "{name}"', "variable")
        with init_scope():
            Variable.assign(variable, convert_to_tensor(array, kind))

    return Value("VARIABLE_VALUE", name, get, put)


def _table(table: MutableHashTable) -> Value:
    def put(arrays: Any, key: str) -> None:
        kinds = table.key_dtype, table.value_dtype
        for array, kind, what in zip(arrays, kinds, ("keys", "values"), strict=True):
            _check_dtype(array, kind, f"{key}-{what}", f"`{what}` of the table", "table")
        table._restore(*arrays)

    return _TableValue("table", "", table._saved, put)


def _check_dtype(array: Any, kind: Any, key: str, who: str, what: str) -> None:
    is_string = array.dtype == object
    if is_string != (kind is dtypes.string) or not (is_string or array.dtype == kind.np):
        saved = "string" if is_string else array.dtype.name
        raise errors.InvalidArgumentError(
            f"tf.train.Checkpoint.restore: {key} has dtype {saved}; {who} has dtype {kind.name}.\n"
            f"  Fix: make the {what} with dtype={saved!r}."
        )
