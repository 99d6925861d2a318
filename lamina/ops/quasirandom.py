"""Sobol points, and permutations that are computed index by index."""

import jax
import jax.numpy as jnp
import numpy as np

from lamina.engine import as_dtype, convert_to_tensor, errors, op, static_int
from lamina.ops.keys import threefry_key

__all__ = ["index_shuffle", "random_index_shuffle", "sobol_sample"]


def sobol_sample(dim, num_results, skip=0, dtype="float32", name=None):
    """Return points of the Sobol sequence, which fill the unit cube evenly.

    Args:
        dim: The number of coordinates of a point, at most 21201.
        num_results: The number of points, N.
        skip: How many to leave out at the start; the point 0 is always left out.
        dtype: float32 or float64.
        name: Accepted, unused.

    Returns:
        A Tensor `(N, dim)` of numbers in [0, 1).

    Raises:
        ArgumentError: `dim` or `num_results` is less than 1, or `skip` is negative.

    Example:
        >>> tf.math.sobol_sample(2, 3).numpy()
        array([[0.5 , 0.5 ],
               [0.75, 0.25],
               [0.25, 0.75]], dtype=float32)

    Reference: Joe and Kuo 2008, Constructing Sobol sequences with better two-dimensional
        projections, https://doi.org/10.1137/070709359.
    """
    from scipy.stats import qmc  # here: few programs ask for it, and scipy.stats is slow to import

    dim = static_int(dim, "tf.math.sobol_sample(dim)")
    count = static_int(num_results, "tf.math.sobol_sample(num_results)")
    skip = static_int(skip, "tf.math.sobol_sample(skip)")
    if dim < 1 or count < 1 or skip < 0:
        raise errors.ArgumentError(
            f"tf.math.sobol_sample: `dim` and `num_results` must be at least 1, and `skip` at "
            f"least 0; got {dim}, {count} and {skip}.\n  Fix: ask for one point or more."
        )
    sequence = qmc.Sobol(dim, scramble=False, bits=32).fast_forward(skip + 1)
    return convert_to_tensor(sequence.random(count).astype(as_dtype(dtype).np))


_ROUNDS = 24


@op(mixed=True, differentiable=False)
def _place(index, seed, largest):
    """Return the places of indices in a permutation of 0 to `largest`, by swapping or not.

    In each round, an index i has the partner ``k - i`` modulo the size, and both change places or
    stay, as a bit says that depends on the pair. Each round is a permutation for any size.
    """
    size = largest.astype(np.uint64) + 1
    place = index.astype(np.uint64)
    key = threefry_key(jnp.zeros(2, jnp.uint32))
    for i in range(seed.shape[0]):
        key = jax.random.fold_in(key, seed[i].astype(np.uint32))
    shifts = jax.random.bits(key, (_ROUNDS,), np.uint64) % size
    salts = jax.random.bits(jax.random.fold_in(key, 1), (_ROUNDS,), np.uint64)
    for turn in range(_ROUNDS):
        partner = (shifts[turn] + size - place) % size
        pair = jnp.maximum(place, partner)
        place = jnp.where(_bit(pair ^ salts[turn]), partner, place)
    return place.astype(index.dtype)


def _bit(value):
    """Return one well mixed bit of 64-bit integers."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((value ^ (value >> np.uint64(31))) & np.uint64(1)) == 1


def index_shuffle(index, seed, max_index):
    """Return where a random permutation of 0 to `max_index` takes indices.

    Nothing of the permutation is stored, so `max_index` may be huge.

    Args:
        index: Integers in [0, max_index].
        seed: Two or three integers, which choose the permutation.
        max_index: The largest index.

    Returns:
        A Tensor of the shape and dtype of `index`.

    Example:
        >>> found = tf.random.experimental.index_shuffle(tf.range(5), [1, 2], 4)
        >>> sorted(found.numpy().tolist())
        [0, 1, 2, 3, 4]
    """
    index = convert_to_tensor(index)
    return _place(index, convert_to_tensor(seed), convert_to_tensor(max_index, index.dtype))


def random_index_shuffle(index, seed, max_index, rounds=4, name=None):
    """Return where a random permutation of 0 to `max_index` takes indices.

    Args:
        index: Integers in [0, max_index].
        seed: Three integers, which choose the permutation.
        max_index: The largest index.
        rounds: Accepted, unused: the rounds here are others than TF's.
        name: Accepted, unused.

    Returns:
        A Tensor of the shape and dtype of `index`.

    Example:
        >>> found = tf.random_index_shuffle(tf.range(4), seed=[1, 2, 3], max_index=3)
        >>> sorted(found.numpy().tolist())
        [0, 1, 2, 3]
    """
    return index_shuffle(index, seed, max_index)
