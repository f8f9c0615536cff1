"""The local fit of the wave equation: squared wavenumber, and how well it explains the wave."""

from dataclasses import dataclass

import numpy as np

from livermre.inversion.spectrum import Grid, direction_gains, window


@dataclass(frozen=True)
class Sums:
    """Windowed products of wave s and Laplacian L of one frequency, summed over directions and components (R, C).

    cross      complex64, - conj(s) L, rad2/mm2
    wave       float32, |s|^2, rad2
    laplacian  float32, |L|^2, rad2/mm4
    """

    cross: np.ndarray
    wave: np.ndarray
    laplacian: np.ndarray


def sums_of(spectra: np.ndarray, inside: np.ndarray, grid: Grid, directions: int, length_mm: float) -> Sums:
    """Sums over all components and directional filters, averaged over a Gaussian window.

    spectra  (D, padded) complex64, of the filtered wave
    inside   (R, C) float32, 1 in the body

    The Laplacian is taken in the frequency plane, where it is exact: no response of a stencil needs correcting.
    """
    k, _ = grid.wavenumbers
    parts = spectra[:, None] * direction_gains(grid, directions)
    s = grid.back(parts)
    minus_laplacian = grid.back(parts * (np.float32(4 * np.pi**2) * k * k))
    axes = (0, 1)
    cross = (s.conj() * minus_laplacian).sum(axes)
    products = np.stack([cross.real, cross.imag, _energy(s).sum(axes), _energy(minus_laplacian).sum(axes)])
    real, imaginary, wave, laplacian = window(products * inside, grid, length_mm)
    return Sums((real + 1j * imaginary).astype(np.complex64), wave, laplacian)


def _energy(parts: np.ndarray) -> np.ndarray:
    return parts.real**2 + parts.imag**2


def squared_wavenumber(sums: Sums) -> np.ndarray:
    """(R, C) complex64, rad2/mm2: the least-squares K2 of lap u = - K2 u; NaN without a wave."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums.wave > 0, sums.cross / sums.wave, np.nan).astype(np.complex64)


def coherence(sums: Sums) -> np.ndarray:
    """(R, C) float32, 0..1: share of the Laplacian's energy that - K2 u explains; 0 without a wave."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.abs(sums.cross) ** 2 / (sums.wave * sums.laplacian)
    return np.clip(np.nan_to_num(share, nan=0.0, posinf=0.0), 0, 1).astype(np.float32)
