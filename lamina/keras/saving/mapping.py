"""Weights of a refactored model: renamed, moved, split and joined ones, as a mapping says."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina.keras.core.checks import label

__all__ = ["Mapped", "Proposal", "propose"]

_SHOWN = 12


class Mapped:
    """What a mapping says about a file and a model.

    Args:
        mapping: Path in the file → path in the model. A path may name a layer, and stands for
            all below it. A tuple of paths in the model splits an array along its last axis; a
            tuple of paths in the file joins arrays along it.
        model: The model, for messages.
        who: The function and file, for messages.
        stored: Place in the file → array.
        origins: Place in the file → attribute path when it was saved, where it is known.
        targets: Path of a variable in the model → variable; a variable may have several.

    Attributes:
        values: id of a variable → its array.
        used: The places in the file that the mapping takes.

    Raises:
        TypeError: a key or value is no path.
        ValueError: a path is neither in the file nor in the model, or two entries claim the same
            variable, or sizes do not add up.
    """

    def __init__(
        self,
        mapping: Mapping[Any, Any],
        model: Any,
        who: str,
        stored: Mapping[str, Any],
        origins: Mapping[str, str],
        targets: Mapping[str, Any],
    ) -> None:
        self.model, self.who = model, who
        self.values: dict[int, Any] = {}
        self.used: set[str] = set()
        self._stored, self._targets = stored, targets
        self._sources = {origins.get(place, place): place for place in stored}
        for old, new in mapping.items():
            if isinstance(old, str) and isinstance(new, str):
                self._rename(old, new)
            elif isinstance(old, str) and _are_paths(new):
                self._split(old, new)
            elif isinstance(new, str) and _are_paths(old):
                self._join(old, new)
            else:
                raise TypeError(
                    f"{who}: `mapping` needs a path, or a tuple of paths on one side; got "
                    f"{old!r}: {new!r}.\n"
                    f"  Fix: {{'old.path': 'new.path', 'qkv.kernel': ('q.kernel', 'k.kernel')}}."
                )

    def _rename(self, old: str, new: str) -> None:
        below = [(p, rest) for p in self._sources if (rest := _rest(p, old)) is not None]
        if not below:
            raise ValueError(self._unknown("the file", old, self._sources))
        known = [(p, t) for p, rest in below if (t := self._target(new, rest)) is not None]
        if not known:
            raise ValueError(self._unknown(label(self.model), new, self._targets))
        for path, variable in known:
            self._set(variable, self._sources[path], self._stored[self._sources[path]], new)

    def _target(self, new: str, rest: str) -> Any:
        full = new + rest if new else rest.lstrip("./")
        found = self._targets.get(full)
        return self._targets.get(full.replace(".", "/")) if found is None else found

    def _split(self, old: str, new: Sequence[str]) -> None:
        place = self._source(old)
        array = np.asarray(self._stored[place])
        variables = [self._variable(path) for path in new]
        sizes = [int(v.shape[-1]) if len(v.shape) else 1 for v in variables]
        if array.ndim == 0 or sum(sizes) != array.shape[-1]:
            raise ValueError(
                f"{self.who}: the last axes of {list(new)} must add up to that of {old!r}, "
                f"of shape {array.shape}; got {sizes}."
            )
        parts = np.split(array, np.cumsum(sizes)[:-1], axis=-1)
        for path, variable, part in zip(new, variables, parts, strict=True):
            self._set(variable, place, part, path)

    def _join(self, old: Sequence[str], new: str) -> None:
        places = [self._source(path) for path in old]
        arrays = [np.asarray(self._stored[place]) for place in places]
        try:
            joined = np.concatenate(arrays, axis=-1)
        except ValueError:
            raise ValueError(
                f"{self.who}: the arrays {list(old)} must be alike but for their last axis to "
                f"make {new!r}; got shapes {[a.shape for a in arrays]}."
            ) from None
        self.used |= set(places)
        self._set(self._variable(new), places[0], joined, new)

    def _source(self, path: str) -> str:
        if path in self._stored:
            return path
        if path not in self._sources:
            raise ValueError(self._unknown("the file", path, self._sources))
        return self._sources[path]

    def _variable(self, path: str) -> Any:
        if path not in self._targets:
            raise ValueError(self._unknown(label(self.model), path, self._targets))
        return self._targets[path]

    def _set(self, variable: Any, place: str, value: Any, path: str) -> None:
        self.used.add(place)
        if self.values.setdefault(id(variable), value) is not value:
            raise ValueError(
                f"{self.who}: `mapping` must name each variable once; got two arrays for {path!r}."
            )

    def _unknown(self, where: str, path: str, known: Iterable[str]) -> str:
        found = [p for p in known if "/" not in p] or list(known)
        near = difflib.get_close_matches(path, found, n=3, cutoff=0.5) or found[:_SHOWN]
        return (
            f"{self.who}: `mapping` names {path!r}, which is not in {where}.\n"
            f"  Fix: take one of {', '.join(map(repr, near))}."
        )


def _are_paths(value: Any) -> bool:
    return (
        isinstance(value, tuple | list) and bool(value) and all(isinstance(v, str) for v in value)
    )


def _rest(path: str, prefix: str) -> str | None:
    """Return what follows a prefix that ends where a step of the path does; None if none does."""
    if not path.startswith(prefix):
        return None
    rest = path[len(prefix) :]
    return rest if not rest or not prefix or rest[0] in ".[/{" else None


# ---- proposals -----------------------------------------------------------------------------------

_Named = Sequence[tuple[str, tuple[int, ...]]]  # (path, shape) pairs


class Proposal:
    """Which arrays of a file may belong to which variables without one.

    Args:
        mapping: The clear ones: path in the file → path in the model.
        unclear: For the others, a line each: what they may be.
    """

    def __init__(self, mapping: dict[str, str], unclear: list[str]) -> None:
        self.mapping = mapping
        self.unclear = unclear

    def __str__(self) -> str:
        """Return the proposal as text to paste, "" if there is none."""
        lines = []
        if self.mapping:
            lines.append("  If they were renamed or moved, pass:")
            inner = "".join(
                f"        {_quoted(a)}: {_quoted(b)},\n" for a, b in self.mapping.items()
            )
            lines.append(f"    mapping={{\n{inner}    }}")
        if self.unclear:
            lines.append("  Not clear, so not proposed:")
            lines += [f"    {line}" for line in self.unclear[:_SHOWN]]
            if len(self.unclear) > _SHOWN:
                lines.append(f"    … and {len(self.unclear) - _SHOWN} more")
        return "\n".join(lines)


def _quoted(path: str) -> str:
    return f'"{path}"' if '"' not in path and "\\" not in path else repr(path)


def propose(extra: _Named, missing: _Named, others: Iterable[str] = ()) -> Proposal:
    """Pair arrays without a variable and variables without an array, where only one way fits.

    Shapes must be equal; names decide only between several of one shape, if one is clearly
    nearer. Nothing is loaded by it.

    Args:
        extra: The arrays: path and shape.
        missing: The variables: path and shape.
        others: Paths in the file of arrays that found their variable.
    """
    shapes_of = dict(missing)
    candidates = {p: _alike(p, s, shapes_of) for p, s in extra}
    pairs: dict[str, str] = {}
    _pair_unique(candidates, pairs)
    _pair_siblings(candidates, pairs)
    _pair_nearest(candidates, pairs)
    _pair_siblings(candidates, pairs)
    taken = set(pairs.values())
    unclear = []
    for path, shape in extra:
        left = [m for m in candidates[path] if m not in taken]
        if path in pairs:
            continue
        if left:
            unclear.append(f"{path} {shape} may be {' or '.join(left[:6])}")
        else:
            parts = _parts(path, shape, [(p, s) for p, s in missing if p not in taken])
            if parts:
                unclear.append(f"{path} {shape} may be split: {{{path!r}: {parts!r}}}")
    return Proposal(_shortened(pairs, [p for p, _ in extra], others), unclear)


def _leaf(path: str) -> str:
    return re.split(r"[./\[]", path)[-1]


def _parent(path: str) -> str:
    return path[: len(path) - len(_leaf(path))]


def _alike(path: str, shape: Any, shapes_of: Mapping[str, Any]) -> list[str]:
    same = [p for p, s in shapes_of.items() if s == shape]
    return [p for p in same if _leaf(p) == _leaf(path)] or same


def _free(path: str, candidates: Mapping[str, list[str]], pairs: Mapping[str, str]) -> list[str]:
    taken = set(pairs.values())
    return [m for m in candidates[path] if m not in taken]


def _pair_unique(candidates: Mapping[str, list[str]], pairs: dict[str, str]) -> None:
    wanted: dict[str, int] = {}
    for found in candidates.values():
        for m in found:
            wanted[m] = wanted.get(m, 0) + 1
    for path, found in candidates.items():
        if len(found) == 1 and wanted[found[0]] == 1:
            pairs[path] = found[0]


def _pair_siblings(candidates: Mapping[str, list[str]], pairs: dict[str, str]) -> None:
    """Pair what stands beside a pair: the bias beside the kernel."""
    parents = {_parent(a): _parent(b) for a, b in pairs.items()}
    for path in candidates:
        if path in pairs or _parent(path) not in parents:
            continue
        beside = [m for m in _free(path, candidates, pairs) if _parent(m) == parents[_parent(path)]]
        if len(beside) == 1 and (_leaf(beside[0]) == _leaf(path)):
            pairs[path] = beside[0]


def _pair_nearest(candidates: Mapping[str, list[str]], pairs: dict[str, str]) -> None:
    """Pair names that are each other's nearest by a clear margin."""
    near = {p: _clearly_best(p, _free(p, candidates, pairs)) for p in candidates if p not in pairs}
    found = {}
    for path, best in near.items():
        if best is not None:
            back = [p for p in near if best in _free(p, candidates, pairs)]
            if _clearly_best(best, back) == path:
                found[path] = best
    pairs |= found


