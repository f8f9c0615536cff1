"""The spatial frequency plane of one slice: one transform, filters as gains, and a coarser grid to fit on."""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.fft
from scipy import ndimage


@dataclass(frozen=True)
class Grid:
    """Spatial frequencies of an image that was padded with zeros.

    shape       rows and columns of the image
    spacing_mm  (row, column), mm
    padded      rows and columns of the transform
    """

    shape: tuple[int, int]
    spacing_mm: tuple[float, float]
    padded: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, int], spacing_mm: tuple[float, float], margin_mm: float, multiple: int = 1) -> "Grid":
        """A grid with at least a margin of zeros between opposite edges, of a multiple that transforms fast."""
        wide = [
            multiple * scipy.fft.next_fast_len(int(np.ceil((n + margin_mm / h) / multiple)))
            for n, h in zip(shape, spacing_mm, strict=True)
        ]
        return cls(shape, spacing_mm, (wide[0], wide[1]))

    def coarser(self, factor: int) -> "Grid":
        """The grid of every factor-th pixel."""
        shape = tuple(-(-n // factor) for n in self.shape)
        spacing = (self.spacing_mm[0] * factor, self.spacing_mm[1] * factor)
        return Grid((shape[0], shape[1]), spacing, (self.padded[0] // factor, self.padded[1] // factor))

    def transform(self, image: np.ndarray) -> np.ndarray:
        """Spectrum (..., padded) complex64 of images (..., R, C)."""
        return scipy.fft.fft2(image, self.padded)

    def back(self, spectrum: np.ndarray) -> np.ndarray:
        """Images (..., R, C) complex64 of spectra (..., padded)."""
        return scipy.fft.ifft2(spectrum)[..., : self.shape[0], : self.shape[1]]

    def sigma(self, length_mm: float) -> tuple[float, float]:
        """A length in pixels along rows and columns."""
        return length_mm / self.spacing_mm[0], length_mm / self.spacing_mm[1]

    @cached_property
    def wavenumbers(self) -> tuple[np.ndarray, np.ndarray]:
        """Wavenumber (padded) in 1/mm (cycles, not radians) and its angle, float32."""
        return _wavenumbers(self.spacing_mm, self.padded)


@lru_cache(maxsize=8)
def _wavenumbers(spacing_mm: tuple[float, float], padded: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    ky, kx = (np.fft.fftfreq(n, h) for n, h in zip(padded, spacing_mm, strict=True))
    return np.hypot(ky[:, None], kx).astype(np.float32), np.arctan2(ky[:, None], kx).astype(np.float32)


def cropped(spectrum: np.ndarray, fine: Grid, coarse: Grid) -> np.ndarray:
    """The low frequencies of spectra (..., fine.padded) as spectra (..., coarse.padded) of every n-th pixel."""
    rows, columns = coarse.padded
    shifted = [np.fft.fftfreq(n, 1 / n).astype(int) for n in (rows, columns)]
    factor = np.float32(rows * columns / (fine.padded[0] * fine.padded[1]))
    return spectrum[..., shifted[0][:, None], shifted[1]] * factor


def embedded(spectrum: np.ndarray, coarse: Grid, fine: Grid) -> np.ndarray:
    """Spectra (..., fine.padded) that hold spectra (..., coarse.padded) and nothing above: the undoing of `cropped`."""
    rows, columns = (np.fft.fftfreq(n, 1 / n).astype(int) for n in coarse.padded)
    out = np.zeros((*spectrum.shape[:-2], *fine.padded), dtype=np.complex64)
    factor = np.float32(fine.padded[0] * fine.padded[1] / (coarse.padded[0] * coarse.padded[1]))
    out[..., rows[:, None], columns] = spectrum * factor
    return out


@lru_cache(maxsize=32)
def highpass_gain(grid: Grid, length_mm: float, order: float) -> np.ndarray:
    """Gain (padded) float32: 1 / (1 + (wavelength / length) ^ order), 0 for a constant."""
    k, _ = grid.wavenumbers
    with np.errstate(divide="ignore"):
        return (1 / (1 + (k * np.float32(length_mm)) ** np.float32(-order))).astype(np.float32)


@lru_cache(maxsize=32)
def lowpass_gain(grid: Grid, length_mm: float, order: float) -> np.ndarray:
    """Gain (padded) float32: 1 / (1 + (length / wavelength) ^ order), 1 for a constant."""
    k, _ = grid.wavenumbers
    return (1 / (1 + (k * np.float32(length_mm)) ** np.float32(order))).astype(np.float32)


@lru_cache(maxsize=8)
def direction_gains(grid: Grid, count: int) -> np.ndarray:
    """Gains (count, padded) float32: squared cosine of the angle to each direction in its half-plane, 0 elsewhere.

    They add up to count / 4 away from a constant. count 0 gives one filter that lets all but a constant through.
    """
    k, angle = grid.wavenumbers
    if count == 0:
        return (k > 0).astype(np.float32)[None]
    cosines = [np.cos(angle - a) for a in 2 * np.pi * np.arange(count) / count]
    return np.stack([np.where((c > 0) & (k > 0), c * c, 0) for c in cosines]).astype(np.float32)


def without_background(wave: np.ndarray, body: np.ndarray, grid: Grid, length_mm: float) -> np.ndarray:
    """The wave (..., R, C) complex64 less what is smoother than a wavelength, 0 outside the body.

    wave  (..., R, C) complex, rad
    body  (R, C) bool

    A normalised convolution (Knutsson, Westin 1993, doi 10.1109/CVPR.1993.341081): the body's edge is no motion.
    """
    inside = body.astype(np.float32)
    rest = 1 - highpass_gain(grid, length_mm, 4)
    weight = np.maximum(grid.back(grid.transform(inside) * rest).real, np.float32(0.1))
    background = grid.back(grid.transform(wave * inside) * rest) / weight
    return (wave - background) * inside


@lru_cache(maxsize=32)
def band_gain(grid: Grid, highpass: tuple[float, float], lowpass: tuple[float, float]) -> np.ndarray:
    """Gain (padded) float32 of a band-pass, 1 at its peak; each pair is (length in mm, order)."""
    k = np.geomspace(1 / 500, 1 / 2, 400)
    peak = np.max(1 / (1 + (k * highpass[0]) ** -highpass[1]) / (1 + (k * lowpass[0]) ** lowpass[1]))
    return highpass_gain(grid, *highpass) * lowpass_gain(grid, *lowpass) / np.float32(peak)


def window(images: np.ndarray, grid: Grid, length_mm: float) -> np.ndarray:
    """Gaussian averages (..., R, C) of images, zeros outside; length is the standard deviation."""
    if np.iscomplexobj(images):
        return window(images.real, grid, length_mm) + 1j * window(images.imag, grid, length_mm)
    across, along = (_gaussian(s) for s in grid.sigma(length_mm))
    rows = ndimage.correlate1d(images, across, axis=-2, mode="constant")
    return ndimage.correlate1d(rows, along, axis=-1, mode="constant")


@lru_cache(maxsize=32)
def _gaussian(sigma: float) -> np.ndarray:
    """Weights out to three standard deviations, adding up to one."""
    places = np.arange(-int(3.0 * sigma + 0.5), int(3.0 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 / sigma**2 * places**2)
    return weights / weights.sum()


def room_inside(inside: np.ndarray, grid: Grid, length_mm: float) -> np.ndarray:
    """How much of the window of each pixel lies inside (R, C) float32 0/1, never quite 0."""
    return np.maximum(window(inside, grid, length_mm), np.float32(0.02))
