"""Normalization: bring features to mean 0 and variance 1, by statistics of a data set."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Shape, Tensor, Variable, convert_to_tensor
from lamina.keras import policy
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.base import DataLayer

__all__ = ["Normalization"]


class Normalization(DataLayer):
    """Return ``(x - mean) / sqrt(variance)``, with statistics given or learned by `adapt`.

    Args:
        axis: The axis, or axes, each position of which has its own mean and variance; None for
            one mean of everything. The batch axis, 0, is usually not among them.
        mean: The mean, if it is known: a number, or as many as the positions of `axis`.
        variance: The variance, given together with `mean`.
        invert: Whether to undo the normalization: ``x * sqrt(variance) + mean``.
        **kwargs: See `Layer`.

    Call:
        inputs: numbers, any shape; the sizes of `axis` must be known.

    Returns:
        Shape of `inputs`, in the layer's compute dtype. The mask passes through.

    Weights:
        mean, variance: the sizes of `axis`, and a count that is not used; none of them if
        `mean` is given. They are not trained.

    Raises:
        ValueError: only one of `mean` and `variance` is given, their shapes differ, or an axis
            is out of range or of unknown size.

    Example:
        >>> layer = tf.keras.layers.Normalization(axis=None)
        >>> layer.adapt(np.array([1.0, 3.0], "float32"))
        >>> layer([1.0, 2.0, 5.0]).numpy()
        array([-1.,  0.,  3.], dtype=float32)
    """

    supports_masking = True
    _config_omit = ("mean", "variance")  # `get_config` adds those that were given
    _build_input_shape: tuple[int | None, ...] | None

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.axis = () if axis is None else checks.int_tuple(self, "axis", axis)
        self.input_mean = _plain(mean)
        self.input_variance = _plain(variance)
        self.invert = invert
        self._build_input_shape = None
        self._check_given()

    def _check_given(self) -> None:
        mean, variance = self.input_mean, self.input_variance
        if (mean is None) != (variance is None):
            raise ValueError(
                f"{checks.label(self)}: `mean` and `variance` must be given together; got "
                f"mean={mean!r}, variance={variance!r}."
            )
        if mean is None:
            return
        if np.shape(mean) != np.shape(variance):
            raise ValueError(
                f"{checks.label(self)}: `mean` and `variance` must have one shape; got "
                f"{np.shape(mean)} and {np.shape(variance)}."
            )
        if np.ndim(mean) > len(self.axis):
            raise ValueError(
                f"{checks.label(self)}: `mean` must have at most as many axes as `axis` names, "
                f"{len(self.axis)}; got shape {np.shape(mean)} for axis {self.axis}."
            )

    def build(self, input_shape: Shape):
        ndim = len(input_shape)
        kept = sorted(checks.axis_in_range(self, "axis", a, ndim) for a in self.axis)
        sizes = tuple(checks.known_size(self, input_shape, a) for a in kept)
        self._build_input_shape = tuple(input_shape)
        self._reduced = tuple(a for a in range(ndim) if a not in kept)
        self._line = tuple(sizes[kept.index(a)] if a in kept else 1 for a in range(ndim))
        if self.input_mean is None:
            add = self.add_weight
            self.adapt_mean = add("mean", shape=sizes, initializer="zeros", trainable=False)
            self.adapt_variance = add("variance", shape=sizes, initializer="ones", trainable=False)
            self.count = add("count", shape=(), dtype="int64", initializer="zeros", trainable=False)
            return
        shape = np.shape(self.input_mean)
        lined = [1] * ndim
        for i in range(1, len(shape) + 1):
            lined[kept[-i]] = shape[-i]
        self._fixed = tuple(
            np.broadcast_to(np.reshape(np.asarray(v, self.compute_dtype), lined), self._line)
            for v in (self.input_mean, self.input_variance)
        )

    def _statistic(self, given: int, weight: str) -> Tensor | None:
        if self._build_input_shape is None:
            return None
        if self.input_mean is not None:
            return convert_to_tensor(self._fixed[given])
        return ops.cast(ops.reshape(getattr(self, weight), self._line), self.compute_dtype)

    @property
    def mean(self) -> Tensor | None:
        """The mean, in a shape that broadcasts to the inputs; None before the layer is built."""
        return self._statistic(0, "adapt_mean")

    @property
    def variance(self) -> Tensor | None:
        """The variance, as `mean`."""
        return self._statistic(1, "adapt_variance")

    def adapt(self, data: Any) -> None:
        """Set mean and variance to those of a data set.

        Args:
            data: An array or Tensor; or a dataset, `PyDataset`, generator or list of batches,
                where of a tuple the first entry counts.

        Raises:
            ValueError: there are no batches, or they do not fit the shape the layer is built for.
            TypeError: a batch has no shape, or `data` cannot be iterated.
        """
        total = None
        for batch in self._batches(data):
            if self._build_input_shape is None:
                self.build(batch.shape)
            self._check_batch(batch.shape)
            total = _merged(total, batch.astype(np.float64), self._reduced)
        if total is None:
            raise ValueError(
                f"{checks.label(self)}: `adapt` needs at least one batch; got an empty iterable.\n"
                f"  Fix: a generator gives its batches once; pass a list or a dataset."
            )
        if self.input_mean is None:
            self.adapt_mean.assign(total[1].astype(self.variable_dtype))
            self.adapt_variance.assign(total[2].astype(self.variable_dtype))

    def finalize_state(self) -> None:
        """Do nothing: `mean` and `variance` follow the weights, also where those were loaded."""

    def _batches(self, data: Any) -> Any:
        if isinstance(data, np.ndarray | Tensor | Variable) or hasattr(data, "to_numpy"):
            yield np.asarray(data)
            return
        if hasattr(data, "num_batches") and hasattr(data, "__getitem__"):
            data = map(data.__getitem__, range(len(data)))
        elif len(getattr(_first(getattr(data, "element_spec", None)), "shape", ((),) * 2)) == 1:
            data = data.batch(128)  # single examples, which TF batches too
        if not hasattr(data, "__iter__"):
            raise TypeError(
                f"{checks.label(self)}: `adapt` takes an array, a dataset or batches; got "
                f"{data!r} ({type(data).__name__})."
            )
        for batch in data:
            batch = _first(batch)
            if not hasattr(batch, "shape"):
                raise TypeError(
                    f"{checks.label(self)}: `adapt` takes batches with a shape; got one of type "
                    f"{type(batch).__name__}.\n  Fix: np.array(data) for a list of numbers."
                )
            yield np.asarray(batch)

    def _check_batch(self, shape: tuple[int, ...]) -> None:
        built = self._build_input_shape
        assert built is not None
        if len(shape) != len(built) or any(
            shape[a] != built[a] for a in range(len(built)) if a not in self._reduced
        ):
            raise ValueError(
                f"{checks.label(self)}: `adapt` needs data that fit the shape {built} of the "
                f"build, apart from the axes {self._reduced}; got an incompatible shape, {shape}."
            )

    def call(self, inputs: Tensor) -> Tensor:
        x = checks.real(self, inputs, self.compute_dtype)
        deviation = ops.maximum(ops.sqrt(self.variance), policy.epsilon())
        return x * deviation + self.mean if self.invert else (x - self.mean) / deviation

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name; learned statistics are weights."""
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **given}

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shape that the layer is built for."""
        shape = self._build_input_shape
        return None if shape is None else {"input_shape": shape}

    def build_from_config(self, config: dict[str, Any] | None) -> None:
        """Build the layer for the shape that `get_build_config` gave."""
        if config:
            self.build(Shape(config["input_shape"]))


def _plain(value: Any) -> Any:
    return value if value is None else np.asarray(value).tolist()


def _first(item: Any) -> Any:
    return item[0] if isinstance(item, tuple) else item


def _merged(
    total: tuple[int, Any, Any] | None, batch: np.ndarray, axes: tuple[int, ...]
) -> tuple[int, Any, Any]:
    """Return (count, mean, variance) of all batches so far and one more."""
    count = int(np.prod([batch.shape[a] for a in axes], dtype=np.int64))
    mean, variance = batch.mean(axis=axes), batch.var(axis=axes)
    if total is None:
        return count, mean, variance
    before, old_mean, old_variance = total
    share = count / (before + count)
    new_mean = old_mean + (mean - old_mean) * share
    spread = (old_variance + (old_mean - new_mean) ** 2) * (1 - share)
    return before + count, new_mean, spread + (variance + (mean - new_mean) ** 2) * share
