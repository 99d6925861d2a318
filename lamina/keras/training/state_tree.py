"""All variables of a model as a tree of dicts by path, and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from lamina.engine import convert_to_tensor
from lamina.keras.core.checks import label

__all__ = ["StateTree"]

_FORMATS = ("backend_tensor", "numpy_array")


class StateTree:
    """The part of a model that shows its variables as a tree."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Return the values of all variables as dicts in dicts, by the parts of their paths.

        Args:
            value_format: "backend_tensor" for Tensors, or "numpy_array".

        Returns:
            A dict with the trees "trainable_variables", "non_trainable_variables",
            "optimizer_variables" and "metrics_variables".

        Raises:
            ValueError: two variables have one path, or another format.

        Example:
            >>> dense = tf.keras.layers.Dense(2, use_bias=False, name="d")
            >>> model = tf.keras.Sequential([tf.keras.Input((3,)), dense], name="m")
            >>> tree = model.get_state_tree("numpy_array")
            >>> tree["trainable_variables"]["m"]["d"]["kernel"].shape
            (3, 2)
        """
        if value_format not in _FORMATS:
            raise ValueError(
                f"{label(self)}.get_state_tree: `value_format` must be one of {_FORMATS}; got "
                f"{value_format!r}."
            )
        return {
            kind: _tree(self, variables, value_format == "numpy_array")
            for kind, variables in _groups(self).items()
        }

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Assign to variables what `get_state_tree` gave; the others stay as they are.

        Args:
            state_tree: Trees of values by the four names that `get_state_tree` gives.

        Raises:
            ValueError: another name.
        """
        known = _groups(self)
        extra = [kind for kind in state_tree if kind not in known]
        if extra:
            raise ValueError(
                f"{label(self)}.set_state_tree: the trees {list(known)} were expected; got {extra}."
            )
        for kind, tree in state_tree.items():
            values = dict(_flat(tree))
            if kind == "optimizer_variables":
                self._make_slots(values)
            for variable in _groups(self)[kind]:
                if variable.path in values:
                    variable.assign(values[variable.path])

    def _make_slots(self, values: dict[str, Any]) -> None:
        """Make the optimizer's variables if the tree has values for them."""
        model: Any = self
        optimizer = model.optimizer
        if optimizer is not None and not optimizer.built and model.built:
            paths = {v.path for v in optimizer.variables}
            if any(path not in paths for path in values):
                optimizer.build(model.trainable_variables)


def _groups(model: Any) -> dict[str, list[Any]]:
    optimizer = getattr(model, "optimizer", None)
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": [] if optimizer is None else optimizer.variables,
        "metrics_variables": model.metrics_variables,
    }


def _tree(model: Any, variables: list[Any], as_numpy: bool) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    seen: set[str] = set()
    for variable in variables:
        path = variable.path
        if path in seen:
            raise ValueError(
                f"{label(model)}.get_state_tree: each variable must have a path of its own; two "
                f"have {path!r}.\n  Fix: give the layers different names."
            )
        seen.add(path)
        *above, last = path.split("/")
        place = tree
        for part in above:
            place = place.setdefault(part, {})
        place[last] = variable.numpy() if as_numpy else convert_to_tensor(variable)
    return tree


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}/")
        else:
            yield f"{above}{key}", value
