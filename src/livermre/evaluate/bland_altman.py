"""Bland-Altman: bias and limits of agreement, in units and in percent, and whether bias grows with the value."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special, stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.line import least_squares
from livermre.evaluate.pairs import Column, is_flat, pairs_of, too_few
from livermre.exam.errors import SettingsError

Scale = Literal["units", "percent of mean", "percent of reference"]
Limits = Literal["exact", "approximate"]
_LIMIT_SD = 1.96  # Bland and Altman print 1.96, not the quantile's further digits


@dataclass(frozen=True)
class BlandAltman:
    """Differences measured minus reference; all numbers in the scale's unit."""

    scale: str
    bias: Interval
    """Mean difference; interval of Student's t."""
    sd: Interval
    """Standard deviation of the differences; chi-square interval."""
    lower: Interval
    """Bias - 1.96 SD."""
    upper: Interval
    """Bias + 1.96 SD."""
    slope: Interval
    """Proportional bias: change of the difference per unit of the pair's mean (least squares, Student's t)."""
    slope_p: float | None
    """Two-sided, of slope 0."""
    pairs: int
    left_out: int


def bland_altman(
    measured: Column,
    reference: Column,
    *,
    scale: Scale = "units",
    limits: Limits = "exact",
    level: float = LEVEL,
) -> BlandAltman:
    """Bias, limits of agreement and proportional bias with their intervals.

    measured, reference  (N,) float, one unit, independent pairs (one exam a patient); NaN leaves a pair out
    scale    "units"; "percent of mean" of the pair (Bland and Altman 1999); "percent of reference" (change from it)
    limits   interval of each limit: "exact", by the non-central t (Carkeet 2015, limits taken one by one), or
             "approximate", -+ t sqrt(1/n + 1.96^2 / (2 (n - 1))) SD (Bland and Altman 1999), too short below n = 40

    Several exams of a patient: the estimates hold, the intervals do not (`agreement_intervals` has those).
    Fewer than two pairs: None; fewer than five, or differences that do not vary: estimates without intervals.
    Raises SettingsError for another scale, and in percent for values that are not above zero.
    """
    pairs = pairs_of(measured, reference)
    check_level(level)
    if limits not in ("exact", "approximate"):
        raise SettingsError(f'limits have an "exact" or an "approximate" interval, found {limits!r}')
    d, n = in_scale(pairs.measured, pairs.reference, scale), pairs.n
    if n < 2:
        nothing = not_defined(f"a spread needs at least 2 pairs, found {n}", n=n)
        bias = not_defined(nothing.reason or "", n=n, estimate=float(d[0])) if n else nothing
        return BlandAltman(scale, bias, nothing, nothing, nothing, nothing, None, n, pairs.left_out)
    bias, sd, lower, upper = _four(d, limits, level)
    line = least_squares(pairs.mean, d, level=level)
    return BlandAltman(scale, bias, sd, lower, upper, line.slope, line.slope_p, n, pairs.left_out)


def in_scale(measured: np.ndarray, reference: np.ndarray, scale: str) -> np.ndarray:
    """Differences of complete pairs in the wanted scale."""
    if scale == "units":
        return measured - reference
    if scale not in ("percent of mean", "percent of reference"):
        raise SettingsError(f'differences are in "units", "percent of mean" or "percent of reference", found {scale!r}')
    lowest = min(measured.min(initial=np.inf), reference.min(initial=np.inf))
    if lowest <= 0:
        raise SettingsError(f"differences in percent need values above zero on both sides, found {lowest:g}")
    return 100 * (measured - reference) / ((measured + reference) / 2 if scale == "percent of mean" else reference)


def _four(d: np.ndarray, limits: str, level: float) -> tuple[Interval, Interval, Interval, Interval]:
    """Bias, SD, lower and upper limit."""
    n, bias, sd = d.size, float(d.mean()), float(d.std(ddof=1))
    estimates = bias, sd, bias - _LIMIT_SD * sd, bias + _LIMIT_SD * sd
    flat = "the differences do not vary, so their spread cannot be told" if is_flat(d) else None
    reason = too_few(n) or flat
    if reason:
        a, b, c, e = (not_defined(reason, n=n, estimate=x) for x in estimates)
        return a, b, c, e
    tail = (1 - level) / 2
    half = float(stats.t.ppf(1 - tail, n - 1)) * sd / np.sqrt(n)
    chi = sd * np.sqrt((n - 1) / stats.chi2.ppf([1 - tail, tail], n - 1))
    near, far = _reach(n, limits, level)
    return (
        Interval(bias, bias - half, bias + half, method="t", n=n, level=level),
        Interval(sd, float(chi[0]), float(chi[1]), method="chi-square", n=n, level=level),
        Interval(estimates[2], bias - far * sd, bias - near * sd, method=limits, n=n, level=level),
        Interval(estimates[3], bias + near * sd, bias + far * sd, method=limits, n=n, level=level),
    )


def _reach(n: int, limits: str, level: float) -> tuple[float, float]:
    """How many SD from the bias the true limit begins and ends, with the confidence asked for."""
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    if limits == "exact":  # sqrt(n) (limit - bias) / SD follows a non-central t
        near, far = special.nctdtrit(n - 1, _LIMIT_SD * np.sqrt(n), tails) / np.sqrt(n)
    else:
        half = stats.t.ppf(tails[1], n - 1) * np.sqrt(1 / n + _LIMIT_SD**2 / (2 * (n - 1)))
        near, far = _LIMIT_SD - half, _LIMIT_SD + half
    return float(near), float(far)
