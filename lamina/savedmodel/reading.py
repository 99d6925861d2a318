# pyright: reportPrivateUsage=false
"""Reading a SavedModel: objects with their variables, and functions that run saved programs.

Nothing in the files is run but the programs, which compute on Tensors only. Every number and path
is checked against what there is.
"""

import inspect
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lamina import ops
from lamina.checkpoint.bundle import Bundle
from lamina.engine import Tensor, TensorSpec, Variable, as_dtype, convert_to_tensor, set_all
from lamina.engine.aggregation import VariableAggregation, VariableSynchronization
from lamina.engine.staged import load_program, run_program
from lamina.keras.core import Module
from lamina.keras.saving.export import ExportedModel
from lamina.ops.mutable_tables import MutableHashTable, sharing
from lamina.savedmodel.options import Asset
from lamina.savedmodel.signatures import Signature, SignatureMap, input_names
from lamina.savedmodel.structures import collected, rebuilt, specs_of
from lamina.savedmodel.tables import restored_table

__all__ = ["LoadedConcrete", "LoadedFunction", "contains_saved_model", "load"]

_STRUCTURE = "lamina_model.json"


class LoadedConcrete:
    """A saved program with the variables and constants that it works on.

    Attributes:
        args: The description of its arguments.
        outputs: The description of its results.
        program: The program.
        outer: The variables and constants that it takes after the arguments.
        written: The variables that its last results are assigned to.
        parameters: The names of the arguments that go by position.
    """

    def __init__(
        self,
        args: Any,
        outputs: Any,
        program: Any,
        outer: Sequence[Any],
        written: Sequence[Variable],
        name: str = "",
    ) -> None:
        self.args, self.outputs, self.program = args, outputs, program
        self.outer, self.written = list(outer), list(written)
        self.name = name
        self.parameters: list[str] = []

    @property
    def structured_outputs(self) -> Any:
        """What it returns, TensorSpecs in place of Tensors."""
        return rebuilt(self.outputs, iter(specs_of(self.outputs)))

    @property
    def structured_input_signature(self) -> Any:
        """Its arguments by position and by name, TensorSpecs in place of Tensors."""
        args = self.args
        return (
            tuple(rebuilt(n, iter(specs_of(n))) for n in args["positional"]),
            {k: rebuilt(n, iter(specs_of(n))) for k, n in args["keywords"].items()},
        )

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that it reads or assigns."""
        held = [o for o in self.outer if isinstance(o, Variable)]
        return tuple({id(v): v for v in [*held, *self.written]}.values())

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that are trainable."""
        return tuple(v for v in self.variables if v.trainable)

    def fits(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> list[Tensor] | None:
        """Return the Tensors among arguments that fit, or None."""
        positional, named = self.args["positional"], self.args["keywords"]
        if len(args) != len(positional) or keywords.keys() != named.keys():
            return None
        found: list[Tensor] = []
        pairs = [*zip(positional, args, strict=True), *((named[k], keywords[k]) for k in named)]
        return found if all(collected(note, value, found) for note, value in pairs) else None

    def _by_name(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> list[Tensor] | None:
        """Return the Tensors of a call by the names of parameters; Python values may be left out.

        A Tensor may also go by the name of the TensorSpec that the program was traced for.
        """
        left, given = dict(keywords), iter(args)
        found: list[Any] = []
        for name, note in zip(self.parameters, self.args["positional"], strict=False):
            specs = specs_of(note)
            key = next((k for k in (name, note.get("name")) if k in left), None)
            if key is not None:
                found.append(left.pop(key))
            else:
                found.append(rebuilt(note, iter(())) if not specs else next(given, None))
        return self.fits([*found, *given], left)

    def _by_flat_names(
        self, args: Sequence[Any], keywords: Mapping[str, Any]
    ) -> list[Tensor] | None:
        """Return the Tensors of a call with one for each TensorSpec, by place or by name."""
        named = self.args["keywords"]
        notes = [*self.args["positional"], *named.values()]
        others = [f"arg_{i}" for i in range(len(self.parameters), len(notes) - len(named))]
        specs = specs_of({"list": notes})
        names = input_names(notes, [*self.parameters, *others, *named])
        found = dict(zip(names, args, strict=False)) | dict(keywords)
        if len(found) != len(args) + len(keywords) or found.keys() != set(names):
            return None
        return [convert_to_tensor(found[n], s.dtype) for n, s in zip(names, specs, strict=True)]

    def run(self, tensors: Sequence[Tensor]) -> Any:
        """Run on the Tensors of the arguments."""
        outputs = run_program(self.program, [*tensors, *self.outer])
        count = len(outputs) - len(self.written)
        set_all(self.written, outputs[count:])
        return rebuilt(self.outputs, iter(outputs[:count]))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments that fit, or on the Tensors alone, in order or by name."""
        tensors = self.fits(args, kwargs)
        if kwargs and tensors is None:
            tensors = self._by_name(args, kwargs) or self._by_flat_names(args, kwargs)
        if tensors is None and not kwargs:
            specs = specs_of({"list": [*self.args["positional"], *self.args["keywords"].values()]})
            if len(specs) == len(args):
                tensors = [convert_to_tensor(a, s.dtype) for a, s in zip(args, specs, strict=True)]
        if tensors is None:
            raise TypeError(
                f'Binding inputs to "{self.name}" failed: its arguments are '
                f"{self.structured_input_signature}; got {args}, {kwargs}."
            )
        return self.run(tensors)


class LoadedFunction:
    """A tf.function of a SavedModel: runs the program that its arguments fit.

    Attributes:
        concretes: The programs.
        parameters: Name, kind and default of each parameter.
        why: Why there is no program, where there is none.
        has_signature: Whether an `input_signature` says what it takes.
    """

    def __init__(
        self,
        name: str,
        parameters: Any,
        concretes: Sequence[LoadedConcrete],
        why: str = "",
        has_signature: bool = False,
    ) -> None:
        self.__name__, self.has_signature = name, has_signature
        self.parameters, self.concretes, self.why = parameters, list(concretes), why
        for concrete in self.concretes:
            concrete.parameters = [str(name) for name, *_ in parameters]
        kinds = list(inspect._ParameterKind)
        found = [
            inspect.Parameter(
                str(n),
                kinds[int(kind)],
                default=inspect.Parameter.empty if d is None else rebuilt(d, iter(())),
            )
            for n, kind, d in parameters
        ]
        self.__signature__ = inspect.Signature(found)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that the programs read or assign."""
        return tuple({id(v): v for c in self.concretes for v in c.variables}.values())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program that the arguments fit.

        Raises:
            TypeError: the parameters are others, or an `input_signature` is not met.
            ValueError: no program fits.
        """
        concrete, tensors = self._found(args, kwargs)
        return concrete.run(tensors)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> LoadedConcrete:
        """Return the program that arguments (Tensors, or TensorSpecs for them) fit."""

        def example(value: Any) -> Any:
            if isinstance(value, TensorSpec):
                return ops.zeros([d or 1 for d in value.shape], value.dtype)
            return value

        if not args and not kwargs and len(self.concretes) == 1:
            return self.concretes[0]
        given = [example(a) for a in args], {k: example(v) for k, v in kwargs.items()}
        return self._found(*given)[0]

    def _found(self, args: Any, kwargs: Any) -> tuple[LoadedConcrete, list[Tensor]]:
        given, keywords = self._bound(args, kwargs)
        if self.has_signature and self.concretes:
            given = _of_dtypes(given, self.concretes[0].args["positional"])
        for concrete in self.concretes:
            tensors = concrete.fits(given, keywords)
            if tensors is not None:
                return concrete, tensors
        if not self.concretes:
            fix = "call it once on data, or give it an input_signature, and save again."
            if self.why:
                fix = "save a function of numbers alone, or build the object by its class."
            why = f"\n  Reason: {self.why}" if self.why else ""
            raise ValueError(
                f"Found zero restored functions for caller function {self.__name__!r}: it was not "
                f"traced before it was saved, or could not be.{why}\n  Fix: {fix}"
            )
        if self.has_signature:
            raise self._unbound("the arguments do not fit the input_signature", args, kwargs)
        options = "\n".join(
            f"  Option {i}: {c.structured_input_signature}" for i, c in enumerate(self.concretes, 1)
        )
        raise ValueError(
            f"Could not find matching concrete function to call loaded from the SavedModel. Got:\n"
            f"  Positional arguments ({len(given)} total): {_shown(given)}\n"
            f"  Keyword arguments: {_shown(keywords)}\n\n"
            f"Expected these arguments to match one of the following {len(self.concretes)} "
            f"option(s):\n{options}"
        )

    def _bound(self, args: Any, kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        if not self.parameters:
            return list(args), dict(kwargs)
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise self._unbound(str(error), args, kwargs) from None
        saved = [(len(c.args["positional"]), c.args["keywords"].keys()) for c in self.concretes]
        # A function with an input_signature omits defaults.
        if (len(bound.args), bound.kwargs.keys()) not in saved:
            bound.apply_defaults()
        return list(bound.args), dict(bound.kwargs)

    def _unbound(self, why: str, args: Any, kwargs: Any) -> TypeError:
        taken = [c.structured_input_signature for c in self.concretes] or self.__signature__
        return TypeError(
            f"Binding inputs to tf.function failed due to `{why}`: {self.__name__!r} takes "
            f"{taken}; got arguments {_shown(args)} and keyword arguments {_shown(kwargs)}.\n"
            f"  Fix: pass what it was saved for, or tf.cast the Tensors to those dtypes."
        )

    def __repr__(self) -> str:
        return f"<tf.function {self.__name__} of a SavedModel>"


def _of_dtypes(given: list[Any], notes: Sequence[Any]) -> list[Any]:
    """Return arguments with NumPy's arrays of numbers as an `input_signature` wants them."""
    found = list(given)
    for i, (value, note) in enumerate(zip(given, notes, strict=False)):
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and "tensor" in note:
            found[i] = convert_to_tensor(value, note["tensor"])
    return found


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {_shown(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"Tensor(shape={tuple(value.shape)}, dtype={as_dtype(value.dtype).name})"
    return repr(value)


class LoadedObject(Module):
    """An object of a SavedModel: its attributes, variables and functions, without its class."""

    def __repr__(self) -> str:
        return f"<object of a SavedModel, {self.name}>"


class CallableObject(LoadedObject):
    """An object of a SavedModel whose `__call__` was a tf.function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the saved `__call__`."""
        return self.__dict__["__call__"](*args, **kwargs)


def contains_saved_model(export_dir: Any) -> bool:
    """Return whether a folder holds a SavedModel, of lamina or of TensorFlow.

    Args:
        export_dir: The folder.

    Example:
        >>> tf.saved_model.contains_saved_model("/no/such/folder")
        False
    """
    folder = Path(os.fspath(export_dir))
    names = (_STRUCTURE, "saved_model.pb", "saved_model.pbtxt")
    return any((folder / name).is_file() for name in names)


def load(export_dir: Any, tags: Any = None, options: Any = None) -> Any:
    """Load what `tf.saved_model.save` wrote.

    Args:
        export_dir: The folder.
        tags: None or "serve": there is one graph.
        options: See `tf.saved_model.LoadOptions`.

    Returns:
        An object with the attributes of the one saved as far as they hold variables or functions,
        and `signatures`, a dict of functions. It can be called if the one saved could be by a
        tf.function, differentiated, trained on and saved again.

    Raises:
        OSError: there is no SavedModel.
        ValueError: it is TensorFlow's, which only TensorFlow runs, is damaged, or has other tags.
    """
    asked = {tags} if isinstance(tags, str) else {"serve"} if tags is None else set(tags)
    if asked != {"serve"}:
        raise ValueError(
            f"tf.saved_model.load: Got an incompatible argument to `tags`: {tags!r}; what lamina "
            f"saves has the tag 'serve'.\n  Fix: leave `tags` out."
        )
    folder = Path(os.fspath(export_dir))
    if folder.is_file():
        return _of_archive(folder)
    if not (folder / _STRUCTURE).is_file():
        if contains_saved_model(folder):
            raise ValueError(
                f"tf.saved_model.load: {str(folder)!r} is a SavedModel of TensorFlow: a graph that "
                f"only TensorFlow runs.\n  Fix: save the weights where it was made "
                f"(tf.train.Checkpoint, model.save('x.keras')), and load those; "
                f"tf.train.load_checkpoint reads its variables/variables."
            )
        raise OSError(
            f"SavedModel file does not exist at: {folder}/{{{_STRUCTURE}|saved_model.pb}}"
        )
    try:
        return _Reader(folder, options).read()
    except (KeyError, IndexError, TypeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"tf.saved_model.load: {str(folder / _STRUCTURE)!r} is damaged.\n  Reason: "
            f"{type(error).__name__}: {error}"
        ) from None


def _of_archive(path: Path) -> Any:
    """Return a file of `Model.export` as an object with `serve`."""
    model = ExportedModel(path)
    made = CallableObject(name="model")
    made.__dict__["__call__"] = made.__dict__["serve"] = model
    made.__dict__["signatures"] = SignatureMap({})
    return made


class _Reader:
    """Makes objects from the files of a SavedModel."""

    def __init__(self, folder: Path, options: Any) -> None:
        self.folder = folder
        self.notes = json.loads((folder / _STRUCTURE).read_text())
        if self.notes["format"] != 1:
            raise ValueError(
                f"tf.saved_model.load: {str(folder)!r} has format {self.notes['format']}; this "
                f"lamina reads format 1."
            )
        self.bundle = Bundle(folder / "variables" / "variables")
        self.is_empty = bool(getattr(options, "experimental_skip_checkpoint", False))
        self.programs: dict[int, Any] = {}

    def read(self) -> Any:
        nodes = self.notes["nodes"]
        self.objects = [self._made(node) for node in nodes]
        for node, obj in zip(nodes, self.objects, strict=True):
            self._fill(node, obj)
        self._make_tuples(nodes)
        tables = {o.key_in_files: o for o in self.objects if isinstance(o, MutableHashTable)}
        with sharing(tables):
            self.concretes = [self._concrete(note) for note in self.notes["concretes"]]
        for node, obj in zip(nodes, self.objects, strict=True):
            for name, note in node.get("functions", {}).items():
                found = [self.concretes[_index(i)] for i in note["concretes"]]
                function = LoadedFunction(
                    note["name"],
                    note["parameters"],
                    found,
                    note["why"],
                    bool(note.get("has_signature")),  # files of before have it not
                )
                self._set(obj, name, function)
        root = self.objects[0]
        served = {
            str(name): Signature(str(name), self._served(s), s["inputs"])
            for name, s in self.notes["signatures"].items()
        }
        if isinstance(root, LoadedObject):
            root.__dict__["signatures"] = SignatureMap(served)
        return root

    def _served(self, note: Any) -> list[LoadedConcrete]:
        """Return the programs of a signature: one, or one for each rank of its inputs."""
        numbers = [note["concrete"], *note.get("others", ())]
        return [self.concretes[_index(n)] for n in numbers]

    def _made(self, node: Any) -> Any:
        kind = node["kind"]
        if kind == "variable":
            return self._variable(node)
        if kind == "generator":
            made = ops.Generator.from_seed(0)
            if not self.is_empty:
                made.reset(self.bundle.read(node["key"]))
            return made
        if kind == "table":
            return restored_table(node, self.bundle, self.is_empty)
        if kind == "asset":
            path = self.folder / "assets" / Path(node["name"]).name
            return Asset(path)
        if kind in ("list", "tuple"):
            return []
        if kind == "dict":
            return {}
        is_called = "__call__" in node.get("functions", {})
        made = object.__new__(CallableObject if is_called else LoadedObject)
        Module.__init__(made)
        if isinstance(node.get("name"), str):
            made.__dict__["_name"] = node["name"]
        return made

    def _variable(self, node: Any) -> Variable:
        dtype, shape = as_dtype(node["dtype"]), node["shape"]
        if self.is_empty:
            value = np.zeros([d or 0 for d in shape], dtype.np)
        else:
            value = self.bundle.read(node["key"])
        return Variable(
            value,
            bool(node["trainable"]),
            name=str(node["name"]),
            dtype=dtype,
            # Files of before lack them.
            synchronization=VariableSynchronization[node.get("synchronization", "AUTO")],
            aggregation=VariableAggregation[node.get("aggregation", "NONE")],
            shape=shape,
        )

    def _fill(self, node: Any, obj: Any) -> None:
        for name, number in node["children"]:
            child = self.objects[_index(number)]
            if isinstance(obj, list):
                obj.append(child)
            elif isinstance(obj, dict):
                obj[name] = child
            else:
                self._set(obj, name, child)

    def _make_tuples(self, nodes: Any) -> None:
        """Put tuples in the place of the lists that stood for them, innermost last."""
        for number in reversed(range(len(nodes))):
            if nodes[number]["kind"] == "tuple":
                made = tuple(self.objects[number])
                old, self.objects[number] = self.objects[number], made
                for obj in self.objects:
                    _replace(obj, old, made)

    @staticmethod
    def _set(obj: Any, name: str, value: Any) -> None:
        """Set an attribute that no property of the object's class stands for."""
        is_special = name.startswith("__") and name != "__call__"
        is_free = name == "__call__" or not hasattr(type(obj), name)
        if isinstance(obj, LoadedObject) and is_free and not is_special:
            obj.__dict__[name] = value

    def _concrete(self, note: Any) -> LoadedConcrete:
        number = _index(note["program"])
        program = self.programs.get(number)
        if program is None:
            data = (self.folder / "programs" / f"{number}.bin").read_bytes()
            program = self.programs[number] = load_program(data)
        outer = [self._outer(o) for o in note["outer"]]
        written = [self._outer(o) for o in note["written"]]
        return LoadedConcrete(note["args"], note["outputs"], program, outer, written)

    def _outer(self, note: Any) -> Any:
        if "constant" in note:
            return convert_to_tensor(self.bundle.read(note["constant"]))
        place = note["node"]
        if isinstance(place, list):
            number, part = place
            generator: Any = self.objects[_index(number)]
            return generator._key if part == "_key" else generator._counter
        return self.objects[_index(place)]


def _replace(obj: Any, old: Any, new: Any) -> None:
    """Put an object in the place of another in a list, a dict or attributes."""
    held = obj if isinstance(obj, list | dict) else getattr(obj, "__dict__", {})
    for key in range(len(held)) if isinstance(held, list) else list(held):
        if held[key] is old:
            held[key] = new


def _index(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise IndexError(f"a number of an object must be 0 or more; got {value!r}")
    return value
