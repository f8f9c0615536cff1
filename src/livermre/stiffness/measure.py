"""Stiffness per slice and exam: the plain statistics of the kept pixels, or None and the flag that says why."""

from dataclasses import replace

import numpy as np

from livermre.exam.errors import Contradiction
from livermre.exam.flags import Flag, Severity, flag
from livermre.exam.types import Exam, LiverMask, Roi, SliceStiffness, Stiffness
from livermre.stiffness.quality import exam_flags
from livermre.stiffness.settings import MeasureSettings
from livermre.stiffness.statistics import between_slice_sd_kpa, pooled_sd_kpa, weighted_mean_kpa


def measure(exam: Exam, liver: LiverMask, roi: Roi, settings: MeasureSettings | None = None) -> Stiffness:
    """Mean stiffness of every slice and of the exam (area-weighted over slices), with its flags.

    Where a blocking flag applies every number of the exam and of its slices is None; areas and pixel counts stay.
    Raises Contradiction where liver or region do not fit the exam.
    """
    settings = settings or MeasureSettings()
    for name, array in (("liver mask", liver.liver), ("region", roi.keep)):
        if array.shape != exam.shape:
            raise Contradiction(f"the {name} is {array.shape} (slices, rows, columns) but the exam is {exam.shape}")
    values = kept_values(exam, roi)
    slices = tuple(
        _slice(position, kept, int(np.count_nonzero(mask)), exam.pixel_area_mm2)
        for position, kept, mask in zip(exam.positions_mm, values, liver.liver, strict=True)
    )
    whole = _exam(slices)
    flags = exam_flags(exam, liver, roi, whole, settings)
    if any(f.severity == Severity.BLOCKING for f in flags):
        whole = _without_numbers(whole)
    return replace(whole, slices=tuple(_marked(s, whole.mean_kpa, settings) for s in whole.slices), flags=flags)


def mean_kpa(exam: Exam, roi: Roi) -> float | None:
    """Mean stiffness over all kept pixels, kPa (equals the area-weighted mean of slices); None without a pixel."""
    values = np.concatenate(kept_values(exam, roi))
    return float(values.mean()) if values.size else None


def kept_values(exam: Exam, roi: Roi) -> list[np.ndarray]:
    """Stiffness (N,) float64, kPa, of the kept pixels that have a value, one array a slice."""
    values = []
    for image, keep in zip(exam.slices, roi.keep, strict=True):
        kept = np.empty(0) if image.stiffness_kpa is None else image.stiffness_kpa[keep].astype(np.float64)
        values.append(kept[np.isfinite(kept) & (kept > 0)])
    return values


def _slice(position_mm: float, values: np.ndarray, liver_pixels: int, pixel_area_mm2: float) -> SliceStiffness:
    n = int(values.size)
    low, middle, high = (float(q) for q in np.percentile(values, [25, 50, 75])) if n else (0.0, 0.0, 0.0)
    return SliceStiffness(
        z_mm=position_mm,
        mean_kpa=float(values.mean()) if n else None,
        sd_kpa=float(values.std(ddof=1)) if n > 1 else None,
        median_kpa=middle if n else None,
        iqr_kpa=(low, high) if n else None,
        area_mm2=n * pixel_area_mm2,
        pixels=n,
        liver_area_mm2=liver_pixels * pixel_area_mm2,
        valid_fraction=min(1.0, n / liver_pixels) if liver_pixels else 0.0,
    )


def _exam(slices: tuple[SliceStiffness, ...]) -> Stiffness:
    measured = [s for s in slices if s.mean_kpa is not None]
    means = np.array([s.mean_kpa for s in measured])
    areas = np.array([s.area_mm2 for s in measured])
    pixels = np.array([s.pixels for s in measured], int)
    return Stiffness(
        slices=slices,
        mean_kpa=weighted_mean_kpa(means, areas) if measured else None,
        sd_kpa=pooled_sd_kpa(np.array([s.sd_kpa or 0.0 for s in measured]), pixels) if measured else None,
        between_slice_sd_kpa=between_slice_sd_kpa(means, areas),
        area_mm2=float(areas.sum()),
        pixels=int(pixels.sum()),
    )


def _without_numbers(whole: Stiffness) -> Stiffness:
    slices = tuple(replace(s, mean_kpa=None, sd_kpa=None, median_kpa=None, iqr_kpa=None) for s in whole.slices)
    return replace(whole, slices=slices, mean_kpa=None, sd_kpa=None, between_slice_sd_kpa=None)


def _marked(slice_: SliceStiffness, exam_kpa: float | None, settings: MeasureSettings) -> SliceStiffness:
    """The slice with its own flags."""
    flags: list[Flag] = []
    if slice_.pixels == 0:
        flags.append(flag("slice_without_liver" if slice_.liver_area_mm2 == 0 else "slice_not_measured"))
    elif slice_.area_mm2 < settings.slice_small_area_mm2:
        flags.append(flag("slice_small_area", area_mm2=slice_.area_mm2))
    if slice_.mean_kpa is not None and exam_kpa:
        percent = 100 * abs(slice_.mean_kpa / exam_kpa - 1)
        if percent > settings.disagree_percent:
            flags.append(flag("slice_outlier", percent=percent))
    return replace(slice_, flags=tuple(flags))
