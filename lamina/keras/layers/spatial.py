"""What layers over 1, 2 or 3 spatial axes share: the rank, the layout, defaults for each axis."""

import inspect
import types
from typing import Any, ClassVar

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import policy
from lamina.keras.core import InputSpec, Layer, checks
from lamina.keras.layers.biases import activated, add_bias

__all__ = ["Convolution", "Spatial", "with_sections"]


class Spatial(Layer):
    """A layer on ``(B, *space, C)``, or on ``(B, C, *space)`` with "channels_first".

    A subclass that sets `rank` gets the constructor of its base, with the defaults in `per_axis`
    repeated for each axis: ``strides=1`` is ``(1, 1)`` in Conv2D, as in Keras. Its docstring is
    a summary and an example; the sections in between come from the base too.

    Args:
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Raises:
        ValueError: an unknown data format.
    """

    # Of the class in its families; ConvLSTMCell, one class for all ranks, sets its own.
    rank: int = 0
    per_axis: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if "rank" not in cls.__dict__:
            return
        cls.__doc__ = with_sections(cls.__doc__, cls.__mro__[1].__doc__)
        if cls.rank > 1 and "__init__" not in cls.__dict__:
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

    def per_axis_sizes(
        self, argument: str, value: Any, allow_zero: bool = False
    ) -> tuple[int, ...]:
        """Return an int, or one int for each spatial axis, as a tuple."""
        return checks.sizes(self, argument, value, self.rank, allow_zero)


class Convolution(Spatial):
    """What all convolutions do the same way: checks of steps and padding, channels, the bias.

    The constructors of the families below set the attributes: `kernel_size`, `padding`,
    `strides`, `dilation_rate`, `use_bias`, `bias_initializer`, `bias_regularizer`,
    `bias_constraint`, `bias`.
    """

    kernel_size: tuple[int, ...]
    padding: str
    strides: tuple[int, ...]
    dilation_rate: tuple[int, ...]
    use_bias: bool
    bias_initializer: Any
    bias_regularizer: Any
    bias_constraint: Any
    bias: Any

    def checked_padding(self, padding: str, causal: bool) -> str:
        """Return a padding in lower case."""
        allowed = ("valid", "same", "causal") if causal else ("valid", "same")
        name = padding.lower() if isinstance(padding, str) else padding
        return checks.choice(self, "padding", name, allowed)

    def check_steps(self) -> None:
        """Raise unless strides or dilations are all 1."""
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{checks.label(self)}: `strides` or `dilation_rate` must be 1; got strides "
                f"{self.strides}, dilation_rate {self.dilation_rate}.\n"
                f"  Fix: stride in one layer, dilate in another."
            )

    def known_channels(self, input_shape: Shape) -> int:
        """Return the number of channels, and hold later inputs to it."""
        ndim = self.rank + 2
        exactly = getattr(self.input_spec, "ndim", None) is not None
        checks.rank(self, input_shape, **{"expected" if exactly else "at_least": ndim})
        channels = checks.known_size(self, input_shape, self.channel_axis)
        limits: dict[str, Any] = {"ndim" if exactly else "min_ndim": ndim}
        self.input_spec = InputSpec(**limits, axes={self.channel_axis: channels})
        return channels

    def check_windows(self, input_shape: Shape) -> None:
        """Raise where a window is larger than the input and nothing is added around it."""
        if self.padding != "valid" or len(input_shape) != self.rank + 2:
            return
        sizes = [input_shape[axis] for axis in self.spatial_axes]
        spans = [(k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True)]
        if any(n is not None and n < span for n, span in zip(sizes, spans, strict=True)):
            raise ValueError(
                f"{checks.label(self)}: windows of {tuple(spans)} must fit into the input's "
                f"spatial axes; got an input of shape {tuple(input_shape)}.\n"
                f"  Fix: padding='same', a smaller kernel_size, or larger inputs."
            )

    def bias_weight(self, size: int, initializer: Any = None) -> Any:
        """Return the bias, ``(size,)``, or None."""
        if not self.use_bias:
            return None
        return self.add_weight(
            name="bias",
            shape=(size,),
            initializer=initializer or self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def finished(self, y: Tensor) -> Tensor:
        """Return the activation of `y` plus the bias of each channel."""
        if self.bias is None:
            return activated(self, y)
        if self.data_format == "channels_last":
            return activated(self, ops.add(y, self.bias))
        return activated(self, add_bias(y, ops.reshape(self.bias, [-1, *[1] * self.rank])))


def with_sections(own: str | None, base: str | None) -> str | None:
    """Return a docstring with the details and sections of another before its example."""
    if own is None or base is None:
        return own
    if "Args:" in own:
        return own
    summary, _, example = inspect.cleandoc(own).partition("\nExample:")
    details = inspect.cleandoc(base).partition("\n\n")[2]
    return f"{summary.rstrip()}\n\n{details}\nExample:{example}\n"


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
