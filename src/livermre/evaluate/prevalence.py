"""Predictive values where the prevalence is another than in the sample: Bayes, with an interval."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from livermre.evaluate.inputs import normal_quantile
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.proportion import Proportion
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class PredictiveValues:
    """PPV and NPV at a stated prevalence; not defined where sensitivity or specificity have nobody to count."""

    prevalence: float
    ppv: Interval
    npv: Interval


def predictive_values(sensitivity: Proportion, specificity: Proportion, prevalence: float) -> PredictiveValues:
    """PPV and NPV at a stated prevalence, from sensitivity and specificity of independent groups.

    prevalence  within 0..1, without the ends; taken as known

    Logit interval of Mercaldo, Lau and Zhou (Stat Med 2007;26:2170); where a count is 0 the interval is their adjusted
    one (both shares moved by z^2/2 successes and failures), and the point estimate stays that of Bayes.
    Raises SettingsError for a prevalence outside 0..1 or shares of different levels.
    """
    if not 0 < prevalence < 1:
        raise SettingsError(f"a prevalence lies between 0 and 1, found {prevalence:g}")
    if sensitivity.level != specificity.level:
        raise SettingsError(f"one level of interval is needed, found {sensitivity.level:g} and {specificity.level:g}")
    level, n = sensitivity.level, sensitivity.total + specificity.total
    if sensitivity.share is None or specificity.share is None:
        nothing = not_defined("only one class: sensitivity or specificity is missing", n=n)
        return PredictiveValues(prevalence, nothing, nothing)
    ppv, npv = _bayes(sensitivity.share, specificity.share, prevalence)
    unsure = next((s.reason for s in (sensitivity, specificity) if s.low is None), None)
    if unsure:
        return PredictiveValues(
            prevalence,
            not_defined(_NO_CALL if ppv is None else unsure, n=n, estimate=ppv),
            not_defined(_NO_CLEARANCE if npv is None else unsure, n=n, estimate=npv),
        )
    z = normal_quantile(level)
    (hits, sick), (passes, well), method = _counts(sensitivity, specificity, z)
    se, sp, odds = hits / sick, passes / well, prevalence / (1 - prevalence)
    ppv_limits = _limits(se / (1 - sp) * odds, (1 - se) / (se * sick) + sp / ((1 - sp) * well), z)
    npv_limits = _limits(sp / (1 - se) / odds, se / ((1 - se) * sick) + (1 - sp) / (sp * well), z)
    return PredictiveValues(
        prevalence,
        _joined(ppv, ppv_limits, _NO_CALL, n, level, method),
        _joined(npv, npv_limits, _NO_CLEARANCE, n, level, method),
    )


_NO_CALL, _NO_CLEARANCE = "nobody is called positive", "nobody is called negative"


def _counts(
    sensitivity: Proportion, specificity: Proportion, z: float
) -> tuple[tuple[float, float], tuple[float, float], str]:
    """Counts that the interval starts from: as they are, or adjusted where one of them is 0."""
    pairs = [((p.share or 0.0) * p.effective, p.effective) for p in (sensitivity, specificity)]
    if all(0 < count < total for count, total in pairs):
        return pairs[0], pairs[1], "logit"
    one, two = [(count + z**2 / 2, total + z**2) for count, total in pairs]
    return one, two, "adjusted logit"


def _bayes(se: float, sp: float, prevalence: float) -> tuple[float | None, float | None]:
    called, cleared = se * prevalence + (1 - sp) * (1 - prevalence), (1 - se) * prevalence + sp * (1 - prevalence)
    ppv = se * prevalence / called if called else None
    return ppv, (sp * (1 - prevalence) / cleared if cleared else None)


def _limits(odds: float, variance: float, z: float) -> tuple[float, float]:
    middle, half = np.log(odds), z * np.sqrt(variance)
    return float(special.expit(middle - half)), float(special.expit(middle + half))


def _joined(value: float | None, limits: tuple[float, float], why: str, n: int, level: float, method: str) -> Interval:
    if value is None:
        return not_defined(why, n=n)
    # the adjusted interval need not reach an estimate of 0 or 1: it is stretched to it
    return Interval(value, min(limits[0], value), max(limits[1], value), method=method, n=n, level=level)
