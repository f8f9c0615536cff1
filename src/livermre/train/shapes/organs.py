"""Organs of a working label map: lumens, vessels of the liver, whether the liver is whole and where it lies."""

import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import LIVER_TISSUES, Tissue
from livermre.train.shapes.shape import BODY, ShapeError, Spacing
from livermre.train.shapes.tools import box_of, closed, mask_of, near, span_of

BELOW_LIVER_MM, ABOVE_LIVER_MM = 70.0, 50.0
COMPLETE_EDGE_FRACTION = 0.10  # a liver whose cut face is smaller than this part of its largest section counts as whole
HOLLOW_MM2 = {  # organs that sources draw as walls, and the largest section of their lumen
    Tissue.HEART: 12000.0,
    Tissue.STOMACH: 5000.0,
    Tissue.COLON: 3000.0,
    Tissue.SMALL_BOWEL: 2000.0,
}


def fill_hollow(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which the lumen of heart, stomach and bowel belongs to the organ."""
    out = labels.copy()
    free = mask_of(labels, (Tissue.AIR, BODY))
    for tissue, limit in HOLLOW_MM2.items():
        wall = labels == tissue
        if wall.any():
            box = box_of(wall, [round(9 / step) for step in spacing])
            tight = closed(wall[box], 6.0, spacing)  # walls of some sources have gaps
            lumen = _holes(tight, spacing, limit) & free[box]
            out[box][_holes(wall[box] | lumen, spacing, limit) & free[box] | lumen] = tissue
    return out


def _holes(wall: np.ndarray, spacing: Spacing, limit_mm2: float) -> np.ndarray:
    """Holes of a mask in any of the three cutting planes, up to a size that a lumen can have."""
    found = np.zeros_like(wall)
    for axis in range(3):
        pixel = np.prod([spacing[other] for other in range(3) if other != axis])
        turned = np.moveaxis(found, axis, 0)
        for index, plane in enumerate(np.moveaxis(wall, axis, 0)):
            parts, _ = ndimage.label(ndimage.binary_fill_holes(plane) & ~plane)
            small = np.bincount(parts.ravel()) * pixel <= limit_mm2
            small[0] = False
            turned[index] |= small[parts]
    return found


def place_vessels(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels in which portal and hepatic veins are LIVER_VESSEL within the closed liver, ordinary veins outside."""
    out = labels.copy()
    liver = labels == Tissue.LIVER
    hull = closed(liver | (labels == Tissue.LIVER_VESSEL), 9.0, spacing)
    out[(labels == Tissue.LIVER_VESSEL) & ~near(liver, 3.0, spacing)] = Tissue.VEIN
    out[(labels == Tissue.PORTAL_VEIN) & hull] = Tissue.LIVER_VESSEL
    hole = ndimage.binary_fill_holes(mask_of(out, LIVER_TISSUES)) & mask_of(labels, (Tissue.AIR, BODY))
    out[hole] = Tissue.LIVER_VESSEL
    return out


def is_complete(labels: np.ndarray) -> bool:
    """Whether the liver ends inside the field of view on all six sides."""
    liver = mask_of(labels, LIVER_TISSUES)
    for axis in range(3):
        area = liver.sum(axis=tuple(other for other in range(3) if other != axis))
        if max(area[0], area[-1]) > COMPLETE_EDGE_FRACTION * area.max():
            return False
    return True


def crop_height(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels from 70 mm below the liver to 50 mm above it, as far as they exist."""
    low, high = span_of(mask_of(labels, LIVER_TISSUES), 0)
    low -= round(BELOW_LIVER_MM / spacing[0])
    return labels[max(0, low) : high + round(ABOVE_LIVER_MM / spacing[0])]


def check_sides(labels: np.ndarray, name: str) -> None:
    """Raises ShapeError if the liver does not lie to the patient's right of the spleen."""
    liver, spleen = mask_of(labels, LIVER_TISSUES), labels == Tissue.SPLEEN
    if spleen.any() and np.nonzero(liver)[2].mean() >= np.nonzero(spleen)[2].mean():
        raise ShapeError(f"{name}: the liver lies left of the spleen; the affine of this file is wrong")
