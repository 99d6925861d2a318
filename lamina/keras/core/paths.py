"""Attribute paths of layers, `encoder.blocks[3].attention`, and patterns that match them."""

import difflib
import fnmatch
import itertools
import re
from collections.abc import Iterator
from typing import Any

from lamina.keras.core.checks import label
from lamina.keras.core.layer import Layer
from lamina.keras.core.module import Module, children

__all__ = ["is_pattern", "match", "named_layers", "steps_of"]

_STEP = re.compile(
    r"""\*\* | [^.\[\]{}"']+ | \[\s*(?:\*|-?\d+|"[^"]*"|'[^']*')\s*\] | \{\d+\}""", re.VERBOSE
)
_SHOWN = 20


def match(root: Any, pattern: str) -> list[tuple[str, Any]]:
    """Return the (path, layer) pairs below a layer whose path fits a pattern, each layer once.

    A path is what one would write after `model.`: attributes, indices of lists and keys of
    dicts. The layers of functional and Sequential models go by their names, or by `layers[i]`.

    Args:
        root: The layer or module to look in.
        pattern: A path, in which `*` stands for any part of a name, `[*]` for any index or key,
            and `**` for any number of steps (at the end: at least one): `blocks[*].attention`,
            `**.dense*`, `heads["a"]`. A leading `model.` is left out.

    Returns:
        The layers in the order of their attributes, with their paths.

    Raises:
        ValueError: nothing fits; the message lists what there is.

    Example:
        >>> from lamina.keras.core import paths
        >>> model = tf.keras.Sequential(
        ...     [tf.keras.layers.Dense(2, name="first"), tf.keras.layers.ReLU(name="relu")]
        ... )
        >>> [path for path, _ in paths.match(model, "*")]
        ['first', 'relu']
    """
    steps = steps_of(root, pattern)
    found: dict[int, tuple[str, Any]] = {}
    for path, value in _matching(root, steps, "", set()):
        if value is not root:
            found.setdefault(id(value), (path, value))
    if not found:
        raise ValueError(_nothing_fits(root, pattern))
    return list(found.values())


def named_layers(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield (path, layer or module) for everything below `root`, each once.

    Like `walk`, without variables, and with the names that functional and Sequential models
    give to their layers.
    """
    seen = {id(root)}

    def below(obj: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for steps, value in _below(obj):
            if id(value) not in seen:
                seen.add(id(value))
                path = _joined(prefix, steps)
                yield path, value
                yield from below(value, path)

    return below(root, "")


def is_pattern(path: str) -> bool:
    """Return whether a path has wildcards, and may so match several layers."""
    return "*" in path


def steps_of(root: Any, pattern: str) -> tuple[str, ...]:
    """Return a path cut into steps: `blocks[3].attention` is "blocks", "[3]", "attention".

    Raises:
        ValueError: the text is not a path.
    """
    text = pattern.strip() if isinstance(pattern, str) else ""
    steps = tuple(_STEP.findall(text))
    if not steps or "".join(steps) != re.sub(r"\.(?=[^\[\]])(?![^\[]*\])", "", text):
        raise ValueError(
            f"{label(root)}: a path must look like 'encoder.blocks[3].attention', with `*`, "
            f"`[*]` and `**` as wildcards; got {pattern!r}."
        )
    if len(steps) > 1 and steps[0] == "model" and not hasattr(root, "model"):
        steps = steps[1:]
    return tuple(_canonical(step) for step in steps)


def _canonical(step: str) -> str:
    """Return a step with keys in the quotes that `repr` gives them, and no spaces."""
    if not step.startswith("["):
        return step
    inner = step[1:-1].strip()
    return f"[{inner[1:-1]!r}]" if inner[0] in "\"'" else f"[{inner}]"


def _joined(prefix: str, steps: tuple[str, ...]) -> str:
    text = prefix
    for step in steps:
        text += step if step[0] in "[{" or not text else f".{step}"
    return text


# ---- what lies below ----------------------------------------------------------------------------


def _below(obj: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield (steps, layer or module) for what an object holds directly, the first path of each."""
    seen: set[int] = set()
    for steps, value in _all_below(obj):
        if id(value) not in seen:
            seen.add(id(value))
            yield steps, value


def _all_below(obj: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    for path, value in children(obj):
        if not isinstance(value, Module) or _is_input(value):
            continue
        if path.startswith("graph_layers["):
            continue
        yield tuple(_canonical(s) for s in _STEP.findall(path)), value
    # Functional and Sequential models: the layers that they connect.
    named = [v for v in vars(obj).get("graph_layers") or () if not _is_input(v)]
    for value in named:
        name = value.name
        plain = re.fullmatch(r"[^.\[\]{}\"'*]+", name) is not None
        yield (name,) if plain else ("layers", f"[{name!r}]"), value


def _aliases(obj: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the further paths of a functional or Sequential model's layers: `layers[2]`."""
    if vars(obj).get("graph_layers"):
        for i, value in enumerate(obj.layers):
            yield ("layers", f"[{i}]"), value


def _is_input(value: Any) -> bool:
    return getattr(value, "batch_shape", None) is not None and type(value).__name__ == "InputLayer"


# ---- matching -----------------------------------------------------------------------------------


def _matching(
    obj: Any, steps: tuple[str, ...], prefix: str, entered: set[Any]
) -> Iterator[tuple[str, Any]]:
    """Yield (path, layer) below `obj`; `entered` holds what was searched, since paths may loop."""
    key = (id(obj), steps)
    if key in entered:
        return
    entered.add(key)
    for taken, value in itertools.chain(_all_below(obj), _aliases(obj)):
        path = _joined(prefix, taken)
        for rest in sorted(set(_rests(taken, steps))):
            if rest:
                yield from _matching(value, rest, path, entered)
            else:
                yield path, value


def _rests(taken: tuple[str, ...], steps: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield what is left of a pattern after the steps of a path; nothing if they do not fit."""
    if not taken:
        yield steps
    elif steps and steps[0] == "**":
        yield from _rests(taken[1:], steps)
        # At the end it stands for at least one step: `encoder.**` is what lies below.
        yield from _rests(taken[1:], ()) if len(steps) == 1 else _rests(taken, steps[1:])
    elif steps and _fits(taken[0], steps[0]):
        yield from _rests(taken[1:], steps[1:])


def _fits(step: str, wanted: str) -> bool:
    if wanted == "[*]":
        return step[0] in "[{"
    if wanted == step:
        return True
    return step[0] not in "[{" and "*" in wanted and fnmatch.fnmatchcase(step, wanted)


def _nothing_fits(root: Any, pattern: str) -> str:
    known = [path for path, _ in named_layers(root)]
    close = difflib.get_close_matches(pattern, known, n=3, cutoff=0.6)
    lines = [f"{label(root)}: no layer's path fits {pattern!r}."]
    if close:
        lines.append(f"  Did you mean: {', '.join(map(repr, close))}?")
    if not known:
        what = "is not built yet" if isinstance(root, Layer) and not root.built else "has none"
        lines.append(f"  It holds no layers: it {what}.")
    else:
        shown = known[:_SHOWN]
        more = f" … and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        lines.append(f"  Fix: take one of {', '.join(shown)}{more}; `**` matches any of them.")
    return "\n".join(lines)
