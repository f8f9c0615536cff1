"""How large single errors are: mean, percent, root mean square, and the share of exams within 5, 10 and 19 %."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from livermre.evaluate.interval import LEVEL, Interval, not_defined
from livermre.evaluate.pairs import Column, pairs_of
from livermre.evaluate.proportion import Proportion, proportion

WITHIN_PERCENT = (5.0, 10.0, 19.0)  # 19 %: a change that the QIBA profile (2019) calls a true one


@dataclass(frozen=True)
class ErrorSize:
    """Sizes of measured minus reference; None without pairs, in percent also without a reference above zero."""

    mae: float | None
    """Mean absolute error, unit of the values."""
    rmse: float | None
    """Root mean square error, unit of the values."""
    mape: float | None
    """Mean absolute error in percent of the reference."""
    within: Mapping[float, Interval]
    """Share 0..1 of pairs whose error is at most so many percent of the reference; Wilson's interval."""
    pairs: int
    left_out: int
    reason: str | None = None


def error_size(
    measured: Column, reference: Column, *, within_percent: tuple[float, ...] = WITHIN_PERCENT, level: float = LEVEL
) -> ErrorSize:
    """Sizes of the errors of single pairs.

    measured, reference  (N,) float, one unit, independent pairs for Wilson's interval; NaN leaves a pair out
    """
    pairs = pairs_of(measured, reference)
    if pairs.n == 0:
        reason = "there are no pairs"
        nothing = {p: not_defined(reason) for p in within_percent}
        return ErrorSize(None, None, None, MappingProxyType(nothing), 0, pairs.left_out, reason)
    size = np.abs(pairs.difference)
    mae, rmse = float(size.mean()), float(np.sqrt((size**2).mean()))
    if (pairs.reference <= 0).any():
        reason = "percent of the reference needs references above zero"
        nothing = {p: not_defined(reason, n=pairs.n) for p in within_percent}
        return ErrorSize(mae, rmse, None, MappingProxyType(nothing), pairs.n, pairs.left_out, reason)
    percent = 100 * size / pairs.reference
    shares = {p: share(int(within(percent, p).sum()), pairs.n, level) for p in within_percent}
    return ErrorSize(mae, rmse, float(percent.mean()), MappingProxyType(shares), pairs.n, pairs.left_out)


def within(percent: np.ndarray, limit: float) -> np.ndarray:
    """Whether each error is at most the limit, up to rounding (2.1 against 2.0 is 5 %, not 5.000000000000004 %)."""
    return percent <= limit * (1 + 1e-9)


def share(count: int, total: int, level: float = LEVEL) -> Interval:
    """A share with Wilson's interval."""
    made: Proportion = proportion(count, total, level=level)
    return Interval(made.share, made.low, made.high, method="wilson", reason=made.reason, n=total, level=level)
