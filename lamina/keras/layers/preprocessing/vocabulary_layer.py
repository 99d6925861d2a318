"""The base of layers with a vocabulary: how it is set, learned, listed and saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import (
    Tensor,
    Variable,
    as_dtype,
    convert_to_tensor,
    dtypes,
    errors,
    versions,
)
from lamina.keras import policy, registry
from lamina.keras.core import checks
from lamina.keras.layers.preprocessing.base import DataLayer, batches_of
from lamina.keras.layers.preprocessing.vocabulary import TermCounts, Terms, as_text, repeated

__all__ = ["NO_NUMBER", "VocabularyLayer", "check_terms", "listed", "no_path", "terms_of"]

NO_NUMBER = 2**63 - 1  # of masked terms, where the output is no number
_FILE = "vocabulary.txt"


class VocabularyLayer(DataLayer):
    """A layer that numbers the terms of a vocabulary, which is given, set or learned.

    A subclass sets the attributes below in its constructor, and calls `reset_state`.
    """

    _config_omit = ("vocabulary", "idf_weights")  # `get_config` adds them as plain lists
    vocabulary_dtype: str
    encoding = "utf-8"
    output_mode: str
    max_tokens: int | None
    num_oov_indices: int
    mask_token: Any
    oov_token: Any
    invert: bool
    pad_to_max_tokens: bool
    oov_method: str
    salt: list[int] | None
    input_vocabulary: list[Any] | None
    input_idf_weights: list[float] | None
    idf_weights: Tensor | None
    _lm_terms: Terms | None
    _size: int | None
    _has_input_vocabulary: bool

    @property
    def idf_weights_const(self) -> Tensor | None:
        """The inverse document frequencies, by Keras' name; None where there are none."""
        return self.idf_weights

    def _oov_start(self) -> int:
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    def _token_start(self) -> int:
        return self._oov_start() + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """Return the number of terms, with the mask's and those of unknown terms."""
        return self._token_start() + (0 if self._lm_terms is None else len(self._lm_terms.terms))

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """Return the terms, in the order of their numbers.

        Args:
            include_special_tokens: Whether the mask and the tokens of unknown terms are listed,
                at their numbers.
        """
        terms = [] if self._lm_terms is None else list(self._lm_terms.terms)
        return [*self._special_tokens(), *terms] if include_special_tokens else terms

    def _special_tokens(self) -> list[Any]:
        return [self.mask_token] * self._oov_start() + [self.oov_token] * self.num_oov_indices

    def _has_own_depth(self) -> bool:
        return self.output_mode == "int" or self.pad_to_max_tokens

    # -- setting

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Set the terms.

        Args:
            vocabulary: A list, array or Tensor of terms, or the path of a text file with one a
                line. It may start with the special tokens, as `get_vocabulary` gives them.
            idf_weights: The inverse document frequency of each term, for output_mode "tf_idf".

        Raises:
            ValueError: the vocabulary is empty, too large, has a term twice or a special token
                inside; the file is missing; or weights are missing, or given in vain.
            RuntimeError: the size differs from before, and the shape of the output depends on it.
        """
        if (idf_weights is not None) != (self.output_mode == "tf_idf"):
            wanted = "must be set" if idf_weights is None else "should only be set"
            raise ValueError(
                f"{checks.label(self)}: `idf_weights` {wanted} for output_mode 'tf_idf'; got "
                f"output_mode={self.output_mode!r}, idf_weights={idf_weights!r}."
            )
        if isinstance(vocabulary, str):
            self._set_terms(self._read_file(vocabulary))
            return
        given = listed(vocabulary, self)
        if not given:
            raise ValueError(
                f"{checks.label(self)}: the vocabulary must not be empty; got {vocabulary!r}."
            )
        special = self._special_tokens()
        has_special = bool(special) and given[: len(special)] == special
        terms = given[len(special) :] if has_special else given
        check_terms(self, terms, given)
        self._set_terms(terms)
        if idf_weights is not None:
            self._set_idf(np.asarray(idf_weights), has_special, len(given))

    def _read_file(self, path: str) -> list[Any]:
        if self.output_mode == "tf_idf":
            raise ValueError(
                f"{checks.label(self)}: output_mode 'tf_idf' does not support a vocabulary from a "
                f"file; got {path!r}.\n  Fix: pass lists of terms and weights."
            )
        if not Path(path).is_file():
            raise ValueError(f"{checks.label(self)}: the vocabulary file {path} does not exist.")
        terms = terms_of(self, Path(path))
        twice = repeated(terms)
        if twice:
            raise errors.FailedPreconditionError(
                f"{checks.label(self)}: each line of the vocabulary file must be another term; "
                f"{path} has {twice[:5]} more than once.\n  Fix: write each term once."
            )
        return terms

    def _set_terms(self, terms: list[Any]) -> None:
        size = self._token_start() + len(terms)
        if not self._has_own_depth() and self._size not in (None, size):
            raise RuntimeError(
                f"{checks.label(self)}: with output_mode={self.output_mode!r} and "
                f"pad_to_max_tokens=False the vocabulary size cannot be changed, the output's "
                f"shape depends on it; it was {self._size}, and would be {size}.\n"
                f"  Fix: make a new layer, or set max_tokens and pad_to_max_tokens=True."
            )
        mask = None
        if self.mask_token is not None:
            mask = (self.mask_token, 0 if self.output_mode == "int" else NO_NUMBER)
        self._lm_terms = Terms(
            terms,
            self._token_start(),
            mask,
            (self.num_oov_indices, self._oov_start()),
            self.salt,
            self.oov_method == "farmhash",
            self.encoding,
            checks.label(self),
        )
        self._size = size
        versions.structure += 1  # compiled programs hold the terms of before

    def _set_idf(self, weights: Any, has_special: bool, count: int) -> None:
        if weights.ndim != 1 or weights.size != count:
            raise ValueError(
                f"{checks.label(self)}: `idf_weights` must be one number for each term; got shape "
                f"{weights.shape} for a vocabulary of {count}."
            )
        self._pad_idf(weights, 0 if has_special else self._token_start())

    def _pad_idf(self, weights: Any, front: int) -> None:
        """Keep the weights; unknown terms get the average, places without a term 0."""
        back = 0
        if self.pad_to_max_tokens and self.max_tokens is not None:
            back = self.max_tokens - front - weights.size
        mean = weights.mean() if weights.size else 0.0
        padded = np.pad(weights, (front, back), constant_values=(mean, 0))
        self.idf_weights = convert_to_tensor(padded.astype(policy.floatx()))

    # -- learning

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Set the vocabulary to the terms of a data set, the most frequent first.

        Of terms that are equally frequent, the greater one comes first.

        Args:
            data: A list, array or Tensor of terms; or a dataset or generator of batches.
            steps: The most batches to take, or None.

        Raises:
            ValueError: the layer was given a vocabulary.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            if batch is data:
                batch = self._as_terms(batch)
                batch = ops.expand_dims(batch, -1) if batch.ndim == 1 else batch
            self.update_state(batch)
        self.finalize_state()

    def _as_terms(self, data: Any) -> Tensor:
        wanted = as_dtype(self.vocabulary_dtype)
        tensor = self._as_inputs(data)
        if wanted is not dtypes.string and tensor.dtype is not dtypes.string:
            return ops.cast(tensor, wanted)
        self._check_kind(tensor, wanted)
        return tensor

    def update_state(self, data: Any) -> None:
        """Count the terms of one batch, `(documents, terms)`; a vector is one document.

        Documents of a ragged batch have their own lengths; of a sparse one they have what is kept.
        """
        self._count(_documents(self._as_terms(data)))

    def _count(self, documents: list[list[Any]]) -> None:
        if self._has_input_vocabulary:
            raise ValueError(
                f"{checks.label(self)}: `adapt` is for a layer without a vocabulary; cannot adapt "
                f"one after setting a static vocabulary.\n  Fix: make a new layer for other data."
            )
        self._counts.add(documents)

    def finalize_state(self) -> None:
        """Set the vocabulary to the terms counted so far."""
        if self._has_input_vocabulary or not self._counts.terms:
            return
        special = [t for t in (self.mask_token, self.oov_token) if t is not None]
        special += [t.encode(self.encoding) for t in special if isinstance(t, str)]
        found = list(self._counts.most_common(special))
        if self.max_tokens is not None:
            found = found[: self.max_tokens - self._token_start()]
        idf = self._counts.idf(found)
        self._set_terms([as_text(t, self.encoding) for t in found])
        if self.output_mode == "tf_idf":
            self._pad_idf(idf, self._token_start())
        self.reset_state()

    def reset_state(self) -> None:
        """Forget the counts of terms; the vocabulary stays."""
        self._counts = TermCounts()

    def _check_kind(self, inputs: Tensor, wanted: Any) -> None:
        if (inputs.dtype is dtypes.string) != (wanted is dtypes.string):
            raise TypeError(
                f"{checks.label(self)}: the inputs must be of dtype {wanted.name}; got "
                f"{inputs.dtype.name}, shape {tuple(inputs.shape)}."
            )

    # -- files

    def get_config(self) -> dict[str, Any]:
        """Return the settings by name; a learned vocabulary is a file beside the config."""
        learned = {
            "vocabulary": self.input_vocabulary,
            "idf_weights": self.input_idf_weights,
            "vocabulary_size": self._size,
            "oov_method": self.oov_method,
        }
        return {**super().get_config(), **learned}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """Return the layer that a config describes."""
        no_path(cls.__name__, config)
        return super().from_config(config)

    def get_build_config(self) -> dict[str, Any]:
        """Return nothing: there are no weights to make."""
        return {}

    def build_from_config(self, config: Any) -> None:
        """Do nothing: there are no weights to make."""

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into a store."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Set the inverse document frequencies from a store."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self.idf_weights = convert_to_tensor(np.asarray(store["idf_weights"]))

    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary to a text file in a folder, unless the config holds it."""
        if self.input_vocabulary is None:
            text = "\n".join(map(str, self.get_vocabulary()))
            Path(dir_path, _FILE).write_bytes(text.encode(self.encoding))

    def load_assets(self, dir_path: str) -> None:
        """Set the vocabulary from the text file in a folder."""
        path = Path(dir_path, _FILE)
        if self.input_vocabulary is not None or not path.is_file():
            return
        terms, special = terms_of(self, path), self._special_tokens()
        if special and terms[: len(special)] == special:
            terms = terms[len(special) :]
        if terms:
            check_terms(self, terms, terms)
            self._set_terms(terms)


