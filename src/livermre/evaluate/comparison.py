"""Two methods on the same patients: size of the difference, its interval, its tests; many comparisons at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.interval import FEWEST, LEVEL, Interval, not_defined
from livermre.evaluate.intervals import Labels, Method, clustered_bootstrap_of_sums
from livermre.evaluate.pairs import Column, is_flat, pairs_of
from livermre.evaluate.rank_shift import hodges_lehmann, rank_biserial
from livermre.evaluate.resampling import clusters_of
from livermre.exam.errors import Contradiction, SettingsError

_BATCH = 512  # permutations at once


@dataclass(frozen=True)
class Comparison:
    """First minus second; tests and effect sizes on one value a patient (the mean of the patient's rows)."""

    difference: Interval
    """Mean over rows, bootstrap over patients, both methods on the same resamples."""
    shift: Interval
    """Hodges-Lehmann: median of all means of two patients' differences, with Wilcoxon's interval."""
    cohen_dz: float | None
    """Mean over standard deviation (n - 1) of the patients' differences."""
    rank_biserial: float | None
    """Matched pairs: share of rank sums that favours the first minus the share that favours the second, -1..1."""
    wilcoxon_p: float | None
    """Two-sided signed rank test (zeros dropped)."""
    permutation_p: float | None
    """Two-sided, of the mean difference; signs of patients turned (Phipson and Smyth 2010: never 0)."""
    patients: int
    rows: int
    left_out: int
    reason: str | None = None
    """Why tests and effect sizes are None."""


def compare_paired(
    first: Column,
    second: Column,
    patients: Labels,
    *,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "bca",
    level: float = LEVEL,
) -> Comparison:
    """Compare two methods measured on the same rows (Dice of two networks, errors of two readers).

    first, second  (N,) float, one row a slice or exam; a row with NaN on one side is left out
    patients       (N,) who each row belongs to

    Fewer than five patients, or differences that are all the same: no tests and no effect sizes, and `reason` says so.
    Raises Contradiction for unequal lengths.
    """
    pairs = pairs_of(first, second)
    labels = np.asarray(patients, dtype=object)
    if labels.shape != pairs.kept.shape:
        raise Contradiction(f"every row needs its patient: {pairs.kept.size} rows, {labels.size} patients")
    kept = labels[pairs.kept]
    rows = np.stack([pairs.difference, np.ones(pairs.n)], axis=1)
    bootstrap = clustered_bootstrap_of_sums(
        lambda s: s[:, 0] / s[:, 1], rows, kept, draws=draws, seed=seed, method=method, level=level
    )
    if pairs.n == 0:
        empty = "there are no rows"
        return Comparison(bootstrap, not_defined(empty), None, None, None, None, 0, 0, pairs.left_out, empty)
    sums = clusters_of(kept).sums(rows)
    each = sums[:, 0] / sums[:, 1]
    why = _why_not(each)
    n = each.size
    if why:
        shift = not_defined(why, n=n, estimate=float(np.median(each)) if n == 1 or is_flat(each) else None)
        return Comparison(bootstrap, shift, None, None, None, None, n, pairs.n, pairs.left_out, why)
    return Comparison(
        bootstrap,
        hodges_lehmann(each, level=level),
        float(each.mean() / each.std(ddof=1)),
        rank_biserial(each),
        float(stats.wilcoxon(each).pvalue),
        sign_flip_p(each, draws=max(draws, 9999), seed=seed),
        n,
        pairs.n,
        pairs.left_out,
    )


def _why_not(each: np.ndarray) -> str | None:
    if each.size < FEWEST:
        return f"a comparison needs at least {FEWEST} patients, found {each.size}"
    if not each.any():
        return "the two methods never differ"
    return "the two methods differ by the same amount everywhere" if is_flat(each) else None


def sign_flip_p(differences: np.ndarray, *, draws: int = 9999, seed: int = 0) -> float:
    """Two-sided permutation test that the mean difference is 0; exact where 2^n <= draws.

    differences  (n,) float, one a patient
    """
    d = np.asarray(differences, dtype=float)
    reached = abs(float(d.sum())) * (1 - 1e-12)  # rounding must not make the data rarer than themselves
    if 2**d.size <= draws:
        signs = 1 - 2.0 * (np.arange(2**d.size)[:, None] >> np.arange(d.size) & 1)
        return float((np.abs(signs @ d) >= reached).mean())
    rng = np.random.default_rng(seed)
    hits = 0
    for size in [_BATCH] * (draws // _BATCH) + [draws % _BATCH]:
        signs = 1 - 2.0 * rng.integers(0, 2, (size, d.size))
        hits += int((np.abs(signs @ d) >= reached).sum())
    return (hits + 1) / (draws + 1)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P values corrected for their number by Holm 1979; None (no test was possible) stays None and does not count.

    Raises SettingsError for a value outside 0..1.
    """
    there = [(p, i) for i, p in enumerate(p_values) if p is not None]
    odd = [p for p, _ in there if not 0 <= p <= 1]
    if odd:
        raise SettingsError(f"a p value lies between 0 and 1, found {odd[0]}")
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(sorted(there)):
        largest = max(largest, min(1.0, (len(there) - rank) * p))
        corrected[i] = largest
    return tuple(corrected)
