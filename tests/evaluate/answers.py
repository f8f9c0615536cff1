"""Pairs of measurements, and what an interval says, for the tests of agreement."""

import numpy as np

from livermre.evaluate.interval import Interval


def pairs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.normal(3, 0.8, 500)
    return 1.1 * reference + 0.2 + rng.normal(0, 0.3, 500), reference


def ends(interval: Interval) -> tuple[float, float]:
    assert interval.low is not None and interval.high is not None, interval.reason
    return interval.low, interval.high


def refused(interval: Interval, why: str) -> bool:
    return interval.low is None and interval.high is None and why in (interval.reason or "")
