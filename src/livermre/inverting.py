"""`livermre invert`: the acquired phase of an exam in, maps as a NIfTI set and a picture out."""

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from livermre import given, nifti, report
from livermre.exam.errors import InputError, LivermreError, OutputError, SettingsError
from livermre.exam.flags import Flag
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Exam, LiverMask, Waves
from livermre.from_phase import compared, inverted
from livermre.inversion import InversionSettings
from livermre.inversion.chain import Start
from livermre.inversion.quality import CONFIDENT
from livermre.pipeline import read_folder
from livermre.results import RECORD, base_name, check_place, exam_names, whole_folder
from livermre.version import __version__

PICTURE, REGIONS = "inversion.png", "regions.csv"

_STIFFEST_KPA = 300.0
"""No gel or tissue of elastography is stiffer: a larger nominal value is in Pa."""


@dataclass(frozen=True)
class Region:
    """A region to measure, of a phantom or drawn by hand, and what it should hold."""

    path: Path
    nominal_kpa: float | None = None

    def __post_init__(self) -> None:
        """Raise SettingsError for a nominal value that must be Pa."""
        if self.nominal_kpa is not None and self.nominal_kpa > _STIFFEST_KPA:
            raise SettingsError(f"--phantom: {self.nominal_kpa:g} kPa is stiffer than any phantom; give kPa, not Pa")

    @property
    def name(self) -> str:
        """The mask's name without its ending."""
        return self.path.name.removesuffix(".gz").removesuffix(".nii")


@dataclass(frozen=True)
class InvertRequest:
    """How to invert, and what to measure in the maps."""

    settings: InversionSettings
    start: Start = "phase"
    regions: tuple[Region, ...] = ()
    overwrite: bool = False


@dataclass(frozen=True)
class InvertResult:
    """What one exam gave: its slices' quality, what to know of it, the rows of its regions."""

    waves: Waves
    z_mm: tuple[float, ...]
    messages: tuple[str, ...]
    rows: tuple[Mapping[str, object], ...]


@dataclass(frozen=True)
class InvertOutcome:
    """What became of one exam: a result, an error in one sentence, or neither where finished maps were kept."""

    folder: Path
    result: InvertResult | None = None
    error: str = ""


def invert_path(path: Path, out: Path, options: ReadOptions, request: InvertRequest) -> list[InvertOutcome]:
    """Invert every exam of a folder or file: one into `out`, several into `out/<exam>/`; a bad one stops no other.

    Raises InputError where nothing can be read, SettingsError for a region's file or an `out` that cannot be used.
    """
    check_place([path], out)
    for region in request.regions:
        given.check_mask("--phantom", region.path)
    reading = read_folder(path, options)
    count = len(reading.studies) + len(reading.failures)
    targets = [out] if count == 1 else [out / n for n in exam_names(base_name(path), count)]
    outcomes = [_outcome(s, t, request) for s, t in zip(reading.studies, targets)]
    unread = zip(targets[len(outcomes) :], reading.failures, strict=True)
    return outcomes + [InvertOutcome(t, error=str(e)) for t, e in unread]


def _outcome(study: Study, target: Path, request: InvertRequest) -> InvertOutcome:
    try:
        if not request.overwrite and _finished(study, target, request):
            return InvertOutcome(target)
        return InvertOutcome(target, invert_study(study, target, request))
    except LivermreError as error:
        return InvertOutcome(target, error=str(error))


