"""Where a cohort keeps what: exams, reference masks and the table, told from the names alone; no file is opened.

    DATA/exams/NAME        folder of DICOM or a NIfTI set, or NAME.nii.gz, a magnitude image alone
    DATA/masks/NAME/       liver.nii.gz, reader_1.nii.gz …, or DICOM objects (SEG, RTSTRUCT, a series of mask images);
                           or masks/NAME.nii.gz or NAME.dcm, a liver mask
    DATA/table.csv         or truth.csv of `livermre simulate`; may be absent

or images with label maps, in one of three places:

    DATA/images/NAME.nii.gz          DATA/labels/NAME.nii.gz        as `livermre train` takes it
    DATA/image_NAME.nii.gz           DATA/label_NAME.nii.gz         all in one folder
    DATA/imagesTr/NAME_0000.nii.gz   DATA/labelsTr/NAME.nii.gz      nnU-Net; imagesTr/NAME.nii.gz, too

Which labels are the liver is told by the caller, else by DATA/dataset.json (of nnU-Net or the Medical Segmentation
Decathlon), else it is label 1.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from livermre.exam.errors import CorruptFile, NothingFound, SettingsError
from livermre.results import base_name
from livermre.study.table import TABLES, Row, read_table

EXAMS, MASKS, IMAGES, LABELS = "exams", "masks", "images", "labels"
DESCRIPTION = "dataset.json"
_NNUNET = "_0000"  # the first channel of nnU-Net's images
_NIFTI = (".nii.gz", ".nii")
_FILES = (*_NIFTI, ".dcm")


@dataclass(frozen=True)
class Case:
    """One exam of the cohort as its names tell it.

    path      folder or file of the exam; None where only the table or a mask speaks of it
    mask      file of the liver's reference mask, or a folder of DICOM objects; None where there is none
    labels    values of the liver where the mask is a label map; empty where it is a mask
    readers   files of regions that readers drew
    truth     folder with the maps of a simulated exam's truth; None for a real one
    row       its line of the table, by our names of the columns
    """

    exam: str
    path: Path | None
    mask: Path | None
    labels: tuple[int, ...] = ()
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


def find_cases(data: Path, liver_labels: tuple[int, ...] | None = None) -> Cohort:
    """The cohort in a folder; SettingsError where there is no folder, NothingFound where it holds no exams.

    liver_labels  values of the liver in label maps; None: as dataset.json says, else 1

    Exams that only the table or only a mask names are cases too: nobody falls out of the count unseen.
    """
    if not data.is_dir():
        raise SettingsError(f"DATA: there is no folder {data}")
    pairs = None if (data / EXAMS).is_dir() else _pairs(data)
    exams, masks = pairs or (by_name(data / EXAMS), by_name(data / MASKS))
    if not exams:
        raise NothingFound(
            f"{data.name} holds no cohort: it needs exams/NAME with masks/NAME/liver.nii.gz, images/NAME.nii.gz with "
            "labels/NAME.nii.gz, or image_NAME.nii.gz with label_NAME.nii.gz"
        )
    labels = (liver_labels or _described(data) or (1,)) if pairs else ()
    table = next((data / name for name in TABLES if (data / name).is_file()), None)
    rows = read_table(table) if table else {}
    names = sorted({*exams, *masks, *rows})
    cases = tuple(_case(name, exams.get(name), masks.get(name), rows.get(name, {}), labels) for name in names)
    return Cohort(cases, table, any((data / MASKS / name / "truth.json").is_file() for name in exams))


def cases_of_masks(data: Path) -> Cohort:
    """Masks and a table alone: DATA/masks/NAME… (or DATA/NAME…) and table.csv; no exams.

    Raises NothingFound where there is neither a mask nor a line of a table.
    """
    masks = by_name(data / MASKS if (data / MASKS).is_dir() else data)
    table = next((data / name for name in TABLES if (data / name).is_file()), None)
    rows = read_table(table) if table else {}
    cases = tuple(_case(n, None, masks.get(n), rows.get(n, {}), ()) for n in sorted({*masks, *rows}))
    if not cases:
        raise NothingFound(f"{data.name} holds no truth: it needs masks/NAME/liver.nii.gz or table.csv, or both")
    return Cohort(cases, table, any(c.truth is not None for c in cases))


def has_exams(data: Path) -> bool:
    """Whether a folder is a cohort with images of its own, not masks and a table alone."""
    return (data / EXAMS).is_dir() or _pairs(data) is not None


def _pairs(data: Path) -> tuple[Mapping[str, Path], Mapping[str, Path]] | None:
    """Images and label maps by name, where a folder holds such; None where it does not."""
    if (data / IMAGES).is_dir():
        return by_name(data / IMAGES), by_name(data / LABELS)
    if (data / f"{IMAGES}Tr").is_dir():
        found = by_name(data / f"{IMAGES}Tr")
        first = {n.removesuffix(_NNUNET): p for n, p in found.items() if n.endswith(_NNUNET)}
        return first or found, by_name(data / f"{LABELS}Tr")
    files = by_name(data)
    images, labels = (
        {n.removeprefix(start): p for n, p in files.items() if n.startswith(start)} for start in ("image_", "label_")
    )
    return (images, labels) if images and labels else None


def _described(data: Path) -> tuple[int, ...] | None:
    """Values of the liver by dataset.json; None where it is not there or names no liver.

    nnU-Net writes name -> value or values, the Decathlon value -> name.
    """
    path = data / DESCRIPTION
    if not path.is_file():
        return None
    try:
        labels = dict(json.loads(path.read_text(encoding="utf-8")).get("labels", {}))
        named = [v for n, v in labels.items() if str(n).casefold() == "liver"]
        values = [v for one in named for v in (one if isinstance(one, list) else [one])]
        values += [n for n, v in labels.items() if str(v).casefold() == "liver"]
        return tuple(sorted(int(v) for v in values)) or None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise CorruptFile(f"{DESCRIPTION} is damaged ({type(error).__name__}); say --labels liver=VALUE") from error


def by_name(folder: Path) -> Mapping[str, Path]:
    """Folders, NIfTI and DICOM files of a folder by their names without endings; hidden ones are left out."""
    if not folder.is_dir():
        return {}
    found = [p for p in folder.iterdir() if not p.name.startswith(".") and (p.is_dir() or p.name.endswith(_FILES))]
    return {base_name(p): p for p in sorted(found)}


def _case(name: str, path: Path | None, mask: Path | None, row: Row, labels: tuple[int, ...]) -> Case:
    if mask is None or not mask.is_dir():
        return Case(name, path, mask, labels, row=row)
    liver = next((mask / f"liver{end}" for end in _NIFTI if (mask / f"liver{end}").is_file()), None)
    readers = tuple(sorted(p for p in mask.glob("reader_*.nii*")))
    truth = mask if (mask / "truth.json").is_file() else None
    objects = mask if liver is None and any(p.is_file() for p in mask.iterdir()) else None
    return Case(name, path, liver or objects, labels, readers, truth, row)
