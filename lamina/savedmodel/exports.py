# pyright: reportPrivateUsage=false
"""Keras models as SavedModels: `Model.export`."""

from typing import Any

from lamina.engine import TensorSpec, Variable
from lamina.engine.hosted import keeping_hosted
from lamina.keras.core import Module
from lamina.savedmodel.reading import LoadedConcrete, LoadedFunction
from lamina.savedmodel.structures import specs_of
from lamina.savedmodel.writing import DEFAULT_SIGNATURE, model_function, write_all

__all__ = ["export_model"]


class Exports(Module):
    """What is saved of a model: its variables, and `serve`."""

    def __init__(self, variables: list[Variable], serve: LoadedFunction) -> None:
        super().__init__(name="exported")
        self._tracked = variables
        self.serve = serve


def export_model(model: Any, filepath: Any, args: Any, kwargs: dict[str, Any]) -> str:
    """Write a model's inference as a SavedModel with `serve` and the signature "serving_default".

    Args:
        model: The model.
        filepath: The folder.
        args: The arguments of a call, with KerasTensors for Tensors.
        kwargs: The keyword arguments.

    Returns:
        What was written, as Keras says it.
    """
    with keeping_hosted():
        ready = model_function(model, (args, kwargs))
    assert ready is not None
    concrete = LoadedConcrete(ready.args, ready.outputs, ready.program, ready.outer, ready.written)
    serve = LoadedFunction("serve", [], [concrete], has_signature=True)
    specs = specs_of({"list": [*ready.args["positional"], *ready.args["keywords"].values()]})
    graph = getattr(model, "_graph", None)
    names = list(model.input_names) if graph is not None else []
    if len(names) != len(specs):
        names = [f"args_{i}" for i in range(len(specs))]
    served = {name: (ready, names) for name in ("serve", DEFAULT_SIGNATURE)}
    write_all(Exports(list(model.variables), serve), filepath, served)
    return _announced(filepath, ready, names, specs)


def _announced(filepath: Any, ready: Any, names: list[str], specs: list[TensorSpec]) -> str:
    lines = [
        f"Saved artifact at '{filepath}'. The following endpoints are available:",
        "",
        "* Endpoint 'serve'",
    ]
    for i, (name, spec) in enumerate(zip(names, specs, strict=True)):
        shown = TensorSpec(spec.shape, spec.dtype, name)
        lines.append(f"  args_{i} (POSITIONAL_ONLY): {shown!r}")
    found = [repr(spec) for spec in specs_of(ready.outputs)]
    lines += ["Output Type:", *(f"  {line}" for line in found), "Captures:"]
    for held in ready.outer:
        is_variable = isinstance(held, Variable)
        shape, dtype = ((), "resource") if is_variable else (held.shape, held.dtype.name)
        lines.append(f"  {id(held)}: TensorSpec(shape={tuple(shape)}, dtype=tf.{dtype}, name=None)")
    return "\n".join([*lines, "" if ready.outer else "  None\n"])
