"""What a textbook would do with the same wave, stand-alone: these share no map code with livermre."""

import numpy as np
import scipy.fft

from livermre.exam.types import Exam, Slice
from livermre.inversion import InversionSettings, first_harmonic, foreground, unwrap
from livermre.inversion.maps import HIGHEST_KPA


def band_passed(harmonic: np.ndarray, body: np.ndarray, spacing_mm: tuple[float, float]) -> np.ndarray:
    """The wave (R, C) of a first harmonic: the same band-pass at its shortest lengths, on the image's own grid."""
    settings = InversionSettings()
    rows, columns = (scipy.fft.next_fast_len(int(n + 60 / h)) for n, h in zip(body.shape, spacing_mm, strict=True))
    k = _wavenumbers((rows, columns), spacing_mm)
    with np.errstate(divide="ignore"):
        gain = 1 / (1 + (k * settings.highpass_mm) ** -settings.highpass_order)
    gain *= 1 / (1 + (k * settings.lowpass_mm) ** settings.lowpass_order)
    spectrum = scipy.fft.fft2(harmonic * body, (rows, columns))
    return scipy.fft.ifft2(spectrum * gain.astype(np.float32))[: body.shape[0], : body.shape[1]]


def _wavenumbers(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> np.ndarray:
    ky, kx = (scipy.fft.fftfreq(n, h) for n, h in zip(shape, spacing_mm, strict=True))
    return np.hypot(ky[:, None], kx)


def direct(wave: np.ndarray, spacing_mm: tuple[float, float], frequency_hz: float) -> np.ndarray:
    """|G*| (R, C), kPa: rho w2 |u / lap u| pixel by pixel with three points a direction; no pooling, no directions."""
    row, column = (1 / (h * 1e-3) ** 2 for h in spacing_mm)
    along = row * (np.roll(wave, 1, 0) - 2 * wave + np.roll(wave, -1, 0))
    across = column * (np.roll(wave, 1, 1) - 2 * wave + np.roll(wave, -1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        kpa = (2 * np.pi * frequency_hz) ** 2 * np.abs(wave / (along + across))
    return np.minimum(np.nan_to_num(kpa, nan=0.0), HIGHEST_KPA)


def textbook_lfe(wave: np.ndarray, spacing_mm: tuple[float, float], frequency_hz: float) -> np.ndarray:
    """Local frequency estimation: rho c2 (R, C), kPa (Knutsson, Westin, Granlund 1994; Manduca et al. 2001).

    Six log-normal filters an octave apart (bandwidth 2 sqrt 2 octaves), four squared-cosine directions, no pooling.
    """
    shape = tuple(scipy.fft.next_fast_len(n) for n in wave.shape)
    k = _wavenumbers((shape[0], shape[1]), spacing_mm)
    ky, kx = (scipy.fft.fftfreq(n, h) for n, h in zip(shape, spacing_mm, strict=True))
    spectrum = scipy.fft.fft2(wave, shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosines = [np.nan_to_num((ky[:, None] * np.sin(a) + kx * np.cos(a)) / k) for a in np.arange(4) * np.pi / 2]
        logarithm = np.log(k * 128)
    responses = []
    for octave in range(6):
        radial = np.exp(-4 / (8 * np.log(2)) * (logarithm - octave * np.log(2)) ** 2)
        gains = [(radial * np.where(c > 0, c * c, 0)).astype(np.float32) for c in cosines]
        parts = [np.abs(scipy.fft.ifft2(spectrum * g)) for g in gains]
        responses.append(np.sum(parts, axis=0)[: wave.shape[0], : wave.shape[1]])
    between = [2 ** (n + 0.5) / 128 for n in range(5)]
    with np.errstate(divide="ignore", invalid="ignore"):
        per_mm = sum(b * q for b, q in zip(between, responses[1:], strict=True)) / sum(responses[:-1])
        return np.minimum(np.nan_to_num((frequency_hz / (per_mm * 1e3)) ** 2, nan=0.0), HIGHEST_KPA)


BASELINES = {"direct": direct, "lfe": textbook_lfe}


def baselines(exam: Exam) -> dict[str, np.ndarray]:
    """Maps (S, R, C), kPa, of both baselines on the band-passed wave of each slice."""
    waves = [band_passed(*harmonic_of(s), s.plane.spacing_mm) for s in exam.slices]
    hz = exam.acquisition.frequency_hz
    return {n: np.stack([f(w, exam.spacing_mm, hz) for w in waves]) for n, f in BASELINES.items()}


def harmonic_of(s: Slice) -> tuple[np.ndarray, np.ndarray]:
    """First harmonic (R, C) of a slice, rad, and its body (R, C) bool."""
    body = foreground(s.magnitude)
    return first_harmonic(unwrap(s.phase_rad, body))[0, 0], body
