"""What the Tensors of a program that is being recorded are called, as TensorFlow calls them."""

from __future__ import annotations

import collections
import keyword
import re
from collections.abc import Iterator
from typing import Any

from lamina.engine import Tensor, TensorSpec, nest
from lamina.engine.signature import signatures

__all__ = ["argument_specs", "clean", "name_of", "node_name", "structured_inputs", "type_of"]

# TF's types of operations, where they are not the words of the function's name.
_TYPES = {
    "add": "AddV2",
    "argmax": "ArgMax",
    "argmin": "ArgMin",
    "avg_pool": "AvgPool",
    "call": "PartitionedCall",
    "concat": "ConcatV2",
    "conv": "Conv2D",
    "conv2d": "Conv2D",
    "det": "MatrixDeterminant",
    "divide": "RealDiv",
    "floordiv": "FloorDiv",
    "floormod": "FloorMod",
    "gather": "GatherV2",
    "integer_pow": "Pow",
    "inv": "MatrixInverse",
    "matmul": "MatMul",
    "multiply": "Mul",
    "negative": "Neg",
    "read": "StridedSlice",
    "read_row": "StridedSlice",
    "reduce_all": "All",
    "reduce_any": "Any",
    "reduce_logsumexp": "ReduceLogSumExp",
    "reduce_max": "Max",
    "reduce_mean": "Mean",
    "reduce_min": "Min",
    "reduce_prod": "Prod",
    "reduce_sum": "Sum",
    "reverse": "ReverseV2",
    "select": "SelectV2",
    "stack": "Pack",
    "subtract": "Sub",
    "switch": "Case",
    "tensor_scatter": "TensorScatterUpdate",
    "top_k": "TopKV2",
    "truediv": "RealDiv",
}
# Names that TF gives to results, where they are not the type: those of Python's operators and of
# functions that are made of several operations.
_NAMES = {
    "add": "add",
    "bitcast": "Bitcast",
    "clip_by_value": "clip_by_value",
    "concat": "concat",
    "divide": "truediv",
    "dropout_from": "dropout/SelectV2",
    "einsum": "einsum/Einsum",
    "filled": "Fill",
    "floordiv": "floordiv",
    "floormod": "mod",
    "full": "zeros",
    "full_like": "zeros_like",
    "integer_pow": "pow",
    "l2_normalize": "l2_normalize",
    "linspace": "linspace",
    "meshgrid": "meshgrid",
    "multiply": "mul",
    "norm": "norm",
    "normal_from": "random_normal",
    "one_hot": "one_hot",
    "pack": "packed",
    "range": "range",
    "read": "strided_slice",
    "read_row": "strided_slice",
    "sigmoid_cross_entropy": "logistic_loss",
    "split": "split",
    "stack": "stack",
    "subtract": "sub",
    "switch": "cond",
    "tensordot": "Tensordot",
    "transpose": "transpose",
    "truediv": "truediv",
    "uniform_from": "random_uniform",
    "unstack": "unstack",
    "while": "while",
}


def type_of(name: str) -> str:
    """Return TF's type of the operation that a signature names."""
    label = name.strip("_")
    backward = label.endswith("_vjp")
    label = label.removesuffix("_vjp")
    found = _TYPES.get(label) or "".join(part.capitalize() for part in label.split("_"))
    return f"{found}Grad" if backward else found


def node_name(name: str) -> str:
    """Return the name that TF gives to the operation that a signature names."""
    return _NAMES.get(name.strip("_")) or type_of(name)


def clean(name: str | None) -> str:
    """Return a name with what TF does not allow in one replaced."""
    made = re.sub(r"[^A-Za-z0-9_./-]", "_", name or "")
    return made if made and not keyword.iskeyword(made) else f"{made}_"


def structured_inputs(concrete: Any) -> Any:
    """Return (positional, keywords) of what is traced for something, TensorSpecs with names."""
    if concrete.given is None:
        return None
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, (kind, value) in concrete.given.named().items():
        if kind == "KEYWORD_ONLY":
            kwargs[name] = _with_names(name, value)
        else:
            args.append(_with_names(name, value))
    return tuple(args), kwargs


def argument_specs(concrete: Any) -> list[TensorSpec]:
    """Return the named TensorSpecs of the arguments, in the order of a program's inputs."""
    structured = structured_inputs(concrete)
    return [s for s in nest.flatten(structured) if isinstance(s, TensorSpec)]


def _with_names(name: str, value: Any) -> Any:
    """Return an argument whose TensorSpecs are named as TF names them."""
    if isinstance(value, TensorSpec):
        return value if value.name else TensorSpec(value.shape, value.dtype, name)
    if isinstance(value, dict):
        return type(value)((k, _with_names(f"{name}_{k}", v)) for k, v in value.items())
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_with_names(f"{name}_{i}", v) for i, v in enumerate(value))
    return value


# ---- while a program is recorded ------------------------------------------------------------


def name_of(tensor: Tensor) -> str:
    """Return the name of a Tensor that has no value, as "x:0" or "add_1:0".

    Names are found when they are asked for: nothing is noted while operations are recorded, so a
    `name=` of an operation is not among them.
    """
    trace: Any = tensor._trace
    slot = tensor._slot
    for first, count, name in _inputs(trace) if slot < 0 else _operations(trace):
        if first <= (~slot if slot < 0 else slot) < first + count:
            return f"{name}:{(~slot if slot < 0 else slot) - first}"
    return "Placeholder:0"  # a program that keeps no equations


def _inputs(trace: Any) -> Iterator[tuple[int, int, str]]:
    """Yield (slot, 1, name) of each input: arguments, then what the program reads."""
    given = getattr(trace, "given", None)
    names = [] if given is None else _argument_names(given)
    others = "Placeholder" if given is None else "ReadVariableOp"
    seen: collections.Counter[str] = collections.Counter()
    for i in range(len(getattr(trace, "types", ()))):
        yield i, 1, _numbered(names[i] if i < len(names) else others, seen)


def _argument_names(given: Any) -> list[str]:
    """Return a name for each Tensor among arguments: its spec's, or the parameter's."""
    found: list[str] = []
    for name, (_, value) in given.named().items():
        specs = [s for s in nest.flatten(value) if isinstance(s, TensorSpec)]
        found += [clean(s.name or name) for s in specs]
    signature = getattr(given.owner, "input_signature", None)
    if signature is not None:  # specs of the call at hand stand for these
        named = [s.name for s in nest.flatten(signature) if isinstance(s, TensorSpec)]
        if len(named) == len(found):
            found = [clean(a) if a else b for a, b in zip(named, found, strict=True)]
    return found


def _operations(trace: Any) -> Iterator[tuple[int, int, str]]:
    """Yield (first slot, count of outputs, name) of each operation."""
    seen: collections.Counter[str] = collections.Counter()
    place = 0
    for equation in getattr(trace, "equations", ()):
        signature = signatures[equation[0]]
        count = len(signature.outputs)
        yield place, count, _numbered(node_name(signature.name), seen)
        place += count


def _numbered(name: str, seen: collections.Counter[str]) -> str:
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}_{seen[name] - 1}"
