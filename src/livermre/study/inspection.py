"""`livermre study DATA --check`: what fits together, what does not and why, before an hour is lost."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from livermre.exam.errors import LivermreError
from livermre.results import make_folder, write_text
from livermre.study.cohort import Cohort, find_cases
from livermre.study.entry import Entry, Inspection, Problem, inspect_case
from livermre.study.flow import counted
from livermre.study.leakage import shared
from livermre.study.reading import Loaded
from livermre.study.settings import StudySettings
from livermre.study.splitting import STRATA, splits

CHECK = "check.json"

Report = Callable[[str, int, int], None]
"""(what is going on, how many done, how many in all)"""


def silent(text: str, done: int, total: int) -> None:
    """A report to nobody."""


def inspect(
    data: Path,
    settings: StudySettings,
    report: Report = silent,
    keep: Callable[[Entry, Loaded], None] = lambda entry, loaded: None,
) -> Inspection:
    """Every exam of a cohort read once, and what does not fit together.

    keep  gets entry and content of every exam that takes part

    Raises SettingsError or NothingFound where there is no cohort, InputError for an unusable table.
    """
    cohort = find_cases(data, settings.liver_labels)
    entries = []
    for number, case in enumerate(cohort.cases):
        report(f"reading {case.exam}", number, len(cohort.cases))
        entries.append(inspect_case(case, settings, keep))
    report("reading", len(cohort.cases), len(cohort.cases))
    return Inspection(tuple(entries), tuple(_problems(entries, cohort, settings)))


def _problems(entries: Sequence[Entry], cohort: Cohort, settings: StudySettings) -> list[Problem]:
    taken = [e for e in entries if e.taken]
    left_out = [Problem("exclusion", (e.exam,), e.sentence) for e in entries if not e.taken]
    return [*_errors(taken, settings), *left_out, *_warnings(taken, cohort)]


def _errors(taken: Sequence[Entry], settings: StudySettings) -> list[Problem]:
    if not taken:
        return [Problem("error", (), "no exam has both images and a reference mask that fits them")]
    found = shared(taken)
    if not found:
        try:
            splits(taken, settings)
        except LivermreError as error:
            found.append(Problem("error", (), str(error)))
    return found


def _warnings(taken: Sequence[Entry], cohort: Cohort) -> list[Problem]:
    found = []
    if cohort.table is None:
        found.append(Problem("warning", (), "there is no table.csv: no stages, no subgroups"))
    for name in STRATA:
        lacking = tuple(e.exam for e in taken if e.stratum(name) is None)
        if lacking and cohort.table is not None:
            found.append(
                Problem("warning", lacking, f"{counted(len(lacking), 'exam')} without {name}: a stratum apart")
            )
    unknown = tuple(e.exam for e in taken if not e.patient_known)
    without = tuple(e.exam for e in taken if not e.has_map)
    mute = tuple(e.exam for e in taken if e.has_map and e.reference is not None and e.reference.mask_kpa is None)
    for exams, words in (
        (unknown, "of unknown patients: each exam is taken for another patient"),
        (without, "without stiffness map: outlined but not measured"),
        (mute, "cannot be measured even inside the reference mask: counted as failures"),
    ):
        if exams:
            found.append(Problem("warning", exams, f"{counted(len(exams), 'exam')} {words}"))
    return found


def write_check(inspection: Inspection, out: Path) -> Path:
    """DIR/check.json; gives its path."""
    make_folder(out)
    content = {
        "usable": not inspection.errors,
        "exams": len(inspection.entries),
        "taken": len(inspection.taken),
        "patients": len({e.patient for e in inspection.taken}),
        "excluded": dict(Counter(e.reason for e in inspection.entries if not e.taken)),
        "problems": [asdict(p) for p in inspection.problems],
        "entries": [e.as_dict() for e in inspection.entries],
    }
    write_text(out / CHECK, json.dumps(content, indent=1) + "\n")
    return out / CHECK
