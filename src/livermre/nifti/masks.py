"""Single images and masks of any orientation."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from livermre.exam.errors import Contradiction, InputError, NothingFound
from livermre.exam.plane import Plane
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.nifti.volumes import files_of, hash_of, load, load_parts

ON_GRID = 0.1
"""A mask fits an exam where the centres of its pixels lie within a tenth of a pixel (and of a slice distance)."""


def read_image(path: Path) -> Exam:
    """A magnitude image of any orientation as an exam without maps.

    Raises CorruptFile for damaged files, InputError for more than one image or for one without orientation.
    """
    path = Path(path)
    volume = load(path)
    values = volume.values
    if values.ndim > 3:
        if int(np.prod(values.shape[3:])) != 1:
            raise InputError(
                f"{path.name} holds {int(np.prod(values.shape[3:]))} images; give one image with three axes"
            )
        values = values.reshape(values.shape[:3])
    slices = tuple(
        Slice(plane=p, magnitude=m, sources=(path.name,)) for p, m in zip(volume.planes, values, strict=True)
    )
    return Exam(slices, Acquisition("unknown"), hash_of([path])[:12])


def read_mask(path: Path, exam: Exam) -> np.ndarray:
    """(S, R, C) bool mask on the grid of an exam, found by position in the patient, whatever the file's orientation.

    Pixels without a number (NaN) are outside. Raises Contradiction where the mask does not lie on the exam's pixels or
    holds more than one label.
    """
    path = Path(path)
    parts = files_of(path)
    if not parts:
        raise NothingFound(f"{path.name} does not exist")
    volume = load_parts(parts)
    values = volume.values.reshape(volume.values.shape[:3]) if volume.values.ndim > 3 else volume.values
    values = np.where(np.isfinite(values), values, 0)
    labels = np.unique(values)
    if len(labels) > 2 or (len(labels) == 2 and labels[0] != 0):
        raise Contradiction(f"{path.name} should hold 0 and one label, but holds {len(labels)} different values")
    return np.stack([_mask_of_slice(path.name, values != 0, volume.planes, s.plane, exam) for s in exam.slices])


def _mask_of_slice(name: str, mask: np.ndarray, planes: Sequence[Plane], wanted: Plane, exam: Exam) -> np.ndarray:
    distances = [abs(p.position_mm - wanted.position_mm) for p in planes]
    nearest = int(np.argmin(distances))
    own = planes[nearest]
    steps = np.diff(exam.positions_mm)
    tolerance = ON_GRID * (float(steps.min()) if steps.size else max(wanted.thickness_mm, 1.0))
    if distances[nearest] > tolerance or float(own.normal @ wanted.normal) < 0.999:
        raise Contradiction(f"{name} has no slice at {wanted.position_mm:.1f} mm, where the exam has one")
    rows, columns = np.meshgrid(np.arange(wanted.shape[0]), np.arange(wanted.shape[1]), indexing="ij")
    r, c = own.index(wanted.world_mm(rows, columns))
    ri, ci = np.rint(r).astype(int), np.rint(c).astype(int)
    inside = ri.min() >= 0 and ci.min() >= 0 and ri.max() < own.shape[0] and ci.max() < own.shape[1]
    if (
        not inside
        or max(np.abs(r - ri).max(), np.abs(c - ci).max()) > ON_GRID
        or own.shape[0] * own.shape[1] != ri.size
    ):
        raise Contradiction(
            f"{name} does not lie on the pixels of the exam: it has {own.shape[0]} x {own.shape[1]} pixels of "
            f"{own.spacing_mm[0]:.3g} x {own.spacing_mm[1]:.3g} mm, the exam {wanted.shape[0]} x {wanted.shape[1]} of "
            f"{wanted.spacing_mm[0]:.3g} x {wanted.spacing_mm[1]:.3g} mm"
        )
    return np.asarray(mask[nearest][ri, ci])
