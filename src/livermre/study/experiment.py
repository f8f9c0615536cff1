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
from livermre.study.inspection import Report, inspect, silent
from livermre.study.measuring import read_exam
from livermre.study.plan import Run, runs_of
from livermre.study.predictions import has_reading, read_readings, write_measurements, write_reading
from livermre.study.quick import quick_cohort
from livermre.study.reading import load
from livermre.study.record import make_record, open_record, read_cohort, write_cohort, write_split
from livermre.study.settings import StudySettings
from livermre.study.splitting import TRAINING, VALIDATION, Split, splits

NEEDED = ("torch", "segmentation_models_pytorch", "onnx")


@dataclass(frozen=True)
class StudyRequest:
    """One study as asked for on the command line.

    data        folder of the cohort; None: the one that `quick_cohort` simulates
    start_from  network -> weights to begin with; a network that is not named begins at random
    """

    data: Path | None
    out: Path
    settings: StudySettings = field(default_factory=StudySettings)
    start_from: Mapping[str, Path] = field(default_factory=dict)
    quick: bool = False


def do_study(request: StudyRequest, report: Report) -> bool:
    """All that a study computes, resumable at any moment; the report is written apart, where this says True.

    Of the processes that torchrun started, all train, and the first does everything else.
    Raises SettingsError for wrong usage, InputError where the cohort forbids a study.
    """
    _check_tools()
    from livermre.study.training import parallel

    parallel.join(request.settings.device)
    report = report if parallel.writes() else silent
    with parallel.first_alone():
        begun = _begin(request, report)
    runs = runs_of(begun.settings, request.start_from)
    for number, run in enumerate(runs, start=1):
        said = _of_runs(report, number, len(runs))
        if run.trained:
            _train(run, begun.sides[run.fold], request, begun.settings, said)
        elif run.begins and parallel.writes():
            _export_start(run, request, begun)
        if parallel.writes():
            _read(run, exams_of(run, begun.sides), begun.cases, request.out, begun.settings, said)
    return parallel.writes()


@dataclass(frozen=True)
class _Begun:
    """A study whose cohort is read and split."""

    settings: StudySettings
    cases: Mapping[str, Case]
    sides: Sequence[Split]


def _begin(request: StudyRequest, report: Report) -> _Begun:
    """Read and split the cohort, or find what an earlier call, or the first process, wrote down."""
    data = request.data or quick_cohort(request.out, request.settings, report)
    cohort = find_cases(data, request.settings.liver_labels)
    made = make_record(request.settings, data, cohort.simulated, request.start_from, request.quick)
    settings = open_record(request.out, made).settings
    inspection = _cohort(data, request.out, settings, report)
    sides = splits(inspection.taken, settings)
    write_split(request.out, inspection.taken, sides)
    return _Begun(settings, {c.exam: c for c in cohort.cases}, sides)


def _of_runs(report: Report, number: int, runs: int) -> Report:
    """A report that says which of the runs it speaks of."""
    return lambda text, done, total: report(f"[{number}/{runs}] {text}", done, total)


def _check_tools() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SettingsError(f"a study trains networks and needs {', '.join(missing)}: pip install 'livermre[train]'")


def _cohort(data: Path, out: Path, settings: StudySettings, report: Report) -> Inspection:
    """The cohort as it was read at the beginning of this study; read now where it begins."""
    known = read_cohort(out)
    if known is None:
        known = inspect(data, settings, report, lambda e, loaded: prepared.keep(e.exam, loaded, out))
        if known.errors:
            raise InputError(known.errors[0].sentence)
        write_cohort(out, known)
        return known
    now = {c.exam for c in find_cases(data).cases}
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


def _export_start(run: Run, request: StudyRequest, begun: _Begun) -> None:
    """The weights that a training begins with as a network to be read."""
    from livermre.study.training import export_start

    some = [prepared.read(e, request.out) for e in sorted(begun.sides[0])[:_FEW]]
    export_start(run, some, request.out, begun.settings, request.start_from[run.begins])


_FEW = 4  # exams whose images show an exported network what it will see


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
