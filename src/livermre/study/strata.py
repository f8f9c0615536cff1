"""Results by subgroup: vendor, field, stage, body mass index, iron."""

from collections.abc import Mapping
from dataclasses import dataclass

from livermre.evaluate.agreement_intervals import agreement_intervals
from livermre.evaluate.failures import count_failures
from livermre.evaluate.interval import Interval
from livermre.evaluate.proportion import Proportion
from livermre.evaluate.subgroups import BMI_EDGES, R2STAR_EDGES_PER_S, band_labels, band_names, subgroups
from livermre.study.sample import Sample, numbers
from livermre.study.segmentation import mean_of
from livermre.study.tables import Cell, Table


@dataclass(frozen=True)
class Stratum:
    """One subgroup of one network, intervals by resampling its patients; `reason` where it is too small for any."""

    by: str
    name: str
    patients: int
    exams: int
    dice: Interval | None = None
    bias_percent: Interval | None = None
    limits_percent: tuple[Interval, Interval] | None = None
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


_Values = tuple[int, Interval, Interval | None, tuple[Interval, Interval] | None, Interval | None, Proportion]


def _one(part: Sample, draws: int, seed: int) -> _Values:
    dice = mean_of(part.overlaps("dice"), part.patients, draws, seed)
    failed = count_failures(part.outcomes, patient=part.patients).failed
    primary = next(iter(part.references.values()), None)
    if primary is None:
        return len(part), dice, None, None, None, failed
    found = agreement_intervals(part.kpa, primary, part.patients, ranks=False, draws=draws, seed=seed)
    limits = found["lower_limit_percent"], found["upper_limit_percent"]
    return len(part), dice, found["bias_percent"], limits, found["icc_agreement"], failed


def strata_table(found: Mapping[str, list[Stratum]], title: str) -> Table:
    """Every network and subgroup."""
    rows: list[tuple[Cell, ...]] = []
    for network, groups in found.items():
        for s in groups:
            if s.reason:
                continue
            limits = s.limits_percent or (None, None)
            head = (network, s.by, s.name, s.patients, s.exams)
            rows.append((*head, s.dice, s.bias_percent, *limits, s.agreement, s.failed))
    columns = (
        "network", "by", "subgroup", "patients", "exams", "Dice an exam", "bias, %", "lower limit, %",
        "upper limit, %", "ICC(A,1)", "failed",
    )  # fmt: skip
    few = dict.fromkeys(f"{s.by} {s.name} ({s.patients})" for groups in found.values() for s in groups if s.reason)
    note = (
        "Not adjusted for multiple looks: differences between subgroups are hints. Intervals: bootstrap over the "
        "patients of the subgroup; failed: Wilson at their effective number."
    )
    if few:
        note += f" Fewer than 5 patients, so not computed: {', '.join(few)}."
    digits = {"bias, %": 2, "lower limit, %": 1, "upper limit, %": 1}
    return Table("subgroups", title, columns, tuple(rows), note, digits)
