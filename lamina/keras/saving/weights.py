"""`.weights.h5`: the weights of a model in Keras' layout, and loading them: all of them or none."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.keras.core import Layer
from lamina.keras.core.checks import label
from lamina.keras.core.state import EXTRA, MISSING, described, fits, table, variable_paths
from lamina.keras.optimizers import Optimizer
from lamina.keras.saving import hdf5, older, orbax, shards, zipped
from lamina.keras.saving.files import HDF5, ZIP, as_path, describe, open_existing, replacing
from lamina.keras.saving.layout import own_variables, saveables, uses_default
from lamina.keras.saving.mapping import Mapped, propose
from lamina.late import late_module

if TYPE_CHECKING:
    import h5py
else:
    h5py = late_module("h5py")

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

    The file is in Keras 3's layout, and takes the place of an older one in one step. With
    `max_shard_size` the weights go into several files, and a table of them to `filepath`.

    Args:
        model: A model, or any layer, that is built.
        filepath: A path that ends in ".weights.h5", or in ".weights.json" for several files.
        overwrite: Whether an existing file is replaced.
        **kwargs: `objects_to_skip`: layers, or the optimizer, to leave out. `max_shard_size`: the
            largest size of a file's arrays, in GiB.

    Raises:
        ValueError: another ending; the model is not built; an array does not fit in a file; or
            the file exists and `overwrite` is False.

    Example:
        >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
        >>> folder = getfixture("tmp_path")
        >>> model.save_weights(folder / "m.weights.h5")
        >>> model.load_weights(folder / "m.weights.h5")
    """
    most = kwargs.pop("max_shard_size", None)
    skip = _objects_to_skip("save_weights", kwargs)
    path = as_path(filepath, "save_weights")
    if most is not None and path.name.endswith(_ENDING):
        path = path.with_name(path.name.removesuffix(_ENDING) + shards.ENDING)
        warnings.warn(
            f"save_weights: with `max_shard_size`, the table of the files is at {str(path)!r}.",
            UserWarning,
            stacklevel=3,
        )
    ending = _ENDING if most is None else shards.ENDING
    if not path.name.endswith(ending):
        raise ValueError(
            f"save_weights: `filepath` must end in {ending!r}; got {str(path)!r}.\n"
            f"  Fix: use {path.name.partition('.')[0] + ending!r}; or model.save(…) for the "
            f"whole model."
        )
    if not model.built:
        raise ValueError(
            f"save_weights: a built model was expected; {label(model)} has no weights yet.\n"
            f"  Fix: call it on data, or model.build(input_shape), first."
        )
    check_overwrite(path, overwrite, "save_weights")
    if most is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with shards.Writer(path, most) as writer:
            _write(model, writer, skip)
        return
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
        _write(model, writer, skip)


def _write(model: Any, writer: hdf5.Writer | shards.Writer, skip: frozenset[int]) -> None:
    writer.note({"weights": attribute_map(model)})
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
    """Return where a file has each variable: "blocks[0].kernel" → "blocks/dense/vars/0".

    Variables in the graph of a functional model are left out: Keras' places are exact there, and
    generated names are not.
    """
    paths = {id(v): path for path, v, exact in variable_paths(model) if exact}
    places = _places(model)
    return {path: places[i] for i, path in paths.items() if i in places}


