"""NIfTI sets: a folder with volumes by name and a small sidecar."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from livermre.exam.errors import Contradiction, NothingFound, OutputError
from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.plausible import body_medians, body_of, check_kpa
from livermre.exam.study import NO_OPTIONS, ReadOptions, Study
from livermre.exam.types import Exam, Identity, Slice
from livermre.exam.volume import resampled
from livermre.nifti.sidecar import Sidecar, write_sidecar
from livermre.nifti.volumes import Volume, hash_of, load_parts, parts_of
from livermre.nifti.write import write_volume

NAMES = ("magnitude", "stiffness_kpa", "confidence", "phase_rad", "wave_rad")

ONE_GRID_MM = 0.5
"""Volumes of one set lie on one grid where their slices agree within half a millimetre."""

PAIRED = 0.1
"""A magnitude slice belongs to a stiffness slice within 10 % of the slice spacing."""


def is_set(folder: Path) -> bool:
    """Whether a folder holds a NIfTI set (a magnitude or stiffness volume by name)."""
    return folder.is_dir() and any(parts_of(folder, n) for n in ("magnitude", "stiffness_kpa"))


def read(folder: Path, options: ReadOptions = NO_OPTIONS) -> Study:
    """The exam of a NIfTI set.

    Raises NothingFound without magnitude, CorruptFile for damaged files, Contradiction for volumes that do not fit
    together, UnclearUnit where stiffness_kpa cannot be kPa.
    """
    folder = Path(folder)
    volumes = {n: load_parts(parts_of(folder, n)) for n in NAMES if parts_of(folder, n)}
    if "magnitude" not in volumes:
        found = "stiffness_kpa but no magnitude" if volumes else "neither magnitude nor stiffness_kpa"
        raise NothingFound(f"{folder.name} is no NIfTI set: it holds {found} (.nii.gz)")
    sidecar = Sidecar.read(folder)
    reference = volumes.get("stiffness_kpa", volumes["magnitude"])
    flags: list[Flag] = []
    magnitude = _on_grid(volumes["magnitude"], reference, flags)
    kpa = _stiffness(volumes.get("stiffness_kpa"), magnitude, options)
    confidence = _confidence(volumes.get("confidence"), reference)
    phase, wave = (_offsets(volumes.get(n), reference, n) for n in ("phase_rad", "wave_rad"))
    thickness = sidecar.number("thickness_mm")
    sources = tuple(f.name for v in volumes.values() for f in v.files)
    slices = tuple(
        Slice(
            plane=plane if thickness is None else replace(plane, thickness_mm=thickness),
            magnitude=magnitude[i],
            stiffness_kpa=None if kpa is None else kpa[i],
            confidence=None if confidence is None else confidence[i],
            phase_rad=_filled(phase, i),
            wave_rad=_filled(wave, i),
            sources=sources,
        )
        for i, plane in enumerate(reference.planes)
    )
    digest = hash_of([*(f for v in volumes.values() for f in v.files), *sidecar.files])
    exam = Exam(
        slices,
        sidecar.acquisition(options),
        sidecar.pseudonym(digest),
        (*sidecar.flags(), *flags),
        sidecar.stiffness_source,
        sidecar.quantity(),
        sidecar.inversion(),
    )
    return Study(exam, Identity(), (), digest)


def write_exam(folder: Path, exam: Exam) -> None:
    """Write a NIfTI set that read() brings back: the exam's volumes and exam.json."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder.name} cannot be made ({error.strerror})") from error
    write_volume(folder / "magnitude.nii.gz", exam.magnitude, exam)
    write_maps(folder, exam)
    _write_offsets(folder / "phase_rad.nii.gz", [s.phase_rad for s in exam.slices], exam)
    write_sidecar(folder, exam)


def write_maps(folder: Path, exam: Exam) -> None:
    """Write stiffness_kpa, confidence and wave_rad of an exam, as far as it has them, by their names in a set."""
    for name, values in (("stiffness_kpa", exam.stiffness_kpa), ("confidence", exam.confidence)):
        if values is not None:
            write_volume(folder / f"{name}.nii.gz", values, exam)
    _write_offsets(folder / "wave_rad.nii.gz", [s.wave_rad for s in exam.slices], exam)


def _write_offsets(path: Path, images: Sequence[np.ndarray | None], exam: Exam) -> None:
    """Nothing where no slice has any; a slice without a result is an empty slice."""
    known = next((i for i in images if i is not None), None)
    if known is not None:
        filled = np.stack([np.zeros_like(known) if i is None else i for i in images])
        write_volume(path, _offsets_last(filled), exam)


