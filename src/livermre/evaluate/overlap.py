"""Overlap of two masks: per slice (mm2), per exam (mm3), pooled over a cohort. Empty masks: see `empty`."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.empty import case_of, two_masks
from livermre.exam.errors import Contradiction, SettingsError


@dataclass(frozen=True)
class Overlap:
    """Sizes of two masks and of what they share; every measure of overlap follows from these three."""

    both: float
    found: float
    true: float
    unit: str
    """Of the three sizes: "pixels", "mm2" (one slice) or "mm3" (one exam, or a pooled cohort)."""

    @property
    def case(self) -> str:
        """compared, missed, invented or empty."""
        return case_of(self.found, self.true)

    @property
    def dice(self) -> float | None:
        """2 |A and B| / (|A| + |B|); None where both are empty."""
        return _ratio(2 * self.both, self.found + self.true)

    @property
    def iou(self) -> float | None:
        """Intersection over union (Jaccard), Dice / (2 - Dice); None where both are empty."""
        return _ratio(self.both, self.found + self.true - self.both)

    @property
    def precision(self) -> float | None:
        """Share of what was found that is true; None where nothing was found."""
        return _ratio(self.both, self.found)

    @property
    def recall(self) -> float | None:
        """Share of the truth that was found (sensitivity); None where nothing is true."""
        return _ratio(self.both, self.true)

    @property
    def difference(self) -> float:
        """Area or volume found minus true, in `unit`."""
        return self.found - self.true

    @property
    def difference_percent(self) -> float | None:
        """Area or volume found minus true, in percent of true; None where nothing is true."""
        return _ratio(100 * (self.found - self.true), self.true)


def overlap(found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float] | None = None) -> Overlap:
    """Overlap of two masks of any dimension, all pixels together.

    found, true  arrays of one shape, bool or 0/1
    spacing_mm   one distance a dimension, mm: sizes are then mm2 of a slice or mm3 of an exam; None: pixels

    Raises Contradiction for different shapes, SettingsError for values other than 0 and 1 or an odd spacing.
    """
    found, true = two_masks(found, true)
    size, unit = 1.0, "pixels"
    if spacing_mm is not None:
        size, unit = math.prod(check_spacing(spacing_mm, found.ndim)), f"mm{found.ndim}"
    return Overlap(float((found & true).sum()) * size, float(found.sum()) * size, float(true.sum()) * size, unit)


def overlap_of_slices(
    found: np.ndarray, true: np.ndarray, spacing_mm: Sequence[float] | None = None
) -> tuple[Overlap, ...]:
    """Overlap slice by slice of an exam.

    found, true  (S, R, C) bool or 0/1
    spacing_mm   (row, column) distance of pixels, mm
    """
    found, true = two_masks(found, true)
    if found.ndim != 3:
        raise Contradiction(f"an exam is [slice, row, column], found an array of shape {found.shape}")
    return tuple(overlap(a, b, spacing_mm) for a, b in zip(found, true, strict=True))


def pooled(overlaps: Iterable[Overlap]) -> Overlap:
    """All slices or exams as one big mask: large livers weigh more than small ones. Not a mean of Dice.

    Raises Contradiction where sizes are in different units, or where there are none.
    """
    parts = list(overlaps)
    units = sorted({p.unit for p in parts})
    if len(units) != 1:
        raise Contradiction(f"overlaps to pool must have one unit, found {', '.join(units) or 'none'}")
    both, found, true = (math.fsum(sizes) for sizes in zip(*((p.both, p.found, p.true) for p in parts), strict=True))
    return Overlap(both, found, true, units[0])


def dice(found: np.ndarray, true: np.ndarray) -> float | None:
    """Dice coefficient 2 |A and B| / (|A| + |B|); None where both masks are empty, since nothing was there to find.

    found, true  arrays of one shape, bool or 0/1
    """
    return overlap(found, true).dice


def iou(found: np.ndarray, true: np.ndarray) -> float | None:
    """Intersection over union (Jaccard) |A and B| / |A or B|; None where both masks are empty."""
    return overlap(found, true).iou


def check_spacing(spacing_mm: Sequence[float], dimensions: int) -> tuple[float, ...]:
    """The spacing as floats; SettingsError unless it has one distance above zero a dimension."""
    spacing = tuple(float(s) for s in spacing_mm)
    if len(spacing) != dimensions or not all(0 < s < math.inf for s in spacing):
        raise SettingsError(f"a mask of {dimensions} dimensions needs as many distances above 0 mm, found {spacing}")
    return spacing


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
