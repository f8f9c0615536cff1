"""Intervals by resampling patients."""

import numpy as np

from livermre.exam.errors import SettingsError


def bootstrap_mean(
    values: np.ndarray, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Mean over patients and its percentile bootstrap interval.

    values  (N,) float, one value a patient (never a slice: slices of one patient are not independent)

    Raises SettingsError for fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    if values.size < 2:
        raise SettingsError(f"an interval needs at least two patients, found {values.size}")
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, values.size, (draws, values.size))].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), (float(low), float(high))
