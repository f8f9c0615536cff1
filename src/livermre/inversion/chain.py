"""An exam's phase -> the same exam with our stiffness, confidence and wave."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from livermre.exam.errors import InputError
from livermre.exam.flags import Flag
from livermre.exam.types import Exam, Slice
from livermre.inversion.harmonic import offsets_of
from livermre.inversion.maps import QUANTITY, Maps, maps_of
from livermre.inversion.offsets import check_kind, check_offsets
from livermre.inversion.quality import doubts, exam_flags, slice_quality, trusted
from livermre.inversion.result import Inversion, SliceQuality
from livermre.inversion.settings import InversionSettings
from livermre.inversion.unwrapping import box, foreground
from livermre.inversion.wave import harmonic_of, roughness_of

Start = Literal["phase", "wave"]

_DEFAULT = InversionSettings()


@dataclass(frozen=True)
class _Done:
    """One slice: its new images, the maps on the whole image, its quality."""

    slice: Slice
    maps: Maps
    quality: SliceQuality


def invert(exam: Exam, settings: InversionSettings = _DEFAULT, start: Start = "phase") -> Inversion:
    """Stiffness, confidence and filtered wave of every slice, from acquired phase or from the vendor's wave.

    start  "phase": unwrap, first harmonic, band-pass, fit; "wave": the exam's filtered waves, first harmonic, fit

    A slice without these images, or with offsets that cannot be what they should be, gets no map and the exam a flag.
    Raises InputError where this leaves no slice, where the frequency is not known, or where the images are of another
    kind or unit.
    """
    images = [s.phase_rad if start == "phase" else s.wave_rad for s in exam.slices]
    known = [i for i in images if i is not None]
    if not known:
        raise InputError(f"the exam has no {start} images; inversion needs the {start} offsets of at least one slice")
    if len({i.shape[:3] for i in known}) > 1:
        found = ", ".join(sorted({f"{i.shape[2]}" for i in known}))
        raise InputError(f"the slices hold different numbers of {start} images ({found} offsets); one number is needed")
    frequencies = _frequencies(exam, known[0].shape[0], settings)
    unusable = _unusable(exam, images, wrapped=start == "phase")
    if len(unusable) == len(known):
        raise next(iter(unusable.values()))
    done = [
        None if image is None or i in unusable else _one(s, image, frequencies, settings, start)
        for i, (s, image) in enumerate(zip(exam.slices, images, strict=True))
    ]
    return _gather(exam, done, tuple(unusable.values()), settings, start)


def _frequencies(exam: Exam, count: int, settings: InversionSettings) -> tuple[float, ...]:
    known = settings.frequencies_hz
    if known is None and exam.acquisition.frequency_hz is not None:
        known = (exam.acquisition.frequency_hz,)
    if known is None:
        raise InputError("the driver frequency is not in the headers and is never assumed; give it with --frequency-hz")
    if len(known) != count:
        raise InputError(f"the images hold {count} frequencies but {len(known)} were given: {known} Hz")
    if not all(0 < f < float("inf") for f in known):
        found = ", ".join(f"{f:g}" for f in known)
        raise InputError(f"the driver frequency is {found} Hz; it must be above zero: give it with --frequency-hz")
    return known


def _unusable(exam: Exam, images: Sequence[np.ndarray | None], wrapped: bool) -> dict[int, InputError]:
    """The slices, counted from 0, whose images cannot be used, and why; raises what concerns the whole exam."""
    there = [(i, s, image) for i, (s, image) in enumerate(zip(exam.slices, images, strict=True)) if image is not None]
    for _, s, image in there:
        check_kind(image, _place(s), wrapped)
    found = {}
    for i, s, image in there:
        try:
            check_offsets(image, s.magnitude, _place(s), wrapped)
        except InputError as error:
            found[i] = error
    return found


def _place(s: Slice) -> str:
    return f"slice at {s.plane.position_mm:.1f} mm"


def _one(
    s: Slice, image: np.ndarray, frequencies_hz: tuple[float, ...], settings: InversionSettings, start: Start
) -> _Done:
    body = foreground(s.magnitude)
    rows, columns = box(body, 0)
    inside = body[rows, columns]
    harmonic = harmonic_of(image[..., rows, columns], inside, wrapped=start == "phase")
    kept = _without_edge(inside, s.plane.spacing_mm, settings.edge_mm)
    maps = maps_of(harmonic.wave, kept, s.plane.spacing_mm, frequencies_hz, settings, filtered=start == "wave")
    flags: tuple[Flag, ...] = ()
    if start == "phase":
        cut = image[..., rows, columns]
        flags = doubts(s, cut, harmonic, kept, settings)
        rough = roughness_of(cut, s.plane.spacing_mm, settings.confidence_window_mm)
        maps = trusted(maps, (rough <= settings.most_roughness_rad) & (not flags))
    quality = slice_quality(s, harmonic, maps, kept, start == "phase", flags)
    full = Maps(
        _whole(maps.stiffness_kpa, s, rows, columns, np.nan),
        _whole(maps.confidence, s, rows, columns, 0),
        None if maps.modulus_kpa is None else _whole(maps.modulus_kpa, s, rows, columns, np.nan),
        _whole(maps.wave, s, rows, columns, 0),
    )
    own = replace(
        s,
        stiffness_kpa=full.stiffness_kpa,
        confidence=full.confidence,
        wave_rad=offsets_of(full.wave, image.shape[2]),
    )
    return _Done(own, full, quality)


def _without_edge(body: np.ndarray, spacing_mm: tuple[float, float], edge_mm: float) -> np.ndarray:
    if edge_mm <= 0:
        return body
    padded = np.pad(body, 1)  # the image's border is an edge, too
    kept = ndimage.distance_transform_edt(padded, sampling=spacing_mm)[1:-1, 1:-1] > edge_mm
    return kept if kept.any() else body


def _whole(part: np.ndarray, s: Slice, rows: slice, columns: slice, fill: float) -> np.ndarray:
    out = np.full((*part.shape[:-2], *s.plane.shape), fill, dtype=part.dtype)
    out[..., rows, columns] = part
    return out


def _gather(
    exam: Exam,
    done: list[_Done | None],
    unusable: tuple[InputError, ...],
    settings: InversionSettings,
    start: Start,
) -> Inversion:
    known = [d for d in done if d is not None]
    waves = np.stack([np.zeros_like(known[0].maps.wave) if d is None else d.maps.wave for d in done])
    moduli = [None if d is None else d.maps.modulus_kpa for d in done]
    modulus = None
    if known[0].maps.modulus_kpa is not None:
        blank = np.full(exam.shape[1:], np.nan, dtype=np.complex64)
        modulus = np.stack([blank if m is None else m for m in moduli])
    slices = tuple(
        replace(s, stiffness_kpa=None, confidence=None, wave_rad=None) if d is None else d.slice
        for s, d in zip(exam.slices, done, strict=True)
    )
    qualities = tuple(d.quality for d in known)
    flags = exam_flags(qualities, len(done) - len(known) - len(unusable), unusable, start)
    own = replace(
        exam,
        slices=slices,
        flags=(*exam.flags, *flags),
        stiffness_source="livermre",
        quantity=QUANTITY[settings.method],
        inversion=None,  # how an earlier map was made says nothing of this one
    )
    return Inversion(own, QUANTITY[settings.method], modulus, waves, qualities)
