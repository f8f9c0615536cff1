"""`livermre study` and `livermre evaluate`: options to settings, one call, what a person should see."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from livermre.apps import console
from livermre.apps.status import NOTHING, OK, SOME
from livermre.exam.errors import SettingsError
from livermre.results import check_place
from livermre.stiffness import load_table
from livermre.study.analysis import Analysis, main_table
from livermre.study.entry import Inspection
from livermre.study.experiment import StudyRequest, do_study
from livermre.study.flow import counted
from livermre.study.inspection import inspect, write_check
from livermre.study.settings import NETWORKS, StudySettings
from livermre.study.writing.write import write_report

_STYLE = {"error": "red", "exclusion": "yellow", "warning": "yellow"}


def study(options: argparse.Namespace) -> int:
    """Check, train, evaluate and write up; prints where the page lies."""
    if options.report_only:
        return _report(options.out)
    settings = _settings(options)
    data = _data(options)
    if options.check and data is not None:
        return _check(data, options.out, settings)
    with console.training_bar() as report:
        first = do_study(StudyRequest(data, options.out, settings, _starts(options), options.quick), report)
    return _report(options.out) if first else OK


def evaluate(options: argparse.Namespace) -> int:
    """Predictions of any program against the truth; prints what did not match and where the page lies."""
    from livermre.study.evaluating import evaluate as compare
    from livermre.study.writing.evaluation import write_evaluation

    settings = StudySettings(
        table=options.table, draws=options.draws, split_seed=options.seed, liver_labels=options.liver_labels
    )
    load_table(settings.table)
    check_place([options.predictions, options.truth], options.out)
    with console.training_bar() as report:
        found = compare(options.predictions, options.truth, settings, report)
    page = write_evaluation(found, settings, options.out)
    for sentence in found.unmatched[:_SHOWN]:
        print(f"livermre: {sentence}", file=sys.stderr)
    if len(found.unmatched) > _SHOWN:
        print(f"livermre: and {len(found.unmatched) - _SHOWN} more, in evaluation.json", file=sys.stderr)
    _show_main({found.sample.name: found.analysis})
    console.say(str(page))
    return OK if not found.failed else NOTHING if found.failed >= found.analysis.exams else SOME


_SHOWN = 10


def _show_main(found: Mapping[str, Analysis]) -> None:
    """The main results in aligned lines; what simulated exams and research use mean is said on the page."""
    table = main_table(found, "")
    rows = [list(table.columns), *table.texts()]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    for row in rows:
        console.say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _report(out: Path) -> int:
    with console.training_bar() as report:
        page, found = write_report(out, report)
    _show_main(found)
    console.say(str(page))
    return OK


def _data(options: argparse.Namespace) -> Path | None:
    if options.data is None and (options.check or not options.quick):
        raise SettingsError("give DATA, the folder of a cohort; only --quick and --report-only go without")
    return options.data


def _settings(options: argparse.Namespace) -> StudySettings:
    """The standard settings, the quick ones with --quick, and what a person chose on top of either."""
    standard = StudySettings(seeds=tuple(options.seeds) if options.seeds else StudySettings().seeds)
    standard = standard.quick() if options.quick else standard
    names = (
        "size", "images", "batch", "accumulate", "validate_every", "patience", "folds", "table", "weights", "threads",
        "peak_rate", "liver_labels",
    )  # fmt: skip
    chosen = {n: getattr(options, n) for n in names if getattr(options, n) is not None}
    if options.networks:
        chosen["networks"] = tuple(options.networks)
    if options.seeds:
        chosen["seeds"] = tuple(options.seeds)
    settings = replace(
        standard, **chosen, device=options.device, bf16=options.bf16, split_seed=options.split_seed,
        zero_shot=options.zero_shot,
    )  # fmt: skip
    load_table(settings.table)
    return settings


def _starts(options: argparse.Namespace) -> Mapping[str, Path]:
    starts = dict(options.start or ())
    for network, path in starts.items():
        if network not in NETWORKS:
            raise SettingsError(f"--from takes NETWORK=WEIGHTS with one of {', '.join(NETWORKS)}, found {network}")
        if not path.is_file():
            raise SettingsError(f"--from: there is no file {path}")
    return starts


def _check(data: Path, out: Path, settings: StudySettings) -> int:
    """What fits together and what does not; 3 where no study can be done, 4 where exams are left out."""
    with console.training_bar() as report:
        found = inspect(data, settings, report)
    path = write_check(found, out)
    _show(found)
    console.say(str(path))
    if found.errors:
        return NOTHING
    return SOME if len(found.taken) < len(found.entries) else OK


def _show(found: Inspection) -> None:
    taken = found.taken
    patients = len({e.patient for e in taken})
    console.say(f"{len(taken)} of {counted(len(found.entries), 'exam')} fit, of {counted(patients, 'patient')}")
    for name in ("stage", "vendor", "field_t"):
        values = Counter(str(e.stratum(name) if e.stratum(name) is not None else "unknown") for e in taken)
        console.say(f"  {name}: " + ", ".join(f"{value} {count}" for value, count in sorted(values.items())))
    if not found.problems:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "what does not fit, and what follows"):
        table.add_column(heading, overflow="fold")
    for problem in found.problems:
        table.add_row(Text(problem.severity, style=_STYLE[problem.severity]), Text(problem.sentence))
    wide = Console(highlight=False)
    (wide if wide.is_terminal else Console(highlight=False, width=200)).print(table)
