"""Correlation: whether two columns rise together. It forgives bias and scale, so it is no agreement."""

import numpy as np
from scipy import special, stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import Column, Pairs, is_flat, pairs_of, too_few

_ONE = 1 - 1e-12  # nearer to 1 than rounding allows to tell


def pearson(measured: Column, reference: Column, *, level: float = LEVEL) -> Interval:
    """Pearson's r with the interval of Fisher's z: atanh r -+ z / sqrt(n - 3).

    measured, reference  (N,) float, independent pairs; NaN leaves a pair out

    None for fewer than three pairs or a column that does not vary; no interval for fewer than five or |r| = 1.
    """
    pairs = pairs_of(measured, reference)
    return _missing(pairs) or _fisher(_r(pairs.measured, pairs.reference), pairs.n, 1.0, "Fisher z", level)


def spearman(measured: Column, reference: Column, *, level: float = LEVEL) -> Interval:
    """Spearman's rank correlation (mid-ranks) with the interval of Bonett and Wright 2000.

    Fisher's z with the variance (1 + r^2 / 2) / (n - 3); otherwise as `pearson`.
    """
    pairs = pairs_of(measured, reference)
    missing = _missing(pairs)
    if missing:
        return missing
    r = _r(stats.rankdata(pairs.measured), stats.rankdata(pairs.reference))
    return _fisher(r, pairs.n, 1 + r**2 / 2, "Fisher z (Bonett and Wright)", level)


def _r(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1, 1))


def _missing(pairs: Pairs) -> Interval | None:
    if pairs.n < 3:
        return not_defined(f"a correlation needs at least 3 pairs, found {pairs.n}", n=pairs.n)
    if is_flat(pairs.measured) or is_flat(pairs.reference):
        return not_defined("one column does not vary, so nothing can rise with it", n=pairs.n)
    return None


def _fisher(r: float, n: int, spread: float, method: str, level: float) -> Interval:
    check_level(level)
    reason = too_few(n) or ("the correlation is 1 or -1, so its interval cannot be told" if abs(r) > _ONE else None)
    if reason:
        return not_defined(reason, method=method, n=n, estimate=r)
    half = special.ndtri((1 + level) / 2) * np.sqrt(spread / (n - 3))
    low, high = np.tanh(np.arctanh(r) - half), np.tanh(np.arctanh(r) + half)
    return Interval(r, float(low), float(high), method=method, n=n, level=level)
