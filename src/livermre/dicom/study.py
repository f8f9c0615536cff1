"""A draft of images becomes an exam in kPa, rad and 0..1 on the grid of its stiffness map."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from livermre.dicom import units
from livermre.dicom.arrange import PARALLEL, positions_mm, spacing_mm, waves
from livermre.dicom.drafts import Draft
from livermre.dicom.frames import Frame
from livermre.dicom.header import Tag
from livermre.dicom.headers import SourceHeaders, SourceImage
from livermre.dicom.patterns import vendor
from livermre.dicom.series import Group, frequency_hz
from livermre.dicom.vendors import Rule
from livermre.exam.errors import Contradiction, InputError
from livermre.exam.flags import Flag, flag
from livermre.exam.plane import Plane
from livermre.exam.plausible import body_of
from livermre.exam.study import ReadOptions, Study
from livermre.exam.types import Acquisition, Dimension, Exam, Identity, Slice
from livermre.exam.volume import resampled

_SAME_SLICE = 0.25
"""Magnitude within this share of the slice step is that of the slice; farther away it is a slice without a map."""


def build(draft: Draft, options: ReadOptions, flags: Iterable[Flag]) -> Study:
    """The exam of a draft.

    Raises Contradiction for a map without magnitude or two maps of one slice, UnclearUnit where no unit can be found.
    """
    if draft.problem:
        raise Contradiction(draft.problem)
    _drop_slices_without_magnitude(draft)
    noted = [*draft.flags, *flags]
    magnitude = [_magnitude(c[1], p, noted) for c, p in zip(draft.images["magnitude"], draft.planes, strict=True) if c]
    maps: Sequence[np.ndarray | None] = [None] * len(draft.maps)
    if draft.has_map:
        bodies = [body_of(m) for m in magnitude]
        maps, scale = units.stiffness_kpa(draft.maps, draft.first.rule, options, bodies)
        noted.extend(scale.flags)
    confidence = _maps(draft, "confidence", units.confidence, noted)
    phase = _waves(draft, "phase", noted)
    wave = _waves(draft, "wave", noted)
    slices = tuple(
        Slice(
            plane=draft.planes[i],
            magnitude=magnitude[i],
            stiffness_kpa=maps[i],
            confidence=confidence[i],
            phase_rad=phase[i],
            wave_rad=wave[i],
            sources=_sources(draft, i),
        )
        for i in range(len(draft.planes))
    )
    noted.extend(_gaps(draft))
    noted.extend(_untested(draft))
    if any(s.header.text(Tag.SYNTHETIC) == "YES" for s in draft.used):
        noted.append(flag("simulated"))
    exam = Exam(
        slices=slices,
        acquisition=_acquisition(draft, options, phase),
        pseudonym=pseudonym(draft.first.study),
        flags=_once(noted),
    )
    header = draft.first.header
    return Study(
        exam=exam,
        identity=Identity(header.text(Tag.PATIENT_ID), header.text(Tag.STUDY_DATE)),
        headers=_headers(draft),
        inputs_sha256=_hash(draft),
        series=tuple(sorted({g.number for g in draft.used})),
    )


def pseudonym(study_uid: str) -> str:
    """Short name of a study that tells nothing about the patient."""
    return hashlib.sha256(b"livermre:" + study_uid.encode()).hexdigest()[:12]


def _once(flags: Iterable[Flag]) -> tuple[Flag, ...]:
    return tuple({(f.code, f.message): f for f in flags}.values())


def _drop_slices_without_magnitude(draft: Draft) -> None:
    has = [c is not None for c in draft.images["magnitude"]]
    if not any(has):
        what = "a stiffness map" if draft.has_map else "phase images"
        raise Contradiction(
            f"series {draft.first.number} holds {what} but there is no magnitude image of the same slices; "
            "add the magnitude series of this acquisition"
        )
    if not all(has):
        draft.flags.append(flag("missing_slices", found=sum(has), expected=len(has)))
        keep = [i for i, h in enumerate(has) if h]
        draft.planes = [draft.planes[i] for i in keep]
        draft.maps = [draft.maps[i] for i in keep]
        draft.images = {role: [chosen[i] for i in keep] for role, chosen in draft.images.items()}


def _magnitude(frames: Sequence[Frame], plane: Plane, noted: list[Flag]) -> np.ndarray:
    """Mean magnitude (R, C) float32 over offsets and directions, on the grid of the plane."""
    own = frames[0].plane
    alike = [f for f in frames if f.shape == own.shape]
    mean = units.mean_value(alike)
    if own.same_grid(plane):
        return mean
    noted.append(flag("magnitude_resampled"))
    return resampled(mean, own, plane)


def _check_repeats(frames: Sequence[Frame], series: str, role: str, plane: Plane) -> None:
    first = frames[0].stored()
    if any(not np.array_equal(first, f.stored()) for f in frames[1:]):
        raise InputError(f"{series} holds two different {role} maps at {plane.position_mm:.1f} mm")


Scaler = Callable[[Sequence[Frame], Rule], list[np.ndarray]]


def _maps(draft: Draft, role: str, scaler: Scaler, noted: list[Flag]) -> list[np.ndarray | None]:
    """One scaled map a slice; None everywhere, with a flag, where they cannot be used."""
    empty: list[np.ndarray | None] = [None] * len(draft.planes)
    chosen = [(i, c) for i, c in enumerate(draft.images[role]) if c is not None]
    if not chosen:
        return empty
    try:
        _check_grids(((c[1][0], draft.planes[i]) for i, c in chosen))
        for i, c in chosen:
            _check_repeats(c[1], f"series {c[0].number}", role, draft.planes[i])
        found = scaler([c[1][0] for _, c in chosen], chosen[0][1][0].rule)
    except InputError as error:
        noted.append(flag(f"{role}_not_used", reason=str(error).rstrip(".")))
        return empty
    for (i, _), image in zip(chosen, found, strict=True):
        empty[i] = image
    return empty


def _waves(draft: Draft, role: str, noted: list[Flag]) -> list[np.ndarray | None]:
    """(F, D, O, R, C) float32 rad for every slice; None everywhere where a slice lacks images or no scale is known."""
    empty: list[np.ndarray | None] = [None] * len(draft.planes)
    chosen = [c for c in draft.images[role] if c is not None]
    if not chosen:
        return empty
    try:
        if len(chosen) < len(draft.planes):
            raise InputError("some slices have none")
        tables = [waves(frames) for _, frames in chosen]
        if len({shape for shape, _ in tables}) > 1:
            raise InputError(_uneven([shape[2] for shape, _ in tables]))
        for (_, frames), plane in zip(tables, draft.planes, strict=True):
            _check_grids((f, plane) for f in frames)
        flat = [f for _, frames in tables for f in frames]
        images = units.phase_rad(flat, chosen[0][0].rule, wave=role == "wave")
    except InputError as error:
        if role == "phase":
            if not draft.has_map:
                raise
            noted.append(flag("phase_not_used", reason=str(error).rstrip(".")))
        return empty
    shape = tables[0][0]
    return list(images.reshape(len(tables), *shape, *images.shape[1:]))


def _uneven(offsets: Sequence[int]) -> str:
    """Which slices lack phase images, in words; offsets of every slice, foot to head."""
    most = max(offsets)
    lacking = ", ".join(str(i) for i, n in enumerate(offsets, start=1) if n < most)
    return (
        f"slice {lacking} (counted from the feet) has fewer phase offsets than the {most} of the others: "
        "an image is missing, export the whole series"
    )


def _check_grids(pairs: Iterable[tuple[Frame, Plane]]) -> None:
    for frame, plane in {(f.plane, p): (f, p) for f, p in pairs}.values():  # offsets share their plane
        if not frame.plane.same_grid(plane):
            raise InputError("its grid differs from the grid of the stiffness map")


def _gaps(draft: Draft) -> list[Flag]:
    """A flag where slices are missing: by the steps between them, or because their magnitude series has more."""
    positions = positions_mm(draft.planes, draft.planes[0].normal)
    steps = np.diff(positions)
    expected = len(positions)
    if steps.size >= 2 and steps.max() >= 1.5 * steps.min():
        expected = round((positions[-1] - positions[0]) / steps.min()) + 1
    expected = max(expected, _acquired(draft, positions))
    return [flag("missing_slices", found=len(positions), expected=expected)] if expected > len(positions) else []


def _acquired(draft: Draft, positions: np.ndarray) -> int:
    """How many slices an exam has together with those of its magnitude series that have no map."""
    normal = draft.planes[0].normal
    groups = {id(c[0]): c[0] for c in draft.images["magnitude"] if c is not None}.values()
    planes = {f.plane for g in groups for f in g.frames if float(f.normal @ normal) >= PARALLEL}
    acquired = np.sort(positions_mm(list(planes), normal))
    tolerance = _SAME_SLICE * spacing_mm(acquired, draft.planes[0].thickness_mm)
    extra = [p for p in acquired if np.abs(positions - p).min() > tolerance]
    return len(positions) + sum(i == 0 or p - extra[i - 1] > tolerance for i, p in enumerate(extra))


def _untested(draft: Draft) -> list[Flag]:
    names = sorted({g.rule.name for g in draft.used if not g.rule.tested_on_real})
    return [flag("vendor_rule_untested", rule=", ".join(names))] if names else []


def _acquisition(draft: Draft, options: ReadOptions, phase: Sequence[np.ndarray | None]) -> Acquisition:
    groups = draft.used
    stated = {f for g in groups if (f := frequency_hz(g.header)) is not None}
    if stated and options.frequency_hz is not None and options.frequency_hz not in stated:
        raise Contradiction(
            f"series {draft.first.number}: the header says {min(stated):g} Hz but --frequency-hz says "
            f"{options.frequency_hz:g}; leave the option away"
        )
    return Acquisition(
        vendor=vendor(draft.first.header),
        field_t=next((f for g in groups if (f := g.header.number(Tag.FIELD))), None),
        frequency_hz=min(stated) if stated else options.frequency_hz,
        sequence=next((g.sequence for g in groups if g.sequence), ""),
        dimension=_dimension(groups, phase),
    )


def _dimension(groups: Sequence[Group], phase: Sequence[np.ndarray | None]) -> Dimension | None:
    encoded = max((p.shape[1] for p in phase if p is not None), default=0)
    if encoded >= 3:
        return "3D"
    return next((g.rule.dimension for g in groups if g.rule.dimension), "2D" if encoded == 1 else None)


def _sources(draft: Draft, i: int) -> tuple[str, ...]:
    frames = [draft.maps[i], *(f for chosen in draft.images.values() if (c := chosen[i]) for f in c[1])]
    return tuple(dict.fromkeys(f.name for f in frames))


def _headers(draft: Draft) -> SourceHeaders:
    maps = draft.maps if draft.has_map else []
    magnitudes = [c[1][0] for c in draft.images["magnitude"] if c is not None]
    files = list({f.pixels.file.path: f.pixels.file for f in [*maps, *magnitudes]}.values())
    place = {file.path: i for i, file in enumerate(files)}
    return SourceHeaders(files, *([_source(f, place) for f in part] for part in (maps, magnitudes)))


def _source(frame: Frame, place: Mapping[Path, int]) -> SourceImage:
    h = frame.header
    return SourceImage(
        header=place[frame.pixels.file.path],
        frame=frame.index + 1 if h.integer(Tag.FRAMES, 1) > 1 else None,
        sop_class=h.text(Tag.SOP_CLASS),
        sop_instance=h.text(Tag.SOP_INSTANCE),
        series=h.text(Tag.SERIES_UID),
    )


def _hash(draft: Draft) -> str:
    files = {id(f.pixels): f.pixels for f in draft.maps}
    for chosen in draft.images.values():
        files.update({id(f.pixels): f.pixels for c in chosen if c is not None for f in c[1]})
    digests = sorted(p.sha256 for p in files.values())
    return hashlib.sha256("".join(digests).encode()).hexdigest()
