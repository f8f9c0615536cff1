"""The conformal calibration of the 95 % interval: scores, quantiles by group, and the file that ships."""

import sys
from collections.abc import Mapping, Sequence

import numpy as np
from trust_rows import Columns

from livermre.evaluate.conformal import conformal_quantile, conformal_scores
from livermre.stiffness.calibrated import Calibration, calibration_from, interval_of

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)


def scores(found: Columns, floor: float, slope: float) -> np.ndarray:
    """Scores z = |ln(true / measured)| / scale."""
    return conformal_scores(found.true, found.mean, kind="log") / np.hypot(floor, slope * found.relative_sd)


def quantiles(z: np.ndarray) -> list[float]:
    """Conformal quantile of the scores at each level; SystemExit where there are too few for the last."""
    found = [conformal_quantile(z, miscoverage=1 - level).quantile for level in LEVELS]
    if found[-1] is None:
        sys.exit(f"{z.size} exams of a group are too few to calibrate an interval: make more with --exams and --resume")
    return [float(q) for q in found if q is not None]


def content(
    found: Columns, floor: float, slope: float, edges: Sequence[float], card: Mapping, checked: tuple[int, int] = (1, 1)
) -> dict:
    """What the calibration's file holds."""
    z, group = scores(found, floor, slope), np.digitize(found.mean, edges)
    groups = [
        {
            "below_kpa": edges[i] if i < len(edges) else None,
            "exams": int(np.sum(group == i)),
            "quantiles": [round(q, 4) for q in quantiles(z[group == i])],
        }
        for i in range(len(edges) + 1)
    ]
    return {
        "score": "|ln(true / measured)| / sqrt(floor^2 + (slope * SD of the exam mean / exam mean)^2)",
        "scale": {"floor": floor, "slope": slope},
        "frequency_hz": [55.0, 65.0],
        "levels": list(LEVELS),
        "groups": groups,
        "checked": {"inside": checked[0], "exams": checked[1]},
        "card": dict(card),
    }


def calibration(found: Columns, floor: float, slope: float, edges: Sequence[float]) -> Calibration:
    """The same, ready to use."""
    return calibration_from("candidate", content(found, floor, slope, edges, {}))


def intervals(how: Calibration, found: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the calibrated interval of each exam, kPa."""
    ends = [interval_of(how, m, s) for m, s in zip(found.mean, found.relative_sd, strict=True)]
    low, high = np.array(ends).reshape(-1, 2).T
    return low, high


def cross_fitted(found: Columns, floor: float, slope: float, edges: Sequence[float], folds: int = 10) -> tuple:
    """Intervals of each exam by the calibration on all folds but its own."""
    low, high = np.empty(found.mean.size), np.empty(found.mean.size)
    fold = np.arange(found.mean.size) % folds
    for f in range(folds):
        low[fold == f], high[fold == f] = intervals(
            calibration(found.at(fold != f), floor, slope, edges), found.at(fold == f)
        )
    return low, high
