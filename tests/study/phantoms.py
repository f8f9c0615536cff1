"""A cohort of phantoms as NIfTI sets: bodies of constant brightness with an elliptic liver of known stiffness."""

import csv
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from livermre import nifti
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice

SIZE, PIXEL_MM = 64, 6.0
STAGE_KPA = {"F0": 2.0, "F1": 2.4, "F2": 3.1, "F3": 4.2, "F4": 6.0}


@dataclass(frozen=True)
class Phantom:
    """One exam to make; `waves` False: no confidence anywhere, as with the driver off."""

    exam: str
    patient: str
    stage: str = "F1"
    vendor: str = "GE"
    field_t: float = 1.5
    waves: bool = True
    repeat: int = 0

    @property
    def seed(self) -> int:
        """Of its noise and shape."""
        return zlib.crc32(self.exam.encode())


def liver_of(phantom: Phantom, slices: int = 2) -> np.ndarray:
    """(S, R, C) bool ellipse in the right half of the image's left, a little different in each exam."""
    rng = np.random.default_rng(phantom.seed)
    row, column = np.mgrid[:SIZE, :SIZE] * PIXEL_MM
    a, b = 75 + 10 * rng.random(), 60 + 8 * rng.random()
    one = ((row - 190) / a) ** 2 + ((column - 130) / b) ** 2 <= 1
    return np.repeat(one[None], slices, axis=0)


def exam_of(phantom: Phantom, slices: int = 2) -> Exam:
    """The exam: air 1, body 100, liver 180, all with noise; stiffness by stage."""
    rng = np.random.default_rng(phantom.seed)
    liver = liver_of(phantom, slices)
    row, column = np.mgrid[:SIZE, :SIZE] * PIXEL_MM - 190
    body = (row / 120) ** 2 + (column / 165) ** 2 <= 1
    magnitude = np.where(liver, 180.0, np.where(body, 100.0, 1.0)) + rng.normal(0, 2, liver.shape)
    kpa = STAGE_KPA[phantom.stage] * (1 + 0.05 * rng.normal(size=liver.shape)).clip(0.7, 1.3)
    sure = np.where(body, 1.0 if phantom.waves else 0.2, 0.0)
    down, right = (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)
    made = tuple(
        Slice(
            Plane((SIZE, SIZE), (PIXEL_MM, PIXEL_MM), (-190.0, -190.0, 10.0 * s), down, right, 8.0),
            magnitude[s].clip(0), np.where(body, kpa[s], np.nan), np.broadcast_to(sure, body.shape),
        )
        for s in range(slices)
    )  # fmt: skip
    return Exam(made, Acquisition(phantom.vendor, phantom.field_t, 60.0, "2D GRE", "2D"), phantom.exam)


def write_cohort(folder: Path, phantoms: Sequence[Phantom]) -> Path:
    """exams/NAME, masks/NAME/liver.nii.gz and table.csv."""
    for p in phantoms:
        exam = exam_of(p)
        nifti.write_exam(folder / "exams" / p.exam, exam)
        (folder / "masks" / p.exam).mkdir(parents=True)
        nifti.write_volume(folder / "masks" / p.exam / "liver.nii.gz", liver_of(p), exam)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["exam", "patient", "stage", "vendor", "field", "BMI", "reader_kpa", "repeat"])
        for p in phantoms:
            kpa = STAGE_KPA[p.stage] if p.waves else ""
            writer.writerow([p.exam, p.patient, p.stage, p.vendor, p.field_t, 24 + p.seed % 10, kpa, p.repeat])
    return folder


def many(count: int = 10) -> list[Phantom]:
    """So many patients, one exam each, over all stages, two vendors and two fields."""
    stages = list(STAGE_KPA)
    return [
        Phantom(f"exam-{i:02d}", f"p{i:02d}", stages[i % 5], "GE" if i % 2 else "Siemens", 3.0 if i % 3 else 1.5)
        for i in range(count)
    ]
