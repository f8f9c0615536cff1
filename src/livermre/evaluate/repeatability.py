"""How much repeated measurements of the same thing vary under the same conditions.

Words and formulas of Raunig et al. 2015 (Stat Methods Med Res 24:27) and Obuchowski and Bullen 2018 (same, 27:3139).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import too_few
from livermre.exam.errors import SettingsError

RC_FACTOR = 1.96 * math.sqrt(2)  # 2.77: two measurements differ by less than this many wSD in 95 % of cases


@dataclass(frozen=True)
class Repeatability:
    """Of one device, reader and protocol; chi-square intervals."""

    wsd: Interval
    """Within-subject standard deviation, unit of the values."""
    wcv_percent: Interval
    """Within-subject coefficient of variation, root mean square of the subjects' own (SD / mean), percent."""
    wcv_log_percent: Interval
    """The same from logarithms, 100 sqrt(exp(s^2) - 1): right where the error is proportional to the value."""
    rc: Interval
    """Repeatability coefficient 2.77 wSD, unit of the values."""
    rc_percent: Interval
    """2.77 wCV (root mean square), percent."""
    subjects: int
    """With two values or more."""
    values: int
    left_out: int
    """Subjects with fewer than two values."""


def repeatability(values: np.ndarray, *, level: float = LEVEL) -> Repeatability:
    """Within-subject variation from repeats.

    values  (N, K) float, one row a subject, one column a repeat, NaN where a repeat is missing; above zero for wCV

    Subjects weigh by their degrees of freedom (repeats - 1). None where no subject has two values; in percent also
    where a value is not above zero. No interval for fewer than five subjects or repeats that never differ.
    Raises SettingsError where values are no table of at least two repeats.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or values.shape[1] < 2:
        raise SettingsError(f"repeats must be (subjects, repeats) with two or more, found {values.shape}")
    check_level(level)
    finite = np.isfinite(values)
    there = finite.sum(axis=1) >= 2
    kept, mask = values[there], finite[there]
    n = int(there.sum())
    if n == 0:
        nothing = not_defined("no subject has two values")
        return Repeatability(nothing, nothing, nothing, nothing, nothing, 0, 0, int((~there).sum()))
    free = mask.sum(axis=1) - 1
    variance, mean = _within(kept, mask)
    wsd = _root(variance, free, level)
    if (kept[mask] > 0).all():
        wcv = _root(variance / mean**2, free, level).scaled(100)
        wcv_log = _of_log(_root(_within(np.log(np.where(mask, kept, 1.0)), mask)[0], free, level))
    else:
        wcv = wcv_log = not_defined("a coefficient of variation needs values above zero", n=n)
    return Repeatability(
        wsd, wcv, wcv_log, wsd.scaled(RC_FACTOR), wcv.scaled(RC_FACTOR), n, int(mask.sum()), int((~there).sum())
    )


def _within(values: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance (n - 1) and mean of each row's finite values; a variance that is only rounding is 0."""
    number = mask.sum(axis=1)
    mean = np.where(mask, values, 0.0).sum(axis=1) / number
    apart = np.where(mask, values - mean[:, None], 0.0)
    variance = (apart**2).sum(axis=1) / (number - 1)
    return np.where(variance > 1e-24 * mean**2, variance, 0.0), mean


def _root(variance: np.ndarray, free: np.ndarray, level: float) -> Interval:
    """Root of the variance pooled over subjects."""
    n, df = variance.size, int(free.sum())
    pooled = float((variance * free).sum()) / df
    reason = too_few(n, "subjects with repeats")
    if reason is None and pooled == 0:
        reason = "repeats never differ, so their spread cannot be told"
    if reason:
        return not_defined(reason, method="chi-square", n=n, estimate=math.sqrt(pooled))
    return _chi_square(pooled, df, n, level)


def _chi_square(variance: float, df: float, n: int, level: float) -> Interval:
    """Root of a variance with its interval: df times it over the true one follows chi-square."""
    ends = df * variance / stats.chi2.ppf([(1 + level) / 2, (1 - level) / 2], df)
    return Interval(math.sqrt(variance), math.sqrt(ends[0]), math.sqrt(ends[1]), method="chi-square", n=n, level=level)


def _of_log(s: Interval) -> Interval:
    """SD of the logarithms to percent."""

    def percent(v: float | None) -> float | None:
        return None if v is None else 100 * math.sqrt(math.expm1(v**2))

    return replace(s, estimate=percent(s.estimate), low=percent(s.low), high=percent(s.high))


def same_twice(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two runs on the same input gave the same numbers to the last bit, gaps in the same places."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    return first.shape == second.shape and bool(np.array_equal(first, second, equal_nan=True))