def _filled(offsets: np.ndarray | None, index: int) -> np.ndarray | None:
    """The offsets of one slice; None for an empty slice, which is how a slice without a result is written."""
    return offsets[index] if offsets is not None and offsets[index].any() else None


def _offsets_last(images: np.ndarray) -> np.ndarray:
    """(S, F, D, O, R, C) -> (S, R, C, O), or (S, R, C, F, D, O) where there is more than one frequency or direction."""
    moved = np.moveaxis(images, (4, 5), (1, 2))
    return moved[:, :, :, 0, 0] if moved.shape[3] == moved.shape[4] == 1 else moved


def _on_grid(volume: Volume, reference: Volume, flags: list[Flag]) -> np.ndarray:
    """(S, R, C) magnitude on the reference grid, linearly resampled with a flag where the grids differ."""
    values = np.asarray(volume.values, dtype=np.float32)
    if values.ndim > 3:  # offsets last: their mean is the magnitude
        values = values.mean(axis=tuple(range(3, values.ndim)), dtype=np.float32)
    if _same(volume, reference):
        return values
    flags.append(flag("magnitude_resampled"))
    return np.stack([_resampled(values, volume.planes, p) for p in reference.planes])


def _resampled(values: np.ndarray, planes: Sequence[Plane], wanted: Plane) -> np.ndarray:
    positions = np.array([p.position_mm for p in planes])
    step = float(np.diff(positions).min()) if len(planes) > 1 else max(planes[0].thickness_mm, 1.0)
    nearest = int(np.argmin(np.abs(positions - wanted.position_mm)))
    if abs(positions[nearest] - wanted.position_mm) > PAIRED * step:
        raise Contradiction(f"magnitude has no slice at {wanted.position_mm:.1f} mm, where stiffness_kpa has one")
    return resampled(values[nearest], planes[nearest], wanted)


def _same(a: Volume, b: Volume) -> bool:
    if len(a.planes) != len(b.planes):
        return False
    near = all(abs(p.position_mm - q.position_mm) <= ONE_GRID_MM for p, q in zip(a.planes, b.planes, strict=True))
    return near and all(p.same_grid(q) for p, q in zip(a.planes, b.planes, strict=True))


def _stiffness(volume: Volume | None, magnitude: np.ndarray, options: ReadOptions) -> np.ndarray | None:
    if volume is None:
        return None
    if options.stiffness_unit == "Pa":
        raise Contradiction("stiffness_kpa is in kPa by its name but --stiffness-unit says Pa; leave the option away")
    kpa = np.array(_three_axes(volume, "stiffness_kpa"), dtype=np.float32)
    kpa[~np.isfinite(kpa) | (kpa <= 0)] = np.nan
    medians = body_medians(list(kpa), [body_of(m) for m in magnitude])
    check_kpa("stiffness_kpa", medians, "the name of the file")
    return kpa


def _confidence(volume: Volume | None, reference: Volume) -> np.ndarray | None:
    if volume is None:
        return None
    _check_same(volume, reference, "confidence")
    values = np.array(_three_axes(volume, "confidence"), dtype=np.float32)
    finite = values[np.isfinite(values)]
    if finite.size and not -1e-3 <= finite.min() <= finite.max() <= 1.001:
        raise Contradiction(
            f"confidence runs from {finite.min():.4g} to {finite.max():.4g}; it must lie between 0 and 1"
        )
    return np.clip(values, 0.0, 1.0)


def _three_axes(volume: Volume, name: str) -> np.ndarray:
    if volume.values.ndim > 3 and int(np.prod(volume.values.shape[3:])) != 1:
        raise Contradiction(f"{name} has {volume.values.ndim} axes; one value a pixel is needed")
    return volume.values.reshape(volume.values.shape[:3])


def _check_same(volume: Volume, reference: Volume, name: str) -> None:
    if not _same(volume, reference):
        raise Contradiction(f"{name} lies on another grid than the other volumes of the set")


def _offsets(volume: Volume | None, reference: Volume, name: str) -> np.ndarray | None:
    """(S, F, D, O, R, C) from offsets, directions and offsets, or frequencies, directions and offsets last."""
    if volume is None:
        return None
    _check_same(volume, reference, name)
    values = np.asarray(volume.values, dtype=np.float32)
    if values.ndim > 6:
        raise Contradiction(f"{name} has {values.ndim} axes; at most frequency, direction and offset follow the space")
    values = values.reshape(*values.shape[:3], *(1,) * (6 - values.ndim), *values.shape[3:])
    return np.moveaxis(values, (1, 2), (4, 5))
