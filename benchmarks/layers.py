"""Single layers against Keras on JAX, forward and training, by the same public calls."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import interleaved, ratio

__all__ = ["LAYERS", "measure_layer"]

Make = Callable[[Any], Any]  # a keras module -> a layer

LAYERS: dict[str, tuple[tuple[int, ...], Make]] = {
    "SimpleRNN": ((32, 40, 32), lambda k: k.layers.SimpleRNN(64)),
    "LSTM": ((32, 40, 32), lambda k: k.layers.LSTM(64)),
    "GRU": ((32, 40, 32), lambda k: k.layers.GRU(64, return_sequences=True)),
    "Bidirectional LSTM": ((32, 40, 32), lambda k: k.layers.Bidirectional(k.layers.LSTM(32))),
    "MultiHeadAttention": ((16, 64, 64), lambda k: SelfAttention(k)),
    "Conv1D": ((32, 128, 16), lambda k: k.layers.Conv1D(32, 5, padding="causal")),
    "Conv2D": ((32, 28, 28, 8), lambda k: k.layers.Conv2D(16, 3, padding="same")),
    "Conv2DTranspose": ((16, 14, 14, 16), lambda k: k.layers.Conv2DTranspose(8, 3, strides=2)),
    "DepthwiseConv2D": ((32, 28, 28, 16), lambda k: k.layers.DepthwiseConv2D(3)),
}
"""Name: (shape of a batch, what makes the layer)."""


def SelfAttention(keras: Any) -> Any:  # noqa: N802  # a layer of either library
    """Return a layer that attends from a sequence to itself."""

    class Attention(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.attention = keras.layers.MultiHeadAttention(4, 16)

        def build(self, shape: Any) -> None:
            self.attention.build(shape, shape)
            self.built = True

        def call(self, x: Any) -> Any:
            return self.attention(x, x)

    return Attention()


def _model(keras: Any, name: str) -> Any:
    shape, make = LAYERS[name]
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, make(keras)(inputs))
    model.compile("sgd", "mse")
    return model


def measure_layer(ours: Any, theirs: Any, name: str, rounds: int, chunk: float) -> tuple[str, str]:
    """Return lamina's time as multiples of Keras on JAX: of a forward pass, of a training step.

    Args:
        ours: lamina.keras.
        theirs: keras, on JAX.
        name: A name of LAYERS.
        rounds: How many interleaved rounds.
        chunk: Seconds a round.
    """
    x = np.random.default_rng(0).normal(size=LAYERS[name][0]).astype("float32")
    models = {"lamina": _model(ours, name), "keras": _model(theirs, name)}
    models["lamina"].set_weights(models["keras"].get_weights())
    y = np.asarray(models["keras"].predict_on_batch(x))
    np.testing.assert_allclose(models["lamina"].predict_on_batch(x), y, rtol=1e-3, atol=1e-4)

    def forward(model: Any) -> Callable[[int], Any]:
        def run(n: int) -> float:
            for _ in range(n):
                out = model.predict_on_batch(x)
            return float(np.asarray(out).ravel()[0])

        return run

    def train(model: Any) -> Callable[[int], Any]:
        def run(n: int) -> float:
            for _ in range(n):
                loss = model.train_on_batch(x, y)
            return float(loss)

        return run

    found = []
    for way in (forward, train):
        times = interleaved({k: way(m) for k, m in models.items()}, rounds, chunk)
        found.append(str(ratio(times["lamina"], times["keras"])))
    return found[0], found[1]
