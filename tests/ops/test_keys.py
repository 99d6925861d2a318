"""Keys whose bits are one pass on CPU: the numbers are those of jax.random."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from lamina.ops.keys import folded

WORDS = np.array([5, 123456], np.uint32)

DRAWS = {
    "bits of 8": lambda key: jax.random.bits(key, (5, 3), np.uint8),
    "bits of 64": lambda key: jax.random.bits(key, (5, 3), np.uint64),
    "scalar": lambda key: jax.random.uniform(key),
    "empty": lambda key: jax.random.uniform(key, (0, 3)),
    "normal": lambda key: jax.random.normal(key, (7, 9), np.float64),
    "bfloat16": lambda key: jax.random.uniform(key, (7, 9), jnp.bfloat16),
    "integers": lambda key: jax.random.randint(key, (7,), 0, 10),
    "permutation": lambda key: jax.random.permutation(key, jnp.arange(100)),
    "split": lambda key: jax.random.key_data(jax.random.split(key, (2, 3))),
    "of many keys": lambda key: jax.vmap(lambda k: jax.random.normal(k, (3,)))(
        jax.random.split(key, 4)
    ),
    "gradient": lambda key: jax.grad(lambda s: (jax.random.normal(key, (3,)) * s).sum())(2.0),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@jax.enable_x64(True)
def test_numbers_are_those_of_jax(draw):
    plain = jax.random.fold_in(jax.random.wrap_key_data(WORDS, impl="threefry2x32"), 7)
    expected = np.asarray(draw(plain))
    found = np.asarray(jax.jit(lambda w, n: draw(folded(w, n)))(WORDS, jnp.int64(7)))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@jax.enable_x64(True)
def test_numbers_of_unknown_size_are_the_same():
    draw = jax.jit(lambda w, x: jax.random.uniform(folded(w, jnp.int64(1)), x.shape))
    (rows,) = export.symbolic_shape("rows")
    given = jax.ShapeDtypeStruct((2,), np.uint32), jax.ShapeDtypeStruct((rows, 3), np.float32)
    x = np.zeros((4, 3), np.float32)
    found = export.export(draw)(*given).call(WORDS, x)
    np.testing.assert_array_equal(found, draw(WORDS, x))


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="JAX's own kernels elsewhere")
def test_draws_on_cpu_are_no_loops():
    draw = jax.jit(lambda words: jax.random.normal(folded(words, jnp.int32(1)), (10, 10)))
    assert "while" not in draw.lower(WORDS).as_text()
