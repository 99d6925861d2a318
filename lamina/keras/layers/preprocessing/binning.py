"""Discretization: numbers into bins, whose boundaries are given or learned as quantiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor
from lamina.keras.core import KerasTensor, checks
from lamina.keras.layers.preprocessing.base import (
    HOT,
    DataLayer,
    as_output_mode,
    as_sparse,
    batches_of,
    encoded,
    encoded_shape,
)

__all__ = ["Discretization"]


class Discretization(DataLayer):
    """Return the number of the bin that each input lies in.

    Args:
        bin_boundaries: The inner boundaries, ascending: ``[0, 1]`` makes the bins ``(-inf, 0)``,
            ``[0, 1)`` and ``[1, inf)``.
        num_bins: The number of bins that `adapt` is to find, in place of `bin_boundaries`.
        epsilon: How far, as a share of the data, a learned boundary may be off.
        output_mode: "int", "one_hot", "multi_hot" or "count", as `CategoryEncoding`.
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        dtype: The dtype of the encodings.
        name: The name.

    Call:
        inputs: numbers, any shape.

    Returns:
        int32 in the shape of `inputs`; encodings are of the layer's dtype.

    State:
        bin_boundaries: set by `adapt`.

    Raises:
        ValueError: both or none of `bin_boundaries` and `num_bins` are given; or the layer is
            called before `adapt`.

    Example:
        >>> layer = tf.keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
        >>> layer([[-1.5, 1.0, 3.4, 0.5]]).numpy()
        array([[0, 2, 3, 1]], dtype=int32)
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.output_mode = as_output_mode(self, output_mode, ("int", *HOT))
        self.sparse = as_sparse(self, sparse, output_mode)
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"{checks.label(self)}: `num_bins` must be greater than or equal to 0; got "
                f"{num_bins!r}."
            )
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                f"{checks.label(self)}: `bin_boundaries` or `num_bins` must be given, and not "
                f"both; got bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}."
            )
        self.bin_boundaries = None if bin_boundaries is None else _floats(bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.reset_state()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the boundaries to quantiles of a data set.

        Args:
            data: An array or Tensor; or a dataset, generator or list of batches.
            steps: The most batches to take, or None.

        Raises:
            ValueError: the layer was made with `bin_boundaries`.
        """
        if self.num_bins is None:
            raise ValueError(
                f"{checks.label(self)}: `adapt` finds boundaries for a layer made with "
                f"`num_bins`; this one has `bin_boundaries` {self.bin_boundaries}."
            )
        self.reset_state()
        if isinstance(data, list | tuple):
            data = iter(data)
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Take one batch into the summary of the data."""
        values = np.sort(np.asarray(data).astype("float32").reshape(-1))
        step = max(values.size * self.epsilon, 1)
        points = values[int(step - 1) :: int(step)]
        mine = np.stack([points, np.full_like(points, step)])
        both = np.concatenate([mine, self.summary], axis=1)
        self.summary = _compressed(both[:, np.argsort(both[0])], self.epsilon)

    def finalize_state(self) -> None:
        """Set the boundaries from the summary of the data."""
        if self.num_bins is not None:
            found = _compressed(self.summary, 1.0 / self.num_bins)
            self.bin_boundaries = found[0, :-1].tolist()

    def reset_state(self) -> None:
        """Forget the data."""
        if self.num_bins is not None:
            self.summary = np.zeros((2, 0), "float32")

    @property
    def output_dtype(self) -> str:
        """The dtype of the output, by name."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        bounds = self.bin_boundaries
        depth = self.num_bins if bounds is None else len(bounds) + 1
        assert depth is not None  # one of the two is given
        shape = tuple(input_shape)
        if self.output_mode in ("multi_hot", "count") and len(shape) > 2:
            return (shape[0], *shape[2:], depth)  # a sample is what lies along axis 1
        return encoded_shape(shape, self.output_mode, depth)

    def compute_output_spec(self, inputs: Any) -> Any:
        return KerasTensor(self.compute_output_shape(inputs.shape), self.output_dtype)

    def call(self, inputs: Tensor) -> Tensor:
        bounds = self.bin_boundaries
        if bounds is None:
            raise ValueError(
                f"{checks.label(self)}: the boundaries of the bins must be known; got none.\n"
                f"  Fix: layer.adapt(data) first, or pass `bin_boundaries`."
            )
        places = ops.digitize(inputs, boundaries=tuple(bounds))
        return encoded(places, self.output_mode, len(bounds) + 1, self.output_dtype)

    def load_own_variables(self, store: Any) -> None:
        """Read the summary that older files hold; the boundaries are in the config."""
        if len(store) == 1:
            self.summary = np.asarray(store["0"])

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name, the learned boundaries too."""
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Discretization":
        """Return the layer that a config describes, one that was adapted included."""
        config = dict(config)
        learned = None
        if config.get("num_bins") is not None:
            learned = config.pop("bin_boundaries", None)
        made = super().from_config(config)
        if learned is not None:
            made.bin_boundaries = _floats(learned)
        return made


def _floats(values: Any) -> list[float]:
    return np.asarray(values).tolist()


def _compressed(summary: np.ndarray, share: float) -> np.ndarray:
    """Return a summary, rows of points and of how many data each stands for, with few points.

    The new points are at the shares `share`, ``2 * share``, … of the data, interpolated.
    """
    points, weights = summary
    if points.size * share < 1:
        return summary
    wanted = share + np.arange(0.0, 1.0, share)
    below = weights.cumsum()
    shares = below / below[-1]
    reached = np.interp(wanted, shares, below)
    made = np.stack([np.interp(wanted, shares, points), np.diff(reached, prepend=0)])
    return made.astype("float32")
