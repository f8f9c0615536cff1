"""The results of a study: every network on every subset, the comparison, the curves; from the run folder alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from livermre.evaluate.agreement_intervals import agreement_intervals
from livermre.evaluate.empty import RULE
from livermre.evaluate.interval import Interval, not_defined
from livermre.exam.errors import CorruptFile
from livermre.results import write_text
from livermre.study.analysis import Analysis, analyse, analysis_tables
from livermre.study.arms import Arm, arms_of, curve_of, representatives
from livermre.study.comparing import Versus, versus, versus_table
from livermre.study.entry import Inspection
from livermre.study.figures.curves import Curve
from livermre.study.flow import Flow, flow_of
from livermre.study.inspection import Report
from livermre.study.measurement import correlation_table
from livermre.study.plain import plain
from livermre.study.plan import is_trained, runs_of
from livermre.study.record import Record, read_cohort, read_record
from livermre.study.sample import Sample
from livermre.study.segmentation import mean_of
from livermre.study.splitting import TEST, TRAINING, Split, splits
from livermre.study.tables import Cell, Table

RESULTS, FLOW = "results.json", "flow.json"


@dataclass(frozen=True)
class StudyResults:
    """All that the report tells.

    arms          every network and seed
    chosen        network -> the arm that stands for it
    analyses      network -> its analysis on the test exams
    correlations  network -> subset -> r against the primary reference
    """

    record: Record
    inspection: Inspection
    splits: Sequence[Split] = field(repr=False)
    arms: tuple[Arm, ...] = field(repr=False)
    chosen: Mapping[str, Arm] = field(repr=False)
    analyses: Mapping[str, Analysis]
    comparison: Versus | None
    correlations: Mapping[str, Mapping[str, Interval]]
    flow: Flow
    curves: tuple[Curve, ...] = field(repr=False)
    tables: tuple[Table, ...] = field(repr=False)


def gather(out: Path, report: Report) -> StudyResults:
    """Compute every statistic of the study in DIR; nothing is trained and no exam is read.

    Raises InputError where DIR holds no study, CorruptFile where a run is not finished.
    """
    record = read_record(out)
    inspection = read_cohort(out)
    if inspection is None:
        raise CorruptFile(f"the study in {out} was stopped before its cohort was read: run it again")
    settings = record.settings
    sides = splits(inspection.taken, settings)
    arms = arms_of(out, inspection.taken, sides, runs_of(settings, record.start_from))
    chosen = representatives(arms)
    analyses = {}
    for number, (network, arm) in enumerate(chosen.items()):
        report(f"statistics of {network}", number, len(chosen) + 1)
        learnt_on = arm.samples.get(TRAINING)
        analyses[network] = analyse(arm.samples[TEST], learnt_on, settings.table, settings.draws, settings.split_seed)
    report("comparison", len(chosen), len(chosen) + 1)
    comparison = _compare(arms, chosen, record)
    by = settings.draws, settings.split_seed
    correlations = {n: {s: _r(sample, *by) for s, sample in arm.samples.items()} for n, arm in chosen.items()}
    flow = flow_of(inspection.entries, sides, {n: arm.samples[TEST].outcomes for n, arm in chosen.items()})
    curves = tuple(curve_of(run, out) for arm in arms for run in arm.runs if run.trained)
    tables = _tables(arms, chosen, analyses, comparison, correlations, record)
    report("statistics", 1, 1)
    return StudyResults(
        record, inspection, sides, tuple(arms), chosen, analyses, comparison, correlations, flow, curves, tables
    )


def _compare(arms: Sequence[Arm], chosen: Mapping[str, Arm], record: Record) -> Versus | None:
    settings = record.settings
    if len(settings.networks) < 2:
        return None
    second, first = settings.networks[-2:]
    of = {n: [a for a in arms if a.network == n] for n in (first, second)}
    return versus(of[first], of[second], chosen[first], chosen[second], TEST, settings.draws, settings.split_seed)


def _r(sample: Sample, draws: int, seed: int) -> Interval:
    """Pearson's r against the primary reference, patients resampled."""
    primary = next(iter(sample.references.values()), None)
    if primary is None:
        return not_defined("there is no reference stiffness")
    return agreement_intervals(sample.kpa, primary, sample.patients, ranks=False, draws=draws, seed=seed)["pearson"]


def _tables(
    arms: Sequence[Arm],
    chosen: Mapping[str, Arm],
    analyses: Mapping[str, Analysis],
    comparison: Versus | None,
    correlations: Mapping[str, Mapping[str, Interval]],
    record: Record,
) -> tuple[Table, ...]:
    folds = record.settings.folds
    where = f"{folds}-fold cross-validation" if folds else "test set"
    tables = [_seeds_table(arms, chosen, record), *analysis_tables(analyses, where)]
    tables.append(correlation_table(correlations, record.simulated))
    if comparison is not None:
        tables.append(versus_table(comparison))
    return tuple(tables)


def _seeds_table(arms: Sequence[Arm], chosen: Mapping[str, Arm], record: Record) -> Table:
    """Every network and seed in one line each."""
    rows: list[tuple[Cell, ...]] = []
    by = record.settings.draws, record.settings.split_seed
    for arm in arms:
        sample = arm.samples[TEST]
        dice, iou = (mean_of(sample.overlaps(name), sample.patients, *by) for name in ("dice", "iou"))
        measured = sum(r.kpa is not None for r in sample.readings)
        stands = is_trained(arm.network) and chosen[arm.network] is arm
        r = _r(sample, *by)
        rows.append((arm.name, arm.chosen_by, dice, iou, r, measured, len(sample), "yes" if stands else ""))
    columns = (
        "run", "validation Dice", "test Dice", "test IoU", "r to the reference", "measured", "exams", "stands for it"
    )  # fmt: skip
    note = (
        "The seed with the best validation Dice stands for its network; that is decided before the test set is seen. "
        f"Dice and IoU: means an exam. {RULE}"
    )
    return Table("runs", "All runs", columns, tuple(rows), note)


def write_results(results: StudyResults, out: Path) -> None:
    """results.json, with every number unrounded, and flow.json."""
    content = {
        "simulated": results.record.simulated,
        "settings": results.record.settings,
        "made_by": results.record.made_by,
        "stands_for": {n: arm.name for n, arm in results.chosen.items()},
        "analyses": results.analyses,
        "comparison": results.comparison,
        "correlations": results.correlations,
    }
    write_text(out / RESULTS, json.dumps(plain(content), indent=1) + "\n")
    write_text(out / FLOW, json.dumps(plain(results.flow), indent=1) + "\n")
