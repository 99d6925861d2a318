"""Layers that number the terms of a vocabulary: strings, integers, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, as_dtype, dtypes, errors, local
from lamina.keras import policy
from lamina.keras.core import KerasTensor, checks
from lamina.keras.layers.preprocessing.base import (
    HOT,
    as_output_mode,
    as_sparse,
    encoded,
    encoded_shape,
    one_salt,
)
from lamina.keras.layers.preprocessing.vocabulary import Terms
from lamina.keras.layers.preprocessing.vocabulary_layer import VocabularyLayer, listed

__all__ = ["IntegerLookup", "StringLookup"]


class IndexLookup(VocabularyLayer):
    """The base of the lookup layers: their settings, and what they compute.

    A subclass has the parameters of its constructor, and passes them all on.
    """

    def _set_up(self, given: Mapping[str, Any]) -> None:
        """Check and keep the constructor's arguments, by name, and set the vocabulary."""
        mode = as_output_mode(self, given["output_mode"], ("int", *HOT, "tf_idf"))
        self.output_mode = mode
        self._check_sizes(given["max_tokens"], given["num_oov_indices"])
        self.max_tokens: int | None = given["max_tokens"]
        self.num_oov_indices: int = given["num_oov_indices"]
        self.mask_token = given["mask_token"]
        self.oov_token = given["oov_token"]
        self.invert: bool = given["invert"]
        self.sparse = as_sparse(self, given["sparse"], mode)
        self.pad_to_max_tokens: bool = given["pad_to_max_tokens"]
        self.oov_method = checks.choice(
            self, "oov_method", given["oov_method"], ("floormod", "farmhash")
        )
        self.salt = one_salt(self, given["salt"])
        vocabulary, weights = given["vocabulary"], given["idf_weights"]
        self._check_together(weights)
        known = given["vocabulary_size"]
        self._size: int | None = known
        self.input_vocabulary = None if isinstance(vocabulary, str) else listed(vocabulary, self)
        self.input_idf_weights = None if weights is None else np.asarray(weights).tolist()
        self.idf_weights: Tensor | None = None
        self._lm_terms: Terms | None = None
        fixed = given["has_input_vocabulary"]
        self._has_input_vocabulary: bool = vocabulary is not None if fixed is None else fixed
        self.reset_state()
        if vocabulary is not None:
            if mode == "tf_idf" and weights is None:
                raise ValueError(
                    f"{checks.label(self)}: `idf_weights` must be given with `vocabulary` for "
                    f"output_mode 'tf_idf'; got None."
                )
            self.set_vocabulary(vocabulary, weights)

    def _check_sizes(self, max_tokens: Any, num_oov_indices: Any) -> None:
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(
                f"{checks.label(self)}: `max_tokens` must be greater than 1, if it is set; got "
                f"{max_tokens!r}."
            )
        if num_oov_indices < 0:
            raise ValueError(
                f"{checks.label(self)}: `num_oov_indices` must be greater than or equal to 0; got "
                f"{num_oov_indices!r}."
            )

    def _check_together(self, idf_weights: Any) -> None:
        who, mode = checks.label(self), self.output_mode
        if self.pad_to_max_tokens and self.max_tokens is None:
            raise ValueError(f"{who}: `max_tokens` must be set for pad_to_max_tokens=True.")
        is_integer = as_dtype(self.vocabulary_dtype).is_integer
        if self.salt is not None and is_integer and self.oov_method != "farmhash":
            raise ValueError(
                f"{who}: `salt` can only be used with oov_method='farmhash'; got "
                f"{self.oov_method!r}."
            )
        if self.invert and mode != "int":
            raise ValueError(f"{who}: `output_mode` must be 'int' with invert=True; got {mode!r}.")
        if idf_weights is not None and mode != "tf_idf":
            raise ValueError(
                f"{who}: `idf_weights` should only be set for output_mode 'tf_idf'; got "
                f"output_mode {mode!r}."
            )

    # -- facts

    @property
    def dtype(self) -> str:
        """The dtype of the terms, by name."""
        return self.vocabulary_dtype

    @property
    def compute_dtype(self) -> str:
        """The dtype of the terms, by name."""
        return self.vocabulary_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of the terms, by name."""
        return self.vocabulary_dtype

    @property
    def input_dtype(self) -> str:
        """The dtype of the terms, by name."""
        return self.vocabulary_dtype

    # -- calling

    def call(self, inputs: Tensor) -> Tensor:
        terms = self._known_terms()
        wanted = dtypes.int64 if self.invert else as_dtype(self.vocabulary_dtype)
        self._check_kind(inputs, wanted)
        if wanted is dtypes.string:
            return self._encode(terms.numbers_of_strings(inputs))
        inputs = checks.real(self, inputs, wanted)
        if not self.invert:
            return self._encode(terms.numbers_of_integers(inputs))
        if self.vocabulary_dtype == "string":
            return terms.strings_of_numbers(inputs, self.oov_token)
        return terms.integers_of_numbers(inputs, self.oov_token)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.is_unsized():  # a model may be described before its vocabulary is known
            return super().compute_output_spec(inputs, *args, **kwargs)
        shape = encoded_shape(inputs.shape, self.output_mode, None)
        return KerasTensor(shape, policy.floatx())

    def is_unsized(self) -> bool:
        """Return whether the size of the output is that of a vocabulary not known yet."""
        return self._lm_terms is None and self._size is None and not self._has_own_depth()

    def _known_terms(self) -> Terms:
        if self._lm_terms is not None:
            return self._lm_terms
        if self.is_unsized():
            raise RuntimeError(
                f"{checks.label(self)}: with output_mode={self.output_mode!r} and "
                f"pad_to_max_tokens=False you must set the layer's vocabulary before calling it.\n"
                f"  Fix: pass `vocabulary`, or call `adapt` with some data."
            )
        if local.trace.eager:
            raise errors.FailedPreconditionError(
                f"{checks.label(self)}: the vocabulary must be known to look up terms; the table "
                f"is not initialized.\n  Fix: pass `vocabulary`, or call `adapt` with some data."
            )
        # A model may be described before its vocabulary is known.
        oov = (max(self.num_oov_indices, 1), self._oov_start())
        return Terms([], self._token_start(), None, oov, who=checks.label(self))

    def _encode(self, numbers: Tensor) -> Tensor:
        mode = self.output_mode
        if mode == "int":
            return numbers
        depth = self.max_tokens if self.pad_to_max_tokens else self._size
        assert depth is not None
        if mode == "tf_idf":
            weights = self.idf_weights
            if weights is None and not local.trace.eager:
                weights = ops.ones((depth,), policy.floatx())  # a model is described before
            if weights is None:
                raise ValueError(
                    f"{checks.label(self)}: `idf_weights` must be provided for output_mode "
                    f"'tf_idf'.\n  Fix: call `adapt`, or set_vocabulary(terms, idf_weights)."
                )
            return encoded(numbers, "count", depth, policy.floatx()) * weights
        # In a model the output is what the model was described with; alone it is as TF has it.
        alone = local.trace.eager and len(local.calls) < 2
        return encoded(numbers, mode, depth, "int64" if alone else policy.floatx())


_EXTRA = ("vocabulary_size", "has_input_vocabulary", "oov_method", "trainable", "dtype")


def _extras(layer: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the keywords that configs hold beside the parameters."""
    unknown = sorted(set(kwargs) - set(_EXTRA))
    if unknown:
        raise ValueError(f"{type(layer).__name__}: unrecognized keyword argument(s) {unknown}.")
    found = {"vocabulary_size": None, "has_input_vocabulary": None, "oov_method": "floormod"}
    return {**found, **{k: v for k, v in kwargs.items() if k in found}}


