"""From the values of a statistic on resamples to its interval."""

from dataclasses import replace
from typing import Literal

import numpy as np
from scipy import special

from livermre.evaluate.interval import FEWEST, Interval, not_defined

Method = Literal["percentile", "bca"]
MOST_UNDEFINED = 0.05  # share of resamples without a value (one class only, ...) up to which the rest speaks for all


def intervals_of_draws(
    point: np.ndarray, spread: np.ndarray, jackknife: np.ndarray, patients: int, method: Method, level: float
) -> tuple[Interval, ...]:
    """One Interval a statistic.

    point      (K,) float on the data; NaN where not defined, here and below
    spread     (D, K) float on resamples
    jackknife  (C, K) float without each patient in turn; read for "bca" only
    """
    return tuple(
        _one(float(point[k]), spread[:, k], jackknife[:, k], patients, method, level) for k in range(point.size)
    )


def _one(
    point: float, spread: np.ndarray, jackknife: np.ndarray, patients: int, method: Method, level: float
) -> Interval:
    if not np.isfinite(point):
        return not_defined("the statistic is not defined on these data", method=method, n=patients)
    valid = spread[np.isfinite(spread)]
    bare = Interval(point, None, None, spread.size, method, None, patients, spread.size - valid.size, level)
    if patients < FEWEST:
        return replace(bare, reason=f"an interval needs at least {FEWEST} patients, found {patients}")
    if valid.size < (1 - MOST_UNDEFINED) * spread.size:
        share = 100 * (1 - valid.size / spread.size)
        return replace(bare, reason=f"the statistic is not defined in {share:.0f} % of the resamples")
    if np.ptp(valid) <= 1e-12 * max(1.0, abs(point)):
        return replace(bare, reason="every resample gives the same value, so the spread cannot be told")
    tails: tuple[float, float] | str = ((1 - level) / 2, (1 + level) / 2)
    if method == "bca":
        tails = _bca_tails(point, valid, jackknife, level)
    if isinstance(tails, str):
        return replace(bare, reason=tails)
    low, high = np.quantile(valid, tails)
    return replace(bare, low=float(low), high=float(high))


def _bca_tails(point: float, spread: np.ndarray, jackknife: np.ndarray, level: float) -> tuple[float, float] | str:
    """Which quantiles of the resamples bound the interval (Efron 1987, equations 2.3 and 6.6), or why none do."""
    lost = int((~np.isfinite(jackknife)).sum())
    if lost:
        return f"BCa leaves out each patient in turn, and without {lost} of them the statistic is not defined"
    below = ((spread < point).mean() + (spread <= point).mean()) / 2
    if not 0 < below < 1:
        return "all resamples lie on one side of the estimate, so its bias cannot be corrected"
    apart = jackknife.mean() - jackknife
    square = float((apart**2).sum())
    acceleration = float((apart**3).sum()) / (6 * square**1.5) if square > 0 else 0.0
    bias = special.ndtri(below)
    low, high = (bias + special.ndtri(tail) for tail in ((1 - level) / 2, (1 + level) / 2))
    shift = [bias + z / (1 - acceleration * z) for z in (low, high)]
    return float(special.ndtr(shift[0])), float(special.ndtr(shift[1]))
