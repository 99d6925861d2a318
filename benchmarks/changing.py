"""The worst case for a recorder: programs of which no two are alike, against plain eager JAX."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from benchmarks.timing import Ratio, interleaved, ratio

__all__ = ["measure_changing"]

_KINDS = 8


def _random_program(rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return steps (operation, which earlier value) of random number and kind."""
    return [
        (int(rng.integers(_KINDS)), int(rng.integers(i + 1))) for i in range(rng.integers(5, 30))
    ]


def _play(program: list[tuple[int, int]], x: Any, ops: list[Any]) -> Any:
    values = [x]
    for kind, other in program:
        values.append(ops[kind](values[-1], values[other]))
    return values[-1]


def measure_changing(tf: Any, rounds: int, chunk: float) -> Ratio:
    """Return the ratio of lamina's time to eager JAX's, over random programs."""
    start = np.random.default_rng(0).normal(size=(64, 64)).astype("float32") / 8
    lamina_ops = [
        tf.add, tf.subtract, tf.maximum, tf.minimum,
        lambda a, b: tf.tanh(a), lambda a, b: tf.sigmoid(b),
        lambda a, b: tf.matmul(a, b) / 8.0, lambda a, b: tf.transpose(a),
    ]  # fmt: skip
    jax_ops = [
        jnp.add, jnp.subtract, jnp.maximum, jnp.minimum,
        lambda a, b: jnp.tanh(a), lambda a, b: 1 / (1 + jnp.exp(-b)),
        lambda a, b: jnp.matmul(a, b) / 8.0, lambda a, b: jnp.transpose(a),
    ]  # fmt: skip

    def way(x: Any, ops: list[Any], finish: Any, seed: int) -> Any:
        rng = np.random.default_rng(seed)

        def run(n: int) -> None:
            for _ in range(n):
                finish(_play(_random_program(rng), x, ops))

        return run

    times = interleaved(
        {
            "lamina": way(tf.constant(start), lamina_ops, lambda t: t.numpy(), 1),
            "jax": way(jnp.asarray(start), jax_ops, np.asarray, 1),
        },
        rounds,
        chunk,
        warmup=100,
    )
    return ratio(times["lamina"], times["jax"])
