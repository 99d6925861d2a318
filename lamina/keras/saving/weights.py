"""`.weights.h5`: the weights of a model in Keras' layout, and loading them: all of them or none."""

import functools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from lamina.engine import as_dtype
from lamina.keras.core import Layer, walk
from lamina.keras.core.checks import label
from lamina.keras.optimizers import Optimizer
from lamina.keras.saving import hdf5, older, zipped
from lamina.keras.saving.files import HDF5, ZIP, as_path, describe, open_existing, replacing
from lamina.keras.saving.layout import own_variables, saveables, uses_default

__all__ = ["attribute_map", "load_into", "load_weights", "save_weights", "write"]

# What may stand beside the weights: the optimizer of a model that is not compiled now, and what
# other versions of Keras write though it is made anew.
_OTHER_STATE = frozenset(
    ["optimizer", "metrics", "_metrics", "_loss_tracker", "_compile_metrics", "loss"]
)
_ENDING = ".weights.h5"


# ---- saving -----------------------------------------------------------------------------------


def save_weights(model: Any, filepath: Any, overwrite: bool = True, **kwargs: Any) -> None:
    """Save the weights of a model, and the state of its optimizer, to a `.weights.h5` file.

    The file is in Keras 3's layout, and takes the place of an older one in one step.

    Args:
        model: A model, or any layer, that is built.
        filepath: A path that ends in ".weights.h5".
        overwrite: Whether an existing file is replaced.
        **kwargs: `objects_to_skip`: layers, or the optimizer, to leave out.

    Raises:
        ValueError: another ending; the model is not built; or the file exists and `overwrite` is
            False.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> folder = getfixture("tmp_path")
        >>> model.save_weights(folder / "m.weights.h5")
        >>> model.load_weights(folder / "m.weights.h5")
    """
    skip = _objects_to_skip("save_weights", kwargs)
    path = as_path(filepath, "save_weights")
    if not path.name.endswith(_ENDING):
        raise ValueError(
            f"save_weights: `filepath` must end in {_ENDING!r}; got {str(path)!r}.\n"
            f"  Fix: use {path.name.removesuffix('.h5') + _ENDING!r}; or model.save(…) for the "
            f"whole model."
        )
    if not model.built:
        raise ValueError(
            f"save_weights: a built model was expected; {label(model)} has no weights yet.\n"
            f"  Fix: call it on data, or model.build(input_shape), first."
        )
    check_overwrite(path, overwrite, "save_weights")
    with replacing(path) as file:
        write(model, file, skip)


def check_overwrite(path: Any, overwrite: bool, who: str) -> None:
    """Raise if a file exists that must not be replaced."""
    if not overwrite and path.exists():
        raise ValueError(
            f"{who}: {str(path)!r} must not exist with `overwrite=False`; it does.\n"
            f"  Fix: remove it, or pass overwrite=True."
        )


def _objects_to_skip(who: str, kwargs: dict[str, Any]) -> frozenset[int]:
    objects = kwargs.pop("objects_to_skip", None) or ()
    kwargs = {k: v for k, v in kwargs.items() if v not in (None, False)}
    if kwargs:
        raise ValueError(
            f"{who}: the arguments of Keras 3 were expected; got {sorted(kwargs)}.\n"
            f"  Fix: leave them out; weights are found by the layers' places, or with "
            f"skip_mismatch=True."
        )
    return frozenset(map(id, objects))


def write(model: Any, file: Any, skip: frozenset[int] = frozenset()) -> None:
    """Write the variables of a model into an open file.

    Args:
        model: The model.
        file: A binary file that can be read back.
        skip: The ids of objects to leave out, with all below them.
    """
    with hdf5.Writer(file) as writer:
        for path, obj in _without(skip, saveables(model)):
            if hasattr(obj, "save_own_variables"):
                obj.save_own_variables(writer.group(path, getattr(obj, "name", None)))
                continue
            store = writer.group(path, None)
            for i, v in enumerate(own_variables(obj)):
                store[str(i)] = v.numpy()


