"""Weights: what a layer holds, in which order, and as NumPy arrays."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lamina.engine import TensorShape, Variable, as_dtype, context, init_scope, local, versions
from lamina.engine.identity import identity
from lamina.keras import constraints, initializers, regularizers
from lamina.keras import variable as keras_variable
from lamina.keras.core.checks import label
from lamina.keras.core.module import Module, children, is_bookkeeping, is_container
from lamina.keras.spelling import note_older, users_level

__all__ = ["Weighted", "file_order"]


# The parameters as TF 2.0–2.15 orders them.
_OLDER_ORDER = ("name", "shape", "dtype", "initializer", "regularizer", "trainable", "constraint")


def _name_first(method: Any) -> Any:
    """Let the name come first, as in TF 2: `add_weight("kernel", [2, 3], tf.float32, "zeros")`."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], str):
            if users_level() == 1:  # the user's own call, not that of a layer of lamina's
                note_older("add_weight(name, shape)", "add_weight(shape=shape, name=name)")
            kwargs, args = {**dict(zip(_OLDER_ORDER, args, strict=False)), **kwargs}, ()
        return method(self, *args, **kwargs)

    return call


class Weighted(Module):
    """The part of a Layer that makes, finds and copies its variables."""

    # Set by Layer.
    built: bool
    _trainable: bool
    _lm_added: list[Any]
    _lm_scope: str | None
    variable_dtype: Any
    _check_initialized: Callable[[], None]

    @_name_first
    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Make a weight of this layer.

        Args:
            shape: The shape, all sizes known; None is (). A string here is the name, as in TF 2.
            initializer: What makes the start value; None is glorot_uniform for floats, zeros
                for others.
            dtype: The dtype; None takes the layer's `variable_dtype`.
            trainable: Whether it is trained.
            autocast: Whether it is read in the compute dtype (mixed precision).
            regularizer: A penalty on it, added to `losses`.
            constraint: A projection applied after each update.
            aggregation: As `tf.keras.Variable`.
            overwrite_with_gradient: Whether optimizers assign the gradient in place of applying it.
            name: The name, the last part of the path.
            **kwargs: `shape`, where the name comes first.

        Returns:
            A `tf.keras.Variable`.

        Raises:
            ValueError: a size is unknown, or the layer was not initialised.
        """
        self._check_initialized()
        shape = tuple(TensorShape(() if shape is None else shape))
        if any(size is None for size in shape):
            raise ValueError(
                f'{label(self)}: the shape of weight "{name}" must be known; got {shape}.\n'
                f"  Fix: give the sizes to tf.keras.Input, or to the layer before."
            )
        dtype = as_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtype.is_floating else "zeros"
        with init_scope(), self._scope():
            made = keras_variable.Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=trainable and self._trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        made._lm_trainable_asked = trainable
        made.__dict__["_first_read"] = None  # no tape need ask: the layer holds it
        made.regularizer = regularizers.get(regularizer)
        made.constraint = constraints.get(constraint)
        made.overwrite_with_gradient = overwrite_with_gradient
        self._lm_added.append(made)
        versions.tracked += 1
        return made

    def add_variable(self, *args: Any, **kwargs: Any) -> Any:
        """Make a weight; the older name of `add_weight`."""
        note_older("Layer.add_variable", "add_weight")
        return self.add_weight(*args, **kwargs)

    def _scope(self) -> Any:
        """Return a context manager under which variables get this layer's path."""
        if self._lm_scope is None:
            names = local.names or ""
            inner: list[str] = []
            for layer in reversed(local.calls):
                # Inside the `build` of a layer above, its path is in the names already.
                if layer._lm_scope and f"{names}/".startswith(f"{layer._lm_scope}/"):
                    break
                if layer is not self:
                    inner.insert(0, layer.name)
            path = "/".join([*filter(None, [names]), *inner, self._name])
            self.__dict__["_lm_scope"] = path
        return _names_set_to(self._lm_scope or "")

    def _own_variables(self) -> list[Any]:
        """Return the variables held directly, in the order in which they were made."""
        found = {identity(v): v for _, v in children(self) if isinstance(v, Variable)}
        for v in self.__dict__.get("_lm_added", ()):
            found.setdefault(identity(v), v)
        return sorted(found.values(), key=_number)

    def _children(self) -> list[Any]:
        """Return layers and modules held directly, each once, in attribute order."""
        found = {
            identity(v): v
            for _, v in children(self)
            if isinstance(v, Module) and getattr(type(v), "_tracked_as", "layer") == "layer"
        }
        return list(found.values())

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """Return this layer and all layers below, depth first, each once."""
        if not recursive:
            return [*([self] if include_self else []), *self._children()]
        seen: set[int] = set()

        def below(layer: Any) -> Iterator[Any]:
            if identity(layer) in seen:
                return
            seen.add(identity(layer))
            if isinstance(layer, Weighted):
                yield layer
                kept = layer._children()
            else:
                kept = [v for _, v in children(layer) if isinstance(v, Module)]
            for child in kept:
                yield from below(child)

        return list(below(self))[0 if include_self else 1 :]

    @property
    def weights(self) -> list[Any]:
        """All weights, trainable or not, of this layer and the layers below."""
        return list(_found(self, everything=False))

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights that training changes."""
        if not self._trainable:
            return []
        return [v for v in _found(self, everything=False) if v._trainable]

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves to the layer: statistics, frozen weights."""
        return [v for v in self.weights if not (v._trainable and self._trainable)]

    @property
    def variables(self) -> list[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras: list
        """All variables: the weights, and the state of random generators."""
        return list(_found(self, everything=True))

    @property
    def trainable_variables(self) -> list[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras: list
        """The variables that training changes."""
        if not self._trainable:
            return []
        return [v for v in _found(self, everything=True) if v._trainable]

    @property
    def non_trainable_variables(self) -> list[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]  # Keras: list
        """The variables that training does not change."""
        return [v for v in self.variables if not (v._trainable and self._trainable)]

    @property
    def metrics(self) -> list[Any]:
        """The metrics held as attributes, here and in the layers below."""
        return list({identity(m): m for m in _metrics_below(self)}.values())

    @property
    def metrics_variables(self) -> list[Any]:
        """The state of `metrics`."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def submodules(self) -> tuple[Any, ...]:
        """All layers and modules below."""
        return tuple(self._flatten_layers(include_self=False))

    def count_params(self) -> int:
        """Return the number of elements in all weights.

        Raises:
            ValueError: the layer has no weights yet, because it was not built.
        """
        if not self.built and not self.weights:
            raise ValueError(
                f"{label(self)}: `count_params` needs the weights, but the layer is not built.\n"
                f"  Fix: call it on data, or layer.build(input_shape), first."
            )
        return sum(int(np.prod(tuple(v.shape), dtype=np.int64)) for v in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """Return the values of `weights` as NumPy arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set the values of `weights`.

        Args:
            weights: One array for each weight, in their order.

        Raises:
            ValueError: the number of arrays or a shape does not fit; nothing is changed then.
        """
        mine = self.weights
        given = list(weights)
        wrong = [
            f"{v.path}: {tuple(v.shape)}, got {np.shape(w)}"
            for v, w in zip(mine, given, strict=False)
            if tuple(v.shape) != np.shape(w)
        ]
        if len(mine) != len(given) or wrong:
            detail = "\n    ".join(wrong) or f"weights: {[v.path for v in mine]}"
            raise ValueError(
                f"{label(self)}: `set_weights` takes {len(mine)} arrays of the weights' shapes; "
                f"got {len(given)}.\n    {detail}"
            )
        for v, w in zip(mine, given, strict=True):
            v.assign(w)

    def _in_file_order(self) -> list[Any]:
        """Return the layer's own variables in the order in which files number them."""
        return file_order(self._own_variables())

    def save_own_variables(self, store: Any) -> None:
        """Put the values of the layer's own variables into a dict-like store, by their number."""
        for i, v in enumerate(self._in_file_order()):
            store[str(i)] = v.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Set the layer's own variables from a store that `save_own_variables` filled."""
        mine = self._in_file_order()
        if len(store) != len(mine):
            raise ValueError(
                f"{label(self)}: the file holds {len(store)} variables for it; it has "
                f"{len(mine)}: {[v.path for v in mine]}.\n"
                f"  Fix: build the layer as it was when it was saved."
            )
        for i, v in enumerate(mine):
            v.assign(store[str(i)])


def file_order(variables: list[Any]) -> list[Any]:
    """Return variables in Keras' order of files: trainable ones first."""
    asked = [getattr(v, "_lm_trainable_asked", v.trainable) for v in variables]
    return [v for v, t in zip(variables, asked, strict=True) if t] + [
        v for v, t in zip(variables, asked, strict=True) if not t
    ]


def _metrics_below(root: Any) -> Iterator[Any]:
    for layer in root._flatten_layers():
        yield from (
            v for _, v in children(layer) if getattr(type(v), "_tracked_as", "") == "metric"
        )


def _number(variable: Any) -> int:
    return variable._number


def _found(layer: Any, everything: bool) -> tuple[Any, ...]:
    """Return the variables below a layer; walked again only if something may have changed.

    Attributes that are set count in `versions.tracked`; lists, dicts and sets change without a
    word, so the walk notes each one with the identities of its items.
    """
    key = "_lm_variables" if everything else "_lm_weights"
    kept = layer.__dict__.get(key)
    if kept is not None:
        version, containers, found = kept
        if version == versions.tracked and all(_print(c) == ids for c, ids in containers):
            return found
    walk = _Walk(everything)
    walk.enter(layer)
    found = tuple(walk.found.values())
    layer.__dict__[key] = versions.tracked, walk.containers, found
    return found


def _print(container: Any) -> list[int]:
    items = container.values() if hasattr(container, "values") else container
    return [identity(item) for item in items]


class _Walk:
    """Collects the variables below a layer: its own, trainable ones first, then its layers'."""

    def __init__(self, everything: bool) -> None:
        self.everything = everything
        self.found: dict[int, Any] = {}
        self.containers: list[tuple[Any, list[int]]] = []
        self.seen: set[int] = set()

    def enter(self, module: Any) -> None:
        """Collect what is below a module, once."""
        if identity(module) in self.seen:
            return
        self.seen.add(identity(module))
        self._note_containers(vars(module).items())
        if isinstance(module, Weighted):
            own = file_order(module._own_variables())
        else:
            own = [v for _, v in children(module) if isinstance(v, Variable)]
        for v in own:
            self.found.setdefault(identity(v), v)
        below = [v for _, v in children(module) if not isinstance(v, Variable)]
        kinds = [getattr(type(v), "_tracked_as", "layer") for v in below]
        for wanted in ("seed", "layer") if self.everything else ("layer",):
            for child, kind in zip(below, kinds, strict=True):
                if kind == wanted:
                    self.enter(child)

    def _note_containers(self, items: Any) -> None:
        for name, value in items:
            if not is_bookkeeping(name):
                self._note(value)

    def _note(self, value: Any) -> None:
        items: Any = value
        if not is_container(value) or identity(value) in self.seen:
            return
        self.seen.add(identity(value))
        if isinstance(value, list | dict | set):
            self.containers.append((value, _print(value)))
        if hasattr(value, "__dataclass_fields__"):
            self.containers.append((vars(value), _print(vars(value))))
            inner: Any = vars(value).values()
        else:
            inner = items.values() if hasattr(items, "values") else items
        for item in inner:
            self._note(item)


class _names_set_to:  # noqa: N801  # used like a function
    """Set the name scope inside the block."""

    __slots__ = ("_before", "_names")

    def __init__(self, names: str) -> None:
        self._names = names

    def __enter__(self) -> None:
        self._before = context.local.names
        context.local.names = self._names

    def __exit__(self, *error: object) -> None:
        context.local.names = self._before
