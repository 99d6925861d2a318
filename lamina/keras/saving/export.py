"""Models as programs: files that run without the model's class, or without lamina."""

import dataclasses
import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from lamina.engine import Tensor, TensorSpec, as_dtype, convert_to_tensor, nest
from lamina.engine.exporting import export_trace, load_trace
from lamina.keras.core import KerasTensor, calling
from lamina.keras.core.checks import label
from lamina.keras.saving.files import as_path, open_existing, replacing

__all__ = ["ExportedModel", "export_model", "load", "writer_for"]

_EXPECTED = "a file that Model.export wrote"
_PROGRAM, _VALUES, _NOTES = "program.bin", "values.npz", "structure.json"


def writer_for(model: Any, filepath: Any, format: str) -> Callable[..., str | None]:
    """Return the function that writes a model in a format; see `Model.export`.

    Raises:
        ValueError: the format is unknown.
    """
    if format not in ("tf_saved_model", "jax"):
        raise ValueError(
            f"{label(model)}.export: `format` must be 'tf_saved_model' or 'jax'; got {format!r}.\n"
            f"  Fix: leave it out; StableHLO converts to other formats by their own tools."
        )
    if format == "jax" or os.fspath(filepath).endswith(".zip"):
        return export_model
    # A SavedModel holds a checkpoint, which knows models: it stands above them.
    return import_module("lamina.savedmodel.exports").export_model


