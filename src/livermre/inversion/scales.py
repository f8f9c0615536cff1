"""Which filter lengths each region takes: the wave that obeys the wave equation best."""

from dataclasses import dataclass
from functools import reduce

import numpy as np

from livermre.inversion.helmholtz import coherence, squared_wavenumber, sums_of
from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, band_gain, lowpass_gain, window_inside


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
    scales = (1.0,) if stretch is None else settings.scales
    if stretch is None:
        # the vendor's waves keep more noise than ours: the fit is judged, not made, on a smoother wave
        judged = lowpass_gain(grid, settings.wave_judged_mm, 4)
        fits = [_single(spectra * lowpass_gain(grid, settings.wave_lowpass_mm, 4), judged, inside, grid, settings)]
    else:
        gains = (gain_of(grid, s * stretch, settings) for s in scales)
        fits = [_single(spectra * g, np.ones((), np.float32), inside, grid, settings) for g in gains]
    shares = _shares([f[3] for f in fits], scales, inside, grid, settings)
    mixed = (reduce(np.add, (f[i] * w for f, w in zip(fits, shares, strict=True))) for i in range(3))
    wavenumber2, quality, energy = mixed
    return Fit(wavenumber2.astype(np.complex64), quality, energy, shares)


def _single(
    spectra: np.ndarray, judged: np.ndarray, inside: np.ndarray, grid: Grid, settings: InversionSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    sums = sums_of(spectra, inside, grid, settings.directions, settings.window_mm)
    # confidence asks the whole wave, interference and all: parted by direction even noise looks more like a wave
    whole = coherence(sums_of(spectra * judged, inside, grid, 0, settings.window_mm))
    quality = window_inside(whole, inside, grid, settings.confidence_window_mm)
    return np.nan_to_num(squared_wavenumber(sums)), quality, sums.wave, coherence(sums)


def _shares(
    fits: list[np.ndarray], scales: tuple[float, ...], inside: np.ndarray, grid: Grid, settings: InversionSettings
) -> np.ndarray:
    if len(fits) == 1:
        return np.ones((1, *fits[0].shape), dtype=np.float32)
    region = settings.scale_region_mm
    score = np.stack(
        [
            window_inside(f, inside, grid, region) - settings.scale_cost * np.log2(s)
            for f, s in zip(fits, scales, strict=True)
        ]
    )
    shares = np.exp((score - score.max(0)) / settings.scale_softness)
    return (shares / shares.sum(0)).astype(np.float32)
