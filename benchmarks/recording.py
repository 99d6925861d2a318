"""What it costs to record: an operation, a layer call, a tape's gradient."""

import time
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

__all__ = ["measure_recording"]

_COUNT = 200


def _per_item(record: Callable[[], Any], finish: Callable[[Any], Any], rounds: int) -> float:
    """Return seconds an item of `record`, which makes _COUNT of them; `finish` is not timed."""
    for _ in range(3):
        finish(record())
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        made = record()
        times.append(time.perf_counter() - start)
        finish(made)
    return float(np.median(times)) / _COUNT


def measure_recording(tf: Any, rounds: int) -> dict[str, float]:
    """Return seconds for one item of each kind."""
    one = tf.constant(1.0)
    start = tf.ones([8, 8])
    array, step = jnp.ones((8, 8)), jnp.float32(1.0)
    dense = tf.keras.layers.Dense(8)
    dense(start)

    class Plus(tf.keras.layers.Layer):
        def call(self, x):
            return x + one

    plus = Plus()
    plus(start)

    def chain(function: Callable[[Any], Any], x: Any) -> Any:
        for _ in range(_COUNT):
            x = function(x)
        return x

    def under_tape() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(start)
            y = chain(lambda x: x + one, start)
        return tape.gradient(y, start)

    def ran(x: Any) -> None:
        x.numpy()

    return {
        "x + y": _per_item(lambda: chain(lambda x: x + one, start), ran, rounds),
        "x + y and its gradient": _per_item(under_tape, ran, rounds),
        "layer call, one op": _per_item(lambda: chain(plus, start), ran, rounds),
        "Dense call": _per_item(lambda: chain(dense, start), ran, rounds),
        "x + y run by eager JAX": _per_item(
            lambda: chain(lambda x: x + step, array), lambda x: x.block_until_ready(), rounds
        ),
    }
