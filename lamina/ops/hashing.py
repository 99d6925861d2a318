"""Hashes of strings and integers, the same numbers as TF's: FarmHash64, SipHash, MurmurHash.

The hash functions work on rows of bytes, with the operators that NumPy and JAX share. Strings are
hashed on the host, those of one length together; integers, written as decimal text first, by a
recorded operation.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from lamina.engine import (
    Tensor,
    convert_to_tensor,
    dtypes,
    elementwise,
    errors,
    host_op,
    op,
)

__all__ = [
    "cross_hashes",
    "fingerprint64",
    "hash_bucket",
    "murmur",
    "to_hash_bucket_fast",
    "to_hash_bucket_strong",
]


def _u64(number: int) -> Any:
    return np.uint64(number & 0xFFFFFFFFFFFFFFFF)


_K0 = _u64(0xC3A5C85C97CB3127)
_K1 = _u64(0xB492B66FBE98F273)
_K2 = _u64(0x9AE16A3B2F90404F)
_CAT = _u64(0xC6A4A7935BD1E995)
_CROSS_KEY = _u64(0xDECAFCAFFE)


def _fetch(rows: Any, at: int, size: int) -> Any:
    """Return `size` bytes of each row from `at` on, as a little-endian number."""
    found = rows[:, at].astype("uint64")
    for i in range(1, size):
        found = found | (rows[:, at + i].astype("uint64") << _u64(8 * i))
    return found


class _Rows:
    """Texts of one length.

    Args:
        rows: uint8, `(N, L)`.
    """

    def __init__(self, rows: Any):
        self.rows = rows
        self.count = rows.shape[1]
        self.length = _u64(self.count)

    def head(self, at: int, size: int) -> Any:
        """Return `size` bytes from `at` on, as a number."""
        return _fetch(self.rows, at, size)

    def tail(self, back: int, size: int) -> Any:
        """Return `size` bytes from `back` before the end on, as a number."""
        return _fetch(self.rows, self.count - back, size)

    def middle(self) -> Any:
        """Return the byte at half the length."""
        return _fetch(self.rows, self.count >> 1, 1)


class _Short(_Rows):
    """Texts of several lengths, of 1 to 20 bytes; the arrays are JAX's.

    Args:
        rows: uint8, `(N, 24)`, zeros after the end of each text.
        ends: uint8, `(N, 24)`, each text again, with zeros before its start.
        length: The lengths, uint64.
    """

    def __init__(self, rows: Any, ends: Any, length: Any):
        super().__init__(rows)
        self.ends = ends
        self.length = length

    def tail(self, back: int, size: int) -> Any:
        return _fetch(self.ends, self.count - back, size)

    def middle(self) -> Any:
        return jnp.where(self.length == 1, self.head(0, 1), self.head(1, 1))


def _turn(value: Any, by: int) -> Any:
    """Rotate right."""
    return (value >> _u64(by)) | (value << _u64(64 - by))


def _mix(value: Any) -> Any:
    return value ^ (value >> _u64(47))


def _pair(low: Any, high: Any, factor: Any) -> Any:
    """Hash two numbers to one."""
    first = _mix((low ^ high) * factor)
    return _mix((high ^ first) * factor) * factor


# ---- FarmHash64: the "na" variant, which TF's Fingerprint64 is --------------------------------


def farmhash(rows: Any) -> Any:
    """Return FarmHash64 of each row of bytes.

    Args:
        rows: uint8, `(N, L)`, an array of NumPy or JAX.

    Returns:
        uint64, `(N,)`.

    Reference: https://github.com/google/farmhash, farmhash.cc, `farmhashna::Hash64`.
    """
    length = rows.shape[1]
    if length == 0:
        return rows.sum(axis=1).astype("uint64") + _K2
    for limit, of in _FARM:
        if length <= limit:
            return of(_Rows(rows))
    return _farm_long(rows, length)


def _farm_to_3(text: _Rows) -> Any:
    low = text.head(0, 1) + (text.middle() << _u64(8))
    high = (text.tail(1, 1) << _u64(2)) + text.length
    return _mix(low * _K2 ^ high * _K0) * _K2


def _farm_to_7(text: _Rows) -> Any:
    factor = _K2 + text.length * _u64(2)
    return _pair((text.head(0, 4) << _u64(3)) + text.length, text.tail(4, 4), factor)


def _farm_to_16(text: _Rows) -> Any:
    factor = _K2 + text.length * _u64(2)
    a, b = text.head(0, 8) + _K2, text.tail(8, 8)
    return _pair(_turn(b, 37) * factor + a, (_turn(a, 25) + b) * factor, factor)


def _farm_to_32(text: _Rows) -> Any:
    factor = _K2 + text.length * _u64(2)
    a, b = text.head(0, 8) * _K1, text.head(8, 8)
    c, d = text.tail(8, 8) * factor, text.tail(16, 8) * _K2
    return _pair(_turn(a + b, 43) + _turn(c, 30) + d, a + _turn(b + _K2, 18) + c, factor)


def _farm_to_64(text: _Rows) -> Any:
    factor = _K2 + text.length * _u64(2)
    a, b = text.head(0, 8) * _K2, text.head(8, 8)
    c, d = text.tail(8, 8) * factor, text.tail(16, 8) * _K2
    y = _turn(a + b, 43) + _turn(c, 30) + d
    z = _pair(y, a + _turn(b + _K2, 18) + c, factor)
    e, f = text.head(16, 8) * factor, text.head(24, 8)
    g, h = (y + text.tail(32, 8)) * factor, (z + text.tail(24, 8)) * factor
    return _pair(_turn(e + f, 43) + _turn(g, 30) + h, e + _turn(f + a, 18) + g, factor)


# The greatest length that each form is for; longer texts go block by block.
_FARM = (
    (3, _farm_to_3),
    (7, _farm_to_7),
    (16, _farm_to_16),
    (32, _farm_to_32),
    (64, _farm_to_64),
)


def _farm_32_bytes(rows: Any, at: int, a: Any, b: Any) -> tuple[Any, Any]:
    """Mix 32 bytes into two seeds."""
    w, x, y, z = (_fetch(rows, at + 8 * i, 8) for i in range(4))
    a = a + w
    b = _turn(b + a + z, 21)
    total = a + x + y
    return total + z, b + _turn(total, 44) + a


def _farm_block(rows: Any, at: int, state: Any, factor: Any, weight: int) -> Any:
    """Mix 64 bytes into the state `(x, y, z, v, w)`; the last block weighs 9, others 1."""
    x, y, z, v, w = state
    x = _turn(x + y + v[0] + _fetch(rows, at + 8, 8), 37) * factor
    y = _turn(y + v[1] + _fetch(rows, at + 48, 8), 42) * factor
    x = x ^ (w[1] * _u64(weight))
    y = y + v[0] * _u64(weight) + _fetch(rows, at + 40, 8)
    z = _turn(z + w[0], 33) * factor
    v = _farm_32_bytes(rows, at, v[1] * factor, x + w[0])
    w = _farm_32_bytes(rows, at + 32, z + w[1], y + _fetch(rows, at + 16, 8))
    return z, y, x, v, w


def _farm_long(rows: Any, length: int) -> Any:
    zero = rows[:, 0].astype("uint64") * _u64(0)
    y = zero + _u64(81 * int(_K1) + 113)
    z = _mix(y * _K2 + _u64(113)) * _K2
    state: Any = (zero + _u64(81 * int(_K2)) + _fetch(rows, 0, 8), y, z, (zero, zero), (zero, zero))
    for at in range(0, (length - 1) // 64 * 64, 64):
        state = _farm_block(rows, at, state, _K1, 1)
    x, y, z, v, w = state
    factor = _K1 + ((z & _u64(0xFF)) << _u64(1))
    w0 = w[0] + _u64((length - 1) & 63)
    v0 = v[0] + w0
    state = (x, y, z, (v0, v[1]), (w0 + v0, w[1]))
    x, y, z, v, w = _farm_block(rows, length - 64, state, factor, 9)
    first = _pair(v[0], w[0], factor) + _mix(y) * _K0 + z
    return _pair(first, _pair(v[1], w[1], factor) + x, factor)


# ---- SipHash-2-4: TF's strong, keyed hash ------------------------------------------------------


def siphash(rows: Any, key: tuple[int, int]) -> Any:
    """Return SipHash-2-4 of each row of bytes.

    Args:
        rows: uint8, `(N, L)`, an array of NumPy or JAX.
        key: Two 64-bit integers.

    Returns:
        uint64, `(N,)`.

    Reference: Aumasson and Bernstein 2012, https://www.131002.net/siphash/siphash.pdf.
    """
    length = rows.shape[1]
    zero = rows.sum(axis=1).astype("uint64") * _u64(0)
    state = _sip_start(zero, key)
    whole = length // 8 * 8
    for at in range(0, whole, 8):
        state = _sip_word(state, _fetch(rows, at, 8))
    last = zero + _u64((length & 0xFF) << 56)
    if whole < length:
        last = last | _fetch(rows, whole, length - whole)
    return _sip_end(_sip_word(state, last))


def _sip_start(zero: Any, key: tuple[int, int]) -> list[Any]:
    start = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    return [zero + _u64(s ^ key[i % 2]) for i, s in enumerate(start)]


def _sip_word(state: list[Any], word: Any) -> list[Any]:
    """Take in eight bytes; the last word holds the length in its highest."""
    a, b, c, d = state
    a, *others = _sip_round(_sip_round([a, b, c, d ^ word]))
    return [a ^ word, *others]


def _sip_end(state: list[Any]) -> Any:
    a, b, c, d = state
    state = [a, b, c ^ _u64(0xFF), d]
    for _ in range(4):
        state = _sip_round(state)
    a, b, c, d = state
    return a ^ b ^ c ^ d


def _sip_round(state: list[Any]) -> list[Any]:
    a, b, c, d = state
    a, c = a + b, c + d
    b, d = _turn(b, 51) ^ a, _turn(d, 48) ^ c
    a = _turn(a, 32)
    c, a = c + b, a + d
    b, d = _turn(b, 47) ^ c, _turn(d, 43) ^ a
    return [a, b, _turn(c, 32), d]


# ---- MurmurHash: TF's Hash64, of older functions and of dense tables ---------------------------

_SEED, _MASK, _FACTOR = int(_CROSS_KEY), 0xFFFFFFFFFFFFFFFF, int(_CAT)


def murmur(text: bytes) -> int:
    """Return MurmurHash64A (A. Appleby, public domain) of a text, with TF's seed."""
    code = _SEED ^ (len(text) * _FACTOR & _MASK)
    whole = len(text) // 8 * 8
    for at in range(0, whole, 8):
        word = int.from_bytes(text[at : at + 8], "little") * _FACTOR & _MASK
        word = (word ^ word >> 47) * _FACTOR & _MASK
        code = (code ^ word) * _FACTOR & _MASK
    if whole < len(text):
        code = (code ^ int.from_bytes(text[whole:], "little")) * _FACTOR & _MASK
    code = (code ^ code >> 47) * _FACTOR & _MASK
    return code ^ code >> 47


