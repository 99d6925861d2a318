"""What is put around the `call` of single layers: hooks and rematerialisation.

An interceptor takes a layer's `call` and returns another one. It is kept on the instance, in front
of the class's `call`, so that layers without one pay nothing, and paths, weights, configs and files
of those with one stay as they are.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from lamina import ops
from lamina.engine import Tensor, custom_gradient, nest, recompute_grad, versions
from lamina.keras.core.checks import label
from lamina.keras.scopes import RematScope

__all__ = ["Handle", "backward_hook", "forward_hook", "intercept", "recompute", "rematerialised"]

Interceptor = Callable[[Callable[..., Any]], Callable[..., Any]]


class Handle:
    """What `hook` and `remat` return: removes what they installed. Also a context manager.

    Attributes:
        paths: The paths of the layers.
    """

    def __init__(self, installed: Sequence[tuple[str, Any, Interceptor]]) -> None:
        self.paths = [path for path, _, _ in installed]
        self._installed = list(installed)

    def remove(self) -> None:
        """Take the hook off again; a second time nothing happens."""
        for _, layer, interceptor in self._installed:
            kept = layer.__dict__.get("_lm_interceptors", [])
            if interceptor in kept:
                kept.remove(interceptor)
            _rewrap(layer)
        self._installed = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    def __repr__(self) -> str:
        state = "" if self._installed else ", removed"
        return f"<Handle of {', '.join(self.paths)}{state}>"


def intercept(found: Sequence[tuple[str, Any]], make: Callable[[str, Any], Interceptor]) -> Handle:
    """Put an interceptor around the `call` of each of some (path, layer) pairs."""
    installed: list[tuple[str, Any, Interceptor]] = []
    for path, layer in found:
        interceptor = make(path, layer)
        layer.__dict__.setdefault("_lm_interceptors", []).append(interceptor)
        _rewrap(layer)
        installed.append((path, layer, interceptor))
    return Handle(installed)


def _rewrap(layer: Any) -> None:
    own = layer.__dict__
    call = type(layer).call.__get__(layer)
    own.pop("call", None)
    for interceptor in own.get("_lm_interceptors", ()):
        call = own["call"] = interceptor(call)
    versions.structure += 1  # steps that were compiled before do not have it


# ---- hooks --------------------------------------------------------------------------------------


def forward_hook(owner: Any, fn: Callable[..., Any], values: bool) -> Callable[[str, Any], Any]:
    """Return what makes the interceptor of a hook on outputs."""
    takes_path = _check_hook(owner, fn, ("layer", "inputs", "outputs"))

    def make(path: str, layer: Any) -> Interceptor:
        more = {"path": path} if takes_path else {}

        def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
            def hooked(*args: Any, **kwargs: Any) -> Any:
                outputs = call(*args, **kwargs)
                inputs = args[0] if len(args) == 1 else args
                if values:
                    _observe(lambda i, o: fn(layer, i, o, **more), inputs, outputs)
                    return outputs
                replaced = fn(layer, inputs, outputs, **more)
                return outputs if replaced is None else _checked(layer, path, outputs, replaced)

            return hooked

        return interceptor

    return make


def backward_hook(owner: Any, fn: Callable[..., Any], values: bool) -> Callable[[str, Any], Any]:
    """Return what makes the interceptor of a hook on the gradients of outputs."""
    takes_path = _check_hook(owner, fn, ("layer", "gradient"))

    def make(path: str, layer: Any) -> Interceptor:
        more = {"path": path} if takes_path else {}

        def passed(gradient: Any) -> Any:
            if values:
                _observe(lambda g: fn(layer, g, **more), gradient)
                return gradient
            replaced = fn(layer, gradient, **more)
            return gradient if replaced is None else _checked(layer, path, gradient, replaced)

        def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
            def hooked(*args: Any, **kwargs: Any) -> Any:
                return _with_gradient(passed, call(*args, **kwargs))

            return hooked

        return interceptor

    return make


def _with_gradient(passed: Callable[[Any], Any], outputs: Any) -> Any:
    """Return outputs equal to the given ones, whose gradients go through a function."""
    flat = nest.flatten(outputs)
    places = [i for i, t in enumerate(flat) if isinstance(t, Tensor) and t.dtype.is_floating]
    if not places:
        return outputs

    @custom_gradient
    def identity(*tensors: Tensor) -> Any:
        def grad(*upstream: Tensor) -> Any:
            structure: list[Any] = [None] * len(flat)
            for i, g in zip(places, upstream, strict=True):
                structure[i] = g
            found = nest.flatten(passed(nest.pack_sequence_as(outputs, structure)))
            return [found[i] for i in places]

        return [ops.identity(t) for t in tensors], grad

    made = identity(*[flat[i] for i in places])
    for i, t in zip(places, made, strict=True):
        if flat[i]._keras_mask is not None:
            t._keras_mask = flat[i]._keras_mask
        flat[i] = t
    return nest.pack_sequence_as(outputs, flat)


def _observe(receive: Callable[..., Any], *structures: Any) -> None:
    """Call a function with structures of NumPy arrays when the program runs."""
    flat = nest.flatten(list(structures))
    places = [i for i, t in enumerate(flat) if isinstance(t, Tensor)]

    def arrays(*values: Any) -> None:
        full = list(flat)
        for i, value in zip(places, values, strict=True):
            full[i] = np.asarray(value)
        receive(*nest.pack_sequence_as(list(structures), full))

    ops.observe(*[flat[i] for i in places], receive=arrays)


def _check_hook(owner: Any, fn: Any, names: tuple[str, ...]) -> bool:
    """Raise if a hook does not take what it is given; return whether it takes `path` too."""
    wanted = f"fn({', '.join(names)})"
    if not callable(fn):
        raise TypeError(
            f"{label(owner)}: a hook must be a function {wanted}; got {fn!r} ({type(fn).__name__})."
        )
    signature = inspect.signature(fn)
    takes_path = "path" in signature.parameters
    try:
        signature.bind(*names, **({"path": ""} if takes_path else {}))
    except TypeError:
        raise TypeError(
            f"{label(owner)}: a hook must take ({', '.join(names)}), and `path` if it wants it; "
            f"`{getattr(fn, '__name__', fn)}` takes {signature}.\n"
            f"  Fix: def hook({', '.join(names)}): return None to leave them as they are."
        ) from None
    return takes_path


def _checked(layer: Any, path: str, given: Any, replaced: Any) -> Any:
    """Return what a hook put in place of Tensors, which must be of their kind."""
    before, after = nest.flatten(given), nest.flatten(replaced)
    same = len(before) == len(after) and all(
        not isinstance(b, Tensor)
        or (isinstance(a, Tensor) and a.dtype == b.dtype and a.shape.is_compatible_with(b.shape))
        for a, b in zip(after, before, strict=True)
    )
    if not same:
        raise ValueError(
            f"{label(layer)}: the hook on {path!r} must return Tensors of the shapes and dtypes "
            f"that it was given, or None; it was given {_kinds(given)}, and returned "
            f"{_kinds(replaced)}."
        )
    return nest.pack_sequence_as(given, after)


def _kinds(value: Any) -> str:
    return ", ".join(
        f"{t.dtype.name}{tuple(t.shape)}" if isinstance(t, Tensor) else repr(t)
        for t in nest.flatten(value)
    )


# ---- rematerialisation --------------------------------------------------------------------------


def rematerialised(path: str, layer: Any) -> Interceptor:
    """Return the interceptor that recomputes a layer's inner values for the gradient."""

    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        def recomputed(*args: Any, **kwargs: Any) -> Any:
            given = nest.flatten([args, kwargs])
            places = [i for i, t in enumerate(given) if isinstance(t, Tensor)]
            masked = [i for i in places if given[i]._keras_mask is not None]
            layers = list(layer._flatten_layers())

            def body(*tensors: Tensor) -> Any:
                full = list(given)
                for i, t in zip(places, tensors, strict=False):
                    full[i] = t
                for i, mask in zip(masked, tensors[len(places) :], strict=True):
                    full[i]._keras_mask = mask
                again, named = nest.pack_sequence_as([args, kwargs], full)
                before = [len(each._lm_losses) for each in layers]
                outputs = call(*again, **named)
                losses: list[Any] = []
                for each, count in zip(layers, before, strict=True):
                    losses.append(each._lm_losses[count:])
                    del each._lm_losses[count:]
                masks = [getattr(t, "_keras_mask", None) for t in nest.flatten(outputs)]
                return outputs, masks, losses

            body.__name__ = path
            masks_given = [given[i]._keras_mask for i in masked]
            outputs, masks, losses = recompute_grad(body)(*[given[i] for i in places], *masks_given)
            for t, mask in zip(nest.flatten(outputs), masks, strict=True):
                if mask is not None:
                    t._keras_mask = mask
            for each, more in zip(layers, losses, strict=True):
                each._lm_losses.extend(more)
            return outputs

        return recomputed

    return interceptor


