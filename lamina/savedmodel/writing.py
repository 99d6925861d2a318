# pyright: reportPrivateUsage=false
"""Writing a SavedModel: objects, variables, and each traced function as a program.

The folder holds `lamina_model.json` (the objects and how they hang together), `variables/` (a
checkpoint), `programs/` (StableHLO of `jax.export`) and `assets/`.
"""

import inspect
import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lamina import ops
from lamina.checkpoint.bundle import write_bundle
from lamina.checkpoint.edges import is_trackable
from lamina.checkpoint.graph import GRAPH_KEY, collect, graph_bytes
from lamina.engine import ConcreteFunction, Function, Tensor, TensorSpec, Variable, errors, versions
from lamina.engine.concrete import EagerConcreteFunction
from lamina.engine.exporting import ExportedProgram, export_program
from lamina.engine.hosted import keeping_hosted
from lamina.engine.ranks import OpenRank
from lamina.engine.staged import StagedProgram, export_stages, has_strings
from lamina.keras.core import KerasTensor, Layer, calling
from lamina.keras.core.module import is_bookkeeping
from lamina.keras.models import Model
from lamina.keras.spelling import users_level
from lamina.keras.viz.recording import arguments_as_built
from lamina.ops.mutable_tables import MutableHashTable
from lamina.savedmodel.options import Asset
from lamina.savedmodel.reading import LoadedFunction
from lamina.savedmodel.signatures import (
    Signature,
    SignatureMap,
    input_names,
    named_outputs,
)
from lamina.savedmodel.sizes import with_found_sizes
from lamina.savedmodel.structures import NotSavableError, described, specs_of
from lamina.savedmodel.tables import table_note

__all__ = ["DEFAULT_SIGNATURE", "STRUCTURE", "model_function", "save", "write_all"]

STRUCTURE = "lamina_model.json"
DEFAULT_SIGNATURE = "serving_default"
_RANKS = range(5)  # for which functions of any rank are saved


class _Ready:
    """A traced function on its way into a file; `others` are those of a signature's other ranks."""

    def __init__(self, args: Any, outputs: Any, program: Any, outer: Any, written: Any):
        self.args, self.outputs, self.program = args, outputs, program
        self.outer, self.written = outer, written
        self.others: list[_Ready] = []


class _Concretes:
    """Several traced functions under one name, with their parameters."""

    def __init__(self, name: str, parameters: Any, ready: list[_Ready], why: str = "") -> None:
        self.name, self.parameters, self.ready, self.why = name, parameters, ready, why


def save(obj: Any, export_dir: Any, signatures: Any = None, options: Any = None) -> None:
    """Write an object with its variables and its traced functions, to be loaded without its class.

    The folder is lamina's own: TensorFlow does not read it, and `variables/` in it is a checkpoint
    that TensorFlow does read. Functions are saved for the arguments that they were traced for;
    sizes that are None in a `tf.TensorSpec` stay open. A function of strings is saved in stages:
    compiled pieces, and lamina's operations on strings and tables between them. `tf.debugging`'s
    assertions on values are left out, since no file can hold Python.

    Args:
        obj: A tf.Module, a Keras layer or model, or a `tf.train.Checkpoint`.
        export_dir: The folder; it is made, and a SavedModel in it replaced.
        signatures: A tf.function with `input_signature`, a concrete function, or a dict of these by
            name; one alone is "serving_default". None takes a Keras model's call, or the only
            tf.function with an `input_signature` that returns Tensors.
        options: See `tf.saved_model.SaveOptions`.

    Raises:
        ValueError: `obj` cannot be saved, has an attribute `signatures`, or a signature is no
            function with known arguments.
        AssertionError: a function uses a trainable variable that `obj` does not hold.
        InvalidArgumentError: a signature's program calls Python.

    Example:
        >>> import tempfile
        >>> class Scale(tf.Module):
        ...     def __init__(self):
        ...         self.by = tf.Variable(3.0)
        ...
        ...     @tf.function(input_signature=[tf.TensorSpec([None])])
        ...     def __call__(self, x):
        ...         return x * self.by
        >>> folder = tempfile.mkdtemp()
        >>> tf.saved_model.save(Scale(), folder)
        >>> tf.saved_model.load(folder)(tf.constant([1.0, 2.0])).numpy()
        array([3., 6.], dtype=float32)
    """
    if not is_trackable(obj) or isinstance(obj, list | tuple | Mapping | Function):
        raise ValueError(
            f"Expected an object of type `Trackable`, such as `tf.Module` or a subclass of the "
            f"`Trackable` class, for export. Got {obj!r} with type {type(obj)}.\n"
            f"  Fix: keep it as an attribute of a tf.Module, and save that."
        )
    held = getattr(obj, "__dict__", {}).get("signatures")
    if held is not None and not isinstance(held, SignatureMap):
        raise ValueError(
            f"tf.saved_model.save: the attribute `signatures` is what a loaded object has its "
            f"signatures in; {obj!r} has one of its own, {held!r}.\n"
            f"  Fix: del obj.signatures, or rename it; save(obj, folder, signatures=...) says them."
        )
    with keeping_hosted():
        write_all(obj, export_dir, _asked(obj, signatures))


