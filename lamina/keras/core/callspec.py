"""CallSpec: what a layer's `call` takes, read once for each class."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar

__all__ = ["CallSpec"]


class CallSpec:
    """The signature of one `call`.

    Attributes:
        names: Its parameters by position, without self.
        first: The name of the first.
        has_training: Whether it takes `training`.
        training_default: The default of `training`, None if it has none.
        masks: (position of the input or its name, name of the mask parameter) pairs: `mask` goes
            with the first input, `query_mask` with `query`.
    """

    __slots__ = ("first", "has_training", "masks", "names", "takes_any", "training_default")

    def __init__(self, call: Callable[..., Any]) -> None:
        parameters = list(inspect.signature(call).parameters.values())[1:]
        self.names = tuple(
            p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        )
        self.first = parameters[0].name if parameters else ""
        known = {p.name: p for p in parameters}
        self.takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.has_training = "training" in known
        default = known["training"].default if self.has_training else None
        self.training_default = None if default is inspect.Parameter.empty else default
        masks: list[tuple[int, str, str]] = []
        for i, name in enumerate(self.names):
            wanted = "mask" if i == 0 and "mask" in known else f"{name}_mask"
            if wanted in known and name != "mask":
                masks.append((i, name, wanted))
        self.masks = tuple(masks)

    _kept: ClassVar[dict[Callable[..., Any], "CallSpec"]] = {}

    @classmethod
    def of(cls, kind: type) -> "CallSpec":
        """Return the spec of a layer class's `call`."""
        call = kind.call  # type: ignore[attr-defined]
        found = cls._kept.get(call)
        if found is None:
            inner = getattr(call, "python_function", call)
            found = cls._kept[call] = cls(inner)
        return found
