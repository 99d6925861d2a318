"""Smoothing images channel by channel; kernels of keras layers, not part of tf.image."""

import jax.numpy as jnp
import numpy as np
from jax import lax

from lamina.engine import op

__all__ = ["gaussian_blur", "smooth"]


def _filtered(images, kernel):
    """Convolve each channel of `(B, H, W, C)` with one kernel `(h, w)`, zeros around."""
    channels = images.shape[-1]
    kernel = jnp.broadcast_to(kernel[:, :, None, None], (*kernel.shape, 1, channels))
    return lax.conv_general_dilated(
        images,
        kernel.astype(images.dtype),
        (1, 1),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=channels,
        precision=lax.Precision.HIGHEST,
    )


def gaussian_line(size, sigma, reach=None):
    """Return `size` weights of sum 1, of a Gaussian around the middle; 0 beyond `reach`."""
    places = jnp.arange(size, dtype=sigma.dtype) - (size - 1) / 2
    weights = jnp.exp(-0.5 * jnp.square(places / sigma))
    if reach is not None:
        weights = jnp.where(jnp.abs(places) <= reach, weights, 0)
    return weights / jnp.sum(weights)


@op(mixed=True)
def gaussian_blur(images, sigma, *, kernel_size, cut=False):
    """Blur images with a Gaussian, zeros around.

    Args:
        images: A float Tensor `(B, H, W, C)`.
        sigma: `(2,)`, pixels: along the width, and along the height.
        kernel_size: Two odd numbers of pixels: along the width, and along the height.
        cut: Whether weights farther than three whole sigmas count as 0, as in a kernel of
            `6 * int(sigma) + 1` pixels: the size may then be that for the largest sigma.

    Returns:
        A Tensor of the same shape and dtype.
    """
    return smoothed(images, sigma, kernel_size, cut)


def smoothed(images, sigma, kernel_size, cut):
    """Blur images, see `gaussian_blur`; for the bodies of ops."""
    work = images.astype(jnp.promote_types(images.dtype, jnp.float32))
    sigma = sigma.astype(work.dtype)
    reach = 3 * jnp.floor(sigma) if cut else [None, None]
    across = gaussian_line(kernel_size[0], sigma[0], reach[0])
    down = gaussian_line(kernel_size[1], sigma[1], reach[1])
    return _filtered(_filtered(work, across[None, :]), down[:, None]).astype(images.dtype)


_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


@op
def smooth(images):
    """Return the mean of each pixel, weight 5, and its eight neighbours, weight 1; zeros around.

    Args:
        images: A float Tensor `(B, H, W, C)`.
    """
    return _filtered(images, jnp.asarray(_SMOOTH))
