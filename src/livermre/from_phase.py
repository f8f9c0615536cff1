"""From acquired phase: the exam with livermre's own maps instead of the scanner's, and what was seen on the way."""

import json
from dataclasses import asdict, dataclass, replace

import numpy as np

from livermre.evaluate import agreement
from livermre.exam.errors import InputError
from livermre.exam.flags import Flag, Severity, flag
from livermre.exam.types import Exam, LiverMask, Slice, Waves
from livermre.inversion import Inversion, InversionSettings, SliceQuality, invert
from livermre.inversion.chain import Start
from livermre.inversion.quality import CONFIDENT


@dataclass(frozen=True)
class Inverted:
    """An exam whose stiffness, confidence and wave are livermre's, and the way there."""

    exam: Exam
    waves: Waves


def inverted(exam: Exam, settings: InversionSettings, start: Start = "phase") -> Inverted:
    """Invert an exam's acquired phase, or its filtered wave; raises InputError where that cannot be done.

    start  "phase", or "wave" for the scanner's filtered wave images
    """
    made = invert(exam, settings, start)
    how = {
        "method": settings.method,
        "start": start,
        "components": made.components,
        "settings": json.loads(json.dumps(asdict(settings))),
    }
    return Inverted(replace(made.exam, inversion=how), _waves(exam, made, settings))


def with_confidence(exam: Exam, settings: InversionSettings) -> Exam:
    """The scanner's stiffness with livermre's confidence, where phase allows it; else the exam as it is, flagged.

    Slices whose offsets are out of order or contradict each other lose the scanner's value too: it was made of them.
    """
    if all(s.phase_rad is None for s in exam.slices):
        return exam
    try:
        made = invert(exam, settings)
    except InputError as error:  # the exam can be measured all the same, flagged for want of a confidence map
        return replace(exam, flags=(*exam.flags, flag("phase_not_used", reason=str(error).rstrip("."))))
    own = made.exam.flags[len(exam.flags) :]
    silent = any(f.code == "phase_without_waves" for f in own)
    misordered = any(f.code == "phase_offsets_out_of_order" for f in own)
    doubted = {q.z_mm for q in made.slices if q.flags or misordered}
    slices = tuple(
        _judged(s, o.confidence, silent, s.plane.position_mm in doubted)
        for s, o in zip(exam.slices, made.exam.slices, strict=True)
    )
    passed = tuple(_as_doubt(f) for f in own if f.code not in _OF_OUR_MAP)
    return replace(exam, slices=slices, flags=(*exam.flags, *passed, *_origin(slices, made, silent)))


_OF_OUR_MAP = {
    "stiffness_by_livermre", "slices_without_phase", "phase_without_waves",
    "components_by_curl", "components_summed", "several_frequencies",
}  # fmt: skip
"""Flags that speak of our stiffness map, which is not used here; `_origin` says in their stead what holds."""

_VERDICTS = {"phase_without_vibration", "phase_offsets_out_of_order", "vibration_not_known"}
"""Flags that leave no number of our map; the scanner's may have slices without phase, which they do not concern."""


def _as_doubt(given: Flag) -> Flag:
    return replace(given, severity=Severity.WARNING) if given.code in _VERDICTS else given


def _judged(s: Slice, confidence: np.ndarray | None, silent: bool, doubted: bool) -> Slice:
    """A slice of the scanner with our confidence: none at all where its phase holds no wave, no value if doubted."""
    if confidence is not None and silent:
        confidence = np.zeros_like(confidence)  # a few pixels by chance must not pass for a wave
    if doubted and s.stiffness_kpa is not None:
        return replace(s, confidence=confidence, stiffness_kpa=np.full_like(s.stiffness_kpa, np.nan))
    return replace(s, confidence=confidence)


def _origin(slices: tuple[Slice, ...], made: Inversion, silent: bool) -> tuple[Flag, ...]:
    """Which slices have our confidence, and whether their phase holds waves."""
    used, lacking = (
        ", ".join(f"{s.plane.position_mm:.0f}" for s in slices if (s.confidence is None) == missing)
        for missing in (False, True)
    )
    where = flag("confidence_partly_from_phase", used=used, lacking=lacking) if lacking else None
    found = (where or flag("confidence_from_phase"),)
    best = max(q.confident_share for q in made.slices)
    return (*found, flag("phase_contradicts_map", percent=100 * best)) if silent else found


def compared(waves: Waves, exam: Exam, liver: LiverMask) -> Waves:
    """The same waves with the agreement of our map and the scanner's inside the liver, where both are confident."""
    ours, sure = exam.stiffness_kpa, exam.confidence
    if waves.vendor_kpa is None or ours is None or sure is None:
        return waves
    where = liver.liver & (sure >= CONFIDENT) & np.isfinite(ours) & np.isfinite(waves.vendor_kpa)
    if waves.vendor_confidence is not None:
        where &= waves.vendor_confidence >= CONFIDENT
    found = agreement(ours[where], waves.vendor_kpa[where])
    if found is None:
        return replace(waves, compared=where)
    numbers = {
        "pixels": found.pairs,
        "bias_kpa": found.bias,
        "bias_percent": found.bias_percent,
        "limit_low_kpa": found.limits[0],
        "limit_high_kpa": found.limits[1],
        "pearson": found.pearson,
        "concordance": found.concordance,
    }
    return replace(waves, compared=where, agreement=numbers)


def _waves(exam: Exam, made: Inversion, settings: InversionSettings) -> Waves:
    first = made.wave[:, 0]  # of several frequencies the first is shown
    amplitude = np.sqrt((np.abs(first) ** 2).sum(axis=1))
    strongest = int((np.abs(first) ** 2).sum(axis=(0, 2, 3)).argmax())
    vendor = exam.stiffness_source == "vendor"
    by_height = {q.z_mm: q for q in made.slices}
    rows = [by_height.get(z) for z in exam.positions_mm]
    return Waves(
        method=settings.method,
        quantity=made.quantity,
        wave_rad=first[:, strongest].real,
        amplitude_rad=amplitude,
        harmonic_share=_column(rows, "harmonic_share"),
        bulk_ratio=_column(rows, "bulk_ratio"),
        noise_rad=_column(rows, "noise_rad"),
        band_share=made.band_share,
        short_share=made.short_share,
        vendor_kpa=exam.stiffness_kpa if vendor else None,
        vendor_confidence=exam.confidence if vendor else None,
    )


def _column(rows: list[SliceQuality | None], name: str) -> tuple[float | None, ...]:
    return tuple(None if row is None else getattr(row, name) for row in rows)