def recompute(layer: Any, scope: RematScope) -> None:
    """Make a new layer recompute its values for gradients, if the scope is about it."""
    if scope.mode == "activations":
        intercept([(layer.name, layer)], _with_activation)
    elif scope.mode == "larger_than":
        make = functools.partial(_if_larger, scope.output_size_threshold)
        intercept([(layer.name, layer)], make)
    elif scope.mode != "list_of_layers" or layer.name in scope.layer_names:
        intercept([(layer.name, layer)], rematerialised)


def _if_larger(threshold: int, path: str, layer: Any) -> Interceptor:
    """Return the interceptor that recomputes where the outputs have more elements than that."""

    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        recomputed = rematerialised(path, layer)(call)

        def chosen(*args: Any, **kwargs: Any) -> Any:
            outer = layer.__dict__.pop("call")  # the shapes are those of the plain call
            try:
                outputs = nest.flatten(layer.compute_output_spec(*args, **kwargs))
            finally:
                layer.__dict__["call"] = outer
            size = sum(t.shape.num_elements() or 0 for t in outputs if t is not None)
            return (recomputed if size > threshold else call)(*args, **kwargs)

        return chosen

    return interceptor


def _with_activation(path: str, layer: Any) -> Interceptor:
    """Return the interceptor that recomputes the layer's activation alone."""

    def interceptor(call: Callable[..., Any]) -> Callable[..., Any]:
        def recomputed(*args: Any, **kwargs: Any) -> Any:
            plain = layer.__dict__.get("activation")
            if plain is None:
                return call(*args, **kwargs)
            layer.__dict__["activation"] = recompute_grad(plain)
            try:
                return call(*args, **kwargs)
            finally:
                layer.__dict__["activation"] = plain

        return recomputed

    return interceptor