def write_all(obj: Any, export_dir: Any, signatures: dict[str, tuple[Any, list[str]]]) -> None:
    """Write an object with signatures: for each a program, and the names of its inputs."""
    _Writer(obj, os.fspath(export_dir)).write(signatures)


class _Writer:
    """Collects what goes into the files, and writes them."""

    def __init__(self, root: Any, folder: str) -> None:
        self.folder = Path(folder)
        self.found = collect(root)
        self.nodes: list[dict[str, Any]] = []
        self.numbers: dict[int, Any] = {}  # of variables and generators' parts, by id
        self.tensors: dict[str, np.ndarray] = {}
        self.concretes: list[dict[str, Any]] = []
        self.programs: list[ExportedProgram | StagedProgram] = []
        self.written: dict[int, int] = {}  # the numbers of concretes, by id of what was traced
        self.assets: dict[str, str] = {}
        self.tables: dict[str, str] = {}  # the paths of tables, by their names in programs
        self.left_out: dict[str, str] = {}  # functions without a program, and why

    def write(self, signatures: dict[str, Any]) -> None:
        for number, held in enumerate(self.found):
            self.nodes.append(self._node(number, held))
        for number, held in enumerate(self.found):
            self._add_functions(number, held.obj)
        served = {
            name: {
                "concrete": self._added(ready),
                "others": [self._added(r) for r in ready.others],
                "inputs": inputs,
            }
            for name, (ready, inputs) in signatures.items()
        }
        tensors = {key: array for held in self.found for key, array in held.tensors().items()}
        tensors[GRAPH_KEY] = np.array(graph_bytes(self.found), object)
        self._write_files(tensors | self.tensors)
        notes = {
            "format": 1,
            "nodes": self.nodes,
            "concretes": self.concretes,
            "signatures": served,
        }
        beside = self.folder / f"{STRUCTURE}.tmp-{os.getpid()}"
        beside.write_text(json.dumps(notes))
        os.replace(beside, self.folder / STRUCTURE)
        if self.left_out:
            warnings.warn(_left_out(self.left_out), stacklevel=users_level() + 1)

    def _write_files(self, tensors: dict[str, np.ndarray]) -> None:
        (self.folder / "assets").mkdir(parents=True, exist_ok=True)
        write_bundle(str(self.folder / "variables" / "variables"), tensors)
        programs = self.folder / "programs"
        programs.mkdir(exist_ok=True)
        for i, program in enumerate(self.programs):
            (programs / f"{i}.bin").write_bytes(program.data)
        for name, path in self.assets.items():
            target = self.folder / "assets" / name
            if not target.exists() or not os.path.samefile(path, target):
                shutil.copyfile(path, target)

    def _node(self, number: int, held: Any) -> dict[str, Any]:
        obj = held.obj
        node: dict[str, Any] = {"children": held.children}
        if isinstance(obj, Variable):
            self.numbers[id(obj)] = number
            return node | _variable_note(obj, held.key)
        if isinstance(obj, ops.Generator):
            self.numbers[id(obj._key)] = [number, "_key"]
            self.numbers[id(obj._counter)] = [number, "_counter"]
            return node | {
                "kind": "generator",
                "key": f"{held.path}/_state_var/.ATTRIBUTES/VARIABLE_VALUE",
            }
        if isinstance(obj, MutableHashTable):
            self._check_table(obj, held.path)
            return node | table_note(obj, held.key)
        if isinstance(obj, Asset):
            name = Path(obj._path).name
            while name in self.assets and self.assets[name] != obj._path:
                name = f"_{name}"
            self.assets[name] = obj._path
            return node | {"kind": "asset", "name": name}
        if isinstance(obj, list | tuple):
            return node | {"kind": "list" if isinstance(obj, list) else "tuple"}
        if isinstance(obj, Mapping):
            return node | {"kind": "dict"}
        name = getattr(obj, "name", None)
        return node | {"kind": "object", "name": name if isinstance(name, str) else None}

    def _check_table(self, table: MutableHashTable, path: str) -> None:
        """Refuse two tables that programs name by one key: one file gave both."""
        first = self.tables.setdefault(table.key_in_files, path)
        if first != path:
            raise ValueError(
                f"tf.saved_model.save: one table of each SavedModel that was loaded was expected; "
                f"got {first} and {path}, which loading one file twice gave.\n"
                f"  Fix: load it once, or save the two in folders of their own."
            )

    # -- functions

    def _add_functions(self, number: int, obj: Any) -> None:
        functions = self.nodes[number]["functions"] = {}
        for name, function in _functions_of(obj):
            found = _concretes_of(function)
            added: list[int] = []
            why = found.why
            for ready in found.ready:
                try:
                    added.append(self._added(ready))
                except AssertionError:
                    raise
                except (ValueError, TypeError, errors.OpError) as error:
                    why = str(error)
            why = _first_part(why)
            if why and not added:
                self.left_out[name] = why
            functions[name] = {
                "name": found.name,
                "parameters": found.parameters,
                "concretes": added,
                "why": why,
                "has_signature": _has_signature(function),
            }

    def _added(self, ready: _Ready) -> int:
        """Return the number of a traced function, written once."""
        number = self.written.get(id(ready.program))
        if number is None:
            note = {
                "args": ready.args,
                "outputs": ready.outputs,
                "outer": [self._outer(o) for o in ready.outer],
                "written": [self._outer(v) for v in ready.written],
                "program": len(self.programs),
            }
            self.programs.append(ready.program)
            number = self.written[id(ready.program)] = len(self.concretes)
            self.concretes.append(note)
        return number

    def _outer(self, value: Any) -> Any:
        """Return where a value from outside of a function is found after loading."""
        number = self.numbers.get(id(value))
        if number is None and isinstance(value, Variable):
            number = self._hidden(value)
        if number is None:
            key = f"_constants/{len(self.tensors)}"
            self.tensors[key] = np.asarray(value)
            return {"constant": key}
        return {"node": number}

    def _hidden(self, variable: Variable) -> int:
        """Give a number to a variable that no attribute holds: the state of random streams."""
        if variable.trainable and getattr(variable, "_stream", None) is None:
            raise AssertionError(
                f"Tried to export a function which references an 'untracked' resource: the "
                f'variable "{variable.name}" of shape {variable.shape} is no attribute of the '
                f"object.\n  Fix: assign it to an attribute of the object that is saved."
            )
        key = f"_hidden/{len(self.nodes)}"
        number = self.numbers[id(variable)] = len(self.nodes)
        self.nodes.append({"children": []} | _variable_note(variable, key))
        self.tensors[key] = np.asarray(variable)
        return number


