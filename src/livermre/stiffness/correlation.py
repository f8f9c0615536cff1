"""How many independent pixels a region holds: neighbouring pixels of an elastogram repeat each other."""

import numpy as np
from scipy import fft

from livermre.exam.types import Exam, Roi

_ENOUGH_PIECES = 3.0
"""A region of fewer pieces a slice than this cannot show how large they are."""

_REACH_MM = 30.0
"""Longest lag that is looked at: more than half a wavelength of any liver that one slice can hold."""


def correlation_area_mm2(exam: Exam, roi: Roi) -> float | None:
    """Area of one independent piece of the stiffness map, mm2, read off its autocorrelation within the region.

    None where the region is too small to show it. The autocorrelation is summed over the lags that the region holds,
    up to its first zero, with what the removal of each slice's mean took away put back: region area over this area
    is the number of independent samples in the variance of a mean.
    """
    radial, pairs, pixels = _autocorrelation(exam, roi)
    if radial is None:
        return None
    slices = int(np.count_nonzero(roi.keep.any(axis=(1, 2))))
    found = 1.0  # in pixels
    for _ in range(8):
        lost = min(0.5, slices * found / pixels)
        whole = radial * (1 - lost) + lost
        below = np.flatnonzero(whole <= 0)
        reach = int(below[0]) if below.size else whole.size
        found = max(1.0, float(np.sum(whole[:reach] * pairs[:reach])) / pixels)
    return found * exam.pixel_area_mm2 if pixels >= _ENOUGH_PIECES * slices * found else None


def wave_area_mm2(stiffness_kpa: float, frequency_hz: float) -> float:
    """A shear wavelength squared, mm2: the size of an independent piece where the map cannot show it.

    The pieces of the real GE exam measure about 0.6-0.8 of it; half a wavelength squared would be far too small.
    """
    wavelength_mm = 1000 * np.sqrt(stiffness_kpa) / frequency_hz  # 1 kPa at 1000 kg/m3 carries waves at 1 m/s
    return float(wavelength_mm**2)


def _autocorrelation(exam: Exam, roi: Roi) -> tuple[np.ndarray | None, np.ndarray, int]:
    """Radial autocorrelation (B,) of the kept pixels, pixel pairs in each bin (B,), and kept pixels.

    Slices share one estimate; lags reach _REACH_MM, bins are one pixel wide.
    """
    pieces = [p for p in (_centred(s.stiffness_kpa, k) for s, k in zip(exam.slices, roi.keep, strict=True)) if p]
    if not pieces:
        return None, np.empty(0), 0
    spacing = exam.spacing_mm
    reach = [int(np.ceil(_REACH_MM / step)) for step in spacing]
    shape = [fft.next_fast_len(max(p[0].shape[a] for p in pieces) + reach[a], real=True) for a in (0, 1)]
    covariance, overlap = (
        fft.irfft2(sum(np.square(np.abs(fft.rfft2(p[i], shape))) for p in pieces), shape) for i in (0, 1)
    )
    pixels = round(float(overlap[0, 0]))
    distance = np.hypot(*np.meshgrid(*(_lags(n, step) for n, step in zip(shape, spacing, strict=True)), indexing="ij"))
    ring = (distance / max(spacing) + 0.5).astype(int)
    use = (distance <= _REACH_MM) & (overlap > 0.5)
    size = int(ring[use].max()) + 1
    total, weight = (np.bincount(ring[use], x[use], minlength=size) for x in (covariance, overlap))
    variance = covariance[0, 0] / pixels
    if variance <= 0:
        return None, np.empty(0), pixels
    radial = total / np.maximum(weight, 1e-9) / variance
    return radial, weight, pixels


def _centred(stiffness_kpa: np.ndarray | None, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Kept values less their mean (H, W), 0 elsewhere, and the mask as float, cropped; None for fewer than 2."""
    if stiffness_kpa is None:
        return None
    keep = keep & np.isfinite(stiffness_kpa)
    if np.count_nonzero(keep) < 2:
        return None
    rows, columns = np.flatnonzero(keep.any(axis=1)), np.flatnonzero(keep.any(axis=0))
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    mask, values = keep[window], stiffness_kpa[window].astype(np.float64)
    return np.where(mask, values - values[mask].mean(), 0.0), mask.astype(np.float64)


def _lags(n: int, step_mm: float) -> np.ndarray:
    return np.abs(fft.fftfreq(n, 1 / n)) * step_mm
