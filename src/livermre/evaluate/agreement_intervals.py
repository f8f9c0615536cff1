"""All of agreement with intervals that stay right when patients have several exams: one bootstrap over patients."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy import stats

from livermre.evaluate.bland_altman import in_scale
from livermre.evaluate.error_size import WITHIN_PERCENT, within
from livermre.evaluate.interval import LEVEL, Interval
from livermre.evaluate.intervals import Labels, Method, clustered_bootstrap, clustered_bootstraps_of_sums
from livermre.evaluate.pairs import Column, Pairs, pairs_of
from livermre.exam.errors import Contradiction

_LIMIT_SD = 1.96
_TINY = 1e-12

STATISTICS = (
    *("bias", "sd", "lower_limit", "upper_limit"),
    *("bias_percent", "sd_percent", "lower_limit_percent", "upper_limit_percent"),
    *("pearson", "ccc", "icc_agreement", "icc_consistency", "slope_of_difference", "slope_of_percent_difference"),
    *("mae", "rmse", "mape", *(f"within_{p:g}_percent" for p in WITHIN_PERCENT), "spearman"),
)
"""What `agreement_intervals` gives, in this order; percent limits are of the pair's mean, errors of the reference."""


def agreement_intervals(
    measured: Column,
    reference: Column,
    patients: Labels,
    *,
    ranks: bool = True,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> Mapping[str, Interval]:
    """Every statistic of `STATISTICS` by name, each with the interval of a bootstrap over patients.

    measured, reference  (N,) float above zero, one unit, one row an exam; a row with NaN is left out
    patients             (N,) who each row belongs to
    ranks                False: without Spearman's correlation, which alone takes longer than all others together

    All statistics come from the same resamples, so differences between them may be read.
    Raises Contradiction for unequal lengths, SettingsError for values that are not above zero.
    """
    pairs = pairs_of(measured, reference)
    labels = np.asarray(patients, dtype=object)
    if labels.shape != pairs.kept.shape:
        raise Contradiction(f"every row needs its patient: {pairs.kept.size} rows, {labels.size} patients")
    kept = labels[pairs.kept]
    found = clustered_bootstraps_of_sums(
        _statistics, _rows(pairs), kept, draws=draws, seed=seed, method=method, level=level
    )
    if not ranks:
        return MappingProxyType(dict(zip(STATISTICS, found, strict=False)))
    by_rank = clustered_bootstrap(
        lambda i: _spearman(pairs.measured[i], pairs.reference[i]),
        kept,
        draws=draws,
        seed=seed,
        method=method,
        level=level,
    )
    return MappingProxyType(dict(zip(STATISTICS, (*found, by_rank), strict=True)))


def _rows(pairs: Pairs) -> np.ndarray:
    """(N, K) what each exam adds to the sums; values are centred, since sums of squares lose digits."""
    x, y = pairs.measured, pairs.reference
    percent = in_scale(x, y, "percent of mean")
    size = np.abs(in_scale(x, y, "percent of reference"))
    middle = float((x.mean() + y.mean()) / 2) if pairs.n else 0.0
    a, b = x - middle, y - middle
    hits = [within(size, p) for p in WITHIN_PERCENT]
    sizes = np.abs(x - y), size
    columns = [np.ones_like(a), a, b, a * a, b * b, a * b, percent, percent**2, percent * (a + b) / 2, *sizes, *hits]
    return np.stack([np.asarray(c, dtype=float) for c in columns], axis=1)


def _statistics(sums: np.ndarray) -> np.ndarray:
    """(D, M) from (D, K) sums; NaN where not defined."""
    n = sums[:, 0]
    a, b, aa, bb, ab, percent, percent2, percent_mean, size, size_percent, *hits = (sums[:, 1:] / n[:, None]).T
    var_a, var_b, cov = aa - a**2, bb - b**2, ab - a * b
    bias = a - b
    sd = _spread(aa + bb - 2 * ab, bias, n)
    sd_percent = _spread(percent2, percent, n)
    nothing = np.maximum(var_a, var_b) <= _TINY * (aa + bb) * (n > 1)
    whole = var_a + var_b + bias**2
    rows, columns, error = _mean_squares(var_a, var_b, cov, bias, n)
    var_mean = (var_a + var_b + 2 * cov) / 4
    varies = var_mean > _TINY * (aa + bb)
    slope = np.where(varies, (var_a - var_b) / 2 / var_mean, np.nan)
    slope_percent = np.where(varies, (percent_mean - percent * (a + b) / 2) / var_mean, np.nan)
    pearson = np.where(np.minimum(var_a, var_b) > _TINY * (aa + bb), cov / np.sqrt(var_a * var_b), np.nan)
    every = [
        *(bias, sd, bias - _LIMIT_SD * sd, bias + _LIMIT_SD * sd),
        *(percent, sd_percent, percent - _LIMIT_SD * sd_percent, percent + _LIMIT_SD * sd_percent),
        np.clip(pearson, -1, 1),
        np.where(nothing, np.nan, 2 * cov / whole),
        np.where(nothing, np.nan, (rows - error) / (rows + error + 2 / n * (columns - error))),
        np.where(nothing, np.nan, (rows - error) / (rows + error)),
        slope,
        slope_percent,
        *(size, np.sqrt(aa + bb - 2 * ab), size_percent, *hits),
    ]
    return np.stack(every, axis=1)


def _spread(square: np.ndarray, mean: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Standard deviation (n - 1) from mean square and mean."""
    return np.where(n > 1, np.sqrt(np.maximum(square - mean**2, 0) * n / (n - 1)), np.nan)


def _mean_squares(
    var_a: np.ndarray, var_b: np.ndarray, cov: np.ndarray, bias: np.ndarray, n: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Between exams, between the two methods, and the rest, of a table with two columns (as `icc.mean_squares`)."""
    per = n / (n - 1)
    return (var_a + var_b + 2 * cov) / 2 * per, n * bias**2 / 2, (var_a + var_b - 2 * cov) / 2 * per


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    a, b = stats.rankdata(x), stats.rankdata(y)
    a, b = a - a.mean(), b - b.mean()
    spread = float((a @ a) * (b @ b))
    return float(a @ b) / np.sqrt(spread) if spread > 0 else float("nan")
