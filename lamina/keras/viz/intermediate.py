"""Outputs from the middle of a model, by the paths of its layers."""

from collections.abc import Sequence
from typing import Any

from lamina.engine import Tensor, context, convert_to_tensor, function, nest
from lamina.keras.core import calling, paths
from lamina.keras.core.checks import label
from lamina.keras.viz.recording import Recorded, observing

__all__ = ["intermediate"]


def intermediate(model: Any, args: Any, kwargs: dict[str, Any], path: Any) -> Any:
    """Run a model and return the outputs of the layers at a path; see `Model.intermediate`."""
    several = not isinstance(path, str)
    patterns = list(path) if several else [path]
    args, kwargs = nest.map_structure(_as_tensor, [list(args), kwargs])
    watched = _watched(model, patterns, args, kwargs)
    run = _function(model, watched)
    found = run(args, kwargs)
    values = {p: outputs[0] if len(outputs) == 1 else outputs for p, outputs in found.items()}
    if several or paths.is_pattern(path):
        return values
    return next(iter(values.values()))


def _as_tensor(value: Any) -> Any:
    is_data = hasattr(value, "__array__") or isinstance(value, Tensor)
    return convert_to_tensor(value) if is_data else value


def _watched(model: Any, patterns: Sequence[str], args: Any, kwargs: Any) -> dict[str, Any]:
    """Return the layers to watch by path; a model that is not built yet is built if need be."""
    try:
        return {p: layer for pattern in patterns for p, layer in paths.match(model, pattern)}
    except ValueError:
        if model.built and all(layer.built for layer in model._flatten_layers()):
            raise
        calling.output_spec(model, args, kwargs)  # builds; `build` may make the layers
        return {p: layer for pattern in patterns for p, layer in paths.match(model, pattern)}


def _function(model: Any, watched: dict[str, Any]) -> Any:
    """Return the compiled function that watches some layers; the model keeps it."""
    known = model.__dict__.setdefault("_lm_intermediate", {})
    key = tuple((path, id(layer)) for path, layer in watched.items())
    if key not in known:
        known[key] = function(lambda args, kwargs: _collect(model, watched, args, kwargs))
    return known[key]


def _collect(model: Any, layers: dict[str, Any], args: Any, kwargs: Any) -> dict[str, list[Any]]:
    seen: list[Recorded] = []
    here = context.local.trace
    with observing(seen, keep_apart=False):
        model(*args, **kwargs)
    return {path: _outputs_of(model, path, layer, seen, here) for path, layer in layers.items()}


def _outputs_of(model: Any, path: str, layer: Any, seen: list[Recorded], here: Any) -> list[Any]:
    calls = [call for call in seen if call.layer is layer]
    if not calls:
        raise ValueError(
            f"{label(model)}: the layer {path!r} is not called for these inputs.\n"
            f"  Fix: model.graph(inputs).calls lists what is called; `.uncalled` what is not."
        )
    if any(call.closure is not here for call in calls):
        raise ValueError(
            f"{label(model)}: the layer {path!r} is called inside a loop or branch, once for each "
            f"step; it has no output outside of it.\n"
            f"  Fix: take the output of the layer around it."
        )
    return [call.outputs for call in calls]
