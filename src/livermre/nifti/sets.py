"""NIfTI sets: a folder with volumes by name and a small sidecar."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from livermre.exam.atomic import write_bytes
from livermre.exam.errors import Contradiction, CorruptFile, NothingFound, OutputError
from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.plausible import body_medians, body_of, check_kpa
from livermre.exam.study import NO_OPTIONS, ReadOptions, Study
from livermre.exam.types import Acquisition, Exam, Identity, Slice
from livermre.exam.volume import resampled
from livermre.nifti.volumes import Volume, existing, hash_of, load_parts, parts_of
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
    sidecar = _sidecar(folder)
    reference = volumes.get("stiffness_kpa", volumes["magnitude"])
    flags: list[Flag] = []
    magnitude = _on_grid(volumes["magnitude"], reference, flags)
    kpa = _stiffness(volumes.get("stiffness_kpa"), magnitude, options)
    confidence = _confidence(volumes.get("confidence"), reference)
    phase, wave = (_offsets(volumes.get(n), reference, n) for n in ("phase_rad", "wave_rad"))
    thickness = _number(sidecar, "thickness_mm")
    sources = tuple(f.name for v in volumes.values() for f in v.files)
    slices = tuple(
        Slice(
            plane=plane if thickness is None else replace(plane, thickness_mm=thickness),
            magnitude=magnitude[i],
            stiffness_kpa=None if kpa is None else kpa[i],
            confidence=None if confidence is None else confidence[i],
            phase_rad=None if phase is None else phase[i],
            wave_rad=None if wave is None else wave[i],
            sources=sources,
        )
        for i, plane in enumerate(reference.planes)
    )
    digest = hash_of([*(f for v in volumes.values() for f in v.files), *existing(folder / "exam.json")])
    exam = Exam(
        slices,
        _acquisition(sidecar, options),
        _pseudonym(sidecar, digest),
        tuple(flags),
        "livermre" if sidecar.get("stiffness_source") == "livermre" else "vendor",
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
    phase = [s.phase_rad for s in exam.slices if s.phase_rad is not None]
    if len(phase) == len(exam.slices):  # an empty slice would look like a damaged one
        write_volume(folder / "phase_rad.nii.gz", _offsets_last(np.stack(phase)), exam)
    a = exam.acquisition
    sidecar = {
        "vendor": a.vendor,
        "field_t": a.field_t,
        "frequency_hz": a.frequency_hz,
        "sequence": a.sequence,
        "dimension": a.dimension,
        "pseudonym": exam.pseudonym,
        "stiffness_source": exam.stiffness_source,
        "thickness_mm": exam.slices[0].plane.thickness_mm,
    }
    write_bytes(folder / "exam.json", (json.dumps(sidecar, indent=1) + "\n").encode())


def write_maps(folder: Path, exam: Exam) -> None:
    """Write stiffness_kpa, confidence and wave_rad of an exam, as far as it has them, by their names in a set."""
    for name, values in (("stiffness_kpa", exam.stiffness_kpa), ("confidence", exam.confidence)):
        if values is not None:
            write_volume(folder / f"{name}.nii.gz", values, exam)
    waves = [s.wave_rad for s in exam.slices]
    known = next((w for w in waves if w is not None), None)
    if known is not None:  # a slice without a result is an empty slice
        filled = np.stack([np.zeros_like(known) if w is None else w for w in waves])
        write_volume(folder / "wave_rad.nii.gz", _offsets_last(filled), exam)


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


def _sidecar(folder: Path) -> dict[str, Any]:
    path = folder / "exam.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_bytes()[: 2**20])
    except (OSError, ValueError, RecursionError) as error:
        raise CorruptFile(f"exam.json is not readable ({type(error).__name__})") from error
    if not isinstance(found, dict):
        raise CorruptFile("exam.json must hold one object with keys such as vendor and frequency_hz")
    return found


def _number(sidecar: dict[str, Any], key: str) -> float | None:
    value = sidecar.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value) or value < 0:
        raise CorruptFile(f"exam.json: {key} must be a number or null, not {value!r}")
    return float(value)


def _acquisition(sidecar: dict[str, Any], options: ReadOptions) -> Acquisition:
    stated = _number(sidecar, "frequency_hz")
    if stated is not None and options.frequency_hz not in (None, stated):
        raise Contradiction(
            f"exam.json says {stated:g} Hz but --frequency-hz says {options.frequency_hz:g}; leave the option away"
        )
    dimension = sidecar.get("dimension")
    if dimension not in ("2D", "3D", None):
        raise CorruptFile(f"exam.json: dimension must be 2D, 3D or null, not {dimension!r}")
    return Acquisition(
        vendor=str(sidecar.get("vendor") or "unknown")[:64],
        field_t=_number(sidecar, "field_t"),
        frequency_hz=stated if stated is not None else options.frequency_hz,
        sequence=str(sidecar.get("sequence") or "")[:64],
        dimension=dimension,
    )


def _pseudonym(sidecar: dict[str, Any], digest: str) -> str:
    given = str(sidecar.get("pseudonym") or "")
    if re.fullmatch(r"[\w.-]{1,64}", given):
        return given
    return hashlib.sha256(given.encode()).hexdigest()[:12] if given else digest[:12]
