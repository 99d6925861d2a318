"""Variables of several replicas: how their copies become one, and where they lie."""

from typing import Any, NamedTuple

import jax
import numpy as np
from jax.experimental.multihost_utils import broadcast_one_to_all
from jax.sharding import NamedSharding, PartitionSpec

from lamina.engine import Tensor, Variable, init_scope
from lamina.engine.variable import creation_hooks

__all__ = ["Kind", "kind_of", "part_of", "watch_creation"]


class Kind(NamedTuple):
    """How replicas' assignments to a variable become one value."""

    how: str  # "none", "sum", "mean" or "only_first_replica"
    on_read: bool  # whether each replica keeps its own until somebody outside reads


def kind_of(variable: Any) -> Kind:
    """Return how a variable is aggregated, from its TF or Keras arguments."""
    found = variable.__dict__.get("_lm_kind")
    if found is None:
        how = _name(variable.aggregation)
        on_read = _name(variable.synchronization) == "on_read" and how in ("sum", "mean")
        found = variable.__dict__["_lm_kind"] = Kind(how, on_read)
    return found


def _name(value: Any) -> str:
    return "none" if value is None else str(getattr(value, "name", value)).lower()


def part_of(variable: Any, count: int) -> Variable:
    """Return the variable that holds each replica's own value of another: ``(count, …)``."""
    found = variable.__dict__.get("_lm_parts")
    if found is None or found.shape[0] != count:
        with init_scope():
            zeros = np.zeros((count, *variable.shape), variable._dtype.np)
            found = Variable(zeros, trainable=False, name="parts")
        variable.__dict__["_lm_parts"] = found
    return found


_watching: list[Any] = []


def watch_creation(mesh_of: Any) -> None:
    """Have variables that are made under a strategy put on its devices.

    Args:
        mesh_of: Returns the mesh of the strategy that holds now, or None.
    """
    if _watching:
        return

    def place(variable: Any) -> None:
        mesh = mesh_of()
        tensor = variable._tensor
        if mesh is None or tensor is None or tensor.dtype.name == "string":
            return
        with jax.enable_x64(True):
            start = tensor._jax()
            if mesh.is_multi_process:  # what the workers drew differs: the first one's holds
                start = broadcast_one_to_all(np.asarray(start))
            value = jax.device_put(start, NamedSharding(mesh, PartitionSpec()))
        variable._tensor = Tensor(tensor._type, None, 0, value)
        variable.__dict__["_mirrored"] = True

    _watching.append(place)
    creation_hooks.append(place)
