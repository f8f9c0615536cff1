"""The write-up of `livermre evaluate`: page, tables, figures, JSON, and a line for every exam."""

import csv
import io
import json
from pathlib import Path

from livermre.results import make_folder, write_text
from livermre.study.analysis import analysis_tables, main_table
from livermre.study.evaluating import Evaluation
from livermre.study.figures.curves import colours_of
from livermre.study.flow import counted
from livermre.study.measurement import NOT_PATIENTS
from livermre.study.plain import plain
from livermre.study.settings import StudySettings
from livermre.study.writing.document import Block, Bullets, Document, Notice, section
from livermre.study.writing.goals import goals_table
from livermre.study.writing.methods import statistics_text
from livermre.study.writing.pictures import agreement_figures, dice_figure, risk_figure, staging_figures
from livermre.study.writing.write import write_document
from livermre.version import __version__

PAGE, RESULTS, EXAMS = "evaluation.html", "evaluation.json", "exams.csv"
_SHOWN = 40  # sentences of what did not match that the page lists; the JSON has all
_PARTS = {
    "outline": ("Liver outline", ("segmentation-exam", "segmentation-slice", "segmentation-pooled", "purity")),
    "stiffness": ("Stiffness", ("agreement", "errors", "readers", "noninferiority", "repeatability")),
    "staging": ("Staging", ("staging", "ordinal")),
    "trust": ("Failures and trust", ("failures", "gate", "coverage")),
    "subgroups": ("Subgroups", ("subgroups",)),
}


def write_evaluation(found: Evaluation, settings: StudySettings, out: Path) -> Path:
    """Everything into DIR; gives the page's path. Raises OutputError where the disk refuses."""
    make_folder(out)
    write_document(evaluation_document(found, settings), out, PAGE, None)
    write_text(out / EXAMS, _exams(found))
    content = {
        "livermre": __version__,
        "simulated": found.simulated,
        "predictions": found.sample.name,
        "settings": settings,
        "unmatched": found.unmatched,
        "analysis": found.analysis,
    }
    write_text(out / RESULTS, json.dumps(plain(content), indent=1) + "\n")
    return out / PAGE


def evaluation_document(found: Evaluation, settings: StudySettings) -> Document:
    """The page's content."""
    name = found.sample.name
    tables = {t.key: t for t in analysis_tables({name: found.analysis}, "all exams of the truth")}
    figures = _figures(found)
    parts = [section("summary", "Summary", _summary(found))]
    for key, (title, keys) in _PARTS.items():
        blocks: list[Block] = [*figures.get(key, ()), *(tables[k] for k in keys if k in tables)]
        if blocks:
            parts.append(section(key, title, blocks))
    parts.append(section("methods", "How it was computed", statistics_text(settings)))
    kind = "simulated exam" if found.simulated else "exam"
    subtitle = f"livermre evaluate on {counted(found.analysis.exams, kind)}"
    return Document(f"Evaluation of {name}", subtitle, tuple(parts))


def _summary(found: Evaluation) -> list[Block]:
    a = found.analysis
    blocks: list[Block] = [Notice(NOT_PATIENTS)] if found.simulated else []
    blocks.append(
        f"{counted(a.exams, 'exam')} of {counted(a.patients, 'patient')} in the truth; an exam without prediction "
        "counts as an empty outline and a failure. For research use only."
    )
    if found.unmatched:
        more = len(found.unmatched) - _SHOWN
        rest = (f"and {more} more (evaluation.json)",) if more > 0 else ()
        blocks += ["What did not match:", Bullets((*found.unmatched[:_SHOWN], *rest))]
    blocks += [main_table({found.sample.name: a}, "The main results"), goals_table({found.sample.name: a})]
    return blocks


def _figures(found: Evaluation) -> dict[str, list[Block]]:
    name = found.sample.name
    samples, colours = {name: found.sample}, colours_of([name])
    risk = risk_figure({name: found.analysis}, colours)
    outlined = found.analysis.segmentation is not None
    return {
        "outline": [dice_figure(samples, colours)] if outlined else [],
        "stiffness": list(agreement_figures(samples, colours)),
        "staging": list(staging_figures({name: found.analysis})),
        "trust": [risk] if risk is not None else [],
    }


def _exams(found: Evaluation) -> str:
    """exams.csv: every exam with its outline's scores, its number and every reference."""
    references = found.sample.references
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    scores = ("dice", "iou", "precision", "recall", "hd95_mm", "assd_mm", "surface_dice")
    named = [f"{r}, kPa" for r in references]
    writer.writerow(["exam", "patient", *scores, "stiffness_kpa", *named, "outcome", "remark"])
    for i, (entry, reading) in enumerate(zip(found.sample.entries, found.sample.readings, strict=True)):
        whole = reading.whole
        values = [None] * len(scores)
        if whole is not None:
            values = [getattr(whole.overlap, n) for n in scores[:4]] + [getattr(whole, n) for n in scores[4:]]
        known = [None if v[i] != v[i] else float(v[i]) for v in references.values()]
        row = [entry.exam, entry.patient, *values, reading.kpa, *known, found.sample.outcomes[i], reading.error]
        writer.writerow(["" if v is None else v for v in row])
    return text.getvalue()
