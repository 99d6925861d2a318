"""The table behind a lookup layer: terms and their numbers, and how often terms were seen."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import (
    HostOp,
    Tensor,
    dtypes,
    elementwise,
    errors,
    from_host,
    host_op,
    local,
    restorer,
)

__all__ = ["TermCounts", "Terms", "as_text", "repeated"]


def as_text(value: Any, encoding: str = "utf-8") -> Any:
    """Return bytes as str, NumPy's scalars as Python's; other values as they are."""
    if isinstance(value, bytes):
        return value.decode(encoding, "replace")
    return str(value) if isinstance(value, str) else int(value)


def repeated(terms: Sequence[Any]) -> list[Any]:
    """Return the terms that occur more than once."""
    if len(set(terms)) == len(terms):
        return []
    return [term for term, count in Counter(terms).items() if count > 1]


class Terms:
    """Terms and their numbers, fixed once made.

    Args:
        terms: str or int, all different; the first has the number `start`.
        start: The number of the first term.
        mask: (term, number) of the mask, or None.
        oov: How many numbers unknown terms share, and the first of these.
        salt: The key of the hash that shares them out; None takes FarmHash64.
        hashed: Whether integers are shared out by hash, or by ``% count``.
        encoding: How str become the bytes of a string Tensor.
        who: The layer, for messages.
    """

    def __init__(
        self,
        terms: Sequence[Any],
        start: int,
        mask: tuple[Any, int] | None,
        oov: tuple[int, int],
        salt: list[int] | None = None,
        hashed: bool = False,
        encoding: str = "utf-8",
        who: str = "",
    ):
        self.terms = list(terms)
        self._start = start
        self._mask = mask
        self._oov_count, self._oov_start = oov
        self._salt = salt
        self._hashed = hashed
        self._encoding = encoding
        self._who = who
        self._numbers: dict[Any, int] | None = None
        self._sorted: tuple[Tensor, Tensor] | None = None
        self._find: HostOp | None = None
        self._give: HostOp | None = None
        self._give_default: Any = None

    def recipe(self) -> dict[str, Any]:
        """Return the arguments that make the same terms, for a file."""
        return {
            "terms": self.terms,
            "start": self._start,
            "mask": self._mask,
            "oov": (self._oov_count, self._oov_start),
            "salt": None if self._salt is None else [int(part) for part in self._salt],
            "hashed": self._hashed,
            "encoding": self._encoding,
            "who": self._who,
        }

    def __getstate__(self) -> dict[str, Any]:
        caches = {"_numbers": None, "_sorted": None, "_find": None, "_give": None}
        return {**self.__dict__, **caches}

    def __deepcopy__(self, memo: Any) -> "Terms":
        return self  # fixed

    def _bytes(self, term: Any) -> bytes:
        return term if isinstance(term, bytes) else str(term).encode(self._encoding)

    # -- strings

    def numbers_of_strings(self, strings: Tensor) -> Tensor:
        """Return the number of each string, int64; found on the host."""
        if self._find is None:
            how = f"{__name__}:restored_find", self.recipe
            self._find = host_op(elementwise(dtypes.int64), how)(self.find)
        return self._find(strings)

    def find(self, strings: Any) -> Any:
        """Return the numbers of an array of bytes objects.

        Raises:
            InvalidArgumentError: a string is unknown, and unknown ones have no number.
        """
        if self._numbers is None:
            count = self._start + len(self.terms)
            numbers = zip(map(self._bytes, self.terms), range(self._start, count), strict=True)
            self._numbers = dict(numbers)
            if self._mask is not None:
                self._numbers[self._bytes(self._mask[0])] = self._mask[1]
        flat = strings.reshape(-1)
        get = self._numbers.get
        found = np.fromiter((get(s, -1) for s in flat), dtype=np.int64, count=flat.size)
        unknown = found == -1
        if self._oov_count == 1:
            found[unknown] = self._oov_start
        elif unknown.any():
            found[unknown] = self._shared_out(flat[unknown])
        return found.reshape(strings.shape)

    def _shared_out(self, unknown: Any) -> Any:
        if self._oov_count == 0:
            raise self._all_known([as_text(s, self._encoding) for s in unknown[:10]])
        buckets = ops.hash_bucket(from_host(unknown), self._oov_count, self._salt)
        return self._oov_start + buckets.numpy()

    def _all_known(self, unknown: Any) -> errors.InvalidArgumentError:
        return errors.InvalidArgumentError(
            f"{self._who}: with `num_oov_indices=0` all inputs should be in the vocabulary; found "
            f"OOV values {unknown}.\n  Fix: consider setting num_oov_indices=1."
        )

    # -- integers

    def numbers_of_integers(self, x: Tensor) -> Tensor:
        """Return the number of each integer of an int64 Tensor; recorded."""
        if self._sorted is None:
            terms = np.array(self.terms, np.int64)
            numbers = np.arange(self._start, self._start + terms.size, dtype=np.int64)
            self._sorted = _sorted_table(terms, numbers, self._mask)
        found = ops.lookup_sorted(x, *self._sorted, self._default(x))
        if self._oov_count == 0 and local.trace.eager:
            unknown = x.numpy()[found.numpy() == -1]
            if np.size(unknown):
                raise self._all_known(np.unique(unknown)[:10].tolist())
        return found

    def _default(self, x: Tensor) -> Any:
        if self._oov_count == 0:
            return np.int64(-1)
        if self._oov_count == 1:
            return np.int64(self._oov_start)
        if self._hashed:
            shared = ops.hash_bucket(x, self._oov_count, self._salt)
        else:
            shared = ops.floormod(x, np.int64(self._oov_count))
        return shared + np.int64(self._oov_start)

    # -- back

    def strings_of_numbers(self, x: Tensor, default: Any) -> Tensor:
        """Return the string of each number; `default` for numbers without one."""
        if self._give is None or self._give_default != default:
            table = {self._start + i: self._bytes(t) for i, t in enumerate(self.terms)}
            if self._mask is not None:
                table[self._mask[1]] = self._bytes(self._mask[0])
            other = self._bytes(default)

            def give(numbers: Any) -> Any:
                found = np.empty(numbers.shape, dtype=object)
                flat = [table.get(n, other) for n in numbers.reshape(-1).tolist()]
                found.reshape(-1)[:] = flat
                return found

            how = f"{__name__}:restored_give", lambda: {**self.recipe(), "default": default}
            self._give = host_op(elementwise(dtypes.string), how)(give)
            self._give_default = default
        return self._give(x)

    def integers_of_numbers(self, x: Tensor, default: int) -> Tensor:
        """Return the integer of each number; `default` for numbers without one."""
        if self._sorted is None:
            terms = np.array(self.terms, np.int64)
            numbers = np.arange(self._start, self._start + terms.size, dtype=np.int64)
            mask = None if self._mask is None else (self._mask[1], self._mask[0])
            self._sorted = _sorted_table(numbers, terms, mask)
        return ops.lookup_sorted(x, *self._sorted, np.int64(default))


@restorer
def restored_find(**recipe: Any) -> HostOp:
    """Return the operation that finds the numbers of strings, from what a file holds."""
    terms = Terms(**recipe)
    return host_op(elementwise(dtypes.int64), (f"{__name__}:restored_find", terms.recipe))(
        terms.find
    )


@restorer
def restored_give(default: Any, **recipe: Any) -> HostOp:
    """Return the operation that finds the strings of numbers, from what a file holds."""
    terms = Terms(**recipe)
    terms.strings_of_numbers(from_host(np.zeros(0, np.int64)), default)
    assert terms._give is not None
    return terms._give


def _sorted_table(keys: Any, values: Any, extra: tuple[int, int] | None) -> tuple[Tensor, Tensor]:
    """Return keys in ascending order, and their values; one pair more, which wins, if given."""
    if extra is not None:
        kept = keys != extra[0]
        keys, values = np.append(keys[kept], extra[0]), np.append(values[kept], extra[1])
    order = np.argsort(keys, kind="stable")
    return from_host(keys[order].astype(np.int64)), from_host(values[order].astype(np.int64))


class TermCounts:
    """How often each term was seen while a layer adapts, and in how many documents."""

    def __init__(self) -> None:
        self.terms: Counter[Any] = Counter()
        self.documents: Counter[Any] = Counter()
        self.number = 0

    def add(self, documents: Iterable[Iterable[Any]]) -> None:
        """Count the terms of some documents."""
        for document in documents:
            seen = Counter(document)
            self.terms.update(seen)
            self.documents.update(seen.keys())
            self.number += 1

    def most_common(self, without: Sequence[Any]) -> Iterator[Any]:
        """Yield the terms, the most frequent first; of equal ones the greater first, as in TF."""
        left = [(count, term) for term, count in self.terms.items() if term not in without]
        for _, term in sorted(left, reverse=True):
            yield term

    def idf(self, terms: Sequence[Any]) -> np.ndarray:
        """Return the inverse document frequency of terms: ``log(1 + N / (1 + n))``."""
        inside = np.array([self.documents[t] for t in terms], np.float64)
        return np.log1p(self.number / (1 + inside))