def _without(skip: frozenset[int], found: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    left_out: list[str] = []
    for path, obj in found:
        if id(obj) in skip:
            left_out.append(path)
        elif not any(_is_below(path, p) for p in left_out):
            yield path, obj


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/") or not above


def attribute_map(model: Any) -> dict[str, str]:
    """Return where a file has each variable: "blocks[0].kernel" → "blocks/dense/vars/0"."""
    paths = {id(v): path for path, v in walk(model)}
    found: dict[str, str] = {}
    for path, obj in saveables(model):
        if uses_default(obj) and not isinstance(obj, Optimizer):
            for i, v in enumerate(own_variables(obj)):
                if id(v) in paths:
                    found.setdefault(paths[id(v)], _place(path, str(i)))
    return found


def _place(path: str, key: str) -> str:
    return f"{path}/vars/{key}" if path else f"vars/{key}"


# ---- loading ----------------------------------------------------------------------------------


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Load the weights of a model, and the state of its optimizer.

    A model that is not built yet keeps them, and takes them when its weights are made: at the
    first call, or at `build`.

    Args:
        model: A model, or any layer.
        filepath: A `.weights.h5` or `.keras` file, of lamina or of Keras 3; or an `.h5` file of
            Keras 2, whose layers are matched by their order.
        skip_mismatch: Whether weights that are missing, too many or of another shape are left as
            they are, with a warning that lists them.
        **kwargs: `objects_to_skip`: layers, or the optimizer, to leave as they are.

    Raises:
        MissingFileError: there is no such file; a FileNotFoundError and a ValueError.
        ValueError: weights are missing, too many or of another shape, all listed, and none is
            changed; or the file is damaged, of another kind, or refers to data outside of it.
    """
    skip = _objects_to_skip("load_weights", kwargs)
    path = as_path(filepath, "load_weights")
    with _opened(path, "load_weights", model) as (groups, extra):
        places = places_for(model, extra)
        who = f"load_weights({str(path)!r})"
        load_into(model, groups, who, places, skip_mismatch=skip_mismatch, skip=skip)


@contextmanager
def _opened(path: Any, who: str, model: Any) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Open the weights in a file; yields (path of an object → its arrays, lamina's own notes)."""
    expected = "a .weights.h5 or .keras file"
    with open_existing(path, who, expected) as file:
        head = file.read(64)
        file.seek(0)
        name = f"{who}({str(path)!r})"
        if head.startswith(HDF5):
            with arrays(file, path.stat().st_size, name, model) as groups:
                yield groups, {}
        elif head.startswith(ZIP):
            with zipped.Archive(file, name) as archive:
                extra = archive.json("lamina.json") if "lamina.json" in archive else {}
                with (
                    archive.spooled("model.weights.h5") as (inner, size),
                    arrays(inner, size, name) as groups,
                ):
                    yield groups, extra
        else:
            raise ValueError(f"{name}: {expected} was expected; got {describe(head)}.")


@contextmanager
def arrays(file: Any, size: int, who: str, model: Any = None) -> Iterator[dict[str, Any]]:
    """Open an HDF5 file of weights; yields the path of an object → its arrays.

    Args:
        file: The open file.
        size: Its bytes.
        who: Its name, for messages.
        model: The model that a file of Keras 2 is for; None takes none of these.

    Raises:
        ValueError: it is no HDF5 file, damaged, of an older format that does not fit, or not to
            be trusted.
    """
    with hdf5.damage_explained(who, size):
        h5 = h5py.File(file, "r")
    with h5:
        with hdf5.damage_explained(who, size):
            groups = hdf5.read(h5, size, who)
            if older.is_older(h5):
                if model is None:
                    raise ValueError(
                        f"{who}: a file of Keras 3 was expected; got one of Keras 2's HDF5 format."
                        f"\n  Fix: load it with Keras 2 or 3, and save it as .keras."
                    )
                flat = {
                    f"{path}/{key}" if key else path: array
                    for path, store in groups.items()
                    for key, array in store.items()
                }
                groups = older.as_groups(h5, flat, model, who)
        yield groups


def places_for(model: Any, notes: Mapping[str, Any]) -> dict[str, str]:
    """Return lamina's map of attribute paths from a file, if it was made by the same class."""
    same = notes.get("model") == f"{type(model).__module__}.{type(model).__qualname__}"
    found = notes.get("weights") if same else None
    if not isinstance(found, dict):
        return {}
    return {k: v for k, v in found.items() if isinstance(v, str)}


def load_into(
    model: Any,
    groups: Mapping[str, Mapping[str, Any]],
    who: str,
    places: Mapping[str, str],
    *,
    skip_mismatch: bool = False,
    skip: frozenset[int] = frozenset(),
    strict_optimizer: bool = False,
) -> None:
    """Load weights now, or keep them until the model has weights.

    Args:
        model: The model.
        groups: Path of an object → key → array.
        who: The function and file, for messages.
        places: Attribute path → place in the file; empty to go by Keras' paths alone.
        skip_mismatch: Whether what does not fit is left, with a warning.
        skip: The ids of objects to leave as they are.
        strict_optimizer: Whether an optimizer's state that does not fit is an error.
    """
    load = functools.partial(
        _load_now,
        who=who,
        places=places,
        skip_mismatch=skip_mismatch,
        skip=skip,
        strict_optimizer=strict_optimizer,
    )
    if model.built:
        load(model, groups)
    elif groups:
        model.__dict__["_lm_deferred"] = functools.partial(load, groups=hdf5.in_memory(groups))


def _load_now(
    model: Any,
    groups: Mapping[str, Mapping[str, Any]],
    who: str,
    places: Mapping[str, str],
    skip_mismatch: bool,
    skip: frozenset[int],
    strict_optimizer: bool,
) -> None:
    plan = _Plan(model, groups, places, skip)
    wrong = plan.rows + (plan.optimizer_rows if strict_optimizer else [])
    if wrong and not skip_mismatch:
        raise ValueError(_message(who, model, wrong, plan.unbuilt()))
    if wrong or plan.optimizer_rows:
        warnings.warn(_warning(who, model, wrong or plan.optimizer_rows), UserWarning, stacklevel=5)
    plan.run(who, skip_mismatch)


# (place and variable, what the model has, what the file has)
_Row = tuple[str, str, str]


class _Plan:
    """What to load into which variable, and what does not fit.

    Args:
        model: The model.
        groups: Path of an object → key → array.
        places: Attribute path → place.
        skip: The ids of objects to leave as they are.
    """

    def __init__(
        self, model: Any, groups: Any, places: Mapping[str, str], skip: frozenset[int]
    ) -> None:
        self.model = model
        self.groups = groups
        self.stored = {_place(p, k): v for p, g in groups.items() for k, v in g.items()}
        self.rows: list[_Row] = []
        self.optimizer_rows: list[_Row] = []
        self.assignments: list[tuple[Any, Any]] = []
        self.custom: list[tuple[str, Any]] = []
        self.claimed: set[str] = set()
        self._paths = {id(v): path for path, v in walk(model)} if places else {}
        known = set(self._paths.values())
        self._places = {a: p for a, p in places.items() if a in known and p in self.stored}
        self._taken = set(self._places.values())
        left_out: list[str] = []
        for path, obj in saveables(model):
            if id(obj) in skip:
                left_out.append(path)
            if any(_is_below(path, p) for p in left_out):
                self.claimed |= {_place(path, k) for k in groups.get(path, ())}
            elif isinstance(obj, Optimizer):
                self._add_optimizer(path, obj)
            elif uses_default(obj):
                self._add(path, obj)
            else:
                self.custom.append((path, obj))
                self.claimed |= {_place(path, k) for k in groups.get(path, ())}
        self._add_extra()

    def _add(self, path: str, obj: Any) -> None:
        for i, v in enumerate(own_variables(obj)):
            place: str = _place(path, str(i))
            noted = self._places.get(self._paths.get(id(v), ""))
            if noted is not None:
                place = noted
            found = None if noted is None and place in self._taken else self.stored.get(place)
            if found is not None:
                self.claimed.add(place)
            if found is not None and _fits(v, found):
                self.assignments.append((v, found))
            else:
                self.rows.append((f"{place}  {_name(v)}", _kind(v), _kind(found)))

    def _add_optimizer(self, path: str, obj: Optimizer) -> None:
        stored = self.groups.get(path)
        if not stored:
            return
        self.claimed |= {_place(path, k) for k in stored}
        if not obj.built and self.model.built and obj is getattr(self.model, "optimizer", None):
            obj.build(self.model.trainable_weights)
        mine = own_variables(obj)
        rows = []
        for i in range(max(len(mine), len(stored))):
            v = mine[i] if i < len(mine) else None
            found = stored.get(str(i))
            if v is None or found is None or tuple(v.shape) != tuple(found.shape):
                rows.append((f"{_place(path, str(i))}  {_name(v)}", _kind(v), _kind(found)))
        if rows:
            self.optimizer_rows += rows
        else:
            self.custom.append((path, obj))

    def _add_extra(self) -> None:
        for place, found in self.stored.items():
            parts = place.split("/")
            other = parts[0] in _OTHER_STATE or "seed_generator" in parts
            if place in self.claimed or other:
                continue
            self.rows.append((place, "nothing", _kind(found)))

    def unbuilt(self) -> list[str]:
        """Return the layers that have no weights yet, though they may get some."""
        layers = self.model._flatten_layers() if isinstance(self.model, Layer) else []
        return [la.name for la in layers if not la.built]

    def run(self, who: str, skip_mismatch: bool) -> None:
        """Read all arrays, then assign them."""
        read = [(v, np.asarray(found)) for v, found in self.assignments]
        stores = [
            (path, obj, {k: np.asarray(v) for k, v in self.groups.get(path, {}).items()})
            for path, obj in self.custom
        ]
        before = [(v, v.numpy()) for v in self.model.variables] if stores else []
        rows: list[_Row] = []
        for path, obj, store in stores:
            try:
                obj.load_own_variables(store)
            except Exception as error:
                wanted = f"{type(obj).__name__}.load_own_variables"
                rows.append((path or "vars", wanted, f"{type(error).__name__}: {error}"))
        if rows and not skip_mismatch:
            for v, value in before:
                v.assign(value)
            raise ValueError(_message(who, self.model, rows, self.unbuilt()))
        if rows:
            warnings.warn(_warning(who, self.model, rows), UserWarning, stacklevel=6)
        for v, value in read:
            v.assign(value)


_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}


