"""Layers put in the place of others, wherever a model holds them."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lamina.engine import nest, versions
from lamina.keras.core.checks import label
from lamina.keras.core.layer import Layer
from lamina.keras.core.module import Module, is_container
from lamina.keras.core.symbolic import Node

__all__ = ["replace"]


def replace(root: Any, found: list[tuple[str, Any]], fn: Callable[..., Any]) -> list[str]:
    """Put `fn(old)` in the place of each of some (path, layer) pairs below `root`.

    Returns:
        The paths of the layers that were replaced.

    Raises:
        TypeError: `fn` is not a function of a layer, or returns something else.
        ValueError: in a functional model, a new layer gives Tensors of other shapes or dtypes.
            Nothing is replaced then.
    """
    takes_path = _check_function(root, fn)
    swaps: dict[int, Any] = {}
    paths: list[str] = []
    for path, old in found:
        new = fn(old, path=path) if takes_path else fn(old)
        if new is None or new is old:
            continue
        if not isinstance(new, Layer):
            raise TypeError(
                f"{label(root)}: replace needs a layer for {path!r}; got {new!r} "
                f"({type(new).__name__}).\n  Fix: return a layer, or None to leave it as it is."
            )
        swaps[id(old)] = new
        paths.append(path)
    swap = _Swap(swaps)
    swap.check(root)
    swap.visit(root)
    versions.tracked += 1
    versions.structure += 1
    return paths


def _check_function(root: Any, fn: Any) -> bool:
    """Return whether the function wants the path too."""
    if not callable(fn):
        raise TypeError(
            f"{label(root)}: replace needs a function of the old layer; got {fn!r} "
            f"({type(fn).__name__}).\n  Fix: model.replace('blocks[*].mlp', lambda old: ...)."
        )
    signature = inspect.signature(fn)
    takes_path = "path" in signature.parameters
    try:
        signature.bind("old", **({"path": ""} if takes_path else {}))
    except TypeError:
        raise TypeError(
            f"{label(root)}: replace needs a function of the old layer, and of `path` if it wants "
            f"it; `{getattr(fn, '__name__', fn)}` takes {signature}.\n"
            f"  Fix: model.replace('blocks[*].mlp', lambda old: ...)."
        ) from None
    return takes_path


class _Swap:
    """One walk through everything below a model; new layers are not entered: they may hold old."""

    def __init__(self, swaps: dict[int, Any]) -> None:
        self.swaps = swaps
        self.seen = {id(new) for new in swaps.values()}

    def check(self, root: Any) -> None:
        """Raise if a new layer does not fit where a functional model calls the old one."""
        for node in self._nodes(root):
            new = self.swaps[id(node.layer)]
            found = nest.flatten(new.compute_output_spec(*node.args, **node.kwargs))
            wanted = node.outputs
            if [(t.shape, t.dtype) for t in found] != [(t.shape, t.dtype) for t in wanted]:
                raise ValueError(
                    f"{label(root)}: in a functional model {label(new)} must give what "
                    f"{label(node.layer)} gave, {_kinds(wanted)}; it gives {_kinds(found)}."
                )

    def _nodes(self, root: Any) -> list[Node]:
        """Return the calls of old layers in the graphs of functional models."""
        found: dict[int, Node] = {}
        for module in [root, *root.submodules]:
            graph = vars(module).get("_graph")
            for node in () if graph is None else graph.nodes:
                if id(node.layer) in self.swaps:
                    found[id(node)] = node
        return list(found.values())

    def visit(self, module: Any) -> None:
        """Replace below a module."""
        if id(module) in self.seen:
            return
        self.seen.add(id(module))
        graph = vars(module).get("_graph")
        if graph is not None:
            self._visit_graph(graph)
        for name, value in list(vars(module).items()):
            if name.startswith("_lm_") or name in ("_graph", "_inbound_nodes"):
                continue
            renewed = self._renewed(value)
            if renewed is not value:
                module.__dict__[name] = renewed

    def _visit_graph(self, graph: Any) -> None:
        for node in graph.nodes:
            new = self.swaps.get(id(node.layer))
            if new is not None:
                if "name" not in new._captured[1]:  # paths go by name here
                    new.__dict__["_name"] = node.layer.name
                node.layer = new
                new._inbound_nodes.append(node)
        graph.layers = self._renewed(graph.layers)

    def _renewed(self, value: Any) -> Any:
        """Return a value with old layers replaced in it; lists, dicts and sets change in place."""
        new = self.swaps.get(id(value))
        if new is not None:
            return new
        if isinstance(value, Module):
            self.visit(value)
        elif is_container(value):
            return self._renewed_items(value)
        return value

    def _renewed_items(self, value: Any) -> Any:
        if isinstance(value, tuple | frozenset):
            items = [self._renewed(v) for v in value]
            if all(a is b for a, b in zip(items, value, strict=True)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if id(value) not in self.seen:
            self.seen.add(id(value))
            self._renew_in_place(value)
        return value

    def _renew_in_place(self, value: Any) -> None:
        if isinstance(value, list):
            value[:] = [self._renewed(v) for v in value]
        elif isinstance(value, set):
            items = [self._renewed(v) for v in value]
            value.clear()
            value.update(items)
        elif isinstance(value, Mapping):
            for key, item in list(value.items()):
                renewed = self._renewed(item)
                if renewed is not item:
                    value[key] = renewed  # type: ignore[index]
        else:
            for field in dataclasses.fields(value):
                object.__setattr__(value, field.name, self._renewed(getattr(value, field.name)))


def _kinds(tensors: Any) -> str:
    return ", ".join(f"{getattr(t.dtype, 'name', t.dtype)}{t.shape}" for t in tensors)
