"""Whole bodies from label maps: every voxel inside has a tissue, fat lies around."""

from pathlib import Path

import numpy as np

from livermre.simulate.tissue import Tissue
from livermre.train.shapes.inside import add_lungs, add_ribs, add_spine
from livermre.train.shapes.organs import check_sides, crop_height, fill_hollow, is_complete, place_vessels
from livermre.train.shapes.reading import label_files, tissues_in
from livermre.train.shapes.resampling import resample_labels
from livermre.train.shapes.shape import BODY, Shape, ShapeError, Spacing
from livermre.train.shapes.tools import box_of, mask_of, near, rng_of
from livermre.train.shapes.wall import lined, wrapped


def _name_the_rest(labels: np.ndarray, spacing: Spacing) -> np.ndarray:
    """Labels without BODY: muscle between and around the ribs, inner fat elsewhere."""
    out = labels.copy()
    rest = labels == BODY
    out[rest] = Tissue.INNER_FAT
    out[rest & near(labels == Tissue.BONE, 7.0, spacing)] = Tissue.MUSCLE
    return out


def complete(labels: np.ndarray, spacing: Spacing, name: str) -> np.ndarray:
    """A whole body from a working label map: every voxel inside has a tissue, fat lies around (uint8).

    The missing layers are drawn from random numbers seeded by the name.
    """
    rng = rng_of(name)
    outlined = mask_of(labels, (BODY, Tissue.SKIN_FAT)).any()
    out = lined(labels, spacing, rng) if outlined else wrapped(labels, spacing, rng)
    out = add_spine(out, spacing)
    out = add_ribs(out, spacing)
    out = add_lungs(out, spacing)
    return _name_the_rest(out, spacing)


def shape_from_tissues(name: str, tissues: np.ndarray, spacing: Spacing, new_spacing: Spacing) -> Shape:
    """The finished Shape of a working tissue map [slice, row, column]; raises ShapeError without liver."""
    if not (tissues == Tissue.LIVER).any():
        raise ShapeError(f"{name} has no liver")
    check_sides(tissues, name)
    whole = is_complete(tissues)
    labels = resample_labels(crop_height(tissues, spacing), spacing, new_spacing)
    labels = place_vessels(fill_hollow(labels, new_spacing), new_spacing)
    labels = complete(labels, new_spacing, name)
    margin = [0] + [round(10 / step) for step in new_spacing[1:]]
    return Shape(name, labels[box_of(labels != Tissue.AIR, margin)].copy(), new_spacing, whole)


def load_shapes(folder: Path, spacing_mm: Spacing = (3.0, 2.5, 2.5)) -> list[Shape]:
    """All bodies below a folder as finished Shapes.

    A file counts as a label map if a `labels.json` beside or above it, a label table in its header or its file name
    tells its numbers. Raises ShapeError for unknown label names, unreadable files and maps without liver.
    """
    shapes = []
    for path in label_files(folder):
        found = tissues_in(path, folder)
        if found is not None:
            shapes.append(shape_from_tissues(path.name.split(".")[0], *found, spacing_mm))
    return shapes