def _left_out(functions: Mapping[str, str]) -> str:
    lines = "".join(f"  {name}: {why}\n" for name, why in functions.items())
    return (
        f"tf.saved_model.save: functions of which programs can be made were expected; these are "
        f"not saved, and raise in what is loaded.\n{lines}"
        f"  Fix: save a function of numbers, and call it with what tf.strings, tf.lookup and "
        f"Python functions give; or load the object's variables by tf.train.Checkpoint."
    )


def _first_part(why: str) -> str:
    """Return a reason without the advice behind it, which is for other places than this."""
    return why.partition("\n  Fix:")[0]


def _variable_note(variable: Any, key: str) -> dict[str, Any]:
    return {
        "kind": "variable",
        "key": key,
        "name": getattr(variable, "path", None) or variable._name,
        "shape": [None if d is None else int(d) for d in variable._shape],
        "dtype": variable._dtype.name,
        "trainable": bool(variable.trainable),
        # Those of Keras are strings of its own.
        "synchronization": getattr(variable.synchronization, "name", "AUTO"),
        "aggregation": getattr(variable.aggregation, "name", "NONE"),
    }


def _functions_of(obj: Any) -> list[tuple[str, Any]]:
    """Return the tf.functions of an object by name: methods, and attributes."""
    if isinstance(obj, LoadedFunction | Variable | list | tuple | Mapping) or _is_own(type(obj)):
        return []
    names: dict[str, None] = {}
    for cls in reversed(type(obj).__mro__):
        names.update(dict.fromkeys(n for n, v in vars(cls).items() if isinstance(v, Function)))
    kinds = Function | ConcreteFunction | OpenRank | LoadedFunction
    held = vars(obj) if hasattr(obj, "__dict__") else {}
    names.update(
        dict.fromkeys(n for n, v in held.items() if isinstance(v, kinds) and not is_bookkeeping(n))
    )
    found = [(name, held.get(name) or getattr(obj, name)) for name in names]
    return [(name, function) for name, function in found if isinstance(function, kinds)]


