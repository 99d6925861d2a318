"""What a row of the conformance table is: a class, its arguments, and what it is fed."""

import dataclasses
import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

import lamina as tf

__all__ = [
    "Case",
    "Fed",
    "Fresh",
    "arrays",
    "floats",
    "image",
    "integers",
    "run",
    "specs",
    "takes_training",
    "unit",
    "words",
]


class Fed(NamedTuple):
    """An input: its shape, batch first, and what kind of values it holds."""

    shape: tuple[int, ...]
    kind: str = "normal"

    def array(self, seed: int = 0, batch: int | None = None) -> np.ndarray:
        """Return values; `batch` replaces the first size."""
        shape = self.shape if batch is None or not self.shape else (batch, *self.shape[1:])
        rng = np.random.default_rng(seed)
        if self.kind == "normal":
            return rng.normal(size=shape).astype("float32")
        if self.kind == "unit":
            return rng.uniform(0.1, 0.9, shape).astype("float32")
        if self.kind == "image":
            return rng.uniform(0.0, 255.0, shape).astype("float32")
        if self.kind == "words":
            return rng.choice(np.array(["red", "green", "a blue sky"]), shape)
        if self.kind == "classes":  # one-hot
            return np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])]
        if self.kind == "signs":
            return np.sign(rng.normal(size=shape)).astype("float32")
        return rng.integers(0, int(self.kind), shape).astype("int32")


class Fresh(NamedTuple):
    """An argument that is made anew for each object, such as a layer inside a layer."""

    make: Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        room: Where the class is exported: "layers", "losses", "optimizers.schedules", …
        name: Its name there.
        inputs: What it is fed (see `run`); a `Fed` for each input.
        arguments: What it is made with.
        call: Further arguments of its call.
        without: Property → why it does not hold, or is tested elsewhere.
    """

    room: str
    name: str
    inputs: tuple[Fed, ...]
    arguments: Mapping[str, Any]
    call: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    without: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def kind(self) -> Any:
        """The class, or the function for activations."""
        found = tf.keras
        for part in self.room.split("."):
            found = getattr(found, part)
        return getattr(found, self.name)

    @property
    def id(self) -> str:
        """How a test's name shows the row."""
        return self.name if self.room == "layers" else f"{self.room}.{self.name}"

    def make(self, **more: Any) -> Any:
        """Return a new object; `more` replaces arguments."""
        if self.room == "activations":
            return self.kind
        given = {k: v.make() if isinstance(v, Fresh) else v for k, v in self.arguments.items()}
        if "seed" in inspect.signature(self.kind).parameters:
            given.setdefault("seed", 1)
        return self.kind(**{**given, **more})

    def holds(self, property_name: str) -> bool:
        """Whether a property is asked of this row."""
        return property_name not in self.without


def integers(*shape: int, below: int = 9) -> Fed:
    """Return an input of whole numbers."""
    return Fed(shape, str(below))


def image(*shape: int) -> Fed:
    """Return an input with values of a picture, 0 to 255."""
    return Fed(shape, "image")


def unit(*shape: int) -> Fed:
    """Return an input with values inside (0, 1)."""
    return Fed(shape, "unit")


def words(*shape: int) -> Fed:
    """Return an input of strings."""
    return Fed(shape, "words")


def arrays(case: Case, batch: int | None = None) -> list[Any]:
    """Return Tensors for a row's inputs."""
    return [tf.constant(fed.array(i, batch)) for i, fed in enumerate(case.inputs)]


def specs(case: Case, batch: int | None = None) -> list[Any]:
    """Return TensorSpecs of a row's inputs; the first size is unknown if `batch` is None."""
    return [tf.TensorSpec([batch, *t.shape[1:]], t.dtype) for t in arrays(case)]


def floats(structure: Any) -> list[Any]:
    """Return the floating Tensors of a structure."""
    return [t for t in tf.nest.flatten(structure) if t.dtype.is_floating]


def takes_training(case: Case, thing: Any) -> dict[str, bool]:
    """Return ``{"training": True}`` for a layer whose call has the argument."""
    has = case.room == "layers" and "training" in inspect.signature(thing.call).parameters
    return {"training": True} if has else {}


# The variable that a row's optimizer moves.
_moved: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()


def run(case: Case, thing: Any, inputs: Sequence[Any], **call: Any) -> Any:
    """Use an object as its room is used, and return what comes out.

    Layers, losses, regularizers, constraints, activations and schedules are called; a metric is
    updated and read; an optimizer takes a step with the inputs as (start value, gradient); an
    initializer makes a weight of the shape of its input.

    Args:
        case: The row.
        thing: What its `make` returned, or a copy.
        inputs: Tensors, KerasTensors or arrays, one for each input of the row.
        **call: Further arguments of a layer's call.
    """
    if case.room == "layers":
        names = inspect.signature(thing.call).parameters
        if "query" in names:
            return thing(*inputs, **case.call, **call)
        if "states" in names:
            return thing(inputs[0], list(inputs[1:]), **case.call, **call)
        return thing(inputs if len(inputs) > 1 else inputs[0], **case.call, **call)
    if case.room == "metrics":
        thing.reset_state()
        thing.update_state(*inputs)
        return thing.result()
    if case.room == "optimizers":
        if thing not in _moved:
            with tf.init_scope():
                start = case.inputs[0].array(0)
                _moved[thing] = tf.keras.Variable(start, name="kernel", dtype=inputs[1].dtype)
        variable = _moved[thing]
        variable.assign(inputs[0])
        thing.apply([inputs[1]], [variable])
        return tf.identity(variable)
    if case.room == "initializers":
        return thing(case.inputs[0].shape, dtype=inputs[0].dtype)
    return thing(*inputs, **case.call)
