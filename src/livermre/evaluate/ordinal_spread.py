"""How sure an Obuchowski measure is where patients have several rows: its variance, and its draws of patients."""

import numpy as np

from livermre.evaluate.interval import Interval
from livermre.evaluate.intervals import clustered_bootstrap_of_sums


def drawn_measure(
    stages: np.ndarray,
    scores: list[np.ndarray],
    names: np.ndarray,
    share: np.ndarray,
    loss: np.ndarray,
    owner: np.ndarray,
    draws: int,
    seed: int,
    level: float,
) -> Interval:
    """The measure of one marker, or of the first minus the second, with patients drawn whole.

    stages       (N,) float;  scores  one or two of (N,) float;  owner  (N,) int, number of each row's patient
    names        (S,) float, the stages in rising order;  share, loss  (S, S) float, w_st and L_st above the diagonal

    A resample is how often each row came: its areas are quadratic forms of those counts, all resamples at once. One
    without a stage is measured on the others, their weights scaled to 1.
    """
    groups = [stages == n for n in names]
    wins = [(1 + np.sign(np.subtract.outer(s, s))) / 2 for s in scores]
    gain = wins[0] if len(wins) == 1 else wins[0] - wins[1]

    def measures(counts: np.ndarray) -> np.ndarray:
        won, weight = np.zeros(len(counts)), np.zeros(len(counts))
        for low in range(names.size):
            for high in range(low + 1, names.size):
                above, below = counts[:, groups[high]], counts[:, groups[low]]
                pairs = above.sum(axis=1) * below.sum(axis=1)
                area = ((above @ gain[np.ix_(groups[high], groups[low])]) * below).sum(axis=1) / pairs
                one = 1.0 if len(wins) == 1 else 0.0  # what perfect areas would give
                here = share[low, high] * (one - loss[low, high] * (one - area))
                won += np.where(pairs > 0, here, 0.0)
                weight += np.where(pairs > 0, share[low, high], 0.0)
        return np.where(weight > 0, won / weight, np.nan)

    return clustered_bootstrap_of_sums(measures, np.eye(stages.size), owner, draws=draws, seed=seed, level=level)


def variance_of(parts: list[np.ndarray], stages: np.ndarray, names: np.ndarray, owner: np.ndarray) -> float | None:
    """Variance of the measure: each patient's parts are summed, over stages too (Obuchowski 1997 for areas)."""
    patients = [np.unique(owner[stages == n]).size for n in names]
    if min(patients) < 2:
        return None
    pull = np.zeros((names.size, int(owner.max()) + 1))
    for k, part in enumerate(parts):
        rows = owner[stages == names[k]]
        pull[k] = np.bincount(rows, weights=part - part.mean(), minlength=pull.shape[1]) / part.size
    within = sum(k / (k - 1) * float(p @ p) for k, p in zip(patients, pull))
    everybody = pull.shape[1]
    total = pull.sum(axis=0)
    cross = everybody / (everybody - 1) * (float(total @ total) - float((pull**2).sum()))
    return within + cross
