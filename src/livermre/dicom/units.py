"""Stored values to kPa, rad and 0..1: by what the file states, then by a named rule, then by the numbers, else refuse.

A factor of a thousand cannot slip through: whoever stated the unit, the body's median stiffness is compared with what
tissue can have, and that range (250-fold) is narrower than the factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from livermre.dicom.frames import Frame
from livermre.dicom.header import Header, Tag
from livermre.dicom.invalid import BURNED_IN, no_value
from livermre.dicom.vendors import Rule
from livermre.exam.errors import Contradiction, InputError, UnclearUnit
from livermre.exam.flags import Flag, flag
from livermre.exam.plausible import body_medians, check_kpa
from livermre.exam.study import ReadOptions

LIVER_KPA = (0.5, 20.0)
"""Without any statement the median must lie here, as kPa or as Pa: what livers have, with room (project's choice)."""

_KPA_PER_UNIT = {"kpa": 1.0, "pa": 1e-3, "n/m2": 1e-3, "n/m^2": 1e-3}
_RAD_PER_UNIT = {"rad": 1.0, "radian": 1.0, "radians": 1.0, "mrad": 1e-3, "milliradian": 1e-3, "deg": np.pi / 180}
_FRACTION_PER_UNIT = {"%": 0.01, "percent": 0.01}
_UNSTATED = ("", "us", "normalized", "unspecified", "1", "no units", "{no units}")
_HALF_TURN = np.pi * 1.01
"""Phase may exceed pi by rounding of the last stored step; 1 % is more than any coarse step seen."""


@dataclass(frozen=True)
class Stated:
    """Linear scale that a file states: value = stored * slope + intercept, in unit (lower case, '' = not stated)."""

    slope: float
    intercept: float
    unit: str
    by: str


def stated(header: Header) -> Stated:
    """The scale that a header states: Real World Value Mapping first, then rescale, else 1:1."""
    unit = header.text(Tag.RWV_UNIT).lower()
    slope, intercept = header.number(Tag.RWV_SLOPE), header.number(Tag.RWV_INTERCEPT)
    if slope is not None and intercept is not None and unit not in _UNSTATED:
        return Stated(slope, intercept, unit, "Real World Value Mapping")
    rescale_slope, rescale_intercept = header.number(Tag.SLOPE), header.number(Tag.INTERCEPT)
    named = header.text(Tag.RESCALE_TYPE).lower()
    if rescale_slope is None and slope is not None and intercept is not None:
        return Stated(slope, intercept, "", "Real World Value Mapping")
    unit = "" if named in _UNSTATED else named
    return Stated(1.0 if rescale_slope is None else rescale_slope, rescale_intercept or 0.0, unit, "rescale type")


@dataclass(frozen=True)
class KpaScale:
    """How a series comes to kPa: factor after the stated slope, who said so, and a flag where it was inferred."""

    factor: float
    by: str
    flags: tuple[Flag, ...] = ()


def stiffness_kpa(
    frames: Sequence[Frame], rule: Rule, options: ReadOptions, bodies: Sequence[np.ndarray | None]
) -> tuple[list[np.ndarray], KpaScale]:
    """Maps (R, C) float32 in kPa with NaN for no value, and how the unit was found.

    bodies  (R, C) bool or None for each frame: where the body is, for the check by numbers

    Raises UnclearUnit where nothing says the unit or the numbers deny it, Contradiction where two statements differ.
    """
    scales = [stated(f.header) for f in frames]
    maps = [_values(f, s) for f, s in zip(frames, scales, strict=True)]
    factors = {_KPA_PER_UNIT.get(s.unit) if s.unit else 0.0 for s in scales}
    if len(factors) > 1:
        named = ", ".join(sorted({s.unit or "none" for s in scales}))
        raise Contradiction(f"{_series(frames)}: its images state different units ({named})")
    middle = body_medians(maps, bodies)
    scale = _choose(_series(frames), scales[0], rule, options, middle)
    check_kpa(_series(frames), [m * scale.factor for m in middle], scale.by)
    return [(m * np.float32(scale.factor)).astype(np.float32) for m in maps], scale


def _series(frames: Sequence[Frame]) -> str:
    return f"series {frames[0].header.integer(Tag.SERIES_NUMBER)}"


def _choose(series: str, says: Stated, rule: Rule, options: ReadOptions, medians: list[float]) -> KpaScale:
    if says.unit:
        factor = _KPA_PER_UNIT.get(says.unit)
        if factor is None:
            raise UnclearUnit(
                f"{series}: the map says its unit is {says.unit!r}, which is no unit of stiffness (kPa or Pa)"
            )
        wanted = options.stiffness_unit
        if wanted is not None and _KPA_PER_UNIT[wanted.lower()] != factor:
            raise Contradiction(
                f"{series}: the file says {says.unit} ({says.by}) but --stiffness-unit says {wanted}; "
                "leave the option away"
            )
        return KpaScale(factor, says.by)
    if options.stiffness_unit is not None:
        return KpaScale(_KPA_PER_UNIT[options.stiffness_unit.lower()], "--stiffness-unit")
    if rule.unit is not None:
        return KpaScale(_KPA_PER_UNIT[rule.unit.lower()], f"vendor rule {rule.name}")
    return _by_numbers(series, medians)


def _by_numbers(series: str, medians: list[float]) -> KpaScale:
    middle = float(np.median(medians)) if medians else float("nan")
    for unit, factor in (("kPa", 1.0), ("Pa", 1e-3)):
        if LIVER_KPA[0] <= middle * factor <= LIVER_KPA[1]:
            return KpaScale(factor, "plausibility", (flag("unit_by_plausibility", unit=unit),))
    raise UnclearUnit(
        f"{series}: the stiffness map does not say its unit and its median of {middle:.4g} fits neither kPa nor Pa; "
        "state it with --stiffness-unit Pa or kPa"
    )


def _values(frame: Frame, scale: Stated) -> np.ndarray:
    stored = frame.stored()
    values = stored.astype(np.float32) * np.float32(scale.slope) + np.float32(scale.intercept)
    values[no_value(stored, frame.header) | ~(values > 0) | ~np.isfinite(values)] = np.nan
    return values


def mean_value(frames: Sequence[Frame]) -> np.ndarray:
    """Mean (R, C) float32 of images of one grid after their stated scale; what is no number counts as 0."""
    mean = np.zeros(frames[0].shape, dtype=np.float32)
    for frame in frames:
        scale = stated(frame.header)
        mean += frame.stored() * np.float32(scale.slope / len(frames)) + np.float32(scale.intercept / len(frames))
    return np.nan_to_num(mean, copy=False, posinf=0.0, neginf=0.0)


def confidence(frames: Sequence[Frame], rule: Rule) -> list[np.ndarray]:
    """Confidence maps (R, C) float32 in 0..1, NaN where there is none; InputError where no scale fits all of them."""
    raw = [_stated_values(f)[0] for f in frames]
    unit = stated(frames[0].header).unit
    top = max((float(np.nanmax(r)) for r in raw if r.size), default=0.0)
    factor = _FRACTION_PER_UNIT.get(unit) or (1e-3 if rule.permille else _confidence_factor(top, _counts(frames)))
    if factor is None or not 0.0 < top * factor <= 1.0005 or min(float(np.nanmin(r)) for r in raw) < 0:
        raise InputError(
            f"the confidence map reaches {top:.4g}, which is the full scale of neither 0-1, 0-100 nor 0-1000"
        )
    return [np.clip(r * np.float32(factor), 0.0, 1.0) for r in raw]


_FULL_SCALE = 0.9
"""A scale is inferred only where the largest confidence comes this near to its end (project's choice)."""


def _confidence_factor(top: float, counts: bool) -> float | None:
    """The factor to 0..1 of a map that comes near the end of a scale; whole numbers cannot be a fraction."""
    for most, factor in ((1.0, 1.0), (100.0, 0.01), (1000.0, 0.001)):
        if _FULL_SCALE * most <= top <= 1.0005 * most and not (counts and most == 1.0):
            return factor
    return None


def _counts(frames: Sequence[Frame]) -> bool:
    """Whether the values are whole numbers: stored so and not rescaled."""
    return all(
        np.issubdtype(f.stored().dtype, np.integer) and float(stated(f.header).slope).is_integer() for f in frames
    )


def _stated_values(frame: Frame) -> tuple[np.ndarray, Stated]:
    scale = stated(frame.header)
    stored = frame.stored()
    values = stored.astype(np.float32) * np.float32(scale.slope) + np.float32(scale.intercept)
    if stored.dtype == np.int16 and stored.max() >= BURNED_IN:
        values[stored >= BURNED_IN] = np.nan
    return values, scale


def phase_rad(frames: Sequence[Frame], rule: Rule, wave: bool = False) -> np.ndarray:
    """Phase images (N, R, C) float32 in rad, read-only.

    wave  a computed wave is unwrapped and may exceed half a turn

    Raises InputError where no scale is known, statements differ or the numbers exceed half a turn.
    """
    scales = [stated(f.header) for f in frames]
    unit = scales[0].unit
    if any(s.unit != unit for s in scales) or (unit and unit not in _RAD_PER_UNIT):
        raise InputError(f"the phase images say that their unit is {unit!r}, which is no angle or not the same for all")
    stored = [f.stored() for f in frames]
    low, high = _range(stored, scales)
    rescaled = frames[0].header.number(Tag.SLOPE) is not None
    factor, offset = (_RAD_PER_UNIT[unit], 0.0) if unit else _phase_scale(low, high, rule, rescaled, wave)
    top = max(abs(low * factor + offset), abs(high * factor + offset))
    if not wave and top > _HALF_TURN:
        raise InputError(f"the phase images reach {top:.3g} rad, more than half a turn")
    images = np.empty((len(frames), *stored[0].shape), dtype=np.float32)
    for image, values, scale in zip(images, stored, scales, strict=True):
        np.multiply(values, np.float32(scale.slope * factor), out=image, casting="unsafe")
        image += np.float32(scale.intercept * factor + offset)
    if not np.isfinite(images).all():
        raise InputError("the phase images hold values that are no numbers")
    images.flags.writeable = False
    return images


def _range(stored: Sequence[np.ndarray], scales: Sequence[Stated]) -> tuple[float, float]:
    """Smallest and largest value after the stated scales."""
    ends = [
        float(end) * s.slope + s.intercept for v, s in zip(stored, scales, strict=True) for end in (v.min(), v.max())
    ]
    if not np.isfinite(ends).all():
        raise InputError("the phase images hold values that are no numbers")
    return min(ends), max(ends)


def _phase_scale(low: float, high: float, rule: Rule, rescaled: bool, wave: bool) -> tuple[float, float]:
    if rule.phase == "milliradian":
        # public code: unsigned pixels are moved by half a turn
        return (1e-3, 0.0) if low < 0 or wave else (1e-3, -np.pi)
    if rule.phase == "half_turn_4096":
        # without rescale tags the twelve stored bits span one turn
        return (np.pi / 4096, 0.0) if rescaled or low < 0 else (np.pi / 2048, -np.pi)
    if wave:
        raise InputError("no rule says the scale of the wave images")
    for most, factor in ((np.pi, 1.0), (1000 * np.pi, 1e-3), (4096.0, np.pi / 4096), (180.0, np.pi / 180)):
        if low < 0 and 0.9 * most <= max(-low, high) <= 1.005 * most:
            return factor, 0.0
    raise InputError(f"no rule says the scale of the phase images ({low:.4g} to {high:.4g})")
