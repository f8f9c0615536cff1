"""Lines between two methods that both err: Passing-Bablok and Deming. measured = intercept + slope reference."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.intervals import Labels, clustered_bootstrap
from livermre.evaluate.pairs import Column, Pairs, is_flat, pairs_of, too_few
from livermre.evaluate.resampling import clusters_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class MethodLine:
    """Slope 1 and intercept 0 inside their intervals: no proportional and no constant bias is shown."""

    slope: Interval
    intercept: Interval
    linearity_p: float | None
    """Cusum test that the points follow a line; below 0.05 the line says nothing. A shy test (`linearity` is sharper).
    Passing-Bablok with one pair a patient only."""
    n: int
    left_out: int


def passing_bablok(
    measured: Column,
    reference: Column,
    *,
    patient: Labels | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> MethodLine:
    """Passing and Bablok 1983: shifted median of all slopes between two points; neither method is taken as the truth.

    measured, reference  (N,) float, one unit; NaN leaves a pair out
    patient              (N,) names where patients have several pairs: the interval is then a bootstrap over patients

    Meant for slopes near 1 and methods that rise together. None for fewer than three pairs, a column that does not
    vary, or columns that do not rise together (Kendall's tau <= 0); no interval for fewer than five pairs.
    """
    pairs, method = pairs_of(measured, reference), "rank (Passing and Bablok)"
    check_level(level)
    x, y, n = pairs.reference, pairs.measured, pairs.n
    missing = _missing(pairs)
    if missing:
        return _nothing(missing, pairs)
    slopes, shift = _slopes(x, y)
    if not slopes.size or np.sign(slopes).sum() <= 0:
        return _nothing("the two columns do not rise together, so no line compares them", pairs)
    slope = _middle(slopes, shift)
    if not np.isfinite(slope):
        return _nothing("most pairs of points lie above each other, so no line has a slope", pairs)
    intercept = float(np.median(y - slope * x))
    if _several(patient, pairs):
        drawn = _by_patient(lambda i: _ranked(x[i], y[i]), patient, pairs, draws, seed, level)
        return MethodLine(*drawn, None, n, pairs.left_out)
    p = _cusum_p(x, y, slope, intercept)
    spread = special.ndtri((1 + level) / 2) * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    first = round((slopes.size - spread) / 2)  # M1 of the paper, counted from 1
    last = slopes.size - first + 1
    reason = too_few(n)
    if reason is None and (first + shift < 1 or last + shift > slopes.size):
        reason = f"{n} pairs are too few for a rank interval at this level"
    if reason:
        a, b = (not_defined(reason, method=method, n=n, estimate=v) for v in (slope, intercept))
        return MethodLine(a, b, p, n, pairs.left_out)
    low, high = float(slopes[first + shift - 1]), float(slopes[last + shift - 1])
    ends = sorted(float(np.median(y - s * x)) for s in (low, high))
    return MethodLine(
        Interval(slope, low, high, method=method, n=n, level=level),
        Interval(intercept, ends[0], ends[1], method=method, n=n, level=level),
        p,
        n,
        pairs.left_out,
    )


def _middle(slopes: np.ndarray, shift: int) -> float:
    """Median of the slopes, moved up by the shift."""
    return float(slopes[[(slopes.size - 1) // 2 + shift, slopes.size // 2 + shift]].mean())


def _ranked(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Slope and intercept of Passing and Bablok (2,); NaN where they have none."""
    slopes, shift = _slopes(x, y)
    if not slopes.size or np.sign(slopes).sum() <= 0:
        return np.full(2, np.nan)
    slope = _middle(slopes, shift)
    return np.array([slope, np.median(y - slope * x)])


def _several(patient: Labels | None, pairs: Pairs) -> bool:
    """Whether some patient has more than one complete pair."""
    return patient is not None and pairs.n > 0 and clusters_of(np.asarray(patient)[pairs.kept]).number < pairs.n


def _by_patient(
    line: Callable[[np.ndarray], np.ndarray],
    patient: Labels | None,
    pairs: Pairs,
    draws: int,
    seed: int,
    level: float,
) -> tuple[Interval, Interval]:
    """Slope and intercept of a line of rows (M,) int, patients drawn whole."""
    slope, intercept = clustered_bootstrap(line, np.asarray(patient)[pairs.kept], draws=draws, seed=seed, level=level)
    return slope, intercept


def _slopes(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, int]:
    """Sorted slopes without 0/0 and -1, and how many lie below -1 (the shift K that makes x and y exchangeable)."""
    i, j = np.triu_indices(x.size, 1)
    run, rise = x[j] - x[i], y[j] - y[i]
    there = (run != 0) | (rise != 0)
    run, rise = run[there], rise[there]
    upright = run == 0
    slopes = np.where(upright, np.copysign(np.inf, rise), rise / np.where(upright, 1.0, run))
    slopes = np.sort(slopes[slopes != -1])
    return slopes, int((slopes < -1).sum())


def _cusum_p(x: np.ndarray, y: np.ndarray, slope: float, intercept: float) -> float | None:
    """Cusum test of linearity: whether points above and below the line alternate at random along it.

    The largest cumulative score, over sqrt(l + L) for l points above and L below, against Kolmogorov's distribution: it
    is the two-sample Kolmogorov-Smirnov test of the two sides' places. (The paper's l is often misread as 1.) A fitted
    line follows its points, so the test is shy: of 400 simulated straight relations each of 30, 50 and 100 pairs it
    called at most one bent at 0.05. None without points on both sides.
    """
    rest = y - intercept - slope * x
    side = np.where(np.abs(rest) <= 1e-12 * np.abs(y).max(), 0.0, np.sign(rest))
    above, below = int((side > 0).sum()), int((side < 0).sum())
    if not above or not below or slope <= 0:
        return None
    score = np.select([side > 0, side < 0], [np.sqrt(below / above), -np.sqrt(above / below)], 0.0)
    along = (y + x / slope - intercept) / np.sqrt(1 + 1 / slope**2)
    total = np.cumsum(score[np.argsort(along, kind="stable")])
    return float(special.kolmogorov(np.abs(total).max() / np.sqrt(above + below)))


def deming(
    measured: Column,
    reference: Column,
    *,
    error_ratio: float = 1.0,
    patient: Labels | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = LEVEL,
) -> MethodLine:
    """Deming's line: least squares where both columns err, with the jackknife interval of Linnet 1993.

    measured, reference  (N,) float, one unit; NaN leaves a pair out
    patient      (N,) names: the interval is then a bootstrap over patients; None: each pair a patient
    error_ratio  variance of the measured column's error over that of the reference's, 1 where both err alike

    None as for `passing_bablok`; no interval for fewer than five pairs or points on one line.
    Raises SettingsError for a ratio that is not above zero.
    """
    if not 0 < error_ratio < np.inf:
        raise SettingsError(f"the ratio of error variances must be above 0, found {error_ratio}")
    pairs, method = pairs_of(measured, reference), "jackknife (Linnet)"
    check_level(level)
    x, y, n = pairs.reference, pairs.measured, pairs.n
    missing = _missing(pairs)
    if missing is None and np.cov(x, y)[0, 1] <= 0:
        missing = "the two columns do not rise together, so no line compares them"
    if missing:
        return _nothing(missing, pairs)
    if patient is not None:
        drawn = _by_patient(lambda i: _one_line(x[i], y[i], error_ratio), patient, pairs, draws, seed, level)
        return MethodLine(*drawn, None, n, pairs.left_out)
    whole = _one_line(x, y, error_ratio)
    every = np.arange(n)
    rows = np.array([np.delete(every, i) for i in every])
    without = np.array(_deming(x[rows], y[rows], error_ratio))
    pseudo = n * whole[:, None] - (n - 1) * without
    se = pseudo.std(axis=1, ddof=1) / np.sqrt(n)
    reason = too_few(n)
    if reason is None and not (np.isfinite(se).all() and se[0] > 1e-12 * abs(whole[0])):
        reason = "the points lie on a line, so no error can be told"
    half = stats.t.ppf((1 + level) / 2, n - 2) * se
    slope, intercept = (
        not_defined(reason, method=method, n=n, estimate=float(v))
        if reason
        else Interval(float(v), float(v - h), float(v + h), method=method, n=n, level=level)
        for v, h in zip(whole, half, strict=True)
    )
    return MethodLine(slope, intercept, None, n, pairs.left_out)


def _deming(x: np.ndarray, y: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Slope and intercept, each (D,), of (D, M) points."""
    mx, my = x.mean(axis=1), y.mean(axis=1)
    dx, dy = x - mx[:, None], y - my[:, None]
    xx, yy, xy = (dx * dx).sum(1), (dy * dy).sum(1), (dx * dy).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (yy - ratio * xx + np.sqrt((yy - ratio * xx) ** 2 + 4 * ratio * xy**2)) / (2 * xy)
    return slope, my - slope * mx


def _one_line(x: np.ndarray, y: np.ndarray, ratio: float) -> np.ndarray:
    return np.array(_deming(x[None], y[None], ratio))[:, 0]


def _missing(pairs: Pairs) -> str | None:
    if pairs.n < 3:
        return f"a line between methods needs at least 3 pairs, found {pairs.n}"
    if is_flat(pairs.reference) or is_flat(pairs.measured):
        return "one column does not vary, so no line compares them"
    return None


def _nothing(reason: str, pairs: Pairs) -> MethodLine:
    empty = not_defined(reason, n=pairs.n)
    return MethodLine(empty, empty, None, pairs.n, pairs.left_out)