# ---- strings ----------------------------------------------------------------------------------


def _hash_strings(strings: Any, key: tuple[int, int] | None) -> Any:
    """Return the hash of each of an array of bytes objects; uint64, of its shape."""
    flat = strings.reshape(-1)
    found = np.empty(flat.size, dtype=np.uint64)
    lengths = np.fromiter(map(len, flat), dtype=np.int64, count=flat.size)
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        joined = b"".join(flat[places])
        rows = np.frombuffer(joined, dtype=np.uint8).reshape(places.size, length)
        with np.errstate(over="ignore"):
            found[places] = farmhash(rows) if key is None else siphash(rows, key)
    return found.reshape(strings.shape)


@host_op(elementwise(dtypes.uint64))
def fingerprint64(strings):
    """Return the 64-bit fingerprint of each string, FarmHash64.

    Args:
        strings: A Tensor of strings.

    Returns:
        uint64, of the shape of `strings`.

    Example:
        >>> from lamina import ops
        >>> ops.fingerprint64(tf.constant(["a"])).numpy()
        array([12917804110809363939], dtype=uint64)
    """
    return _hash_strings(strings, None)


@host_op(elementwise(dtypes.int64))
def _bucket_of_strings(strings, num_buckets=1, key=None):
    return (_hash_strings(strings, key) % np.uint64(num_buckets)).astype(np.int64)


