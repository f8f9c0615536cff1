"""The study from data to results: read once, split, train every run, read every exam with it, write it up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from livermre.exam.errors import InputError, SettingsError
from livermre.network import segmenter
from livermre.study import prepared
from livermre.study.arms import exams_of
from livermre.study.cohort import Case, find_cases
from livermre.study.entry import Inspection
from livermre.study.inspection import Report, inspect
from livermre.study.measuring import read_exam
from livermre.study.plan import Run, runs_of
from livermre.study.predictions import has_reading, read_readings, write_measurements, write_reading
from livermre.study.reading import load
from livermre.study.record import make_record, open_record, read_cohort, write_cohort, write_split
from livermre.study.settings import StudySettings
from livermre.study.splitting import TRAINING, VALIDATION, Split, splits

NEEDED = ("torch", "segmentation_models_pytorch", "onnx")


@dataclass(frozen=True)
class StudyRequest:
    """One study as asked for on the command line.

    start_from  network -> weights to begin with; a network that is not named begins at random
    """

    data: Path
    out: Path
    settings: StudySettings = field(default_factory=StudySettings)
    start_from: Mapping[str, Path] = field(default_factory=dict)
    quick: bool = False


def do_study(request: StudyRequest, report: Report) -> None:
    """All that a study computes, resumable at any moment; the report is written apart.

    Raises SettingsError for wrong usage, InputError where the cohort forbids a study.
    """
    _check_tools()
    cohort = find_cases(request.data)
    record = open_record(
        request.out,
        make_record(request.settings, request.data, cohort.simulated, request.start_from, request.quick),
    )
    settings = record.settings
    inspection = _cohort(request, settings, report)
    sides = splits(inspection.taken, settings)
    write_split(request.out, inspection.taken, sides)
    cases = {c.exam: c for c in cohort.cases}
    runs = runs_of(settings)
    for number, run in enumerate(runs, start=1):
        if run.trained:
            _train(run, sides[run.fold], request, settings, _of_runs(report, number, len(runs)))
        _read(run, exams_of(run, sides), cases, request.out, settings, _of_runs(report, number, len(runs)))


def _of_runs(report: Report, number: int, runs: int) -> Report:
    """A report that says which of the runs it speaks of."""
    return lambda text, done, total: report(f"[{number}/{runs}] {text}", done, total)


def _check_tools() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(f"a study trains networks and needs {', '.join(missing)}: pip install 'livermre[train]'")


def _cohort(request: StudyRequest, settings: StudySettings, report: Report) -> Inspection:
    """The cohort as it was read at the beginning of this study; read now where it begins."""
    known = read_cohort(request.out)
    if known is None:
        known = inspect(request.data, settings, report, lambda e, loaded: prepared.keep(e.exam, loaded, request.out))
        if known.errors:
            raise InputError(known.errors[0].sentence)
        write_cohort(request.out, known)
        return known
    now = {c.exam for c in find_cases(request.data).cases}
    then = {e.exam for e in known.entries}
    if now != then:
        odd = ", ".join(sorted(now ^ then)[:3])
        raise SettingsError(f"DATA holds other exams than when this study began ({odd}): choose another --out")
    return known


def _train(run: Run, split: Split, request: StudyRequest, settings: StudySettings, report: Report) -> None:
    from livermre.study.training import train_run

    if (run.folder(request.out) / "run.json").is_file():
        return
    training, validation = (
        [prepared.read(e, request.out) for e in sorted(split) if split[e] == side] for side in (TRAINING, VALIDATION)
    )
    train_run(run, training, validation, request.out, settings, report, request.start_from.get(run.network))


def _read(
    run: Run, exams: Sequence[str], cases: Mapping[str, Case], out: Path, settings: StudySettings, report: Report
) -> None:
    """Every exam of a run outlined and measured, those that were not yet."""
    folder = run.folder(out)
    waiting = [e for e in exams if not has_reading(folder, e)]
    if waiting:
        network = segmenter(run.model(out), "auto" if settings.device == "cuda" else "cpu")
        for number, exam in enumerate(waiting):
            report(f"{run.name}: reading {exam}", number, len(waiting))
            loaded = load(cases[exam])
            reading, outline = read_exam(exam, loaded, network, settings)
            write_reading(folder, reading, outline, loaded.exam)
        report(f"{run.name}: read", len(waiting), len(waiting))
    write_measurements(folder, read_readings(folder, exams))
