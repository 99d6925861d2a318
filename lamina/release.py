"""The two versions: this package's own, and TensorFlow's whose API it is."""

from importlib import metadata
from types import FrameType

from lamina.demand import version_seen_from

__all__ = ["TENSORFLOW", "own_version", "seen_version"]

TENSORFLOW = "2.21.0"


def own_version() -> str:
    """Return the version of this package; "0" in a checkout that is not installed."""
    try:
        return metadata.version("lamina")
    except metadata.PackageNotFoundError:
        return "0"


def seen_version(frame: FrameType) -> str:
    """Return what `__version__` of the package is for the code that asks.

    `import lamina; lamina.__version__` is the package's own version. `import lamina as tf` and
    `lamina run` make `tf.__version__` the TensorFlow version whose API this is, which is what
    programs compare: `assert tf.__version__.startswith("2.")`.

    Args:
        frame: The frame that asks; the name under which it holds the package decides.

    Example:
        >>> import lamina
        >>> tf.version.VERSION
        '2.21.0'
    """
    return version_seen_from(frame, own_version(), TENSORFLOW)
