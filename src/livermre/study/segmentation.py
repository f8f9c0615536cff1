"""How well the liver was outlined: per slice, per exam and pooled, each with an interval over patients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.empty import RULE, Cases, case_of, count_cases
from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.intervals import clustered_bootstrap_of_sums
from livermre.evaluate.summary import Summary, summary
from livermre.study.sample import Sample, numbers
from livermre.study.scores import MaskScore
from livermre.study.tables import Cell, Table, shown

METRICS: Mapping[str, Callable[[MaskScore], float | None]] = {
    "Dice": lambda s: s.overlap.dice,
    "IoU": lambda s: s.overlap.iou,
    "precision": lambda s: s.overlap.precision,
    "recall": lambda s: s.overlap.recall,
    "HD95, mm": lambda s: s.hd95_mm,
    "ASSD, mm": lambda s: s.assd_mm,
    "surface Dice": lambda s: s.surface_dice,
    "size difference, %": lambda s: s.overlap.difference_percent,
}
LARGE_IS_BAD = ("HD95, mm", "ASSD, mm", "size difference, %")


@dataclass(frozen=True)
class Segmentation:
    """All metrics of one network at three levels; pooled: all pixels of all exams as one mask."""

    exam: Mapping[str, Summary]
    slice: Mapping[str, Summary]
    pooled: Mapping[str, Interval]
    exam_cases: Cases
    slice_cases: Cases
    region_dice: Summary


def segmentation(sample: Sample, draws: int, seed: int) -> Segmentation:
    """Every metric of a sample; exams that a network could not read count as outlined empty."""
    owners, whole = _rows(sample, lambda r: (r.whole,) if r.whole else ())
    slice_owners, slices = _rows(sample, lambda r: r.slices)
    region_owners, regions = _rows(sample, lambda r: (r.region,) if r.region else ())
    return Segmentation(
        _all(whole, owners, draws, seed),
        _all(slices, slice_owners, draws, seed),
        _pooled(whole, owners, draws, seed),
        count_cases(case_of(s.found, s.true) for s in whole),
        count_cases(case_of(s.found, s.true) for s in slices),
        summary_of([s.overlap.dice for s in regions], region_owners, draws, seed),
    )


def _rows(sample: Sample, parts: Callable) -> tuple[list[str], list[MaskScore]]:
    """Scores of a level and the patient of each."""
    pairs = [(p, s) for p, r in zip(sample.patients, sample.readings, strict=True) for s in parts(r)]
    return [p for p, _ in pairs], [s for _, s in pairs]


def _all(scores: Sequence[MaskScore], owners: Sequence[str], draws: int, seed: int) -> Mapping[str, Summary]:
    return {
        name: summary_of([of(s) for s in scores], owners, draws, seed, name in LARGE_IS_BAD)
        for name, of in METRICS.items()
    }


def summary_of(
    values: Sequence[float | None], owners: Sequence[str], draws: int, seed: int, large_is_bad: bool = False
) -> Summary:
    """Mean, spread and worst of values, one a row; None has no value and is counted."""
    return summary(
        numbers(values), np.array(owners, dtype=object), worse="high" if large_is_bad else "low", draws=draws, seed=seed
    )


def mean_of(values: np.ndarray, owners: Sequence[str], draws: int, seed: int) -> Interval:
    """Mean of values (N,) with its interval, patients resampled with all their rows; NaN has no value."""
    there = np.isfinite(values)
    if not there.any():
        return not_defined("there are no rows")
    rows = np.column_stack([values[there], np.ones(int(there.sum()))])
    who = [p for p, t in zip(owners, there, strict=True) if t]
    return clustered_bootstrap_of_sums(lambda s: s[:, 0] / s[:, 1], rows, who, draws=draws, seed=seed)


def _pooled(scores: Sequence[MaskScore], owners: Sequence[str], draws: int, seed: int) -> Mapping[str, Interval]:
    rows = np.array([[s.both, s.found, s.true] for s in scores], dtype=float).reshape(-1, 3)
    formulas: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
        "Dice": lambda s: _ratio(2 * s[:, 0], s[:, 1] + s[:, 2]),
        "IoU": lambda s: _ratio(s[:, 0], s[:, 1] + s[:, 2] - s[:, 0]),
        "precision": lambda s: _ratio(s[:, 0], s[:, 1]),
        "recall": lambda s: _ratio(s[:, 0], s[:, 2]),
    }
    return {
        name: clustered_bootstrap_of_sums(of, rows, list(owners), draws=draws, seed=seed)
        if len(rows)
        else not_defined("there are no rows")
        for name, of in formulas.items()
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)


def segmentation_table(found: Mapping[str, Segmentation], level: str, title: str) -> Table:
    """Networks against metrics at one level: "exam", "slice" or "pooled"."""
    rows: list[tuple[Cell, ...]] = []
    for name, result in found.items():
        if level == "pooled":
            rows += [(name, metric, value) for metric, value in result.pooled.items()]
            continue
        per: Mapping[str, Summary] = result.exam if level == "exam" else result.slice
        for metric, s in per.items():
            between = None if s.quartiles is None else " to ".join(shown(q) for q in s.quartiles)
            rows.append((name, metric, s.mean, s.sd, s.median, between, s.worst_5_percent, s.scores, s.undefined))
    columns: tuple[str, ...] = (
        "network",
        "metric",
        "mean (95 % CI)",
        "SD",
        "median",
        "quartiles",
        "worst 5 %",
        "rows",
        "no value",
    )
    if level == "pooled":
        columns = ("network", "metric", "pooled (95 % CI)")
    note = {
        "exam": f"One row an exam, all its slices together (3-D). {RULE}",
        "slice": f"One row a slice. {RULE}",
        "pooled": "All pixels of all exams as one mask: large livers weigh more. Not a mean of Dice.",
    }[level]
    return Table(f"segmentation-{level}", title, columns, tuple(rows), f"{note} Patients resampled whole.")
