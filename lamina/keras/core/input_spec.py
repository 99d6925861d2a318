"""InputSpec: what a layer demands of its inputs, checked at each call."""

from typing import Any

from lamina.engine import Tensor, as_dtype, nest
from lamina.keras.core.checks import label
from lamina.nest import flatten as flatten_whole

__all__ = ["InputSpec", "assert_compatible"]


class InputSpec:
    """Rank, shape, dtype and axis sizes that an input must have.

    Args:
        dtype: The dtype, or None for any.
        shape: The shape, None for unknown sizes, or None for any.
        ndim: The number of axes, or None.
        max_ndim: The most axes, or None.
        min_ndim: The fewest axes, or None.
        axes: Sizes by axis.
        allow_last_axis_squeeze: Whether a last axis of size 1 may be missing or too many.
        name: The key of the input in a dict, or None.
        optional: Whether the input may be None.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else as_dtype(dtype).name
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {k: v for k, v in vars(self).items() if k != "optional"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "InputSpec":
        """Return a spec from what `get_config` gave."""
        return cls(**config)

    def __repr__(self) -> str:
        given = {k: v for k, v in vars(self).items() if v}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in given.items())})"


def assert_compatible(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Check the first argument of a call, which may have come by name, against `input_spec`.

    Raises:
        ValueError: an input has another rank, shape or dtype; or there are too few.
    """
    if not args and layer._lm_spec.first not in kwargs:
        return  # Python says which argument is missing
    first = args[0] if args else kwargs[layer._lm_spec.first]
    specs = nest.flatten(layer.input_spec)
    inputs = nest.flatten(first)
    if len(inputs) != len(specs) and nest.has_composites(first):  # ragged or sparse values
        inputs = flatten_whole(first)
    if len(inputs) != len(specs):
        raise ValueError(
            f"{label(layer)}: expected {len(specs)} inputs; got {len(inputs)}.\n"
            f"  Fix: pass a list of {len(specs)} Tensors."
        )
    for spec, x in zip(specs, inputs, strict=True):
        if spec is None or (x is None and spec.optional) or not isinstance(x, Tensor):
            continue
        reason = _mismatch(spec, x)
        if reason is not None:
            raise ValueError(
                f"{label(layer)}: the input must have {reason[0]}; got {reason[1]}, full shape "
                f"{x.shape}, dtype {x.dtype.name}.\n"
                f"  Fix: reshape or cast the input, or look at what the layer before it gives."
            )


def _mismatch(spec: InputSpec, x: Tensor) -> tuple[str, str] | None:
    shape = tuple(x.shape)
    ndim = len(shape)
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and ndim != spec.ndim:
        return f"{spec.ndim} axes", f"{ndim}"
    if spec.max_ndim is not None and ndim > spec.max_ndim:
        return f"at most {spec.max_ndim} axes", f"{ndim}"
    if spec.min_ndim is not None and ndim < spec.min_ndim:
        return f"at least {spec.min_ndim} axes", f"{ndim}"
    if spec.dtype is not None and x.dtype.name != spec.dtype:
        return f"dtype {spec.dtype}", x.dtype.name
    for axis, size in spec.axes.items():
        if size is not None and -ndim <= axis < ndim and shape[axis] not in (size, None):
            return f"size {size} along axis {axis}", f"size {shape[axis]}"
    if spec.shape is not None:
        return _shape_mismatch(spec, shape)
    return None


def _shape_mismatch(spec: InputSpec, shape: tuple[Any, ...]) -> tuple[str, str] | None:
    wanted = spec.shape
    assert wanted is not None
    if spec.allow_last_axis_squeeze:
        wanted = wanted[:-1] if wanted and wanted[-1] == 1 else wanted
        shape = shape[:-1] if shape and shape[-1] == 1 else shape
    differs = len(wanted) != len(shape) or any(
        a is not None and b is not None and a != b for a, b in zip(wanted, shape, strict=False)
    )
    return (f"shape {spec.shape}", f"shape {shape}") if differs else None
