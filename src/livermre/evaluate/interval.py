"""One number with its interval: the form in which every statistic of this room is given."""

from dataclasses import dataclass, replace

from livermre.exam.errors import SettingsError

LEVEL = 0.95
FEWEST = 5  # independent units (patients, pairs) below which an estimate has no interval and no test


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval; what cannot be said is None, and `reason` says why."""

    estimate: float | None
    low: float | None
    high: float | None
    draws: int = 0
    """Resamples drawn; 0 where a formula gave the interval."""
    method: str = ""
    """How the interval was made: "percentile", "bca", "Fisher z", ..."""
    reason: str | None = None
    """One sentence where estimate or interval is None."""
    n: int = 0
    """Independent units (patients, pairs) that the interval stands on."""
    undefined: int = 0
    """Resamples in which the statistic was not defined; they are left out of the interval."""
    level: float = LEVEL
    """Confidence of the interval."""

    def __str__(self) -> str:
        if self.estimate is None:
            return f"not defined ({self.reason})"
        if self.low is None or self.high is None:
            return f"{self.estimate:.4g} (no interval: {self.reason})"
        return f"{self.estimate:.4g} ({100 * self.level:g} % CI {self.low:.4g} to {self.high:.4g})"

    def scaled(self, factor: float) -> "Interval":
        """The same statistic in another unit (kPa to Pa, wSD to RC); a negative factor turns the interval round."""
        estimate, low, high = (None if v is None else factor * v for v in (self.estimate, self.low, self.high))
        if factor < 0:
            low, high = high, low
        return replace(self, estimate=estimate, low=low, high=high)


def not_defined(reason: str, *, method: str = "", n: int = 0, estimate: float | None = None) -> Interval:
    """An interval that could not be made, with the sentence that says why."""
    return Interval(estimate, None, None, method=method, reason=reason, n=n)


def check_level(level: float) -> float:
    """`level` itself; SettingsError unless it lies between 0 and 1 (95 % is 0.95)."""
    if not 0 < level < 1:
        raise SettingsError(f"a confidence level lies between 0 and 1 (0.95 for 95 %), found {level}")
    return level
