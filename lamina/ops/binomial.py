"""The binomial distribution."""

import jax
import jax.numpy as jnp

from lamina.engine import as_dtype, op
from lamina.ops.array import dimensions
from lamina.ops.stateless import stateless_fold_in

__all__ = ["stateless_binomial"]


@op(mixed=True, differentiable=False)
def _binomial(seed, counts, probs, *, shape, dtype):
    key = jax.random.wrap_key_data(seed.astype(jnp.uint32), impl="threefry2x32")
    counts, probs = counts.astype(jnp.float32), probs.astype(jnp.float32)
    # As TF, chances above 1 are 1; jax.random.binomial gives 0 there.
    probs = jnp.minimum(probs, 1)
    return jax.random.binomial(key, counts, probs, shape, jnp.float32).astype(dtype.np)


def stateless_binomial(shape, seed, counts, probs, output_dtype="int32", name=None):
    """Draw how many of a number of trials succeed; the same seed gives the same numbers.

    Args:
        shape: The shape of the result, to which `counts` and `probs` broadcast.
        seed: Two integers, as a list or Tensor.
        counts: The numbers of trials, not negative.
        probs: The chances of success of each trial, in [0, 1].
        output_dtype: An integer or float dtype.
        name: Accepted, unused.

    Returns:
        A Tensor of shape `shape`, whole numbers in [0, counts].

    Example:
        >>> tf.random.stateless_binomial((2,), (1, 2), 5.0, [0.0, 1.0]).numpy()
        array([0, 5], dtype=int32)
    """
    sizes = dimensions(shape, "tf.random.stateless_binomial")
    # Folding mixes all bits of the seed into the 32 of each half that the key takes.
    mixed = stateless_fold_in(seed, 0)
    return _binomial(mixed, counts, probs, shape=sizes, dtype=as_dtype(output_dtype))
