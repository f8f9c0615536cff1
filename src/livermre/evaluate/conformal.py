"""Intervals that hold by counting: split conformal prediction, for all or by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import column, complete_rows, labels
from livermre.exam.errors import Contradiction, SettingsError

KINDS = ("absolute", "relative", "log", "normalised")


@dataclass(frozen=True)
class ConformalQuantile:
    """Half width that covers; None where too few patients calibrate it, which would mean an endless interval."""

    quantile: float | None  # in the unit of the scores
    patients: int
    miscoverage: float
    reason: str | None = None


def conformal_scores(
    truth: np.ndarray | Sequence,
    estimate: np.ndarray | Sequence,
    *,
    kind: str = "absolute",
    spread: np.ndarray | Sequence | None = None,
) -> np.ndarray:
    """How far each estimate misses, on the scale on which the interval shall be made; NaN where something is missing.

    truth, estimate  (N,) float, one unit; above 0 for "relative" and "log"
    kind             "absolute" |t - e| · "relative" |t - e| / e · "log" |ln t - ln e| · "normalised" |t - e| / spread
    spread           (N,) float above 0, each exam's own uncertainty, for "normalised" only (Lei 2018, section 5.2)

    Raises Contradiction for unequal lengths, SettingsError for another kind or values that it cannot take.
    """
    t, e, s = _columns(kind, column(truth, "truth"), column(estimate, "estimate"), spread)
    if kind == "log":
        if np.any(t <= 0):
            raise SettingsError("a log score needs truths above 0")
        return np.abs(np.log(t) - np.log(e))
    return np.abs(t - e) / s


def conformal_quantile(scores: np.ndarray | Sequence, *, miscoverage: float = 0.05) -> ConformalQuantile:
    """The ceil((n + 1)(1 - miscoverage))-th smallest score of a calibration set.

    scores  (n,) float, one a patient (rows of one patient are not exchangeable); NaN is left out

    A new exchangeable patient is covered with chance >= 1 - miscoverage, and without ties at most 1/(n + 1) more
    (Vovk 2005; Lei 2018, JASA 113:1094, theorem 2.2). Fewer than 1/miscoverage - 1 scores (19 for 0.05): None.
    """
    if not 0 < miscoverage < 1:
        raise SettingsError(f"a miscoverage lies between 0 and 1 (0.05 for 95 % intervals), found {miscoverage:g}")
    known = column(scores, "scores")
    known = np.sort(known[~np.isnan(known)])
    rank = int(np.ceil((known.size + 1) * (1 - miscoverage) - 1e-9))  # 50 x 0.58 is 29, not a little more
    if rank > known.size:
        need = int(np.ceil(1 / miscoverage - 1 - 1e-9))
        why = f"a {100 * (1 - miscoverage):g} % interval needs at least {need} calibration patients, found {known.size}"
        return ConformalQuantile(None, known.size, miscoverage, why)
    return ConformalQuantile(float(known[rank - 1]), known.size, miscoverage)


def mondrian_quantiles(
    scores: np.ndarray | Sequence, group: np.ndarray | Sequence, *, miscoverage: float = 0.05
) -> dict[str, ConformalQuantile]:
    """One quantile a group, so that each group is covered for itself (Vovk 2005, Mondrian conformal predictors).

    scores  (n,) float
    group   (n,) names that are known before the truth is: vendor or band of the estimate, never the true stage
    """
    values = column(scores, "scores")
    names = labels(group, values.size, "groups").astype(str)
    return {str(g): conformal_quantile(values[names == g], miscoverage=miscoverage) for g in np.unique(names)}


def quantiles_of(group: np.ndarray | Sequence, quantiles: Mapping[str, ConformalQuantile]) -> np.ndarray:
    """(N,) quantile of each exam's group; NaN (no interval) for a group without one."""
    found = [quantiles.get(str(g)) for g in group]
    return np.array([np.nan if q is None or q.quantile is None else q.quantile for q in found], dtype=float)


def conformal_interval(
    estimate: np.ndarray | Sequence,
    quantile: float | np.ndarray,
    *,
    kind: str = "absolute",
    spread: np.ndarray | Sequence | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end (N,) each, in the unit of the estimate; NaN where estimate, spread or quantile is.

    estimate  (N,) float;  quantile  one number or (N,) one an exam;  kind, spread  as in `conformal_scores`

    Raises Contradiction for unequal lengths, SettingsError for another kind, a quantile below 0 or values not above 0.
    """
    q = np.asarray(quantile, dtype=float)
    if np.any(q < 0):
        raise SettingsError("a conformal quantile is not below 0")
    e = column(estimate, "estimate")
    if q.ndim and q.shape != e.shape:
        raise Contradiction(f"quantiles must be one, or one an exam, found {q.shape} for {e.shape}")
    _, e, s = _columns(kind, e, e, spread)
    if kind == "log":
        return e * np.exp(-q), e * np.exp(q)
    return e - q * s, e + q * s


def _columns(
    kind: str, truth: np.ndarray, estimate: np.ndarray, spread: np.ndarray | Sequence | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, estimate and what a difference is divided by, checked for the kind."""
    if kind not in KINDS:
        raise SettingsError(f"a conformal score is one of {', '.join(KINDS)}, found {kind}")
    if (kind == "normalised") != (spread is not None):
        raise SettingsError("a spread belongs to normalised scores, and only to them")
    if kind in ("relative", "log") and np.any(estimate <= 0):
        raise SettingsError(f"a {kind} score needs estimates above 0, found {np.nanmin(estimate):g}")
    scale = np.ones_like(estimate) if spread is None else column(spread, "spread")
    if np.any(scale <= 0):
        raise SettingsError(f"a normalised score needs spreads above 0, found {np.nanmin(scale):g}")
    complete_rows(truth, estimate, scale, names="truth, estimate and spread")
    return truth, estimate, estimate if kind == "relative" else scale
