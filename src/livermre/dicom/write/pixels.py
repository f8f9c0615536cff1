"""Values to stored pixels, each in one vendor's way; what a reader gets back differs by at most half a quantum.

phase       wrapped to half a turn; GE 1 mrad (int16), Siemens pi/2048 (12 bit), Philips 2 pi/4096 (12 bit)
wave        GE and Philips 1 mrad, Siemens pi/4096 (both 16 bit)
stiffness   1 Pa; no value, and more than the type holds, become 0, which every vendor's map uses for no value
confidence  1/1000
magnitude   whole numbers; an arbitrary unit, so it is only scaled where it would use the type badly
"""

import numpy as np

GE_PHASE_TOP = 3141
"""The real GE exam reaches +-3141 and never 3142: half a turn is cut, not rounded."""

_GE_STIFFNESS_TOP = 32765  # 32766 is the vendor's text, 32767 the largest of the type


def magnitude_gain(magnitude: np.ndarray, top: int) -> float:
    """Factor to whole numbers 0..top: 1 where the brightest pixel lies between 250 and top, else up or down to top/2.

    magnitude  (S, R, C) float32, arbitrary unit
    """
    brightest = float(np.nanmax(magnitude, initial=0.0))
    return 1.0 if 250 <= brightest <= top or brightest <= 0 else 0.5 * top / brightest


def magnitude(image: np.ndarray, gain: float, dtype: type[np.integer]) -> np.ndarray:
    """(R, C) stored magnitude, no value and negative values as 0."""
    return np.maximum(np.round(np.nan_to_num(image) * gain), 0).astype(dtype)


def ge_phase(phase_rad: np.ndarray) -> np.ndarray:
    """(..., R, C) int16 milliradian, -3141..3141, of phase in rad."""
    return np.clip(np.round(1000.0 * _wrapped(phase_rad)), -GE_PHASE_TOP, GE_PHASE_TOP).astype(np.int16)


def twelve_bit_phase(phase_rad: np.ndarray) -> np.ndarray:
    """(..., R, C) uint16 0..4095 of phase in rad: one turn in 4096 steps from -pi, pi itself being -pi."""
    return (np.round((_wrapped(phase_rad) / np.pi + 1.0) * 2048.0).astype(np.int32) % 4096).astype(np.uint16)


def milliradian_wave(wave_rad: np.ndarray) -> np.ndarray:
    """(..., R, C) int16 milliradian of a wave in rad, which may exceed half a turn; saturates at +-32.7 rad."""
    return _saturated(1000.0 * wave_rad)


def half_turn_wave(wave_rad: np.ndarray) -> np.ndarray:
    """(..., R, C) uint16 of a wave in rad: steps of pi/4096 around 32768; saturates at +-8 pi."""
    steps = _saturated(wave_rad * (4096.0 / np.pi))
    return (steps.astype(np.int32) + 32768).astype(np.uint16)


def pascal(stiffness_kpa: np.ndarray, dtype: type[np.integer]) -> np.ndarray:
    """(R, C) stored Pa of stiffness in kPa: 0 for NaN and for what the type cannot hold (never a cut-off number)."""
    top = _GE_STIFFNESS_TOP if dtype is np.int16 else 65535
    pa = np.round(np.nan_to_num(stiffness_kpa, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float64) * 1000.0)
    return np.where((pa < 0) | (pa > top), 0, pa).astype(dtype)


def permille(confidence: np.ndarray, dtype: type[np.integer]) -> np.ndarray:
    """(R, C) stored 0..1000 of a confidence 0..1, no value as 0."""
    return np.round(1000.0 * np.clip(np.nan_to_num(confidence), 0.0, 1.0)).astype(dtype)


def _wrapped(phase_rad: np.ndarray) -> np.ndarray:
    phase = np.nan_to_num(phase_rad).astype(np.float64)
    return np.asarray(phase - 2.0 * np.pi * np.rint(phase / (2.0 * np.pi)))


def _saturated(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(np.nan_to_num(values)), -32768, 32767).astype(np.int16)


def eight_offsets(wave_rad: np.ndarray) -> np.ndarray:
    """(F, D, 8, R, C) rad: a computed wave at eight offsets over one period, as GE shows it.

    wave_rad  (F, D, O, R, C) rad, O offsets over one period; eight are kept as they are

    Of other numbers the first harmonic is drawn again: a computed wave holds nothing else, and the fifth to eighth
    offset are then the negatives of the first four, as on the real exam.
    """
    offsets = wave_rad.shape[2]
    if offsets == 8:
        return wave_rad
    turn = np.exp(-2j * np.pi * np.arange(offsets) / offsets) * (2.0 / offsets)
    harmonic = np.einsum("fdorc,o->fdrc", wave_rad, turn)
    back = np.exp(2j * np.pi * np.arange(8) / 8)
    return np.real(harmonic[:, :, None] * back[:, None, None])
