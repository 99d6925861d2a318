"""tf.keras.datasets.cifar100: small photographs of a hundred kinds of things."""

from typing import Any

from lamina.keras.datasets import cifar

__all__ = ["load_data"]


def load_data(label_mode: str = "fine") -> Any:
    """Return CIFAR-100: 50,000 photographs to train on, 10,000 to test on.

    The archive is looked for as `~/.keras/datasets/cifar-100-python-target_archive`, and unpacked
    as `~/.keras/datasets/cifar-100-python`.

    Args:
        label_mode: "fine" for the 100 classes, "coarse" for the 20 groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: photographs, uint8 `(N, 32, 32, 3)`, or
        `(N, 3, 32, 32)` where the default data format is "channels_first"; classes, int64
        `(N, 1)`.

    Raises:
        ValueError: an unknown `label_mode`.
        DownloadError: the archive is neither in the cache nor to be had; the message says where
            to put it.

    Reference: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'cifar100.load_data: `label_mode` must be "fine" or "coarse"; got {label_mode!r}.'
        )
    folder = cifar.archive("cifar-100-python.tar.gz", "cifar-100-python")
    return cifar.samples([folder / "train"], folder / "test", f"{label_mode}_labels", None)
