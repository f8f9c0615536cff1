"""Are predicted chances right: calibration slope and intercept by logistic recalibration, and in the large."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special, stats

from livermre.evaluate.inputs import MINIMUM_ROWS, normal_quantile, owners
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.reliability import rows_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Calibration:
    """What a logistic model of the truth on the predicted log odds finds: slope 1 and intercept 0 are right."""

    patients: int
    positives: int
    left_out: int
    clipped: int  # chances of (almost) 0 or 1 that were moved to the clip: many of them make the slope a choice
    slope: Interval  # below 1: chances too extreme
    intercept: Interval  # of the same model
    in_the_large: Interval  # intercept with the slope held at 1: above 0, chances too low
    observed_over_expected: Interval  # positives seen over positives predicted
    p_perfect: float | None = None  # likelihood-ratio test of slope 1 and intercept 0 together, 2 degrees of freedom


def calibration(
    positive: np.ndarray | Sequence,
    chance: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    clip: float = 1e-6,
    level: float = 0.95,
) -> Calibration:
    """Calibration slope, intercept and calibration in the large by maximum likelihood, with Wald intervals.

    positive  (N,) 0, 1 or NaN
    chance    (N,) float 0..1 or NaN; rows with NaN are left out and counted
    patient   (N,) names where patients have several rows: variances are then those between patients (Liang and Zeger
              1986, Biometrika 73:13), and p_perfect None; None: each row a patient
    clip      chances are kept within clip..1 - clip, since 0 and 1 have no log odds

    Cox 1958; Van Calster 2016 (J Clin Epidemiol 74:167); test of Miller 1993. Observed over expected has the log
    interval of Debray 2017 (BMJ 356:i6460). Fewer than 5 rows, one class, equal chances, or classes that a cut-off
    parts completely (the likelihood then has no maximum): not defined, and why.
    Raises Contradiction for unequal lengths, SettingsError for odd values.
    """
    if not 0 < clip < 0.5:
        raise SettingsError(f"chances are clipped between 0 and 0.5, found {clip:g}")
    z = normal_quantile(level)
    truth, p, keep = rows_of(positive, chance)
    inner = np.clip(p, clip, 1 - clip)
    odds = special.logit(inner)
    n, positives = truth.size, int(truth.sum())
    shown = (n, positives, int((~keep).sum()), int((inner != p).sum()))
    why = _too_few(n, positives)
    if why:
        none = not_defined(why, n=n)
        return Calibration(*shown, none, none, none, none)
    group = None if patient is None else owners(patient, keep)
    large, ratio = _in_the_large(truth, odds, z, level, group), _observed_over_expected(truth, p, z, level, group)
    why = _no_maximum(truth, odds)
    if why:
        return Calibration(*shown, not_defined(why, n=n), not_defined(why, n=n), large, ratio)
    (intercept, slope), covariance = fit_logistic(truth, odds)
    if group is not None:
        design = np.column_stack([np.ones(n), odds])
        off = truth - special.expit(intercept + slope * odds)
        covariance = covariance @ _between(design * off[:, None], group) @ covariance
    se = np.sqrt(np.diag(covariance))
    gain = 2 * (_loss(np.array([0.0, 1.0]), truth, odds) - _loss(np.array([intercept, slope]), truth, odds))
    return Calibration(
        *shown,
        _wald(slope, se[1], z, n, level),
        _wald(intercept, se[0], z, n, level),
        large,
        ratio,
        None if group is not None else float(stats.chi2.sf(max(gain, 0.0), 2)),
    )


def _between(scores: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """(K, K) sum of squares of the patients' own sums of (N, K) scores, for few patients C times C / (C - 1)."""
    sums = np.array([np.bincount(owner, weights=s) for s in scores.T])
    patients = sums.shape[1]
    return patients / (patients - 1) * (sums @ sums.T)


