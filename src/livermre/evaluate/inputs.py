"""What the statistics of this room ask of their arrays: equal lengths, 0/1 with gaps, a level between 0 and 1."""

from collections.abc import Sequence

import numpy as np
from scipy import special

from livermre.evaluate.interval import check_level
from livermre.evaluate.resampling import clusters_of
from livermre.exam.errors import Contradiction, SettingsError

MINIMUM_ROWS = 5  # fewer patients than this give no estimate, only a reason


def column(values: np.ndarray | Sequence, name: str) -> np.ndarray:
    """One-dimensional float copy of what was given; infinity becomes NaN, since neither can be used.

    values  (N,) numbers, NaN (or None) where missing

    Raises SettingsError for another shape or for what is no number.
    """
    try:
        found = np.array(values, dtype=float)
    except (TypeError, ValueError) as fault:
        raise SettingsError(f"{name} must be one number a row: {fault}") from None
    if found.ndim != 1:
        raise SettingsError(f"{name} must be one value a row, found an array of shape {found.shape}")
    found[~np.isfinite(found)] = np.nan
    return found


def binary(values: np.ndarray | Sequence, name: str) -> np.ndarray:
    """(N,) float of 0, 1 and NaN (missing); raises SettingsError for any other value."""
    found = column(values, name)
    odd = found[~np.isnan(found) & (found != 0) & (found != 1)]
    if odd.size:
        raise SettingsError(f"{name} must be 0, 1 or missing, found {odd[0]:g}")
    return found


def probability(values: np.ndarray | Sequence, name: str) -> np.ndarray:
    """(N,) float within 0..1 and NaN (missing); raises SettingsError for any other value."""
    found = column(values, name)
    odd = found[(found < 0) | (found > 1)]
    if odd.size:
        raise SettingsError(f"{name} must lie within 0 and 1, found {odd[0]:g}")
    return found


def at_least(stage: np.ndarray | Sequence, threshold: float) -> np.ndarray:
    """1 where the stage reaches the threshold, 0 where not, NaN where the stage is missing.

    stage  (N,) numbers, NaN where missing; `stage >= threshold` alone would count a missing stage as a negative
    """
    found = column(stage, "stage")
    return np.where(np.isnan(found), np.nan, (found >= threshold).astype(float))


def complete_rows(*columns: np.ndarray, names: str) -> np.ndarray:
    """(N,) bool, rows in which no column is missing; raises Contradiction for different lengths."""
    lengths = [c.shape[0] for c in columns]
    if len(set(lengths)) > 1:
        raise Contradiction(f"{names} must have one length, found {' and '.join(map(str, lengths))}")
    return ~np.any([np.isnan(c) for c in columns], axis=0)


def labels(values: np.ndarray | Sequence, length: int, name: str) -> np.ndarray:
    """(N,) object array of names (patients, strata); raises Contradiction for another length."""
    found = np.empty(len(values), dtype=object)
    found[:] = list(values)
    if found.size != length:
        raise Contradiction(f"{name} must have one length with the values, found {found.size} and {length}")
    return found


def owners(patient: np.ndarray | Sequence | None, keep: np.ndarray) -> np.ndarray:
    """(n,) int, number of the patient of each kept row; each row its own patient where none are named.

    patient  (N,) names or whole numbers, or None;  keep  (N,) bool

    Raises Contradiction for another length, SettingsError for a row without patient.
    """
    if patient is None or not keep.any():
        return np.arange(int(keep.sum()))
    labels(patient, keep.size, "patients")
    groups = clusters_of(np.asarray(patient)[keep])  # as given, so that every function draws the same patients
    number = np.empty(groups.rows, dtype=int)
    number[groups.order] = np.repeat(np.arange(groups.number), groups.length)
    return number


def normal_quantile(level: float) -> float:
    """Normal quantile of a two-sided interval, 1.96 for 0.95; raises SettingsError for a level outside 0..1."""
    return float(special.ndtri((1 + check_level(level)) / 2))


def read_only(values: np.ndarray) -> np.ndarray:
    """The same array, closed for writing: a result does not change after it was given."""
    values.setflags(write=False)
    return values
