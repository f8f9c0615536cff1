"""Stiffness against fibrosis stage: areas under the ROC, the table's cut-offs, chances of a stage and their gain."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.calibration import Calibration, calibration, fit_logistic
from livermre.evaluate.decision import DecisionCurve, decision_curve
from livermre.evaluate.diagnosis import Diagnosis, diagnose_at
from livermre.evaluate.inputs import at_least
from livermre.evaluate.kappa import Kappa, kappa
from livermre.evaluate.ordinal import Obuchowski, obuchowski
from livermre.evaluate.prevalence import PredictiveValues, predictive_values
from livermre.evaluate.reliability import Brier, ReliabilityBin, brier, reliability
from livermre.evaluate.roc import Auroc, RocCurve, auroc, roc_curve
from livermre.stiffness import CutoffTable
from livermre.study.sample import Sample
from livermre.study.tables import Cell, Table

STAGES = (1, 2, 3, 4)
PREVALENCES = (0.05, 0.1, 0.3)
"""At which predictive values are given beside the sample's: primary care, risk groups, referral (project's choice)."""

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Chances at which somebody would just be treated or biopsied (project's choice)."""


@dataclass(frozen=True)
class AtStage:
    """One dichotomy: this stage or above against below."""

    stage: int
    area: Auroc
    curve: RocCurve | None
    cutoff_kpa: float | None
    diagnosis: Diagnosis | None
    at_prevalence: tuple[PredictiveValues, ...]
    chances: "Chances | None"
    reason: str = ""


@dataclass(frozen=True)
class Chances:
    """Chance of the stage by a logistic model of stiffness, fitted on the training patients' reference stiffness."""

    intercept: float
    slope: float
    fitted_on: int
    calibration: Calibration
    bins: tuple[ReliabilityBin, ...]
    brier: Brier
    decision: DecisionCurve


@dataclass(frozen=True)
class Staging:
    """All of it for one network; `bands` compares the table's band with that of the reference stiffness."""

    stages: tuple[AtStage, ...]
    obuchowski: Obuchowski
    bands: Kappa | None
    table: str


def cutoffs_of(table: CutoffTable) -> dict[int, float]:
    """The cut-off from which on a stage is called: the first band that names it ("F3 cut-off ...", "stage 3-4")."""
    found: dict[int, float] = {}
    for cutoff, band in zip(table.cutoffs_kpa, table.bands[1:], strict=True):
        named = re.search(r"(?:\bF|stage )([1-4])", band)
        if named:
            found.setdefault(int(named[1]), cutoff)
    return found


def staging(sample: Sample, learnt_on: Sample, table: CutoffTable, draws: int, seed: int) -> Staging:
    """Every dichotomy of a sample.

    learnt_on  the training patients: the chances of a stage are fitted on their reference stiffness, never on `sample`
    """
    cutoffs = cutoffs_of(table)
    stages = tuple(_at(s, sample, learnt_on, cutoffs.get(s), draws, seed) for s in STAGES)
    whole = obuchowski(sample.stages, sample.kpa, patient=sample.patients, draws=draws, seed=seed)
    return Staging(stages, whole, _bands(sample, table, draws, seed), table.name)


def _at(stage: int, sample: Sample, learnt_on: Sample, cutoff: float | None, draws: int, seed: int) -> AtStage:
    truth = at_least(sample.stages, stage)
    area = auroc(truth, sample.kpa, patient=sample.patients)
    found = None if cutoff is None else diagnose_at(truth, sample.kpa, cutoff, patient=sample.patients)
    values: tuple[PredictiveValues, ...] = ()
    if found is not None:
        values = tuple(predictive_values(found.sensitivity, found.specificity, p) for p in PREVALENCES)
    chances, reason = _chances(stage, sample, learnt_on, draws, seed)
    return AtStage(stage, area, roc_curve(truth, sample.kpa), cutoff, found, values, chances, reason)


