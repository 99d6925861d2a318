"""Targets, weights and settings in the structure of a model's outputs."""

from collections.abc import Sequence
from typing import Any

__all__ = ["aligned", "at", "by_output", "is_many", "leaves", "named_leaves", "weights_for"]

Path = tuple[Any, ...]


def is_many(value: Any) -> bool:
    """Return whether a value is a list, tuple or dict of others, and no config of an object."""
    return isinstance(value, list | tuple | dict) and not (
        isinstance(value, dict) and "class_name" in value
    )


def leaves(structure: Any) -> list[tuple[Path, Any]]:
    """Return (path, leaf) pairs; dicts in the order of their sorted keys, as `tf.nest` has it."""
    if not is_many(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, item in _items(structure) for path, leaf in leaves(item)]


def _items(structure: Any) -> list[tuple[Any, Any]]:
    if not isinstance(structure, dict):
        return list(enumerate(structure))
    try:
        return sorted(structure.items(), key=lambda pair: pair[0])
    except TypeError:
        return list(structure.items())


def at(structure: Any, path: Path) -> Any:
    """Return what stands at a path; None stands for None everywhere below."""
    for key in path:
        if structure is None:
            return None
        structure = structure[key]
    return structure


def named_leaves(y_pred: Any, names: Sequence[str] | None) -> dict[Path, str | None]:
    """Return the name of each output by its path, None where it has none."""
    paths = [path for path, _ in leaves(y_pred)]
    known = list(names) if names is not None and len(names) == len(paths) else [None] * len(paths)
    return dict(zip(paths, known, strict=True))


def by_output(what: str, given: Any, y_pred: Any, names: Sequence[str] | None) -> Any:
    """Return an argument of `compile` with a dict by output names in the order of the outputs.

    Args:
        what: The argument's name, for messages.
        given: What was given.
        y_pred: What the model returned.
        names: The names of the outputs, or None.

    Raises:
        ValueError: the dict names outputs that the model does not have.
    """
    if not (isinstance(given, dict) and is_many(given)) or isinstance(y_pred, dict):
        return given
    count = len(y_pred) if is_many(y_pred) else 1
    if names is None or len(names) != count:
        raise ValueError(
            f"compile: `{what}` is a dict, but the model's outputs have no names.\n"
            f"  Fix: return a dict from `call`, or pass a list."
        )
    _check_keys(what, given, list(names))
    entries = [given.get(name) for name in names]
    return entries if is_many(y_pred) else entries[0]


def _check_keys(what: str, given: dict[Any, Any], known: list[Any]) -> None:
    extra = [key for key in given if key not in known]
    if extra:
        raise ValueError(
            f"compile: `{what}` names the outputs {sorted(map(str, extra))}, which the "
            f"model does not have; it has {known}."
        )


def aligned(what: str, given: Any, y_pred: Any, names: Sequence[str] | None = None) -> Any:
    """Return targets or weights in the structure of the outputs, None for what is missing.

    Args:
        what: "y" or "sample_weight"; one weight goes to all outputs.
        given: The targets or weights: in that structure, or flat, or by the outputs' names.
        y_pred: The outputs.
        names: The names of the outputs, or None.

    Raises:
        ValueError: they do not match.
    """
    if given is None:
        return None
    if isinstance(given, dict) and isinstance(y_pred, list | tuple):
        known = names or ()
        if len(known) == len(y_pred) and any(name in given for name in known):
            given = [given.get(name) for name in known]
    if _fits(given, y_pred):
        return _fitted(given, y_pred)
    flat, places = [leaf for _, leaf in leaves(given)], leaves(y_pred)
    if what == "sample_weight" and not is_many(given):
        flat = flat * len(places)
    if len(flat) != len(places):
        raise ValueError(
            f"`{what}` must match the model's {len(places)} outputs; got "
            f"{len(given) if is_many(given) else type(given).__name__}.\n"
            f"  Fix: give a list or dict with one entry for each output."
        )
    return _packed(y_pred, iter(flat))


def _fits(given: Any, y_pred: Any) -> bool:
    if given is None:
        return True
    if not is_many(y_pred):
        return not is_many(given) or (isinstance(given, list | tuple) and len(given) == 1)
    if isinstance(y_pred, dict):
        return isinstance(given, dict) and all(_fits(given.get(k), v) for k, v in y_pred.items())
    return (
        isinstance(given, list | tuple)
        and len(given) == len(y_pred)
        and all(_fits(g, p) for g, p in zip(given, y_pred, strict=True))
    )


def _fitted(given: Any, y_pred: Any) -> Any:
    if given is None:
        return None
    if not is_many(y_pred):
        return given[0] if isinstance(given, list | tuple) else given
    if isinstance(y_pred, dict):
        return {k: _fitted(given.get(k), v) for k, v in y_pred.items()}
    return _like(y_pred, [_fitted(g, p) for g, p in zip(given, y_pred, strict=True)])


def _packed(structure: Any, flat: Any) -> Any:
    if not is_many(structure):
        return next(flat)
    made = {key: _packed(item, flat) for key, item in _items(structure)}
    return made if isinstance(structure, dict) else _like(structure, list(made.values()))


def _like(structure: Any, items: list[Any]) -> Any:
    """Return the items in a list or tuple of the same class, as losses of structures need it."""
    if hasattr(structure, "_fields"):
        return type(structure)(*items)
    return tuple(items) if isinstance(structure, tuple) else items


def weights_for(weights: Any, loss: Any) -> Any:
    """Return `loss_weights` in the structure of `loss`: one level of it, as a dict or a list.

    Args:
        weights: One weight, or a structure of them, or all of them in a list.
        loss: A list, tuple or dict of losses.

    Raises:
        ValueError: their number is not that of the losses.
    """
    keys = [key for key, _ in _items(loss)]
    if weights is None:
        return dict.fromkeys(keys)
    if isinstance(weights, dict) and isinstance(loss, dict):
        _check_keys("loss_weights", weights, keys)
        return {key: weights.get(key) for key in keys}
    is_list = isinstance(weights, list | tuple)
    if is_list and not isinstance(loss, dict) and len(weights) == len(loss):
        return dict(enumerate(weights))
    flat, places = [leaf for _, leaf in leaves(weights)], leaves(loss)
    if len(flat) != len(places):
        raise ValueError(
            f"compile: `loss_weights` must match the number of losses, {len(places)}; got "
            f"{weights!r}.\n  Fix: give them in the structure of `loss`."
        )
    packed = _packed(loss, iter(flat))
    return packed if isinstance(packed, dict) else dict(enumerate(packed))
