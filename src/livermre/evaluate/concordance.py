"""Lin's concordance correlation: how near pairs lie to the line of identity."""

import numpy as np
from scipy import special

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import Column, is_flat, pairs_of, too_few


def concordance(measured: Column, reference: Column, *, level: float = LEVEL) -> Interval:
    """Lin's CCC 2 s_xy / (s_x^2 + s_y^2 + (mean x - mean y)^2) with its interval on the z scale.

    measured, reference  (N,) float, one unit, independent pairs; NaN leaves a pair out

    Variances with 1/n as Lin 1989; asymptotic variance with the correction of Lin 2000 (Biometrics 56:324).
    None for fewer than three pairs or where neither column varies; no interval for fewer than five pairs, for a flat
    column or |r| = 1.
    """
    pairs, method = pairs_of(measured, reference), "z (Lin)"
    check_level(level)
    x, y, n = pairs.measured, pairs.reference, pairs.n
    if n < 3:
        return not_defined(f"a concordance needs at least 3 pairs, found {n}", method=method, n=n)
    if is_flat(x) and is_flat(y):
        return not_defined("neither column varies, so nothing can be concordant", method=method, n=n)
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    estimate = 2 * shared / float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    reason = too_few(n)
    if reason is None and (is_flat(x) or is_flat(y)):
        reason = "one column does not vary, so the interval cannot be told"
    spread = float(x.std() * y.std())
    if reason is None and (abs(shared) >= (1 - 1e-12) * spread or shared == 0):
        reason = "the correlation is 1, -1 or 0, so the interval cannot be told"
    if reason:
        return not_defined(reason, method=method, n=n, estimate=estimate)
    half = special.ndtri((1 + level) / 2) * np.sqrt(_variance_of_z(estimate, shared / spread, x, y))
    low, high = np.tanh(np.arctanh(estimate) - half), np.tanh(np.arctanh(estimate) + half)
    return Interval(estimate, float(low), float(high), method=method, n=n, level=level)


def _variance_of_z(c: float, r: float, x: np.ndarray, y: np.ndarray) -> float:
    u2 = float((x.mean() - y.mean()) ** 2 / (x.std() * y.std()))
    free = (1 - r**2) * c**2 * (1 - c**2) / r**2 + 2 * c**3 * (1 - c) * u2 / r - c**4 * u2**2 / (2 * r**2)
    return free / ((x.size - 2) * (1 - c**2) ** 2)