def no_path(who: str, config: Mapping[str, Any]) -> None:
    """Refuse a config that names a file as the vocabulary: loading reads nothing else."""
    if isinstance(config.get("vocabulary"), str) and registry.in_safe_mode():
        raise ValueError(
            f"{who}.from_config: `vocabulary` must be a list of terms; got the path "
            f"{config['vocabulary']!r}, and loading reads no file outside of the archive.\n"
            f"  Fix: make the layer with the path, and save that."
        )


def listed(vocabulary: Any, layer: Any) -> list[Any] | None:
    """Return the terms of a list, array or Tensor as str or int."""
    if vocabulary is None or isinstance(vocabulary, str):
        return None
    if isinstance(vocabulary, Tensor | Variable):
        vocabulary = vocabulary.numpy()
    return [as_text(t, layer.encoding) for t in np.asarray(vocabulary).reshape(-1).tolist()]


def terms_of(layer: Any, path: Path) -> list[Any]:
    """Return the terms in a text file, one a line."""
    lines = path.read_bytes().decode(layer.encoding).split("\n")
    while lines and lines[-1] == "":
        lines.pop()
    is_integer = as_dtype(layer.vocabulary_dtype).is_integer
    return [int(line) if is_integer else line.removesuffix("\r") for line in lines]