def export_model(model: Any, filepath: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Write a model's inference as a program.

    Args:
        model: The model.
        filepath: The path of the file, a zip archive: the program for `jax.export`, the values of
            the weights, and the structures of arguments and results.
        args: The arguments of a call, with KerasTensors for Tensors.
        kwargs: The keyword arguments.
    """
    leaves = nest.flatten([list(args), list(kwargs.values())])
    kinds = [t._type for t in leaves if isinstance(t, KerasTensor)]
    closed, structure = calling.trace(model, args, kwargs, kinds)
    program, values = export_trace(closed)
    inputs = _Places()
    outputs = _Places()
    notes = {
        "format": 1,
        "name": model.name,
        "args": [inputs.described(a) for a in args],
        "kwargs": {k: inputs.described(v) for k, v in kwargs.items()},
        "outputs": outputs.described(structure),
    }
    kept = io.BytesIO()
    # NumPy files know no bfloat16: the bytes go beside the dtype's name.
    np.savez(kept, *[np.frombuffer(v.tobytes(), np.uint8) for v in values])
    notes["values"] = [[v.dtype.name, list(v.shape)] for v in values]
    path = as_path(filepath, f"{label(model)}.export")
    with replacing(path) as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(_PROGRAM, program)
        archive.writestr(_VALUES, kept.getvalue())
        archive.writestr(_NOTES, json.dumps(notes, indent=1))


class _Places:
    """Describes structures for JSON, and numbers the Tensors in them."""

    def __init__(self) -> None:
        self.count = 0

    def described(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            self.count += 1
            dtype = as_dtype(value.dtype).name
            return {"tensor": self.count - 1, "shape": list(value.shape), "dtype": dtype}
        if isinstance(value, Mapping):
            # In the order of `nest`: sorted keys.
            return {"dict": [[k, self.described(value[k])] for k in sorted(value)]}
        if isinstance(value, list):
            return {"list": [self.described(v) for v in value]}
        if isinstance(value, tuple):
            names = list(getattr(value, "_fields", ()))
            return {"tuple": [self.described(v) for v in value], "names": names}
        if dataclasses.is_dataclass(value):
            fields = [f.name for f in dataclasses.fields(value)]
            return {"fields": [[k, self.described(getattr(value, k))] for k in fields]}
        if value is None or isinstance(value, bool | int | float | str):
            return {"value": value}
        raise TypeError(
            f"export: an argument must be a Tensor, a plain value or a structure of these; got "
            f"{value!r} ({type(value).__name__})."
        )


def _collect(described: Any, value: Any, found: list[Any], where: str) -> None:
    """Gather the Tensors of an argument in the order of its description."""
    if "tensor" in described:
        found.append(_checked_tensor(described, value, where))
    elif "value" in described:
        if value != described["value"]:
            raise ValueError(
                f"ExportedModel: `{where}` is {described['value']!r} in the program; got "
                f"{value!r}.\n  Fix: export the model for the other value too."
            )
    else:
        for step, inner, item in _items(described, value, where):
            _collect(inner, item, found, where + step)


def _checked_tensor(described: Any, value: Any, where: str) -> Tensor:
    tensor = convert_to_tensor(value, described["dtype"])
    shape = TensorSpec(described["shape"], described["dtype"]).shape
    if not shape.is_compatible_with(tensor.shape):
        raise ValueError(f"ExportedModel: `{where}` must have shape {shape}; got {tensor.shape}.")
    return tensor


def _items(described: Any, value: Any, where: str) -> list[tuple[str, Any, Any]]:
    """Return (what to add to the path, description, item) for the items of a container."""
    if "dict" in described or "fields" in described:
        pairs = described.get("dict", described.get("fields"))
        by_key = value if isinstance(value, Mapping) else vars(value)
        missing = [key for key, _ in pairs if key not in by_key]
        if missing:
            raise ValueError(f"ExportedModel: `{where}` must have {missing}; got {list(by_key)}.")
        return [(f"[{key!r}]", inner, by_key[key]) for key, inner in pairs]
    inners = described.get("list", described.get("tuple"))
    if len(inners) != len(value):
        raise ValueError(
            f"ExportedModel: `{where}` must have {len(inners)} items; got {len(value)}."
        )
    return [(f"[{i}]", a, b) for i, (a, b) in enumerate(zip(inners, value, strict=True))]


def _packed(described: Any, given: Callable[[], Any]) -> Any:
    """Return a structure as described, with the next Tensors in it."""
    if "tensor" in described:
        return given()
    if "dict" in described:
        return {key: _packed(inner, given) for key, inner in described["dict"]}
    if "fields" in described:
        return {key: _packed(inner, given) for key, inner in described["fields"]}
    if "list" in described:
        return [_packed(inner, given) for inner in described["list"]]
    if "tuple" in described:
        return tuple(_packed(inner, given) for inner in described["tuple"])
    return described["value"]


class ExportedModel:
    """A model read from a file of `Model.export`: its inference, without its class.

    Args:
        filepath: The path of the file.

    Call:
        The arguments that the model was exported for, of any size where that was left open. Values
        that are no Tensors must be those of the export.

    Returns:
        What the model returned; tuples for namedtuples, dicts for dataclasses.

    Raises:
        ValueError: the file is not one of `Model.export`, or an argument does not fit.
    """

    def __init__(self, filepath: Any) -> None:
        path = as_path(filepath, "export.load")
        with open_existing(path, "export.load", _EXPECTED) as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    program = archive.read(_PROGRAM)
                    kept = np.load(io.BytesIO(archive.read(_VALUES)), allow_pickle=False)
                    self._notes = json.loads(archive.read(_NOTES))
            except (zipfile.BadZipFile, KeyError, ValueError) as error:
                raise ValueError(
                    f"export.load: {str(path)!r} must be {_EXPECTED}; it is not one.\n"
                    f"  Reason: {error}"
                ) from None
        described = self._notes["values"]
        values = [
            np.frombuffer(kept[f"arr_{i}"].tobytes(), np.dtype(dtype)).reshape(shape)
            for i, (dtype, shape) in enumerate(described)
        ]
        self.name = self._notes["name"]
        self._run = load_trace(program, values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        notes = self._notes
        if len(args) != len(notes["args"]) or set(kwargs) != set(notes["kwargs"]):
            raise ValueError(
                f'ExportedModel "{self.name}": {len(notes["args"])} arguments by position and '
                f"{sorted(notes['kwargs'])} by name were expected; got {len(args)} and "
                f"{sorted(kwargs)}."
            )
        found: list[Any] = []
        for i, (described, value) in enumerate(zip(notes["args"], args, strict=True)):
            _collect(described, value, found, f"args[{i}]")
        for name, described in notes["kwargs"].items():
            _collect(described, kwargs[name], found, name)
        return _packed(notes["outputs"], iter(self._run(found)).__next__)

    def __repr__(self) -> str:
        return f"<ExportedModel {self.name}>"


def load(filepath: Any) -> ExportedModel:
    """Read a file of `Model.export`.

    Args:
        filepath: Its path.

    Returns:
        The model's inference, to be called like the model.

    Raises:
        ValueError: it is no such file.
    """
    return ExportedModel(filepath)