def _places(model: Any) -> dict[int, str]:
    """Return the place of each variable that is stored by its number: id → place."""
    found: dict[int, str] = {}
    for path, obj in saveables(model):
        if uses_default(obj) and not isinstance(obj, Optimizer):
            for i, v in enumerate(own_variables(obj)):
                found.setdefault(id(v), _place(path, str(i)))
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
        filepath: A `.weights.h5`, `.weights.json` or `.keras` file, of lamina or of Keras 3, or
            the folder of a model; or an `.h5` file of Keras 2, whose layers are matched by their
            order; or the folder of `OrbaxCheckpoint`, of which the last step counts.
        skip_mismatch: Whether weights that are missing, too many or of another shape are left as
            they are, with a warning that lists them.
        **kwargs: `objects_to_skip`: layers, or the optimizer, to leave as they are. `mapping`, for
            a model that changed since: path in the file → path in the model, of weights or of
            layers, which stand for all below. `{"qkv.kernel": ("q.kernel", "k.kernel")}` splits
            an array along its last axis, and the other way round joins some. What it does not
            name loads as without it. An error about weights that do not fit proposes one.

    Raises:
        MissingFileError: there is no such file; a FileNotFoundError and a ValueError.
        ValueError: weights are missing, too many or of another shape, all listed, and none is
            changed; or `mapping` names what there is not; or the file is damaged, of another
            kind, or refers to data outside of it.
    """
    mapping = kwargs.pop("mapping", None)
    skip = _objects_to_skip("load_weights", kwargs)
    path = as_path(filepath, "load_weights")
    step = orbax.step_of(path)
    if step is not None:
        if mapping or skip or skip_mismatch:
            raise ValueError(
                f"load_weights({str(path)!r}): a checkpoint of Orbax is loaded as a whole; got "
                f"`mapping`, `objects_to_skip` or `skip_mismatch`.\n  Fix: leave them out."
            )
        orbax.restore(model, step)
        return
    with _opened(path, "load_weights", model) as (groups, places):
        who = f"load_weights({str(path)!r})"
        load_into(
            model, groups, who, places, skip_mismatch=skip_mismatch, skip=skip, mapping=mapping
        )


@contextmanager
def _opened(path: Any, who: str, model: Any) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Open the weights in a file; yields what `arrays` does."""
    expected = "a .weights.h5 or .keras file"
    if path.name.endswith(shards.ENDING):
        with shards.opened(path, who, arrays) as found:
            yield found
        return
    if (path / "model.weights.h5").is_file():  # a model saved with zipped=False
        path = path / "model.weights.h5"
    with open_existing(path, who, expected) as file:
        head = file.read(64)
        file.seek(0)
        name = f"{who}({str(path)!r})"
        if head.startswith(HDF5):
            with arrays(file, path.stat().st_size, name, model) as found:
                yield found
        elif head.startswith(ZIP):
            with (
                zipped.Archive(file, name) as archive,
                archive.spooled("model.weights.h5") as (inner, size),
                arrays(inner, size, name) as found,
            ):
                yield found
        else:
            raise ValueError(f"{name}: {expected} was expected; got {describe(head)}.")


@contextmanager
def arrays(
    file: Any, size: int, who: str, model: Any = None
) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Open an HDF5 file of weights.

    Yields:
        Path of an object → its arrays; and lamina's map of attribute paths to places, empty if
        another program wrote the file.

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
            found = hdf5.notes(h5, who).get("weights")
            places = found if isinstance(found, dict) else {}
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
        yield groups, {k: v for k, v in places.items() if isinstance(v, str)}


