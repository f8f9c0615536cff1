"""Plain direct inversion, for comparison (AIDE: Oliphant et al. 2001, Magn Reson Med 45:299)."""

import numpy as np


def second_difference(wave: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """Laplacian (R, C), rad/mm2, of a wave (R, C) by plain second differences; 0 on the border."""
    out = np.zeros_like(wave)
    row, column = (np.float32(1 / h**2) for h in spacing_mm)
    centre = wave[1:-1, 1:-1]
    out[1:-1, 1:-1] = (wave[2:, 1:-1] - 2 * centre + wave[:-2, 1:-1]) * row
    out[1:-1, 1:-1] += (wave[1:-1, 2:] - 2 * centre + wave[1:-1, :-2]) * column
    return out


def squared_wavenumber_of(wave: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """K2 = - lap u / u (R, C) complex64, 1/mm2, pixel by pixel: no window, no correction; 0 without a wave."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = -second_difference(wave, spacing_mm) / wave
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0).astype(np.complex64)
