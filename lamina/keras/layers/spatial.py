"""What layers over 1, 2 or 3 spatial axes share: the rank, the layout, defaults for each axis."""

import types
from typing import Any, ClassVar

from lamina.keras import policy
from lamina.keras.core import Layer, checks

__all__ = ["Spatial"]


class Spatial(Layer):
    """A layer on ``(B, *space, C)``, or on ``(B, C, *space)`` with "channels_first".

    A subclass that sets `rank` gets the constructor of its base, with the defaults in `per_axis`
    repeated for each axis: ``strides=1`` is ``(1, 1)`` in Conv2D, as in Keras.

    Args:
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Raises:
        ValueError: an unknown data format.
    """

    rank: ClassVar[int] = 0
    per_axis: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "rank" in cls.__dict__ and cls.rank > 1 and "__init__" not in cls.__dict__:
            cls.__init__ = _with_defaults(cls.__init__, cls.per_axis, cls.rank)

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = policy.standardize_data_format(data_format)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, counted from the end."""
        return -1 if self.data_format == "channels_last" else -1 - self.rank

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The spatial axes of an input with one batch axis."""
        start = 1 if self.data_format == "channels_last" else 2
        return tuple(range(start, start + self.rank))

    def per_axis_sizes(self, argument: str, value: Any, allow_zero: bool = False) -> tuple[int, ...]:
        """Return an int, or one int for each spatial axis, as a tuple."""
        return checks.sizes(self, argument, value, self.rank, allow_zero)


def _with_defaults(init: Any, names: tuple[str, ...], rank: int) -> Any:
    """Return a copy of a constructor with the defaults of some arguments repeated `rank` times."""
    defaults = init.__defaults__ or ()
    arguments = init.__code__.co_varnames[: init.__code__.co_argcount][-len(defaults) or None :]
    repeated = tuple(
        (value,) * rank if name in names and isinstance(value, int) else value
        for name, value in zip(arguments, defaults, strict=True)
    )
    made = types.FunctionType(
        init.__code__, init.__globals__, init.__name__, repeated, init.__closure__
    )
    made.__kwdefaults__ = init.__kwdefaults__
    made.__annotations__ = init.__annotations__
    made.__qualname__ = init.__qualname__
    made.__module__ = init.__module__
    return made
