"""`livermre evaluate PREDICTIONS TRUTH`: masks and measurements of any program beside a cohort's truth.

    PREDICTIONS/NAME/liver.nii.gz, or NAME.nii.gz, NAME.dcm; roi.nii.gz beside it is the measured region
    PREDICTIONS/*.csv  with columns exam and stiffness_kpa; interval_95_low_kpa and interval_95_high_kpa may be there

`livermre analyze --out PREDICTIONS` and the runs of a study leave just this. TRUTH is a cohort (study/cohort.py); its
exams may be absent: then masks are compared on the reference's own pixels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livermre import nifti
from livermre.evaluate.purity import purity
from livermre.exam.errors import Contradiction, InputError, SettingsError
from livermre.exam.types import Exam, LiverMask
from livermre.roi import draw_roi
from livermre.study.analysis import Analysis, analyse
from livermre.study.cohort import Case, by_name, cases_of_masks, find_cases, has_exams
from livermre.study.entry import Entry, Reference, inspect_case
from livermre.study.inspection import Report
from livermre.study.measuring import places, spacing_mm
from livermre.study.reading import Loaded, read_any_mask
from livermre.study.sample import Sample
from livermre.study.scores import Reading, compare_exam, compare_region
from livermre.study.settings import StudySettings
from livermre.study.table import read_rows


@dataclass(frozen=True)
class Evaluation:
    """What became of every exam of the truth.

    unmatched  what does not fit, one sentence each: predictions without truth, exams without prediction, odd masks
    failed     exams without a usable mask and without a number
    """

    sample: Sample
    analysis: Analysis
    unmatched: tuple[str, ...]
    failed: int
    simulated: bool


@dataclass(frozen=True)
class _Measured:
    """A line of the measurements."""

    kpa: float | None
    interval: tuple[float, float] | None


def evaluate(predictions: Path, truth: Path, settings: StudySettings, report: Report) -> Evaluation:
    """Every statistic of a folder of predictions.

    Raises SettingsError for folders that are not there, InputError where nothing of the two belongs together.
    """
    for name, folder in (("PREDICTIONS", predictions), ("TRUTH", truth)):
        if not folder.is_dir():
            raise SettingsError(f"{name}: there is no folder {folder}")
    if any((predictions / n).is_dir() for n in ("exams", "images", "masks")):
        raise SettingsError(
            f"PREDICTIONS: {predictions} is a cohort (it holds exams, images or masks); "
            "say first the folder of predictions, then the cohort with the truth"
        )
    cases, simulated = _cases(truth, settings)
    masks = {name: path for name, path in by_name(predictions).items() if _liver_of(path) is not None}
    measured = _measurements(predictions)
    names = {c.exam for c in cases}
    given = {*masks, *measured}
    if not names & given:
        few = [", ".join(sorted(s)[:3]) or "none" for s in (given, names)]
        raise InputError(
            f"no prediction belongs to an exam of the truth: predictions are called {few[0]}, exams {few[1]}; "
            "the names must be the same"
        )
    strange = [f"{name}: a prediction without an exam of this name in the truth" for name in sorted(given - names)]
    entries, readings, odd = [], [], []
    for number, case in enumerate(cases):
        report(f"comparing {case.exam}", number, len(cases))
        entry, reading, doubts = _one(case, masks.get(case.exam), measured.get(case.exam), settings)
        odd += doubts
        if entry.taken:
            entries.append(entry)
            readings.append(reading)
    sample = Sample(predictions.resolve().name, tuple(entries), tuple(readings))
    report("statistics", len(cases), len(cases))
    analysis = analyse(sample, None, settings.table, settings.draws, settings.split_seed)
    failed = sum(bool(r.error) for r in readings) + (len(cases) - len(entries))
    return Evaluation(sample, analysis, (*odd, *strange), failed, simulated)


def _cases(truth: Path, settings: StudySettings) -> tuple[Sequence[Case], bool]:
    """Cases of a cohort with exams, or of masks and a table alone."""
    cohort = find_cases(truth, settings.liver_labels) if has_exams(truth) else cases_of_masks(truth)
    return cohort.cases, cohort.simulated


def _liver_of(path: Path) -> Path | None:
    """The liver mask of a prediction: the file itself, liver.nii.gz in a folder, or a folder of DICOM objects."""
    if path.is_file():
        return path
    found = [p for end in (".nii.gz", ".nii") for p in nifti.files_of(path / f"liver{end}")]
    if found:
        return path / f"liver{'.nii.gz' if found[0].name.endswith('.gz') else '.nii'}"
    objects = [p for p in path.iterdir() if p.suffix == ".dcm"]
    seg = [p for p in objects if p.name == "seg.dcm"]
    return seg[0] if seg else path if objects else None


def _measurements(predictions: Path) -> Mapping[str, _Measured]:
    """Numbers of every exam from the CSV files of a folder; Contradiction for an exam named twice."""
    found: dict[str, _Measured] = {}
    for path in sorted(predictions.glob("*.csv")):
        rows = read_rows(path)
        if not rows or not {"exam", "stiffness_kpa"} <= set(rows[0]):
            continue
        for line, row in enumerate(rows, start=2):
            where = f"{path.name}, line {line}"
            if row["exam"] in found:
                raise Contradiction(f"{where}: exam {row['exam']!r} is measured twice")
            low, high = (_number(row.get(f"interval_95_{end}_kpa") or "", where) for end in ("low", "high"))
            interval = None if low is None or high is None else (low, high)
            found[row["exam"]] = _Measured(_number(row["stiffness_kpa"], where), interval)
    return found


def _number(text: str, where: str) -> float | None:
    if text.strip().casefold() in ("", "na", "nan", "none", "null"):
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise Contradiction(f"{where}: a stiffness is a number above 0 in kPa, or empty; found {text!r}")
    return value


def _one(
    case: Case, mask: Path | None, measured: _Measured | None, settings: StudySettings
) -> tuple[Entry, Reading, list[str]]:
    """Entry and reading of an exam, and what was odd about its prediction."""
    kept: list[Loaded] = []
    entry = _entry(case, settings, kept)
    if not entry.taken:
        return entry, Reading(case.exam), [entry.sentence]
    kpa = measured.kpa if measured else None
    interval = measured.interval if measured else None
    if mask is None or (measured is not None and not kept):  # nothing to compare an outline with
        if measured is None:
            sentence = f"{case.exam}: there is no prediction of this exam"
            return entry, _nothing(case.exam, kept, settings, sentence), [sentence]
        return entry, Reading(case.exam, kpa=kpa, interval_95=interval), []
    try:
        return entry, _compared(case.exam, mask, kept[0], kpa, interval, settings), []
    except (InputError, IndexError) as error:
        sentence = f"{case.exam}: {error}" if kept else f"{case.exam}: there is no reference mask to compare with"
        return entry, _nothing(case.exam, kept, settings, sentence, kpa, interval), [sentence]


def _nothing(
    exam: str,
    kept: Sequence[Loaded],
    settings: StudySettings,
    error: str,
    kpa: float | None = None,
    interval: tuple[float, float] | None = None,
) -> Reading:
    """A prediction that is not there counts as an empty outline, if there was one to draw."""
    if not kept:
        return Reading(exam, kpa=kpa, interval_95=interval, error=error)
    empty = np.zeros(kept[0].exam.shape, bool)
    whole, slices = compare_exam(empty, kept[0].liver, spacing_mm(kept[0].exam), settings.tolerance_mm)
    return Reading(exam, whole, slices, kpa=kpa, interval_95=interval, error=error)


def _entry(case: Case, settings: StudySettings, kept: list[Loaded]) -> Entry:
    """As a study reads it; without images from the reference mask alone, or from the table alone."""
    if case.path is not None:
        return inspect_case(case, settings, lambda _, loaded: kept.append(loaded))
    patient, known = case.patient or case.exam, case.patient is not None
    table, true = (None if (v := case.row.get(n)) is None else float(v) for n in ("reader_kpa", "true_kpa"))
    reference = Reference(None, table_kpa=table, true_kpa=true)
    if case.mask is None:
        return Entry(case.exam, patient, known, case.row, reference=reference)
    try:
        grid = nifti.read_image(case.mask)
        kept.append(Loaded(grid, grid.magnitude > 0))
    except InputError as error:
        return Entry(case.exam, patient, known, case.row, "unreadable", f"{case.exam}: {error}")
    return Entry(case.exam, patient, known, case.row, slices=len(grid.slices), reference=reference)


def _compared(
    exam: str,
    mask: Path,
    loaded: Loaded,
    kpa: float | None,
    interval: tuple[float, float] | None,
    settings: StudySettings,
) -> Reading:
    liver = _liver_of(mask)
    found = read_any_mask(liver if liver is not None else mask, loaded.exam)
    spacing = spacing_mm(loaded.exam)
    whole, slices = compare_exam(found, loaded.liver, spacing, settings.tolerance_mm)
    region = _region(mask, loaded.exam)
    if region is None or loaded.exam.stiffness_kpa is None:
        return Reading(exam, whole, slices, kpa=kpa, interval_95=interval)
    reference = draw_roi(loaded.exam, LiverMask(loaded.liver.astype(np.float32), loaded.liver, None), settings.roi)
    return Reading(
        exam, whole, slices, compare_region(region, reference.keep, spacing),
        dict(purity(region, places(loaded, reference)).share), kpa, interval,
        float(region.sum() * loaded.exam.pixel_area_mm2),
    )  # fmt: skip


def _region(mask: Path, exam: Exam) -> np.ndarray | None:
    """The measured region beside a mask (roi.nii.gz); None where there is none."""
    path = mask / "roi.nii.gz"
    return nifti.read_mask(path, exam) if mask.is_dir() and nifti.files_of(path) else None