def _has_signature(function: Any) -> bool:
    """Return whether a function takes what its `input_signature` says, and nothing else."""
    if isinstance(function, LoadedFunction):
        return function.has_signature
    return getattr(function, "input_signature", None) is not None


def _is_own(cls: type) -> bool:
    """Return whether a class is one of lamina's layers, which have no tf.functions to save."""
    is_ours = cls.__module__.startswith("lamina.keras.")
    return is_ours and issubclass(cls, Layer) and not issubclass(cls, Model)


def _parameters(function: Any) -> list[Any]:
    """Return name, kind and default of the parameters of a Python function."""
    found: list[Any] = []
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return found
    for p in parameters:
        note: Any = None
        if p.default is not p.empty:
            default = p.default
            if isinstance(default, Tensor | np.ndarray | np.generic):
                default = np.asarray(default).tolist()  # it is converted as an argument would be
            try:
                note = described(default)
            except (NotSavableError, TypeError):
                note = {"value": None}
        found.append([p.name, int(p.kind), note])
    return found


def _concretes_of(function: Any) -> _Concretes:
    """Return what a function was traced for."""
    if isinstance(function, LoadedFunction):
        ready = [_loaded(c) for c in function.concretes]
        return _Concretes(function.__name__, function.parameters, ready, function.why)
    if isinstance(function, ConcreteFunction):
        traced = [function]
    elif isinstance(function, OpenRank):
        traced = _of_ranks(function)
    else:
        traced, why = _traced(function)
        if not traced:
            return _Concretes(function._label, _parameters(function.python_function), [], why)
    ready, why = [], ""
    for concrete in traced:
        try:
            ready.append(_ready(concrete))
        except (ValueError, TypeError, errors.OpError) as error:
            why = str(error)
    python = traced[0].given.function if traced and traced[0].given is not None else None
    return _Concretes(traced[0].name if traced else "", _parameters(python), ready, why)


