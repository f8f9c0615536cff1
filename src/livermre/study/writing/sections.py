"""The document of a study: what was asked, who took part, what was found, what it is worth."""

from collections.abc import Mapping, Sequence

from livermre.evaluate.interval import Interval
from livermre.study.figures.drawing import Drawing
from livermre.study.flow import counted
from livermre.study.measurement import NOT_PATIENTS
from livermre.study.plan import is_trained
from livermre.study.results import StudyResults
from livermre.study.splitting import TEST
from livermre.study.tables import Table, shown
from livermre.study.writing.baseline import baseline_table
from livermre.study.writing.checklists import NAMES, checklist_table, load_checklist
from livermre.study.writing.document import Block, Bullets, Document, Notice, Section, section
from livermre.study.writing.goals import goals_table
from livermre.study.writing.methods import methods

_QUICK = "The quick form: small images and short training. Its numbers show that everything works, and no more."


def study_document(results: StudyResults, figures: Mapping[str, Drawing]) -> Document:
    """The whole report; figures by their name."""
    tables = {t.key: t for t in results.tables}
    parts = [
        _summary(results), _question(), *methods(results)[:-1], _participants(results, figures),
        _training(tables, figures), _outline(tables, figures), _stiffness(tables, figures, results),
        _staging(tables, figures), _trust(tables, figures), _subgroups(tables), _comparison(tables), _limits(results),
        _reproduction(results), methods(results)[-1], *_cards(results),
    ]  # fmt: skip
    numbers = {s.key: i for i, s in enumerate(parts, start=1)}
    titles = {s.key: s.title for s in parts}
    for name in NAMES:
        checklist = load_checklist(name)
        parts.append(section(name, checklist.title, [checklist_table(checklist, numbers, titles)]))
    kind = "simulated patients" if results.record.simulated else "the cohort " + results.record.data
    return Document("Liver MR elastography: two networks compared", f"livermre study on {kind}", tuple(parts))


def notices(results: StudyResults) -> list[Block]:
    """What must stand above everything."""
    found: list[Block] = []
    if results.record.simulated:
        found.append(Notice(NOT_PATIENTS))
    if results.record.quick:
        found.append(Notice(_QUICK))
    return found


def _summary(results: StudyResults) -> Section:
    flow = results.flow
    tested = len(next(iter(results.chosen.values())).samples[TEST])
    blocks: list[Block] = [
        *notices(results),
        f"Deep-learning segmentation of the liver in MR elastography. {counted(flow.identified.exams, 'exam')} of "
        f"{counted(flow.identified.patients, 'patient')} identified, {flow.included.exams} included, {tested} tested. "
        "For research use only.",
        Bullets(tuple(_one_line(results, network) for network in results.analyses)),
    ]
    if results.comparison is not None and "Dice" in results.comparison.outcomes:
        c, found = results.comparison, results.comparison.outcomes["Dice"]
        p = c.corrected.get("Dice")
        words = "not tested" if p is None else f"p {'< 0.001' if p < 0.001 else f'= {p:.3f}'} after Holm"
        blocks.append(f"{c.first} minus {c.second}, Dice an exam: {shown(found.difference)}, {words}.")
    blocks.append(goals_table(results.analyses))
    return section("summary", "Summary", blocks)


def _one_line(results: StudyResults, network: str) -> str:
    a = results.analyses[network]
    words = []
    if a.segmentation is not None:
        dice, iou = (a.segmentation.exam[n].mean for n in ("Dice", "IoU"))
        words.append(f"Dice {shown(dice)}, IoU {shown(iou)} (means an exam)")
    first = next(iter(a.measurement.values()), None)
    if first is not None:
        b = first.by_patient
        limits = f"{_plain(b['lower_limit_percent'])} to {_plain(b['upper_limit_percent'])} %"
        words.append(
            f"stiffness against the {first.reference}: ICC(A,1) {shown(b['icc_agreement'])}, bias "
            f"{shown(b['bias_percent'], 2)} %, 95 % limits {limits}, r {shown(b['pearson'])} (n = {first.exams})"
        )
    if a.trust is not None:
        words.append(f"measured {shown(a.trust.failures.measured)} of all exams")
    return f"{network}: " + "; ".join(words) + "."


def _plain(found: Interval) -> str:
    return shown(found.estimate, 1)


def _question() -> Section:
    return section(
        "question", "Question", [
            "Reading an MR elastography exam means outlining the liver on every slice, leaving out what must not be "
            "measured, and averaging the stiffness of the rest. Can a network draw the outline so that the number is "
            "the reader's? And does the encoder matter: is a U-Net with a ResNeXt-50 encoder better than the "
            "conventional U-Net, trained as well?",
            "The reference study (Su, Shih, Xu, JMIR Med Inform 2025;13:e80351) reports correlations of 0.952 in "
            "training and 0.943 in validation on 319 patients, and an overlap of 85.68 % that its preprint calls IoU "
            "and its published abstract Dice (as IoU it would be a Dice of 0.923). Scanner, split, loss and schedule "
            "are not in the abstract: this is not a reproduction.",
            "Hypotheses, tested in both directions: the networks differ in Dice an exam; they differ in the error of "
            "stiffness. Intended use: research; a reader looks at every outline.",
        ],
    )  # fmt: skip


