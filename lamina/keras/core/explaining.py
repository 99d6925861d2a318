"""Where an exception came from, for people: the layer, its inputs, the user's line, and the fix."""

import difflib
import inspect
import re
from typing import Any

from lamina.engine import Tensor, Variable, local, nest, place_of_caller, place_of_error
from lamina.keras.core.checks import label
from lamina.keras.core.module import walk
from lamina.keras.core.reporting import is_shape

__all__ = ["brief", "explain", "explain_function", "path_of"]


def explain(error: BaseException, layer: Any, args: Any, kwargs: Any) -> None:
    """Add to an exception which layer it came from, its inputs, the user's line, and the fix."""
    if getattr(error, "_lm_explained", False):
        return
    try:
        error._lm_explained = True  # type: ignore[attr-defined]
    except AttributeError:
        return  # an exception class without a __dict__ stays as it is
    named = dict(zip(layer._lm_spec.names, args, strict=False)) | kwargs
    lines = [f"In {path_of(layer)} ({label(layer)}), called with:"]
    lines += [f"  {k} = {brief(v)}" for k, v in named.items()]
    _finish(error, lines, _advice(error, layer, named))


def explain_function(error: BaseException, what: str, named: dict[str, Any]) -> None:
    """Add to an exception that it came from a loss or a metric, with what that was given."""
    if getattr(error, "_lm_explained", False):
        return
    try:
        error._lm_explained = True  # type: ignore[attr-defined]
    except AttributeError:
        return
    lines = [f"In {what}, called with:", *(f"  {k} = {brief(v)}" for k, v in named.items())]
    _finish(error, lines, None)


def _finish(error: BaseException, lines: list[str], advice: str | None) -> None:
    where = place_of_error(error) or place_of_caller()
    if where:
        lines.append(f"  at {where.with_code}")
    if advice and "Fix:" not in str(error):
        lines.append(f"  Fix: {advice}")
    error.add_note("\n".join(lines))


# ---- what to do about Python's own exceptions ---------------------------------------------------


def _advice(error: BaseException, layer: Any, named: dict[str, Any]) -> str | None:
    """Return what to do, where the exception and the call tell."""
    if isinstance(error, KeyError):
        return _key_advice(error, named)
    if isinstance(error, AttributeError):
        return _attribute_advice(error, layer)
    if isinstance(error, TypeError):
        return _type_advice(str(error), layer, named)
    return None


def _key_advice(error: KeyError, named: dict[str, Any]) -> str | None:
    key = error.args[0] if error.args else None
    for name, value in named.items():
        if isinstance(value, dict) and key not in value:
            near = difflib.get_close_matches(str(key), map(str, value), n=1, cutoff=0.4)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            return f"`{name}` has the keys {list(value)}{hint}"
    return None


def _attribute_advice(error: AttributeError, layer: Any) -> str | None:
    owner, name = getattr(error, "obj", None), getattr(error, "name", None)
    if owner is None:
        return (
            "a function or layer before returned None; return its result."
            if ("'NoneType' object has no attribute" in str(error))
            else None
        )
    if owner is not layer or name is None:
        return None
    near = difflib.get_close_matches(name, _public(layer), n=1, cutoff=0.6)
    if near:
        return f"did you mean self.{near[0]}?"
    return (
        f"set self.{name} in `__init__`; a weight in `build`, "
        f"self.{name} = self.add_weight(shape=...)."
    )


def _public(layer: Any) -> list[str]:
    return [k for k in vars(layer) if not k.startswith("_")]


def _type_advice(text: str, layer: Any, named: dict[str, Any]) -> str | None:
    inputs = [t for t in nest.flatten(list(named.values())) if isinstance(t, Tensor)]
    first = next(iter(named.values()), None)
    if named and first is None:
        return "the layer before gave None; its `call` must return its result."
    if "NoneType" in text and any(None in tuple(t.shape) for t in inputs):
        return (
            "a size is unknown while the layer is built for any batch: use tf.shape(x)[axis] in "
            "place of x.shape[axis], or -1 in tf.reshape."
        )
    if "NoneType" in text:
        return "a function or layer before returned None; return its result."
    if "required positional argument" in text or "required keyword-only argument" in text:
        return f"pass it to the layer, or give it a default: call{_signature(layer)}."
    if "unexpected keyword argument" in text or "positional argument" in text:
        return f"it takes call{_signature(layer)}."
    return None


def _signature(layer: Any) -> str:
    parameters = list(inspect.signature(type(layer).call).parameters.values())[1:]
    return str(inspect.Signature(parameters))


# ---- where --------------------------------------------------------------------------------------


def path_of(layer: Any) -> str:
    """Return the attribute path of a layer in the model that runs: "model.blocks[3].attention"."""
    root = local.calls[0] if local.calls else layer
    start = "model" if hasattr(type(root), "fit") else root.name
    if root is layer:
        return start
    seen: dict[str, Any] = {}
    for path, value in walk(root):
        seen[path] = value
        if value is layer:
            # Layers of functional and Sequential models go by their names, as in `model.hook`.
            named = _HELD.sub(lambda held, p=path: seen[p[: held.end()]].name, path)
            return f"{start}.{named}"
    return f"{start} … {layer.name}"


_HELD = re.compile(r"\bgraph_layers\[\d+\]")


def brief(value: Any) -> str:
    """Return a short description of an argument."""
    if isinstance(value, Tensor | Variable):
        dtype = getattr(value.dtype, "name", value.dtype)  # a string, of Keras' Variables
        return f"{dtype}{tuple(value.shape)}"
    if isinstance(value, list | tuple) and not is_shape(value):
        inner = ", ".join(map(brief, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {brief(v)}" for k, v in value.items()) + "}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
