"""Which filter lengths each region takes: the wave that obeys the wave equation best and fits its own filter.

A band-pass draws what it lets through towards its own middle. On waves shorter than its lengths it keeps what is left
of bulk motion, of waves in the chest wall and of edges, and reads too stiff; on longer ones it reads too soft. In
between, where the wave that a scale shows is about as long as its high-pass, simulated patients read right.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from livermre.inversion.helmholtz import coherence, squared_wavenumber, sums_of
from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, band_gain, lowpass_gain, room_inside, window


@dataclass(frozen=True)
class Fit:
    """What the local fit found for one frequency on the coarse grid.

    wavenumber2  (R, C) complex64, K2 in rad2/mm2
    quality      (R, C) float32, 0..1: how well the wave obeys the wave equation
    energy       (R, C) float32, rad2: windowed energy of the wave
    shares       (N, R, C) float32: share of each scale, adding up to one
    """

    wavenumber2: np.ndarray
    quality: np.ndarray
    energy: np.ndarray
    shares: np.ndarray


def gain_of(grid: Grid, scale: float, settings: InversionSettings) -> np.ndarray:
    """Band-pass (padded) float32 with both lengths times a scale."""
    return band_gain(
        grid,
        (scale * settings.highpass_mm, settings.highpass_order),
        (scale * settings.lowpass_mm, settings.lowpass_order),
    )


def fit(spectra: np.ndarray, inside: np.ndarray, grid: Grid, settings: InversionSettings, stretch: float | None) -> Fit:
    """The fit of waves (D, padded), components of one frequency.

    inside   (R, C) float32, 1 in the body
    stretch  factor on all filter lengths; None where the waves come filtered already: one fit of them as they are
    """
    if stretch is None:
        scales: tuple[float, ...] = (1.0,)
        # the vendor's waves keep more noise than ours: the fit is judged, not made, on a smoother wave
        judged = lowpass_gain(grid, settings.wave_judged_mm, 4)
        fits = [_single(spectra * lowpass_gain(grid, settings.wave_lowpass_mm, 4), judged, inside, grid, settings)]
    else:
        scales = tuple(s * stretch for s in settings.scales)
        gains = (gain_of(grid, s, settings) for s in scales)
        fits = [_single(spectra * g, np.ones((), np.float32), inside, grid, settings) for g in gains]
    shares = _shares([(f[0], f[3]) for f in fits], scales, inside, grid, settings)
    room = room_inside(inside, grid, settings.confidence_window_mm)
    qualities = window(np.stack([f[1] for f in fits]) * inside, grid, settings.confidence_window_mm) / room
    wavenumber2, energy = (reduce(np.add, (f[i] * w for f, w in zip(fits, shares, strict=True))) for i in (0, 2))
    quality = reduce(np.add, qualities * shares)
    return Fit(wavenumber2.astype(np.complex64), quality, energy, shares)


def _single(
    spectra: np.ndarray, judged: np.ndarray, inside: np.ndarray, grid: Grid, settings: InversionSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    sums = sums_of(spectra, inside, grid, settings.directions, settings.window_mm)
    # confidence asks the whole wave, interference and all: parted by direction even noise looks more like a wave
    whole = coherence(sums_of(spectra * judged, inside, grid, 0, settings.window_mm))
    return np.nan_to_num(squared_wavenumber(sums)), whole, sums.wave, coherence(sums)


def _shares(
    fits: list[tuple[np.ndarray, np.ndarray]],
    scales: tuple[float, ...],
    inside: np.ndarray,
    grid: Grid,
    settings: InversionSettings,
) -> np.ndarray:
    """Share (N, R, C) of each scale; fits are its K2, rad2/mm2, and its coherence (R, C)."""
    if len(fits) == 1:
        return np.ones((1, *fits[0][0].shape), dtype=np.float32)
    room = room_inside(inside, grid, settings.scale_region_mm)
    asked = [image * inside for wavenumber2, share in fits for image in (share, np.abs(wavenumber2) * share)]
    told = window(np.stack(asked), grid, settings.scale_region_mm)
    score = []
    for weight, square, scale in zip(told[0::2], told[1::2], scales, strict=True):
        off = _octaves_too_long(square / np.maximum(weight, np.float32(1e-9)), scale * settings.highpass_mm)
        if scale == scales[0]:
            off = np.maximum(off, 0)  # no scale is shorter: soft liver stays here
        octaves = np.log2(scale / scales[0])
        score.append(weight / room - settings.scale_cost * octaves - settings.scale_misfit * off**2)
    shares = np.exp((np.stack(score) - np.max(score, axis=0)) / settings.scale_softness)
    return (shares / shares.sum(0)).astype(np.float32)


def _octaves_too_long(square: np.ndarray, length_mm: float) -> np.ndarray:
    """How many octaves a wave of squared wavenumber (R, C), rad2/mm2, is longer than a length."""
    return -np.log2(np.sqrt(np.maximum(square, np.float32(1e-6))) / (2 * np.pi) * length_mm)
