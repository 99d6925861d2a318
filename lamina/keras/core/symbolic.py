"""KerasTensor and Node: what a functional model is written with before it exists."""

from collections.abc import Sequence
from typing import Any

from lamina import ops
from lamina.engine import Tensor, TensorType, as_dtype, errors, symbolic_dim, type_of
from lamina.engine.identity import identity
from lamina.keras.naming import auto_name

__all__ = ["KerasTensor", "MaskSymbol", "Node", "is_symbolic_tensor", "symbolic_type"]


class _SymbolError(errors.TracedValueError, ValueError):
    """A KerasTensor's value was asked for. Keras raises ValueError here, or TypeError for `if`."""


class _NoValue:
    """The recorder of KerasTensors: they have no value, ever."""

    eager = False
    alive = False
    what = "a functional model"
    parent = None

    def materialize(self, tensor: Any) -> Any:
        raise _SymbolError(
            f"KerasTensor: a value was asked for, of shape {tensor.shape}, dtype "
            f"{tensor.dtype.name}; it stands for the input of a model that is being built.\n"
            f"  Fix: call the finished model on data, or compute with layers and tf functions."
        )


_NO_VALUE = _NoValue()


class KerasTensor(Tensor):
    """A stand-in for a value while a functional model is written; made by `tf.keras.Input`.

    Args:
        shape: The shape, None where sizes are unknown.
        dtype: The dtype.
        sparse: Whether it stands for a `tf.SparseTensor`.
        ragged: Whether it stands for a `tf.RaggedTensor`.
        record_history: Accepted for Keras' signature, unused.
        name: The name; None makes one.
        **kwargs: Accepted, unused.

    Raises:
        ValueError: both `sparse` and `ragged`.

    Attributes:
        node: The call that it comes from.
        index: Which output of the call it is.

    Example:
        >>> tf.keras.KerasTensor((None, 3)).shape
        TensorShape([None, 3])
    """

    def __init__(
        self,
        shape: Any,
        dtype: Any = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if sparse and ragged:
            raise ValueError(
                "KerasTensor: `sparse` or `ragged` may be true; got both.\n"
                "  Fix: choose what the data will be."
            )
        self._set(symbolic_type(shape, dtype), None, 0, name)
        self._kinds = bool(sparse), bool(ragged)

    @classmethod
    def of(cls, kind: TensorType, node: "Node | None" = None, index: int = 0) -> "KerasTensor":
        """Return the stand-in of a type, the output number `index` of a call."""
        made = cls.__new__(cls)
        made._set(kind, node, index, None)
        return made

    def _set(self, kind: TensorType, node: Any, index: int, name: str | None) -> None:
        super().__init__(kind, _NO_VALUE, 0, None)
        self.node: Any = node
        self.index = index
        self._label: str | None = name
        self._kinds = False, False

    @property
    def sparse(self) -> bool:
        """Whether it stands for a `tf.SparseTensor`, as an input may that was declared so."""
        return self._kinds[0] or self._is_input_of("sparse")

    @property
    def ragged(self) -> bool:
        """Whether it stands for a `tf.RaggedTensor`, as an input may that was declared so."""
        return self._kinds[1] or self._is_input_of("ragged")

    def _is_input_of(self, kind: str) -> bool:
        return self.node is not None and self.node.is_input and getattr(self.node.layer, kind)

    @property
    def name(self) -> str:
        """A name that is unique in the process."""
        if self._label is None:
            self._label = auto_name("keras_tensor")
        return self._label

    def __eq__(self, other: Any) -> Any:
        """Return whether it is the same symbol; for other values, compare elementwise.

        So that symbols can be looked for in lists, and be keys, as in Keras.
        """
        return self is other if isinstance(other, KerasTensor) else Tensor.__eq__(self, other)

    def __hash__(self) -> int:
        return identity(self)

    def __bool__(self) -> bool:
        return _NO_VALUE.materialize(self)

    @property
    def _keras_history(self) -> tuple[Any, int, int]:
        """(layer, node index, tensor index), as Keras has it."""
        layer = self.node.layer if self.node is not None else None
        nodes = getattr(layer, "_inbound_nodes", [])
        return layer, nodes.index(self.node) if self.node in nodes else 0, self.index

    def reshape(self, newshape: Any) -> Any:
        """Return it in another shape."""
        return ops.reshape(self, [newshape] if isinstance(newshape, int) else newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """Return it without axes of size 1: all, or those of `axis`."""
        return ops.squeeze(self, axis)

    def _apply(self, op: Any, tensors: Sequence[Any], attributes: Any) -> Any:
        """Note an operation on KerasTensors; engine/dispatch.py calls this."""
        return KerasTensor.apply_op(op, tensors, attributes)

    # keras/core/graph.py puts the function here that makes a layer of an operation.
    apply_op: Any = None
    # keras/core/applied.py puts the function here that gives the mask of a Tensor.
    mask_of: Any = None

    def __reduce__(self) -> Any:
        state = {"node": self.node, "index": self.index, "_label": self._label}
        return KerasTensor, (tuple(self.shape), self.dtype.name), state

    def __repr__(self) -> str:
        kinds = f"sparse={self.sparse}, ragged={self.ragged}"
        return (
            f"<KerasTensor shape={tuple(self.shape)}, dtype={self.dtype.name}, {kinds}, "
            f"name={self.name}>"
        )

    __str__ = __repr__


class MaskSymbol(KerasTensor):
    """The mask that a KerasTensor carries; a node of the graph for those who compute with it."""

    _owner: KerasTensor

    @classmethod
    def carried_by(cls, owner: KerasTensor, kind: TensorType) -> "MaskSymbol":
        """Return the stand-in of the mask of `owner`."""
        made = cls.__new__(cls)
        made._owner = owner
        made._set(kind, None, 0, None)
        return made

    @property
    def node(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The call that takes the mask off its Tensor."""
        if self._node is None and self._owner.node is not None:
            node = KerasTensor.mask_of(self._owner).node
            node.outputs[:] = [self]
            node.structure = self
            self._node = node
        return self._node

    @node.setter
    def node(self, node: Any) -> None:
        self._node = node


def symbolic_type(shape: Any, dtype: Any) -> TensorType:
    """Return the type of a shape with None for unknown sizes."""
    dims = tuple(symbolic_dim(i) if d is None else int(d) for i, d in enumerate(shape))
    return type_of(dims, as_dtype(dtype))


class Node:
    """One call of a layer in a functional model.

    Attributes:
        layer: The layer.
        args: The positional arguments, with KerasTensors in them.
        kwargs: The keyword arguments.
        parents: The KerasTensors among them, in order.
        outputs: The KerasTensors that the call gave, in order.
        structure: What the call returned.
    """

    __slots__ = ("args", "kwargs", "layer", "outputs", "parents", "structure")

    def __init__(
        self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any], parents: list[KerasTensor]
    ) -> None:
        self.layer = layer
        self.args = args
        self.kwargs = kwargs
        self.parents = parents
        self.outputs: list[KerasTensor] = []
        self.structure: Any = None
        layer._inbound_nodes.append(self)

    @property
    def is_input(self) -> bool:
        """Whether this is the call of an InputLayer."""
        return not self.parents


def is_symbolic_tensor(value: Any) -> bool:
    """Return whether a value is a KerasTensor."""
    return isinstance(value, KerasTensor)
