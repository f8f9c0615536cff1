"""Placements: where each patient of one class stands among those of the other; the base of DeLong's variance."""

import numpy as np


def placements(positives: np.ndarray, negatives: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of negatives below each positive, and of positives above each negative, ties half.

    positives (m,), negatives (n,) float; gives (m,) and (n,), the V10 and V01 of DeLong 1988

    By sorting, N log N instead of m x n pairs (Sun and Xu 2014).
    """
    return _share_below(positives, negatives), 1 - _share_below(negatives, positives)


def _share_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    ranked = np.sort(others)
    return (np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")) / (2 * ranked.size)


def areas(
    truth: np.ndarray, scores: np.ndarray, patient: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, str | None]:
    """Areas (K,) of K markers and their covariance (K, K); None and a reason where a class has one patient.

    truth    (N,) bool, both classes present
    scores   (K, N) float, finite
    patient  (N,) int, 0 and up; a patient may have rows of both classes

    Obuchowski 1997 (Biometrics 53:567); with one row a patient its cross term is 0 and the rest is DeLong 1988.
    """
    pairs = [placements(s[truth], s[~truth]) for s in scores]
    v10, v01 = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    area = v10.mean(axis=1)
    k10, k01 = np.unique(patient[truth]).size, np.unique(patient[~truth]).size
    if min(k10, k01) < 2:
        return area, None, "a class with a single patient has no variance to estimate"
    patients = int(patient.max()) + 1
    a = _sums(v10 - area[:, None], patient[truth], patients)
    b = _sums(v01 - area[:, None], patient[~truth], patients)
    m, n = v10.shape[1], v01.shape[1]
    cross = patients / (patients - 1) * (a @ b.T)
    within = k10 / (k10 - 1) * (a @ a.T) / m**2 + k01 / (k01 - 1) * (b @ b.T) / n**2
    return area, within + (cross + cross.T) / (m * n), None


def _sums(values: np.ndarray, patient: np.ndarray, patients: int) -> np.ndarray:
    return np.array([np.bincount(patient, weights=v, minlength=patients) for v in values])
