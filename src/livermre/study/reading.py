"""Exam and reference of one case, read and put together; what does not fit is an exclusion with its reason."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from livermre import from_phase, nifti, pipeline
from livermre.dicom import masks
from livermre.exam.errors import Contradiction, InputError, LivermreError
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Exam, Identity
from livermre.inversion import InversionSettings
from livermre.study.cohort import Case

REASONS = {
    "no_images": "no images of this exam",
    "unreadable": "images cannot be read",
    "no_mask": "no reference mask",
    "mask_misfit": "reference mask does not fit the images",
    "empty_mask": "reference mask outlines no liver",
    "several": "more than one acquisition fits the mask",
}
"""Why an exam is left out of a study, in the order of the flow diagram."""


class Excluded(Exception):  # not an error: the study goes on without this exam
    """An exam that cannot take part; `code` is one of REASONS."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Loaded:
    """One exam with its reference.

    liver       (S, R, C) bool, the reference
    readers     regions that readers drew, each (S, R, C) bool
    parenchyma  (S, R, C) bool, a simulated liver without vessels and lesions; None where nobody knows
    person      hash of the patient ID in the headers, to compare; empty where there is none
    inputs_sha256  of the images
    """

    exam: Exam
    liver: np.ndarray = field(repr=False)
    readers: tuple[np.ndarray, ...] = field(default=(), repr=False)
    parenchyma: np.ndarray | None = field(default=None, repr=False)
    person: str = ""
    inputs_sha256: str = ""


def load(case: Case) -> Loaded:
    """Exam and masks of a case; raises Excluded with the reason where they cannot be used together."""
    if case.path is None:
        raise Excluded("no_images", f"{case.exam}: there are no images of this name")
    studies = _studies(case, case.path)
    if case.mask is None:
        raise Excluded("no_mask", f"{case.exam}: there is no reference mask of this name")
    fitting, misfit = _fitting(case, case.mask, studies)
    if not fitting:
        raise Excluded("mask_misfit", misfit)
    if len(fitting) > 1:
        raise Excluded("several", f"{case.exam}: {len(fitting)} acquisitions fit the mask; keep one in the folder")
    study, liver = fitting[0]
    if not liver.any():
        raise Excluded("empty_mask", f"{case.exam}: the reference mask is empty")
    exam = study.exam if study.exam.confidence is not None else from_phase.with_confidence(study.exam, _PHASE)
    return Loaded(
        exam,
        liver,
        tuple(_region(case, p, exam) for p in case.readers),
        _region(case, case.truth / "parenchyma.nii.gz", exam) if case.truth else None,
        _hash(study.identity.patient_id),
        study.inputs_sha256,
    )


_PHASE = InversionSettings()


def _studies(case: Case, path: Path) -> list[Study]:
    try:
        if path.is_file() and path.name.endswith((".nii.gz", ".nii")):
            return [Study(nifti.read_image(path), Identity(), (), nifti.hash_of([path]))]
        return pipeline.read_studies(path, ReadOptions())
    except InputError as error:
        raise Excluded("unreadable", f"{case.exam}: {error}") from error


def _fitting(case: Case, mask: Path, studies: list[Study]) -> tuple[list[tuple[Study, np.ndarray]], str]:
    """The acquisitions on whose pixels the mask lies, and what was wrong with the last of the others."""
    fitting, misfit = [], ""
    for study in studies:
        try:
            fitting.append((study, _mask(case, mask, study.exam)))
        except InputError as error:
            misfit = f"{case.exam}: {error}"
    return fitting, misfit


def _mask(case: Case, path: Path, exam: Exam) -> np.ndarray:
    if case.labels:
        return _labelled(path, exam, case.labels)
    return read_any_mask(path, exam)


def read_any_mask(path: Path, exam: Exam) -> np.ndarray:
    """(S, R, C) bool liver mask on the exam's pixels, from NIfTI or from a file or folder of DICOM objects.

    Raises InputError where it is no mask or does not fit the exam.
    """
    if masks.is_dicom(path):
        return masks.read_mask(path, exam, masks.LIVER)
    return nifti.read_mask(path, exam)


def _labelled(path: Path, exam: Exam, values: tuple[int, ...]) -> np.ndarray:
    """Some labels of a label map on the exam's pixels; Contradiction where it lies elsewhere."""
    labels = nifti.read_image(path)
    fits = labels.shape == exam.shape and all(
        a.plane.same_grid(b.plane) and abs(a.plane.position_mm - b.plane.position_mm) < _SAME_MM
        for a, b in zip(labels.slices, exam.slices, strict=True)
    )
    if not fits:
        raise Contradiction(f"the label map {path.name} does not lie on the pixels of its image")
    return np.isin(labels.magnitude, values)


_SAME_MM = 0.5


def _region(case: Case, path: Path, exam: Exam) -> np.ndarray:
    try:
        return nifti.read_mask(path, exam)
    except LivermreError as error:
        raise Excluded("mask_misfit", f"{case.exam}: {error}") from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text.strip() else ""
