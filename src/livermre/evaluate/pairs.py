"""Two columns of measurements of the same things, checked and without gaps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.interval import FEWEST
from livermre.exam.errors import Contradiction, SettingsError

_FLAT = 1e-12  # of the size of the values: what varies by less is rounding

Column = Sequence[float] | np.ndarray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Complete pairs; `kept` tells which rows of the input they are."""

    measured: np.ndarray
    reference: np.ndarray
    kept: np.ndarray

    @property
    def n(self) -> int:
        """How many pairs are complete."""
        return int(self.measured.size)

    @property
    def left_out(self) -> int:
        """How many rows lack one value or both."""
        return int((~self.kept).sum())

    @property
    def difference(self) -> np.ndarray:
        """Measured minus reference."""
        return self.measured - self.reference

    @property
    def mean(self) -> np.ndarray:
        """Mean of the two values of each pair."""
        return (self.measured + self.reference) / 2


def pairs_of(measured: Column, reference: Column) -> Pairs:
    """Pairs of finite values; NaN or infinity on one side leaves the pair out.

    measured, reference  (N,) float, one unit, one row a measured thing

    Raises Contradiction for unequal lengths, SettingsError where one is no column.
    """
    x, y = numbers(measured, "measured"), numbers(reference, "reference")
    if x.size != y.size:
        raise Contradiction(f"measured and reference must be of one length, found {x.size} and {y.size}")
    kept = np.isfinite(x) & np.isfinite(y)
    return Pairs(x[kept], y[kept], kept)


def numbers(values: Column, name: str) -> np.ndarray:
    """(N,) float; SettingsError unless it is one column."""
    found = np.asarray(values, dtype=float)
    if found.ndim != 1:
        raise SettingsError(f"{name} must be one column of numbers, found an array of shape {found.shape}")
    return found


def is_flat(values: np.ndarray) -> bool:
    """Whether a column does not vary beyond rounding."""
    return bool(np.ptp(values) <= _FLAT * max(float(np.abs(values).max()), 1e-300)) if values.size else True


def too_few(n: int, what: str = "pairs", fewest: int = FEWEST) -> str | None:
    """The sentence for fewer than five, None where there are enough."""
    return f"an interval needs at least {fewest} {what}, found {n}" if n < fewest else None
