"""How much measurements of the same thing vary over readers, scanners or sites."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.interval import LEVEL, Interval, check_level, not_defined
from livermre.evaluate.pairs import too_few
from livermre.evaluate.repeatability import RC_FACTOR
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Reproducibility:
    """Over readers, scanners or sites that all measured the same subjects."""

    sd: Interval
    """Standard deviation of one subject's values over conditions, unit of the values."""
    rdc: Interval
    """Reproducibility coefficient 2.77 SD."""
    rdc_percent: Interval
    """RDC in percent of the mean of all values; None where a value is not above zero."""
    conditions: int
    subjects: int
    left_out: int
    """Subjects that lack a value in some condition."""


def reproducibility(values: np.ndarray, *, level: float = LEVEL) -> Reproducibility:
    """RDC from a complete two-way table, conditions taken as random (Raunig 2015).

    values  (N, C) or (N, C, K) float: subject, condition (reader, scanner), repeat; a subject with a gap is left out

    Variance of condition + subject by condition + repeat; interval of a sum of mean squares by Graybill and Wang 1980
    (J Am Stat Assoc 75:869): few scanners leave few degrees of freedom, for which Satterthwaite's is too short.
    None for fewer than two subjects, no interval for fewer than five or values that never differ.
    """
    values = np.asarray(values, dtype=float)
    values = values[:, :, None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[1] < 2:
        raise SettingsError(f"values must be (subjects, two conditions or more[, repeats]), found {values.shape}")
    check_level(level)
    complete = np.isfinite(values).all(axis=(1, 2))
    kept, lost = values[complete], int((~complete).sum())
    n, conditions, _ = kept.shape
    if n < 2:
        nothing = not_defined(f"reproducibility needs at least 2 subjects in all conditions, found {n}", n=n)
        return Reproducibility(nothing, nothing, nothing, conditions, n, lost)
    parts = _over_conditions(kept)
    variance = math.fsum(part for part, _ in parts)
    reason = too_few(n, "subjects")
    if reason is None and variance <= 1e-24 * float(np.square(kept).mean()):
        reason = "the values never differ, so their spread cannot be told"
    method = "Graybill and Wang"
    sd = not_defined(reason or "", method=method, n=n, estimate=math.sqrt(variance))
    if reason is None:
        low, high = _graybill_wang(parts, level)
        sd = Interval(math.sqrt(variance), math.sqrt(low), math.sqrt(high), method=method, n=n, level=level)
    percent = not_defined("a percentage needs values above zero", n=n)
    if (kept > 0).all():
        percent = sd.scaled(100 * RC_FACTOR / float(kept.mean()))
    return Reproducibility(sd, sd.scaled(RC_FACTOR), percent, conditions, n, lost)


def _over_conditions(values: np.ndarray) -> list[tuple[float, int]]:
    """Weighted mean squares, each with its degrees of freedom, whose sum is the variance beside the subject's own."""
    n, c, k = values.shape
    cells = values.mean(axis=2)
    rows, columns = cells.mean(axis=1), cells.mean(axis=0)
    both = cells - rows[:, None] - columns + cells.mean()
    squares = [
        (n * k * float(((columns - columns.mean()) ** 2).sum()), c - 1, 1 / (n * k)),
        (k * float((both**2).sum()), (n - 1) * (c - 1), (1 - 1 / n) / k),
    ]
    if k > 1:
        squares.append((float(((values - cells[:, :, None]) ** 2).sum()), n * c * (k - 1), 1 - 1 / k))
    return [(weight * total / df, df) for total, df, weight in squares]


def _graybill_wang(parts: list[tuple[float, int]], level: float) -> tuple[float, float]:
    """Interval of a sum of independent mean squares; of a single one it is the chi-square interval."""
    part, df = np.array([p for p, _ in parts]), np.array([d for _, d in parts])
    below = 1 - df / stats.chi2.ppf((1 + level) / 2, df)
    above = df / stats.chi2.ppf((1 - level) / 2, df) - 1
    whole = float(part.sum())
    return whole - float(np.sqrt(((below * part) ** 2).sum())), whole + float(np.sqrt(((above * part) ** 2).sum()))
