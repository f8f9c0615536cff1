"""First temporal harmonic of the phase offsets, and what does not belong to it."""

import numpy as np


def harmonics(phase_rad: np.ndarray) -> np.ndarray:
    """Complex amplitudes (..., N // 2 + 1, R, C) of phase offsets that are evenly spaced over one period, rad.

    phase_rad  (..., N, R, C) float, rad, unwrapped

    Entry n is the amplitude of e^{i n w t}: a cosine of amplitude a gives |entry 1| = a. Least squares for evenly
    spaced offsets is the discrete Fourier transform.
    """
    n = phase_rad.shape[-3]
    spectrum = np.moveaxis(np.fft.rfft(np.asarray(phase_rad, dtype=np.float32), axis=-3), -3, -3)
    scale = np.full(spectrum.shape[-3], 2.0 / n, dtype=np.float32)
    scale[0] = 1.0 / n
    if n % 2 == 0:
        scale[-1] = 1.0 / n
    return (spectrum * scale[:, None, None]).astype(np.complex64)


def first_harmonic(phase_rad: np.ndarray) -> np.ndarray:
    """Complex amplitude (..., R, C) complex64, rad, of the first temporal harmonic.

    phase_rad  (..., N, R, C) float, rad, unwrapped, N >= 3 offsets evenly spaced over one period
    """
    n = phase_rad.shape[-3]
    weights = (2.0 / n * np.exp(-2j * np.pi * np.arange(n) / n)).astype(np.complex64)
    return np.tensordot(np.moveaxis(np.asarray(phase_rad, dtype=np.float32), -3, -1), weights, axes=1)


def offsets_of(wave: np.ndarray, count: int) -> np.ndarray:
    """Real offsets (..., N, R, C) float32, rad, over one period of a complex harmonic (..., R, C)."""
    turns = np.exp(2j * np.pi * np.arange(count) / count).astype(np.complex64)
    return (turns[:, None, None] * np.asarray(wave)[..., None, :, :]).real.astype(np.float32)


def noise_rad(phase_rad: np.ndarray) -> np.ndarray | None:
    """Standard deviation (..., R, C) float32, rad, of one offset, from all that is neither constant nor first harmonic.

    phase_rad  (..., N, R, C) float, rad, unwrapped; None is given for N = 3, which leaves nothing over
    """
    n = phase_rad.shape[-3]
    if n < 4:
        return None
    phase = np.asarray(phase_rad, dtype=np.float32)
    model = phase.mean(-3, keepdims=True) + offsets_of(first_harmonic(phase), n)
    return np.sqrt(((phase - model) ** 2).sum(-3) / (n - 3))