def _traced(function: Any) -> tuple[list[Any], str]:
    """Return the concrete functions of a tf.function, traced anew where layers changed since."""
    if function.input_signature is not None:
        try:
            made = with_found_sizes(_tracer(function), function.input_signature)
        except (ValueError, TypeError, errors.OpError) as error:
            return [], str(error)
        if isinstance(made, OpenRank):
            return _of_ranks(made), ""
        return [made], ""
    found: list[Any] = []
    for key, concrete in list(function._concrete.items()):
        if key[0] != versions.structure and concrete.given is not None:
            given = concrete.given
            concrete = function.get_concrete_function(*given.positional, **given.keywords)
        found.append(concrete)
    for made in function.__dict__.get("open_ranks", ()):
        found += [c for c in _of_ranks(made) if c not in found]
    because = function._eager_because or ""
    found += [EagerConcreteFunction(function._label, g, because) for g in function._hosted.values()]
    return found, because


def _tracer(function: Any, **kwargs: Any) -> Callable[..., Any]:
    """Return what traces a function, and fails where its program needs to know a size."""

    def trace(*specs: Any) -> Any:
        made = function.get_concrete_function(*specs, **kwargs)
        if not isinstance(made, OpenRank) and made.given is not None:
            _ready(made)
        return made

    return trace


def _of_ranks(function: OpenRank, first: int = 0) -> list[Any]:
    """Return the concrete functions for the ranks that it can be traced for, `first` before."""
    found: list[Any] = []
    for rank in sorted(_RANKS, key=lambda rank: rank != first):
        args, kwargs = function.arguments_of_rank(rank)
        try:
            with warnings.catch_warnings():  # that it is traced for each rank is no mistake
                warnings.filterwarnings("ignore", ".* was traced [0-9]+ times")
                found.append(with_found_sizes(_tracer(function.function, **kwargs), args))
        except (ValueError, TypeError, errors.OpError):
            continue  # the function is not made for that rank
    return found


def _ready(concrete: Any) -> _Ready:
    """Return a concrete function as a program."""
    if concrete.given is None:
        raise NotSavableError("it runs eagerly, so that there is no program to save")
    kept = concrete.__dict__.get("_saved")
    if kept is None:
        given = concrete.given
        positional = [v for _, v in _values(given)]
        args = {
            "positional": [described(v) for v in positional],
            "keywords": {k: described(v) for k, v in given.keywords.items()},
        }
        if isinstance(concrete, EagerConcreteFunction):  # because of strings, if it can be recorded
            recorded = given.owner.record_given(given)
        else:
            recorded = concrete
        closed = recorded._closed
        program = _exported(closed)
        outputs = described(recorded._structure)
        kept = concrete.__dict__["_saved"] = _Ready(
            args, outputs, program, closed.outer, closed.written
        )
    return kept


def _exported(closed: Any) -> Any:
    return export_stages(closed) if has_strings(closed.trace) else export_program(closed)


def _values(given: Any) -> list[tuple[str, Any]]:
    named = [(name, value) for name, (_, value) in given.named().items()]
    return named[: len(given.positional)]


# -- signatures


def _asked(obj: Any, signatures: Any) -> dict[str, tuple[_Ready, list[str]]]:
    """Return a program and the names of its inputs for each signature."""
    if signatures is None:
        return _default(obj)
    if not isinstance(signatures, Mapping):
        signatures = {DEFAULT_SIGNATURE: signatures}
    return {name: _signature(function) for name, function in signatures.items()}


