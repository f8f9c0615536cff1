"""Is acting on a predicted chance better than treating all or none: decision curves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import MINIMUM_ROWS, owners
from livermre.evaluate.interval import Interval
from livermre.evaluate.intervals import clustered_bootstrap
from livermre.evaluate.reliability import rows_of
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class NetBenefit:
    """Net true positives a patient at one threshold; treating none has 0."""

    threshold: float  # chance at which somebody would just be treated
    model: Interval
    treat_all: Interval
    model_minus_all: Interval


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit over thresholds; no points where it is not computed, and the reason says why."""

    patients: int  # rows with chance and truth
    positives: int
    left_out: int
    points: tuple[NetBenefit, ...] = ()
    reason: str | None = None


def decision_curve(
    positive: np.ndarray | Sequence,
    chance: np.ndarray | Sequence,
    thresholds: Sequence[float],
    *,
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> DecisionCurve:
    """Net benefit TP/n - FP/n x t/(1 - t) of treating where chance >= t, with bootstrap intervals over patients.

    positive    (N,) 0, 1 or NaN
    chance      (N,) float 0..1 or NaN, meant as a probability; rows with NaN are left out and counted
    thresholds  between 0 and 1, chosen by what the treatment costs, not by the data
    patient     (N,) names where patients have several rows

    Vickers and Elkin 2006 (Med Decis Making 26:565). All thresholds are drawn from the same resamples, so the
    difference to treating all is paired. Fewer than 5 rows or one class: no points, and why.
    Raises Contradiction for unequal lengths, SettingsError for odd values.
    """
    cut = np.asarray(thresholds, dtype=float)
    if cut.ndim != 1 or not cut.size or not np.all((cut > 0) & (cut < 1)):
        raise SettingsError(f"thresholds of a decision lie between 0 and 1, found {list(thresholds)}")
    truth, p, keep = rows_of(positive, chance)
    n, positives = truth.size, int(truth.sum())
    shown = (n, positives, int((~keep).sum()))
    if n < MINIMUM_ROWS:
        return DecisionCurve(*shown, reason=f"fewer than {MINIMUM_ROWS} rows with chance and truth: found {n}")
    if positives in (0, n):
        return DecisionCurve(*shown, reason=f"only one class: {positives} positive and {n - positives} negative")
    who = owners(patient, keep)
    each = _each(truth, p, cut)
    found = clustered_bootstrap(lambda rows: each[rows].mean(axis=0), who, draws=draws, seed=seed, level=level)
    k = cut.size
    model, everybody, gain = found[:k], found[k : 2 * k], found[2 * k :]
    return DecisionCurve(*shown, tuple(map(NetBenefit, cut.tolist(), model, everybody, gain)))


def _each(truth: np.ndarray, p: np.ndarray, cut: np.ndarray) -> np.ndarray:
    """(N, 3 T) what each patient adds to the net benefit of the model, of treating all, and to their difference."""
    worth = truth[:, None] - (1 - truth[:, None]) * cut / (1 - cut)
    model = worth * (p[:, None] >= cut)
    return np.hstack([model, worth, model - worth])
