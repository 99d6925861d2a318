"""Initializers whose values do not depend on chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import ops
from lamina.engine import Tensor, Variable, as_dtype, static_ints
from lamina.keras.initializers import host
from lamina.keras.initializers.base import Initializer
from lamina.keras.policy import standardize_dtype

__all__ = [
    "STFT",
    "Constant",
    "Identity",
    "IdentityInitializer",
    "Ones",
    "STFTInitializer",
    "Zeros",
    "constant",
    "identity",
    "ones",
    "stft",
    "zeros",
]


def _full(shape: Any, value: Any, dtype: Any) -> Any:
    """Return a Tensor of one value, or of an array broadcast to the shape."""
    shape = static_ints(shape, "shape")
    dtype = standardize_dtype(dtype)
    if not host.fits(shape, dtype):
        if np.ndim(value) == 0 and value == 0:
            return ops.zeros(shape, dtype)
        return ops.broadcast_to(ops.cast(value, dtype), shape)
    value = np.asarray(value).astype(as_dtype(dtype).np)
    return host.tensor(np.broadcast_to(value, shape), dtype)


class Zeros(Initializer):
    """Make zeros.

    Example:
        >>> tf.keras.initializers.Zeros()((2,)).numpy()
        array([0., 0.], dtype=float32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return _full(shape, 0, dtype)


class Ones(Initializer):
    """Make ones.

    Example:
        >>> tf.keras.initializers.Ones()((2,), dtype="int32").numpy()
        array([1, 1], dtype=int32)
    """

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return _full(shape, 1, dtype)


class Constant(Initializer):
    """Make one value everywhere, or an array broadcast to the shape.

    Args:
        value: A number, or an array, list or Tensor whose shape broadcasts to that asked for.

    Example:
        >>> tf.keras.initializers.Constant([1.0, 2.0])((2, 2)).numpy()
        array([[1., 2.],
               [1., 2.]], dtype=float32)
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if not isinstance(self.value, Tensor | Variable):
            return _full(shape, self.value, dtype)
        value = ops.cast(self.value, standardize_dtype(dtype))
        return ops.broadcast_to(value, static_ints(shape, "shape"))


class Identity(Initializer):
    """Make the identity matrix, with zeros beside it or below it if the shape is not square.

    Args:
        gain: What the ones are multiplied by.

    Raises:
        ValueError: the shape asked for is not of rank 2.

    Example:
        >>> tf.keras.initializers.Identity(gain=2.0)((2, 3)).numpy()
        array([[2., 0., 0.],
               [0., 2., 0.]], dtype=float32)
    """

    _config_omit = ("gain",)  # as Keras, whose config of it is empty

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        shape = static_ints(shape, "shape")
        if len(shape) != 2:
            raise ValueError(
                f"Identity: `shape` must have rank 2; got {shape}.\n"
                f"  Fix: use Orthogonal, which flattens all axes but the last."
            )
        return host.tensor(self.gain * np.eye(*shape), standardize_dtype(dtype))


class STFT(Initializer):
    """Make the kernel of a short-time Fourier transform, for a convolution over a signal.

    Column k is ``window[n] * cos(2 π n k / L)``, or ``-sin`` for the imaginary side, with
    ``L = 2 * (K - 1)``.

    Args:
        side: "real" or "imag".
        window: The name of a window that `scipy.signal.get_window` knows, an array of length N,
            or None for a rectangle.
        scaling: "density" divides by the root of the sum of the window's squares, "spectrum" by
            its sum, None by nothing. A window of None is not scaled.
        periodic: Whether the window is periodic, for spectra; else symmetric.

    Returns:
        For the shape ``(N, 1, K)``: N samples, K frequencies.

    Raises:
        ValueError: an unknown `side`, `scaling` or window.

    Example:
        >>> kernel = tf.keras.initializers.STFT("imag")((4, 1, 3))
        >>> kernel.shape
        TensorShape([4, 1, 3])
    """

    def __init__(
        self,
        side: str = "real",
        window: str | Sequence[float] | None = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ):
        if side not in ("real", "imag"):
            raise ValueError(
                f"STFT: `side` must be 'real' or 'imag'; got {side!r}.\n  Fix: pass one of these."
            )
        if scaling not in (None, "density", "spectrum"):
            raise ValueError(
                f"STFT: `scaling` must be None, 'density' or 'spectrum'; got {scaling!r}.\n"
                f"  Fix: pass one of these."
            )
        self.side = side
        self.window = window
        self.scaling = scaling
        self.periodic = periodic

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        samples, _, bins = static_ints(shape, "shape")
        angle = 2 * np.pi * np.outer(np.arange(samples), np.arange(bins)) / (2 * (bins - 1))
        wave = np.cos(angle) if self.side == "real" else -np.sin(angle)
        kernel = (wave * self._window(samples)[:, None])[:, None, :]
        return host.tensor(kernel, standardize_dtype(dtype))

    def _window(self, samples: int) -> np.ndarray:
        if self.window is None:
            return np.ones(samples)
        if isinstance(self.window, str):
            from scipy.signal import get_window  # takes long to import

            window = np.asarray(get_window(self.window, samples, fftbins=self.periodic))
        else:
            window = np.asarray(self.window)
        if self.scaling == "density":
            return window / np.sqrt(np.sum(np.square(window)))
        return window / np.sum(window) if self.scaling == "spectrum" else window


zeros = Zeros
ones = Ones
constant = Constant
identity = IdentityInitializer = Identity
stft = STFTInitializer = STFT
