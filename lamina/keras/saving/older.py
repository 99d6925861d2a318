"""HDF5 files of weights of Keras 2, read as if Keras 3 had written them.

Such a file has a group for each layer of the model, in the order of `model.layers`, and each
group the names of its arrays in the order of the layer's weights, trainable ones first. Layers
are matched by their place: the names may differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lamina.keras.core import Layer
from lamina.keras.core.checks import label
from lamina.keras.saving.layout import own_variables, saveables
from lamina.late import late_module

if TYPE_CHECKING:
    import h5py
else:
    h5py = late_module("h5py")

__all__ = ["as_groups", "is_older", "names_of", "own_weights_of", "weights_of"]

_WHOLE_MODEL = "model_weights"  # where a file of a whole model has them
_OWN = "top_level_model_weights"


def is_older(h5: h5py.File) -> bool:
    """Return whether a file is in Keras 2's format."""
    return "layer_names" in h5.attrs or "layer_names0" in h5.attrs or _WHOLE_MODEL in h5


def as_groups(
    h5: h5py.File, arrays: Mapping[str, Any], model: Any, who: str
) -> dict[str, dict[str, Any]]:
    """Return what a file of Keras 2 holds, in the form of Keras 3.

    Args:
        h5: The open file.
        arrays: The checked arrays: path in the file → array.
        model: The model to load into.
        who: The file's name, for messages.

    Returns:
        Path of an object of the model → key → array.

    Raises:
        ValueError: the model is not built, or has other numbers of layers or weights.
    """
    if not model.built:
        raise ValueError(
            f"{who}: a built model was expected for a file of Keras 2; {label(model)} has no "
            f"weights yet.\n  Fix: call it on data, or model.build(input_shape), first."
        )
    start = f"{_WHOLE_MODEL}/" if _WHOLE_MODEL in h5 else ""
    stored = _stored(h5, arrays, start, who)
    mine = [(la.name, weights_of(la)) for la in model.layers if la.weights]
    own = stored.pop(_OWN, [])
    if own:
        mine.append((model.name, own_weights_of(model)))
        stored[_OWN] = own
    if len(stored) != len(mine):
        raise ValueError(
            f"{who}: as many layers with weights as in {label(model)} were expected, {len(mine)}; "
            f"got {len(stored)} layers.{_difference([n for n, _ in mine], list(stored))}\n"
            f"  Fix: make the model that the file belongs to; `include_top` is a frequent reason."
        )
    places = {id(v): (path, str(i)) for path, obj in saveables(model) for i, v in _numbered(obj)}
    groups: dict[str, dict[str, Any]] = {}
    for (name, weights), (theirs, values) in zip(mine, stored.items(), strict=True):
        if len(weights) != len(values):
            raise ValueError(
                f"{who}: {len(weights)} weights were expected for the layer {name!r}; got "
                f"{len(values)} in the file's layer {theirs!r}."
            )
        for v, value in zip(weights, values, strict=True):
            path, key = places[id(v)]
            groups.setdefault(path, {})[key] = value
    return groups


def _numbered(obj: Any) -> Any:
    return enumerate(own_variables(obj))


def weights_of(layer: Layer) -> list[Any]:
    """Return a layer's weights in the order of such files.

    Args:
        layer: The layer.
    """
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def own_weights_of(model: Any) -> list[Any]:
    """Return the weights of a model that are in none of its layers.

    Args:
        model: The model.
    """
    below = {id(v) for la in model.layers for v in la.weights}
    return [v for v in weights_of(model) if id(v) not in below]


def _stored(h5: h5py.File, arrays: Mapping[str, Any], start: str, who: str) -> dict[str, list[Any]]:
    """Return name of a layer → its arrays in order, for layers that have some."""
    root: Any = h5[_WHOLE_MODEL] if start else h5
    names = names_of(root, "layer_names")
    found: dict[str, list[Any]] = {}
    for name in [*names, *([_OWN] if _OWN in root else [])]:
        if not isinstance(root.get(name), h5py.Group):
            raise ValueError(f"{who}: a group was expected for the layer {name!r}; got none.")
        paths = [f"{start}{name}/{weight}" for weight in names_of(root[name], "weight_names")]
        missing = [p for p in paths if p not in arrays]
        if missing:
            raise ValueError(f"{who}: the arrays {paths} were expected; {missing} are missing.")
        if paths:
            found[name] = [arrays[p] for p in paths]
    return found


def names_of(group: Any, attribute: str = "weight_names") -> list[str]:
    """Return a list of names, which is split over several attributes if it is long.

    Args:
        group: The group of the file.
        attribute: The attribute.
    """
    parts = [attribute] if attribute in group.attrs else []
    while f"{attribute}{len(parts)}" in group.attrs:
        parts.append(f"{attribute}{len(parts)}")
    names = [n for part in parts for n in group.attrs[part]]
    return [n.decode("utf-8") if isinstance(n, bytes) else str(n) for n in names]


def _difference(mine: list[str], theirs: list[str]) -> str:
    for a, b in zip(mine, theirs, strict=False):
        if a != b:
            return f" They part at {a!r} here, {b!r} there."
    return ""
