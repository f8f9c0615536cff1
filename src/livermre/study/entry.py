"""What is known of each exam without its pixels: the plain values that cohort.json keeps."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from livermre import nifti
from livermre.exam.flags import Severity
from livermre.exam.types import LiverMask, Stiffness
from livermre.roi import draw_roi, given_roi
from livermre.stiffness import measure
from livermre.study.cohort import Case
from livermre.study.reading import Excluded, Loaded, load
from livermre.study.settings import StudySettings
from livermre.study.table import Row


@dataclass(frozen=True)
class Reference:
    """What the reference says of an exam, measured on the same maps as every network's mask.

    mask_kpa     mean by the region's rules inside the reference mask, kPa; None where not reportable
    blocking     codes of the flags that forbid it
    readers_kpa  means inside the readers' own regions, kPa
    table_kpa    what the table says a reader found, kPa
    true_kpa     mean true |G*| of a simulated liver, kPa
    """

    mask_kpa: float | None
    blocking: tuple[str, ...] = ()
    readers_kpa: tuple[float | None, ...] = ()
    table_kpa: float | None = None
    true_kpa: float | None = None

    @property
    def measurable(self) -> bool:
        """Whether a person could give a number: inside the mask by the rules, or, without a map, by hand."""
        by_hand = (self.table_kpa, *self.readers_kpa)
        return self.mask_kpa is not None or (not self.blocking and any(v is not None for v in by_hand))


@dataclass(frozen=True)
class Entry:
    """One exam of the cohort: why it is left out, or what it holds.

    reason, sentence  a code of reading.REASONS and what was wrong; empty where the exam takes part
    patient           who; the exam's own name where nobody says
    pixels            hash of the magnitude of every slice; empty for a blank one
    study             pseudonym of the study, from DICOM; empty from NIfTI
    person            hash of the patient ID in the headers; empty where there is none
    """

    exam: str
    patient: str
    patient_known: bool
    row: Row
    reason: str = ""
    sentence: str = ""
    slices: int = 0
    liver_slices: int = 0
    liver_area_mm2: float = 0.0
    shape: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    has_map: bool = False
    has_confidence: bool = False
    flags: tuple[str, ...] = ()
    pixels: tuple[str, ...] = ()
    study: str = ""
    person: str = ""
    inputs_sha256: str = ""
    reference: Reference | None = None

    @property
    def taken(self) -> bool:
        """Whether the exam takes part."""
        return not self.reason

    def stratum(self, name: str) -> object:
        """A value of its row; None where nobody says."""
        return self.row.get(name)

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def entry_from(values: Mapping) -> Entry:
    """The entry that `as_dict` wrote, after JSON."""
    plain: dict[str, Any] = _tuples(values)
    reference = plain.pop("reference")
    return Entry(**plain, reference=None if reference is None else Reference(**_tuples(reference)))


def _tuples(values: Mapping) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


@dataclass(frozen=True)
class Problem:
    """Something that does not fit: how bad, which exams, and the sentence that says what would be right."""

    severity: str  # "error": no study can be done; "exclusion": without these exams; "warning": with them
    exams: tuple[str, ...]
    sentence: str


@dataclass(frozen=True)
class Inspection:
    """All exams of a cohort as they were found, and what does not fit."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = field(default=())

    @property
    def taken(self) -> tuple[Entry, ...]:
        """The exams that take part."""
        return tuple(e for e in self.entries if e.taken)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What forbids the study."""
        return tuple(p for p in self.problems if p.severity == "error")


def inspect_case(
    case: Case, settings: StudySettings, keep: Callable[[Entry, Loaded], None] = lambda entry, loaded: None
) -> Entry:
    """The entry of one case; `keep` gets what was loaded of an exam that takes part."""
    patient = case.patient or case.exam
    known = case.patient is not None
    try:
        loaded = load(case)
    except Excluded as left_out:
        return Entry(case.exam, patient, known, case.row, left_out.code, str(left_out))
    exam = loaded.exam
    entry = Entry(
        case.exam,
        patient if known or not loaded.person else loaded.person,
        known or bool(loaded.person),
        _row(case.row, loaded),
        slices=len(exam.slices),
        liver_slices=int(loaded.liver.any(axis=(1, 2)).sum()),
        liver_area_mm2=float(loaded.liver.sum() * exam.pixel_area_mm2),
        shape=exam.shape,
        spacing_mm=tuple(map(float, exam.spacing_mm)),
        has_map=exam.stiffness_kpa is not None,
        has_confidence=exam.confidence is not None,
        flags=tuple(f.code for f in exam.flags),
        pixels=tuple(_hash(s.magnitude) for s in exam.slices),
        study=_study(case, loaded),
        person=loaded.person,
        inputs_sha256=loaded.inputs_sha256,
        reference=_reference(loaded, case.row, settings),
    )
    keep(entry, loaded)
    return entry


def _row(row: Row, loaded: Loaded) -> Row:
    """The table's line, vendor and field from the headers where it is silent."""
    acquired = loaded.exam.acquisition
    vendor = acquired.vendor if acquired.vendor not in ("", "unknown", "simulated") else None
    headers: Row = {"vendor": vendor, "field_t": acquired.field_t, "sequence": acquired.sequence or None}
    return {k: v for k, v in headers.items() if v is not None} | {k: v for k, v in row.items() if v is not None}


def _study(case: Case, loaded: Loaded) -> str:
    nameless = case.path is None or case.path.is_file() or nifti.is_set(case.path)
    return "" if nameless else loaded.exam.pseudonym


def _hash(image: np.ndarray) -> str:
    """Of a slice's pixels; empty for a blank one, which all patients may share."""
    values = image[np.isfinite(image)]
    if not values.size or values.min() == values.max():
        return ""
    return hashlib.sha256(np.ascontiguousarray(image, dtype="<f4").tobytes()).hexdigest()[:16]


def _reference(loaded: Loaded, row: Row, settings: StudySettings) -> Reference:
    exam = loaded.exam
    table, true = (row.get(name) for name in ("reader_kpa", "true_kpa"))
    given = {
        "table_kpa": float(table) if table is not None else None,
        "true_kpa": float(true) if true is not None else None,
    }
    if exam.stiffness_kpa is None:
        return Reference(None, ("no_map",), tuple(None for _ in loaded.readers), **given)
    liver = LiverMask(loaded.liver.astype(np.float32), loaded.liver, None)
    measured = measure(exam, liver, draw_roi(exam, liver, settings.roi), settings.measure)
    readers = (measure(exam, liver, given_roi(exam, r), settings.measure) for r in loaded.readers)
    return Reference(
        measured.mean_kpa, (*_exam_blocks(loaded), *blocking(measured)), tuple(r.mean_kpa for r in readers), **given
    )


def _exam_blocks(loaded: Loaded) -> tuple[str, ...]:
    return tuple(f.code for f in loaded.exam.flags if f.severity == Severity.BLOCKING)


def blocking(measured: Stiffness) -> tuple[str, ...]:
    """Codes of the flags that forbid a number."""
    return tuple(f.code for f in measured.flags if f.severity == Severity.BLOCKING)
