"""One model, two behaviours: what `training` does in `call`.

The classifier adds noise to its inputs and drops units while it trains, and neither at inference.
`fit` passes training=True, `evaluate` and `predict` pass False; a call by hand says it itself.

    python examples/training_flag.py
"""

import argparse

import numpy as np

import lamina as tf


class NoisyClassifier(tf.keras.Model):
    """Two hidden layers, regularised by noise and dropout while training only."""

    def __init__(self, noise=0.3, rate=0.3):
        super().__init__()
        self.noise = noise
        self.hidden = [tf.keras.layers.Dense(64, activation="relu") for _ in range(2)]
        self.dropout = tf.keras.layers.Dropout(rate)
        self.logits = tf.keras.layers.Dense(1)

    def call(self, inputs, training=False):
        x = inputs
        if training:  # a Python bool: no tf.cond is needed
            x += tf.random.normal(tf.shape(x), stddev=self.noise)
        for layer in self.hidden:
            # Layers inside see the same `training`, passed on or not.
            x = self.dropout(layer(x))
        return self.logits(x)


def two_moons(count, seed):
    """Return points on two interleaved half circles, and which circle each is on."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, count)
    angle = rng.uniform(0, np.pi, count)
    x = np.where(label, 1 - np.cos(angle), np.cos(angle))
    y = np.where(label, 0.5 - np.sin(angle), np.sin(angle))
    points = np.stack([x, y], axis=1) + rng.normal(0, 0.15, (count, 2))
    return points.astype("float32"), label.astype("float32")[:, None]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--points", type=int, default=2000)
    args = parser.parse_args()

    tf.random.set_seed(0)
    x_train, y_train = two_moons(args.points, seed=0)
    x_test, y_test = two_moons(1000, seed=1)

    model = NoisyClassifier()
    model.compile(
        optimizer=tf.keras.optimizers.Adam(3e-3),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[tf.keras.metrics.BinaryAccuracy(threshold=0.0, name="accuracy")],
    )
    history = model.fit(
        x_train, y_train, batch_size=100, epochs=args.epochs, verbose=0,
        validation_data=(x_test, y_test),
    )  # fmt: skip
    model.summary()

    # The same inputs twice: at inference nothing is random, in training everything is.
    x = tf.constant(x_test[:200])
    quiet = [model(x).numpy() for _ in range(2)]
    noisy = [model(x, training=True).numpy() for _ in range(2)]
    print(
        f"training=False, largest difference between two calls: {np.ptp(quiet, axis=0).max():.3f}"
    )
    print(
        f"training=True,  largest difference between two calls: {np.ptp(noisy, axis=0).max():.3f}"
    )
    print(f"accuracy while training (with noise): {history.history['accuracy'][-1]:.3f}")
    print(f"accuracy on held-out points:          {history.history['val_accuracy'][-1]:.3f}")


if __name__ == "__main__":
    main()
