"""A share of patients, or of the exams of patients, and its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from livermre.evaluate.inputs import normal_quantile, owners
from livermre.evaluate.interval import FEWEST, Interval, check_level
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
    method: str  # "wilson" or "exact"; "..., patients clustered" where patients have several rows
    reason: str | None = None
    clustered: float | None = None
    """Independent rows that the interval stands on where patients have several; None: each row is one patient's."""

    @property
    def effective(self) -> float:
        """Independent rows that the interval stands on."""
        return self.total if self.clustered is None else self.clustered

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

    Rows of one patient are not independent: count patients, or use `share_of`, which asks for them.
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


def share_of(
    hits: np.ndarray, *, patient: np.ndarray | Sequence | None = None, level: float = 0.95, method: str = "wilson"
) -> Proportion:
    """Share of true values.

    hits     (N,) bool
    patient  (N,) names where patients have several rows; None: each row a patient

    Several rows of a patient: the interval of `proportion` at the effective number of rows, share (1 - share) over the
    variance between patients (Rao and Scott 1992, Biometrics 48:577; Korn and Graubard 1998, Surv Methodol 24:193), at
    most the number of rows. Where all rows are alike that variance is 0 and every patient counts once. Fewer than five
    patients with several rows: no interval.
    """
    hits = np.asarray(hits, dtype=bool)
    owner = owners(patient, np.ones(hits.size, dtype=bool))
    patients = int(np.unique(owner).size)
    plain = proportion(int(hits.sum()), int(hits.size), level=level, method=method)
    if patients == hits.size:
        return plain
    words = f"{method}, patients clustered"
    if patients < FEWEST:
        why = f"an interval needs at least {FEWEST} patients, found {patients}"
        return Proportion(plain.count, plain.total, plain.share, None, None, level, words, why, float(patients))
    number = _effective(hits, owner, patients)
    low, high = _METHODS[method](float(hits.mean()) * number, number, level)
    return Proportion(plain.count, plain.total, plain.share, low, high, level, words, None, number)


def _effective(hits: np.ndarray, owner: np.ndarray, patients: int) -> float:
    """How many independent rows have the variance of this share."""
    share = float(hits.mean())
    between = np.bincount(owner, weights=hits - share, minlength=patients)
    variance = patients / (patients - 1) * float(between @ between) / hits.size**2
    if share in (0.0, 1.0):
        return float(patients)
    return min(float(hits.size), share * (1 - share) / variance) if variance > 0 else float(hits.size)


def _wilson(count: float, total: float, level: float) -> tuple[float, float]:
    z2 = normal_quantile(level) ** 2
    middle = count + z2 / 2
    half = np.sqrt(z2 * (count * (total - count) / total + z2 / 4))
    low = 0.0 if count == 0 else (middle - half) / (total + z2)
    high = 1.0 if count == total else (middle + half) / (total + z2)
    return float(low), float(high)


def _exact(count: float, total: float, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else stats.beta.ppf(tail, count, total - count + 1)
    high = 1.0 if count == total else stats.beta.ppf(1 - tail, count + 1, total - count)
    return float(low), float(high)


_METHODS = {"wilson": _wilson, "exact": _exact}