def check_terms(layer: Any, terms: list[Any], given: list[Any]) -> None:
    """Check that terms are all different, not reserved, and not too many."""
    who = checks.label(layer)
    if twice := repeated(terms):
        raise ValueError(
            f"{who}: the vocabulary must hold each term once; it has at least one repeated "
            f"term: {twice[:10]}."
        )
    reserved = {"mask": layer.mask_token}
    if layer.invert:
        reserved["OOV"] = layer.oov_token
    for what, token in reserved.items():
        if token is not None and token in terms:
            raise ValueError(
                f"{who}: the reserved {what} token must not stand inside of the vocabulary; "
                f"found {token!r} at index {len(given) - 1 - given[::-1].index(token)}.\n"
                f"  Fix: leave the special tokens out, or start with exactly "
                f"{layer._special_tokens()}."
            )
    size = layer._token_start() + len(terms)
    if layer.max_tokens is not None and size > layer.max_tokens:
        raise ValueError(
            f"{who}: the vocabulary must not be larger than `max_tokens`, {layer.max_tokens}; "
            f"got a vocabulary size of {size}, special tokens included."
        )


def _documents(batch: Any) -> list[list[Any]]:
    """Return the terms of each document of a batch."""
    if hasattr(batch, "dense_shape"):
        where, values = np.asarray(batch.indices), np.asarray(batch.values)
        numbers = where[:, 0] if where.shape[1] > 1 else np.zeros(len(where), int)
        return [values[numbers == number].tolist() for number in np.unique(numbers)]
    if hasattr(batch, "flat_values"):
        rows = [getattr(row, "flat_values", row) for row in batch]
        return [np.ravel(np.asarray(row)).tolist() for row in rows]
    values = np.asarray(batch)
    rows = values.reshape(1, -1) if values.ndim < 2 else values.reshape(len(values), -1)
    return [row.tolist() for row in rows]