# ---- integers ---------------------------------------------------------------------------------

_DIGITS, _WIDTH = 20, 24


def _decimal(number: Any) -> _Short:
    """Return the decimal text of integers `(N,)`."""
    if number.dtype.kind == "u":
        size, negative = number.astype("uint64"), jnp.zeros(number.shape, bool)
    else:
        wide = number.astype("int64")
        negative = wide < 0
        size = jnp.where(negative, -(wide + 1), wide).astype("uint64") + negative.astype("uint64")
    powers = np.array([10**i for i in range(_DIGITS)], np.uint64)[::-1]
    digits = (size[:, None] // powers % np.uint64(10)).astype("uint8") + np.uint8(ord("0"))
    length = 1 + (size[:, None] >= powers[:-1]).sum(axis=1) + negative
    place = length[:, None] - _DIGITS + jnp.arange(_DIGITS)  # in the text, of each column
    ends = jnp.where(place < 0, np.uint8(0), digits)
    ends = jnp.where((place == 0) & negative[:, None], np.uint8(ord("-")), ends)
    ends = jnp.pad(ends, ((0, 0), (_WIDTH - _DIGITS, 0)))
    at = jnp.arange(_WIDTH) + _WIDTH - length[:, None]
    rows = jnp.take_along_axis(ends, jnp.minimum(at, _WIDTH - 1), axis=1)
    return _Short(jnp.where(at < _WIDTH, rows, np.uint8(0)), ends, length.astype("uint64"))


def _hash_short(text: _Short, key: tuple[int, int] | None) -> Any:
    """Return the hash of texts of up to 20 bytes."""
    if key is None:
        found = _farm_to_32(text)
        for limit, of in reversed(_FARM[:3]):
            found = jnp.where(text.length <= _u64(limit), of(text), found)
        return found
    state = _sip_start(text.length * _u64(0), key)
    end = text.length << _u64(56)
    for i in range(_WIDTH // 8):
        is_last = text.length // _u64(8) == i
        word = text.head(8 * i, 8) | jnp.where(is_last, end, _u64(0))
        taken = text.length >= _u64(8 * i)
        after = _sip_word(state, word)
        state = [jnp.where(taken, new, old) for new, old in zip(after, state, strict=True)]
    return _sip_end(state)


@op(differentiable=False)
def _bucket_of_ints(x, num_buckets=1, key=None):
    found = _hash_short(_decimal(x.reshape(-1)), key)
    return (found % np.uint64(num_buckets)).astype("int64").reshape(x.shape)


def hash_bucket(x, num_buckets, key=None) -> Tensor:
    """Return the bucket of each string, or integer by its decimal text, as TF assigns them.

    Args:
        x: A Tensor of strings or integers.
        num_buckets: The number of buckets, N.
        key: Two integers for SipHash; None takes FarmHash64.

    Returns:
        int64 in [0, N), of the shape of `x`.

    Example:
        >>> from lamina import ops
        >>> ops.hash_bucket(tf.constant([7, 70]), 3).numpy()
        array([1, 0])
    """
    x = convert_to_tensor(x)
    key = None if key is None else tuple(int(k) for k in key)
    of = _bucket_of_strings if x.dtype is dtypes.string else _bucket_of_ints
    return of(x, num_buckets=int(num_buckets), key=key)


def _checked_buckets(num_buckets: Any, who: str) -> int:
    if num_buckets < 1:
        raise errors.InvalidArgumentError(
            f"{who}: `num_buckets` must be at least 1; got {num_buckets!r}."
        )
    return int(num_buckets)


def to_hash_bucket_fast(input, num_buckets, name=None):
    """Return the bucket of each string by its FarmHash64.

    Args:
        input: A Tensor of strings.
        num_buckets: The number of buckets, N, at least 1.
        name: Accepted, unused.

    Returns:
        int64 in [0, N), of the shape of `input`.

    Raises:
        InvalidArgumentError: `num_buckets` is below 1.

    Example:
        >>> from lamina import ops
        >>> ops.to_hash_bucket_fast(["Hello", "TensorFlow", "2.x"], 3).numpy()
        array([0, 2, 2])
    """
    buckets = _checked_buckets(num_buckets, "tf.strings.to_hash_bucket_fast")
    return _bucket_of_strings(convert_to_tensor(input, dtypes.string), num_buckets=buckets)


def to_hash_bucket_strong(input, num_buckets, key, name=None):
    """Return the bucket of each string by its SipHash, which the key makes hard to foresee.

    Args:
        input: A Tensor of strings.
        num_buckets: The number of buckets, N, at least 1.
        key: Two integers.
        name: Accepted, unused.

    Returns:
        int64 in [0, N), of the shape of `input`.

    Raises:
        InvalidArgumentError: `num_buckets` is below 1, or `key` has not two integers.

    Example:
        >>> from lamina import ops
        >>> ops.to_hash_bucket_strong(["Hello", "TF"], 3, [1, 2]).numpy()
        array([2, 0])
    """
    buckets = _checked_buckets(num_buckets, "tf.strings.to_hash_bucket_strong")
    key = tuple(int(k) for k in key)
    if len(key) != 2:
        raise errors.InvalidArgumentError(
            f"tf.strings.to_hash_bucket_strong: `key` must be two integers; got {list(key)}."
        )
    text = convert_to_tensor(input, dtypes.string)
    return _bucket_of_strings(text, num_buckets=buckets, key=key)


# ---- crosses ----------------------------------------------------------------------------------


@op(mixed=True, differentiable=False)
def _cross(*columns, num_buckets, key=None):
    found = jnp.full(columns[0].shape, _CROSS_KEY if key is None else np.uint64(key))
    for column in columns:
        # FingerprintCat64 of TF's platform/fingerprint.h.
        found = found ^ _CAT ^ (_mix(column.astype("uint64") * _CAT) * _CAT)
        found = _mix(_mix(found * _CAT) * _CAT)
    return (found % np.uint64(num_buckets or 2**63 - 1)).astype("int64")


def cross_hashes(columns, num_buckets, key=None) -> Tensor:
    """Return a hash of the combination of several columns, as `tf.sparse.cross_hashed`.

    Args:
        columns: Tensors of one shape, of strings or integers.
        num_buckets: The number of buckets, N; 0 keeps 63 bits.
        key: What the hash starts from, or None for TF's.

    Returns:
        int64 in [0, N), of the columns' shape.

    Example:
        >>> from lamina import ops
        >>> ops.cross_hashes([tf.constant(["A", "B"]), tf.constant([101, 101])], 5).numpy()
        array([1, 4])
    """
    given = [convert_to_tensor(c) for c in columns]
    numbers = [fingerprint64(c) if c.dtype is dtypes.string else c for c in given]
    return _cross(*numbers, num_buckets=int(num_buckets), key=key)
