"""Small operations on pixel grids with lengths in mm."""

import numpy as np
from scipy import ndimage

Spacing = tuple[float, float]

_BY_EDGES = ndimage.generate_binary_structure(2, 1)
"""Made once: what makes it takes as long as what uses it on a small region."""


def depth_mm(mask: np.ndarray, spacing_mm: Spacing) -> np.ndarray:
    """Distance (R, C) float32 from each pixel centre of a mask to the mask's outline, mm; 0 outside.

    mask  (R, C) bool

    The border of the array is no outline: what lies beyond is not known. The distance to the nearest outside centre
    is a quarter of a pixel more than to the shape whose centres were rasterised (measured for discs and half planes
    on three grids), so that much is taken off.
    """
    if mask.all():
        return np.full(mask.shape, np.inf, np.float32)
    distance = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    return np.maximum(distance - 0.25 * np.sqrt(spacing_mm[0] * spacing_mm[1]), 0).astype(np.float32)


def small_holes(mask: np.ndarray, largest_pixels: float) -> np.ndarray:
    """Holes (R, C) bool of a mask that do not touch the array's border and hold at most so many pixels."""
    labels, count = ndimage.label(~mask, _BY_EDGES)
    if count <= 1:
        return np.zeros_like(mask)
    small = np.bincount(labels.ravel(), minlength=count + 1) <= largest_pixels
    small[0] = False
    for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        small[border] = False
    return small[labels]


def dilate(mask: np.ndarray, radius_mm: float, spacing_mm: Spacing) -> np.ndarray:
    """Pixels (R, C) bool whose centre lies within a radius of a mask's pixel centre."""
    grown = mask.copy()
    rows, columns = mask.shape
    reach = [min(int(radius_mm / step), size - 1) for step, size in zip(spacing_mm, mask.shape, strict=True)]
    for r in range(-reach[0], reach[0] + 1):
        for c in range(-reach[1], reach[1] + 1):
            if np.hypot(r * spacing_mm[0], c * spacing_mm[1]) <= radius_mm:
                there = grown[max(r, 0) : rows + min(r, 0), max(c, 0) : columns + min(c, 0)]
                there |= mask[max(-r, 0) : rows + min(-r, 0), max(-c, 0) : columns + min(-c, 0)]
    return grown


def islands(mask: np.ndarray, pixels: float, at_least: bool) -> np.ndarray:
    """Connected parts (R, C) bool of a mask with at least, or else fewer than, so many pixels (edges connect)."""
    labels, count = ndimage.label(mask, _BY_EDGES)
    large = np.bincount(labels.ravel(), minlength=count + 1) >= pixels
    chosen = large if at_least else ~large
    chosen[0] = False
    return chosen.take(labels)


def touched(candidates: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Connected parts (R, C) bool of the candidates that hold at least one seed."""
    labels, count = ndimage.label(candidates, _BY_EDGES)
    chosen = np.zeros(count + 1, bool)
    chosen[labels[seeds]] = True
    chosen[0] = False
    return chosen.take(labels)


def masked_mean(image: np.ndarray, mask: np.ndarray, sigma_mm: float, spacing_mm: Spacing) -> np.ndarray:
    """Gaussian mean (R, C) of an image over the pixels of a mask alone; the image itself where none is near."""
    sigma = [sigma_mm / step for step in spacing_mm]
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant", truncate=3.0)
    total = ndimage.gaussian_filter(np.where(mask, image, 0).astype(np.float32), sigma, mode="constant", truncate=3.0)
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), image)


def robust_spread(values: np.ndarray) -> tuple[float, float]:
    """Median of (N,) values (the upper one where N is even) and standard deviation from the median absolute deviation.

    Plain selections: np.median's checks cost as much again, and this runs often.
    """
    half = values.size // 2
    middle = np.partition(values, half)[half]
    return float(middle), 1.4826 * float(np.partition(np.abs(values - middle), half)[half])
