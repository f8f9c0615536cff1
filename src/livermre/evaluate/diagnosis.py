"""A test at a cut-off that was declared before: sensitivity, specificity, predictive values, likelihood ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import binary, column, complete_rows, normal_quantile, owners
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.proportion import Proportion, share_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Diagnosis:
    """The four counts of a test, and all that follows from them."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int
    left_out: int  # rows with a missing result or truth: not in any count above
    cutoff: float | None  # called positive is score >= cutoff; None where calls were given
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion  # at the prevalence of this sample
    npv: Proportion
    accuracy: Proportion
    lr_positive: Interval  # not defined where a count below the line is 0; the reason says which
    lr_negative: Interval


def diagnose_at(
    positive: np.ndarray | Sequence,
    score: np.ndarray | Sequence,
    cutoff: float,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
    method: str = "wilson",
) -> Diagnosis:
    """What a pre-declared cut-off does; a score at or above it is called positive.

    positive  (N,) 0, 1 or NaN, the truth
    score     (N,) float or NaN, the unit of the cut-off; rows with NaN are left out and counted
    cutoff    declared before these data were seen: a cut-off picked on them flatters
    patient   (N,) names where patients have several rows, see `share_of`; None: each row a patient
    method    interval of the shares, "wilson" or "exact" (see `proportion`)

    Raises Contradiction for unequal lengths, SettingsError for odd values or a cut-off that is no number.
    """
    if not np.isfinite(cutoff):
        raise SettingsError(f"a cut-off is a finite number, found {cutoff}")
    scores = column(score, "score")
    called = np.where(np.isnan(scores), np.nan, (scores >= cutoff).astype(float))
    return _diagnose(binary(positive, "positive"), called, float(cutoff), patient, level, method)


def diagnose(
    positive: np.ndarray | Sequence,
    called: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
    method: str = "wilson",
) -> Diagnosis:
    """The same for calls that are already 0 or 1 (NaN where there is none), as of a reader or a gate."""
    return _diagnose(binary(positive, "positive"), binary(called, "called"), None, patient, level, method)


def _diagnose(
    truth: np.ndarray,
    called: np.ndarray,
    cutoff: float | None,
    patient: np.ndarray | Sequence | None,
    level: float,
    method: str,
) -> Diagnosis:
    keep = complete_rows(truth, called, names="truth and results")
    owner = owners(patient, keep)
    truth, called = truth[keep] == 1, called[keep] == 1

    def share(hits: np.ndarray, among: np.ndarray) -> Proportion:
        return share_of(hits[among], patient=owner[among], level=level, method=method)

    sensitivity, missed = share(called, truth), share(~called, truth)
    specificity, alarms = share(~called, ~truth), share(called, ~truth)
    return Diagnosis(
        true_positive=sensitivity.count,
        false_positive=alarms.count,
        false_negative=missed.count,
        true_negative=specificity.count,
        left_out=int((~keep).sum()),
        cutoff=cutoff,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=share(truth, called),
        npv=share(~truth, ~called),
        accuracy=share(truth == called, np.ones_like(truth)),
        lr_positive=_likelihood_ratio(sensitivity, alarms, level, "false positive"),
        lr_negative=_likelihood_ratio(missed, specificity, level, "true negative"),
    )


def _likelihood_ratio(above: Proportion, below: Proportion, level: float, what: str) -> Interval:
    """Ratio of two shares with the log interval of Simel, Samsa and Matchar 1991."""
    n = above.total + below.total
    if above.share is None or below.share is None:
        return not_defined("only one class: a likelihood ratio needs positives and negatives", n=n)
    if not below.count:
        return not_defined(f"no {what}: the ratio has no finite value", n=n)
    if not above.count:
        return not_defined("the count above the line is 0: its logarithm has no interval", n=n, estimate=0.0)
    ratio = above.share / below.share
    if above.low is None or below.low is None:
        return not_defined(above.reason or below.reason or "", n=n, estimate=ratio)
    variance = sum((1 - p.share) / (p.share * p.effective) for p in (above, below) if p.share is not None)
    half = normal_quantile(level) * np.sqrt(variance)
    low, high = float(ratio * np.exp(-half)), float(ratio * np.exp(half))
    return Interval(ratio, low, high, method="log", n=n, level=level)
