"""How bright the empty background of magnitude images is: the yardstick for "as dark as the noise"."""

import numpy as np

_MOST_OF_BODY = 0.2
"""A background brighter than this share of the bright tissue is tissue too: the body fills the image."""

_NOISE_SPREAD = (0.15, 0.8)
"""Standard deviation over mean of a noise tile: 0.52 for Rayleigh noise, 0.26 after averaging four offsets."""


def background_level(magnitude: np.ndarray) -> float | None:
    """Median magnitude of the signal-free background, or None where the images have none (zeroed or body-filled).

    magnitude  (S, R, C) float, arbitrary unit

    Small tiles are judged: zeroed pixels, smooth tissue and anything near tissue brightness are no noise.
    """
    median, spread = _tiles(magnitude)
    if median.size == 0:
        return None
    noise = median[(spread > _NOISE_SPREAD[0]) & (spread < _NOISE_SPREAD[1])]
    if noise.size < 4:
        return None
    darkest = np.sort(noise)[: max(4, noise.size // 10)]
    level = float(np.median(darkest))
    return level if level < _MOST_OF_BODY * float(np.percentile(median, 95)) else None


def _tiles(magnitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and relative spread of each tile (about 1/16 of the image's side) without zeroed or missing pixels."""
    slices, rows, columns = magnitude.shape
    size = max(4, min(rows, columns) // 16)
    whole = magnitude[:, : rows // size * size, : columns // size * size]
    if whole.size == 0:
        return np.empty(0), np.empty(0)
    tiles = whole.reshape(slices, rows // size, size, columns // size, size).swapaxes(2, 3).reshape(-1, size * size)
    filled = tiles[(tiles > 0).mean(axis=1) > 0.95]
    return np.median(filled, axis=1), filled.std(axis=1) / np.maximum(filled.mean(axis=1), 1e-12)
