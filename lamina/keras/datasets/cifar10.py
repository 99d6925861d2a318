"""tf.keras.datasets.cifar10: small photographs of ten kinds of things."""

from typing import Any

from lamina.keras.datasets import cifar

__all__ = ["load_data"]


def load_data() -> Any:
    """Return CIFAR-10: 50,000 photographs to train on, 10,000 to test on.

    The classes are airplane, automobile, bird, cat, deer, dog, frog, horse, ship and truck. The
    archive is looked for as `~/.keras/datasets/cifar-10-batches-py-target_archive`, and unpacked
    as `~/.keras/datasets/cifar-10-batches-py`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: photographs, uint8 `(N, 32, 32, 3)`, or
        `(N, 3, 32, 32)` where the default data format is "channels_first"; classes, uint8
        `(N, 1)`.

    Raises:
        DownloadError: the archive is neither in the cache nor to be had; the message says where
            to put it.

    Reference: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    folder = cifar.archive("cifar-10-python.tar.gz", "cifar-10-batches-py")
    train = [folder / f"data_batch_{i}" for i in range(1, 6)]
    return cifar.samples(train, folder / "test_batch", "labels", "uint8")