def _finished(study: Study, target: Path, request: InvertRequest) -> bool:
    """Whether the same maps lie there already; raises OutputError where others do."""
    try:
        record = json.loads((target / RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        record = {}
    if not isinstance(record, dict) or any(record.get(k) != v for k, v in _made_of(study, request).items()):
        raise OutputError(f"{target} holds another inversion: choose another --out, or add --overwrite")
    return not request.regions


def _made_of(study: Study, request: InvertRequest) -> dict[str, object]:
    """What decides the maps, as it stands in the record."""
    return {
        "start": request.start,
        "settings": json.loads(json.dumps(dataclasses.asdict(request.settings))),
        "inputs_sha256": study.inputs_sha256,
        "livermre": __version__,
    }


def invert_study(study: Study, target: Path, request: InvertRequest) -> InvertResult:
    """Write the maps of one exam into a folder that `analyze` reads; an earlier inversion there is replaced.

    Raises InputError where phase or frequency do not allow an inversion, SettingsError for a region that does not fit,
    OutputError where anything else lies in the folder.
    """
    made = inverted(study.exam, request.settings, request.start)
    everywhere = np.ones(study.exam.shape, dtype=bool)
    waves = compared(made.waves, made.exam, LiverMask(everywhere, everywhere, None))
    measured = [_measured(region, made.exam) for region in request.regions]
    rows = tuple(row for row, _ in measured)
    doubts = tuple(f"{row['region']}: {f.message}" for row, flags in measured for f in flags)
    with whole_folder(target, RECORD) as folder:
        nifti.write_exam(folder, _without_phase(made.exam))
        (folder / PICTURE).write_bytes(report.inversion_picture(made.exam, waves))
        _write_record(folder / RECORD, study, made.exam, waves, request)
        if rows:
            _write_rows(folder / REGIONS, rows)
    messages = tuple(f.message for f in made.exam.flags) + doubts
    return InvertResult(waves, made.exam.positions_mm, messages, rows)


def _without_phase(exam: Exam) -> Exam:
    """The exam as it is written: the acquired phase stays where it came from."""
    return replace(exam, slices=tuple(replace(s, phase_rad=None) for s in exam.slices))


def _measured(region: Region, exam: Exam) -> tuple[dict[str, object], Sequence[Flag]]:
    """Mean and SD of a region over its pixels with a value, beside what it should hold; doubts about its mask."""
    mask, doubts = given.mask("--phantom", region.path, exam)
    kpa, sure = exam.stiffness_kpa, exam.confidence
    if kpa is None or sure is None:
        raise InputError("the inversion gave no map")
    values = kpa[mask & np.isfinite(kpa)].astype(float)
    trusted = kpa[mask & np.isfinite(kpa) & (sure >= CONFIDENT)].astype(float)
    if values.size == 0:
        raise SettingsError(f"--phantom: no pixel of {region.path.name} has a value in the map")
    mean, nominal = float(values.mean()), region.nominal_kpa
    row = {
        "region": region.name,
        "mean_kpa": round(mean, 4),
        "sd_kpa": round(float(values.std()), 4),
        "pixels": int(values.size),
        "confident_share": round(trusted.size / int(mask.sum()), 4),
        "confident_mean_kpa": round(float(trusted.mean()), 4) if trusted.size else None,
        "nominal_kpa": nominal,
        "difference_percent": None if nominal is None else round(100 * (mean / nominal - 1), 2),
    }
    return row, doubts


def _write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def _write_record(path: Path, study: Study, exam: Exam, waves: Waves, request: InvertRequest) -> None:
    """inversion.json: what the maps are, how good the waves were, what made them."""
    quality = zip(exam.positions_mm, waves.harmonic_share, waves.bulk_ratio, waves.noise_rad, strict=True)
    names = ("z_mm", "harmonic_share", "bulk_ratio", "noise_rad")
    content = {
        "quantity": waves.quantity,
        "method": waves.method,
        "components": (exam.inversion or {}).get("components"),
        "frequency_hz": exam.acquisition.frequency_hz,
        "frequencies_hz": list(exam.acquisition.frequencies_hz),
        **_made_of(study, request),
        "slices": [dict(zip(names, map(_rounded, row), strict=True)) for row in quality],
        "agreement_with_vendor": waves.agreement and {k: _rounded(v) for k, v in waves.agreement.items()},
        "flags": [{"code": f.code, "severity": f.severity.value, "message": f.message} for f in exam.flags],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
