"""How bright the empty background of magnitude images is: the yardstick for "as dark as the noise"."""

import numpy as np

_MOST_OF_BODY = 0.2
"""A background brighter than this share of the bright tissue is tissue too: the body fills the image."""

_NOISE_SPREAD = (0.15, 0.8)
"""Standard deviation over mean of a noise tile: 0.52 for Rayleigh noise, 0.26 after averaging four offsets."""


def background_level(magnitude: np.ndarray) -> float | None:
    """Mean magnitude of the signal-free background, or None where the images have none (zeroed or body-filled).

    magnitude  (S, R, C) float, arbitrary unit

    Small tiles are judged: zeroed pixels, smooth tissue and anything near tissue brightness are no noise.
    """
    mean, spread = _tiles(magnitude)
    if mean.size == 0:
        return None
    noise = np.sort(mean[(spread > _NOISE_SPREAD[0]) & (spread < _NOISE_SPREAD[1])])
    if noise.size < 4:
        return None
    level = float(np.median(noise[: max(4, noise.size // 10)]))
    return level if level < _MOST_OF_BODY * float(np.percentile(mean, 95)) else None


def _tiles(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and relative spread of each tile (about 1/16 of the image's side) without zeroed or missing pixels."""
    thin = max(1, min(magnitude.shape[1:]) // 128)  # 8 x 8 pixels a tile tell noise from tissue
    magnitude = magnitude[:, ::thin, ::thin]
    slices, rows, columns = magnitude.shape
    size = max(4, min(rows, columns) // 16)
    whole = magnitude[:, : rows // size * size, : columns // size * size]
    if whole.size == 0:
        return np.empty(0), np.empty(0)
    tiles = whole.reshape(slices, rows // size, size, columns // size, size)
    filled = np.count_nonzero(tiles > 0, axis=(2, 4)) > 0.95 * size**2
    mean = tiles.mean(axis=(2, 4))[filled]
    square = np.einsum("sijkl,sijkl->sik", tiles, tiles)[filled] / size**2
    return mean, np.sqrt(np.maximum(square - mean**2, 0)) / np.maximum(mean, 1e-12)
