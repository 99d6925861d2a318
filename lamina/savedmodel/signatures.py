"""The signatures of a SavedModel: functions of Tensors by name."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lamina.engine import Tensor, TensorShape, TensorSpec, Variable, convert_to_tensor
from lamina.engine.arguments import distinct
from lamina.savedmodel.structures import specs_of

__all__ = ["Signature", "SignatureMap", "input_names", "named_outputs"]


def _inputs_of(concrete: Any) -> list[TensorSpec]:
    args = concrete.args
    return specs_of({"list": [*args["positional"], *args["keywords"].values()]})


def _common_shape(specs: Sequence[TensorSpec]) -> TensorShape:
    """Return the shape of a spec for one rank; of several for any rank, the unknown one."""
    ranks = {s.shape.rank for s in specs}
    return specs[0].shape if len(ranks) == 1 else TensorShape(None)


class Signature:
    """A function of a SavedModel that takes Tensors by name and returns a dict of Tensors.

    Attributes:
        concretes: Its programs: one, or one for each rank that inputs of any rank may have.
        concrete: The first of them.
        inputs_by_name: The names of its Tensors, in order.
    """

    def __init__(self, name: str, concretes: Sequence[Any], inputs: Sequence[str]) -> None:
        self.name, self.concretes, self.inputs_by_name = name, list(concretes), list(inputs)
        self.concrete = self.concretes[0]

    @property
    def structured_input_signature(self) -> tuple[tuple[()], dict[str, TensorSpec]]:
        """No arguments by position, and the TensorSpecs by name."""
        return (), self._specs()

    def _specs(self) -> dict[str, TensorSpec]:
        columns = zip(*map(_inputs_of, self.concretes), strict=True)
        return {
            name: TensorSpec(_common_shape(specs), specs[0].dtype, name)
            for name, specs in zip(self.inputs_by_name, columns, strict=True)
        }

    @property
    def structured_outputs(self) -> dict[str, TensorSpec]:
        """The TensorSpecs of the results by name."""
        names = self._names(self.concrete.outputs)
        columns = zip(*[specs_of(c.outputs) for c in self.concretes], strict=True)
        return {
            name: TensorSpec(_common_shape(specs), specs[0].dtype, name)
            for name, specs in zip(names, columns, strict=True)
        }

    @property
    def inputs(self) -> list[TensorSpec]:
        """The TensorSpecs of the arguments."""
        return list(self._specs().values())

    @property
    def outputs(self) -> list[TensorSpec]:
        """The TensorSpecs of the results."""
        return list(self.structured_outputs.values())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables that it reads or assigns."""
        return self.concrete.variables

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """Those of them that are trainable."""
        return self.concrete.trainable_variables

    @staticmethod
    def _names(note: Any) -> list[str]:
        if "dict" in note:
            return [name for name, _ in note["dict"]]
        return [f"output_{i}" for i in range(len(specs_of(note)))]

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        """Run on Tensors by name; a single one may go by position.

        Raises:
            TypeError: an argument is missing, unknown or of another dtype or shape.
        """
        specs = self._specs()
        if args and len(args) == 1 and len(specs) == 1 and not kwargs:
            kwargs, args = dict(zip(specs, args, strict=True)), ()
        if args or kwargs.keys() != specs.keys():
            raise TypeError(
                f"Binding inputs to tf.function failed: the signature {self.name!r} takes "
                f"{specs} by name; got {len(args)} arguments by position and {sorted(kwargs)}."
            )
        found: list[Tensor] = []
        for name, spec in specs.items():
            try:
                tensor = convert_to_tensor(kwargs[name], spec.dtype)
            except ValueError as error:
                raise TypeError(
                    f"Binding inputs to tf.function failed: `{name}` of the signature "
                    f"{self.name!r} must fit {spec}.\n  Reason: {error}"
                ) from None
            if not spec.shape.is_compatible_with(tensor.shape):
                raise TypeError(
                    f"Binding inputs to tf.function failed: `{name}` of the signature "
                    f"{self.name!r} must fit {spec}; got shape {tensor.shape}."
                )
            found.append(tensor)
        result = self._of_ranks(found).run(found)
        if isinstance(result, dict):
            return result
        results = result if isinstance(result, list | tuple) else [result]
        return {f"output_{i}": value for i, value in enumerate(results)}

    def _of_ranks(self, tensors: Sequence[Tensor]) -> Any:
        """Return the program for Tensors that fit the signature."""
        for concrete in self.concretes:
            pairs = zip(_inputs_of(concrete), tensors, strict=True)
            if all(spec.shape.is_compatible_with(t.shape) for spec, t in pairs):
                return concrete
        raise TypeError(
            f"Binding inputs to tf.function failed: the signature {self.name!r} was saved for "
            f"other ranks; got shapes {[str(t.shape) for t in tensors]}."
        )

    def __repr__(self) -> str:
        shown = ", ".join(f"{k}: {v!r}" for k, v in self._specs().items())
        return f"<ConcreteFunction (*, {shown}) -> {self.structured_outputs}>"


class SignatureMap(Mapping[str, Signature]):
    """The signatures of a SavedModel by name."""

    def __init__(self, found: dict[str, Signature]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> Signature:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"_SignatureMap({self._found!r})"


def input_names(notes: list[Any], parameters: list[str]) -> list[str]:
    """Return a name for each Tensor among the arguments: of its spec, else of its parameter."""
    names: list[str] = []
    for parameter, note in zip(parameters, notes, strict=False):
        specs = specs_of(note)
        keys = [k for k, _ in note["dict"]] if "dict" in note else []
        own = [*keys, *[parameter] * len(specs)]
        names += [spec.name or base for spec, base in zip(specs, own, strict=False)]
    return distinct(names)


def named_outputs(note: Any) -> Any:
    """Return the names of a signature's results; None where they are no flat structure."""
    if "tensor" in note:
        return ["output_0"]
    pairs = note.get("dict") or [
        [f"output_{i}", n] for i, n in enumerate(note.get("list") or note.get("tuple") or ())
    ]
    return [k for k, _ in pairs] if pairs and all("tensor" in n for _, n in pairs) else None
