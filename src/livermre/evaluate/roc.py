"""How well one number tells two groups of patients apart: area under the ROC curve, its interval, a paired test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from livermre.evaluate.inputs import MINIMUM_ROWS, binary, column, complete_rows, normal_quantile, owners, read_only
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.placements import areas
from livermre.exam.errors import SettingsError

NO_VARIANCE = 1e-14  # rounding of the placements, far below any variance of a real sample


@dataclass(frozen=True)
class Auroc:
    """Area under the ROC curve: chance that a positive scores above a negative, ties counted half."""

    positives: int
    negatives: int
    left_out: int  # rows with a missing score or truth
    area: Interval  # method "logit" or "delong"
    se: float | None = None  # DeLong 1988; Obuchowski 1997 where patients have several rows


@dataclass(frozen=True)
class AurocDifference:
    """Two markers of the same patients: area a minus area b, with the paired test."""

    positives: int
    negatives: int
    left_out: int  # rows in which either marker or the truth is missing
    difference: Interval
    area_a: float | None = None
    area_b: float | None = None
    se: float | None = None  # of the difference
    z: float | None = None
    p: float | None = None  # two-sided


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Points of the empirical curve, from nobody called positive to everybody."""

    threshold: np.ndarray  # (P,) falling, first infinity; called positive is score >= threshold
    sensitivity: np.ndarray  # (P,)
    false_positive_rate: np.ndarray  # (P,)


def auroc(
    positive: np.ndarray | Sequence,
    score: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
    method: str = "logit",
) -> Auroc:
    """Area under the ROC curve with the interval of DeLong 1988 (Biometrics 44:837).

    positive  (N,) 0, 1 or NaN, the truth (`inputs.at_least` makes it from stages)
    score     (N,) float, higher means more likely positive; rows with NaN are left out and counted
    patient   (N,) names where patients have several rows: variance of Obuchowski 1997; None: each row a patient
    method    interval "logit" (stays within 0..1, better coverage near 1) or "delong" (area -+ z SE, cut at 0 and 1)

    Fewer than 5 rows or one class: area None. Perfect separation or equal scores show no variance: interval None.
    Raises Contradiction for unequal lengths, SettingsError for a truth that is not 0 or 1, a wrong level or method.
    """
    if method not in ("logit", "delong"):
        raise SettingsError(f"the interval of an area is logit or delong, found {method}")
    z = normal_quantile(level)
    truth, scores, owner, left_out = _rows(positive, [score], patient)
    m, n = int(truth.sum()), int((~truth).sum())
    why = _too_few(m, n)
    if why:
        return Auroc(m, n, left_out, not_defined(why, method=method, n=m + n))
    found, covariance, why = areas(truth, scores, owner)
    area = float(found[0])
    variance = 0.0 if covariance is None else float(covariance[0, 0])
    if variance <= NO_VARIANCE:
        return Auroc(m, n, left_out, not_defined(why or _flat(area), method=method, n=m + n, estimate=area))
    se = float(np.sqrt(variance))
    low, high = limits_of_share(area, se, z, method)
    return Auroc(m, n, left_out, Interval(area, low, high, method=method, n=m + n, level=level), se)


def compare_auroc(
    positive: np.ndarray | Sequence,
    score_a: np.ndarray | Sequence,
    score_b: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
) -> AurocDifference:
    """Paired test of two markers measured on the same patients (DeLong 1988; clustered: Obuchowski 1997).

    Arguments as in `auroc`; a row is used where truth and both scores are there. Two markers that rank all patients
    alike differ by exactly 0 and have no test: p None.
    """
    z = normal_quantile(level)
    truth, scores, owner, left_out = _rows(positive, [score_a, score_b], patient)
    m, n = int(truth.sum()), int((~truth).sum())
    why = _too_few(m, n)
    if why:
        return AurocDifference(m, n, left_out, not_defined(why, method="delong", n=m + n))
    (a, b), covariance, why = areas(truth, scores, owner)
    a, b, difference = float(a), float(b), float(a - b)
    contrast = np.array([1.0, -1.0])
    variance = 0.0 if covariance is None else float(contrast @ covariance @ contrast)
    if variance <= NO_VARIANCE:
        why = why or "the two markers place all patients alike: their difference has no variance to test"
        flat = not_defined(why, method="delong", n=m + n, estimate=difference)
        return AurocDifference(m, n, left_out, flat, a, b)
    se = float(np.sqrt(variance))
    ratio = difference / se
    low, high, p = difference - z * se, difference + z * se, float(2 * special.ndtr(-abs(ratio)))
    found = Interval(difference, low, high, method="delong", n=m + n, level=level)
    return AurocDifference(m, n, left_out, found, a, b, se, ratio, p)


def roc_curve(positive: np.ndarray | Sequence, score: np.ndarray | Sequence) -> RocCurve | None:
    """All points of the empirical ROC curve, one a distinct score; None where a class is missing.

    Arguments as in `auroc`. The trapezoids under these points have the area of `auroc`.
    """
    truth, scores, _, _ = _rows(positive, [score], None)
    if truth.all() or not truth.any():
        return None
    values, place = np.unique(-scores[0], return_inverse=True)
    hits = np.bincount(place, weights=truth, minlength=values.size)
    alarms = np.bincount(place, weights=~truth, minlength=values.size)
    return RocCurve(
        read_only(np.concatenate([[np.inf], -values])),
        read_only(np.concatenate([[0.0], np.cumsum(hits) / truth.sum()])),
        read_only(np.concatenate([[0.0], np.cumsum(alarms) / (~truth).sum()])),
    )


def limits_of_share(share: float, se: float, z: float, method: str) -> tuple[float, float]:
    """Interval of a value strictly inside 0..1, "logit" or plain and cut ("delong")."""
    if method == "delong":
        return max(0.0, share - z * se), min(1.0, share + z * se)
    middle, half = special.logit(share), z * se / (share * (1 - share))
    return float(special.expit(middle - half)), float(special.expit(middle + half))


def _rows(
    positive: np.ndarray | Sequence, scores: list, patient: np.ndarray | Sequence | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Truth (N,) bool, scores (K, N), patient number (N,) of the complete rows, and how many were left out."""
    truth = binary(positive, "positive")
    columns = [column(s, "score") for s in scores]
    keep = complete_rows(truth, *columns, names="truth and scores")
    return truth[keep] == 1, np.array([c[keep] for c in columns]), owners(patient, keep), int((~keep).sum())


def _too_few(positives: int, negatives: int) -> str | None:
    if positives + negatives < MINIMUM_ROWS:
        return f"fewer than {MINIMUM_ROWS} rows with score and truth: found {positives + negatives}"
    if not positives or not negatives:
        return f"only one class: {positives} positive and {negatives} negative"
    return None


def _flat(area: float) -> str:
    if area in (0.0, 1.0):
        return "perfect separation: the sample shows no variance, so no interval can be estimated"
    return "the scores leave no variance (all equal, or equal placements): no interval can be estimated"
