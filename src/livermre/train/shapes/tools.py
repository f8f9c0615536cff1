"""Small tools on masks."""

import zlib
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from livermre.train.shapes.shape import ShapeError, Spacing


def mask_of(labels: np.ndarray, tissues: Sequence[int]) -> np.ndarray:
    """Mask of the voxels that carry one of the tissues."""
    table = np.zeros(256, bool)
    table[[int(tissue) for tissue in tissues]] = True
    return table[labels]


def near(mask: np.ndarray, distance_mm: float, spacing: Sequence[float]) -> np.ndarray:
    """Mask grown by a distance in mm."""
    if not mask.any():
        return mask.copy()
    return ndimage.distance_transform_edt(~mask, spacing) <= distance_mm


def closed(mask: np.ndarray, distance_mm: float, spacing: Spacing) -> np.ndarray:
    """Mask grown and shrunk again by a distance in mm: gaps narrower than twice the distance disappear."""
    grown = near(mask, distance_mm, spacing)
    if not grown.any() or grown.all():
        return grown
    return (ndimage.distance_transform_edt(grown, spacing) > distance_mm) | mask


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    return parts == np.bincount(parts.ravel())[1:].argmax() + 1


def span_of(mask: np.ndarray, axis: int) -> tuple[int, int]:
    """First and one-past-last index of a mask along an axis; raises ShapeError if it is empty."""
    hit = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
    if not hit.size:
        raise ShapeError("the label map has no voxel of the wanted kind")
    return int(hit[0]), int(hit[-1]) + 1


def box_of(mask: np.ndarray, margin: Sequence[int] = (0, 0, 0)) -> tuple[slice, slice, slice]:
    """Bounding box of a mask with a margin in voxels, inside the array."""
    cuts = []
    for axis in range(3):
        low, high = span_of(mask, axis)
        cuts.append(slice(max(0, low - margin[axis]), min(mask.shape[axis], high + margin[axis])))
    return cuts[0], cuts[1], cuts[2]


def rng_of(name: str) -> np.random.Generator:
    """Random numbers that depend on the name alone: the same body is always completed the same way."""
    return np.random.default_rng(zlib.crc32(name.encode()))
