"""Whether the numbers can be trusted: failures three ways, the quality gate, intervals, risk and coverage."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from livermre.evaluate.coverage import Coverage, coverage
from livermre.evaluate.failures import Failures, count_failures
from livermre.evaluate.gate import QualityGate, quality_gate
from livermre.evaluate.risk_coverage import RiskCoverage, risk_coverage
from livermre.study.held import TRUTH, Held, held
from livermre.study.sample import Sample, numbers
from livermre.study.tables import Cell, Table

PREVALENCE = 0.10
"""Of non-diagnostic exams, at which the gate's precision is stated."""

_YES, _NO = {"1", "true", "yes"}, {"0", "false", "no"}


@dataclass(frozen=True)
class Trust:
    """One network.

    gate      against the truth: the table's column `diagnostic`, else whether the reference mask can be measured
    gate_by   which of the two
    coverage  reference name -> how often the 95 % interval holds it; the intervals speak of this acquisition
    risk      mean |difference| in percent of the surest exams, sure by the relative width of the interval
    held      coverage of the known truth by stratum, and the half width that it would take; empty without a truth
    """

    failures: Failures
    gate: QualityGate
    gate_by: str
    coverage: Mapping[str, Coverage]
    risk: RiskCoverage
    held: tuple[Held, ...] = ()


def trust(sample: Sample, draws: int, seed: int) -> Trust:
    """All of it for a sample."""
    nondiagnostic, by = _nondiagnostic(sample)
    rejected = _rejected(sample)
    low = numbers(r.interval_95[0] if r.interval_95 else None for r in sample.readings)
    high = numbers(r.interval_95[1] if r.interval_95 else None for r in sample.readings)
    primary = next(iter(sample.references.values()), np.full(len(sample), np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        error = 100 * np.abs(sample.kpa - primary) / primary
        unsure = (high - low) / sample.kpa
    return Trust(
        count_failures(sample.outcomes, patient=sample.patients),
        quality_gate(nondiagnostic, rejected, prevalence=PREVALENCE, patient=sample.patients),
        by,
        {name: coverage(values, low, high, patient=sample.patients) for name, values in sample.references.items()},
        risk_coverage(error, unsure, patient=sample.patients, draws=draws, seed=seed),
        held(sample, low, high),
    )


def _rejected(sample: Sample) -> list[float]:
    """1 where an exam was refused; NaN without any number. A missing or unreadable prediction refuses nothing."""
    if all(r.kpa is None for r in sample.readings):
        return [np.nan] * len(sample.readings)
    return [float(r.kpa is None and not r.error) for r in sample.readings]


def _nondiagnostic(sample: Sample) -> tuple[list[float], str]:
    """1 where an exam cannot be measured, 0 where it can, NaN where nobody says."""
    told = [str(v).casefold() if v is not None else "" for v in sample.row("diagnostic")]
    if any(told):
        return [0.0 if t in _YES else 1.0 if t in _NO else np.nan for t in told], "the table"
    known = [e.reference for e in sample.entries]
    return [np.nan if k is None else float(k.mask_kpa is None) for k in known], "the reference mask"


def failures_table(found: Mapping[str, Trust], title: str) -> Table:
    """How all exams ended."""
    rows = tuple(
        (name, t.failures.exams, t.failures.measured, t.failures.acquisition, t.failures.quality_control,
         t.failures.software)
        for name, t in found.items()
    )  # fmt: skip
    columns = ("network", "exams", "measured", "acquisition", "quality control", "software")
    note = (
        "All exams in the denominator. Acquisition: nobody could have measured; quality control: refused by livermre; "
        "software: measurable inside the reference mask, but not by this network."
    )
    return Table("failures", title, columns, rows, note)


def gate_table(found: Mapping[str, Trust], title: str) -> Table:
    """Recall and precision of the quality gate."""
    rows = tuple(
        (name, t.gate.exams, t.gate.recall, t.gate.precision_in_sample, t.gate.precision, t.gate_by)
        for name, t in found.items()
    )
    columns = ("network", "exams", "recall", "precision here", f"precision at {100 * PREVALENCE:.0f} %", "truth by")
    return Table("gate", title, columns, rows, "Positive: non-diagnostic; called: no number was reported.")


def coverage_table(found: Mapping[str, Trust], title: str) -> Table:
    """How often the 95 % interval holds each reference; the known truth of a simulated cohort also by stratum."""
    rows: list[tuple[Cell, ...]] = []
    for name, t in found.items():
        for reference, c in t.coverage.items():
            whole = next((h for h in t.held if h.by == "all"), None) if reference == TRUTH else None
            rows.append((name, reference, "all exams", *_covered(c, whole)))
        rows += [(name, TRUTH, f"{h.by}: {h.name}", *_covered(h.inside, h)) for h in t.held if h.by != "all"]
    columns = (
        "network", "reference", "exams", "inside", "below", "above", "mean width, %", "left out", "half width, %",
        "needed, %", "remark",
    )  # fmt: skip
    note = (
        "The interval speaks of the measurement of this acquisition. Half width: median of those given; needed: one "
        "half width for all that would have held the truth of 95 in 100 (split conformal)."
    )
    digits = {"mean width, %": 1, "half width, %": 1, "needed, %": 1}
    return Table("coverage", title, columns, tuple(rows), note, digits)


def _covered(c: Coverage | None, h: Held | None) -> tuple[Cell, ...]:
    counts = (None,) * 5 if c is None else (c.inside, c.below, c.above, c.mean_width_percent, c.left_out)
    if h is None:
        return (*counts, None, None, "")
    needed = h.needed.quantile if h.needed else None
    reason = h.reason or (h.needed.reason if h.needed else None) or ""
    return (*counts, _percent(h.given), _percent(needed), reason)


def _percent(logarithm: float | None) -> float | None:
    return None if logarithm is None else 100 * float(np.expm1(logarithm))
