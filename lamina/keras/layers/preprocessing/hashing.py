"""Layers that put strings and integers into bins by a hash, without a vocabulary."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, dtypes
from lamina.keras import policy
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.base import (
    HOT,
    DataLayer,
    as_output_mode,
    as_sparse,
    as_tensor,
    encoded,
    one_salt,
)

__all__ = ["HashedCrossing", "Hashing"]


class Hashing(DataLayer):
    """Return a bin for each string or integer, by its hash: FarmHash64, the same bin as in TF.

    Args:
        num_bins: The number of bins, N.
        mask_value: A value that gets bin 0 for itself; others get bins from 1 on. None has none.
        salt: One or two integers: the key of SipHash, which then takes FarmHash64's place.
        output_mode: "int", "one_hot", "multi_hot" or "count", as `CategoryEncoding`.
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        **kwargs: See `Layer`.

    Call:
        inputs: strings, or integers, which count by their decimal text; floats are cut off to
            integers. Any shape. Strings are hashed on the host, integers in compiled programs.

    Returns:
        int64 in [0, N), the shape of `inputs`; encodings are of `floatx`.

    Raises:
        ValueError: `num_bins` is not positive, the mode is unknown, the dtype does not fit the
            mode, or `salt` is neither one nor two integers.

    Example:
        >>> layer = tf.keras.layers.Hashing(num_bins=3)
        >>> layer([["A"], ["B"], ["C"]]).numpy().tolist()
        [[1], [0], [1]]

    Reference: https://github.com/google/farmhash; Aumasson and Bernstein 2012,
        https://www.131002.net/siphash/siphash.pdf.
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else policy.floatx()
        super().__init__(**kwargs)
        self.num_bins = checks.positive_int(self, "num_bins", num_bins)
        self.output_mode = as_output_mode(self, output_mode, ("int", *HOT))
        if output_mode == "int" and self.dtype not in ("int32", "int64"):
            raise ValueError(
                f"{checks.label(self)}: `dtype` must be 'int32' or 'int64' for output_mode "
                f"'int'; got {self.dtype!r}."
            )
        self.sparse = as_sparse(self, sparse, output_mode)
        self.mask_value = mask_value
        self.salt = one_salt(self, salt)

    def call(self, inputs: Tensor) -> Tensor:
        return encoded(self._bins(inputs), self.output_mode, self.num_bins, self.dtype)

    def _bins(self, values: Tensor) -> Tensor:
        masked = None
        buckets = self.num_bins
        if self.mask_value is not None and buckets > 1:
            masked = ops.equal(values, self.mask_value)
            buckets -= 1
        if not (values.dtype.is_integer or values.dtype is dtypes.string):
            values = checks.real(self, values, dtypes.int64)
        found = ops.hash_bucket(values, buckets, self.salt)
        return found if masked is None else ops.where(masked, ops.zeros_like(found), found + 1)


class HashedCrossing(DataLayer):
    """Return a bin for each combination of several features, by its hash, the same as in TF.

    Args:
        num_bins: The number of bins, N.
        output_mode: "int" or "one_hot".
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        name: The name.
        dtype: The dtype of the output; None is int64, or `floatx` for "one_hot".
        **kwargs: None is taken.

    Call:
        inputs: a list or tuple of at least two features, strings or integers, all of the shape
            ``()``, ``(B,)`` or ``(B, 1)``.

    Returns:
        Bins in the inputs' shape; "one_hot" gives ``(B, N)``.

    Raises:
        ValueError: fewer than two inputs, or of other shapes or dtypes.

    Example:
        >>> layer = tf.keras.layers.HashedCrossing(num_bins=5)
        >>> cities = tf.constant(["A", "B", "A", "B", "A"])
        >>> layer((cities, tf.constant([101, 101, 101, 102, 102]))).numpy()
        array([1, 4, 1, 1, 3])
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        if output_mode == "int" and dtype is None:
            dtype = "int64"
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.num_bins = checks.positive_int(self, "num_bins", num_bins)
        self.output_mode = as_output_mode(self, output_mode, ("int", "one_hot"))
        self.sparse = as_sparse(self, sparse, output_mode)

    def _as_inputs(self, inputs: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            raise ValueError(
                f"{checks.label(self)}: the input must be a list or tuple of features; got "
                f"{type(inputs).__name__}."
            )
        return [as_tensor(x) for x in inputs]

    def call(self, inputs: Any) -> Tensor:
        self._check_inputs(inputs)
        found = ops.cross_hashes(inputs, self.num_bins)
        return encoded(found, self.output_mode, self.num_bins, self.compute_dtype)

    def _check_inputs(self, inputs: list[Tensor]) -> None:
        kinds = ", ".join(f"{x.dtype.name}{tuple(x.shape)}" for x in inputs)
        if len(inputs) < 2:
            raise ValueError(
                f"{checks.label(self)}: the layer should be called on at least two inputs; got "
                f"{kinds}."
            )
        shapes = {tuple(x.shape) for x in inputs}
        shape = tuple(inputs[0].shape)
        if len(shapes) > 1 or len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
            raise ValueError(
                f"{checks.label(self)}: all inputs should have the same shape, `()`, "
                f"`(batch_size,)` or `(batch_size, 1)`; got {kinds}."
            )
        if not all(x.dtype.is_integer or x.dtype is dtypes.string for x in inputs):
            raise ValueError(
                f"{checks.label(self)}: all inputs should have an integer or string dtype; got "
                f"{kinds}.\n  Fix: put floats into bins first, with Discretization."
            )

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name."""
        names = ("num_bins", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}
