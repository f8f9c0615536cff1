"""One simulated exam: a patient scanned, inverted, written as a vendor's DICOM, with the truth beside it.

    OUT/exams/<exam>/   DICOM in a vendor's style: acquired phase and magnitude, and maps by our own inversion, which
                        stands for the vendor's: each patient gets filter and window of their own
    OUT/masks/<exam>/   liver, parenchyma, labels, stiffness_true_kpa and readers as NIfTI, and truth.json

Every exam follows from the cohort's seed, its patient's number and its repeat alone: same bytes in any order, by any
number of processes, and in a larger cohort of the same seed.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from livermre import nifti
from livermre.dicom.write import STYLES, Style, write_exam
from livermre.exam.errors import InputError, OutputError, SettingsError
from livermre.exam.types import Exam, Identity
from livermre.inversion import InversionSettings, invert
from livermre.results import TRUTH, whole_folder
from livermre.simulate.scan import Patient, ScanSettings, SimulatedScan, scan, simulate_patient
from livermre.version import __version__

EXAMS, MASKS = "exams", "masks"

_STYLES_OF: Mapping[str, tuple[Style, ...]] = {
    "GE": ("ge",),
    "Siemens": ("siemens", "siemens-enhanced"),
    "Philips": ("philips-enhanced",),
}
_FIRST_VISIT, _BETWEEN_VISITS = date(2000, 1, 1), timedelta(days=28)  # of nobody: no clock is read


@dataclass(frozen=True)
class Recipe:
    """All that decides a cohort's exams beside their number.

    style        DICOM style of all exams; None: that of each patient's own vendor, drawn from the priors
    vary_vendor  draw window and filter of the inversion anew for each patient, as sites and versions differ
    """

    seed: int
    style: Style | None = None
    scan: ScanSettings = field(default_factory=ScanSettings)
    vary_vendor: bool = True

    def __post_init__(self) -> None:
        """Raise SettingsError for a negative seed or an unknown style."""
        if self.seed < 0:
            raise SettingsError(f"a seed is a whole number from 0 on, not {self.seed}")
        if self.style is not None and self.style not in STYLES:
            raise SettingsError(f"--vendor must be one of {', '.join(STYLES)}, not {self.style}")

    def recorded(self) -> dict[str, object]:
        """What truth.json keeps of it, to tell exams of another recipe from its own."""
        return {"livermre": __version__, **json.loads(json.dumps(asdict(self)))}


@dataclass(frozen=True)
class Task:
    """One exam to make: whose, numbered from 1, which of his visits, numbered from 0, and the folder of the cohort."""

    recipe: Recipe
    patient: int
    repeat: int
    out: Path

    @property
    def name(self) -> str:
        """Name of the exam's folders."""
        return f"patient-{self.patient:04d}" + (f"-repeat-{self.repeat}" if self.repeat else "")


@dataclass(frozen=True)
class Made:
    """One exam of the cohort: its name, whether it was made now or lay there, and its line of truth.csv."""

    exam: str
    status: Literal["made", "kept"]
    row: Mapping[str, object] = field(repr=False)


def simulate_exam(task: Task) -> Made:
    """Make one exam and its truth, or keep the one that lies there from the same recipe.

    Both folders are there whole or not at all, the exam's last. Raises OutputError where they hold something else.
    """
    exams, masks = task.out / EXAMS / task.name, task.out / MASKS / task.name
    row = _known(task, masks)
    if row is not None and exams.is_dir():
        return Made(task.name, "kept", row)
    if row is None and exams.exists():
        raise OutputError(f"{exams} holds an exam without its truth in {masks}: choose another --out")
    style, scanned, exam, vendor = _scanned(task)
    if row is None:
        row = {"exam": task.name, "patient": task.patient, "style": style, **_plain(scanned.truth.row), **vendor}
        with whole_folder(masks, TRUTH) as folder:
            _write_masks(scanned, folder)
            content = {"row": row, "recipe": task.recipe.recorded()}
            (folder / TRUTH).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    with whole_folder(exams) as folder:
        who = Identity(f"{task.recipe.seed}-{task.patient:04d}", _visit(task.repeat))
        write_exam(exam, folder, style, seed=f"{task.recipe.seed}/{task.name}", identity=who, burned_in=True)
    return Made(task.name, "made", row)


def truth_row(masks: Path) -> tuple[dict[str, object], object] | None:
    """An exam's line of truth.csv, and the recipe that made it; None where no such folder lies there."""
    try:
        content = json.loads((masks / TRUTH).read_text(encoding="utf-8"))
        return dict(content["row"]), content["recipe"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _known(task: Task, masks: Path) -> dict[str, object] | None:
    known = truth_row(masks)
    if known is None:
        return None
    row, recipe = known
    if recipe != task.recipe.recorded():
        raise OutputError(
            f"{masks} was made with another seed, vendor, settings or version of livermre: choose another --out"
        )
    return row


def _visit(repeat: int) -> str:
    return f"{_FIRST_VISIT + repeat * _BETWEEN_VISITS:%Y%m%d}"


def _scanned(task: Task) -> tuple[Style, SimulatedScan, Exam, dict[str, object]]:
    """Style, scan, the exam with its vendor's maps, and how those were made."""
    recipe = task.recipe
    seeds = np.random.SeedSequence((recipe.seed, task.patient))
    rng = np.random.default_rng(seeds.spawn(1)[0])
    patient = _patient(int(seeds.generate_state(1)[0]), recipe.style)
    style = _style(patient, recipe.style, rng)
    settings = _vendor_settings(rng) if recipe.vary_vendor else InversionSettings()
    scanned = scan(patient, task.repeat, recipe.scan)
    vendor: dict[str, object] = {
        "vendor_window_mm": settings.window_mm, "vendor_highpass_mm": settings.highpass_mm, "vendor_maps": True,
    }  # fmt: skip
    try:
        return style, scanned, invert(scanned.exam, settings).exam, vendor
    except InputError:  # phase that nothing could be made of: the exam goes out as it was acquired
        return style, scanned, scanned.exam, vendor | {"vendor_maps": False}


def _patient(seed: int, style: Style | None) -> Patient:
    maker = next((v for v, styles in _STYLES_OF.items() if style in styles), None)
    return simulate_patient(seed, vendor=maker)  # type: ignore[arg-type]  # the same three names


def _style(patient: Patient, wanted: Style | None, rng: np.random.Generator) -> Style:
    styles = _STYLES_OF[str(patient.vendor)]
    drawn = styles[int(rng.integers(len(styles)))]  # drawn whether wanted or not: what follows stays the same
    return wanted or drawn


def _vendor_settings(rng: np.random.Generator) -> InversionSettings:
    """An inversion whose window and high-pass lie within 15 % of ours (project's choice)."""
    standard = InversionSettings()
    window, highpass = rng.uniform(0.85, 1.15, 2)
    return replace(
        standard,
        window_mm=round(float(window) * standard.window_mm, 2),
        highpass_mm=round(float(highpass) * standard.highpass_mm, 1),
    )


def _write_masks(scanned: SimulatedScan, folder: Path) -> None:
    maps = {
        "liver": scanned.liver, "parenchyma": scanned.parenchyma, "labels": scanned.labels,
        "stiffness_true_kpa": scanned.stiffness_true_kpa,
    }  # fmt: skip
    readers = {f"reader_{i}": region for i, region in enumerate(scanned.readers, start=1)}
    for name, array in (maps | readers).items():
        nifti.write_volume(folder / f"{name}.nii.gz", array, scanned.exam)


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    """Values of numpy as those of Python; what is no number as None."""
    values = {k: v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in values.items()}
