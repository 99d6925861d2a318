"""Attributes that change between steps: a program traced before must not go on with the old ones.

A layer's attributes are constants of the programs that read them. When one changes, the programs
are traced anew; a float that changes becomes an input of theirs, so that annealing it compiles a
step once more, and not at each change.
"""

from typing import Any

import numpy as np

from lamina.demand import missing_member
from lamina.engine import LiftedFloat, Quantity, Tensor, local, versions

__all__ = ["forget", "lowered", "note_change", "read"]


def _is_float(value: Any) -> bool:
    return type(value) is float or isinstance(value, np.floating)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) or isinstance(value, np.floating | np.integer)


def note_change(layer: Any, name: str, value: Any) -> bool:
    """Take note of an attribute of a built layer that gets another value.

    Args:
        layer: The layer.
        name: The attribute; it has a value.
        value: The new value.

    Returns:
        Whether the value is kept here; else the layer keeps it as usual.
    """
    own = layer.__dict__
    if type(value) is LiftedFloat:  # set while tracing: Python's own effect, at that time
        own[name] = value._as_number()
        return True
    if not local.trace.eager or name.startswith("_lm_") or name in layer._lm_untraced:
        return False
    lifted: dict[str, Quantity] = own.get("_lm_lifted", {})
    quantity = lifted.get(name)
    if quantity is not None:
        if _is_float(value):
            if value != quantity.value:
                quantity.change(float(value))
            return True
        del lifted[name]
    elif _is_same(own[name], value):
        return False
    elif _is_float(value) and _is_number(own[name]):
        own.setdefault("_lm_lifted", {})[name] = Quantity(float(value))
        del own[name]
        versions.structure += 1
        return True
    versions.structure += 1
    return False


def _is_same(before: Any, value: Any) -> bool:
    """Return whether programs that read the value of before may go on."""
    if isinstance(before, Tensor):
        return not before.__dict__.get("_captured")  # no program holds it
    if _is_number(value) or isinstance(value, bool | str | bytes | type(None)):
        return type(before) is type(value) and before == value
    return before is value


def read(layer: Any, name: str) -> Any:
    """Return an attribute that is not among the layer's own.

    Raises:
        AttributeError: there is none of this name.
    """
    quantity = layer.__dict__.get("_lm_lifted", {}).get(name)
    if quantity is None and "_lm_ready" not in layer.__dict__:
        kind = type(layer).__name__
        raise AttributeError(
            f"{kind!r} object has no attribute {name!r}: `super().__init__()` was not called.\n"
            f"  Fix: call it in `{kind}.__init__`, before anything else."
        )
    if quantity is None:
        return missing_member(layer, name, "Layer")
    return quantity.read()


def forget(layer: Any, name: str) -> bool:
    """Delete an attribute kept here, and return whether there was one."""
    if layer.__dict__.get("_lm_lifted", {}).pop(name, None) is None:
        return False
    versions.structure += 1
    return True


def lowered(state: dict[str, Any]) -> dict[str, Any]:
    """Return a layer's attributes with the floats kept here among them as floats."""
    lifted = state.pop("_lm_lifted", {})
    return state | {name: quantity.value for name, quantity in lifted.items()}
