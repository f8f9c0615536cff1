"""Intraclass correlation of k raters (or devices, or methods) who all measured the same n things."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import too_few
from livermre.exam.errors import SettingsError

_NOTHING = 1e-24  # of the mean square of the values: less is rounding


@dataclass(frozen=True)
class Icc:
    """ICC(A,1) and ICC(C,1) of McGraw and Wong 1996: reliability of one rater's single value."""

    agreement: Interval
    """ICC(A,1), two-way, absolute agreement: raters' biases count. ICC(2,1) of Shrout and Fleiss 1979."""
    consistency: Interval
    """ICC(C,1), two-way, consistency: raters' biases are forgiven. ICC(3,1) of Shrout and Fleiss 1979."""
    subjects: int
    raters: int
    left_out: int
    """Subjects that some rater did not measure."""


@dataclass(frozen=True)
class MeanSquares:
    """Two-way table without replication: between rows, between columns, and the rest."""

    rows: float
    columns: float
    error: float
    n: int
    k: int


def icc(ratings: np.ndarray, *, level: float = LEVEL) -> Icc:
    """Both coefficients with their F-based intervals.

    ratings  (N, K) float, one row a subject, one column a rater; a row with a gap is left out

    Rows must be independent (one exam a patient); otherwise resample patients (`agreement_intervals`).
    None for fewer than two complete rows or ratings that never vary; no interval below five rows.
    Raises SettingsError where ratings are no table of at least two raters.
    """
    ratings = np.asarray(ratings, dtype=float)
    if ratings.ndim != 2 or ratings.shape[1] < 2:
        raise SettingsError(f"ratings must be (subjects, raters) with two raters or more, found {ratings.shape}")
    check_level(level)
    complete = np.isfinite(ratings).all(axis=1)
    table = ratings[complete]
    n, k = table.shape
    if n < 2:
        nothing = not_defined(f"an ICC needs at least 2 subjects that all raters measured, found {n}", n=n)
        return Icc(nothing, nothing, n, k, int((~complete).sum()))
    ms = mean_squares(table)
    return Icc(_agreement(ms, level), _consistency(ms, level), n, k, int((~complete).sum()))


def mean_squares(table: np.ndarray) -> MeanSquares:
    """Mean squares of a complete (n, k) table."""
    n, k = table.shape
    centred = table - table.mean()
    rows, columns = centred.mean(axis=1), centred.mean(axis=0)
    rest = centred - rows[:, None] - columns
    size = _NOTHING * float(np.square(table).mean())
    squares = (
        k * (rows @ rows) / (n - 1),
        n * (columns @ columns) / (k - 1),
        np.square(rest).sum() / (n - 1) / (k - 1),
    )
    r, c, e = (float(s) if s > size else 0.0 for s in squares)
    return MeanSquares(r, c, e, n, k)


def _agreement(ms: MeanSquares, level: float) -> Interval:
    n, k, method = ms.n, ms.k, "F (McGraw and Wong)"
    whole = ms.rows + (k - 1) * ms.error + k / n * (ms.columns - ms.error)
    reason = _reason(whole, n)
    estimate = (ms.rows - ms.error) / whole if whole > 0 else None
    if reason is None and estimate == 1:
        reason = "all raters agree exactly, so the interval cannot be told"
    if reason or estimate is None:
        return not_defined(reason or "", method=method, n=n, estimate=estimate)
    a = k * estimate / (n * (1 - estimate))
    b = 1 + a * (n - 1)
    v = (a * ms.columns + b * ms.error) ** 2 / (
        (a * ms.columns) ** 2 / (k - 1) + (b * ms.error) ** 2 / ((n - 1) * (k - 1))
    )
    below, above = (float(stats.f.ppf((1 + level) / 2, *df)) for df in ((n - 1, v), (v, n - 1)))
    rest = k * ms.columns + (k * n - k - n) * ms.error
    low = n * (ms.rows - below * ms.error) / (below * rest + n * ms.rows)
    high = n * (above * ms.rows - ms.error) / (rest + n * above * ms.rows)
    return Interval(estimate, low, high, method=method, n=n, level=level)


def _consistency(ms: MeanSquares, level: float) -> Interval:
    n, k, method = ms.n, ms.k, "F (McGraw and Wong)"
    whole = ms.rows + (k - 1) * ms.error
    reason = _reason(whole, n)
    estimate = (ms.rows - ms.error) / whole if whole > 0 else None
    if reason is None and ms.error == 0:
        reason = "raters differ by constants only, so the interval cannot be told"
    if reason or estimate is None:
        return not_defined(reason or "", method=method, n=n, estimate=estimate)
    f, df = ms.rows / ms.error, (n - 1, (n - 1) * (k - 1))
    below = f / float(stats.f.ppf((1 + level) / 2, *df))
    above = f * float(stats.f.ppf((1 + level) / 2, *df[::-1]))
    low, high = (below - 1) / (below + k - 1), (above - 1) / (above + k - 1)
    return Interval(estimate, low, high, method=method, n=n, level=level)


def _reason(whole: float, n: int) -> str | None:
    return "the ratings do not vary" if whole <= 0 else too_few(n, "subjects")
