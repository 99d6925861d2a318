"""Models that the tests of viz look at."""

import lamina as tf

layers = tf.keras.layers


class Block(layers.Layer):
    """A residual block: two convolutions, and a skip that is projected where the size changes."""

    def __init__(self, filters, stride=1):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)
        self.bn1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn2 = layers.BatchNormalization()
        self.relu = layers.ReLU()
        self.project = None
        if stride > 1:
            self.project = layers.Conv2D(filters, 1, strides=stride, use_bias=False)

    def call(self, x, training=None):
        y = self.relu(self.bn1(self.conv1(x), training=training))
        y = self.bn2(self.conv2(y), training=training)
        if self.project is not None:
            x = self.project(x)
        return self.relu(y + x)


class ResNet(tf.keras.Model):
    """A small ResNet by subclassing."""

    def __init__(self, widths=(4, 8)):
        super().__init__()
        self.stem = layers.Conv2D(widths[0], 3, padding="same")
        self.blocks = [Block(w, 1 if i == 0 else 2) for i, w in enumerate(widths)]
        self.pool = layers.GlobalAveragePooling2D()
        self.drop = layers.Dropout(0.5)
        self.head = layers.Dense(3)
        self.spare = layers.Dense(7)

    def call(self, x, training=None):
        x = tf.nn.relu(self.stem(x))
        for block in self.blocks:
            x = block(x, training=training)
        return self.head(self.drop(self.pool(x), training=training))
