"""Results by subgroup: vendor, field, stage, body mass index, iron."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.bland_altman import bland_altman
from livermre.evaluate.failures import count_failures
from livermre.evaluate.icc import icc
from livermre.evaluate.interval import Interval
from livermre.evaluate.proportion import Proportion
from livermre.evaluate.subgroups import BMI_EDGES, R2STAR_EDGES_PER_S, band_labels, band_names, subgroups
from livermre.study.sample import Sample, numbers
from livermre.study.segmentation import mean_of
from livermre.study.tables import Cell, Table, shown


@dataclass(frozen=True)
class Stratum:
    """One subgroup of one network; `reason` where it is too small to say anything."""

    by: str
    name: str
    patients: int
    exams: int
    dice: Interval | None = None
    bias_percent: Interval | None = None
    limits_percent: tuple[float, float] | None = None
    agreement: Interval | None = None
    failed: Proportion | None = None
    reason: str = ""


def strata(sample: Sample, draws: int, seed: int) -> list[Stratum]:
    """All subgroups of a sample; a column that nobody filled is left out."""
    found: list[Stratum] = []
    for by, (values, order) in _columns(sample).items():
        if all(v in (None, "unknown") for v in values):
            continue
        made = subgroups(lambda rows: _one(sample.at(rows), draws, seed), values, patient=sample.patients, order=order)
        for group in made:
            if group.value is None:
                found.append(Stratum(by, group.name, group.n, 0, reason=group.reason or ""))
            else:
                found.append(Stratum(by, group.name, group.n, *group.value))
    return found


def _columns(sample: Sample) -> Mapping[str, tuple[list, tuple[str, ...] | None]]:
    bmi, iron = (numbers(sample.row(n)) for n in ("bmi", "r2star_per_s"))
    return {
        "vendor": (sample.row("vendor"), None),
        "field, T": (sample.row("field_t"), None),
        "stage": (sample.row("stage"), None),
        "BMI, kg/m2": (band_labels(bmi, BMI_EDGES), band_names(BMI_EDGES)),
        "R2*, 1/s": (band_labels(iron, R2STAR_EDGES_PER_S), band_names(R2STAR_EDGES_PER_S)),
    }


_Values = tuple[int, Interval, Interval | None, tuple[float, float] | None, Interval | None, Proportion]


def _one(part: Sample, draws: int, seed: int) -> _Values:
    pairs = [(p, r.whole.overlap.dice) for p, r in zip(part.patients, part.readings, strict=True) if r.whole]
    known = [(p, d) for p, d in pairs if d is not None]
    dice = mean_of(np.array([d for _, d in known]), [p for p, _ in known], draws, seed)
    failed = count_failures(part.outcomes).failed
    primary = next(iter(part.references.values()), None)
    if primary is None:
        return len(part), dice, None, None, None, failed
    both = np.isfinite(primary) & np.isfinite(part.kpa)
    found = bland_altman(part.kpa[both], primary[both], scale="percent of mean")
    low, high = found.lower.estimate, found.upper.estimate
    limits = None if low is None or high is None else (low, high)
    agreement = icc(np.column_stack([part.kpa[both], primary[both]])).agreement
    return len(part), dice, found.bias, limits, agreement, failed


def strata_table(found: Mapping[str, list[Stratum]], title: str) -> Table:
    """Every network and subgroup."""
    rows: list[tuple[Cell, ...]] = []
    for network, groups in found.items():
        for s in groups:
            limits = None if s.limits_percent is None else " to ".join(shown(v, 1) for v in s.limits_percent)
            rows.append(
                (network, s.by, s.name, s.patients, s.dice, s.bias_percent, limits, s.agreement, s.failed, s.reason)
            )
    columns = (
        "network", "by", "subgroup", "patients", "Dice an exam", "bias, %", "limits, %", "ICC(A,1)", "failed", "remark",
    )  # fmt: skip
    note = (
        "Not adjusted for multiple looks: differences between subgroups are hints. Fewer than 5 patients: not computed."
    )
    return Table("subgroups", title, columns, tuple(rows), note, {"bias, %": 2})
