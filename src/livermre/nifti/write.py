"""Volumes on the grid of an exam as RAS+ NIfTI."""

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from livermre.exam.atomic import write_bytes
from livermre.exam.errors import Contradiction
from livermre.exam.types import Exam
from livermre.exam.volume import affine_of
from livermre.nifti.volumes import open_image, with_suffix


def write_volume(path: Path, array: np.ndarray, exam: Exam) -> tuple[Path, ...]:
    """Write (S, R, C, ...) values on the grid of an exam; the files written (several for irregular slice positions).

    bool becomes uint8, float becomes float32. The same array gives the same bytes. Raises OutputError where the disk
    refuses; a file is there whole or not at all.
    """
    if array.shape[:3] != exam.shape:
        raise Contradiction(f"an array of {array.shape[:3]} does not fit the exam of {exam.shape}")
    path, planes = Path(path), [s.plane for s in exam.slices]
    affine = affine_of(planes)
    if affine is not None:
        _write_array(path, array, affine)
        return (path,)
    written = []
    for i, plane in enumerate(planes):
        affine = affine_of([plane])
        written.append(with_suffix(path, f"_z{i + 1:03d}"))
        _write_array(written[-1], array[i : i + 1], np.eye(4) if affine is None else affine)
    return tuple(written)


def write_like(path: Path, array: np.ndarray, like: Path) -> Path:
    """Write (S, R, C) values of read_image's exam on the very array layout of the image that it came from."""
    image, layout = open_image(Path(like))
    out = nib.Nifti1Image(_storable(layout.from_exam(array)), image.affine)
    for kind in ("qform", "sform"):
        matrix, code = getattr(image, f"get_{kind}")(coded=True)
        getattr(out, f"set_{kind}")(matrix, int(code))
    out.header.set_xyzt_units("mm")
    _write_atomic(Path(path), out)
    return Path(path)


def _write_array(path: Path, array: np.ndarray, affine: np.ndarray) -> None:
    columns_first = np.moveaxis(_storable(array), (0, 1, 2), (2, 1, 0))
    image = nib.Nifti1Image(columns_first, affine)
    slices = int(nib.io_orientation(affine)[2, 0])
    image = nib.as_closest_canonical(image)
    image.header.set_dim_info(slice=slices)
    image.header.set_xyzt_units("mm")
    image.set_sform(image.affine, 1)
    image.set_qform(image.affine, 1)
    _write_atomic(path, image)


def _storable(array: np.ndarray) -> np.ndarray:
    if array.dtype == bool:
        return array.astype(np.uint8)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _write_atomic(path: Path, image: Any) -> None:
    data = image.to_bytes()
    write_bytes(path, gzip.compress(data, compresslevel=4, mtime=0) if path.name.endswith(".gz") else data)
