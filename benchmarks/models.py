"""Models as Keras subclasses and as hand-written JAX, on the same weights and batches.

A Keras model is made from a `keras` namespace, so that lamina's, TensorFlow's and Keras' own can
run the same source. The JAX function beside it takes the weights in Keras' order.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

__all__ = ["CASES", "Case", "raw_step"]

BATCHES = 4
EPSILON = 1e-7


class Case(NamedTuple):
    """One model to measure.

    Attributes:
        model: Makes the Keras model from a `keras` namespace.
        apply: The same model in JAX: `apply(weights, x) -> logits`, weights in Keras' order.
        shape: The shape of one sample.
        batch: The batch size.
        classes: The number of classes.
        tokens: The number of tokens if the input is integers, else 0.
    """

    model: Callable[[Any], Any]
    apply: Callable[[Any, Any], Any]
    shape: tuple[int, ...]
    batch: int
    classes: int = 10
    tokens: int = 0

    def batches(self, count: int = BATCHES) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return batches of inputs and labels, the same at each call."""
        rng = np.random.default_rng(0)
        found = []
        for _ in range(count):
            shape = (self.batch, *self.shape)
            if self.tokens:
                x = rng.integers(0, self.tokens, shape).astype("int32")
            else:
                x = rng.normal(size=shape).astype("float32")
            found.append((x, rng.integers(0, self.classes, self.batch).astype("int32")))
        return found


def raw_step(apply: Callable[[Any, Any], Any], rate: float = 1e-3) -> tuple[Any, Any]:
    """Return `(optimizer, step)`: Adam from optax, and one jitted training step."""
    optimizer = optax.adam(rate, eps=EPSILON)

    def loss_fn(weights, x, y):
        logits = apply(weights, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    def step(weights, state, x, y):
        loss, gradients = jax.value_and_grad(loss_fn)(weights, x, y)
        updates, state = optimizer.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state, loss

    return optimizer, jax.jit(step, donate_argnums=(0, 1))


# ---- MLP ----------------------------------------------------------------------------------------


def mlp(layers: int, width: int) -> Callable[[Any], Any]:
    def make(keras: Any) -> Any:
        class MLP(keras.Model):
            def __init__(self):
                super().__init__()
                self.hidden = [
                    keras.layers.Dense(width, activation="relu") for _ in range(layers - 1)
                ]
                self.out = keras.layers.Dense(10)

            def call(self, x):
                for layer in self.hidden:
                    x = layer(x)
                return self.out(x)

        return MLP()

    return make


def mlp_apply(w, x):
    for i in range(0, len(w) - 2, 2):
        x = jax.nn.relu(x @ w[i] + w[i + 1])
    return x @ w[-2] + w[-1]


# ---- CNN ----------------------------------------------------------------------------------------


def cnn(keras: Any) -> Any:
    class CNN(keras.Model):
        def __init__(self):
            super().__init__()
            layers = keras.layers
            self.conv1 = layers.Conv2D(16, 3, padding="same", activation="relu")
            self.conv2 = layers.Conv2D(32, 3, padding="same", activation="relu")
            self.pool = layers.MaxPooling2D()
            self.flatten = layers.Flatten()
            self.out = layers.Dense(10)

        def call(self, x):
            x = self.pool(self.conv1(x))
            x = self.pool(self.conv2(x))
            return self.out(self.flatten(x))

    return CNN()


def cnn_apply(w, x):
    for kernel, bias in ((w[0], w[1]), (w[2], w[3])):
        x = lax.conv_general_dilated(
            x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + bias)
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return x.reshape(x.shape[0], -1) @ w[4] + w[5]


# ---- LSTM ---------------------------------------------------------------------------------------


def lstm(keras: Any) -> Any:
    class Recurrent(keras.Model):
        def __init__(self):
            super().__init__()
            self.lstm = keras.layers.LSTM(128)
            self.out = keras.layers.Dense(10)

        def call(self, x):
            return self.out(self.lstm(x))

    return Recurrent()


def lstm_apply(w, x):
    kernel, recurrent, bias, out, out_bias = w
    gates = jnp.swapaxes(x @ kernel + bias, 0, 1)  # all times at once, time first
    zeros = jnp.zeros((x.shape[0], recurrent.shape[0]), x.dtype)

    def step(carry, gate):
        h, c = carry
        i, f, g, o = jnp.split(gate + h @ recurrent, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    (h, _), _ = lax.scan(step, (zeros, zeros), gates)
    return h @ out + out_bias


# ---- transformer --------------------------------------------------------------------------------


def transformer(keras: Any) -> Any:
    layers = keras.layers

    class Block(layers.Layer):
        def __init__(self, size, heads):
            super().__init__()
            self.norm1 = layers.LayerNormalization(epsilon=1e-6)
            self.attention = layers.MultiHeadAttention(heads, size // heads)
            self.norm2 = layers.LayerNormalization(epsilon=1e-6)
            self.wide = layers.Dense(4 * size, activation="relu")
            self.narrow = layers.Dense(size)

        def call(self, x):
            y = self.norm1(x)
            x = x + self.attention(y, y)
            return x + self.narrow(self.wide(self.norm2(x)))

    class Transformer(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(1000, 64)
            self.blocks = [Block(64, 4) for _ in range(2)]
            self.pool = layers.GlobalAveragePooling1D()
            self.out = layers.Dense(10)

        def call(self, tokens):
            x = self.embedding(tokens)
            for block in self.blocks:
                x = block(x)
            return self.out(self.pool(x))

    return Transformer()


def _norm(x, scale, shift):
    mean = x.mean(-1, keepdims=True)
    variance = x.var(-1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-6) * scale + shift


def _block(w, x):
    y = _norm(x, w[0], w[1])
    q, k, v = (jnp.einsum("btd,dhk->bthk", y, w[i]) + w[i + 1] for i in (2, 4, 6))
    scores = jnp.einsum("bthk,bshk->bhts", q, k) / np.sqrt(q.shape[-1]).astype("float32")
    mixed = jnp.einsum("bhts,bshk->bthk", jax.nn.softmax(scores), v)
    x = x + jnp.einsum("bthk,hkd->btd", mixed, w[8]) + w[9]
    y = _norm(x, w[10], w[11])
    return x + jax.nn.relu(y @ w[12] + w[13]) @ w[14] + w[15]


def transformer_apply(w, tokens):
    x = w[0][tokens]
    x = _block(w[17:33], _block(w[1:17], x))
    return x.mean(1) @ w[33] + w[34]


CASES = {
    "MLP, 2 layers": Case(mlp(2, 128), mlp_apply, (784,), 64),
    "MLP, 8 layers": Case(mlp(8, 256), mlp_apply, (256,), 128),
    "CNN": Case(cnn, cnn_apply, (28, 28, 1), 32),
    "LSTM": Case(lstm, lstm_apply, (32, 64), 32),
    "transformer, 2 blocks": Case(transformer, transformer_apply, (32,), 16, tokens=1000),
}
