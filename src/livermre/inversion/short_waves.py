"""Whether three offsets show a wave where their mean cannot tell the noise: then shorter waves may.

White noise is as strong at wavelengths just below the band as in it; shear waves are not there. In a pixel of noise the
band's share of both energies, each by the width of its filter, is evenly spread from 0 to 1. Scanners acquire few lines
and interpolate, which takes the noise from short waves along one axis: the axis that has more of it counts. Images
smoothed along both hold less and less noise the shorter the waves are, and then short ones tell nothing of the band:
the shorter half of the ring must be as strong as the longer one.
"""

from dataclasses import dataclass

import numpy as np

from livermre.inversion.scales import gain_of
from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, without_background
from livermre.inversion.vibration import MARGIN_MM, coarser, factor_of

LONGEST_MM, SHORTEST_MM = 12.5, 9.0
"""Wavelengths of the noise that is asked: shorter than a liver's shear waves, longer than two acquired pixels along one
axis at least."""

LEAST_EVEN = 0.9
"""Least energy of the shorter half of the ring over that of the longer one, each by its width. White noise gives 1;
smoothing by a Gaussian that leaves this makes noise of the band 1.3 times as strong as that of the ring."""

_CONE = 0.8
"""Wave vectors belong to an axis within an angle of this cosine."""


@dataclass(frozen=True)
class Shares:
    """Sums over pixels of the band's share, 0..1, against short waves along columns and along rows.

    halves  (2, 2) energy of the longer and the shorter half of the ring, by width, along columns and along rows
    """

    sums: np.ndarray
    pixels: int
    halves: np.ndarray

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(self.sums + other.sums, self.pixels + other.pixels, self.halves + other.halves)

    @property
    def evenness(self) -> float:
        """The shorter half of the ring over the longer one, along the axis that counts: 1 for white noise."""
        longer, shorter = self.halves[int(np.argmin(self.sums))]
        return float(shorter / max(longer, np.finfo(np.float32).tiny))

    @property
    def mean(self) -> float:
        """The smaller mean share, 1/2 for noise; NaN without pixels."""
        return float(self.sums.min()) / self.pixels if self.pixels else float("nan")

    def deviations(self, pixel_mm2: float, cell_mm2: float) -> float:
        """How far the share lies above a half, in standard deviations of noise over so many independent cells."""
        return (self.mean - 0.5) * float(np.sqrt(12 * max(self.pixels * pixel_mm2 / cell_mm2, 1.0)))


@dataclass(frozen=True)
class Ring:
    """The band and the ring of shorter waves of one slice.

    share   (2, r, c) float32, the band's share of every n-th pixel, against short waves along columns and along rows
    halves  (2, 2) float64, see `Shares`
    """

    share: np.ndarray
    halves: np.ndarray


def ring_of(
    harmonic: np.ndarray,
    body: np.ndarray,
    spacing_mm: tuple[float, float],
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
) -> Ring | None:
    """The band against shorter waves; None where pixels are too coarse.

    harmonic  (F, D, R, C) complex64, rad
    body      (R, C) bool
    """
    factor = factor_of(spacing_mm, settings)
    inside = body[::factor, ::factor]
    grid = Grid.of(inside.shape, (spacing_mm[0] * factor, spacing_mm[1] * factor), MARGIN_MM)
    if max(grid.spacing_mm) * 2 > SHORTEST_MM:
        return None
    clean = without_background(coarser(harmonic, factor), inside, grid, settings.background_mm)
    spectra = grid.transform(clean)
    gains = np.stack([gain_of(grid, settings.reference_hz / f, settings) for f in frequencies_hz])
    band = _energy(spectra * gains[:, None], grid) / float((gains**2).mean(0).sum())
    k, angle = grid.wavenumbers
    ring = (k > 1 / LONGEST_MM) & (k < 1 / SHORTEST_MM)
    cones = [ring & (np.abs(part) > _CONE) for part in (np.cos(angle), np.sin(angle))]
    short = [_energy(spectra * c, grid) / max(int(c.sum()), 1) for c in cones]
    tiny = np.finfo(np.float32).tiny
    share = np.stack([band / np.maximum(band + s, tiny) for s in short])
    power = (spectra.real**2 + spectra.imag**2).sum((0, 1), dtype=np.float64)
    longer = k < (1 / LONGEST_MM + 1 / SHORTEST_MM) / 2
    halves = [[power[c & half].sum() / max(int((c & half).sum()), 1) for half in (longer, ~longer)] for c in cones]
    return Ring(share, np.array(halves))


def shares(found: Ring, where: np.ndarray) -> Shares:
    """Sums of shares over the pixels of where (r, c) bool."""
    return Shares(found.share[:, where].sum(-1, dtype=np.float64), int(where.sum()), found.halves)


def _energy(spectra: np.ndarray, grid: Grid) -> np.ndarray:
    parts = grid.back(spectra)
    return (parts.real**2 + parts.imag**2).sum((0, 1))
