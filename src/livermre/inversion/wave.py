"""From the phase of one slice to its complex first harmonic, and what the offsets say about its quality."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from livermre.inversion.harmonic import first_harmonic, noise_rad
from livermre.inversion.unwrapping import unwrap

SMOOTH_PIXELS = 5
"""Pixel noise is averaged over this many pixels before the offsets are asked whether they follow one vibration."""

LEAST_MEAN = 0.05
"""Offsets whose mean is smaller than this share of their harmonic had it taken off. Noise gives 0.4, the real exam 0.3
to 0.5; storage as 12-bit integers leaves below 0.02 of noise of 0.01 rad."""


@dataclass(frozen=True)
class Harmonic:
    """First harmonic of one slice.

    wave   (F, D, R, C) complex64, rad
    noise  (R, C) float32, rad, standard deviation of one offset; None for three offsets
    share  energy of the first harmonic over all energy that changes with time, 0..1; None for three offsets
    """

    wave: np.ndarray
    noise: np.ndarray | None
    share: float | None


def harmonic_of(phase_rad: np.ndarray, body: np.ndarray, wrapped: bool = True) -> Harmonic:
    """The first harmonic of phase (F, D, O, R, C), rad, inside the body (R, C) bool."""
    phase = unwrap(phase_rad, body) if wrapped else np.where(body, phase_rad, np.float32(0))
    wave = first_harmonic(phase)
    noise = noise_rad(phase)
    if noise is None:
        return Harmonic(wave, None, None)
    return Harmonic(wave, np.sqrt((noise**2).mean((0, 1))), harmonic_share(phase, body))


def harmonic_share(phase_rad: np.ndarray, body: np.ndarray) -> float | None:
    """Energy of the first harmonic over all energy that changes with time, 0..1, of unwrapped phase (..., O, R, C).

    The median of both energies over the body, so that gut, heart and rim do not decide. None for three offsets.
    """
    count = phase_rad.shape[-3]
    if count < 4:
        return None
    flat = [1] * (phase_rad.ndim - 2)
    smooth = ndimage.uniform_filter(np.asarray(phase_rad, dtype=np.float32), [*flat, SMOOTH_PIXELS, SMOOTH_PIXELS])
    vibration = float(np.median(np.abs(first_harmonic(smooth)[..., body]) ** 2)) * count / 2
    rest = noise_rad(smooth)
    other = 0.0 if rest is None else float(np.median(rest[..., body] ** 2)) * (count - 3)
    return vibration / (vibration + other) if vibration + other > 0 else 0.0


def steps_of(phase_rad: np.ndarray, axis: int) -> np.ndarray:
    """Size of the wrapped step to the next pixel along an axis, rad, 0 at the end: float32 like the phase."""
    phase = np.asarray(phase_rad, dtype=np.float32)
    step = np.abs(np.diff(phase, axis=axis, append=np.take(phase, [-1], axis=axis)))
    return np.minimum(step, np.float32(2 * np.pi) - step)


def roughness_of(phase_rad: np.ndarray, spacing_mm: tuple[float, float], length_mm: float) -> np.ndarray:
    """Mean wrapped step between neighbours (R, C) float32, rad, over all offsets and a Gaussian window.

    Of steps along rows and along columns the larger: scanners interpolate, which smooths noise along one axis.
    Noise alone gives pi / 2 where it was not interpolated, about 0.7 where it was.
    """
    sigma = [length_mm / h for h in spacing_mm]
    steps = [steps_of(phase_rad, axis).mean((0, 1, 2)) for axis in (-1, -2)]
    return np.maximum(*(ndimage.gaussian_filter(s, sigma, truncate=3.0) for s in steps))


def roughest_offset(phase_rad: np.ndarray, body: np.ndarray) -> tuple[int, float]:
    """Which offset (counted from 0) of wrapped phase (F, D, O, R, C) is the roughest, and its likeness to the others.

    Likeness is the median roughness of all offsets over its own: 1 where all are alike, far below where one is noise.
    """
    roughness = steps_of(phase_rad, -1)[..., body].mean((0, 1, -1))
    worst = int(np.argmax(roughness))
    return worst, float(np.median(roughness) / max(roughness[worst], 1e-6))


def has_mean(phase_rad: np.ndarray) -> bool:
    """Whether wrapped phase (..., O, R, C), rad, still holds its mean over the offsets, which noise fills, too."""
    phase = np.asarray(phase_rad[..., ::2, ::2], dtype=np.float32)  # a median needs no more
    total = np.abs(phase.sum(-3))
    mean = np.abs(total - np.float32(2 * np.pi) * np.round(total / np.float32(2 * np.pi))) / phase.shape[-3]
    size = np.abs(first_harmonic(phase))
    moved = size > 0
    return bool(moved.any()) and float(np.median(mean[moved])) >= LEAST_MEAN * float(np.median(size[moved]))
