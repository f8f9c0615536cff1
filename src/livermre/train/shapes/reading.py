"""NIfTI label maps and masks, turned into the bank's order of axes."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatch
from pathlib import Path

import nibabel
import nibabel.affines
import nibabel.filebasedimages
import nibabel.orientations
import numpy as np

from livermre.train.shapes.names import label_table, lookup, names_beside, names_inside, names_known
from livermre.train.shapes.shape import ShapeError, Spacing


def three(values: Iterable[float]) -> Spacing:
    """Exactly three numbers as a tuple of floats."""
    first, second, third = (float(value) for value in values)
    return first, second, third


def oriented(image: nibabel.Nifti1Image) -> tuple[np.ndarray, Spacing]:
    """Voxels as [slice, row, column] of the bank's order and their spacing in mm, by the affine's nearest axes."""
    wanted = nibabel.orientations.axcodes2ornt(("L", "P", "S"))
    turn = nibabel.orientations.ornt_transform(nibabel.io_orientation(image.affine), wanted)
    voxels = nibabel.orientations.apply_orientation(np.asanyarray(image.dataobj), turn)
    sizes = np.empty(3)
    sizes[turn[:, 0].astype(int)] = nibabel.affines.voxel_sizes(image.affine)
    return np.ascontiguousarray(voxels.transpose(2, 1, 0)), three(sizes[::-1])


def load_image(path: Path) -> nibabel.Nifti1Image:
    """The opened three-dimensional NIfTI; raises ShapeError if it is none."""
    try:
        image = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError) as error:
        raise ShapeError(f"{path.name} cannot be read as NIfTI: {error}") from error
    if len(image.shape) != 3:
        raise ShapeError(f"{path.name} has {len(image.shape)} axes; a label map has three")
    return image


def tissues_in(path: Path, root: Path) -> tuple[np.ndarray, Spacing] | None:
    """Working tissue map uint8 and spacing of a label file; None for an image that is no label map."""
    image = load_image(path)
    names = names_beside(path, root) or names_inside(image) or names_known(path)
    if names is None or max(names) > 255:
        return None
    voxels, spacing = oriented(image)
    if voxels.min() < 0 or voxels.max() > 255:
        raise ShapeError(f"{path.name} holds values outside 0-255; it is no label map")
    present = {int(number): names.get(int(number), f"number {number}") for number in np.unique(voxels) if number}
    return lookup(present, path.name)[voxels.astype(np.uint8)], spacing


def label_files(folder: Path) -> Iterator[Path]:
    """NIfTI files below the folder, in order, without the ones the table says to skip."""
    for path in sorted(folder.rglob("*.nii*")):
        if not any(fnmatch(path.name, pattern) for pattern in label_table()["skip"]):
            yield path
