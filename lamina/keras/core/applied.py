"""Operation, a computation without weights; Python functions as nodes of functional models."""

import functools
from collections.abc import Callable
from typing import Any, Self, TypeVar, cast

from lamina.engine import nest
from lamina.keras import registry
from lamina.keras.core import calling
from lamina.keras.core.graph import Graph, OpLayer
from lamina.keras.core.layer import Layer
from lamina.keras.core.symbolic import KerasTensor
from lamina.keras.naming import auto_name

__all__ = ["Function", "FunctionLayer", "Operation", "graph_function"]

_Callable = TypeVar("_Callable", bound=Callable[..., Any])
_FUNCTIONS: dict[str, Callable[..., Any]] = {}


class _AnyLayer(type):
    """Every Layer is an Operation, as in Keras, where it is the base class."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return (
            isinstance(instance, Layer) if cls is Operation else super().__instancecheck__(instance)
        )

    def __subclasscheck__(cls, subclass: type) -> bool:
        return (
            issubclass(subclass, Layer) if cls is Operation else super().__subclasscheck__(subclass)
        )


class Operation(Layer, metaclass=_AnyLayer):
    """A computation without weights, which KerasTensors can be given to.

    A subclass writes `call`, and `__init__` if it has settings. Inputs are not cast.

    Args:
        name: The operation's name; None makes one from the class name.

    Call:
        *args: Tensors, or KerasTensors: the call is then a node of a functional model.
        **kwargs: Likewise.

    Example:
        >>> class Double(tf.keras.Operation):
        ...     def call(self, x):
        ...         return 2 * x
        >>> Double()(tf.constant(3)).numpy()
        np.int32(6)
        >>> Double()(tf.keras.Input((4,))).shape
        TensorShape([None, 4])
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # as in Keras, what `signature` shows
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, autocast=False, **kwargs)
        self.built = True

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Call it on KerasTensors: a node of a functional model."""
        return calling.call_symbolic(self, args, kwargs)

    def _config_head(self) -> dict[str, Any]:
        return {"name": self.name}


class FunctionLayer(OpLayer):
    """One of Keras' functions applied to KerasTensors, as a layer of a functional model.

    Args:
        function: The function's name in `tf.keras.ops`.
        name: The name; None takes the function's.

    Call:
        *operands: The function's positional arguments, a tuple, and its keyword ones, a dict.

    Raises:
        ValueError: there is no such function.
    """

    def __init__(self, function: str, name: str | None = None, **kwargs: Any) -> None:
        if function not in _FUNCTIONS:
            registry.load_late()
        if function not in _FUNCTIONS:
            raise ValueError(
                f"FunctionLayer: `function` must be one of {sorted(_FUNCTIONS)}; got "
                f"{function!r}.\n"
                f"  Fix: a file of a newer version may use functions that this one does not know."
            )
        Layer.__init__(self, name=name or auto_name(function), autocast=False, **kwargs)
        self.function = f"keras.ops.{function}"
        self.arguments = {}
        self.built = True
        self._applied = _FUNCTIONS[function]

    def call(self, *operands: Any) -> Any:
        """Apply the function."""
        args, kwargs = operands
        return self._applied(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {"name": self.name, "function": self.function.removeprefix("keras.ops.")}


def graph_function(function: _Callable) -> _Callable:
    """Make a function one node of a functional model where it is called on KerasTensors.

    For functions that look at values or shapes, or call a function they are given; what only
    calls operations needs it not.

    Args:
        function: A function of `tf.keras.ops`; files call it by its name.
    """
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if calling.has_symbolic(args, kwargs):
            return FunctionLayer(name)(args, kwargs)
        return function(*args, **kwargs)

    _FUNCTIONS[name] = call
    return cast("_Callable", call)


class Function(Operation):
    """The computation between KerasTensors, as a function of values.

    Args:
        inputs: A KerasTensor, or a structure of them.
        outputs: A KerasTensor, or a structure of them, computed from `inputs`.
        name: The name.

    Call:
        inputs: The structure of `inputs`.

    Returns:
        The structure of `outputs`.

    Raises:
        ValueError: there are no inputs or no outputs, or what is given does not fit them.

    Example:
        >>> x = tf.keras.Input((2,))
        >>> double = tf.keras.Function(x, 2 * x)
        >>> double(tf.ones([1, 2])).numpy()
        array([[2., 2.]], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        for what, given in (("inputs", inputs), ("outputs", outputs)):
            if not nest.flatten(given):
                raise ValueError(
                    f'Function "{self.name}": `{what}` must hold at least one KerasTensor; got '
                    f"{given!r}.\n  Fix: pass what tf.keras.Input and layers returned."
                )
        self._graph = Graph(inputs, outputs, self.name)

    @property
    def operations(self) -> list[Any]:
        """The layers and operations on the way, farthest from the outputs first."""
        return list(self._graph.layers)

    @property
    def inputs(self) -> list[Any]:
        """The KerasTensors it starts from."""
        return list(self._graph.flat_inputs)

    @property
    def outputs(self) -> list[Any]:
        """The KerasTensors it ends in."""
        return list(self._graph.flat_outputs)

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        given = nest.flatten(inputs)
        self._check(inputs, given)
        return self._graph.run(given)

    def _check(self, inputs: Any, given: list[Any]) -> None:
        try:
            nest.assert_same_structure(self._graph.inputs, inputs, check_types=False)
        except ValueError as error:
            raise ValueError(
                f'Function "{self.name}": the inputs must have the structure of '
                f"{self._graph.inputs!r}; got {inputs!r}.\n  Reason: {error}"
            ) from None
        for value, wanted in zip(given, self._graph.flat_inputs, strict=True):
            if not wanted.shape.is_compatible_with(value.shape):
                raise ValueError(
                    f'Function "{self.name}": input "{wanted.name}" must have shape '
                    f"{tuple(wanted.shape)}; got {tuple(value.shape)}.\n"
                    f"  Fix: reshape it, or use None for the size in tf.keras.Input."
                )


@graph_function
def keras_mask(x: Any) -> Any:
    """Return the mask that a Tensor carries: what a symbol's mask is when the model runs."""
    return x._keras_mask


KerasTensor.mask_of = staticmethod(keras_mask)
