"""Agreement of two ways to measure the same thing, pair by pair."""

from dataclasses import dataclass

import numpy as np

from livermre.exam.errors import Contradiction

_LIMIT_SD = 1.96


@dataclass(frozen=True)
class Agreement:
    """How measured pairs agree; every difference is measured minus reference, in the unit of the values."""

    pairs: int
    bias: float  # mean difference
    sd: float  # of the differences, n - 1
    bias_percent: float  # of the mean reference
    pearson: float | None  # None where one side does not vary
    concordance: float | None  # Lin 1989: falls with bias and scale, which Pearson's r forgives

    @property
    def limits(self) -> tuple[float, float]:
        """95 % limits of agreement, bias -+ 1.96 SD (Bland and Altman 1986)."""
        return self.bias - _LIMIT_SD * self.sd, self.bias + _LIMIT_SD * self.sd


def agreement(measured: np.ndarray, reference: np.ndarray) -> Agreement | None:
    """Bland-Altman and correlation of paired values; None for fewer than three pairs of finite values.

    measured, reference  arrays of one shape, one unit; pairs with NaN or infinity are left out

    Pixels of one image are not independent: for them the limits describe the image, and no interval belongs to them.
    Raises Contradiction for different shapes.
    """
    x, y = np.asarray(measured, dtype=float), np.asarray(reference, dtype=float)
    if x.shape != y.shape:
        raise Contradiction(f"measurements to compare must have one shape, found {x.shape} and {y.shape}")
    both = np.isfinite(x) & np.isfinite(y)
    x, y = x[both], y[both]
    if x.size < 3:
        return None
    difference = x - y
    bias, mean = float(difference.mean()), float(y.mean())
    pearson, concordance = _correlations(x, y)
    percent = 100 * bias / mean if mean else float("nan")
    return Agreement(x.size, bias, float(difference.std(ddof=1)), percent, pearson, concordance)


def _correlations(x: np.ndarray, y: np.ndarray) -> tuple[float | None, float | None]:
    together = float(((x - x.mean()) * (y - y.mean())).mean())
    spread = float(x.std() * y.std())
    apart = float(x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    return (together / spread if spread > 0 else None), (2 * together / apart if apart > 0 else None)
