"""Whether an exam can be measured and what to doubt: one function a question, each gives a flag or None."""

import numpy as np

from livermre.exam.background import background_level
from livermre.exam.flags import Flag, flag
from livermre.exam.reasons import Reason
from livermre.exam.types import Exam, LiverMask, Roi, Stiffness
from livermre.stiffness.settings import MeasureSettings


def exam_flags(
    exam: Exam, liver: LiverMask, roi: Roi, measured: Stiffness, settings: MeasureSettings
) -> tuple[Flag, ...]:
    """Every flag of the exam level.

    measured  the plain statistics, before anything is withheld
    """
    given = roi.author == "given"
    if not (liver.liver.any() or (given and roi.keep.any())):
        return (flag("no_liver"),)
    answers = (
        _values(exam, liver, roi),
        _waves(exam, liver, roi, settings),
        _signal(exam, liver, roi, settings),
        _area(measured, settings),
        _plausible(measured, settings),
        _confidence(exam, roi),
        _agreement(measured, settings),
        _slices(measured, settings),
        flag("roi_given") if given else None,
    )
    return tuple(a for a in answers if a is not None)


def confident_share(exam: Exam, liver: LiverMask, roi: Roi, settings: MeasureSettings) -> float | None:
    """Share 0..1 of confident pixels in the liver away from its edge; None without a map or without such pixels."""
    confidence = exam.confidence
    if confidence is None:
        return None
    inside = _inside(liver, roi) & np.isfinite(confidence)
    if not inside.any():
        return None
    return float((confidence[inside] >= settings.wave_confidence).mean())


def signal_ratio(exam: Exam, liver: LiverMask, roi: Roi) -> float | None:
    """Median liver signal over the median background; None where the images have no background to compare with."""
    magnitude = exam.magnitude
    level, inside = background_level(magnitude), _inside(liver, roi)
    if level is None:
        return None
    if not inside.any():
        inside = liver.liver
    return float(np.median(magnitude[inside])) / level if inside.any() else None


def _inside(liver: LiverMask, roi: Roi) -> np.ndarray:
    """The liver away from its edge: what was judged, whether kept or not; a given region is taken as it is."""
    if roi.author == "given":
        return roi.keep
    return liver.liver & ((roi.dropped & np.uint16(Reason.EDGE | Reason.LEFT_LOBE)) == 0)


def _values(exam: Exam, liver: LiverMask, roi: Roi) -> Flag | None:
    stiffness = exam.stiffness_kpa
    where = liver.liver | roi.keep | (roi.dropped > 0)
    valued = stiffness is not None and bool(np.any(stiffness[where] > 0))
    return None if valued else flag("no_stiffness_values")


def _waves(exam: Exam, liver: LiverMask, roi: Roi, settings: MeasureSettings) -> Flag | None:
    share = confident_share(exam, liver, roi, settings)
    return flag("no_waves", percent=100 * share) if share is not None and share < settings.wave_share else None


def _signal(exam: Exam, liver: LiverMask, roi: Roi, settings: MeasureSettings) -> Flag | None:
    ratio = signal_ratio(exam, liver, roi)
    if ratio is None:
        return flag("signal_not_checked")
    if ratio < settings.iron_ratio:
        return flag("iron_dark_liver", ratio=ratio)
    return flag("dark_liver", ratio=ratio) if ratio < settings.dark_ratio else None


def _area(measured: Stiffness, settings: MeasureSettings) -> Flag | None:
    if measured.area_mm2 < settings.minimum_area_mm2:
        return flag("too_little_area", area_mm2=measured.area_mm2, minimum_mm2=settings.minimum_area_mm2)
    return flag("small_area", area_mm2=measured.area_mm2) if measured.area_mm2 < settings.small_area_mm2 else None


def _plausible(measured: Stiffness, settings: MeasureSettings) -> Flag | None:
    mean, low, high = measured.mean_kpa, settings.lowest_kpa, settings.highest_kpa
    if mean is None or low <= mean <= high:
        return None
    return flag("implausible_stiffness", mean_kpa=mean, low_kpa=low, high_kpa=high)


def _confidence(exam: Exam, roi: Roi) -> Flag | None:
    """Flagged too where one measured slice lacks its map."""
    lacking = any(s.confidence is None and keep.any() for s, keep in zip(exam.slices, roi.keep, strict=True))
    return flag("no_confidence_map") if lacking or exam.confidence is None else None


def _agreement(measured: Stiffness, settings: MeasureSettings) -> Flag | None:
    """Slices too small to say anything are not asked."""
    if not measured.mean_kpa:
        return None
    asked = [s.mean_kpa for s in measured.slices if s.mean_kpa and s.area_mm2 >= settings.slice_small_area_mm2]
    percent = max((100 * abs(m / measured.mean_kpa - 1) for m in asked), default=0.0)
    if len(asked) < 2 or percent <= settings.disagree_percent:
        return None
    return flag("slices_disagree", percent=percent, limit=settings.disagree_percent)


def _slices(measured: Stiffness, settings: MeasureSettings) -> Flag | None:
    count = sum(s.mean_kpa is not None for s in measured.slices)
    return flag("few_slices", slices=count) if 0 < count < settings.few_slices else None
