"""A share of patients and its interval."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.inputs import normal_quantile
from livermre.evaluate.interval import Interval, check_level
from livermre.exam.errors import SettingsError


@dataclass(frozen=True)
class Proportion:
    """A count out of a total; share and interval are None where the total is 0, and the reason says so."""

    count: int
    total: int
    share: float | None
    low: float | None
    high: float | None
    level: float
    method: str  # "wilson" or "exact"
    reason: str | None = None

    @property
    def interval(self) -> Interval:
        """The same in the form of every other statistic."""
        return Interval(
            self.share, self.low, self.high, method=self.method, reason=self.reason, n=self.total, level=self.level
        )


def proportion(count: int, total: int, *, level: float = 0.95, method: str = "wilson") -> Proportion:
    """Share and interval of a count.

    method  "wilson": score interval (Wilson 1927; Newcombe 1998, method 3), coverage near the level on average;
            "exact": Clopper and Pearson 1934, coverage never below the level, wider

    Rows of one patient are not independent: count patients, or bootstrap them (`clustered_bootstrap`).
    Raises SettingsError for a count outside 0..total, a level outside 0..1 or another method.
    """
    if method not in _METHODS:
        raise SettingsError(f"the interval of a share is one of {', '.join(_METHODS)}, found {method}")
    if not 0 <= count <= total:
        raise SettingsError(f"a count lies within 0 and its total, found {count} of {total}")
    check_level(level)
    if total == 0:
        return Proportion(0, 0, None, None, None, level, method, "nobody to count: the total is 0")
    low, high = _METHODS[method](int(count), int(total), level)
    return Proportion(int(count), int(total), count / total, low, high, level, method)


def share_of(hits: np.ndarray, *, level: float = 0.95, method: str = "wilson") -> Proportion:
    """Share of true values of a (N,) bool array."""
    hits = np.asarray(hits, dtype=bool)
    return proportion(int(hits.sum()), int(hits.size), level=level, method=method)


def _wilson(count: int, total: int, level: float) -> tuple[float, float]:
    z2 = normal_quantile(level) ** 2
    middle = count + z2 / 2
    half = np.sqrt(z2 * (count * (total - count) / total + z2 / 4))
    low = 0.0 if count == 0 else (middle - half) / (total + z2)
    high = 1.0 if count == total else (middle + half) / (total + z2)
    return float(low), float(high)


def _exact(count: int, total: int, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else stats.beta.ppf(tail, count, total - count + 1)
    high = 1.0 if count == total else stats.beta.ppf(1 - tail, count + 1, total - count)
    return float(low), float(high)


_METHODS = {"wilson": _wilson, "exact": _exact}
