"""The two networks on the same patients: differences with intervals, effect sizes, tests corrected for their number."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.comparison import Comparison, compare_paired, holm
from livermre.evaluate.inputs import at_least
from livermre.evaluate.ordinal import ObuchowskiDifference, compare_obuchowski
from livermre.evaluate.roc import AurocDifference, compare_auroc
from livermre.study.arms import Arm
from livermre.study.sample import Sample, numbers
from livermre.study.segmentation import METRICS
from livermre.study.staging import STAGES
from livermre.study.tables import Cell, Table


@dataclass(frozen=True)
class Versus:
    """First network minus second.

    outcomes   name -> comparison; every value is the mean over a network's seeds, exam by exam
    missing    name -> exams without a value in the first network alone, in the second alone, in both
    areas      stage -> difference of the AUROCs of the two representatives
    corrected  name -> p after Holm, over all tests of outcomes and areas together
    """

    first: str
    second: str
    exams: int
    outcomes: Mapping[str, Comparison]
    missing: Mapping[str, tuple[int, int, int]]
    areas: Mapping[str, AurocDifference]
    obuchowski: ObuchowskiDifference
    corrected: Mapping[str, float | None]

    @property
    def compared(self) -> int:
        """Exams with a stage and a number of both."""
        return next((d.positives + d.negatives for d in self.areas.values()), 0)


def versus(
    first: Sequence[Arm], second: Sequence[Arm], one: Arm, two: Arm, subset: str, draws: int, seed: int
) -> Versus:
    """Compare all seeds of two networks on a subset.

    one, two  the arms that stand for the networks, for what cannot be averaged over seeds
    """
    a, b = ([arm.samples[subset] for arm in arms] for arms in (first, second))
    patients = a[0].patients
    columns = {name: (_mean(a, of), _mean(b, of)) for name, of in _columns().items()}
    outcomes = {name: compare_paired(x, y, patients, draws=draws, seed=seed) for name, (x, y) in columns.items()}
    s, t = one.samples[subset], two.samples[subset]
    areas = {f"AUROC ≥ F{k}": compare_auroc(at_least(s.stages, k), s.kpa, t.kpa, patient=patients) for k in STAGES}
    measure = compare_obuchowski(s.stages, s.kpa, t.kpa, patient=patients, draws=draws, seed=seed)
    tests = {n: c.wilcoxon_p for n, c in outcomes.items()} | {n: d.p for n, d in areas.items()}
    tests["Obuchowski"] = measure.p
    corrected = dict(zip(tests, holm(list(tests.values())), strict=True))
    missing = {name: _missing(x, y) for name, (x, y) in columns.items()}
    missing |= dict.fromkeys((*areas, "Obuchowski"), _missing(s.kpa, t.kpa))
    return Versus(first[0].network, second[0].network, len(patients), outcomes, missing, areas, measure, corrected)


def _missing(x: np.ndarray, y: np.ndarray) -> tuple[int, int, int]:
    """Exams without a value in the first alone, in the second alone, in both."""
    a, b = ~np.isfinite(x), ~np.isfinite(y)
    return int((a & ~b).sum()), int((~a & b).sum()), int((a & b).sum())


def _columns() -> Mapping[str, Callable[[Sample], np.ndarray]]:
    """Outcome of every exam, (N,) float, by name: declared here, before any result."""
    metrics = ("Dice", "IoU", "surface Dice", "HD95, mm", "ASSD, mm")
    return {name: _metric(name) for name in metrics} | {
        "|difference| to the reference, %": _error,
        "measured": lambda s: numbers(float(r.kpa is not None) for r in s.readings),
    }


def _metric(name: str) -> Callable[[Sample], np.ndarray]:
    of = METRICS[name]
    return lambda sample: numbers(of(r.whole) if r.whole else None for r in sample.readings)


def _error(sample: Sample) -> np.ndarray:
    primary = next(iter(sample.references.values()), np.full(len(sample), np.nan))
    return 100 * np.abs(sample.kpa - primary) / primary


def _mean(samples: Sequence[Sample], of: Callable[[Sample], np.ndarray]) -> np.ndarray:
    """Mean over seeds, exam by exam; NaN where a seed has no value: a mean over the others would flatter."""
    return np.mean([of(s) for s in samples], axis=0)


def versus_table(found: Versus) -> Table:
    """All outcomes of the comparison."""
    rows: list[tuple[Cell, ...]] = []
    for name, c in found.outcomes.items():
        effect = (c.difference, c.shift, c.cohen_dz, c.rank_biserial)
        rows.append((name, c.rows, *found.missing[name], *effect, _p(c.wilcoxon_p), _p(found.corrected[name])))
    areas = {name: (d.positives + d.negatives, d.difference, d.p) for name, d in found.areas.items()}
    areas["Obuchowski"] = (found.compared, found.obuchowski.difference, found.obuchowski.p)
    for name, (n, difference, p) in areas.items():
        rows.append((name, n, *found.missing[name], difference, None, None, None, _p(p), _p(found.corrected[name])))
    columns = (
        "outcome", "exams", "no value: first", "second", "both", "mean difference", "median shift", "Cohen dz",
        "rank biserial", "p", "p (Holm)",
    )  # fmt: skip
    note = (
        f"{found.first} (first) minus {found.second} (second), paired: exams counts those where both have a value, "
        f"out of {found.exams}; beside it those where the first alone, the second alone or both have none (not "
        "measured, no outline to measure a distance from, in any seed; areas also lack exams without stage). What a "
        "network fails at is therefore not in its other rows but in “measured”, the share of exams with a number. A "
        "network's value of an exam is the mean over its seeds. p: Wilcoxon signed rank on patients, areas DeLong "
        "(Obuchowski 1997 where patients have several exams); Holm over all tests of this table."
    )
    return Table("comparison", f"{found.first} against {found.second}", columns, tuple(rows), note)


def _p(value: float | None) -> str | None:
    return None if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"
