"""The 95 % intervals of the exam mean: of this acquisition, and of a repeated exam."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from livermre.exam.flags import flag
from livermre.exam.types import Exam, Roi, Stiffness
from livermre.stiffness.correlation import correlation_area_mm2, wave_area_mm2
from livermre.stiffness.settings import IntervalSettings

_SILENCING = {"no_confidence_map"}
"""Flags under which a number is given but no interval: unreliable pixels could not be left out."""


@dataclass(frozen=True)
class Spread:
    """Variance of the exam mean by its three sources, kPa2, and the degrees of freedom of the first two."""

    pixels: float
    slices: float
    region: float
    pixel_freedom: float
    slice_freedom: float

    @property
    def sd_kpa(self) -> float:
        """Standard deviation of the exam mean by all three, kPa."""
        return float(np.sqrt(self.pixels + self.slices + self.region))


def interval(
    exam: Exam,
    roi: Roi,
    stiffness: Stiffness,
    sensitivity_means_kpa: Sequence[float | None],
    settings: IntervalSettings | None = None,
) -> Stiffness:
    """The stiffness with `interval_95_kpa` and `repeat_interval_95_kpa`; both None where no interval can be given.

    sensitivity_means_kpa  exam means of the redrawn regions, kPa; None for a redraw that keeps no pixel

    The first covers pixel spread, spread between slices, and the choice of region; the second adds the published
    variation of repeated exams. Neither covers a bias of the inversion.
    """
    settings = settings or IntervalSettings()
    if not has_interval(stiffness):
        return replace(stiffness, interval_95_kpa=None, repeat_interval_95_kpa=None)
    return with_spread(stiffness, spread(exam, roi, stiffness, sensitivity_means_kpa, settings), settings)


def has_interval(stiffness: Stiffness) -> bool:
    """Whether an interval can be given at all."""
    return stiffness.mean_kpa is not None and not any(f.code in _SILENCING for f in stiffness.flags)


def with_spread(stiffness: Stiffness, spread: Spread, settings: IntervalSettings) -> Stiffness:
    """The stiffness of an exam that can have intervals, with both, and a blocking flag where they are too wide."""
    mean, half = stiffness.mean_kpa or 0.0, _half_width_kpa(spread)
    repeat = float(np.hypot(half, special.ndtri(0.975) * settings.repeatability_wcv * mean))
    wide = (flag("interval_too_wide", percent=100 * half / mean),) if half > settings.widest_share * mean else ()
    return replace(
        stiffness,
        flags=(*stiffness.flags, *wide),
        interval_95_kpa=(max(0.0, mean - half), mean + half),
        repeat_interval_95_kpa=(max(0.0, mean - repeat), mean + repeat),
    )


def coverage_sentence(settings: IntervalSettings | None = None) -> str:
    """One sentence for people: what the two intervals cover."""
    settings = settings or IntervalSettings()
    mark = "" if settings.repeatability_verified else " (unverified)"
    return (
        "The 95 % interval covers the spread of pixels (as correlated), between slices and by choice of region; "
        f"the repeat interval adds the variation of repeated exams{mark}: {settings.repeatability_source}. "
        "Neither covers a bias of the inversion."
    )


def spread(
    exam: Exam, roi: Roi, stiffness: Stiffness, redraws_kpa: Sequence[float | None], settings: IntervalSettings
) -> Spread:
    """What the intervals of an exam with a number are made of."""
    cell = _cell_mm2(exam, roi, stiffness, settings)
    pixels, pixel_freedom, slices, slice_freedom = _sampling(stiffness, cell)
    region = region_variance(stiffness.mean_kpa or 0.0, redraws_kpa)
    return Spread(pixels, slices, region, pixel_freedom, slice_freedom)


def _half_width_kpa(s: Spread) -> float:
    """Half the width of the interval: Student's t with degrees of freedom pooled over the sources (Satterthwaite)."""
    total = s.pixels + s.slices + s.region
    if total <= 0:
        return 0.0
    freedom = total**2 / max(s.pixels**2 / s.pixel_freedom + s.slices**2 / s.slice_freedom + s.region**2 / 50.0, 1e-30)
    return float(special.stdtrit(max(freedom, 1.0), 0.975) * np.sqrt(total))


def _cell_mm2(exam: Exam, roi: Roi, stiffness: Stiffness, settings: IntervalSettings) -> float:
    """Area of one independent piece; a wavelength squared where the map cannot show it."""
    shown = correlation_area_mm2(exam, roi)
    if shown is not None:
        return shown
    frequency = exam.acquisition.frequency_hz or settings.assumed_frequency_hz
    return wave_area_mm2(stiffness.mean_kpa or 0.0, frequency)


def _sampling(stiffness: Stiffness, cell_mm2: float) -> tuple[float, float, float, float]:
    """Variance of the exam mean from pixels and from slices, kPa2, each with its degrees of freedom.

    Slices vary more than their pixels explain where the liver is uneven or waves run obliquely. The variance between
    slices is taken whole although it holds the pixels' part too: three or four slices often show less spread than
    there is, and intervals from the excess alone covered only 88-93 % in simulation.
    """
    measured = [s for s in stiffness.slices if s.mean_kpa is not None]
    areas = np.array([s.area_mm2 for s in measured])
    weight = areas / areas.sum()
    pieces = np.maximum(areas / cell_mm2, 1.0)
    lost = min(0.5, len(measured) / float(pieces.sum()))  # variance within slices that their own means took away
    pixels = float(np.sum(weight**2 / pieces)) * (stiffness.sd_kpa or 0.0) ** 2 / (1 - lost)
    slices = float(np.sum(weight**2)) * (stiffness.between_slice_sd_kpa or 0.0) ** 2
    return pixels, max(1.0, float(pieces.sum()) - len(measured)), slices, max(1.0, len(measured) - 1.0)


def region_variance(mean_kpa: float, redraws_kpa: Sequence[float | None]) -> float:
    """Variance of the exam mean by choice of region, kPa2: mean square departure of the redraws.

    Each redraw moves one of three choices to the end of what careful readers would do. For choices spread evenly
    between those ends the variance is a third of the squared departure, summed over three choices: the mean square.
    """
    moved = [m - mean_kpa for m in redraws_kpa if m is not None]
    return float(np.mean(np.square(moved))) if moved else 0.0
