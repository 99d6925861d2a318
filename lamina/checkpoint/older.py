# pyright: reportPrivateUsage=false
"""Checkpoints of Keras 2, that is of TensorFlow 2.0–2.15: what they call layers and slots.

They are read, not written. Layers of functional and sequential models are numbered twice there:
all of them, and those with weights. Optimizers keep a list for each kind of slot.
"""

from itertools import chain
from typing import Any

from lamina.checkpoint.edges import Group, edges
from lamina.checkpoint.graph import SavedNode
from lamina.engine.identity import identity
from lamina.keras import optimizers
from lamina.keras.models import Model

__all__ = ["edges_to_pair"]

# Slot here: the lists of Keras 2.
_LISTS = {
    "accumulated_delta_var": ("_accumulated_delta_vars",),
    "accumulated_grad": ("_accumulated_grads",),
    "accumulator": ("_accumulators",),
    "average_gradient": ("_average_gradients",),
    "linear": ("_linears",),
    "momentum": ("_momentums", "momentums", "_m"),
    "norm": ("_u",),
    "velocity": ("_velocities",),
    "velocity_hat": ("_velocity_hats",),
}
_BY_PLACE = ("_variables", "_trainable_variables")


def edges_to_pair(obj: Any, node: SavedNode) -> list[tuple[str, Any]]:
    """Return (name, object) for what an object holds, by the names of a checkpoint's node.

    Args:
        obj: The object of the program.
        node: That of the checkpoint.
    """
    found = edges(obj)
    if isinstance(obj, Model) and "layer-0" in node.children:
        return found + _numbered_layers(obj)
    if isinstance(obj, optimizers.Optimizer) and "_index_dict" in node.children:
        # The places in `_variables` are others: there, the learning rate is none of them.
        return [pair for pair in found if pair[0] not in _BY_PLACE] + _slot_lists(obj)
    return found


def _numbered_layers(model: Any) -> list[tuple[str, Any]]:
    if model.__dict__.get("graph_layers") is None:
        return []
    layers = model.layers
    if all(layer.built for layer in layers):
        weighted = [layer for layer in layers if layer.weights]
        return [(f"layer_with_weights-{i}", layer) for i, layer in enumerate(weighted)]
    return [(f"layer-{i}", layer) for i, layer in enumerate(layers)]


def _slot_lists(optimizer: Any) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for slot in chain(*optimizer._slot_groups()):
        held = [optimizer._slots.get(identity(v), {}) for v in optimizer._trainable_variables]
        numbered = [(str(i), own[slot]) for i, own in enumerate(held) if slot in own]
        names = _LISTS.get(slot, ())
        found += [(name, Group(optimizer, name, numbered)) for name in names if numbered]
    return found
