"""All statistics of one sample in one place, and their tables: what `study` and `evaluate` share."""

from collections.abc import Mapping
from dataclasses import dataclass

from livermre.evaluate.noninferiority import Noninferiority
from livermre.evaluate.repeatability import Repeatability
from livermre.evaluate.resampling import clusters_of
from livermre.evaluate.summary import Summary
from livermre.stiffness import load_table
from livermre.study.measurement import (
    Measurement,
    agreement_table,
    beside_readers,
    between_readers,
    error_table,
    measurement,
    noninferiority_table,
)
from livermre.study.repeats import repeats, repeats_table
from livermre.study.sample import Sample
from livermre.study.segmentation import Segmentation, segmentation, segmentation_table, summary_of
from livermre.study.staging import Staging, calibration_table, ordinal_table, staging, staging_table
from livermre.study.strata import Stratum, strata, strata_table
from livermre.study.tables import Cell, Table, shown
from livermre.study.trust import Trust, coverage_table, failures_table, gate_table, trust


@dataclass(frozen=True)
class Analysis:
    """One network, or one program, on one sample; parts that the data do not allow are None or empty."""

    exams: int
    patients: int
    segmentation: Segmentation | None
    purity: Mapping[str, Summary]
    measurement: Mapping[str, Measurement]
    readers: Measurement | None
    beside_readers: Noninferiority | None
    staging: Staging | None
    trust: Trust | None
    strata: tuple[Stratum, ...]
    repeats: Mapping[str, Repeatability]


def analyse(sample: Sample, learnt_on: Sample | None, table: str, draws: int, seed: int) -> Analysis:
    """Everything about a sample.

    learnt_on  other patients, on whom the chances of a stage are fitted; None: no chances, and why
    table      name of the cut-off table
    """
    outlined = any(r.whole is not None for r in sample.readings)
    measured = any(r.kpa is not None for r in sample.readings) or bool(sample.references)
    staged = measured and any(s == s for s in sample.stages.tolist())
    cutoffs = load_table(table)
    others = learnt_on if learnt_on is not None else sample.at([])
    return Analysis(
        exams=len(sample),
        patients=clusters_of(sample.patients).number if len(sample) else 0,
        segmentation=segmentation(sample, draws, seed) if outlined else None,
        purity=_purity(sample, draws, seed),
        measurement=measurement(sample, cutoffs, draws, seed) if measured else {},
        readers=between_readers(sample, cutoffs, draws, seed),
        beside_readers=beside_readers(sample, draws, seed) if measured else None,
        staging=staging(sample, others, cutoffs, draws, seed) if staged else None,
        trust=trust(sample, draws, seed) if measured else None,
        strata=tuple(strata(sample, draws, seed)) if outlined or measured else (),
        repeats=repeats(sample),
    )


def _purity(sample: Sample, draws: int, seed: int) -> dict[str, Summary]:
    """Share of the measured region on each place to avoid, exam by exam."""
    names = list(dict.fromkeys(name for r in sample.readings for name in r.purity))
    return {
        name: summary_of([r.purity.get(name) for r in sample.readings], sample.patients, draws, seed, True)
        for name in names
    }


def analysis_tables(found: Mapping[str, Analysis], where: str) -> list[Table]:
    """Every table that the analyses allow; `where` ends the titles ("test set")."""
    tables: list[Table] = []
    outlined = {n: a.segmentation for n, a in found.items() if a.segmentation is not None}
    if outlined:
        for level, words in (("exam", "each exam"), ("slice", "each slice"), ("pooled", "pooled")):
            tables.append(segmentation_table(outlined, level, f"Liver outline, {words}, {where}"))
    if any(a.purity for a in found.values()):
        tables.append(_purity_table(found, f"Where the measured region lies, {where}"))
    measured = {n: a.measurement for n, a in found.items() if a.measurement}
    if measured:
        tables.append(agreement_table(measured, f"Automatic against reference stiffness, {where}"))
        tables.append(error_table(measured, f"Correlation and size of errors, {where}"))
    readers = next((a.readers for a in found.values() if a.readers is not None), None)
    if readers is not None:
        tables.append(agreement_table({"readers": {readers.reference: readers}}, f"The readers, {where}", "readers"))
    beside = {n: a.beside_readers for n, a in found.items() if a.beside_readers is not None}
    if beside:
        tables.append(noninferiority_table(beside, f"Networks beside the readers, {where}"))
    staged = {n: a.staging for n, a in found.items() if a.staging is not None}
    if staged:
        tables.append(staging_table(staged, f"Staging by the cut-off table, {where}"))
        tables.append(ordinal_table(staged, f"Staging over all stages, {where}"))
        if any(s.chances is not None for a in staged.values() for s in a.stages):
            tables.append(calibration_table(staged, f"Calibration of stage chances, {where}"))
    trusted = {n: a.trust for n, a in found.items() if a.trust is not None}
    if trusted:
        tables.append(failures_table(trusted, f"How every exam ended, {where}"))
        tables.append(gate_table(trusted, f"Quality gate, {where}"))
        tables.append(coverage_table(trusted, f"Coverage of the 95 % interval, {where}"))
    if any(a.strata for a in found.values()):
        tables.append(strata_table({n: list(a.strata) for n, a in found.items()}, f"Subgroups, {where}"))
    if any(a.repeats for a in found.values()):
        tables.append(repeats_table({n: a.repeats for n, a in found.items()}, f"Repeatability, {where}"))
    return tables


def main_table(found: Mapping[str, Analysis], title: str) -> Table:
    """What is read first: outline and stiffness of every network, one line a number, with how many exams it is of."""
    rows = [(name, *row) for name, a in found.items() for row in _main_rows(a)]
    return Table("main", title, ("of", "number", "value (95 % CI)", "exams"), tuple(rows), "", 3)


def _main_rows(a: Analysis) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    if a.segmentation is not None:
        for name in ("Dice", "IoU"):
            s = a.segmentation.exam[name]
            rows.append((f"{name}, mean an exam", s.mean, s.scores))
            rows.append((f"{name}, pooled", a.segmentation.pooled[name], a.exams))
    first = next(iter(a.measurement.values()), None)
    if first is not None:
        for words, name, digits in _MAIN:
            value = f"{shown(first.by_patient[name], digits)}"
            rows.append((f"{words}, against the {first.reference}", value, first.exams))
    if a.trust is not None:
        rows.append(("measured", a.trust.failures.measured, a.exams))
    return rows


_MAIN = (
    ("ICC(A,1)", "icc_agreement", 3),
    ("bias, %", "bias_percent", 2),
    ("lower limit of agreement, %", "lower_limit_percent", 1),
    ("upper limit of agreement, %", "upper_limit_percent", 1),
)


def _purity_table(found: Mapping[str, Analysis], title: str) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (network, name, s.mean.scaled(100), s.worst_5_percent.scaled(100), s.scores)
        for network, a in found.items()
        for name, s in a.purity.items()
    ]
    columns = ("network", "place", "share of the region, %", "worst 5 %, %", "exams")
    note = "Places by the reference mask and, in simulated livers, by the known vessels. A pixel may be on several."
    return Table("purity", title, columns, tuple(rows), note, 2)
