"""The scanner: from magnitude and motion to acquired images, encoded with two gradient polarities.

Each image is M exp(+-i phi/2) on its way through k-space: few phase-encoding lines (rows), complex noise, a phase that
wobbles from line to line, pulsating vessels. The phase of I+ conj(I-) is what the scanner stores: wrapping, Rician
noise and dephasing where the phase is steep all come by themselves.
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft


@dataclass(frozen=True)
class Encoding:
    """How the images of one scan are acquired.

    lines        phase-encoding lines over the whole field of view (rows)
    columns      readout samples over the whole field of view
    noise        sd of each channel (real, imaginary) of one encoded image
    wobble_rad   sd of the phase error of a line
    pulsation    relative modulation of vessel signal over the lines
    ghost_lines  period of that modulation, lines
    shown        share of the rows that the scanner fills; the rest is blank
    nyquist_rad  phase between odd and even lines: the half-field ghost of echo-planar images
    """

    lines: int
    columns: int
    noise: float
    wobble_rad: float
    pulsation: float
    ghost_lines: float
    shown: float = 1.0
    nyquist_rad: float = 0.0


def acquire(
    magnitude: np.ndarray, vessels: np.ndarray, motion_rad: np.ndarray, how: Encoding, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Stored magnitude (R, C) and phase (O, R, C), float32, wrapped to -pi..pi.

    magnitude   (R, C) float32, vessels the part of it that pulsates
    motion_rad  (O, R, C) float32, phase that the motion gives between the two polarities
    """
    line_of = _kept(magnitude.shape[0], how.lines)
    pulse = np.zeros((len(line_of), magnitude.shape[1]), np.complex64)
    if how.pulsation > 0 and vessels.any():
        pulse = fft.fft(vessels.astype(np.complex64), axis=0, norm="ortho")[line_of]
    total, phase = np.zeros(magnitude.shape, np.float32), np.empty(motion_rad.shape, np.float32)
    for out, motion in zip(phase, motion_rad, strict=True):
        turn = np.exp(np.complex64(0.5j) * motion.astype(np.float32))
        plus, minus = (_through_k_space(magnitude * t, pulse, line_of, how, rng) for t in (turn, np.conj(turn)))
        total += np.abs(plus) + np.abs(minus)
        out[:] = np.angle(plus * np.conj(minus))
    blank = _blank_rows(magnitude.shape[0], how.shown)
    total[blank], phase[:, blank] = 0, 0
    return total / (2 * len(phase)), phase


def offsets_of(motion: np.ndarray, offsets: int, gain: np.ndarray | None = None) -> np.ndarray:
    """Snapshots Re(g u e^{2 pi i o/O}) of complex motion (..., R, C) -> (..., O, R, C).

    gain: (O,) complex, how much each acquisition differs from the mean one (drum, breath); 1 when None.
    """
    steps = np.exp(2j * np.pi * np.arange(offsets) / offsets) * (1 if gain is None else gain)
    return np.stack([(motion * s).real for s in steps.astype(np.complex64)], axis=-3)


def _kept(count: int, lines: int) -> np.ndarray:
    """Indices, in the order of `fft`, of the middle lines of k-space."""
    number = fft.fftfreq(count, 1 / count)
    return np.flatnonzero((number >= -(lines // 2)) & (number < lines - lines // 2))


def _through_k_space(
    image: np.ndarray, pulse: np.ndarray, line_of: np.ndarray, how: Encoding, rng: np.random.Generator
) -> np.ndarray:
    """One encoded image (R, C) complex64."""
    rows, columns = image.shape
    lines = fft.fft(image, axis=0, norm="ortho")[line_of]
    count = len(line_of)
    # lines are acquired from one end of k-space to the other
    order = np.argsort(np.argsort(fft.fftfreq(rows)[line_of]))
    beat = how.pulsation * np.cos(2 * np.pi * order / how.ghost_lines + rng.uniform(0, 2 * np.pi))
    lines = lines + pulse * beat.astype(np.float32)[:, None]
    drift = how.wobble_rad * (0.7 * rng.standard_normal(count) + 0.7 * _slow(rng, count)[order])
    drift += how.nyquist_rad * (order % 2)
    lines *= np.exp(1j * drift).astype(np.complex64)[:, None]
    taper = _taper(count)[order] if count < rows else np.ones(count, np.float32)
    noise = rng.standard_normal((count, columns, 2), np.float32).view(np.complex64)[..., 0]
    lines += noise * np.float32(how.noise * np.sqrt(rows / np.sum(taper**2) * columns / how.columns))
    lines *= taper[:, None]
    if how.columns < columns:
        across = fft.fft(lines, axis=1)
        keep = np.zeros(columns, bool)
        keep[_kept(columns, how.columns)] = True
        across[:, ~keep] = 0
        lines = fft.ifft(across, axis=1)
    whole = np.zeros((rows, columns), np.complex64)
    whole[line_of] = lines
    return fft.ifft(whole, axis=0, norm="ortho")


def _taper(count: int) -> np.ndarray:
    """Window over the lines against ringing: 1 in the middle, a cosine flank to 0.3 over the outer quarters."""
    far = np.abs(2 * np.arange(count) - count + 1) / count
    return (0.65 + 0.35 * np.cos(np.pi * np.clip((far - 0.5) / 0.5, 0, 1))).astype(np.float32)


def _slow(rng: np.random.Generator, count: int) -> np.ndarray:
    """A slow course over the lines, sd about 1: breathing during the breath-hold."""
    t = np.arange(count) / count
    return np.sqrt(2) * np.cos(2 * np.pi * (rng.uniform(0.5, 3) * t + rng.random()))


def _blank_rows(rows: int, shown: float) -> np.ndarray:
    away = np.abs(np.arange(rows) - (rows - 1) / 2)
    return away > shown * rows / 2
