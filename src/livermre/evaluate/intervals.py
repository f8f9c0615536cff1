"""Intervals by resampling patients: exams and slices of one patient are not independent, so they stay together."""

from collections.abc import Callable, Iterable, Sequence
from typing import overload

import numpy as np

from livermre.evaluate.draws import Method, intervals_of_draws
from livermre.evaluate.interval import FEWEST, LEVEL, Interval, check_level, not_defined
from livermre.evaluate.resampling import clusters_of, drawn
from livermre.exam.errors import Contradiction, SettingsError

__all__ = [
    "Interval",
    "bootstrap_mean",
    "clustered_bootstrap",
    "clustered_bootstrap_of_sums",
    "clustered_bootstraps_of_sums",
    "Labels",
    "Method",
]

_CHUNK = 256  # resamples summed at once

Labels = Sequence[object] | np.ndarray


@overload
def clustered_bootstrap(
    statistic: Callable[[np.ndarray], float],
    clusters: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> Interval: ...


@overload
def clustered_bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> tuple[Interval, ...]: ...


def clustered_bootstrap(
    statistic: Callable[[np.ndarray], float] | Callable[[np.ndarray], np.ndarray],
    clusters: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> Interval | tuple[Interval, ...]:
    """A statistic with its bootstrap interval, patients resampled with all their rows.

    statistic  takes row indices (M,) int of a resample (a row may come several times; M varies with the patients drawn)
               and gives a number, or a one-dimensional array of always the same length: then one Interval an entry,
               all from the same resamples. NaN (or None) says that it is not defined on that resample.
    clusters   (N,) patient of each row, text or whole numbers
    draws      resamples; the same seed draws the same patients, so two calls on the same clusters are paired
    method     "percentile", or "bca": bias-corrected and accelerated, jackknife over patients (Efron 1987)

    Fewer than five patients, a statistic that no resample changes, or one that is undefined in more than 5 % of the
    resamples: low and high are None and `reason` says so. Comparing two methods: let the statistic give the difference.
    Raises SettingsError for labels, method, level or a number of draws that cannot give an interval.
    """
    groups = clusters_of(clusters)
    _check(draws, method, level)
    if groups.rows == 0:
        return not_defined("there are no rows", method=method)
    whole = np.asarray(statistic(np.arange(groups.rows)), dtype=float)
    point = np.atleast_1d(whole)
    few = groups.number < FEWEST

    def values(resamples: Iterable[np.ndarray], number: int) -> np.ndarray:
        """(number, K) statistic of each resample."""
        out = np.empty((number, point.size))
        for i, rows in enumerate(resamples):
            out[i] = np.asarray(statistic(rows), dtype=float)
        return out

    sampled = (groups.rows_of(chosen) for chosen in drawn(groups.number, 0 if few else draws, seed))
    spread = values(sampled, 0 if few else draws)
    left_out = (groups.without(i) for i in range(groups.number)) if method == "bca" and not few else ()
    jackknife = values(left_out, groups.number if method == "bca" and not few else 0)
    found = intervals_of_draws(point, spread, jackknife, groups.number, method, level)
    return found[0] if whole.ndim == 0 else found


def clustered_bootstrap_of_sums(
    statistic: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    clusters: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> Interval:
    """`clustered_bootstraps_of_sums` for one statistic, (D, K) sums to (D,)."""
    (found,) = clustered_bootstraps_of_sums(
        statistic, rows, clusters, draws=draws, seed=seed, method=method, level=level
    )
    return found


def clustered_bootstraps_of_sums(
    statistic: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    clusters: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> tuple[Interval, ...]:
    """The intervals of `clustered_bootstrap` for statistics of column sums, all resamples at once.

    Means, pooled Dice, bias, RMSE, Pearson's r and the like need no more than sums; the same seed draws the same
    patients as `clustered_bootstrap`, so the two agree to rounding.

    statistic  takes (D, K) float sums, one row a resample, and gives (D,) or (D, M) float, M statistics of each
               resample; NaN where not defined
    rows       (N, K) float, finite, what each row adds
    clusters   (N,) patient of each row

    Gives M Intervals, one for (D,). Raises Contradiction where rows and clusters differ in number, SettingsError as
    `clustered_bootstrap`.
    """
    groups = clusters_of(clusters)
    _check(draws, method, level)
    rows = np.asarray(rows, dtype=float)
    if rows.ndim != 2 or rows.shape[0] != groups.rows:
        raise Contradiction(f"rows must be ({groups.rows}, K), one for each patient label, found {rows.shape}")

    def values(sums: np.ndarray) -> np.ndarray:
        """(D, M)"""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.asarray(statistic(sums), dtype=float)
        return found[:, None] if found.ndim == 1 else found

    if groups.rows == 0:
        number = values(np.full((1, rows.shape[1]), np.nan)).shape[1]
        return tuple(not_defined("there are no rows", method=method) for _ in range(number))
    sums = groups.sums(rows)
    point = values(sums.sum(axis=0)[None])
    few = groups.number < FEWEST
    spread = [] if few else [values(part) for part in _summed(sums, draws, seed)]
    jackknife = values(sums.sum(axis=0) - sums) if method == "bca" and not few else point[:0]
    return intervals_of_draws(point[0], np.concatenate([point[:0], *spread]), jackknife, groups.number, method, level)


def _summed(sums: np.ndarray, draws: int, seed: int) -> Iterable[np.ndarray]:
    number = sums.shape[0]
    waiting: list[np.ndarray] = []
    for chosen in drawn(number, draws, seed):
        waiting.append(np.bincount(chosen, minlength=number))
        if len(waiting) == _CHUNK:
            yield np.array(waiting, dtype=float) @ sums
            waiting = []
    if waiting:
        yield np.array(waiting, dtype=float) @ sums


def _check(draws: int, method: str, level: float) -> None:
    check_level(level)
    if method not in ("percentile", "bca"):
        raise SettingsError(f'a bootstrap interval is "percentile" or "bca", found {method!r}')
    fewest = int(np.ceil(round(2 / (1 - level), 6)))
    if draws < fewest:
        raise SettingsError(f"a {100 * level:g} % interval needs at least {fewest} draws, found {draws}")


def bootstrap_mean(
    values: np.ndarray, draws: int = 10_000, level: float = LEVEL, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Mean over patients and its percentile bootstrap interval.

    values  (N,) float, one value a patient (never a slice: slices of one patient are not independent)

    Raises SettingsError for fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        raise SettingsError(f"an interval needs at least two patients, found {values.size}")
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, values.size, (draws, values.size))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), (float(low), float(high))