def load_into(
    model: Any,
    groups: Mapping[str, Mapping[str, Any]],
    who: str,
    places: Mapping[str, str],
    *,
    skip_mismatch: bool = False,
    skip: frozenset[int] = frozenset(),
    strict_optimizer: bool = False,
    mapping: Mapping[Any, Any] | None = None,
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
        mapping: As for `load_weights`.
    """
    load = functools.partial(
        _load_now,
        who=who,
        places=places,
        skip_mismatch=skip_mismatch,
        skip=skip,
        strict_optimizer=strict_optimizer,
        mapping=mapping or {},
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
    mapping: Mapping[Any, Any],
) -> None:
    plan = _Plan(model, groups, who, places, skip, mapping)
    wrong = plan.rows + (plan.optimizer_rows if strict_optimizer else [])
    if wrong and not skip_mismatch:
        raise ValueError(_message(who, model, wrong, plan.unbuilt(), plan.proposal()))
    if wrong or plan.optimizer_rows:
        warnings.warn(_warning(who, model, wrong or plan.optimizer_rows), UserWarning, stacklevel=5)
    plan.run(who, skip_mismatch)


# (path in the model or the file, what the file has, what the model has, status, place in the file)
_Row = tuple[str, str, str, str, str]
_HEADER = ("weight", "file", "model", "status", "place in the file")


class _Plan:
    """What to load into which variable, and what does not fit.

    Args:
        model: The model.
        groups: Path of an object → key → array.
        who: The function and file, for messages.
        places: Attribute path → place.
        skip: The ids of objects to leave as they are.
        mapping: As for `load_weights`.
    """

    def __init__(
        self,
        model: Any,
        groups: Any,
        who: str,
        places: Mapping[str, str],
        skip: frozenset[int],
        mapping: Mapping[Any, Any],
    ) -> None:
        self.model = model
        self.groups = groups
        self.stored = {_place(p, k): v for p, g in groups.items() for k, v in g.items()}
        self.rows: list[_Row] = []
        self.optimizer_rows: list[_Row] = []
        self.assignments: list[tuple[Any, Any]] = []
        self.custom: list[tuple[str, Any]] = []
        self.claimed: set[str] = set()
        self._met: set[int] = set()  # ids of variables
        self.missing: list[tuple[str, tuple[int, ...]]] = []
        self.extra: list[tuple[str, tuple[int, ...]]] = []
        found = variable_paths(model) if hasattr(model, "variables") else []
        self._paths = {id(v): path for path, v, _ in found}
        self._places = {a: p for a, p in places.items() if p in self.stored}
        self._origins = {p: a for a, p in self._places.items()}
        self._mapped = self._read_mapping(who, mapping)
        left_out: list[str] = []
        for path, obj in saveables(model):
            if id(obj) in skip:
                left_out.append(path)
            if any(_is_below(path, p) for p in left_out):
                self._leave(path, obj)
            elif isinstance(obj, Optimizer):
                self._add_optimizer(path, obj)
            elif uses_default(obj):
                self._add(path, obj)
            else:
                self.custom.append((path, obj))
                self.claimed |= {_place(path, k) for k in groups.get(path, ())}
        self._add_extra()

    def _read_mapping(self, who: str, mapping: Mapping[Any, Any]) -> Mapped | None:
        if not mapping:
            return None
        variables = {id(v): v for v in self.model.variables}
        places = _places(self.model).items()
        targets = {place: variables[i] for i, place in places if i in variables}
        targets |= {path: variables[i] for i, path in self._paths.items()}
        found = Mapped(mapping, self.model, who, self.stored, self._origins, targets)
        self.claimed |= found.used
        return found

    def _leave(self, path: str, obj: Any) -> None:
        """Note that what the file has for an object is known, and stays there."""
        self.claimed |= {_place(path, k) for k in self.groups.get(path, ())}
        if not isinstance(obj, Optimizer):
            known = [self._places.get(self._paths.get(id(v), "")) for v in own_variables(obj)]
            self.claimed |= {place for place in known if place is not None}

    def _add(self, path: str, obj: Any) -> None:
        for i, v in enumerate(own_variables(obj)):
            own = _place(path, str(i))
            place, found = self._find(v, own)
            shared = id(v) in self._met
            self._met.add(id(v))
            if found is not None and place:
                self.claimed.add(place)
                if shared and own not in self._origins:
                    self.claimed.add(own)  # a shared weight is written in each of its objects
            elif found is None and getattr(type(obj), "_tracked_as", "") == "seed":
                continue  # files of before have none, and Keras' only some
            status = MISSING.format("the file") if found is None else fits(v, found)
            if status is None:
                self.assignments.append((v, found))
                continue
            name = self._paths.get(id(v), place or _place(path, str(i)))
            self.rows.append((name, described(found), described(v), status, place or "-"))
            if found is None:
                self.missing.append((name, tuple(v.shape)))

    def _find(self, variable: Any, place: str) -> tuple[str, Any]:
        """Return (place, array) for a variable, by the mapping, its path, or Keras' place."""
        if self._mapped is not None:
            value = self._mapped.values.get(id(variable))
            if value is not None:
                return "", value
        noted = self._places.get(self._paths.get(id(variable), ""))
        if noted is None and place in self._origins:
            return "", None  # of another attribute: the same class name in a list, say
        place = noted or place
        found = None if place in self._used() else self.stored.get(place)
        return (place if found is not None else ""), found

    def _used(self) -> set[str]:
        return set() if self._mapped is None else self._mapped.used

    def _add_optimizer(self, path: str, obj: Optimizer) -> None:
        stored = self.groups.get(path)
        if not stored:
            return
        self.claimed |= {_place(path, k) for k in stored}
        if not obj.built and self.model.built and obj is getattr(self.model, "optimizer", None):
            obj.build(self.model.trainable_weights)
        mine = own_variables(obj)
        if len(stored) < len(mine) and len(stored) == _count_unbuilt(obj):
            mine = mine[: len(stored)]  # saved before its first step, without slots
            fits_all = all(
                str(i) in stored and fits(v, stored[str(i)]) is None for i, v in enumerate(mine)
            )
            if fits_all:
                self.assignments += [(v, stored[str(i)]) for i, v in enumerate(mine)]
                return
        rows = []
        for i in range(max(len(mine), len(stored))):
            v = mine[i] if i < len(mine) else None
            found = stored.get(str(i))
            if v is None or found is None or tuple(v.shape) != tuple(found.shape):
                place = _place(path, str(i))
                name = _name(v) or place
                rows.append((name, described(found), described(v), _status(v, found), place))
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
            name = self._origins.get(place, place)
            self.rows.append((name, described(found), "-", EXTRA, place))
            self.extra.append((name, tuple(found.shape)))

    def proposal(self) -> str:
        """Return what mapping may make the rest fit, as text."""
        known = [self._origins.get(place, place) for place in self.claimed]
        order = {path: i for i, path in enumerate(self._paths.values())}
        missing = sorted(self.missing, key=lambda pair: order.get(pair[0], len(order)))
        return str(propose(self.extra, missing, known))

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
                detail = f"{type(error).__name__}: {error}"
                rows.append((path or "vars", "-", wanted, detail, path))
        if rows and not skip_mismatch:
            for v, value in before:
                v.assign(value)
            raise ValueError(_message(who, self.model, rows, self.unbuilt(), ""))
        if rows:
            warnings.warn(_warning(who, self.model, rows), UserWarning, stacklevel=6)
        for v, value in read:
            v.assign(value)


def _count_unbuilt(optimizer: Optimizer) -> int:
    """Return how many variables an optimizer has before it is built."""
    return len(own_variables(type(optimizer).from_config(optimizer.get_config())))


def _status(variable: Any, found: Any) -> str:
    if variable is None:
        return EXTRA
    return MISSING.format("the file") if found is None else str(fits(variable, found) or "fits")


def _name(variable: Any) -> str:
    return "" if variable is None else str(getattr(variable, "path", variable.name))


def _message(who: str, model: Any, rows: list[_Row], unbuilt: list[str], proposal: str) -> str:
    fix = "load the file that belongs to this model, or pass skip_mismatch=True to load the rest."
    if unbuilt:
        fix = f"the layers {unbuilt[:8]} are not built: call the model on data first; or {fix}"
    proposal = f"{proposal}\n" if proposal else ""
    return (
        f"{who}: the same weights as in {label(model)} were expected; {len(rows)} differ, and "
        f"nothing was changed.\n{table(_HEADER, rows)}\n{proposal}  Fix: {fix}"
    )


def _warning(who: str, model: Any, rows: list[_Row]) -> str:
    return (
        f"{who}: {len(rows)} weights do not fit {label(model)}; the model's own were kept:\n"
        f"{table(_HEADER, rows)}"
    )
