"""The quality gate on simulated failures and ordinary exams: recall by kind, precision at 10 %, risk and coverage."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from trust_calibrate import intervals
from trust_exams import FAILURE, FIRST, SECOND
from trust_rows import LIMIT_PERCENT, columns, error_percent, nondiagnostic, refused, relative_sd, unmeasurable

from livermre.evaluate.gate import quality_gate
from livermre.evaluate.proportion import proportion
from livermre.evaluate.risk_coverage import RiskCoverage, risk_coverage
from livermre.settings import Settings
from livermre.simulate.failures import FAILURES
from livermre.stiffness.calibrated import Calibration, interval_of

PREVALENCE = 0.10


def gate_lines(rows: Sequence[dict], how: Calibration) -> list[str]:
    """All of it in words and tables."""
    lines = ["", "Failures that cannot be measured, refused by the pipeline:", "",
             "| kind | made | cannot be measured | of them refused, % | right, reported | right, refused |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    made = [r for r in rows if r["set"] == FAILURE]
    for kind in FAILURES:
        lines.append(_kind_line(kind, [r for r in made if r["kind"] == kind]))
    lines.append(_kind_line("all", made))
    for name in (FIRST, SECOND):
        lines += _precision(rows, made, name, refused, "as it is")
        lines += _precision(
            rows, made, name, lambda r: refused_by_calibrated(r, how), "if the calibrated width decided"
        )
        lines += _precision(
            rows, made, name, refused, "as it is, if a number needs 10 cm2 of waves five times the noise", unmeasurable
        )
    curve, at_all = risk(rows, how)
    lines += [
        "",
        "Risk and coverage (second generator): mean |error| of the surest, %, by the half width of the interval:",
    ]
    shares = (0.25, 0.5, 0.75, 0.9, 1.0)
    lines.append("  " + "; ".join(f"{100 * s:.0f} % kept: {curve.risk_at(s):.2f}" for s in shares))
    lines.append(
        f"  area {curve.area.estimate:.2f} ({curve.area.low:.2f}-{curve.area.high:.2f}), best possible "
        f"{curve.best_area:.2f}, at random {curve.random_area:.2f}; no exam refused: {at_all:.2f}"
    )
    return lines


def _kind_line(kind: str, made: Sequence[dict]) -> str:
    bad, good = [r for r in made if nondiagnostic(r)], [r for r in made if not nondiagnostic(r)]
    p = proportion(sum(map(refused, bad)), len(bad), method="exact")
    share = "-" if p.share is None else f"{100 * p.share:.1f} ({100 * p.low:.1f}-{100 * p.high:.1f})"
    kept = sum(not refused(r) for r in good)
    return f"| {kind} | {len(made)} | {len(bad)} | {share} | {kept} | {len(good) - kept} |"


def _precision(
    rows: Sequence[dict],
    failures: Sequence[dict],
    name: str,
    refused: Callable[[dict], bool],
    which: str,
    cannot: Callable[[dict], bool] = nondiagnostic,
) -> list[str]:
    """Recall on the failures with the specificity on the ordinary exams of a generator."""
    ordinary = [r for r in rows if r["set"] == name]
    good = [r for r in ordinary if not cannot(r)]
    hopeless = [r for r in ordinary if cannot(r)]
    bad = [r for r in failures if nondiagnostic(r)]
    both = bad + good
    gate = quality_gate(
        [1.0] * len(bad) + [0.0] * len(good),
        [float(refused(r)) for r in both],
        prevalence=PREVALENCE,
        method="exact",
    )
    why = Counter(" + ".join(r["own"].get("blocking") or ["error"]) for r in good if refused(r))
    wrong = [r for r in hopeless if (error_percent(r) or 0) > LIMIT_PERCENT and not refused(r)]
    recall, spec, ppv = gate.recall, gate.table.specificity, gate.precision
    refusals = tuple(100 * (1 - v) for v in (spec.share or 0, spec.high or 0, spec.low or 0))
    return [
        "",
        f"Gate {which}, ordinary exams of the {name} generator: {len(good)} can be measured, {len(hopeless)} "
        f"cannot: {sum(map(refused, hopeless))} are refused and {len(wrong)} reported although off by more than 19 %.",
        f"  recall {_percent(recall.share, recall.low, recall.high)}, "
        f"refused though measurable {refusals[0]:.1f} ({refusals[1]:.1f}-{refusals[2]:.1f}), "
        f"precision at 10 % {_percent(ppv.estimate, ppv.low, ppv.high)}, all in %",
        f"  wrongly refused by: {dict(why)}",
    ]


def refused_by_calibrated(row: dict, how: Calibration) -> bool:
    """The same gate, with the calibrated interval in place of the plain one where it asks how wide that is."""
    found = row["own"]
    if found.get("error") or set(found["blocking"]) - {"interval_too_wide"}:
        return True
    low, high = interval_of(how, found["mean"], relative_sd(found))
    return bool((high - low) / 2 > Settings().interval.widest_share * found["mean"])


def _percent(share: float | None, low: float | None, high: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} ({100 * (low or 0):.1f}-{100 * (high or 0):.1f})"


def risk(rows: Sequence[dict], how: Calibration) -> tuple[RiskCoverage, float]:
    """Curve over the reported exams of the second generator, and the mean error of all that have a mean at all."""
    found = columns(rows, SECOND)
    low, high = intervals(how, found)
    error = 100 * np.abs(found.mean / found.true - 1)
    known = [error_percent(r) for r in rows if r["set"] == SECOND]
    everything = float(np.mean([e for e in known if e is not None]))
    return risk_coverage(error, (high - low) / found.mean), everything