def fit_logistic(truth: np.ndarray, x: np.ndarray) -> tuple[tuple[float, float], np.ndarray]:
    """Intercept and slope of logit P(truth) = a + b x by maximum likelihood, and their covariance (2, 2).

    truth  (N,) 0 and 1, neither class beyond a cut-off of x;  x  (N,) float, not constant
    """
    middle, scale = x.mean(), x.std()  # a well-scaled x makes Newton's steps safe; undone below
    u = (x - middle) / scale
    found = optimize.minimize(
        _loss, np.zeros(2), (truth, u), method="trust-exact", jac=_gradient, hess=_information, options={"gtol": 1e-9}
    )
    turn = np.array([[1.0, -middle / scale], [0.0, 1 / scale]])
    a, b = turn @ found.x
    covariance = turn @ np.linalg.inv(_information(found.x, truth, u)) @ turn.T
    return (float(a), float(b)), covariance


def _loss(beta: np.ndarray, truth: np.ndarray, x: np.ndarray) -> float:
    eta = beta[0] + beta[1] * x
    return float((np.logaddexp(0, eta) - truth * eta).sum())


def _gradient(beta: np.ndarray, truth: np.ndarray, x: np.ndarray) -> np.ndarray:
    off = special.expit(beta[0] + beta[1] * x) - truth
    return np.array([off.sum(), off @ x])


def _information(beta: np.ndarray, truth: np.ndarray, x: np.ndarray) -> np.ndarray:
    p = special.expit(beta[0] + beta[1] * x)
    w = p * (1 - p)
    return np.array([[w.sum(), w @ x], [w @ x, w @ x**2]])


def _in_the_large(truth: np.ndarray, odds: np.ndarray, z: float, level: float, owner: np.ndarray | None) -> Interval:
    reach = float(np.abs(odds).max()) + 40.0  # there every chance is 0 or 1 to rounding, so the root lies between
    shift = float(optimize.brentq(lambda a: special.expit(a + odds).sum() - truth.sum(), -reach, reach, xtol=1e-12))
    p = special.expit(shift + odds)
    se = 1 / np.sqrt((p * (1 - p)).sum())
    if owner is not None:
        se = se**2 * np.sqrt(_between((truth - p)[:, None], owner)[0, 0])
    return _wald(shift, float(se), z, truth.size, level)


def _wald(value: float, se: float, z: float, n: int, level: float) -> Interval:
    return Interval(value, float(value - z * se), float(value + z * se), method="Wald", n=n, level=level)


def _observed_over_expected(
    truth: np.ndarray, p: np.ndarray, z: float, level: float, owner: np.ndarray | None
) -> Interval:
    expected, observed = float(p.sum()), float(truth.sum())
    if expected <= 0:
        return not_defined("every predicted chance is 0: nothing is expected", n=truth.size)
    ratio, variance = observed / expected, (1 - truth.mean()) / observed
    if owner is not None:
        variance = _between((truth - truth.mean())[:, None], owner)[0, 0] / observed**2
    half = z * np.sqrt(variance)
    low, high = float(ratio * np.exp(-half)), float(ratio * np.exp(half))
    return Interval(ratio, low, high, method="log", n=truth.size, level=level)


def _too_few(rows: int, positives: int) -> str | None:
    if rows < MINIMUM_ROWS:
        return f"fewer than {MINIMUM_ROWS} rows with chance and truth: found {rows}"
    if positives in (0, rows):
        return f"only one class: {positives} positive and {rows - positives} negative"
    return None


def _no_maximum(truth: np.ndarray, x: np.ndarray) -> str | None:
    """Why the likelihood has no maximum (Albert and Anderson 1984), or None."""
    if np.ptp(x) < 1e-9:
        return "all predicted chances are equal: a slope cannot be told"
    up, down = x[truth == 1], x[truth == 0]
    if up.min() >= down.max() or up.max() <= down.min():
        return "the chances part the classes completely: the likelihood has no maximum, so there is no slope"
    return None
