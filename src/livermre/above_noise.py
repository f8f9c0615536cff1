"""Whether the pixels that would be averaged show waves, or noise that passed the filter.

An exam can vibrate while the driver's waves die before they reach the pixels that are measured. Band-passed noise there
has a wavelength of its own, and its number would be that of a very soft liver.
"""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from livermre.exam.flags import Flag, flag
from livermre.exam.types import Exam, Waves
from livermre.inversion.judging import noise_alone
from livermre.inversion.vibration import over_noise

WINDOW_MM = 20.0
"""Standard deviation of the window over which evidence is averaged: in a smaller one noise passes by chance."""

LEAST_PERCENT = 1.0
"""Less of the region that was left out is not worth a note."""


def without_noise(waves: Waves | None, exam: Exam, region: np.ndarray, asked: np.ndarray) -> Exam:
    """The same exam, without confidence where the pixels of a region show noise, flagged; the exam itself if nowhere.

    region  (S, R, C) bool, the pixels that would be averaged
    asked   (S, R, C) bool, these and those of the regions that it is compared with

    A slice whose region shows noise as a whole is left out as a whole. One slice tells what the others do not have: the
    exam is not withdrawn for it.
    """
    slices, flags, lost = list(exam.slices), list(exam.flags), 0
    for i, s in enumerate(exam.slices):
        if s.confidence is None:
            continue
        evidence = _noise_alone(waves, exam, i, region[i])
        noise = _noise_in(waves, exam, i, asked[i])
        if evidence is not None:
            flags.append(flag("slice_without_vibration", z_mm=s.plane.position_mm, evidence=evidence))
            slices[i] = replace(s, confidence=np.zeros_like(s.confidence))
        elif noise.any():
            lost += int((noise & region[i]).sum())
            slices[i] = replace(s, confidence=np.where(noise, np.float32(0), s.confidence))
    percent = 100 * lost / max(int(region.sum()), 1)
    if percent >= LEAST_PERCENT:
        flags.append(flag("noise_left_out", percent=percent))
    changed = any(a is not b for a, b in zip(slices, exam.slices, strict=True))
    return replace(exam, slices=tuple(slices), flags=tuple(flags)) if changed else exam


def region_doubts(waves: Waves | None, exam: Exam, region: np.ndarray) -> tuple[Flag, ...]:
    """A blocking flag where the measured region as a whole, drawn by a person perhaps, shows noise and no vibration.

    region  (S, R, C) bool, the pixels that are averaged
    """
    evidence = _noise_alone(waves, exam, slice(None), region)
    return () if evidence is None else (flag("region_without_vibration", evidence=evidence),)


def _noise_alone(waves: Waves | None, exam: Exam, which: int | slice, place: np.ndarray) -> str | None:
    """What says that some pixels of these slices show noise alone; None where they show waves, or nothing tells."""
    offsets = _offsets(waves, exam)
    if waves is None or waves.band_share is None or offsets is None:
        return None
    share = _mean(waves.band_share[which], place)
    if share is None:
        return None
    rest, short = over_noise(share, offsets), None
    if waves.short_share is not None:
        shares = [_mean(waves.short_share[which, ..., axis, :, :], place) for axis in range(2)]
        known = [s for s in shares if s is not None]
        short = _odds(min(known)) if known else None
    if not noise_alone(rest, short):
        return None
    said = f"{rest:.1f} times what is left over in time"
    return said if short is None else f"{said}, {short:.1f} times shorter waves"


def _noise_in(waves: Waves | None, exam: Exam, i: int, place: np.ndarray) -> np.ndarray:
    """(R, C) bool, pixels of a place in one slice around which the place shows noise alone."""
    offsets = _offsets(waves, exam)
    if waves is None or waves.band_share is None or offsets is None or not place.any():
        return np.zeros_like(place)
    rows, columns = (slice(int(w.min()), int(w.max()) + 1) for w in np.nonzero(place))
    inside = place[rows, columns] & np.isfinite(waves.band_share[i, rows, columns])
    images = [waves.band_share[i, rows, columns]]
    if waves.short_share is not None:
        images += [waves.short_share[i, axis, rows, columns] for axis in range(2)]
    share, *shorter = _around(np.stack(images), inside, exam.spacing_mm)
    short = None if waves.short_share is None else _odds(np.minimum(*shorter))
    out = np.zeros_like(place)
    out[rows, columns] = inside & noise_alone(over_noise(share, offsets), short)
    return out


def _around(images: np.ndarray, inside: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Means (N, R, C) of images over the pixels inside (R, C) bool alone, in a Gaussian window."""
    sigma = [WINDOW_MM / h for h in spacing_mm]
    known = np.where(inside, np.nan_to_num(images), 0).astype(np.float32)
    every = ndimage.gaussian_filter(
        np.concatenate([known, inside[None].astype(np.float32)]), (0, *sigma), mode="constant"
    )
    return every[:-1] / np.maximum(every[-1], np.float32(1e-6))


def _offsets(waves: Waves | None, exam: Exam) -> int | None:
    """How many offsets all slices have, if that can tell noise."""
    counts = {s.phase_rad.shape[2] for s in exam.slices if s.phase_rad is not None}
    return counts.pop() if waves is not None and len(counts) == 1 else None


def _mean(images: np.ndarray, place: np.ndarray) -> float | None:
    known = images[place]
    known = known[np.isfinite(known)]
    return float(known.mean(dtype=np.float64)) if known.size else None


def _odds(share: float | np.ndarray) -> float | np.ndarray:
    return share / np.maximum(1 - share, 1e-9)
