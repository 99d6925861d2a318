"""State by attribute path: names of variables, and all values as plain nested dicts and lists."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from lamina.engine import Variable, as_dtype
from lamina.keras.core.checks import label
from lamina.keras.core.module import Module, children
from lamina.keras.naming import snake_case

__all__ = ["Loaded", "Stated", "described", "fits", "table", "variable_paths"]

_STEP = re.compile(r"""\[(?:"[^"]*"|'[^']*'|[^\]]*)\] | \{\d+\} | [^.\[\]{}]+""", re.VERBOSE)
_PLAIN_NAME = re.compile(r"[^.\[\]{}\"'*/]+")
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}

MISSING, EXTRA = "missing in {}", "not in the model"


class Loaded(NamedTuple):
    """What `load_state_dict` left: paths without a value, and values without a variable."""

    missing: list[str]
    unexpected: list[str]


class Stated(Module):
    """The part of a Layer that gives and takes its state by attribute path."""

    # Set by Layer.
    built: bool

    def named_variables(self) -> Iterator[tuple[str, Any]]:
        """Yield (attribute path, variable) for all variables, in the order of the attributes.

        A path is what one would write after `model.`: "blocks[0].kernel", "heads['a'].bias". The
        layers of functional and Sequential models go by their names, and by `layers[i]` if the
        name is a generated one.

        Example:
            >>> model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(1)])
            >>> [path for path, _ in model.named_variables()]
            ['layers[0].kernel', 'layers[0].bias']
        """
        for path, variable, _ in variable_paths(self):
            yield path, variable

    def state_dict(self) -> dict[str, Any]:
        """Return the values of all variables as nested dicts and lists of NumPy arrays.

        The keys are the names of attributes, and the keys of dicts; lists and tuples are lists,
        with `{}` for an item without variables. A variable that is held twice is there once.

        Example:
            >>> layer = tf.keras.layers.Dense(1, kernel_initializer="ones")
            >>> layer.build((None, 2))
            >>> layer.state_dict()["bias"]
            array([0.], dtype=float32)
        """
        root: dict[Any, Any] = {}
        for path, variable in self.named_variables():
            at = root
            *above, last = _steps(path)
            for step in above:
                at = at.setdefault(step, {})
            at[last] = variable.numpy()
        return _with_lists(root)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Loaded:
        """Set the values of variables from what `state_dict` gave.

        Args:
            state: Nested dicts and lists of arrays.
            strict: Whether values that are missing or have no variable are an error. Those of
                another shape, or of a dtype that would lose values, always are.

        Returns:
            The paths that are missing, and those without a variable: `(missing, unexpected)`.

        Raises:
            ValueError: values are missing, too many or do not fit; nothing is changed then.

        Example:
            >>> layer = tf.keras.layers.Dense(1)
            >>> layer.build((None, 2))
            >>> layer.load_state_dict({"bias": [1.0]}, strict=False)
            Loaded(missing=['kernel'], unexpected=[])
        """
        mine = {tuple(_steps(p)): (p, v) for p, v in self.named_variables()}
        given = dict(_leaves(state, ()))
        rows: list[tuple[str, ...]] = []
        missing: list[str] = []
        for key, (path, variable) in mine.items():
            value = given.get(key)
            if value is None:
                missing.append(path)
                status = MISSING.format("the state")
            else:
                status = fits(variable, value)
            if status and (strict or value is not None):
                rows.append((path, described(value), described(variable), status))
        unexpected = [_joined(key) for key in given if key not in mine]
        if strict:
            rows += [
                (_joined(k), described(v), "-", EXTRA) for k, v in given.items() if k not in mine
            ]
        if rows:
            raise ValueError(_message(self, rows))
        for key, (_, variable) in mine.items():
            if key in given:
                variable.assign(given[key])
        return Loaded(missing, unexpected)


def _message(layer: Any, rows: list[tuple[str, ...]]) -> str:
    fix = "load a state of this model, or pass strict=False to load what there is."
    if not layer.built:
        fix = "the layer is not built: call it on data first."
    return (
        f"{label(layer)}: load_state_dict needs a value for each variable, and no others; "
        f"{len(rows)} differ, and nothing was changed.\n"
        f"{table(('variable', 'state', 'model', 'status'), rows)}\n  Fix: {fix}"
    )


# ---- names of variables ------------------------------------------------------------------------


