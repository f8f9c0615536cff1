"""How often another measurement would put an exam into another band of stiffness."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import owners
from livermre.evaluate.interval import LEVEL, Interval
from livermre.evaluate.pairs import Column, pairs_of
from livermre.evaluate.proportion import share_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class ChangedBands:
    """Shares 0..1 of exams with Wilson's interval."""

    changed: Interval
    """In another band."""
    by_two_or_more: Interval
    """Two bands away or more."""
    up: Interval
    """In a higher band than the reference."""
    pairs: int
    left_out: int


def changed_bands(
    measured: Column,
    reference: Column,
    edges: Column,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = LEVEL,
) -> ChangedBands:
    """Share of exams that change their band.

    measured, reference  (N,) float, one unit; NaN leaves an exam out
    patient              (N,) names where patients have several exams (`share_of`); None: each exam a patient
    edges                (B - 1,) float, rising, lower edges of all bands but the first; a value on an edge is above it

    Raises SettingsError for edges that do not rise.
    """
    limits = np.asarray(edges, dtype=float)
    if limits.ndim != 1 or not limits.size or not np.isfinite(limits).all() or (np.diff(limits) <= 0).any():
        raise SettingsError(f"edges of bands must rise, found {limits.tolist()}")
    pairs = pairs_of(measured, reference)
    step = np.digitize(pairs.measured, limits) - np.digitize(pairs.reference, limits)
    owner = owners(patient, pairs.kept)
    hits = step != 0, np.abs(step) >= 2, step > 0
    changed, two, up = (share_of(h, patient=owner, level=level).interval for h in hits)
    return ChangedBands(changed, two, up, pairs.n, pairs.left_out)
