"""Effect sizes of Wilcoxon's signed ranks: rank biserial correlation and Hodges-Lehmann shift."""

import numpy as np
from scipy import special, stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import is_flat, too_few

_EXACT = 50  # differences up to which the distribution of the signed rank sum is counted out, as R and scipy do


def rank_biserial(differences: np.ndarray) -> float | None:
    """(W+ - W-) / (W+ + W-) of the signed ranks, zeros dropped (Kerby 2014); None where all are zero.

    differences  (n,) float, one a patient
    """
    there = np.asarray(differences, dtype=float)
    there = there[there != 0]
    if there.size == 0:
        return None
    ranks = stats.rankdata(np.abs(there))
    return float((ranks * np.sign(there)).sum() / ranks.sum())


def hodges_lehmann(differences: np.ndarray, *, level: float = LEVEL) -> Interval:
    """Median of the Walsh averages (d_i + d_j) / 2, i <= j, with the interval that inverts Wilcoxon's test.

    differences  (n,) float, finite, one a patient

    The signed rank sum is counted out up to n = 50 and normal above (Hollander and Wolfe, Nonparametric Statistical
    Methods, 3.4). No interval for fewer than five differences, where n cannot reach the level, or where all are alike.
    """
    check_level(level)
    d = np.asarray(differences, dtype=float)
    n = d.size
    if n == 0:
        return not_defined("there are no differences")
    i, j = np.triu_indices(n)
    averages = np.sort((d[i] + d[j]) / 2)
    estimate, method = float(np.median(averages)), "Wilcoxon"
    low = _rank(n, level)
    reason = too_few(n, "differences")
    if reason is None and low < 1:
        reason = f"{n} differences are too few for an interval of {100 * level:g} %"
    if reason is None and is_flat(d):
        reason = "all differences are the same, so their spread cannot be told"
    if reason:
        return not_defined(reason, method=method, n=n, estimate=estimate)
    return Interval(
        estimate, float(averages[low - 1]), float(averages[averages.size - low]), method=method, n=n, level=level
    )


def _rank(n: int, level: float) -> int:
    """Which Walsh average, counted from 1, bounds the interval; 0 where none does."""
    tail = (1 - level) / 2
    if n > _EXACT:
        return round(n * (n + 1) / 4 - special.ndtri(1 - tail) * np.sqrt(n * (n + 1) * (2 * n + 1) / 24))
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] += ways[:-rank].copy()
    below = np.cumsum(ways) / 2.0**n
    return int(np.searchsorted(below, tail * (1 + 1e-12), side="right"))