def variable_paths(root: Any) -> list[tuple[str, Any, bool]]:
    """Return (attribute path, variable, whether attributes alone lead to it) below a layer.

    Args:
        root: A layer or module. Of a layer, they are its `variables`: no metrics' state.
    """
    wanted = {id(v) for v in root.variables}
    found: list[tuple[str, Any, bool]] = []
    seen: set[int] = {id(root)}

    def below(obj: Any, prefix: str, exact: bool) -> None:
        for path, value, own in _members(obj):
            if id(value) in seen:
                continue
            seen.add(id(value))
            full = path if not prefix else prefix + (path if path[0] in "[{" else f".{path}")
            if not isinstance(value, Variable):
                below(value, full, exact and own)
            elif id(value) in wanted:
                found.append((full, value, exact and own))

    below(root, "", True)
    return found


def _members(obj: Any) -> Iterator[tuple[str, Any, bool]]:
    """Yield (path, value, whether it is an attribute's) for what an object holds directly."""
    attributes = [(p, v) for p, v in children(obj) if not p.startswith("graph_layers[")]
    for path, value in attributes:
        yield path, value, True
    known = {id(v) for _, v in attributes}
    used: dict[str, int] = {}
    for value in vars(obj).get("_lm_added", ()):  # made, and kept nowhere else
        if id(value) not in known:
            name = str(value.name).replace("/", "_")
            count = used[name] = used.get(name, -1) + 1
            yield (f"{name}_{count}" if count else name), value, True
    if vars(obj).get("graph_layers"):
        for i, layer in enumerate(obj.layers):
            generated = re.fullmatch(rf"{snake_case(type(layer).__name__)}(_\d+)?", layer.name)
            plain = _PLAIN_NAME.fullmatch(layer.name) and not hasattr(type(obj), layer.name)
            named = plain and not generated and layer.name not in vars(obj)
            if type(layer).__name__ == "Model":
                named = named and not re.fullmatch(r"(functional|model)(_\d+)?", layer.name)
            yield (layer.name if named else f"layers[{i}]"), layer, False


# ---- nested states -------------------------------------------------------------------------------


def _steps(path: str) -> list[Any]:
    """Return a path as keys: "a.b[0]['k']" is "a", "b", 0, "k"."""
    return [_key(step) for step in _STEP.findall(path)]


def _key(step: str) -> Any:
    if step[0] not in "[{":
        return step
    try:
        return ast.literal_eval(step[1:-1])
    except (ValueError, SyntaxError):
        return step[1:-1]


def _with_lists(node: Any) -> Any:
    """Return the same with dicts whose keys are indices as lists."""
    if not isinstance(node, dict):
        return node
    made = {key: _with_lists(value) for key, value in node.items()}
    indices = made and all(type(k) is int and 0 <= k < 4 * len(made) + 8 for k in made)
    if not indices:
        return made
    return [made.get(i, {}) for i in range(max(made) + 1)]


def _leaves(node: Any, prefix: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (keys, array) for each value of a nested state.

    A list is a container where it holds some, and else an array written as a list.
    """
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _leaves(value, (*prefix, key))
    elif isinstance(node, list | tuple) and any(
        isinstance(v, Mapping | list | tuple | np.ndarray) or hasattr(v, "numpy") for v in node
    ):
        for i, value in enumerate(node):
            yield from _leaves(value, (*prefix, i))
    elif node is not None:
        to_numpy = getattr(node, "numpy", None)
        yield prefix, np.asarray(node if to_numpy is None else to_numpy())


def _joined(keys: tuple[Any, ...]) -> str:
    text = ""
    for key in keys:
        if isinstance(key, str) and _PLAIN_NAME.fullmatch(key):
            text += f".{key}" if text else key
        else:
            text += f"[{key!r}]"
    return text


# ---- comparing and showing -----------------------------------------------------------------------


def fits(variable: Any, value: Any) -> str | None:
    """Return what keeps a value from a variable: its shape, or a dtype that loses values."""
    if tuple(variable.shape) != tuple(value.shape):
        return "shape differs"
    given = _RANK.get(value.dtype.kind, 9)
    return None if given <= _RANK.get(as_dtype(variable.dtype).np.kind, -1) else "dtype differs"


def described(value: Any) -> str:
    """Return the dtype and shape of a variable or array for a table; "-" for None."""
    return "-" if value is None else f"{as_dtype(value.dtype).name}{tuple(value.shape)}"


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return rows of text in aligned columns under a header, indented by four spaces."""
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "    " + "  ".join(f"{c:<{w}}" for c, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
