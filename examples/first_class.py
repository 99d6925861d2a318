"""What a subclassed model can do with nothing written but `__init__` and `call`.

Looks into a residual network, edits it, trains it, saves it and exports it; writes a plot, a page
and the files into examples/output/. Run: python examples/first_class.py
"""

from pathlib import Path

import numpy as np

import lamina as tf

OUTPUT = Path(__file__).parent / "output"
layers = tf.keras.layers


class Block(layers.Layer):
    """Two convolutions and a skip."""

    def __init__(self, filters, stride=1):
        super().__init__()
        self.first = layers.Conv2D(filters, 3, stride, padding="same", activation="relu")
        self.second = layers.Conv2D(filters, 3, padding="same")
        self.skip = layers.Conv2D(filters, 1, stride)
        self.noise = 0.1

    def call(self, x):
        x = tf.nn.relu(self.second(self.first(x)) + self.skip(x))
        return x + self.noise * tf.random.normal(tf.shape(x))


class ResNet(tf.keras.Model):
    """A small residual network; its blocks are in a plain list."""

    def __init__(self, widths=(8, 16), classes=10):
        super().__init__()
        self.blocks = [Block(width, 2) for width in widths]
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(classes)

    def call(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(self.pool(x))


class Anneal(tf.keras.callbacks.Callback):
    """Lowers the noise: a plain attribute, which takes effect at the next step."""

    def on_epoch_end(self, epoch, logs=None):
        for block in self.model.blocks:
            block.noise *= 0.5


def main():
    OUTPUT.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 28, 28, 1)).astype("float32")
    y = (x.mean((1, 2, 3)) > 0).astype("int64")

    model = ResNet()
    print(model.graph((None, 28, 28, 1)))  # never called: nothing is computed
    model.summary(expand_nested=True)
    tf.keras.utils.plot_model(model, OUTPUT / "resnet.svg", show_shapes=True, expand_nested=True)

    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    sizes = []
    watch = lambda layer, inputs, outputs: sizes.append(float(np.abs(outputs).mean()))  # noqa: E731
    with model.hook("blocks[*].first", watch, values=True):
        model.fit(x, y, epochs=3, verbose=0, callbacks=[Anneal()])
    print(f"hooks saw {len(sizes)} activations; noise is now {model.blocks[0].noise:.3f}")

    print("inside:", model.intermediate(x[:2], "blocks[1].first").shape)
    model.replace("head", lambda old: layers.Dense(old.units, kernel_regularizer="l2"))
    model.remat("blocks[*]")
    print("after replace and remat:", model.fit(x, y, verbose=0).history["loss"])
    print("first of the state:", next(iter(model.named_variables()))[0])

    model.save(OUTPUT / "resnet.keras")
    model.blocks[0].noise = model.blocks[1].noise = 0.0
    loaded = tf.keras.models.load_model(OUTPUT / "resnet.keras")
    for block in loaded.blocks:
        block.noise = 0.0
    assert np.array_equal(loaded(x[:4]).numpy(), model(x[:4]).numpy())
    model.export(OUTPUT / "resnet.zip")
    program = tf.keras.export.load(OUTPUT / "resnet.zip")
    assert np.allclose(program(x[:4]).numpy(), model(x[:4]).numpy(), atol=1e-5)
    tf.viz.report(model, OUTPUT / "resnet.html")
    print("wrote resnet.svg, resnet.keras, resnet.zip and resnet.html to", OUTPUT.name)


if __name__ == "__main__":
    main()
