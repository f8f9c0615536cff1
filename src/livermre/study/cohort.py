"""Where a cohort keeps what: exams, reference masks and the table, told from the names alone; no file is opened.

    DATA/exams/NAME        folder of DICOM or a NIfTI set, or NAME.nii.gz, a magnitude image alone
    DATA/masks/NAME/       liver.nii.gz, reader_1.nii.gz …, or DICOM objects (SEG, RTSTRUCT, a series of mask images);
                           or masks/NAME.nii.gz or NAME.dcm, a liver mask
    DATA/table.csv         or truth.csv of `livermre simulate`; may be absent

or, as `livermre train` takes it, DATA/images/NAME.nii.gz with DATA/labels/NAME.nii.gz (label 1 is the liver).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from livermre.exam.errors import NothingFound, SettingsError
from livermre.results import base_name
from livermre.study.table import TABLES, Row, read_table

EXAMS, MASKS, IMAGES, LABELS = "exams", "masks", "images", "labels"
_NIFTI = (".nii.gz", ".nii")
_FILES = (*_NIFTI, ".dcm")


@dataclass(frozen=True)
class Case:
    """One exam of the cohort as its names tell it.

    path      folder or file of the exam; None where only the table or a mask speaks of it
    mask      file of the liver's reference mask, or a folder of DICOM objects; None where there is none
    labels    whether the mask is a label map whose 1 is the liver
    readers   files of regions that readers drew
    truth     folder with the maps of a simulated exam's truth; None for a real one
    row       its line of the table, by our names of the columns
    """

    exam: str
    path: Path | None
    mask: Path | None
    labels: bool = False
    readers: tuple[Path, ...] = ()
    truth: Path | None = None
    row: Row = field(default_factory=dict)

    @property
    def patient(self) -> str | None:
        """Who was examined, as the table says; None where it does not."""
        value = self.row.get("patient")
        return None if value is None else str(value)


@dataclass(frozen=True)
class Cohort:
    """All cases of a folder, sorted by name, and how they were found."""

    cases: tuple[Case, ...]
    table: Path | None
    simulated: bool


def find_cases(data: Path) -> Cohort:
    """The cohort in a folder; SettingsError where there is no folder, NothingFound where it holds no exams.

    Exams that only the table or only a mask names are cases too: nobody falls out of the count unseen.
    """
    if not data.is_dir():
        raise SettingsError(f"DATA: there is no folder {data}")
    pairs = (data / IMAGES).is_dir() and not (data / EXAMS).is_dir()
    exams = by_name(data / (IMAGES if pairs else EXAMS))
    if not exams:
        raise NothingFound(
            f"{data.name} holds no cohort: it needs exams/NAME with masks/NAME/liver.nii.gz, or images/NAME.nii.gz "
            "with labels/NAME.nii.gz"
        )
    masks = by_name(data / (LABELS if pairs else MASKS))
    table = next((data / name for name in TABLES if (data / name).is_file()), None)
    rows = read_table(table) if table else {}
    names = sorted({*exams, *masks, *rows})
    cases = tuple(_case(name, exams.get(name), masks.get(name), rows.get(name, {}), pairs) for name in names)
    return Cohort(cases, table, any((data / MASKS / name / "truth.json").is_file() for name in exams))


def cases_of_masks(data: Path) -> Cohort:
    """Masks and a table alone: DATA/masks/NAME… (or DATA/NAME…) and table.csv; no exams.

    Raises NothingFound where there is neither a mask nor a line of a table.
    """
    masks = by_name(data / MASKS if (data / MASKS).is_dir() else data)
    table = next((data / name for name in TABLES if (data / name).is_file()), None)
    rows = read_table(table) if table else {}
    cases = tuple(_case(n, None, masks.get(n), rows.get(n, {}), False) for n in sorted({*masks, *rows}))
    if not cases:
        raise NothingFound(f"{data.name} holds no truth: it needs masks/NAME/liver.nii.gz or table.csv, or both")
    return Cohort(cases, table, any(c.truth is not None for c in cases))


def by_name(folder: Path) -> Mapping[str, Path]:
    """Folders, NIfTI and DICOM files of a folder by their names without endings; hidden ones are left out."""
    if not folder.is_dir():
        return {}
    found = [p for p in folder.iterdir() if not p.name.startswith(".") and (p.is_dir() or p.name.endswith(_FILES))]
    return {base_name(p): p for p in sorted(found)}


def _case(name: str, path: Path | None, mask: Path | None, row: Row, labels: bool) -> Case:
    if mask is None or not mask.is_dir():
        return Case(name, path, mask, labels, row=row)
    liver = next((mask / f"liver{end}" for end in _NIFTI if (mask / f"liver{end}").is_file()), None)
    readers = tuple(sorted(p for p in mask.glob("reader_*.nii*")))
    truth = mask if (mask / "truth.json").is_file() else None
    objects = mask if liver is None and any(p.is_file() for p in mask.iterdir()) else None
    return Case(name, path, liver or objects, labels, readers, truth, row)
