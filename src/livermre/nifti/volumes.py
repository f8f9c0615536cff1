"""One NIfTI file, or one a slice, as slices in the patient."""

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.imageglobals import LoggingOutputSuppressor

from livermre.exam.errors import Contradiction, CorruptFile, InputError, NothingFound
from livermre.exam.plane import Plane
from livermre.exam.volume import Layout, planes_of, slice_axis

MAX_VOXELS = 2**29
"""More than any MRE set has; checked before anything is allocated."""

MAX_BYTES = 2**32
"""No volume may unpack to more than this."""

_SUFFIXES = (".nii.gz", ".nii")


@dataclass(frozen=True)
class Volume:
    """A volume as slices: (S, R, C, ...) values and their planes, foot to head."""

    values: np.ndarray
    planes: tuple[Plane, ...]
    files: tuple[Path, ...]


def parts_of(folder: Path, name: str) -> tuple[Path, ...]:
    """The file of a volume, or its files in the order of slices; empty where there is none."""
    for suffix in _SUFFIXES:
        found = files_of(folder / f"{name}{suffix}")
        if found:
            return found
    return ()


def files_of(path: Path) -> tuple[Path, ...]:
    """The file, or where it does not exist those that write_volume made of irregular slices under that name."""
    return existing(path) or numbered(path)


def existing(path: Path) -> tuple[Path, ...]:
    """The file, if it exists."""
    return (path,) if path.is_file() else ()


def numbered(path: Path) -> tuple[Path, ...]:
    """The files that write_volume made of irregular slices (NAME_z001 …), in order."""
    pattern = re.compile(re.escape(with_suffix(path, "_z").name).replace(r"_z\.", r"_z\d{3,}\.") + "$")
    try:
        return tuple(sorted(p for p in path.parent.iterdir() if pattern.match(p.name)))
    except OSError:
        return ()


def with_suffix(path: Path, middle: str) -> Path:
    """A path with something put between its name and .nii or .nii.gz."""
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix):
            return path.with_name(path.name[: -len(suffix)] + middle + suffix)
    return path.with_name(path.name + middle)


def open_image(path: Path) -> tuple[Any, Layout]:
    """The nibabel image and how its array becomes slices; errors as in load()."""
    data = _bytes_of(path)
    try:
        kind = nib.Nifti2Image if _is_nifti2(data) else nib.Nifti1Image
        with LoggingOutputSuppressor(), np.errstate(all="ignore"):  # what matters becomes an error
            image = kind.from_bytes(data)
        affine, shape = np.asarray(image.affine, dtype=float), image.shape
        axis = image.header.get_dim_info()[2]
        coded = int(image.header["qform_code"]) > 0 or int(image.header["sform_code"]) > 0
    except Exception as error:  # nibabel raises a dozen kinds on damaged headers
        raise CorruptFile(f"{path.name} is no readable NIfTI file ({type(error).__name__})") from error
    if len(shape) < 3 or min(shape) < 1 or int(np.prod([float(n) for n in shape])) > MAX_VOXELS:
        raise CorruptFile(f"{path.name} says that it has {' x '.join(map(str, shape))} voxels; three axes are needed")
    if not coded:
        raise InputError(f"{path.name} says nothing about its orientation (qform and sform code are 0)")
    try:
        return image, planes_of(affine, shape, slice_axis(affine) if axis is None else int(axis))[1]
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error


def _is_nifti2(data: bytes) -> bool:
    return 540 in (int.from_bytes(data[:4], "little"), int.from_bytes(data[:4], "big"))


def _bytes_of(path: Path) -> bytes:
    """The unpacked bytes of a file; the check sum of gzip is verified, so that flipped bits do not pass as pixels."""
    try:
        data = path.read_bytes()
        return _unpacked(data, path.name) if data[:2] == b"\x1f\x8b" else data
    except FileNotFoundError as error:
        raise NothingFound(f"{path.name} does not exist") from error
    except (OSError, MemoryError, zlib.error) as error:
        raise CorruptFile(f"{path.name} is cut short or damaged ({type(error).__name__})") from error


def _unpacked(data: bytes, name: str) -> bytes:
    parts, left = [], data
    while left[:2] == b"\x1f\x8b":  # some programs write several members
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(left, MAX_BYTES))
        if member.unconsumed_tail:
            raise CorruptFile(f"{name} would unpack to more than {MAX_BYTES} bytes")
        if not member.eof:
            raise CorruptFile(f"{name} is cut short")
        left = member.unused_data
    return b"".join(parts)


def load(path: Path) -> Volume:
    """A volume as slices.

    Raises NothingFound, CorruptFile for damaged or oversized files, InputError without orientation.
    """
    image, layout = open_image(path)
    planes, _ = planes_of(np.asarray(image.affine, dtype=float), image.shape, layout.order[0])
    try:
        with np.errstate(all="ignore"):  # damaged scale factors
            values = np.asanyarray(image.dataobj)
    except Exception as error:  # as above
        raise CorruptFile(f"{path.name} is cut short or damaged ({type(error).__name__})") from error
    if values.dtype.kind not in "buif":
        raise InputError(f"{path.name} holds {values.dtype} values; one number a pixel is needed")
    return Volume(layout.to_exam(values), planes, (path,))


def load_parts(paths: Sequence[Path]) -> Volume:
    """One volume from one file, or from one file a slice; Contradiction where their sizes differ."""
    volumes = sorted((load(p) for p in paths), key=lambda v: v.planes[0].position_mm)
    if len(volumes) == 1:
        return volumes[0]
    if len({v.values.shape[1:] for v in volumes}) > 1:
        raise Contradiction(f"{paths[0].name} and its sisters have different sizes")
    return Volume(
        np.concatenate([v.values for v in volumes]), tuple(p for v in volumes for p in v.planes), tuple(paths)
    )


def hash_of(files: Sequence[Path]) -> str:
    """SHA-256 of the bytes of files, whatever their names and order."""
    try:
        digests = sorted(hashlib.sha256(f.read_bytes()).hexdigest() for f in files)
    except OSError as error:
        raise CorruptFile(f"{files[0].name} cannot be read ({error.strerror})") from error
    return hashlib.sha256("".join(digests).encode()).hexdigest()
