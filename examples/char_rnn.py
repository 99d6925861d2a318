"""A recurrent network with a cell of one's own learns to write Python's documentation.

The text is half a million characters of English from the standard library, `pydoc_data.topics`.
The cell is a minimal gated unit, written below; `tf.keras.layers.RNN` runs it over time. After
each epoch the model writes a few lines.

    python examples/char_rnn.py
"""

import argparse
import time
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np

import lamina as tf

OUTPUT = Path(__file__).parent / "output"


class MinimalGatedCell(tf.keras.layers.Layer):
    """A recurrent unit with one gate (Zhou et al. 2016): forgets as much as it takes in.

    f = sigmoid(W_f x + U_f h),  c = tanh(W_c x + U_c (f * h)),  h' = (1 - f) * h + f * c
    """

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], 2 * self.units))
        self.gate = self.add_weight(
            name="gate", shape=(self.units, self.units), initializer="orthogonal"
        )
        self.candidate = self.add_weight(
            name="candidate", shape=(self.units, self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(2 * self.units,), initializer="zeros")

    def call(self, inputs, states):
        (h,) = states
        x_f, x_c = tf.split(tf.matmul(inputs, self.kernel) + self.bias, 2, axis=-1)
        f = tf.sigmoid(x_f + tf.matmul(h, self.gate))
        c = tf.tanh(x_c + tf.matmul(f * h, self.candidate))
        h = (1 - f) * h + f * c
        return h, [h]


class CharModel(tf.keras.Model):
    """Characters (B, T) to the logits of each next one (B, T, V)."""

    def __init__(self, vocabulary, units):
        super().__init__()
        self.embedding = tf.keras.layers.Embedding(vocabulary, 64)
        self.rnn = tf.keras.layers.RNN(
            MinimalGatedCell(units), return_sequences=True, return_state=True
        )
        self.logits = tf.keras.layers.Dense(vocabulary)

    def call(self, tokens, state=None, return_state=False):
        x, state = self.rnn(self.embedding(tokens), initial_state=state)
        logits = self.logits(x)
        return (logits, state) if return_state else logits


class Writer(tf.keras.callbacks.Callback):
    """Lets the model write after each epoch, and keeps what it wrote."""

    def __init__(self, alphabet, length):
        super().__init__()
        self.alphabet = alphabet
        self.length = length
        self.written = []

    def on_epoch_end(self, epoch, logs=None):
        text = write(self.model, self.alphabet, "The ", self.length)
        self.written.append(f"--- epoch {epoch + 1}, loss {logs['loss']:.3f}\n{text}\n")
        print(self.written[-1])


def write(model, alphabet, start, length, temperature=0.7):
    """Return text that the model continues `start` with, one character at a time."""
    text = start
    logits, state = model(tf.constant([[alphabet.index(c) for c in start]]), return_state=True)
    for _ in range(length):
        token = tf.random.categorical(logits[:, -1] / temperature, 1)
        text += alphabet[int(token[0, 0])]
        logits, state = model(token, state=state, return_state=True)
    return text


def load_text(length):
    """Return the text as numbers, and the alphabet, most of English and some of Python."""
    text = "\n\n".join(topics[name].strip() for name in sorted(topics))[:length]
    alphabet = sorted(set(text))
    number = {c: i for i, c in enumerate(alphabet)}
    return np.array([number[c] for c in text], dtype="int32"), alphabet


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--characters", type=int, default=None, help="how much text; all of it")
    parser.add_argument("--sample", type=int, default=200, help="characters to write")
    args = parser.parse_args()

    OUTPUT.mkdir(exist_ok=True)
    tf.keras.utils.set_random_seed(0)
    text, alphabet = load_text(args.characters)
    window = 80
    starts = np.arange(0, len(text) - window - 1, window)
    x = np.stack([text[i : i + window] for i in starts])
    y = np.stack([text[i + 1 : i + window + 1] for i in starts])
    print(f"{len(text):,} characters of {len(alphabet)} kinds, {len(x):,} windows of {window}")

    model = CharModel(len(alphabet), args.units)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(4e-3, clipnorm=1.0),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    writer = Writer(alphabet, args.sample)
    start = time.perf_counter()
    model.fit(x, y, batch_size=64, epochs=args.epochs, callbacks=[writer], verbose=2)
    model.summary()
    (OUTPUT / "char_rnn.txt").write_text("\n".join(writer.written))
    print(f"{time.perf_counter() - start:.0f} s; all samples: {OUTPUT / 'char_rnn.txt'}")


if __name__ == "__main__":
    main()
