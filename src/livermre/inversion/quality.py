"""What a slice's offsets and fit say about it, and which flags follow."""

from dataclasses import replace

import numpy as np

from livermre.exam.errors import InputError
from livermre.exam.flags import Flag, flag
from livermre.exam.types import Slice
from livermre.inversion.maps import Maps
from livermre.inversion.result import SliceQuality
from livermre.inversion.settings import InversionSettings
from livermre.inversion.wave import Harmonic, roughest_offset

CONFIDENT = 0.95

LEAST_CONFIDENT_SHARE = 0.005
"""Less of the body is chance: pure noise gives none, one resolution cell is about this share of a trunk."""


def doubts(
    s: Slice, phase_rad: np.ndarray, harmonic: Harmonic, body: np.ndarray, settings: InversionSettings
) -> tuple[Flag, ...]:
    """Reasons not to trust a slice whose offsets contradict each other; phase (F, D, O, R, C) wrapped, rad."""
    found = []
    worst, likeness = roughest_offset(phase_rad, body)
    if likeness < settings.least_likeness:
        found.append(flag("phase_offset_damaged", offset=worst + 1, z_mm=s.plane.position_mm))
    if harmonic.share is not None and harmonic.share < _least_share(phase_rad.shape[2], settings):
        found.append(flag("phase_not_harmonic", percent=100 * harmonic.share, z_mm=s.plane.position_mm))
    return tuple(found)


def _least_share(offsets: int, settings: InversionSettings) -> float:
    """The setting, which holds for four offsets: more of them leave noise more dimensions beside the first harmonic."""
    odds = settings.least_harmonic_share / (1 - settings.least_harmonic_share)
    return odds / (odds + offsets - 3)


def trusted(maps: Maps, where: np.ndarray | bool) -> Maps:
    """The same maps with values and confidence only there: a region drawn by hand does not ask for confidence."""
    modulus = maps.modulus_kpa
    return replace(
        maps,
        stiffness_kpa=np.where(where, maps.stiffness_kpa, np.float32(np.nan)),
        confidence=np.where(where, maps.confidence, np.float32(0)),
        modulus_kpa=None if modulus is None else np.where(where, modulus, np.complex64(np.nan)),
    )


def slice_quality(
    s: Slice, harmonic: Harmonic, maps: Maps, body: np.ndarray, acquired: bool, flags: tuple[Flag, ...]
) -> SliceQuality:
    """The figures of one slice, all images cropped alike; acquired: from phase and not from filtered waves."""
    confident = maps.confidence >= CONFIDENT
    place = confident if confident.any() else body
    amplitude = float(np.abs(maps.wave[..., place]).mean())
    rest = float(np.abs((harmonic.wave - maps.wave)[..., place]).mean())
    return SliceQuality(
        z_mm=s.plane.position_mm,
        harmonic_share=harmonic.share,
        shear_amplitude_rad=amplitude,
        bulk_ratio=rest / amplitude if acquired and amplitude > 0 else None,
        noise_rad=float(np.median(harmonic.noise[place])) if acquired and harmonic.noise is not None else None,
        confident_share=float(confident.sum() / max(int(body.sum()), 1)),
        flags=flags,
    )


def exam_flags(
    qualities: tuple[SliceQuality, ...], missing: int, unusable: tuple[InputError, ...], start: str
) -> tuple[Flag, ...]:
    """What the exam's reader must know: where the map comes from, and what is wrong with it.

    missing   slices without images
    unusable  why each slice whose images cannot be used was left out
    """
    found = [flag("stiffness_by_livermre", start=start)]
    found += [flag("slice_not_inverted", reason=str(error).rstrip(".")) for error in unusable]
    found += [f for q in qualities for f in q.flags]
    if missing:
        found.append(flag("slices_without_phase", count=missing, start=start))
    best = max(q.confident_share for q in qualities)
    if best < LEAST_CONFIDENT_SHARE:
        found.append(flag("phase_without_waves", percent=100 * best, start=start))
    return tuple(found)
