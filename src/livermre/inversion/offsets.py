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
            f"{where}: phase reaches from {_ends(low, high)}; wrapped phase in rad (-pi to pi) is needed, "
            "not degrees, scanner units or magnitude"
        )
    _check_turn(phase_rad, low, high, where)


_UNITS = (
    (-180.0, 180.0, "degrees do"),
    (0.0, 360.0, "degrees do"),
    (0.0, 2 * np.pi, "rad counted from 0 do"),
    (-1000 * np.pi, 1000 * np.pi, "thousandths of a rad do"),
    (-0.5, 0.5, "cycles do"),
    (0.0, 1.0, "cycles counted from 0 do"),
    (-1.0, 1.0, "half turns do"),
)

END = 0.05
"""Phase that wraps comes this near to the ends of its unit, as a share of them (noise and wraps reach every value)."""

JUMP = 1.5
"""A step between neighbours of more than this part of the largest phase is a wrap, or noise that fills the unit."""

MOST_JUMPS = 2e-4
"""Share of such steps from which on the phase wraps: a wrap crosses many pixels, an odd pixel has two or four steps."""


def _ends(low: float, high: float) -> str:
    """The ends of the values in words, with the unit that ends like this if one does."""
    for bottom, top, unit in _UNITS:
        slack = END * (top - bottom)
        if abs(low - bottom) < slack and abs(high - top) < slack:
            return f"{low:.4g} to {high:.4g}, as {unit}"
    return f"{low:.4g} to {high:.4g}"


def _check_turn(phase: np.ndarray, low: float, high: float, where: str) -> None:
    """Raise InputError for phase that wraps before pi: another unit, which unwrapping in rad would leave in pieces.

    Smaller phase that never wraps is taken in any unit: stiffness does not depend on the amplitude of the wave.
    """
    top = max(high, -low)
    if not 0 < top < (1 - END) * np.pi:
        return
    jumps = sum(int((np.abs(np.diff(phase, axis=axis)) > JUMP * top).sum()) for axis in (-1, -2))
    if jumps <= MOST_JUMPS * 2 * phase.size:
        return
    raise InputError(
        f"{where}: phase reaches only from {_ends(low, high)}, and jumps from one end to the other: "
        "it wraps before pi; wrapped phase in rad (-pi to pi) is needed"
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
        raise InputError(
            f"{where}: the phase has no negative value; magnitude, or a phase from 0 to 2 pi or in cycles from 0 to 1, "
            "was given, but wrapped phase in rad (-pi to pi) is needed"
        )
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
