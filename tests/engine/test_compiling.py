"""What XLA is told when it compiles."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lamina as tf
from lamina.engine import compiling


def _options(monkeypatch, flags: str, **kwargs):
    seen = []
    monkeypatch.setenv("XLA_FLAGS", flags)
    monkeypatch.setattr(compiling.jax, "jit", lambda function, **given: seen.append(given))
    compiling.jitted(len, **kwargs)
    return seen[0].get("compiler_options", {})


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="the level is set for CPU only")
def test_the_cpu_compiler_works_at_level_2_unless_the_user_says_otherwise(monkeypatch):
    assert _options(monkeypatch, "") == {"xla_backend_optimization_level": 2}
    assert _options(monkeypatch, "--xla_backend_optimization_level=3") == {}
    assert "xla_disable_hlo_passes" in _options(monkeypatch, "", calls=True)


def test_recorded_operations_run_inside_a_function_that_jax_traces():
    def doubled(x):
        return (tf.nn.relu(tf.convert_to_tensor(x)) * 2.0).__jax_array__()

    x = jnp.array([-1.0, 3.0])
    np.testing.assert_array_equal(jax.jit(doubled)(x), [0.0, 6.0])
    np.testing.assert_array_equal(jax.jit(jax.vmap(doubled))(x), [0.0, 6.0])
    np.testing.assert_array_equal(jax.jit(jax.grad(lambda x: doubled(x).sum()))(x), [0.0, 2.0])


def test_an_error_of_the_function_itself_is_not_taken_for_that_of_tracing():
    def fails(x):
        raise ValueError("the function's own")

    with pytest.raises(ValueError, match="the function's own"):
        compiling.jitted(fails)(jnp.ones(2))