def _chances(stage: int, sample: Sample, learnt_on: Sample, draws: int, seed: int) -> tuple[Chances | None, str]:
    primary = next(iter(learnt_on.references.values()), None)
    if primary is None:
        return None, "the training patients have no reference stiffness to learn from"
    truth = at_least(learnt_on.stages, stage)
    known = np.isfinite(truth) & np.isfinite(primary)
    truth, kpa = truth[known], primary[known]
    up, down = kpa[truth == 1], kpa[truth == 0]
    if min(up.size, down.size) < _FEWEST:
        return None, f"training patients: {up.size} with the stage and {down.size} without; {_FEWEST} of each needed"
    if up.min() >= down.max() or up.max() <= down.min():
        return None, "stiffness parts the training patients completely: there is no slope to learn"
    (a, b), _ = fit_logistic(truth, kpa)
    chance = 1 / (1 + np.exp(-(a + b * sample.kpa)))
    true = at_least(sample.stages, stage)
    return Chances(
        a, b, int(known.sum()),
        calibration(true, chance, patient=sample.patients),
        reliability(true, chance, bins=5, patient=sample.patients),
        brier(true, chance, bins=5, patient=sample.patients, draws=draws, seed=seed),
        decision_curve(true, chance, THRESHOLDS, patient=sample.patients, draws=draws, seed=seed),
    ), ""  # fmt: skip


_FEWEST = 5


def _bands(sample: Sample, table: CutoffTable, draws: int, seed: int) -> Kappa | None:
    """Quadratic kappa of the table's bands, automatic against the primary reference."""
    primary = next(iter(sample.references.values()), None)
    if primary is None:
        return None
    both = np.isfinite(primary) & np.isfinite(sample.kpa)
    bands = [[float(table.band_index(v)) for v in values[both]] for values in (primary, sample.kpa)]
    who = [p for p, b in zip(sample.patients, both, strict=True) if b]
    categories = [float(i) for i in range(len(table.bands))]
    return kappa(bands[0], bands[1], categories=categories, patient=who, draws=draws, seed=seed)


def staging_table(found: Mapping[str, Staging], title: str) -> Table:
    """AUROC and the cut-off's results of every network and stage."""
    rows: list[tuple[Cell, ...]] = []
    for name, result in found.items():
        for s in result.stages:
            d = s.diagnosis
            shares: Sequence[Cell] = (None,) * 4 if d is None else (d.sensitivity, d.specificity, d.ppv, d.npv)
            n = f"{s.area.positives}/{s.area.negatives}"
            rows.append((name, f"≥ F{s.stage}", n, s.area.area, s.cutoff_kpa, *shares))
    columns = (
        "network", "stage", "with/without", "AUROC (95 % CI)", "cut-off, kPa", "sensitivity", "specificity", "PPV",
        "NPV",
    )  # fmt: skip
    names = sorted({r.table for r in found.values()})
    note = (
        f"Cut-offs of table {', '.join(names)}, declared before. Intervals: areas DeLong (Obuchowski 1997 where "
        "patients have several exams), shares Wilson at the effective number of patients. Without biopsy this is "
        "agreement with the stage of the table, not diagnostic accuracy."
    )
    return Table("staging", title, columns, tuple(rows), note, {"AUROC (95 % CI)": 3, "cut-off, kPa": 2})


def ordinal_table(found: Mapping[str, Staging], title: str) -> Table:
    """Obuchowski measure and quadratic kappa of the bands."""
    rows = tuple(
        (name, r.obuchowski.measure, None if r.bands is None else r.bands.kappa, r.obuchowski.left_out)
        for name, r in found.items()
    )
    columns = ("network", "Obuchowski measure", "quadratic kappa of bands", "left out")
    note = "Kappa: automatic band against the band of the primary reference. Intervals: bootstrap over patients."
    return Table("ordinal", title, columns, rows, note)


def calibration_table(found: Mapping[str, Staging], title: str) -> Table:
    """Calibration of the chances of every network and stage."""
    rows: list[tuple[Cell, ...]] = []
    for name, result in found.items():
        for s in result.stages:
            if s.chances is None:
                rows.append((name, f"≥ F{s.stage}", None, None, None, None, s.reason))
                continue
            c = s.chances
            rows.append(
                (name, f"≥ F{s.stage}", c.calibration.slope, c.calibration.intercept, c.brier.score, c.brier.skill, "")
            )
    columns = ("network", "stage", "slope", "intercept", "Brier score", "skill", "remark")
    note = "Chances by a logistic model of stiffness, fitted on the training patients' reference stiffness."
    return Table("calibration", title, columns, tuple(rows), note)
