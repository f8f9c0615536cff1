"""Every figure of a study, by name, from its results and the prepared images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from livermre.exam.errors import LivermreError
from livermre.study import prepared
from livermre.study.arms import Arm
from livermre.study.figures.agreement import bland_altman
from livermre.study.figures.charts import reliability, risk_coverage, roc, spread
from livermre.study.figures.curves import colours_of, learning_curves
from livermre.study.figures.drawing import Drawing, side_by_side
from livermre.study.figures.flow_diagram import flow_diagram
from livermre.study.figures.overlays import Overlay, overlays
from livermre.study.plan import is_trained
from livermre.study.predictions import read_outline
from livermre.study.results import StudyResults
from livermre.study.sample import Sample, numbers
from livermre.study.splitting import TEST


def study_figures(results: StudyResults, out: Path) -> dict[str, Drawing]:
    """All figures; one whose data are missing is left out."""
    colours = colours_of(list(results.analyses))
    made = [flow_diagram(results.flow), _curves(results, colours), _dice(results, colours)]
    for network, arm in results.chosen.items():
        if is_trained(network):
            made.append(_cases(network, arm, results, out))
    made += agreement_figures({n: a.samples[TEST] for n, a in results.chosen.items()}, colours)
    made += staging_figures(results.analyses)
    made.append(risk_figure(results.analyses, colours))
    return {d.name: d for d in made if d is not None}


def _curves(results: StudyResults, colours: Mapping[str, str]) -> Drawing | None:
    trained = {n: c for n, c in colours.items() if is_trained(n)}
    return learning_curves(results.curves, trained) if results.curves else None


def _dice(results: StudyResults, colours: Mapping[str, str]) -> Drawing:
    return dice_figure({n: arm.samples[TEST] for n, arm in results.chosen.items()}, colours)


def dice_figure(samples: Mapping[str, Sample], colours: Mapping[str, str]) -> Drawing:
    """Dice of every exam by network."""
    values = {
        n: numbers(r.whole.overlap.dice if r.whole else None for r in s.readings).tolist() for n, s in samples.items()
    }
    return spread("dice", "Dice of every tested exam", values, colours)


def agreement_figures(samples: Mapping[str, Sample], colours: Mapping[str, str]) -> list[Drawing]:
    """Bland-Altman of every network against its primary reference, where there are pairs."""
    made = []
    for network, sample in samples.items():
        name, values = next(iter(sample.references.items()), ("", np.empty(0)))
        if name and (np.isfinite(values) & np.isfinite(sample.kpa)).any():
            made.append(
                bland_altman(
                    f"bland-altman-{network}", f"{network} against the {name}", sample.kpa.tolist(), values.tolist(),
                    colours[network], name,
                )
            )  # fmt: skip
    return made


def staging_figures(analyses: Mapping) -> list[Drawing]:
    """ROC and reliability of every network, side by side."""
    made = []
    for network, a in analyses.items():
        if a.staging is None:
            continue
        curves = {_label(s): s.curve for s in a.staging.stages if s.curve is not None}
        bins = {f"≥ F{s.stage}": s.chances.bins for s in a.staging.stages if s.chances is not None}
        parts = [roc(f"roc-{network}", f"{network}: ROC by stage", curves)] if curves else []
        parts += [reliability(f"reliability-{network}", f"{network}: stage chances", bins)] if bins else []
        if parts:
            made.append(side_by_side(parts[0].name, f"{network}: ROC and reliability", parts))
    return made


def _label(stage) -> str:  # type: ignore[no-untyped-def]  # staging.AtStage
    area = stage.area.area.estimate
    return f"≥ F{stage.stage}" + (f"  {area:.2f}" if area is not None else "")


def risk_figure(analyses: Mapping, colours: Mapping[str, str]) -> Drawing | None:
    """Risk-coverage curves of all networks."""
    curves = {n: a.trust.risk for n, a in analyses.items() if a.trust is not None and a.trust.risk.risk.size}
    return risk_coverage("risk-coverage", "Error of the surest exams", curves, colours) if curves else None


def _cases(network: str, arm: Arm, results: StudyResults, out: Path) -> Drawing | None:
    """The best, the median and the worst tested exam of a network by Dice."""
    sample = arm.samples[TEST]
    known = [(r.whole.overlap.dice, r.exam) for r in sample.readings if r.whole and r.whole.overlap.dice is not None]
    if not known:
        return None
    order = sorted(known, reverse=True)
    picked = dict(zip(("best", "median", "worst"), (order[0], order[len(order) // 2], order[-1]), strict=True))
    shown = []
    for word, (dice, exam) in picked.items():
        try:
            kept = prepared.read(exam, out)
            run = arm.run_of(exam, results.splits)
            found = read_outline(run.folder(out), exam, kept.liver.shape)
        except (LivermreError, OSError, ValueError):
            continue  # a report without this picture is better than none
        shown.append(Overlay(f"{word}: {exam}, Dice {dice:.3f}", kept.exam, found, kept.liver))
    return overlays(f"overlays-{network}", f"{network}: best, median and worst", shown) if shown else None
