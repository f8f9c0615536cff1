"""Agreement of two who sort the same patients into categories: kappa, and the table of who said what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from livermre.evaluate.inputs import MINIMUM_ROWS, column, complete_rows, normal_quantile, owners, read_only
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.intervals import clustered_bootstrap_of_sums
from livermre.evaluate.proportion import Proportion, proportion
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Kappa:
    """Chance-corrected agreement."""

    weights: str  # "none", "linear", "quadratic" or "given"
    patients: int
    left_out: int
    kappa: Interval
    observed: float | None = None  # weighted share of agreement
    expected: float | None = None  # the same by chance
    se: float | None = None


@dataclass(frozen=True, eq=False)
class Confusion:
    """Who said what: rows the first (reference), columns the second (found)."""

    categories: tuple[float, ...]
    counts: np.ndarray  # (K, K) int
    left_out: int
    same: Proportion
    within_one: Proportion  # at most one category apart, in the order of the categories


def confusion(
    reference: np.ndarray | Sequence,
    found: np.ndarray | Sequence,
    *,
    categories: Sequence[float] | None = None,
    level: float = 0.95,
) -> Confusion:
    """Table of two sortings of the same patients.

    reference, found  (N,) categories as numbers, NaN where missing (left out and counted)
    categories        all that may occur, in rising order; None: those that occur

    Raises Contradiction for unequal lengths, SettingsError for a value outside the categories.
    """
    a, b = column(reference, "reference"), column(found, "found")
    keep = complete_rows(a, b, names="the two sortings")
    a, b = a[keep], b[keep]
    names = np.unique(np.concatenate([a, b])) if categories is None else np.array(categories, dtype=float)
    if np.any(np.diff(names) <= 0):
        raise SettingsError("categories are given once each, in rising order")
    odd = np.setdiff1d(np.concatenate([a, b]), names)
    if odd.size:
        raise SettingsError(f"a value lies outside the categories: found {odd[0]:g}")
    counts = np.zeros((names.size, names.size), dtype=int)
    i, j = np.searchsorted(names, a), np.searchsorted(names, b)
    np.add.at(counts, (i, j), 1)
    near = int((np.abs(i - j) <= 1).sum())
    return Confusion(
        categories=tuple(names.tolist()),
        counts=read_only(counts),
        left_out=int((~keep).sum()),
        same=proportion(int(np.trace(counts)), int(counts.sum()), level=level),
        within_one=proportion(near, int(counts.sum()), level=level),
    )


def kappa(
    reference: np.ndarray | Sequence,
    found: np.ndarray | Sequence,
    *,
    weights: str | np.ndarray = "quadratic",
    categories: Sequence[float] | None = None,
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Kappa:
    """Cohen's kappa of two sortings of the same exams; arguments as in `confusion`.

    weights  "none", "linear" or "quadratic" over the places of the categories, or a (K, K) array of agreement 0..1
    patient  (N,) names: the interval is then a bootstrap over patients, and `se` None; None: each row a patient

    Weights depend on how many categories there are: name all of them where one may not occur.
    Fewer than 5 rows or a single category: None.
    """
    table = confusion(reference, found, categories=categories, level=level)
    plain = kappa_of_counts(table.counts, weights=weights, left_out=table.left_out, level=level)
    if patient is None or plain.kappa.estimate is None:
        return plain
    a, b = column(reference, "reference"), column(found, "found")
    keep = complete_rows(a, b, names="the two sortings")
    names, size = np.array(table.categories), len(table.categories)
    cell = np.searchsorted(names, a[keep]) * size + np.searchsorted(names, b[keep])
    _, w = _agreement(weights, size)
    drawn = clustered_bootstrap_of_sums(
        lambda sums: _kappas(sums.reshape(-1, size, size), w),
        np.eye(size * size)[cell],
        owners(patient, keep),
        draws=draws,
        seed=seed,
        level=level,
    )
    return replace(plain, kappa=drawn, se=None)


def _kappas(tables: np.ndarray, w: np.ndarray) -> np.ndarray:
    """(D,) kappa of (D, K, K) tables of counts; NaN where both use a single category."""
    p = tables / tables.sum(axis=(1, 2), keepdims=True)
    observed = (w * p).sum(axis=(1, 2))
    expected = np.einsum("di,ij,dj->d", p.sum(axis=2), w, p.sum(axis=1))
    return np.where(expected < 1 - 1e-12, (observed - expected) / (1 - expected), np.nan)


def kappa_of_counts(
    counts: np.ndarray | Sequence,
    *,
    weights: str | np.ndarray = "quadratic",
    left_out: int = 0,
    level: float = 0.95,
) -> Kappa:
    """Kappa of a (K, K) table of counts; large-sample SE of Fleiss, Cohen and Everitt (Psychol Bull 1969;72:323).

    Perfect agreement has SE 0 in that formula: its interval is None, not a point.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise SettingsError(f"kappa needs a square table of counts, found shape {table.shape}")
    name, w = _agreement(weights, table.shape[0])
    z, n = normal_quantile(level), int(table.sum())
    if n < MINIMUM_ROWS:
        why = f"fewer than {MINIMUM_ROWS} patients sorted by both: found {n}"
        return Kappa(name, n, left_out, not_defined(why, n=n))
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float((w * p).sum()), float((w * np.outer(rows, columns)).sum())
    if expected >= 1 - 1e-12:
        why = "both use a single category: agreement by chance is already complete"
        return Kappa(name, n, left_out, not_defined(why, n=n), observed, expected)
    value = (observed - expected) / (1 - expected)
    mean_w = (w @ columns)[:, None] + (rows @ w)[None, :]
    spread = float((p * (w - mean_w * (1 - value)) ** 2).sum()) - (value - expected * (1 - value)) ** 2
    se = float(np.sqrt(max(spread, 0.0) / n)) / (1 - expected)
    if se < 1e-7:
        why = "no variance (perfect agreement): no interval can be estimated"
        return Kappa(name, n, left_out, not_defined(why, n=n, estimate=value), observed, expected)
    low, high = max(-1.0, value - z * se), min(1.0, value + z * se)
    found = Interval(value, low, high, method="Fleiss, Cohen and Everitt 1969", n=n, level=level)
    return Kappa(name, n, left_out, found, observed, expected, se)


def _agreement(weights: str | np.ndarray, size: int) -> tuple[str, np.ndarray]:
    """Name and (K, K) agreement weights, 1 on the diagonal."""
    if not isinstance(weights, str):
        given = np.asarray(weights, dtype=float)
        if given.shape != (size, size):
            raise SettingsError(f"weights must be {size} x {size} like the table, found {given.shape}")
        return "given", given
    if weights not in ("none", "linear", "quadratic"):
        raise SettingsError(f"weights are none, linear, quadratic or an array, found {weights}")
    place = np.arange(size)
    distance = np.abs(place[:, None] - place[None, :]) / max(size - 1, 1)
    return weights, {"none": np.eye(size), "linear": 1 - distance, "quadratic": 1 - distance**2}[weights]
