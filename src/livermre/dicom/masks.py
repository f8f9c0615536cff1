"""Masks that other people drew, as DICOM: SEG, RTSTRUCT, regions of an SR, and series of mask images (MRE/Quant)."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livermre.dicom import masks_contours, masks_seg
from livermre.dicom.files import DicomFile, Folder, open_all, quiet_pydicom, walk
from livermre.dicom.header import Tag
from livermre.dicom.masks_place import Drawn, on_exam
from livermre.dicom.masks_series import mask_images
from livermre.dicom.scan import looks_like_dicom
from livermre.exam.errors import Contradiction, CorruptFile, InputError, NothingFound
from livermre.exam.types import Exam

REGION, LIVER = "region", "liver"
"""What a mask is wanted for: it decides which of several segments is taken."""

_SEG = "1.2.840.10008.5.1.4.1.1.66."
_RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
_SR = "1.2.840.10008.5.1.4.1.1.88."
_REGION_WORDS = re.compile(r"\broi\b|region|measure", re.IGNORECASE)
_LIVER_WORDS = re.compile(r"liver|hepar|\bfoie\b|\bleber\b", re.IGNORECASE)
_LIVER_CODES = frozenset({"10200004", "T-62000"})


def is_dicom(path: Path) -> bool:
    """Whether a path is a DICOM file, or a folder whose first file is one."""
    try:
        first = next((p for p in walk([path])), path) if path.is_dir() else path
        with first.open("rb") as stream:
            return looks_like_dicom(stream.read(160))
    except (OSError, InputError):
        return False


def check_mask(path: Path, wanted: str) -> None:
    """Raise InputError where a DICOM file or folder holds no mask that can be told from others, or an empty one."""
    if not any(d.filled for d in _drawn(path, wanted)):
        raise InputError(f"the mask {path.name} is empty")


def read_mask(path: Path, exam: Exam, wanted: str) -> np.ndarray:
    """(S, R, C) bool mask on the grid of an exam, found by position in the patient.

    wanted  LIVER or REGION

    Slices of the exam without a frame or contour are empty. Raises Contradiction where the mask does not fit the exam
    or where it is not clear which segment is meant, CorruptFile for damaged files, NothingFound where there is no mask.
    """
    return on_exam(path.name, _drawn(path, wanted), exam)


def _drawn(path: Path, wanted: str) -> list[Drawn]:
    folder = open_all([path])
    kinds = _by_kind(folder)
    if folder.damaged and not folder.files:
        raise CorruptFile(folder.damaged[0][1])
    if sum(bool(files) for files in kinds.values()) > 1:
        raise Contradiction(f"{path.name} holds masks of several kinds; give one of them")
    with quiet_pydicom():
        try:
            return _read(path.name, kinds, wanted)
        except InputError:
            raise
        except Exception as error:  # pydicom converts values on touch and may raise anything on damaged ones
            raise CorruptFile(f"{path.name} is damaged ({type(error).__name__})") from error


def _by_kind(folder: Folder) -> dict[str, list[DicomFile]]:
    kinds: dict[str, list[DicomFile]] = {"seg": [], "contours": [], "report": [], "images": []}
    for file in folder.files:
        sop_class = file.header.text(Tag.SOP_CLASS)
        if sop_class.startswith(_SEG):
            kinds["seg"].append(file)
        elif sop_class == _RTSTRUCT:
            kinds["contours"].append(file)
        elif sop_class.startswith(_SR):
            kinds["report"].append(file)
        elif file.header.integer(Tag.ROWS):
            kinds["images"].append(file)
    return kinds


def _read(name: str, kinds: dict[str, list[DicomFile]], wanted: str) -> list[Drawn]:
    for kind, reader in (("seg", masks_seg.segments), ("contours", masks_contours.structures),
                         ("report", masks_contours.regions)):  # fmt: skip
        if kinds[kind]:
            if len(kinds[kind]) > 1:
                raise Contradiction(f"{name} holds {len(kinds[kind])} DICOM objects with masks; give one of them")
            return _chosen(name, reader(kinds[kind][0]), wanted)
    if kinds["images"]:
        return [mask_images(name, kinds["images"])]
    raise NothingFound(f"{name} holds no mask: give a DICOM SEG, RTSTRUCT, SR with 3D regions, or a series of masks")


def _chosen(name: str, found: Sequence[Drawn], wanted: str) -> list[Drawn]:
    """The parts that are meant: the only one, or those that are called what is wanted."""
    if not found:
        raise NothingFound(f"{name} holds no region that can be drawn")
    if len(found) == 1:
        return list(found)
    regions = [d for d in found if _REGION_WORDS.search(d.label)]
    livers = [d for d in found if d not in regions and (d.code in _LIVER_CODES or _LIVER_WORDS.search(d.label))]
    meant = regions if wanted == REGION else livers
    if len(meant) != 1 and len({d.label for d in meant}) != 1:
        labels = ", ".join(repr(d.label) for d in found)
        what = "a measured region (ROI)" if wanted == REGION else "the liver"
        raise Contradiction(f"{name} holds {labels}: {len(meant)} of them are called {what}; give a file with one")
    return meant
