"""What phase offsets must look like before anything is computed from them."""

import numpy as np

from livermre.exam.errors import InputError

MINIMUM = 3
"""A constant and one harmonic have three unknowns."""

ROUNDING = 0.02
"""Scanners store phase as integers: values may pass pi by this much, rad."""


def check_kind(phase_rad: np.ndarray, where: str, wrapped: bool = True) -> None:
    """Raise InputError, beginning with where, for what tells that the whole exam is no phase: too few offsets, unit.

    phase_rad  (F, D, O, R, C) float, rad
    wrapped    True for acquired phase; False for filtered waves, which may reach beyond pi
    """
    count = phase_rad.shape[2]
    if count < MINIMUM:
        raise InputError(f"{where}: {count} phase offset(s) found; at least {MINIMUM} over one period are needed")
    known = phase_rad[np.isfinite(phase_rad)]
    if not wrapped or not known.size:
        return
    low, high = float(known.min()), float(known.max())
    if high > np.pi + ROUNDING or low < -np.pi - ROUNDING:
        raise InputError(
            f"{where}: phase reaches from {low:.4g} to {high:.4g}; wrapped phase in rad (-pi to pi) is needed, "
            "not degrees, scanner units or magnitude"
        )


def check_offsets(phase_rad: np.ndarray, magnitude: np.ndarray, where: str, wrapped: bool = True) -> None:
    """Raise InputError, beginning with where, for images that cannot be evenly spaced offsets of one vibration.

    phase_rad  (F, D, O, R, C) float, rad, of one slice
    magnitude  (R, C) float
    wrapped    True for acquired phase; False for filtered waves
    """
    if not np.isfinite(phase_rad).all():
        raise InputError(f"{where}: the phase holds values that are no numbers; every pixel needs a phase in rad")
    _check_pairs(phase_rad, where)
    if wrapped:
        _check_values(phase_rad, magnitude, where)


def _check_values(phase_rad: np.ndarray, magnitude: np.ndarray, where: str) -> None:
    if float(phase_rad.min()) >= 0:
        raise InputError(f"{where}: the phase has no negative value; magnitude or a phase from 0 to 2 pi was given")
    flat = [o + 1 for o in range(phase_rad.shape[2]) if np.ptp(phase_rad[:, :, o]) < 1e-3]
    if flat:
        raise InputError(f"{where}: phase offset {flat[0]} has the same value everywhere; it holds no motion")
    like = np.corrcoef(phase_rad.mean((0, 1, 2)).ravel(), np.nan_to_num(magnitude).ravel())[0, 1]
    if abs(like) > 0.95:
        raise InputError(f"{where}: the phase looks like the magnitude (correlation {like:.2f}); magnitude was given?")


def _check_pairs(phase_rad: np.ndarray, where: str) -> None:
    count = phase_rad.shape[2]
    same = [
        (i, j)
        for i in range(count)
        for j in range(i + 1, count)
        if np.array_equal(phase_rad[:, :, i], phase_rad[:, :, j])
    ]
    if len(same) == count * (count - 1) // 2:
        raise InputError(f"{where}: all {count} phase offsets are the same image; they must differ by the vibration")
    if same:
        i, j = same[0]
        raise InputError(
            f"{where}: phase offsets {i + 1} and {j + 1} are the same image; {count} different ones are needed"
        )