class IntegerLookup(IndexLookup):
    """Return the number of each integer in a vocabulary, or encodings of the numbers.

    Args:
        max_tokens: The most terms that `adapt` keeps, special tokens included; None keeps all.
        num_oov_indices: How many numbers the integers that are not in the vocabulary share; with
            0 they are an error.
        mask_token: An integer that means "nothing": it has the number 0, or with encodings none.
        oov_token: What `invert` returns for numbers without a term.
        vocabulary: The terms: a list, array or Tensor, or the path of a text file, one a line.
        vocabulary_dtype: Must be "int64".
        idf_weights: The inverse document frequency of each term, for output_mode "tf_idf".
        invert: Whether to return the terms of numbers.
        output_mode: "int" for the numbers; "one_hot", "multi_hot", "count" as `CategoryEncoding`;
            "tf_idf" is the count times the inverse document frequency.
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        pad_to_max_tokens: Whether encodings have `max_tokens` entries, however many terms there
            are.
        oov_method: How unknown integers share their numbers: "floormod", or "farmhash" by hash.
        salt: One or two integers: the key of the hash.
        name: The name.
        **kwargs: What configs hold beside these.

    Call:
        inputs: integers, any shape.

    Returns:
        int64. Encodings by the layer itself are int64 as well, and `floatx` in models and for
        "tf_idf".

    State:
        the vocabulary: set by `adapt` and `set_vocabulary`.

    Raises:
        ValueError: an argument out of range, or two that do not go together.

    Example:
        >>> layer = tf.keras.layers.IntegerLookup(vocabulary=[12, 36, 1138, 42])
        >>> layer([[12, 1138, 42], [42, 1000, 36]]).numpy()
        array([[1, 3, 4],
               [4, 0, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        given = {k: v for k, v in locals().items() if k not in ("self", "kwargs", "__class__")}
        super().__init__(name=name)
        given = {**_extras(self, kwargs), **given}
        if as_dtype(vocabulary_dtype) is not dtypes.int64:
            raise ValueError(
                f"{checks.label(self)}: only `vocabulary_dtype='int64'` is supported; got "
                f"{vocabulary_dtype!r}."
            )
        self.vocabulary_dtype = "int64"
        self._set_up(given)


class StringLookup(IndexLookup):
    """Return the number of each string in a vocabulary, or encodings of the numbers.

    Strings are looked up on the host: map the layer over a dataset, or call it before a compiled
    step; a model with string inputs runs eagerly.

    Args:
        max_tokens: The most terms that `adapt` keeps, special tokens included; None keeps all.
        num_oov_indices: How many numbers the strings that are not in the vocabulary share, by
            hash; with 0 they are an error.
        mask_token: A string that means "nothing": it has the number 0, or with encodings none.
        oov_token: What `invert` returns for numbers without a term.
        vocabulary: The terms: a list, array or Tensor, or the path of a text file, one a line.
        idf_weights: The inverse document frequency of each term, for output_mode "tf_idf".
        invert: Whether to return the terms of numbers.
        output_mode: "int" for the numbers; "one_hot", "multi_hot", "count" as `CategoryEncoding`;
            "tf_idf" is the count times the inverse document frequency.
        pad_to_max_tokens: Whether encodings have `max_tokens` entries, however many terms there
            are.
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int". Inside a
            `tf.function` they are dense.
        encoding: How strings and bytes stand for each other.
        name: The name.
        salt: One or two integers: the key of the hash.
        **kwargs: What configs hold beside these.

    Call:
        inputs: strings, any shape; with `invert` integers.

    Returns:
        int64, with `invert` strings. Encodings by the layer itself are int64 as well, and `floatx`
        in models and for "tf_idf".

    State:
        the vocabulary: set by `adapt` and `set_vocabulary`.

    Raises:
        ValueError: an argument out of range, or two that do not go together.

    Example:
        >>> layer = tf.keras.layers.StringLookup(vocabulary=["a", "b", "c", "d"])
        >>> layer([["a", "c", "d"], ["d", "z", "b"]]).numpy()
        array([[1, 3, 4],
               [4, 0, 2]])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ):
        given = {k: v for k, v in locals().items() if k not in ("self", "kwargs", "__class__")}
        super().__init__(name=name)
        self.vocabulary_dtype = "string"
        self.encoding = encoding
        self._set_up({**_extras(self, kwargs), **given})
