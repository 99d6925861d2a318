"""Generators of random numbers that keep a stream of their own."""

import enum
import secrets

import jax.numpy as jnp
import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, dtypes, op, static_int, static_ints
from lamina.engine.random import Stream
from lamina.ops.array import dimensions
from lamina.ops.binomial import stateless_binomial
from lamina.ops.random import bits_from, normal_draw, uniform_draw
from lamina.ops.stateless import seeds_from

__all__ = [
    "Algorithm",
    "Generator",
    "create_rng_state",
    "get_global_generator",
    "set_global_generator",
]


class Algorithm(enum.Enum):
    """The algorithms of random numbers that TF knows; all streams here are Threefry's.

    Example:
        >>> tf.random.Algorithm.PHILOX.value
        1
    """

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3


_MASK = 0xFFFFFFFF


def _number(alg):
    """Return an algorithm, in any spelling, as its number; AUTO_SELECT is Philox, as on a CPU."""
    if alg is None:
        return Algorithm.PHILOX.value
    if isinstance(alg, str):
        known = {each.name.lower(): each for each in Algorithm}
        if alg not in known:
            raise ValueError(
                f"Argument `alg` got unsupported value {alg}. Supported values are philox for the "
                f"Philox algorithm, threefry for the ThreeFry algorithm, and auto_select for "
                f'auto-selection.\n  Fix: use "philox".'
            )
        alg = known[alg]
    found = Algorithm(alg if isinstance(alg, Algorithm) else static_int(alg, "alg"))
    return Algorithm.PHILOX.value if found is Algorithm.AUTO_SELECT else found.value


def create_rng_state(seed, alg):
    """Return the state of a generator that starts from a seed.

    Args:
        seed: An integer, or several.
        alg: A `tf.random.Algorithm`, its name in small letters, or its number.

    Returns:
        An int64 Tensor of 3 integers for Philox, 2 for Threefry: the seed, and zeros.

    Raises:
        ValueError: `alg` is none of these, or there are more integers than the state holds.

    Example:
        >>> tf.random.create_rng_state(1, "philox").numpy()
        array([1, 0, 0])
    """
    size = 3 if _number(alg) == Algorithm.PHILOX.value else 2
    return convert_to_tensor(np.array(_state_of(seed, size), np.int64))


def _state_of(seed, size):
    words = static_ints(seed, "seed")
    if len(words) > size:
        raise ValueError(
            f"tf.random: a seed of at most {size} integers is expected; got {len(words)}.\n"
            f"  Fix: give one integer."
        )
    low, high = (-(1 << 63), 1 << 64)
    if any(not low <= word < high for word in words):
        words = tuple(word & ((1 << 64) - 1) for word in words)
    words = tuple(word - (1 << 64) if word >= 1 << 63 else word for word in words)
    return (*words, *[0] * (size - 1)) if len(words) == 1 else (*[0] * (size - len(words)), *words)


