"""Livers of other patients: masks that a reader found good, whole and of a plausible size."""

import csv
from collections.abc import Iterator
from pathlib import Path

import nibabel.affines
import numpy as np
from scipy import ndimage

from livermre.simulate.tissue import Tissue
from livermre.train.shapes.organs import is_complete
from livermre.train.shapes.reading import load_image, oriented
from livermre.train.shapes.resampling import resample_mask
from livermre.train.shapes.shape import Shape, Spacing
from livermre.train.shapes.tools import box_of, largest

LIVER_ML = (700.0, 3000.0)  # outside: a cut or wrongly spaced mask
LIKERT_MIN = 4


def _scores(table: Path) -> dict[str, tuple[str, int]]:
    """Per liver mask file: patient and lowest score; a mask that was corrected counts under its corrected file."""
    scores: dict[str, tuple[str, int]] = {}
    with table.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            file, score = Path(row["AISegmentation"]).name, int(row["LikertScore"])
            patient, old = scores.get(file, (row["PatientID"], 5))
            scores[file] = (patient, min(score, old))
            if row["CorrectedSegmentation"]:
                scores[Path(row["CorrectedSegmentation"]).name] = (row["PatientID"], 6)
    return scores


def _liver_candidates(folder: Path) -> Iterator[tuple[str, int, Path]]:
    """Patient, score (6: corrected by a reader) and path of every mask good enough."""
    for table in sorted(folder.rglob("qa-results.csv")):
        scores = _scores(table)
        for path in sorted(table.parent.rglob("*.nii*")):
            patient, score = scores.get(path.name, ("", 0))
            if score >= LIKERT_MIN:
                yield patient, score, path


def _read_liver(path: Path, spacing: Spacing) -> Shape | None:
    """Liver of a mask file as Shape with LIVER and AIR; None if cut by the field of view or of an odd volume."""
    voxels, old = oriented(load_image(path))
    mask = largest(voxels > 0.5)
    volume = mask.sum() * np.prod(old) / 1000
    if not LIVER_ML[0] < volume < LIVER_ML[1] or not is_complete(mask * np.uint8(Tissue.LIVER)):
        return None
    margin = [int(np.ceil(10 / step)) for step in old]
    box = [(max(m, 0), max(m, 0)) for m in margin]
    mask = np.pad(mask[box_of(mask)], box)
    mask = largest(ndimage.binary_fill_holes(resample_mask(mask, old, spacing)))
    labels = np.where(mask, Tissue.LIVER, Tissue.AIR).astype(np.uint8)
    return Shape(path.name.split(".")[0], labels[box_of(mask, (2, 2, 2))].copy(), spacing)


def load_livers(folder: Path, spacing_mm: Spacing = (3.0, 2.5, 2.5), per_patient: int = 2) -> list[Shape]:
    """Livers of the mask sets below a folder (each with its `qa-results.csv`), at most `per_patient` of one patient.

    Corrected masks first, then by score, then those with the thinnest voxels. Raises ShapeError for unreadable files.
    """
    by_patient: dict[str, list[tuple[int, float, Path]]] = {}
    for patient, score, path in _liver_candidates(folder):
        thickness = float(max(nibabel.affines.voxel_sizes(load_image(path).affine)))
        by_patient.setdefault(patient, []).append((-score, thickness, path))
    livers: list[Shape] = []
    for ranked in by_patient.values():
        found: list[Shape] = []
        for _, _, path in sorted(ranked):
            liver = _read_liver(path, spacing_mm) if len(found) < per_patient else None
            found += [liver] if liver is not None else []
        livers += found
    return livers
