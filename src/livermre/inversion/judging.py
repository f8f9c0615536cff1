"""The last word on an exam's maps: without a vibration, or with offsets in the wrong order, they are withdrawn."""

from collections.abc import Sequence

import numpy as np

from livermre.exam.flags import Flag, flag
from livermre.inversion.quality import LEAST_CONFIDENT_SHARE
from livermre.inversion.settings import InversionSettings
from livermre.inversion.slices import Done, withdrawn
from livermre.inversion.vibration import CELL_MM2, Moments, against_noise, better_order, deviations, left_over

LEAST_AGAINST_NOISE = 1.5
"""Least energy of the first harmonic over that of the noise in the confident pixels, each by its dimensions. Noise
gives 1 (chosen pixels somewhat more: up to 1.5 in simulated exams without a vibration), the real exam 2.4."""

LEAST_AGAINST_SHORT = 2.0
"""The same against shorter waves, which is all that three offsets allow: noise that is not white differs by itself."""

LEAST_DEVIATIONS = 2.0
"""How far that must lie from noise, in standard deviations of noise on as many independent cells: a small area proves
little (the real exam 5.7; without a vibration at most 1.2 in simulated exams)."""

LEAST_GAIN = 0.05
"""Another order is the right one where it leaves less over by this share of the motion. Two exchanged offsets give 0.19
(0.14 on the real exam), offsets in order 0, noise up to 0.05."""

LEAST_SLICE_GAIN = 0.06
"""The same for one slice alone, where offsets of single slices were exchanged."""


def judged(
    done: Sequence[Done | None], frequencies_hz: tuple[float, ...], settings: InversionSettings
) -> tuple[list[Done | None], tuple[Flag, ...]]:
    """The slices with or without their maps, and what the exam as a whole must say."""
    cell_mm2 = CELL_MM2 * (settings.reference_hz / min(frequencies_hz)) ** 2
    known = [d for d in done if d is not None]
    found = _out_of_order(known) or _no_vibration(known, cell_mm2)
    if found is not None:
        return [d and withdrawn(d) for d in done], (found,)
    return [d and _in_order(d) for d in done], ()


def _out_of_order(known: Sequence[Done]) -> Flag | None:
    total = _total([d.body for d in known if "phase_offset_damaged" not in {f.code for f in d.quality.flags}])
    better = None if total is None else better_order(total)
    if total is None or better is None or better[1] < LEAST_GAIN:
        return None
    order = ", ".join(str(i + 1) for i in np.argsort(better[0]))
    rest = left_over(total)
    return flag("phase_offsets_out_of_order", order=order, given=100 * (1 - rest), best=100 * (1 - rest + better[1]))


def _no_vibration(known: Sequence[Done], cell_mm2: float) -> Flag | None:
    if max(d.quality.confident_share for d in known) < LEAST_CONFIDENT_SHARE:
        return None  # said already
    trusted = [d for d in known if not d.quality.flags]
    total = _total([d.sure for d in trusted])
    if total is None:
        return None
    ratio = against_noise(total)
    if ratio is None:
        return _no_band(trusted, cell_mm2)
    if ratio >= LEAST_AGAINST_NOISE and deviations(total, known[0].pixel_mm2, cell_mm2) >= LEAST_DEVIATIONS:
        return None
    area = total.pixels * known[0].pixel_mm2
    return flag("phase_without_vibration", ratio=ratio, area_mm2=area)


def _no_band(trusted: Sequence[Done], cell_mm2: float) -> Flag | None:
    """The same of three offsets: the band against shorter waves."""
    parts = [d.band for d in trusted if d.band is not None]
    if not parts:
        return flag("vibration_not_known")
    total = sum(parts[1:], parts[0])
    ratio = total.mean / max(1 - total.mean, 1e-9)
    if ratio >= LEAST_AGAINST_SHORT and total.deviations(trusted[0].pixel_mm2, cell_mm2) >= LEAST_DEVIATIONS:
        return None
    return flag("phase_without_vibration", ratio=ratio, area_mm2=total.pixels * trusted[0].pixel_mm2)


def _in_order(done: Done) -> Done:
    """A slice of an exam in order can still have two images exchanged."""
    better = None if done.body is None else better_order(done.body)
    if done.body is None or better is None or better[1] < LEAST_SLICE_GAIN or done.quality.flags:
        return done
    held = 100 * (1 - left_over(done.body))
    return withdrawn(done, (flag("phase_not_harmonic", percent=held, z_mm=done.quality.z_mm),))


def _total(parts: Sequence[Moments | None]) -> Moments | None:
    known = [p for p in parts if p is not None and p.pixels]
    return sum(known[1:], known[0]) if known else None
