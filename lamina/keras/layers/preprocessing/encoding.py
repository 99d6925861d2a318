"""CategoryEncoding: integers into vectors that say which, or how many, there are."""

from typing import Any

from lamina import ops
from lamina.engine import Tensor, convert_to_tensor
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.base import (
    HOT,
    DataLayer,
    as_output_mode,
    as_sparse,
    encoded,
    encoded_shape,
)

__all__ = ["CategoryEncoding"]


class CategoryEncoding(DataLayer):
    """Return vectors of zeros and ones, or counts, for integers.

    Args:
        num_tokens: The number of categories, D: one more than the greatest integer.
        output_mode: "one_hot" makes a vector for each integer, ``(…, N) → (…, N, D)``, where
            an N of 1 is dropped; "multi_hot" one for each sample, ``(B, N) → (B, D)``, with a 1
            for each integer in it; "count" likewise, with how often.
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        **kwargs: See `Layer`.

    Call:
        inputs: integers in [0, D), ``(N,)`` or ``(B, N)``; others leave no trace. Of inputs with
            more axes, axis 1 counts as the sample.
        count_weights: what each integer adds in mode "count", of the shape of `inputs`.

    Returns:
        The layer's dtype.

    Raises:
        ValueError: `num_tokens` is missing or below 1, the mode is unknown, or `count_weights` is
            given in another mode than "count".

    Example:
        >>> layer = tf.keras.layers.CategoryEncoding(4, output_mode="count")
        >>> layer([[0, 0], [1, 3]]).numpy()
        array([[2., 0., 0., 0.],
               [0., 1., 0., 1.]], dtype=float32)
    """

    _config_omit = ("sparse",)

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.output_mode = as_output_mode(self, output_mode, HOT)
        self.sparse = as_sparse(self, sparse, output_mode)
        if num_tokens is None:
            raise ValueError(
                f"{checks.label(self)}: `num_tokens` must be set to use this layer; got None.\n"
                f"  Fix: if the number is not known beforehand, use IntegerLookup."
            )
        self.num_tokens = checks.positive_int(self, "num_tokens", num_tokens)

    def compute_output_shape(
        self, input_shape: Any, count_weights_shape: Any = None
    ) -> tuple[int | None, ...]:
        return encoded_shape(input_shape, self.output_mode, self.num_tokens)

    def call(self, inputs: Tensor, count_weights: Any = None) -> Tensor:
        if count_weights is not None:
            if self.output_mode != "count":
                raise ValueError(
                    f"{checks.label(self)}: `count_weights` is for output_mode 'count'; got it "
                    f"with {self.output_mode!r}.\n  Fix: omit it, or set output_mode='count'."
                )
            count_weights = ops.cast(convert_to_tensor(count_weights), self.compute_dtype)
        places = inputs if inputs.dtype.is_integer else checks.real(self, inputs, "int64")
        return encoded(places, self.output_mode, self.num_tokens, self.dtype, count_weights)