def _clearly_best(path: str, among: list[str]) -> str | None:
    ratios = sorted((difflib.SequenceMatcher(None, path, m).ratio(), m) for m in among)
    if not ratios or ratios[-1][0] < 0.6:
        return None
    if len(ratios) > 1 and ratios[-1][0] - ratios[-2][0] < 0.1:
        return None
    return ratios[-1][1]


def _parts(path: str, shape: Any, missing: _Named) -> tuple[str, ...]:
    """Return variables that an array may be split into: alike but for the last axis."""
    if not shape:
        return ()
    fit = [
        (p, s) for p, s in missing if _leaf(p) == _leaf(path) and len(s) and s[:-1] == shape[:-1]
    ]
    total = sum(s[-1] for _, s in fit)
    return tuple(p for p, _ in fit) if len(fit) > 1 and total == shape[-1] else ()


def _shortened(
    pairs: Mapping[str, str], extra: Sequence[str], others: Iterable[str]
) -> dict[str, str]:
    """Return pairs of layers in place of pairs of weights, where they say the same."""
    known = [*extra, *others]
    found: dict[str, str] = {}
    for old, new in pairs.items():
        for a, b in _without_common_ends(old, new):
            below = [p for p in known if _rest(p, a) is not None]
            if all(pairs.get(p) == b + str(_rest(p, a)) for p in below):
                found[a] = b
                break
    return found


def _without_common_ends(old: str, new: str) -> list[tuple[str, str]]:
    """Return two paths without the steps at the end that both have, the shortest first."""
    a = re.findall(r"[./]?[^./\[]+|\[[^\]]*\]", old)
    b = re.findall(r"[./]?[^./\[]+|\[[^\]]*\]", new)
    found = [(old, new)]
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        a.pop()
        b.pop()
        found.insert(0, ("".join(a), "".join(b)))
    return found
