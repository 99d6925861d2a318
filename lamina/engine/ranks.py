# What `nest` finds in a structure is unknown.
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false
# pyright: reportUnknownMemberType=false
"""Concrete functions for Tensors of any rank: one program for each rank that comes."""

from __future__ import annotations

from typing import Any

from lamina.engine import nest
from lamina.engine.concrete import Described, Given
from lamina.engine.shapes import TensorShape
from lamina.engine.spec import TensorSpec

__all__ = ["OpenRank"]


class OpenRank(Described):
    """A `tf.function` for arguments of which some may have any rank.

    Attributes:
        function: The `tf.function`.
        arguments: Its arguments, TensorSpecs in place of Tensors.
        name: The Python function's name.
        given: What its parameters stand for.
    """

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self.function = function
        self.arguments = arguments
        self.name = function.__name__
        self.given = Given(function.python_function, arguments, function)
        function.__dict__.setdefault("open_ranks", []).append(self)  # a SavedModel holds them

    @property
    def structured_outputs(self) -> Any:
        """What the function returns, TensorSpecs of any rank in place of Tensors."""
        return nest.map_structure(
            lambda spec: None if spec is None else TensorSpec(None, spec.dtype),
            self.of_rank(1).structured_outputs,
        )

    def arguments_of_rank(self, rank: int) -> tuple[list[Any], dict[str, Any]]:
        """Return the arguments for one rank, all sizes unknown."""

        def fixed(value: Any) -> Any:
            if isinstance(value, TensorSpec) and value.shape == TensorShape(None):
                return TensorSpec([None] * rank, value.dtype, value.name)
            return value

        given = self.given
        keywords = {k: nest.map_structure(fixed, v) for k, v in given.keywords.items()}
        return [nest.map_structure(fixed, a) for a in given.positional], keywords

    def of_rank(self, rank: int) -> Any:
        """Return the concrete function for one rank."""
        positional, keywords = self.arguments_of_rank(rank)
        return self.function.get_concrete_function(*positional, **keywords)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run on arguments of the signature; its Python values may be left out.

        Raises:
            TypeError: the arguments do not fit the signature.
        """
        given = self.given
        values = given.bind(args, kwargs, self.name)
        count = len(given.positional)
        return self.function(
            *values[:count], **dict(zip(given.keywords, values[count:], strict=True))
        )
