"""From liver probability to one liver: a threshold, one body of tissue, no pin-holes."""

import numpy as np
from scipy import ndimage

THRESHOLD = 0.5
_KEEP_SHARE = 0.1
"""A second piece with a tenth of the main one is kept: a left lobe cut off by the slice gap, not a bowel loop."""
_HOLE_MM2 = 150.0
"""Holes up to this area are vessels or lesions inside the liver, which belong to its outline."""

_LINKED = ndimage.generate_binary_structure(3, 2)


def one_liver(probability: np.ndarray, pixel_area_mm2: float) -> np.ndarray:
    """The liver (S, R, C) bool from its probability (S, R, C): largest body and its large neighbours, holes filled."""
    liver = probability >= THRESHOLD
    labels, count = ndimage.label(liver, structure=_LINKED)
    if count == 0:
        return liver
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = sizes >= _KEEP_SHARE * sizes.max()
    keep[0] = False
    return np.stack([_filled(s, pixel_area_mm2) for s in keep[labels]])


def _filled(mask: np.ndarray, pixel_area_mm2: float) -> np.ndarray:
    """One slice (R, C) bool with its small holes filled."""
    holes, count = ndimage.label(ndimage.binary_fill_holes(mask) & ~mask)
    if count == 0:
        return mask
    small = np.bincount(holes.ravel(), minlength=count + 1) * pixel_area_mm2 <= _HOLE_MM2
    small[0] = False
    return mask | small[holes]
