"""From the waves of one slice to stiffness, modulus, confidence and filtered wave, by each method."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy import ndimage

from livermre.inversion.aide import squared_wavenumber_of
from livermre.inversion.confidence import confidence_of
from livermre.inversion.gradient import gradient_wavenumber
from livermre.inversion.lfe import local_wavenumber
from livermre.inversion.scales import Fit, fit, gain_of
from livermre.inversion.settings import InversionSettings
from livermre.inversion.spectrum import Grid, cropped, embedded, without_background

HIGHEST_KPA = 100.0
"""No soft tissue is stiffer: a fit that says so saw no wave, and gives no value."""

MARGIN_MM = 60.0
"""Zeros between opposite edges of the transform: beyond the reach of the filters."""

QUANTITY = {"helmholtz": "|G*|", "aide": "|G*|", "lfe": "rho c^2", "gradient": "rho c^2"}

_SINGLE: dict[str, Callable[[np.ndarray, Grid, InversionSettings], np.ndarray]] = {
    "aide": lambda wave, grid, settings: squared_wavenumber_of(wave, grid.spacing_mm),
    "lfe": lambda wave, grid, settings: local_wavenumber(wave, grid, settings) ** 2,
    "gradient": lambda wave, grid, settings: gradient_wavenumber(wave, grid, settings) ** 2,
}
"""Squared wavenumber (R, C), rad2/mm2, of one filtered wave by the methods to compare with."""


@dataclass(frozen=True)
class Maps:
    """Maps of one slice.

    stiffness_kpa  (R, C) float32, kPa, NaN outside the body and where no value can be trusted
    confidence     (R, C) float32, 0..1, 0 where there is no value
    modulus_kpa    (R, C) complex64, kPa, NaN where there is no value; None for methods that give wave speed
    wave           (F, D, R, C) complex64, rad, filtered, 0 outside the body
    """

    stiffness_kpa: np.ndarray
    confidence: np.ndarray
    modulus_kpa: np.ndarray | None
    wave: np.ndarray


def maps_of(
    harmonic: np.ndarray,
    body: np.ndarray,
    spacing_mm: tuple[float, float],
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
    filtered: bool = False,
) -> Maps:
    """Maps from first harmonics.

    harmonic  (F, D, R, C) complex64, rad
    body      (R, C) bool
    filtered  True where the harmonics are shear waves already (the vendor's wave images)
    """
    factor = max(int(settings.grid_mm / max(spacing_mm)), 1)
    fine = Grid.of((body.shape[0], body.shape[1]), spacing_mm, MARGIN_MM, factor)
    coarse = fine.coarser(factor)
    inside = body[::factor, ::factor].astype(np.float32)
    clean = harmonic * body if filtered else without_background(harmonic, body, fine, settings.background_mm)
    spectra = cropped(fine.transform(clean), fine, coarse)
    stretches = [None if filtered else settings.reference_hz / f for f in frequencies_hz]
    fits = [fit(s, inside, coarse, settings, stretch) for s, stretch in zip(spectra, stretches, strict=True)]
    wave = clean
    if not filtered:
        parts = zip(spectra, fits, stretches, strict=True)
        wave = np.stack([_filtered(s, f, coarse, fine, t or 1.0, settings) for s, f, t in parts]) * body
    squares = [_finer(f.wavenumber2, body.shape, factor) for f in fits]
    if settings.method != "helmholtz":
        squares = [_by_method(w, fine, settings) for w in wave]
    energies = [_finer(f.energy, body.shape, factor) for f in fits] if len(fits) > 1 else []
    quality = _average([_finer(f.quality, body.shape, factor) for f in fits], energies)
    return _finish(_modulus(squares, energies, frequencies_hz, settings), quality, wave, body, settings)


def _modulus(
    squares: list[np.ndarray],
    energies: list[np.ndarray],
    frequencies_hz: tuple[float, ...],
    settings: InversionSettings,
) -> np.ndarray:
    """(R, C) complex or float, kPa: least squares of lap u = - rho w^2 u / G over the frequencies."""
    omega2 = [(2 * np.pi * f) ** 2 for f in frequencies_hz]
    weights = [e * w * w for e, w in zip(energies, omega2)]
    compliance = _average([k2 * np.float32(1 / w) for k2, w in zip(squares, omega2, strict=True)], weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return settings.density_kg_m3 * 1e-9 / compliance  # 1/mm2 -> 1/m2 and Pa -> kPa


def _average(images: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    if len(images) == 1:
        return images[0]
    total = np.maximum(np.sum(weights, axis=0), np.finfo(np.float32).tiny)
    return np.sum([i * w for i, w in zip(images, weights, strict=True)], axis=0) / total


def _finish(
    modulus: np.ndarray, quality: np.ndarray, wave: np.ndarray, body: np.ndarray, settings: InversionSettings
) -> Maps:
    size = np.abs(modulus)
    known = body & (size > 0) & (size <= HIGHEST_KPA)
    kpa = np.where(known, size, np.nan).astype(np.float32)
    confidence = np.where(known, confidence_of(quality, settings), 0).astype(np.float32)
    if QUANTITY[settings.method] != "|G*|":
        return Maps(kpa, confidence, None, wave)
    # the order of offsets may run against time, which turns the sign of the loss: tissue only loses energy
    loss = np.sum(np.where(known, modulus.imag * confidence, 0))
    turned = modulus.conj() if loss < 0 else modulus
    return Maps(kpa, confidence, np.where(known, turned, np.nan).astype(np.complex64), wave)


def _by_method(waves: np.ndarray, grid: Grid, settings: InversionSettings) -> np.ndarray:
    """Squared wavenumber (R, C) of components (D, R, C), weighted by their energy."""
    single = _SINGLE[settings.method]
    return _average([single(w, grid, settings) for w in waves], [np.abs(w) ** 2 for w in waves])


def _filtered(
    spectra: np.ndarray, one: Fit, coarse: Grid, fine: Grid, stretch: float, settings: InversionSettings
) -> np.ndarray:
    """Waves (D, R, C) complex64, rad, of one frequency: each region in the scale that it took."""
    beyond = [(0, p - n) for p, n in zip(coarse.padded, coarse.shape, strict=True)]
    mixed = np.zeros(spectra.shape, dtype=np.complex64)
    for scale, share in zip(settings.scales, one.shares, strict=True):
        if float(share.max()) > 1e-3:
            gain = gain_of(coarse, scale * stretch, settings)
            mixed += scipy.fft.ifft2(spectra * gain) * np.pad(share, beyond, mode="edge")
    return fine.back(embedded(scipy.fft.fft2(mixed), coarse, fine))


def _finer(image: np.ndarray, shape: tuple[int, ...], factor: int) -> np.ndarray:
    """Image (R, C) of every factor-th pixel interpolated at all pixels."""
    if factor == 1:
        return image
    if np.iscomplexobj(image):
        return _finer(image.real, shape, factor) + 1j * _finer(image.imag, shape, factor)
    out = np.empty((shape[0], shape[1]), dtype=np.float32)
    scale = [1 / factor, 1 / factor]
    return ndimage.affine_transform(
        np.ascontiguousarray(image, dtype=np.float32),
        scale,
        output=out,
        output_shape=out.shape,
        order=1,
        mode="nearest",
    )
