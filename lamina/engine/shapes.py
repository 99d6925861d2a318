"""TensorShape: a static shape whose sizes, or rank, may be unknown."""

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast, overload

__all__ = ["Dims", "TensorShape", "as_shape", "broadcast_static_shape"]

Dims = tuple[int | None, ...]


class TensorShape:
    """The static shape of a Tensor: a size or None (unknown) per axis, or an unknown rank.

    It iterates, indexes, compares and adds like a tuple, without being one (as in TF).

    Args:
        dims: A sequence of sizes and Nones, one size (rank 1), another TensorShape, or None for
            an unknown rank.

    Raises:
        TypeError: a size is not an integer or None.
        ValueError: a size is negative.

    Example:
        >>> shape = tf.TensorShape([None, 3])
        >>> shape.rank, shape[1], shape[1:] + (4,)
        (2, 3, TensorShape([3, 4]))
    """

    __slots__ = ("_dims",)

    _dims: Dims | None

    def __init__(self, dims: Any) -> None:
        self._dims = _normalized(dims)

    @staticmethod
    def of(dims: Dims | None) -> "TensorShape":
        """Wrap a tuple of non-negative ints and Nones without checking it (hot path).

        Args:
            dims: The sizes, as a tuple; None for an unknown rank.

        Returns:
            A TensorShape holding that same tuple.
        """
        shape = _new(TensorShape)
        shape._dims = dims
        return shape

    @property
    def rank(self) -> int | None:
        """The number of axes, or None if unknown."""
        return None if self._dims is None else len(self._dims)

    @property
    def ndims(self) -> int | None:
        """The number of axes, or None if unknown; same as `rank`."""
        return None if self._dims is None else len(self._dims)

    @property
    def dims(self) -> list[int | None] | None:
        """A list of the sizes, or None if the rank is unknown."""
        return None if self._dims is None else list(self._dims)

    def as_list(self) -> list[int | Any]:
        """Return the sizes as a list, None for an unknown size.

        Raises:
            ValueError: the rank is unknown.
        """
        return list(self._known("as_list"))

    def num_elements(self) -> int | None:
        """Return the product of the sizes, or None if a size or the rank is unknown."""
        if self._dims is None:
            return None
        total = 1
        for size in self._dims:
            if size is None:
                return None
            total *= size
        return total

    def is_fully_defined(self) -> bool:
        """Return whether the rank and all sizes are known."""
        return self._dims is not None and None not in self._dims

    def is_compatible_with(self, other: Any) -> bool:
        """Return whether one shape exists that fits both; an unknown size fits any size.

        Args:
            other: Anything TensorShape accepts.
        """
        theirs = as_shape(other)._dims
        if self._dims is None or theirs is None:
            return True
        return len(self._dims) == len(theirs) and all(map(_fits, self._dims, theirs))

    def merge_with(self, other: Any) -> "TensorShape":
        """Return the shape with all sizes known in either shape.

        Args:
            other: Anything TensorShape accepts.

        Raises:
            ValueError: the shapes are not compatible.
        """
        theirs = as_shape(other)._dims
        self.assert_is_compatible_with(other)
        if self._dims is None:
            return TensorShape.of(theirs)
        if theirs is None:
            return self
        merged = tuple(b if a is None else a for a, b in zip(self._dims, theirs, strict=True))
        return TensorShape.of(merged)

    def concatenate(self, other: Any) -> "TensorShape":
        """Return the axes of this shape followed by those of `other`; same as `+`.

        Args:
            other: Anything TensorShape accepts.
        """
        theirs = as_shape(other)._dims
        if self._dims is None or theirs is None:
            return TensorShape.of(None)
        return TensorShape.of(self._dims + theirs)

    def with_rank(self, rank: int) -> "TensorShape":
        """Return this shape with the given rank; an unknown rank becomes `[None] * rank`.

        Raises:
            ValueError: the rank is known and different.
        """
        if self._dims is None:
            return TensorShape.of((None,) * rank)
        self.assert_has_rank(rank)
        return self

    def with_rank_at_least(self, rank: int) -> "TensorShape":
        """Return this shape if it has at least `rank` axes or an unknown rank.

        Raises:
            ValueError: it has fewer axes.
        """
        if self._dims is not None and len(self._dims) < rank:
            raise ValueError(self._wrong_rank("with_rank_at_least", f"at least {rank}"))
        return self

    def with_rank_at_most(self, rank: int) -> "TensorShape":
        """Return this shape if it has at most `rank` axes or an unknown rank.

        Raises:
            ValueError: it has more axes.
        """
        if self._dims is not None and len(self._dims) > rank:
            raise ValueError(self._wrong_rank("with_rank_at_most", f"at most {rank}"))
        return self

    def assert_has_rank(self, rank: int) -> None:
        """Raise ValueError if the rank is known and not `rank`."""
        if self._dims is not None and len(self._dims) != rank:
            raise ValueError(self._wrong_rank("assert_has_rank", str(rank)))

    def assert_same_rank(self, other: Any) -> None:
        """Raise ValueError if both ranks are known and differ."""
        theirs = as_shape(other)
        if self._dims is not None and theirs._dims is not None and self.rank != theirs.rank:
            raise ValueError(
                f"tf.TensorShape.assert_same_rank: both shapes must have the same rank; "
                f"got {self} and {theirs}."
            )

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raise ValueError if no shape fits both this shape and `other`."""
        if not self.is_compatible_with(other):
            raise ValueError(
                f"tf.TensorShape: Shapes {self} and {as_shape(other)} are not compatible: each "
                f"pair of known sizes must be equal; they differ {self._where_differs(other)}."
            )

    def assert_is_fully_defined(self) -> None:
        """Raise ValueError if the rank or a size is unknown."""
        if not self.is_fully_defined():
            raise ValueError(
                f"tf.TensorShape.assert_is_fully_defined: the rank and all sizes must be known; "
                f"got {self}, Shape is not fully defined."
            )

    def most_specific_compatible_shape(self, other: Any) -> "TensorShape":
        """Return the shape with the sizes on which both agree, None elsewhere.

        Args:
            other: Anything TensorShape accepts.

        Returns:
            That shape; of unknown rank if the ranks differ.
        """
        theirs = as_shape(other)._dims
        if self._dims is None or theirs is None or len(self._dims) != len(theirs):
            return TensorShape.of(None)
        pairs = zip(self._dims, theirs, strict=True)
        return TensorShape.of(tuple(a if a == b else None for a, b in pairs))

    def is_subtype_of(self, other: Any) -> bool:
        """Return whether each tensor of this shape is also one of shape `other`."""
        if not isinstance(other, TensorShape):
            return False
        if other._dims is None or self._dims == other._dims:
            return True
        if self._dims is None or len(self._dims) != len(other._dims):
            return False
        return all(b is None or a == b for a, b in zip(self._dims, other._dims, strict=True))

    def most_specific_common_supertype(self, others: Sequence[Any]) -> "TensorShape | None":
        """Return the narrowest shape that covers this one and `others`, or None.

        Args:
            others: TensorShapes; with anything else among them there is no such shape.
        """
        found = self
        for other in others:
            if not isinstance(other, TensorShape):
                return None
            found = found.most_specific_compatible_shape(other)
        return found

    def _known(self, who: str) -> Dims:
        if self._dims is None:
            raise ValueError(
                f"tf.TensorShape.{who}: the rank must be known; got a shape with unknown rank.\n"
                f"  Fix: give the rank first, as in shape.with_rank(2), or use tf.shape(x)."
            )
        return self._dims

    def _wrong_rank(self, who: str, wanted: str) -> str:
        return f"tf.TensorShape.{who}: Shape {self} must have rank {wanted}; got rank {self.rank}."

    def _where_differs(self, other: Any) -> str:
        mine, theirs = self._known("=="), as_shape(other)._known("==")
        if len(mine) != len(theirs):
            return f"in rank, {len(mine)} and {len(theirs)}"
        bad = [i for i, (a, b) in enumerate(zip(mine, theirs, strict=True)) if not _fits(a, b)]
        return f"at axis {', '.join(map(str, bad))}"

    def __len__(self) -> int:
        return len(self._known("__len__"))

    def __bool__(self) -> bool:
        # TF: whether the rank is known, so a scalar's shape is true.
        return self._dims is not None

    # A size may be None; `Any` spares type-checked programs a test at each use of a known one.
    def __iter__(self) -> Iterator[int | Any]:
        return iter(self._known("__iter__"))

    @overload
    def __getitem__(self, key: int) -> int | Any: ...
    @overload
    def __getitem__(self, key: slice) -> "TensorShape": ...
    def __getitem__(self, key: int | slice) -> "int | TensorShape | Any":
        dims = self._dims
        if dims is not None:
            if isinstance(key, slice):
                return TensorShape.of(dims[key])
            return dims[key]
        return _item_of_unknown(key)

    def __add__(self, other: Any) -> "TensorShape":
        return self.concatenate(other)

    def __radd__(self, other: Any) -> "TensorShape":
        return as_shape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TensorShape):
            return self._dims == other._dims
        if isinstance(other, tuple):
            return self._dims == other
        try:
            return self._dims == TensorShape(other)._dims
        except (TypeError, ValueError):
            return NotImplemented

    def __hash__(self) -> int:
        return hash(self._dims)

    def __repr__(self) -> str:
        return f"TensorShape({None if self._dims is None else list(self._dims)})"

    def __str__(self) -> str:
        return "<unknown>" if self._dims is None else str(self._dims)

    def __reduce__(self) -> tuple[Callable[[Any], "TensorShape"], tuple[Dims | None]]:
        return TensorShape, (self._dims,)


_new: Callable[[type[TensorShape]], TensorShape] = object.__new__


def as_shape(shape: Any) -> TensorShape:
    """Return `shape` as a TensorShape.

    Args:
        shape: A TensorShape, which is returned itself, or anything TensorShape accepts.

    Returns:
        The TensorShape.

    Raises:
        TypeError: a size is not an integer or None.
        ValueError: a size is negative.
    """
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def broadcast_static_shape(a: Any, b: Any) -> TensorShape:
    """Return the shape of broadcasting tensors of shapes `a` and `b` against each other.

    Args:
        a: A TensorShape, or anything TensorShape accepts.
        b: The same.

    Returns:
        The broadcast shape. An unknown size meets 1 or another unknown as unknown, and a known
        size above 1 as that size; an unknown rank gives an unknown rank.

    Raises:
        ValueError: two known sizes differ and neither is 1.

    Example:
        >>> tf.broadcast_static_shape(tf.TensorShape([None, 1]), tf.TensorShape([5]))
        TensorShape([None, 5])
    """
    left, right = as_shape(a), as_shape(b)
    if left.rank is None or right.rank is None:
        return TensorShape.of(None)
    short, long = sorted((tuple(left), tuple(right)), key=len)
    dims: list[int | None] = list(long)
    offset = len(long) - len(short)
    for i, size in enumerate(short):
        other = long[offset + i]
        if other == 1:
            dims[offset + i] = size
        elif size is not None and size != 1:
            if other is not None and other != size:
                raise ValueError(
                    f"tf.broadcast_static_shape: sizes must be equal or 1, axis by axis from the "
                    f"last; got Incompatible shapes for broadcasting: {left} and {right}."
                )
            dims[offset + i] = size
    return TensorShape.of(tuple(dims))


def _normalized(dims: Any) -> Dims | None:
    if dims is None:
        return None
    if isinstance(dims, TensorShape):
        return dims._dims  # pyright: ignore[reportPrivateUsage]
    if isinstance(dims, str | bytes):
        raise TypeError(_bad_size(dims))
    try:
        sizes = iter(cast("Iterable[Any]", dims))
    except TypeError:
        return (_size(dims),)
    return tuple([size if type(size) is int and size >= 0 else _size(size) for size in sizes])


def _size(value: Any) -> int | None:
    if value is None:
        return None
    try:
        size = int(operator.index(value))
    except TypeError:
        raise TypeError(_bad_size(value)) from None
    if size < 0:
        raise ValueError(
            f"tf.TensorShape: Dimension {size} must be >= 0; got {size}.\n"
            f"  Fix: write None for an unknown size."
        )
    return size


def _bad_size(value: Any) -> str:
    return (
        f"tf.TensorShape: Dimension value must be integer or None; "
        f"got value {value!r} with type '{type(value).__name__}'.\n"
        f"  Fix: write int(...) around a float, None for an unknown size."
    )


def _fits(a: int | None, b: int | None) -> bool:
    return a is None or b is None or a == b


def _item_of_unknown(key: int | slice) -> int | TensorShape | None:
    """Index a shape of unknown rank: what is certain, else unknown."""
    if not isinstance(key, slice):
        return None
    start = 0 if key.start is None else key.start
    if key.step is not None or key.stop is None or start < 0 or key.stop < 0:
        return TensorShape.of(None)
    return TensorShape.of((None,) * max(key.stop - start, 0))
