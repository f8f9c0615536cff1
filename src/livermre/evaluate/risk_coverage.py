"""What is gained by sending the least sure exams back: error among the kept against how many are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import MINIMUM_ROWS, column, complete_rows, owners, read_only
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.intervals import clustered_bootstrap
from livermre.exam.errors import SettingsError


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """Mean error of the k surest exams, for every k."""

    exams: int
    left_out: int
    coverage: np.ndarray  # (N,) 1/N .. 1
    risk: np.ndarray  # (N,) mean error among the kept, in the unit of the errors
    area: Interval  # mean of the risks (AURC)
    best_area: float | None = None  # of an oracle that drops the largest errors first
    random_area: float | None = None  # of dropping at random: the mean error

    def risk_at(self, coverage: float) -> float | None:
        """Mean error when at least this share of the exams is kept; None where there is no curve."""
        if not 0 < coverage <= 1:
            raise SettingsError(f"a coverage lies above 0 and at most at 1, found {coverage:g}")
        if not self.risk.size:
            return None
        return float(self.risk[int(np.ceil(coverage * self.exams - 1e-9)) - 1])


def risk_coverage(
    error: np.ndarray | Sequence,
    unsure: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> RiskCoverage:
    """The curve, its area with a bootstrap interval, and the areas of an oracle and of chance to hold it against.

    error    (N,) float, 0 or more (such as |difference| in percent, or 0/1 for wrong); NaN: no answer, left out
    unsure   (N,) float, higher is less sure; equal values are dropped in random order, so the curve is its mean
    patient  (N,) names where patients have several exams

    El-Yaniv and Wiener 2010; area: Geifman, Uziel and El-Yaniv 2019. Fewer than 5 exams: not computed, and why.
    Raises Contradiction for unequal lengths, SettingsError for an error below 0.
    """
    e, u = column(error, "error"), column(unsure, "unsure")
    keep = complete_rows(e, u, names="errors and uncertainties")
    e, u, left_out = e[keep], u[keep], int((~keep).sum())
    if np.any(e < 0):
        raise SettingsError(f"an error is a size and not below 0, found {e.min():g}")
    if e.size < MINIMUM_ROWS:
        why = f"fewer than {MINIMUM_ROWS} exams with error and uncertainty: found {e.size}"
        nothing = read_only(np.empty(0))
        return RiskCoverage(e.size, left_out, nothing, nothing, not_defined(why, n=e.size))
    who = owners(patient, keep)
    area = clustered_bootstrap(
        lambda rows: float(_risks(e[rows], u[rows]).mean()), who, draws=draws, seed=seed, level=level
    )
    return RiskCoverage(
        exams=e.size,
        left_out=left_out,
        coverage=read_only(np.arange(1, e.size + 1) / e.size),
        risk=read_only(_risks(e, u)),
        area=area,
        best_area=float(_risks(e, e).mean()),
        random_area=float(e.mean()),
    )


def _risks(error: np.ndarray, unsure: np.ndarray) -> np.ndarray:
    """(N,) mean error of the k surest; within ties each counts as the mean of the tie, its expectation."""
    _, place, count = np.unique(unsure, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=error) / count
    return np.cumsum(np.repeat(mean, count)) / np.arange(1, error.size + 1)
