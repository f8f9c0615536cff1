"""Predicted chances beside what happened: table of bins, expected calibration error, Brier score and its parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import MINIMUM_ROWS, binary, complete_rows, owners, probability
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.intervals import clustered_bootstrap
from livermre.evaluate.proportion import Proportion, share_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class ReliabilityBin:
    """Patients of similar predicted chance."""

    lowest: float  # predicted chance
    highest: float
    predicted: float  # mean
    observed: Proportion


@dataclass(frozen=True)
class Brier:
    """Mean squared error of predicted chances: score = reliability - resolution + uncertainty + within."""

    patients: int
    left_out: int
    score: Interval
    reliability: float | None = None  # 0 where the bins' observed shares are as predicted
    resolution: float | None = None  # how far the bins' observed shares lie apart
    uncertainty: float | None = None  # share x (1 - share): score of predicting the share to everybody
    within: float | None = None  # what bins of unequal predictions add (Stephenson 2008); 0 with one value a bin
    skill: float | None = None  # 1 - score / uncertainty; None with one class


def reliability(
    positive: np.ndarray | Sequence,
    chance: np.ndarray | Sequence,
    *,
    bins: int = 10,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
) -> tuple[ReliabilityBin, ...]:
    """Observed share against predicted chance in bins of equal count, with Wilson intervals.

    positive  (N,) 0, 1 or NaN
    chance    (N,) float 0..1 or NaN; rows with NaN are left out
    bins      at most; equal predictions stay in one bin, so there may be fewer
    patient   (N,) names where patients have several rows (`share_of`)

    Raises Contradiction for unequal lengths, SettingsError for odd values.
    """
    truth, p, keep = rows_of(positive, chance)
    owner = owners(patient, keep)
    bin_of = equal_count_bins(p, bins)
    return tuple(
        ReliabilityBin(
            lowest=float(p[bin_of == b].min()),
            highest=float(p[bin_of == b].max()),
            predicted=float(p[bin_of == b].mean()),
            observed=share_of(truth[bin_of == b] == 1, patient=owner[bin_of == b], level=level),
        )
        for b in np.unique(bin_of)
    )


def expected_calibration_error(table: tuple[ReliabilityBin, ...]) -> float | None:
    """Mean distance of observed share and predicted chance, bins weighted by patients; None for an empty table.

    Small samples have a positive value even where all is calibrated: compare only at one n and one number of bins.
    """
    total = sum(b.observed.total for b in table)
    if not total:
        return None
    return sum(abs(b.observed.count - b.observed.total * b.predicted) for b in table) / total


def brier(
    positive: np.ndarray | Sequence,
    chance: np.ndarray | Sequence,
    *,
    bins: int = 10,
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Brier:
    """Brier score with its bootstrap interval over patients, and its decomposition (Murphy 1973).

    Arguments as in `reliability`; patient (N,) names where patients have several rows.
    Fewer than 5 rows: None and why.
    """
    truth, p, keep = rows_of(positive, chance)
    left_out = int((~keep).sum())
    if truth.size < MINIMUM_ROWS:
        why = f"fewer than {MINIMUM_ROWS} rows with chance and truth: found {truth.size}"
        return Brier(truth.size, left_out, not_defined(why, n=truth.size))
    square = (p - truth) ** 2
    score = clustered_bootstrap(
        lambda rows: float(square[rows].mean()), owners(patient, keep), draws=draws, seed=seed, level=level
    )
    away, apart = _murphy(truth, p, equal_count_bins(p, bins))
    uncertainty = float(truth.mean() * (1 - truth.mean()))
    total = float(square.mean())
    skill = 1 - total / uncertainty if uncertainty else None
    return Brier(truth.size, left_out, score, away, apart, uncertainty, total - away + apart - uncertainty, skill)


def rows_of(
    positive: np.ndarray | Sequence, chance: np.ndarray | Sequence
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth (n,) 0/1 and chance (n,) of the complete rows, and which (N,) those are."""
    truth, p = binary(positive, "positive"), probability(chance, "a predicted chance")
    keep = complete_rows(truth, p, names="truth and chances")
    return truth[keep], p[keep], keep


def equal_count_bins(values: np.ndarray, bins: int) -> np.ndarray:
    """(N,) int, bin of each value by the middle rank of its ties, so that equal values share a bin."""
    if bins < 1:
        raise SettingsError(f"a table needs at least one bin, found {bins}")
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(count) - count / 2
    return np.floor(middle * bins / values.size).astype(int)[place] if values.size else place


def _murphy(truth: np.ndarray, p: np.ndarray, bin_of: np.ndarray) -> tuple[float, float]:
    """Reliability and resolution."""
    count = np.bincount(bin_of)
    some = count > 0
    share = np.bincount(bin_of, weights=truth)[some] / count[some]
    said = np.bincount(bin_of, weights=p)[some] / count[some]
    weight = count[some] / truth.size
    return float(weight @ (said - share) ** 2), float(weight @ (share - truth.mean()) ** 2)
