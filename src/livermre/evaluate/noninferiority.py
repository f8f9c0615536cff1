"""Whether a machine differs from readers by no more than readers differ from each other, plus a margin fixed before."""

from dataclasses import dataclass

import numpy as np

from livermre.evaluate.interval import LEVEL, Interval
from livermre.evaluate.intervals import Labels, Method, clustered_bootstraps_of_sums
from livermre.evaluate.pairs import numbers
from livermre.exam.errors import Contradiction, SettingsError


@dataclass(frozen=True)
class Noninferiority:
    """Mean distance machine-reader minus mean distance reader-reader, on the same exams."""

    machine: Interval
    """Mean absolute difference of the machine from each reader, averaged over readers."""
    readers: Interval
    """Mean absolute difference of two readers, averaged over pairs of readers."""
    excess: Interval
    """machine - readers; negative where the machine is nearer to readers than they are to each other."""
    margin: float
    noninferior: bool | None
    """Whether the upper end of `excess` lies below the margin; None where it has no interval."""
    exams: int
    left_out: int
    reason: str | None = None


def noninferiority(
    machine: np.ndarray,
    readers: np.ndarray,
    patients: Labels,
    *,
    margin: float,
    draws: int = 2000,
    seed: int = 0,
    method: Method = "bca",
    level: float = LEVEL,
) -> Noninferiority:
    """One-sided test at (1 - level) / 2 by the upper end of a two-sided interval, patients resampled.

    machine   (N,) float, one row an exam
    readers   (N, R) float, at least two readers, same unit; a row with any gap is left out
    patients  (N,) who each row belongs to
    margin    fixed before the data were seen, at least 0, unit of the values (logarithms of kPa make it relative)

    Raises SettingsError for a margin below 0 or a single reader, Contradiction for unequal lengths.
    """
    if not 0 <= margin < np.inf:
        raise SettingsError(f"the margin must be fixed before, a number from 0 on, found {margin}")
    value, table = numbers(machine, "machine"), np.asarray(readers, dtype=float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise SettingsError(f"readers must be (exams, readers) with two readers or more, found {table.shape}")
    labels = np.asarray(patients, dtype=object)
    if not value.shape[0] == table.shape[0] == labels.shape[0]:
        lengths = f"{value.shape[0]}, {table.shape[0]} and {labels.shape[0]}"
        raise Contradiction(f"machine, readers and patients must be of one length, found {lengths}")
    kept = np.isfinite(value) & np.isfinite(table).all(axis=1)
    value, table = value[kept], table[kept]
    i, j = np.triu_indices(table.shape[1], 1)
    far = np.abs(value[:, None] - table).mean(axis=1)
    apart = np.abs(table[:, i] - table[:, j]).mean(axis=1)
    one, two, excess = clustered_bootstraps_of_sums(
        lambda s: np.stack([s[:, 0], s[:, 1], s[:, 0] - s[:, 1]], 1) / s[:, 2:],
        np.stack([far, apart, np.ones_like(far)], axis=1),
        labels[kept],
        draws=draws,
        seed=seed,
        method=method,
        level=level,
    )
    verdict = None if excess.high is None else excess.high < margin
    return Noninferiority(one, two, excess, margin, verdict, int(kept.sum()), int((~kept).sum()), excess.reason)
