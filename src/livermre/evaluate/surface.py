"""Distances between the borders of two masks in mm. Empty masks: see `empty`.

The one definition of this project, since open tools differ by more than 100 mm (arXiv 2410.02630):

border       the mask's own pixels that have a neighbour outside the mask across a pixel face (mask minus its erosion by
             the cross); outside the image is outside the mask. A border point is a pixel's centre, in mm, and all count
             alike (no area weights). MONAI, medpy and Metrics Reloaded (2024) use the same points.
neighbours   "slice": within the slice only, so that the border of an exam is the stack of its slices' contours.
             The default: an MRE slab is cut out of the liver, its first and last slice are no surface, and their pixels
             would fill a 3-D border with distances of 0. "volume": across slices, too, as MONAI and medpy do in 3-D;
             for volumes that hold the whole organ.
distance     from each border point of one mask to the nearest of the other, Euclidean, 3-D in an exam
HD95         the larger of the two 95th percentiles (linear between points), one a direction: MONAI, surface-distance
             (medpy takes the percentile of both directions together)
ASSD         mean over the points of both directions together (MONAI, medpy)
surface Dice share of the points of both borders that lie within the tolerance (MONAI; surface-distance weighs by area)

On slices, and on volumes with neighbours "volume", the numbers are MONAI 1.6's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage, spatial

from livermre.evaluate.empty import COMPARED, EMPTY, case_of, two_masks
from livermre.evaluate.overlap import check_spacing
from livermre.exam.errors import Contradiction, SettingsError

Neighbours = Literal["slice", "volume"]


@dataclass(frozen=True)
class SurfaceDistance:
    """How far two borders lie apart; None follows the rule for empty masks, and `reason` says which."""

    hd95_mm: float | None
    hd_mm: float | None
    """The largest distance: one stray pixel decides it."""
    assd_mm: float | None
    surface_dice: float | None
    tolerance_mm: float
    """Of the surface Dice."""
    case: str
    """compared, missed, invented or empty."""
    reason: str | None = None


def slice_distance(
    found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float], *, tolerance_mm: float
) -> SurfaceDistance:
    """Distance between the contours of one slice.

    found, true   (R, C) bool or 0/1
    spacing_mm    (row, column) distance of pixels, mm
    tolerance_mm  of the surface Dice: what two readers differ by; it has no default, since it decides the number

    Raises Contradiction for other shapes, SettingsError for odd values, spacing or tolerance.
    """
    return _distance(*_checked(found, true, 2), check_spacing(spacing_mm, 2), tolerance_mm, "volume")


def distance_of_slices(
    found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float], *, tolerance_mm: float
) -> tuple[SurfaceDistance, ...]:
    """Distance between the contours, slice by slice of an exam.

    found, true  (S, R, C) bool or 0/1
    spacing_mm   (row, column) distance of pixels, mm
    """
    pairs = zip(*_checked(found, true, 3), strict=True)
    return tuple(slice_distance(a, b, spacing_mm, tolerance_mm=tolerance_mm) for a, b in pairs)


def exam_distance(
    found: np.ndarray,
    true: np.ndarray,
    spacing_mm: Sequence[float],
    *,
    tolerance_mm: float,
    neighbours: Neighbours = "slice",
) -> SurfaceDistance:
    """Distance between two borders of an exam in three dimensions.

    found, true  (S, R, C) bool or 0/1
    spacing_mm   (slice, row, column) distance of centres, mm: a gap between slices belongs to the first
    neighbours   "slice" or "volume", see the head of this file
    """
    if neighbours not in ("slice", "volume"):
        raise SettingsError(f'the border of an exam looks for neighbours in "slice" or "volume", found {neighbours!r}')
    return _distance(*_checked(found, true, 3), check_spacing(spacing_mm, 3), tolerance_mm, neighbours)


def border(mask: np.ndarray, neighbours: Neighbours = "volume") -> np.ndarray:
    """Pixels of a mask with a neighbour outside it, same shape, bool."""
    cross = ndimage.generate_binary_structure(mask.ndim, 1)
    if neighbours == "slice":
        cross[[0, -1]] = False
    return mask & ~ndimage.binary_erosion(mask, cross)


def _checked(found: np.ndarray, true: np.ndarray, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    found, true = two_masks(found, true)
    if found.ndim != dimensions:
        wanted = "[row, column]" if dimensions == 2 else "[slice, row, column]"
        raise Contradiction(f"masks to measure must be {wanted}, found an array of shape {found.shape}")
    return found, true


def _distance(
    found: np.ndarray, true: np.ndarray, spacing: tuple[float, ...], tolerance_mm: float, neighbours: Neighbours
) -> SurfaceDistance:
    if not 0 <= tolerance_mm < np.inf:
        raise SettingsError(f"the tolerance of a surface Dice is a length in mm, at least 0, found {tolerance_mm}")
    case = case_of(bool(found.any()), bool(true.any()))
    if case != COMPARED:
        shares = None if case == EMPTY else 0.0
        reason = "both masks are empty" if case == EMPTY else f"one mask is empty ({case})"
        return SurfaceDistance(None, None, None, shares, tolerance_mm, case, reason)
    a, b = (np.argwhere(border(m, neighbours)) * np.array(spacing) for m in (found, true))
    there = spatial.cKDTree(b).query(a)[0]
    back = spatial.cKDTree(a).query(b)[0]
    both = np.concatenate([there, back])
    return SurfaceDistance(
        hd95_mm=max(float(np.percentile(d, 95)) for d in (there, back)),
        hd_mm=float(both.max()),
        assd_mm=float(both.mean()),
        surface_dice=float((both <= tolerance_mm * (1 + 1e-9)).mean()),
        tolerance_mm=tolerance_mm,
        case=case,
    )
