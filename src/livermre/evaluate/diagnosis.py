"""A test at a cut-off that was declared before: sensitivity, specificity, predictive values, likelihood ratios."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import binary, column, complete_rows, normal_quantile
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.proportion import Proportion, proportion
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
    level: float = 0.95,
    method: str = "wilson",
) -> Diagnosis:
    """What a pre-declared cut-off does; a score at or above it is called positive.

    positive  (N,) 0, 1 or NaN, the truth
    score     (N,) float or NaN, the unit of the cut-off; rows with NaN are left out and counted
    cutoff    declared before these data were seen: a cut-off picked on them flatters
    method    interval of the shares, "wilson" or "exact" (see `proportion`)

    Raises Contradiction for unequal lengths, SettingsError for odd values or a cut-off that is no number.
    """
    if not np.isfinite(cutoff):
        raise SettingsError(f"a cut-off is a finite number, found {cutoff}")
    scores = column(score, "score")
    called = np.where(np.isnan(scores), np.nan, (scores >= cutoff).astype(float))
    return _diagnose(binary(positive, "positive"), called, float(cutoff), level, method)


def diagnose(
    positive: np.ndarray | Sequence, called: np.ndarray | Sequence, *, level: float = 0.95, method: str = "wilson"
) -> Diagnosis:
    """The same for calls that are already 0 or 1 (NaN where there is none), as of a reader or a gate."""
    return _diagnose(binary(positive, "positive"), binary(called, "called"), None, level, method)


def _diagnose(truth: np.ndarray, called: np.ndarray, cutoff: float | None, level: float, method: str) -> Diagnosis:
    keep = complete_rows(truth, called, names="truth and results")
    truth, called = truth[keep] == 1, called[keep] == 1
    tp, fp = int((truth & called).sum()), int((~truth & called).sum())
    fn, tn = int((truth & ~called).sum()), int((~truth & ~called).sum())

    def share(count: int, total: int) -> Proportion:
        return proportion(count, total, level=level, method=method)

    return Diagnosis(
        true_positive=tp,
        false_positive=fp,
        false_negative=fn,
        true_negative=tn,
        left_out=int((~keep).sum()),
        cutoff=cutoff,
        sensitivity=share(tp, tp + fn),
        specificity=share(tn, tn + fp),
        ppv=share(tp, tp + fp),
        npv=share(tn, tn + fn),
        accuracy=share(tp + tn, tp + fp + fn + tn),
        lr_positive=_likelihood_ratio(tp, tp + fn, fp, fp + tn, level, "false positive"),
        lr_negative=_likelihood_ratio(fn, tp + fn, tn, fp + tn, level, "true negative"),
    )


def _likelihood_ratio(a: int, n: int, b: int, m: int, level: float, below: str) -> Interval:
    """(a / n) / (b / m) with the log interval of Simel, Samsa and Matchar 1991."""
    if not n or not m:
        return not_defined("only one class: a likelihood ratio needs positives and negatives", n=n + m)
    if not b:
        return not_defined(f"no {below}: the ratio has no finite value", n=n + m)
    if not a:
        return not_defined("the count above the line is 0: its logarithm has no interval", n=n + m, estimate=0.0)
    ratio = (a / n) / (b / m)
    half = normal_quantile(level) * np.sqrt(1 / a - 1 / n + 1 / b - 1 / m)
    low, high = float(ratio * np.exp(-half)), float(ratio * np.exp(half))
    return Interval(ratio, low, high, method="log", n=n + m, level=level)
