"""Making the weights of a loaded model at once, from the arguments of the call that made them."""

import contextlib
from typing import Any

from lamina.engine import TensorSpec, nest
from lamina.keras import registry
from lamina.keras.core import KerasTensor, Layer, calling, walk

__all__ = ["build", "notes"]

_SPEC = "__tensor_spec__"


# ---- saving -----------------------------------------------------------------------------------


def notes(model: Any) -> dict[str, Any]:
    """Return what `build` needs beside Keras' own build config, as plain values."""
    found: dict[str, Any] = {"builds": _parts(model)}
    arguments = model.__dict__.get("_lm_call_arguments")
    if arguments is not None and model.built:
        with contextlib.suppress(TypeError, ValueError):  # an argument that has no plain form
            found["call"] = _plain(arguments)
    return found


def _parts(model: Any) -> dict[str, Any]:
    """Return the shapes that layers were built for: attribute path → shape.

    A layer that `call` reaches on some paths only, in training say, is not built by the model's
    own shapes.
    """
    return {
        path: registry.serialize_keras_object(shapes["input_shape"])
        for path, layer in walk(model)
        if isinstance(layer, Layer)
        and layer.built
        and (shapes := layer.__dict__.get("_lm_build_shapes"))
        and list(shapes) == ["input_shape"]
    }


def _plain(arguments: Any) -> Any:
    """Return the noted arguments of a call as JSON can hold them, tuples told from lists."""

    def leaf(value: Any) -> Any:
        if isinstance(value, TensorSpec):
            shape = [None if d is None else int(d) for d in value.shape]
            return {"class_name": _SPEC, "config": {"shape": shape, "dtype": value.dtype.name}}
        return value

    return _marked(registry.serialize_keras_object(nest.map_structure(leaf, arguments)))


def _marked(value: Any) -> Any:
    if isinstance(value, tuple):
        return {"class_name": "__tuple__", "items": [_marked(v) for v in value]}
    if isinstance(value, list):
        return [_marked(v) for v in value]
    if isinstance(value, dict):
        if not all(isinstance(k, str) for k in value):
            raise TypeError("JSON has keys of text only")
        return {k: _marked(v) for k, v in value.items()}
    return value


@registry.decoder(_SPEC)
def _tensor_spec(config: dict[str, Any]) -> KerasTensor:
    return KerasTensor(tuple(config["shape"]), config["dtype"])


# ---- loading ----------------------------------------------------------------------------------


def build(model: Any, config: Any, found: dict[str, Any]) -> None:
    """Make the weights of a loaded model; if `call` needs real inputs, its first call does.

    Args:
        model: The model, which may be built already.
        config: Keras' build config, or None.
        found: What `notes` returned.
    """
    if not model.built and found.get("call"):
        _try(model, lambda: _build_by_call(model, found["call"]))
    if not model.built and config:
        _try(model, lambda: model.build_from_config(registry.revive(config)))
    if model.built:
        _build_parts(model, found.get("builds"))


def _try(model: Any, run: Any) -> None:
    try:
        run()
    except Exception:  # whatever the user's code does without real inputs
        model.built = False


def _build_by_call(model: Any, noted: Any) -> None:
    arguments = registry.revive(noted)
    calling.output_spec(model, arguments["args"], arguments["kwargs"])


def _build_parts(model: Any, builds: Any) -> None:
    """Make the weights of layers that the model's own shapes did not build."""
    if not isinstance(builds, dict):
        return
    for path, layer in list(walk(model)):
        if not isinstance(layer, Layer) or layer.built or path not in builds:
            continue
        with contextlib.suppress(Exception), model._scope():  # as in `_try`
            layer.build(calling.as_shapes(registry.revive(builds[path])))
