"""Spectrograms of signals: by Fourier transform on the mel scale, or by a learned convolution.

Letters: B batch, T samples, C channels, N the length of a transform, K = N // 2 + 1 frequencies,
F frames.
"""

import math
import warnings
from typing import Any

from lamina import ops
from lamina.engine import Shape, Tensor
from lamina.keras import initializers, policy
from lamina.keras.core import InputSpec, Layer, checks

__all__ = ["MelSpectrogram", "STFTSpectrogram"]

_MODES = ("log", "magnitude", "psd", "real", "imag", "angle", "stft")


class MelSpectrogram(Layer):
    """Return the power of a signal by time and mel-scaled frequency.

    Args:
        fft_length: N, the length of the transforms.
        sequence_stride: Samples from one frame to the next, S.
        sequence_length: Samples in a frame, at most N; None is N.
        window: What frames are multiplied by: "hann", "hamming", values of `sequence_length`,
            or None.
        sampling_rate: Samples per second.
        num_mel_bins: The number of mel bins, M.
        min_freq: Where the lowest mel bin starts, in hertz.
        max_freq: Where the highest ends; None is half the sampling rate.
        power_to_db: Whether the result is in decibel.
        top_db: How far below the greatest value of the batch the least may lie, in decibel.
        mag_exp: The power of the magnitudes: 1 for magnitude, 2 for power.
        min_power: The least power that decibel are taken of.
        ref_power: The power that is 0 decibel.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(T,)`` or ``(B, T)``; reflected at both ends by N / 2 samples.

    Returns:
        ``(M, F)`` or ``(B, M, F)`` with ``F = 1 + T // S``, in the compute dtype; the transform
        is in float32 at least.

    Raises:
        ValueError: `sequence_length` is above `fft_length`, or the window is unknown.

    Example:
        >>> layer = tf.keras.layers.MelSpectrogram(64, 32, sampling_rate=8000, num_mel_bins=10)
        >>> layer(tf.ones((2, 256))).shape
        TensorShape([2, 10, 9])
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.fft_length = fft_length
        self.sequence_stride = sequence_stride
        self.sequence_length = sequence_length or fft_length
        if self.sequence_length > fft_length:
            raise ValueError(
                f"{checks.label(self)}: `sequence_length` must be at most `fft_length`, "
                f"{fft_length}; got {sequence_length}.\n  Fix: raise `fft_length`."
            )
        self.window = window
        self.sampling_rate = sampling_rate
        self.num_mel_bins = num_mel_bins
        self.min_freq = min_freq
        self.max_freq = max_freq or int(sampling_rate / 2)
        self.power_to_db = power_to_db
        self.top_db = top_db
        self.mag_exp = mag_exp
        self.min_power = min_power
        self.ref_power = ref_power

    def call(self, inputs: Tensor) -> Tensor:
        wide = self.compute_dtype if self.compute_dtype == "float64" else "float32"
        magnitudes = ops.abs(self._transforms(checks.real(self, inputs, wide)))  # (..., F, K)
        weights = self.linear_to_mel_weight_matrix(
            self.num_mel_bins,
            self.fft_length // 2 + 1,
            self.sampling_rate,
            self.min_freq,
            self.max_freq,
            wide,
        )
        powers = ops.tensordot(magnitudes**self.mag_exp, weights, 1)  # (..., F, M)
        if self.power_to_db:
            powers = self._decibel(powers)
        axes = [*range(powers.ndim - 2), powers.ndim - 1, powers.ndim - 2]
        return ops.cast(ops.transpose(powers, axes), self.compute_dtype)

    def linear_to_mel_weight_matrix(
        self,
        num_mel_bins: int = 20,
        num_spectrogram_bins: int = 129,
        sampling_rate: float = 8000,
        lower_edge_hertz: float = 125.0,
        upper_edge_hertz: float = 3800.0,
        dtype: Any = "float32",
    ) -> Tensor:
        """Return the matrix ``(K, M)`` from frequencies to the mel scale; see `tf.signal`."""
        return ops.linear_to_mel_weight_matrix(
            num_mel_bins,
            num_spectrogram_bins,
            sampling_rate,
            lower_edge_hertz,
            upper_edge_hertz,
            dtype,
        )

    def _transforms(self, x: Tensor) -> Tensor:
        around = self.fft_length // 2
        x = ops.pad(x, [[0, 0]] * (x.ndim - 1) + [[around, around]], mode="REFLECT")
        window = self._window(x.dtype)
        return ops.stft(
            x,
            self.fft_length,
            self.sequence_stride,
            self.fft_length,
            window_fn=None if window is None else lambda length, dtype: window,
        )

    def _window(self, dtype: Any) -> Tensor | None:
        """Return the window, with zeros on both sides up to N."""
        if self.window is None:
            return None
        length = self.sequence_length
        if isinstance(self.window, str):
            checks.choice(self, "window", self.window, ("hann", "hamming"))
            make = ops.hann_window if self.window == "hann" else ops.hamming_window
            window = make(length, dtype=dtype)
        else:
            window = ops.convert_to_tensor(self.window, dtype)
            if tuple(window.shape) != (length,):
                raise ValueError(
                    f"{checks.label(self)}: `window` must have the shape ({length},), that of "
                    f"`sequence_length`; got {tuple(window.shape)}.\n"
                    f"  Fix: give {length} values, or 'hann'."
                )
        before = (self.fft_length - length) // 2
        return ops.pad(window, [[before, self.fft_length - length - before]])

    def _decibel(self, powers: Tensor) -> Tensor:
        reference = 10 * math.log10(max(abs(self.ref_power), self.min_power))
        ten = 10 / math.log(10.0)
        levels = ops.log(ops.maximum(powers, self.min_power)) * ten - reference
        return ops.maximum(levels, ops.reduce_max(levels) - self.top_db)


class STFTSpectrogram(Layer):
    """Return short-time Fourier transforms of a signal, computed by a convolution.

    The kernels start as the transform and may be trained.

    Args:
        mode: "real", "imag", both after each other as "stft"; the "angle", the "magnitude", its
            "log"; or "psd", the power, twice that inside the band.
        frame_length: Samples in a frame, L.
        frame_step: Samples from one frame to the next, S, at most L; None is L // 2.
        fft_length: N, at least L; None is the power of two that holds a frame.
        window: The name of a window that `scipy.signal.get_window` knows, L values, or None.
        periodic: Whether the window is periodic, for spectra; else symmetric.
        scaling: "density", "spectrum" or None; see `tf.keras.initializers.STFT`.
        padding: "valid", or "same" to fill the ends with zeros.
        expand_dims: Whether frequencies get an axis of their own.
        data_format: "channels_last" or "channels_first"; None takes
            ``tf.keras.config.image_data_format()``.
        **kwargs: See `Layer`.

    Call:
        inputs: float, ``(B, T, C)``, or ``(B, C, T)``.

    Returns:
        ``(B, F, C K)``, or ``(B, F, K, C)`` with `expand_dims`; with "channels_first"
        ``(B, C K, F)`` or ``(B, C, F, K)``. K is doubled for "stft". Dtype of the inputs.
    Weights:
        real_kernel: ``(L, 1, K)``, unless the mode is "imag".
        imag_kernel: ``(L, 1, K)``, unless the mode is "real".

    Raises:
        ValueError: a mode, scaling, padding or window is unknown, or lengths do not fit.
        TypeError: the inputs are bfloat16 or integers.

    Example:
        >>> layer = tf.keras.layers.STFTSpectrogram("magnitude", frame_length=16, frame_step=8)
        >>> layer(tf.ones((2, 64, 1))).shape
        TensorShape([2, 7, 9])
    """

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.mode = checks.choice(self, "mode", mode, _MODES)
        self.frame_length = frame_length
        self.frame_step = frame_step
        self.fft_length = fft_length
        self._check_lengths()
        self.window = window
        self.periodic = periodic
        self.scaling = checks.choice(self, "scaling", scaling, (None, "density", "spectrum"))
        self.padding = checks.choice(self, "padding", padding, ("valid", "same"))
        self.expand_dims = expand_dims
        self.data_format = policy.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=3)
        if isinstance(window, str):
            initializers.STFT(window=window)((1, 1, 2))  # raises for an unknown name

    def _check_lengths(self) -> None:
        length, step, size = self.frame_length, self.frame_step, self.fft_length
        if step is not None and not 1 <= step <= length:
            raise ValueError(
                f"{checks.label(self)}: `frame_step` must lie in [1, {length}], the "
                f"`frame_length`; got {step}.\n  Fix: samples between frames would be lost."
            )
        if size is not None and size < length:
            raise ValueError(
                f"{checks.label(self)}: `fft_length` must be at least `frame_length`, {length}; "
                f"got {size}.\n  Fix: omit it."
            )
        if size is not None and size & (size - 1):
            warnings.warn(
                f"{checks.label(self)}: `fft_length` should be a power of two; got {size}.",
                stacklevel=3,
            )

    @property
    def _size(self) -> int:
        return self.fft_length or 2 ** math.ceil(math.log2(self.frame_length))

    def _kernels(self) -> dict[str, Any]:
        """Return the initializers of the kernels that the mode needs, by side."""
        sides = [s for s in ("real", "imag") if self.mode not in ("real", "imag") or s == self.mode]
        return {
            side: initializers.STFT(side, self.window, self.scaling, self.periodic)
            for side in sides
        }

    def build(self, input_shape: Shape):
        for side, initializer in self._kernels().items():
            kernel = self.add_weight(
                name=f"{side}_kernel",
                shape=(self.frame_length, 1, self._size // 2 + 1),
                initializer=initializer,
            )
            setattr(self, f"{side}_kernel", kernel)

    def call(self, inputs: Tensor) -> Tensor:
        if inputs.dtype.name not in ("float16", "float32", "float64"):
            raise TypeError(
                f"{checks.label(self)}: the input must be float16, float32 or float64; got "
                f"{inputs.dtype.name}.\n  Fix: tf.cast it."
            )
        last = self.data_format == "channels_last"
        signals = ops.transpose(inputs, [0, 2, 1]) if last else inputs  # (B, C, T)
        parts = [
            self._convolved(signals, getattr(self, f"{side}_kernel")) for side in self._kernels()
        ]
        return self._arranged(self._combined(*parts))

    def _convolved(self, signals: Tensor, kernel: Any) -> Tensor:
        """Return each channel's product with the kernel at each frame, ``(B, C, F, K)``."""
        channels, time = signals.shape[1], signals.shape[2]
        rows = ops.reshape(signals, [-1, ops.shape(signals)[2] if time is None else time, 1])
        step = self.frame_step or self.frame_length // 2
        y = ops.conv(rows, ops.cast(kernel, signals.dtype), step, self.padding)
        frames = ops.shape(y)[1] if y.shape[1] is None else y.shape[1]
        return ops.reshape(y, [-1, channels, frames, y.shape[2]])

    def _combined(self, real: Tensor, imag: Tensor | None = None) -> Tensor:
        if imag is None:
            return real
        if self.mode == "stft":
            return ops.concat([real, imag], axis=-1)
        if self.mode == "angle":
            return ops.atan2(imag, real)
        power = ops.square(real) + ops.square(imag)
        if self.mode == "psd":  # the halves of the spectrum, but not its ends, count together
            return power + ops.pad(power[..., 1:-1], [[0, 0], [0, 0], [0, 0], [1, 1]])
        epsilon = policy.epsilon()
        magnitude = ops.sqrt(ops.maximum(power, epsilon))
        return magnitude if self.mode == "magnitude" else ops.log(ops.maximum(magnitude, epsilon))

    def _arranged(self, y: Tensor) -> Tensor:
        """Bring ``(B, C, F, K)`` into the layout asked for."""
        last = self.data_format == "channels_last"
        if self.expand_dims:
            return ops.transpose(y, [0, 2, 3, 1]) if last else y
        width = y.shape[1] * y.shape[3]
        frames = ops.shape(y)[2] if y.shape[2] is None else y.shape[2]
        y = ops.transpose(y, [0, 2, 1, 3] if last else [0, 1, 3, 2])
        return ops.reshape(y, [-1, frames, width] if last else [-1, width, frames])
