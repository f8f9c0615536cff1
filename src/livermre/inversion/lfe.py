"""Local frequency estimation, for comparison (Knutsson, Westin, Granlund 1994; Manduca et al. 2001)."""

import numpy as np

from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, direction_gains, window

BANDWIDTH_OCTAVES = 2 * np.sqrt(2)
"""For this bandwidth the ratio of two filters an octave apart is proportional to frequency."""

LONGEST_MM = 128.0
OCTAVES = 6
"""Centres at wavelengths of 128, 64, 32, 16, 8 and 4 mm."""


def local_wavenumber(wave: np.ndarray, grid: Grid, settings: InversionSettings) -> np.ndarray:
    """Local wavenumber (R, C) float32, radians/mm, of a complex wave (R, C), rad.

    Log-normal radial filters exp(-C ln^2(k / k_i)), C = 4 / (B^2 ln 2), times squared-cosine directions; q_i is the sum
    of magnitudes over directions, and k = sum_i sqrt(k_i k_i+1) q_i+1 / sum_i q_i.
    """
    k, _ = grid.wavenumbers
    directions = direction_gains(grid, max(settings.directions, 4))
    spectrum = grid.transform(wave)
    centres = 2.0 ** np.arange(OCTAVES) / LONGEST_MM
    responses = []
    for centre in centres:
        logarithm = np.log(np.maximum(k, 1e-9) / centre)
        radial = np.exp(-4 / (BANDWIDTH_OCTAVES**2 * np.log(2)) * logarithm**2).astype(np.float32)
        size = np.abs(grid.back(spectrum * radial * directions)).sum(0)
        responses.append(window(size, grid, settings.window_mm))
    between = np.sqrt(centres[:-1] * centres[1:])
    top = sum(b * q for b, q in zip(between, responses[1:], strict=True))
    bottom = sum(responses[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        return (2 * np.pi * np.asarray(top) / np.asarray(bottom)).astype(np.float32)
