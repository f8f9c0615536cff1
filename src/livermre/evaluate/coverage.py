"""Do intervals hold the truth as often as they say."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.inputs import column, complete_rows, owners
from livermre.evaluate.proportion import Proportion, share_of
from livermre.exam.errors import Contradiction


@dataclass(frozen=True)
class Coverage:
    """Share of truths inside their intervals, and how wide those are."""

    inside: Proportion  # ends belong to the interval
    below: int  # truths under the lower end
    above: int
    left_out: int  # rows without truth or interval: not covered, not missed
    mean_width: float | None  # in the unit of the values
    median_width: float | None
    mean_width_percent: float | None  # of the interval's middle; None where a middle is not above 0


def coverage(
    truth: np.ndarray | Sequence,
    low: np.ndarray | Sequence,
    high: np.ndarray | Sequence,
    *,
    patient: np.ndarray | Sequence | None = None,
    level: float = 0.95,
) -> Coverage:
    """Coverage with its Wilson interval; by stratum with `subgroups`.

    truth, low, high  (N,) float, one unit, one row an exam; NaN where missing (left out and counted)
    patient           (N,) names where patients have several exams (`share_of`); None: each row a patient
    level             of the Wilson interval about the share, not of the intervals looked at

    Raises Contradiction for unequal lengths or a lower end above its upper end.
    """
    t, a, b = column(truth, "truth"), column(low, "lower end"), column(high, "upper end")
    keep = complete_rows(t, a, b, names="truth and ends")
    t, a, b = t[keep], a[keep], b[keep]
    if np.any(a > b):
        row = int(np.argmax(a > b))
        raise Contradiction(f"a lower end lies above its upper end: found {a[row]:g} and {b[row]:g}")
    below, above, width, middle = t < a, t > b, b - a, (a + b) / 2
    return Coverage(
        inside=share_of(~(below | above), patient=owners(patient, keep), level=level),
        below=int(below.sum()),
        above=int(above.sum()),
        left_out=int((~keep).sum()),
        mean_width=float(width.mean()) if t.size else None,
        median_width=float(np.median(width)) if t.size else None,
        mean_width_percent=float(100 * (width / middle).mean()) if t.size and np.all(middle > 0) else None,
    )
