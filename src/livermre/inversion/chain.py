"""An exam's phase -> the same exam with our stiffness, confidence and wave."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from livermre.exam.errors import Contradiction, InputError
from livermre.exam.flags import flag
from livermre.exam.types import Acquisition, Exam, Slice
from livermre.inversion.components import joined
from livermre.inversion.judging import judged
from livermre.inversion.maps import QUANTITY
from livermre.inversion.offsets import check_kind, check_offsets
from livermre.inversion.quality import exam_flags
from livermre.inversion.result import Inversion
from livermre.inversion.settings import InversionSettings
from livermre.inversion.slices import Done, Start, maps_from, motion_of

__all__ = ["Start", "invert"]

_DEFAULT = InversionSettings()


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
    motions = [
        None if image is None or i in unusable else motion_of(s, image, frequencies, settings, start)
        for i, (s, image) in enumerate(zip(exam.slices, images, strict=True))
    ]
    motions, how, flags = joined(motions, exam.acquisition, frequencies, settings, filtered=start == "wave")
    made = [None if m is None else maps_from(m, frequencies, settings, start) for m in motions]
    done, doubts = judged(made, frequencies, settings)
    if len(frequencies) > 1:
        flags = (*flags, flag("several_frequencies", frequencies=_listed(frequencies)))
    own = replace(exam, acquisition=_at(exam.acquisition, frequencies), flags=(*exam.flags, *flags, *doubts))
    inverted = _gather(own, done, tuple(unusable.values()), _quantity(frequencies, settings), start)
    return replace(inverted, components=how)


def _frequencies(exam: Exam, count: int, settings: InversionSettings) -> tuple[float, ...]:
    stated = exam.acquisition.frequencies_hz or tuple(f for f in (exam.acquisition.frequency_hz,) if f is not None)
    given = settings.frequencies_hz
    known = given or stated
    if not known:
        raise InputError("the driver frequency is not in the headers and is never assumed; give it with --frequency-hz")
    if given and stated and not np.array_equal(given, stated):
        raise Contradiction(
            f"the exam says {_listed(stated)} Hz but --frequency-hz says {_listed(given)}; leave the option away"
        )
    if len(known) != count:
        raise InputError(f"the images hold {count} frequencies but {len(known)} were given: {_listed(known)} Hz")
    if not all(0 < f < float("inf") for f in known):
        raise InputError(
            f"the driver frequency is {_listed(known)} Hz; it must be above zero: give it with --frequency-hz"
        )
    if len(set(known)) < len(known):
        raise InputError(f"the frequencies {_listed(known)} Hz repeat; each entry of the images has one of its own")
    return known


def _listed(frequencies_hz: Sequence[float]) -> str:
    """Frequencies in words: 40, 60 and 80."""
    words = [f"{f:g}" for f in frequencies_hz]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _at(acquisition: Acquisition, frequencies_hz: tuple[float, ...]) -> Acquisition:
    if len(frequencies_hz) == 1:
        return replace(acquisition, frequency_hz=frequencies_hz[0], frequencies_hz=())
    return replace(acquisition, frequency_hz=None, frequencies_hz=frequencies_hz)


def _quantity(frequencies_hz: tuple[float, ...], settings: InversionSettings) -> str:
    """What the map is: |G*| or rho c^2 of the one frequency, or joined over those that are named."""
    one = QUANTITY[settings.method]
    if len(frequencies_hz) == 1:
        return one
    if len(frequencies_hz) > 6:
        return f"{one} joined over {len(frequencies_hz)} frequencies"
    return f"{one} joined over {_listed(frequencies_hz)} Hz"


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


def _gather(
    exam: Exam, done: list[Done | None], unusable: tuple[InputError, ...], quantity: str, start: Start
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
        quantity=quantity,
        inversion=None,  # how an earlier map was made says nothing of this one
    )
    return Inversion(
        own,
        quantity,
        modulus,
        waves,
        qualities,
        band_share=_stacked([None if d is None else d.band_share for d in done]),
        short_share=_stacked([None if d is None else d.short_share for d in done]),
    )


def _stacked(images: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """One image a slice, NaN for slices that have none; None where none has."""
    known = [i for i in images if i is not None]
    return np.stack([np.full_like(known[0], np.nan) if i is None else i for i in images]) if known else None