def _participants(results: StudyResults, figures: Mapping[str, Drawing]) -> Section:
    warnings = tuple(p.sentence for p in results.inspection.problems if p.severity != "error")
    listed = Bullets(
        (*warnings[:20], *([f"and {len(warnings) - 20} more (cohort.json)"] if len(warnings) > 20 else []))
    )
    return section(
        "participants", "Participants", [
            figures.get("flow"),
            baseline_table(results.inspection.taken, results.splits),
            "What did not fit together:" if warnings else None,
            listed if warnings else None,
        ],
    )  # fmt: skip


def _training(tables: Mapping[str, Table], figures: Mapping[str, Drawing]) -> Section:
    text = "Ringed: the validation whose weights are evaluated. Every network had the same budget."
    return section("training", "Training", [figures.get("learning-curves"), text, tables.get("runs")])


def _outline(tables: Mapping[str, Table], figures: Mapping[str, Drawing]) -> Section:
    names = [n for n in figures if n.startswith("overlays")]
    keys = ("segmentation-exam", "segmentation-slice", "segmentation-pooled", "purity")
    return section(
        "outline", "Liver outline", [figures.get("dice"), *(figures[n] for n in names), *(tables.get(k) for k in keys)]
    )


def _stiffness(tables: Mapping[str, Table], figures: Mapping[str, Drawing], results: StudyResults) -> Section:
    names = [n for n in figures if n.startswith("bland-altman")]
    keys = ("agreement", "errors", "readers", "noninferiority", "correlation", "repeatability")
    honest = NOT_PATIENTS if results.record.simulated else None
    return section("stiffness", "Stiffness", [honest, *(figures[n] for n in names), *(tables.get(k) for k in keys)])


def _staging(tables: Mapping[str, Table], figures: Mapping[str, Drawing]) -> Section:
    names = [n for n in figures if n.startswith(("roc", "reliability"))]
    blocks = [*(figures[n] for n in names), *(tables.get(k) for k in ("staging", "ordinal", "calibration"))]
    return section("staging", "Staging", blocks if any(blocks) else ["The cohort's table has no stages."])


def _trust(tables: Mapping[str, Table], figures: Mapping[str, Drawing]) -> Section:
    keys = ("failures", "gate", "coverage")
    return section("trust", "Failures and trust", [figures.get("risk-coverage"), *(tables.get(k) for k in keys)])


def _subgroups(tables: Mapping[str, Table]) -> Section:
    return section("subgroups", "Subgroups", [tables.get("subgroups") or "The cohort's table has no subgroups."])


def _comparison(tables: Mapping[str, Table]) -> Section:
    return section("comparison", "The networks compared", [tables.get("comparison") or "One network was trained."])


def _limits(results: StudyResults) -> Section:
    items = [
        "One cohort, split inside: testing is internal. Results on another site's exams may differ.",
        "Reference and networks share map and rules, so that errors of the scanner's inversion are not seen.",
        "Readers' habits are those of the reference masks; where several readers are given, their limits are shown.",
        "What a stage means follows the table's source; without biopsy it is agreement, not accuracy.",
    ]
    if results.record.simulated:
        items.insert(0, NOT_PATIENTS)
    if not results.record.settings.folds and len(results.record.settings.seeds) < 3:
        items.append("Fewer than three seeds: how much the results hang on chance cannot be told.")
    return section("limits", "Limits", [Bullets(tuple(items))])


def _reproduction(results: StudyResults) -> Section:
    made = ", ".join(f"{k} {v}" for k, v in results.record.made_by.items())
    return section(
        "reproduction", "Reproduction", [
            f"Made by {made}. The folder of this report holds the split (split.csv), the cohort as read (cohort.json), "
            "every run with its weights as ONNX, its log and its readings of every exam, all tables as CSV and LaTeX, "
            "all figures as SVG, and results.json with every number unrounded.",
            "`livermre study DATA --out DIR --report-only` writes this report again from that folder. The same command "
            "without --report-only goes on after an interruption. On a CPU the same settings give the same weights.",
        ],
    )  # fmt: skip


def _cards(results: StudyResults) -> Sequence[Section]:
    return [_model_card(results), _data_card(results)]


def _model_card(results: StudyResults) -> Section:
    names = [n for n in results.chosen if is_trained(n)]
    subsets = results.flow.subsets
    trained = subsets[0].exams if subsets else results.flow.included.exams
    items = (
        f"Networks: {', '.join(names)}; weights of every run in runs/RUN/livermre-study.onnx, usable by "
        "`livermre analyze --model FILE`.",
        "Input: axial magnitude images of a liver MR elastography exam; output: liver probability.",
        "Intended for research; not for diagnosis, other organs, other planes or other sequences than the cohort's.",
        f"Trained on: {trained} exams of “{results.record.data}”; licence and ethics as the cohort's.",
        "Performance, subgroups and failures: the sections above, which belong to these weights alone.",
    )
    return section("model-card", "Model card", [Bullets(items)])


def _data_card(results: StudyResults) -> Section:
    flow = results.flow
    items = (
        f"Name: “{results.record.data}”" + (" (simulated by livermre)" if results.record.simulated else ""),
        f"Size: {flow.identified.exams} exams of {flow.identified.patients} patients; {flow.included.exams} used.",
        "Content: magnitude, stiffness and confidence maps, reference masks"
        + (", readers' regions" if _has_readers(results) else "")
        + ".",
        "Site, years, consent, ethics vote, annotators, licence: to be filled in by those who own the data."
        if not results.record.simulated
        else "Nobody's data: bodies, waves and noise are computed; licence Apache-2.0.",
    )
    return section("data-card", "Data card", [Bullets(items)])


def _has_readers(results: StudyResults) -> bool:
    return any(e.reference is not None and e.reference.readers_kpa for e in results.inspection.taken)
