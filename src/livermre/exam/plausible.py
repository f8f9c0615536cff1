"""Whether numbers can be stiffness in kPa at all: the guard against a factor of a thousand, whoever stated the unit."""

from collections.abc import Sequence

import numpy as np

from livermre.exam.errors import Contradiction, UnclearUnit

TISSUE_KPA = (0.2, 50.0)
"""Medians of a whole map outside this range are no tissue: the softest is near 0.5 kPa, muscle near 8 kPa.

The range is 250-fold, narrower than the factor of 1000 between Pa and kPa: one of the two is always refused.
"""

_FEWEST_PIXELS = 20


def body_medians(maps: Sequence[np.ndarray], bodies: Sequence[np.ndarray | None]) -> list[float]:
    """Median of each map's valid pixels within the body; maps with fewer than 20 valid pixels are left out.

    maps    (R, C) float each, NaN = no value
    bodies  (R, C) bool each, or None for the whole map
    """
    found = []
    for image, body in zip(maps, bodies, strict=True):
        valid = np.isfinite(image)
        inside = valid & body if body is not None and body.shape == image.shape else valid
        chosen = image[inside if np.count_nonzero(inside) >= _FEWEST_PIXELS else valid]
        if chosen.size >= _FEWEST_PIXELS:
            found.append(float(np.median(chosen)))
    return found


def body_of(magnitude: np.ndarray) -> np.ndarray:
    """(R, C) bool: roughly where the body is, from magnitude (R, C) above a tenth of its brightest hundredth."""
    return np.asarray(magnitude > 0.1 * np.percentile(magnitude, 99))


def check_kpa(name: str, medians_kpa: Sequence[float], stated_by: str) -> None:
    """Refuse what cannot be kPa.

    Raises UnclearUnit where the median over slices lies outside TISSUE_KPA, Contradiction where slices differ so much
    that they cannot share one unit.
    """
    if not medians_kpa:
        return
    middle = float(np.median(medians_kpa))
    if not TISSUE_KPA[0] <= middle <= TISSUE_KPA[1]:
        raise UnclearUnit(
            f"{name}: by {stated_by} the median stiffness of the body would be {middle:.4g} kPa, which no tissue has; "
            "the unit must be wrong: check the map, or state the right unit with --stiffness-unit"
        )
    low, high = min(medians_kpa), max(medians_kpa)
    if high > 100 * low:
        raise Contradiction(
            f"{name}: its slices differ by more than a factor of 100 (medians {low:.4g} and {high:.4g} kPa), "
            "so they cannot share one unit"
        )
