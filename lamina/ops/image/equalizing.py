"""Histogram equalisation, of whole batches and of tiles; kernels, not part of tf.image."""

import jax
import jax.numpy as jnp
from jax import lax

from lamina.engine import op

__all__ = ["equalize", "equalize_tiles"]

_LEVELS = 256


def _counts(indices, bins):
    """Count integers of any shape in `[0, bins)`."""
    return jnp.zeros(bins, jnp.int32).at[jnp.ravel(indices)].add(1)


def _equalized(channel, bins):
    places = jnp.clip(channel * (bins - 1) / 255, 0, bins - 1).astype(jnp.int32)
    counts = _counts(places, bins)
    total = jnp.cumsum(counts).astype(jnp.float64)
    first = total[jnp.argmax(counts > 0)]
    spread = total[-1] - first
    levels = jnp.clip(jnp.round((total - first) * 255 / jnp.where(spread == 0, 1, spread)), 0, 255)
    is_flat = jnp.sum(counts > 0) <= 1
    return jnp.where(is_flat, channel, levels[places].astype(channel.dtype))


@op
def equalize(images, *, bins):
    """Spread the values of each channel evenly over `[0, 255]`.

    Args:
        images: A float Tensor `(B, H, W, C)` in `[0, 255]`; one histogram counts the whole batch.
        bins: The number of levels told apart.

    Returns:
        A Tensor of the same shape and dtype; channels with one level stay as they are.
    """
    channels = [_equalized(images[..., i], bins) for i in range(images.shape[-1])]
    return jnp.stack(channels, -1)


# --- tiles ----------------------------------------------------------------------------------------


def _tile_levels(tiles, clip_limit):
    """Return the level that each of 256 values gets in a tile, float32.

    Args:
        tiles: int32 `(…, P)`: the values of each tile's pixels.
        clip_limit: The largest count, in multiples of the mean one; what exceeds it is spread
            over all values. 0 or less sets no limit.
    """
    count = tiles.shape[-1]
    flat = jnp.reshape(tiles, (-1, count))
    counts = jax.vmap(lambda one: _counts(one, _LEVELS))(flat).astype(jnp.float32)
    if clip_limit > 0:
        kept = jnp.minimum(counts, clip_limit * count / _LEVELS)
        counts = kept + jnp.sum(counts - kept, -1, keepdims=True) / _LEVELS
    total = jnp.cumsum(counts, -1)
    least = total[:, :1]
    spread = count - least
    levels = (total - least) * 255 / jnp.where(spread == 0, 1, spread)
    return jnp.reshape(jnp.clip(levels, 0, 255), (*tiles.shape[:-1], _LEVELS))


def _neighbours(size, tiles):
    """Return, for each pixel of an axis, the two nearest tiles and the share of the second."""
    length = jnp.asarray(size // tiles, jnp.float32)
    place = (lax.iota(jnp.float32, size) - length / 2) / length
    first = jnp.floor(place)
    share = place - first
    low, high = (jnp.clip(first + i, 0, tiles - 1).astype(jnp.int32) for i in (0, 1))
    return low, high, share


def _mirrored(size, length):
    """Return the indices that make an axis longer by mirroring it, edges included."""
    size = jnp.asarray(size, jnp.int32)  # may be symbolic, which jnp.pad does not take
    place = lax.iota(jnp.int32, length) % (2 * size)
    return jnp.where(place < size, place, 2 * size - 1 - place)


@op
def equalize_tiles(images, *, clip_limit, tile_grid_size):
    """Equalise the histogram of each tile, with contrast limited; mix the levels between tiles.

    Args:
        images: A float32 Tensor `(B, H, W, C)` in `[0, 255]`.
        clip_limit: How steep levels may rise, in multiples of the identity.
        tile_grid_size: The number of rows and columns of tiles; images that they do not divide
            are mirrored to a larger size first.

    Returns:
        A Tensor of the same shape and dtype.

    Reference: Zuiderveld 1994, Contrast limited adaptive histogram equalization, Graphics Gems IV.
    """
    batch, height, width, channels = images.shape
    rows, columns = tile_grid_size
    high, wide = -(-height // rows), -(-width // columns)
    padded = jnp.take(images, _mirrored(height, high * rows), 1, mode="clip")
    padded = jnp.take(padded, _mirrored(width, wide * columns), 2, mode="clip")
    pixels = jnp.clip(padded.astype(jnp.int32), 0, _LEVELS - 1)
    tiles = jnp.reshape(pixels, (batch, rows, high, columns, wide, channels))
    tiles = jnp.transpose(tiles, (0, 1, 3, 5, 2, 4))
    tiles = jnp.reshape(tiles, (batch, rows, columns, channels, high * wide))
    levels = _tile_levels(tiles, clip_limit)  # (B, rows, columns, C, 256)
    top, bottom, down = _neighbours(high * rows, rows)
    left, right, across = _neighbours(wide * columns, columns)
    image = lax.iota(jnp.int32, batch)[:, None, None, None]
    channel = lax.iota(jnp.int32, channels)

    def level(row, column):
        return levels[image, row[:, None, None], column[:, None], channel, pixels]

    across, down = across[:, None], down[:, None, None]
    upper = level(top, left) * (1 - across) + level(top, right) * across
    lower = level(bottom, left) * (1 - across) + level(bottom, right) * across
    result = upper * (1 - down) + lower * down
    return result[:, :height, :width].astype(images.dtype)
