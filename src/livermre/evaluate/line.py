"""A line through points by least squares, with intervals and tests of Student's t."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import Column, is_flat, pairs_of, too_few


@dataclass(frozen=True)
class LeastSquares:
    """y = intercept + slope x."""

    slope: Interval
    intercept: Interval
    slope_p: float | None
    """Two-sided, of slope 0."""
    r_squared: float | None
    n: int


def least_squares(x: Column, y: Column, *, level: float = LEVEL) -> LeastSquares:
    """Ordinary least squares of y on x; errors of x are taken as none.

    x, y  (N,) float, independent points; NaN leaves a point out

    None for fewer than two points or an x that does not vary; no interval for fewer than five points or an exact line.
    """
    pairs = pairs_of(y, x)
    check_level(level)
    x, y, n = pairs.reference, pairs.measured, pairs.n
    if n < 2 or is_flat(x):
        why = f"a line needs at least 2 points, found {n}" if n < 2 else "x does not vary, so no line has a slope"
        return LeastSquares(not_defined(why, n=n), not_defined(why, n=n), None, None, n)
    apart = x - x.mean()
    square = float(apart @ apart)
    slope = float(apart @ (y - y.mean())) / square
    intercept = float(y.mean() - slope * x.mean())
    rest = y - intercept - slope * x
    whole = float(((y - y.mean()) ** 2).sum())
    error = float(rest @ rest)
    exact = error <= 1e-24 * max(float(y @ y), 1e-300)
    r_squared = None if is_flat(y) else 1 - error / whole
    reason = too_few(n, "points") or ("the points lie on a line, so no error can be told" if exact else None)
    if reason:
        a, b = (not_defined(reason, method="t", n=n, estimate=v) for v in (slope, intercept))
        return LeastSquares(a, b, None, r_squared, n)
    variance = error / (n - 2)
    se = np.sqrt(variance / square), np.sqrt(variance * (1 / n + x.mean() ** 2 / square))
    t = float(stats.t.ppf((1 + level) / 2, n - 2))
    a, b = (
        Interval(v, float(v - t * s), float(v + t * s), method="t", n=n, level=level)
        for v, s in zip((slope, intercept), se, strict=True)
    )
    return LeastSquares(a, b, float(2 * stats.t.sf(abs(slope / se[0]), n - 2)), r_squared, n)