def _fits(variable: Any, found: Any) -> bool:
    """Return whether a stored array has the shape, and a dtype that converts without loss."""
    ranks = _RANK.get(found.dtype.kind, 9), _RANK.get(as_dtype(variable.dtype).np.kind, -1)
    return tuple(variable.shape) == tuple(found.shape) and ranks[0] <= ranks[1]


def _name(variable: Any) -> str:
    return "" if variable is None else str(getattr(variable, "path", variable.name))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"{as_dtype(value.dtype).name}{tuple(value.shape)}"


def _table(rows: list[_Row]) -> str:
    lines = [("weight", "model", "file"), *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(2)]
    return "\n".join(f"    {a:<{widths[0]}}  {b:<{widths[1]}}  {c}" for a, b, c in lines)


def _message(who: str, model: Any, rows: list[_Row], unbuilt: list[str]) -> str:
    fix = "load the file that belongs to this model, or pass skip_mismatch=True to load the rest."
    if unbuilt:
        fix = f"the layers {unbuilt[:8]} are not built: call the model on data first; or {fix}"
    return (
        f"{who}: the same weights as in {label(model)} were expected; {len(rows)} differ, and "
        f"nothing was changed.\n{_table(rows)}\n  Fix: {fix}"
    )


def _warning(who: str, model: Any, rows: list[_Row]) -> str:
    return (
        f"{who}: {len(rows)} weights do not fit {label(model)}; the model's own were kept:\n"
        f"{_table(rows)}"
    )
