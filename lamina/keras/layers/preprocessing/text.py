"""TextVectorization: texts into numbers of tokens, or vectors of counts."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import (
    HostOp,
    Tensor,
    convert_to_tensor,
    dtypes,
    from_host,
    is_traced,
    local,
)
from lamina.keras import policy, registry
from lamina.keras.core import KerasTensor, checks
from lamina.keras.layers.preprocessing.base import (
    HOT,
    DataLayer,
    as_output_mode,
    as_tensor,
    batches_of,
)
from lamina.keras.layers.preprocessing.lookup import StringLookup
from lamina.keras.layers.preprocessing.vectorizing import (
    numbers_of,
    ragged_vectorizer,
    token_rows,
    vectorizer,
)
from lamina.keras.layers.preprocessing.vocabulary_layer import NO_NUMBER, no_path

__all__ = ["TextVectorization"]

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")


class TextVectorization(DataLayer):
    """Return the number of each word of a text, or the text as a vector of counts.

    A text is standardized, split into tokens, which may be joined to n-grams, and looked up. It
    happens on the host: map the layer over a dataset, or call it before a compiled step; a model
    with string inputs runs eagerly.

    Args:
        max_tokens: The most terms that `adapt` keeps, special tokens included; None keeps all.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation", a function of a
            string Tensor, or None.
        split: "whitespace", "character", a function of a string Tensor that returns tokens along
            a new last axis (a Tensor or nested lists), or None for inputs that are tokens.
        ngrams: The widths of n-grams that are looked up, as a tuple; an int is all widths up to
            it; None takes the tokens as they are.
        output_mode: "int" for the numbers, 0 after the end and 1 for unknown tokens; "one_hot",
            "multi_hot", "count", "tf_idf" as `StringLookup`.
        output_sequence_length: The length to cut and fill up to, for "int"; None takes that of
            the longest text of a batch.
        pad_to_max_tokens: Whether vectors have `max_tokens` entries, however many terms there are.
        vocabulary: The terms: a list, array or Tensor, or the path of a text file, one a line.
        idf_weights: The inverse document frequency of each term, for "tf_idf".
        sparse: Whether encodings are `tf.SparseTensor`s; not with output_mode "int".
        ragged: Whether the numbers of the tokens are a `tf.RaggedTensor`, not filled up with 0.
        encoding: How strings and bytes stand for each other.
        name: The name.
        **kwargs: See `Layer`.

    Call:
        inputs: strings ``()``, ``(B,)`` or ``(B, 1)``; with ``split=None`` tokens ``(B, T)``.

    Returns:
        int64 ``(B, T)``; vectors ``(B, V)`` are int64 by the layer itself, and `floatx` in models
        and for "tf_idf".

    State:
        the vocabulary: set by `adapt` and `set_vocabulary`.

    Raises:
        ValueError: an unknown setting, settings that do not go together, or inputs whose last
            axis is not of size 1.

    Example:
        >>> layer = tf.keras.layers.TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["the cat", "the dog, the end"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'the', 'end', 'dog', 'cat']
        >>> layer(["The DOG!", "a cat"]).numpy()
        array([[2, 4, 0, 0],
               [1, 5, 0, 0]])
    """

    _config_omit = ("vocabulary", "idf_weights")  # `get_config` adds them as plain lists

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: str | Callable[..., Any] | None = "lower_and_strip_punctuation",
        split: str | Callable[..., Any] | None = "whitespace",
        ngrams: int | tuple[int, ...] | None = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ):
        known = {k: kwargs.pop(k, None) for k in ("vocabulary_size", "has_input_vocabulary")}
        super().__init__(name=name, **kwargs)
        if not callable(standardize):
            checks.choice(self, "standardize", standardize, (*_STANDARDIZE, None))
        if not callable(split):
            checks.choice(self, "split", split, ("whitespace", "character", None))
        self.output_mode = as_output_mode(self, output_mode, ("int", *HOT, "tf_idf"))
        self.standardize = standardize
        self.split = split
        self.ngrams = ngrams
        self._widths = _widths(self, ngrams)
        self.output_sequence_length = output_sequence_length
        self.ragged = ragged
        self.encoding = encoding
        self._check_output()
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=self.output_mode,
            sparse=sparse,
            encoding=encoding,
            **known,
        )
        self._has_input_vocabulary = self._lookup_layer._has_input_vocabulary

    def _check_output(self) -> None:
        length = self.output_sequence_length
        if length is not None and self.output_mode != "int":
            raise ValueError(
                f"{checks.label(self)}: `output_sequence_length` must not be set if `output_mode` "
                f"is not 'int'; got {length!r} with {self.output_mode!r}."
            )
        if length is not None and (not isinstance(length, int) or isinstance(length, bool)):
            raise ValueError(
                f"{checks.label(self)}: `output_sequence_length` must be None or an integer; got "
                f"{length!r}."
            )
        if self.ragged and self.output_mode != "int":
            raise ValueError(
                f"{checks.label(self)}: `ragged` must not be true if `output_mode` is not 'int'; "
                f"got ragged={self.ragged!r} with {self.output_mode!r}."
            )

    @property
    def compute_dtype(self) -> str:
        """The dtype of the inputs: "string"."""
        return "string"

    @property
    def variable_dtype(self) -> str:
        """The dtype of the inputs: "string"."""
        return "string"

    @property
    def dtype(self) -> str:
        """The dtype of the inputs: "string"."""
        return "string"

    @property
    def max_tokens(self) -> int | None:
        """The most terms that `adapt` keeps."""
        return self._lookup_layer.max_tokens

    @property
    def pad_to_max_tokens(self) -> bool:
        """Whether vectors have `max_tokens` entries."""
        return self._lookup_layer.pad_to_max_tokens

    @property
    def sparse(self) -> bool:
        """False."""
        return self._lookup_layer.sparse

    # -- the vocabulary

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Set the vocabulary to the terms of a data set, the most frequent first.

        Of terms that are equally frequent, the greater one comes first.

        Args:
            data: A list, array or Tensor of texts; or a dataset or generator of batches.
            batch_size: Accepted for Keras' signature, unused.
            steps: The most batches to take, or None.

        Raises:
            ValueError: the layer was given a vocabulary.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            if batch is data:
                tensor = as_tensor(batch)
                batch = from_host(tensor.numpy()[:, None]) if tensor.ndim == 1 else tensor
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Count the terms of one batch of texts; each text is a document."""
        tensor = self._checked(as_tensor(data))
        self._lookup_layer._count(self._rows(np.asarray(tensor))[1])

    def finalize_state(self) -> None:
        """Set the vocabulary to the terms counted so far."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forget the counts of terms; the vocabulary stays."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """Return the terms, in the order of their numbers.

        Args:
            include_special_tokens: Whether the tokens for the end and for unknown terms are
                listed, at their numbers.
        """
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """Return the number of terms, special tokens included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the terms; see `StringLookup.set_vocabulary`.

        Args:
            vocabulary: A list, array or Tensor of terms, or the path of a text file.
            idf_weights: The inverse document frequency of each term, for "tf_idf".
        """
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights=idf_weights)

    # -- calling

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if not self._lookup_layer.is_unsized():
            return super().compute_output_spec(inputs, *args, **kwargs)
        return KerasTensor((inputs.shape[0], None), policy.floatx())

    def build(self, input_shape: Any = None):
        """Do nothing: there are no weights to make."""

    def _checked(self, inputs: Tensor) -> Tensor:
        shape = tuple(inputs.shape)
        if inputs.dtype is not dtypes.string:
            raise TypeError(
                f"{checks.label(self)}: the inputs must be strings; got {inputs.dtype.name}, shape "
                f"{shape}."
            )
        if self.split is not None and len(shape) > 1 and shape[-1] != 1:
            raise ValueError(
                f"{checks.label(self)}: to tokenize strings, the input rank must be 1 or the last "
                f"shape dimension must be 1; got shape {shape}, rank {len(shape)}.\n"
                f"  Fix: pass the texts as a vector, or split=None for tokens."
            )
        return inputs

    def _rows(self, texts: Any) -> tuple[tuple[int, ...], list[list[bytes]]]:
        """Return the tokens of an array of texts: the leading shape, a row for each text."""
        return token_rows(texts, self.standardize, self.split, self._widths)

    def _numbers(self, standardize: Any) -> HostOp:
        filler = 0 if self.output_mode == "int" else NO_NUMBER
        terms, length = self._lookup_layer._known_terms(), self.output_sequence_length
        return vectorizer(terms, standardize, self.split, self._widths, length, filler)

    def _ragged(self, inputs: Tensor) -> Any:
        """Return the numbers of the tokens of each text, in rows as long as there are tokens."""
        inputs = self._checked(inputs)
        terms, limit = self._lookup_layer._known_terms(), self.output_sequence_length
        ragged = import_module("lamina.ragged").RaggedTensor
        if is_traced(inputs):
            inputs, standardize = self._standardized(inputs)
            flat = ops.reshape(inputs, [-1])
            make = ragged_vectorizer(terms, standardize, self.split, self._widths, limit)
            return ragged.from_row_splits(*make(flat), validate=False)
        numbers, lengths = numbers_of(terms, self._rows(np.asarray(inputs))[1], limit)
        if not inputs.ndim:
            return from_host(numbers)
        return ragged.from_row_lengths(from_host(numbers), np.asarray(lengths, np.int64))

    def _standardized(self, inputs: Tensor) -> tuple[Tensor, Any]:
        """Return texts, and how the host standardizes them: a user's function is recorded here.

        As operations of the program it can be saved; a Python function cannot.
        """
        if callable(self.standardize) and is_traced(inputs):
            return convert_to_tensor(self.standardize(inputs)), None
        return inputs, self.standardize

    def _on_composite(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the output for ragged texts that hold one text a row, or tokens."""
        if self.split is None:
            found = self._lookup_layer(inputs)
            return found if self.ragged else found.to_tensor()
        return self(ops.squeeze(inputs.to_tensor(), -1), *args, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        is_known = local.trace.eager or (is_traced(inputs) and self.split is not None)
        if self.ragged and is_known and not isinstance(inputs, KerasTensor):
            return self._ragged(inputs)
        inputs, standardize = self._standardized(self._checked(inputs))
        found = self._numbers(standardize)(inputs)
        if self.split is None and not inputs.ndim and self.output_sequence_length is None:
            found = found[0]
        return self._lookup_layer._encode(found)

    # -- files

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name; a learned vocabulary is a file beside the config."""
        lookup = self._lookup_layer
        learned = {
            "vocabulary": lookup.input_vocabulary,
            "idf_weights": lookup.input_idf_weights,
            "vocabulary_size": self.vocabulary_size(),
        }
        return {**super().get_config(), **learned}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TextVectorization":
        """Return the layer that a config describes."""
        no_path(cls.__name__, config)
        revived = registry.revive(dict(config))
        if isinstance(revived.get("ngrams"), list):
            revived["ngrams"] = tuple(revived["ngrams"])
        return super().from_config(revived)

    def get_build_config(self) -> dict[str, Any]:
        """Return nothing: there are no weights to make."""
        return {}

    def build_from_config(self, config: Any) -> None:
        """Do nothing: there are no weights to make."""

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into a store."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Set the inverse document frequencies from a store."""
        self._lookup_layer.load_own_variables(store)

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary to a text file in a folder, unless the config holds it."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: str) -> None:
        """Set the vocabulary from the text file in a folder."""
        self._lookup_layer.load_assets(dir_path)


def _widths(layer: Any, ngrams: Any) -> tuple[int, ...] | None:
    if ngrams is None:
        return None
    if isinstance(ngrams, int) and not isinstance(ngrams, bool):
        return tuple(range(1, ngrams + 1))
    if isinstance(ngrams, tuple) and all(isinstance(n, int) for n in ngrams):
        return ngrams
    raise ValueError(
        f"{checks.label(layer)}: `ngrams` must be None, an integer, or a tuple of integers; got "
        f"{ngrams!r}."
    )
