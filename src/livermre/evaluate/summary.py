"""One column of scores in words of a table: mean, spread, median, quartiles, and the worst of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from livermre.evaluate.interval import LEVEL, Interval
from livermre.evaluate.intervals import Labels, Method, clustered_bootstrap
from livermre.exam.errors import Contradiction, SettingsError

_WORST = 0.05


@dataclass(frozen=True)
class Summary:
    """Of the scores that are defined; None where there are none."""

    mean: Interval
    median: Interval
    sd: float | None
    """n - 1; None for fewer than two."""
    quartiles: tuple[float, float] | None
    worst_5_percent: Interval
    """The score that one in twenty is as bad as or worse: 5th percentile where low is bad, 95th where high is."""
    worst: float | None
    scores: int
    undefined: int
    """Scores without a value (empty masks, ...), left out."""
    patients: int


def summary(
    scores: Sequence[float | None] | np.ndarray,
    patients: Labels,
    *,
    worse: Literal["low", "high"],
    draws: int = 2000,
    seed: int = 0,
    method: Method = "percentile",
    level: float = LEVEL,
) -> Summary:
    """Describe scores of slices or exams, with intervals of a bootstrap over patients.

    scores    (N,) float, None or NaN where not defined
    patients  (N,) who each score belongs to
    worse     "low" for Dice and the like, "high" for distances and errors

    Raises Contradiction for unequal lengths, SettingsError for another `worse`.
    """
    if worse not in ("low", "high"):
        raise SettingsError(f'a score is worse when "low" or "high", found {worse!r}')
    values = np.array([np.nan if s is None else s for s in scores], dtype=float)
    labels = np.asarray(patients, dtype=object)
    if labels.shape != values.shape:
        raise Contradiction(f"every score needs its patient: {values.size} scores, {labels.size} patients")
    there = np.isfinite(values)
    values, labels = values[there], labels[there]
    tail = _WORST if worse == "low" else 1 - _WORST

    def three(i: np.ndarray) -> np.ndarray:
        v = values[i]
        return np.array([v.mean(), *np.quantile(v, [0.5, tail])]) if v.size else np.full(3, np.nan)

    made = clustered_bootstrap(three, labels, draws=draws, seed=seed, method=method, level=level)
    mean, median, bad = made if isinstance(made, tuple) else (made, made, made)
    n = values.size
    return Summary(
        mean,
        median,
        float(values.std(ddof=1)) if n > 1 else None,
        (float(np.quantile(values, 0.25)), float(np.quantile(values, 0.75))) if n else None,
        bad,
        (float(values.min()) if worse == "low" else float(values.max())) if n else None,
        n,
        int((~there).sum()),
        np.unique(labels.astype(str)).size,
    )