def _default(obj: Any) -> dict[str, tuple[_Ready, list[str]]]:
    if isinstance(obj, Layer):
        found = model_function(obj)
        if found is None:
            return {}
        count = len(specs_of({"list": _notes(found)}))
        names = ["inputs" if i == 0 else f"inputs_{i}" for i in range(count)]
        return {DEFAULT_SIGNATURE: (found, names)}
    possible: list[Any] = []
    for _, function in _functions_of(obj):
        if getattr(function, "input_signature", None) is not None:
            ready = _concretes_of(function).ready
            if len(ready) == 1 and named_outputs(ready[0].outputs) is not None:
                possible.append(function)
    return {DEFAULT_SIGNATURE: _signature(possible[0])} if len(possible) == 1 else {}


def _notes(ready: _Ready) -> list[Any]:
    return [*ready.args["positional"], *ready.args["keywords"].values()]


def _signature(function: Any) -> tuple[_Ready, list[str]]:
    if isinstance(function, Signature):
        return _together([_loaded(c) for c in function.concretes]), function.inputs_by_name
    concrete = function
    if isinstance(function, Function):
        specs = function.input_signature
        concrete = None if specs is None else with_found_sizes(_tracer(function), specs)
    others: list[Any] = []
    if isinstance(concrete, OpenRank):
        # Where there is no program at all, tracing for one rank says why.
        concrete, *others = _of_ranks(concrete, first=1) or [concrete.of_rank(1)]
    if isinstance(function, LoadedFunction) and len(function.concretes) == 1:
        ready = _loaded(function.concretes[0])
        return ready, input_names(_notes(ready), [p[0] for p in function.parameters])
    if concrete is None or not hasattr(concrete, "given"):
        raise ValueError(
            f"Expected a TensorFlow function for which to generate a signature, but got "
            f"{function!r}. Only `tf.functions` with an input signature or concrete functions can "
            f"be used as a signature.\n  Fix: pass f.get_concrete_function(tf.TensorSpec(...))."
        )
    ready = _together([_ready(concrete), *map(_ready, others)])
    if named_outputs(ready.outputs) is None:
        raise ValueError(
            f'The function "{concrete.name}" cannot be a signature: it must return a single '
            f"Tensor, a sequence of Tensors, or a dictionary from string to Tensor."
        )
    return ready, input_names(_notes(ready), list(concrete.given.named()))


def _loaded(concrete: Any) -> _Ready:
    c = concrete
    return _Ready(c.args, c.outputs, c.program, c.outer, c.written)


def _together(ready: list[_Ready]) -> _Ready:
    """Return the first with the others, those with results of the same structure."""
    first, *others = ready
    first.others = [r for r in others if named_outputs(r.outputs) == named_outputs(first.outputs)]
    return first


def model_function(model: Any, given: Any = None) -> _Ready | None:
    """Return the inference of a Keras layer or model as a program; None if it was never called.

    Args:
        model: The layer or model.
        given: (arguments, keyword arguments) with KerasTensors; None takes those of its first call.
    """
    for is_open in (True, False):
        found = given or arguments_as_built(model, is_open)
        if found is None:
            return None
        args, kwargs = found
        try:
            return _traced_model(model, args, kwargs)
        except errors.InvalidArgumentError:
            raise
        except Exception:  # `call` needs to know the batch size
            if given or not is_open:
                raise
    return None


def _traced_model(model: Any, args: Any, kwargs: Any) -> _Ready:
    from_symbols = [_specs(a) for a in args]
    named = {k: _specs(v) for k, v in kwargs.items()}
    notes = {
        "positional": [described(a) for a in from_symbols],
        "keywords": {k: described(v) for k, v in named.items()},
    }
    specs = specs_of({"list": [*notes["positional"], *notes["keywords"].values()]})
    closed, structure = calling.trace(model, args, kwargs, [s.type() for s in specs])
    return _Ready(notes, described(structure), _exported(closed), closed.outer, closed.written)


def _specs(value: Any) -> Any:
    if isinstance(value, KerasTensor | Tensor):
        return TensorSpec(value.shape, value.dtype)
    if isinstance(value, Mapping):
        return {k: _specs(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_specs(v) for v in value])
    return value