class Generator:
    """A stream of random numbers of its own, kept in Variables.

    Args:
        copy_from: A Generator whose state to copy, or None.
        state: A state, as `Generator.state` gives it, or None.
        alg: A `tf.random.Algorithm`; it is kept for `algorithm`, the stream is Threefry's.

    State:
        Every draw moves the stream on.

    Example:
        >>> g = tf.random.Generator.from_seed(1)
        >>> g.normal((2,)).shape
        TensorShape([2])
    """

    def __init__(self, copy_from=None, state=None, alg=None):
        self._stream = Stream(0)
        self._key, self._counter = self._stream.key, self._stream.counter
        self._algorithm = _number(alg)
        if copy_from is not None:
            state, self._algorithm = copy_from.state, copy_from.algorithm
        if state is not None:
            self.reset(state)

    @classmethod
    def from_seed(cls, seed, alg=None):
        """Return a Generator whose stream follows from an integer."""
        made = cls(alg=alg)
        made.reset_from_seed(seed)
        return made

    @classmethod
    def from_non_deterministic_state(cls, alg=None):
        """Return a Generator with a seed from the operating system."""
        return cls.from_seed(secrets.randbits(63), alg)

    @classmethod
    def from_state(cls, state, alg):
        """Return a Generator that goes on where a state was taken."""
        return cls(state=state, alg=alg)

    @classmethod
    def from_key_counter(cls, key, counter, alg):
        """Return a Generator with a key (one integer) and a counter (one or two integers)."""
        made = cls(alg=alg)
        made.reset_from_key_counter(key, counter)
        return made

    @property
    def algorithm(self):
        """The number of the algorithm in `tf.random.Algorithm` that was asked for."""
        return self._algorithm

    @property
    def key(self):
        """The last word of the state, int64."""
        return self.state[-1]

    @property
    def state(self):
        """The state, int64 of shape `(3,)`: the seed's low word, the counter, its high word."""
        return _words(self._key, self._counter)

    def reset(self, state):
        """Go on where a state was taken: three integers, or two (counter and key)."""
        words = static_ints(state, "tf.random.Generator.reset(state)")
        low, counter, high = words if len(words) == 3 else (words[0], 0, words[1])
        # All bits of a state count: what does not fit into the key's words is mixed in.
        high ^= low >> 32
        self._key.assign(np.array([high & _MASK, low & _MASK], np.uint32))
        self._counter.assign(np.int64(counter))

    def reset_from_seed(self, seed):
        """Start the stream of an integer."""
        self.reset(_state_of(seed, 3))

    def reset_from_key_counter(self, key, counter):
        """Set the key (one integer) and the counter (one or two integers)."""
        words = static_ints(counter, "tf.random.Generator(counter)")
        self.reset((*words, *[0] * (2 - len(words)), static_int(key, "tf.random.Generator(key)")))

    def skip(self, delta):
        """Move on by `delta` draws, and return the state before."""
        before = self.state
        self._counter.assign_add(np.int64(static_int(delta, "tf.random.Generator.skip(delta)")))
        return before

    def make_seeds(self, count=1):
        """Return seeds for stateless functions, int64 of shape `(2, count)`."""
        seeds = seeds_from(*self._stream.next(), num=count, dtype=dtypes.int64)
        return _columns(seeds)

    def split(self, count=1):
        """Return `count` Generators whose streams do not overlap with this one."""
        seeds = np.asarray(seeds_from(*self._stream.next(), num=count, dtype=dtypes.int64))
        return [
            Generator(state=[low, 0, high], alg=self._algorithm) for low, high in seeds.tolist()
        ]

    def normal(self, shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
        """Draw from the normal distribution; see `tf.random.normal`."""
        who = "tf.random.Generator.normal"
        return normal_draw(self._stream.next(), shape, mean, stddev, dtype, who)

    def truncated_normal(self, shape, mean=0.0, stddev=1.0, dtype=dtypes.float32, name=None):
        """Draw within two standard deviations; see `tf.random.truncated_normal`."""
        who = "tf.random.Generator.truncated_normal"
        source = self._stream.next()
        return normal_draw(source, shape, mean, stddev, dtype, who, (-2.0, 2.0))

    def uniform(self, shape, minval=0, maxval=None, dtype=dtypes.float32, name=None):
        """Draw from `[minval, maxval)`; see `tf.random.uniform`. Both None: all integers."""
        if minval is None and maxval is None:
            return self.uniform_full_int(shape, dtype)
        who = "tf.random.Generator.uniform"
        return uniform_draw(self._stream.next(), shape, minval, maxval, dtype, who)

    def uniform_full_int(self, shape, dtype=dtypes.uint64, name=None):
        """Draw integers of all values of a dtype."""
        sizes = dimensions(shape, "tf.random.Generator.uniform_full_int")
        return bits_from(*self._stream.next(), shape=sizes, dtype=dtype)

    def binomial(self, shape, counts, probs, dtype=dtypes.int32, name=None):
        """Draw how many of `counts` trials succeed; see `tf.random.stateless_binomial`."""
        seed = self.make_seeds(1)[:, 0]
        return stateless_binomial(shape, seed, counts, probs, as_dtype(dtype).name)


@op(mixed=True, differentiable=False)
def _words(key, counter):
    """Return the low word of a key, a counter, and the key's high word."""
    high, low = key.astype(jnp.int64)
    return jnp.stack([low, counter.astype(jnp.int64).reshape(()), high])


@op(differentiable=False)
def _columns(seeds):
    return jnp.transpose(seeds).astype(jnp.int64)


_global = []


def get_global_generator():
    """Return the Generator shared by the process, made at the first call.

    Returns:
        A `tf.random.Generator`.

    Example:
        >>> tf.random.get_global_generator() is tf.random.get_global_generator()
        True
    """
    if not _global:
        _global.append(Generator.from_non_deterministic_state())
    return _global[0]


def set_global_generator(generator):
    """Replace the Generator that `tf.random.get_global_generator` returns.

    Args:
        generator: A `tf.random.Generator`; None has the next call of it make one.

    Example:
        >>> tf.random.set_global_generator(tf.random.Generator.from_seed(1))
    """
    _global[:] = [] if generator is None else [generator]
