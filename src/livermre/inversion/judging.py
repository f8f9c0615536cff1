"""The last word on an exam's maps: without a vibration, or with offsets in the wrong order, they are withdrawn."""

from collections.abc import Sequence

import numpy as np

from livermre.exam.flags import Flag, flag
from livermre.inversion.offsets import MINIMUM
from livermre.inversion.quality import LEAST_CONFIDENT_SHARE
from livermre.inversion.settings import InversionSettings
from livermre.inversion.short_waves import LEAST_EVEN
from livermre.inversion.slices import Done, withdrawn
from livermre.inversion.vibration import (
    CELL_MM2,
    Moments,
    against_noise,
    better_order,
    deviations,
    left_over,
    weaker_turn,
)

LEAST_AGAINST_NOISE = 1.5
"""Least energy of the first harmonic over that of the noise in the confident pixels, each by its dimensions. Noise
gives 1 (chosen pixels somewhat more: up to 1.5 in simulated exams without a vibration), the real exam 2.4."""

LEAST_WEAKER_TURN = 1.35
"""The same of the harmonic's weaker dimension, where the offsets' mean counts as noise: ghosts of vessels, one pattern
whose strength differs from offset to offset, gave 1.8 and 1.3 (simulated, driver off), the real exam 2.7 and 2.5 (its
slices 1.4 to 3.2 in the weaker one)."""

LEAST_AGAINST_SHORT = 2.0
"""The same against shorter waves, which is all that three offsets allow: noise that is not white differs by itself."""

LEAST_ALONE = 3.0
"""What a region's harmonic needs over what is left over to be believed where shorter waves speak against it: a wave
twice as strong as the noise. In simulated exams slices below it read on average 25 to 35 % too soft."""

LEAST_REGION_AGAINST_SHORT = 1.75
"""Where a region's band against shorter waves speaks for it: noise of few acquired lines gives up to 1.5. Of 26
simulated slices below both limits 24 read more than 19 % wrong; the real exam's four, whose rest is no noise, have 1.8
to 2.0 and 2.3 to 5.0."""

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


def noise_alone(rest: float | np.ndarray, short: float | np.ndarray | None) -> bool | np.ndarray:
    """Whether a region, or each of many, shows noise and no waves that can be measured.

    rest   energy of the first harmonic over that of what is left over in time, each by its dimensions
    short  energy in the band over that of shorter waves, each by its width; None where that is not known
    """
    weak = rest < LEAST_AGAINST_NOISE
    return weak if short is None else weak | ((rest < LEAST_ALONE) & (short < LEAST_REGION_AGAINST_SHORT))


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
    found = [m for m in (_total([d.sure for d in trusted]), _total([d.still for d in trusted])) if m is not None]
    if not found:
        return None
    pixel_mm2 = known[0].pixel_mm2
    ratios = [r for r in (_vibrates(m, pixel_mm2, cell_mm2) for m in found) if r is not None]
    if any(proven for _, proven in ratios):
        return None
    area = found[0].pixels * pixel_mm2
    if len(found[0].sums) > MINIMUM:
        return flag("phase_without_vibration", ratio=ratios[0][0], area_mm2=area)
    return _no_band(trusted, [r for r, _ in ratios], area, cell_mm2)


def _vibrates(total: Moments, pixel_mm2: float, cell_mm2: float) -> tuple[float, bool] | None:
    """How strong the first harmonic is against noise, and whether that proves a vibration; None if it tells nothing."""
    ratio = against_noise(total)
    if ratio is None:
        return None
    turns = not total.still or (weaker_turn(total) or 0.0) >= LEAST_WEAKER_TURN
    sure = deviations(total, pixel_mm2, cell_mm2) >= LEAST_DEVIATIONS
    return ratio, turns and sure and ratio >= LEAST_AGAINST_NOISE


def _no_band(trusted: Sequence[Done], against_mean: Sequence[float], area_mm2: float, cell_mm2: float) -> Flag | None:
    """Three offsets whose mean proves no vibration: the band against shorter waves, where these tell the noise.

    against_mean  energy of the first harmonic over that of the mean, if there is one: 1 for noise, far below 1 where
                  the mean holds more than noise that stands still
    """
    if against_mean and against_mean[0] >= 1 / LEAST_AGAINST_NOISE:
        return flag("phase_without_vibration", ratio=against_mean[0], area_mm2=area_mm2)
    parts = [d.band for d in trusted if d.band is not None]
    total = sum(parts[1:], parts[0]) if parts else None
    if total is None or not total.evenness >= LEAST_EVEN:
        return flag("vibration_not_known")
    ratio = total.mean / max(1 - total.mean, 1e-9)
    if ratio >= LEAST_AGAINST_SHORT and total.deviations(trusted[0].pixel_mm2, cell_mm2) >= LEAST_DEVIATIONS:
        return None
    return flag("phase_without_vibration", ratio=ratio, area_mm2=area_mm2)


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
