"""Phase gradient of directional waves (k-MDEV), for comparison.

Tzschaetzsch et al. 2016, doi 10.1016/j.media.2016.01.001.
"""

import numpy as np

from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, direction_gains, window

WEIGHT_POWER = 4
"""Each direction counts by this power of its amplitude, as in the paper."""


def gradient_wavenumber(wave: np.ndarray, grid: Grid, settings: InversionSettings) -> np.ndarray:
    """Wavenumber (R, C) float32, radians/mm: length of the phase gradient of each directional wave, averaged.

    wave  (R, C) complex, rad

    Gradients are taken in the frequency plane: exact for a plane wave.
    """
    spectra = grid.transform(wave) * direction_gains(grid, max(settings.directions, 4))
    parts = grid.back(spectra)
    energy = parts.real**2 + parts.imag**2
    squares = np.zeros_like(energy)
    axes = [2j * np.pi * np.fft.fftfreq(n, h) for n, h in zip(grid.padded, grid.spacing_mm, strict=True)]
    for slope in (axes[0][:, None], axes[1][None, :]):
        change = grid.back(spectra * slope.astype(np.complex64))
        with np.errstate(divide="ignore", invalid="ignore"):
            squares += np.nan_to_num((parts.conj() * change).imag / energy) ** 2
    weight = energy ** (WEIGHT_POWER / 2)
    top, bottom = (window(i.sum(0), grid, settings.window_mm) for i in (weight * np.sqrt(squares), weight))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (top / bottom).astype(np.float32)
