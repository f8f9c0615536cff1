"""The page's section on livermre's own inversion: wave, amplitude, and the scanner's map beside ours."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from livermre.exam.types import Finding, Waves
from livermre.report import words
from livermre.report.colours import NO_VALUE, diverging, diverging_index, palette, stiffness_index
from livermre.report.pictures import Pictures
from livermre.report.png import encode
from livermre.report.svg import data_uri, outline_of, panel
from livermre.report.upright import upright

DIFFERENCE_KPA = 2.0
"""Ends of the scale of differences between two stiffness maps."""


@dataclass(frozen=True)
class _Row:
    """The tiles of one slice, each ready to place."""

    number: int
    z_mm: float
    quality: str
    wave: Markup
    amplitude: Markup
    vendor: Markup | None
    difference: Markup | None


@dataclass(frozen=True)
class WaveSection:
    """What the template needs."""

    rows: tuple[_Row, ...]
    wave_rad: float  # ends of the wave's scale
    difference_kpa: float  # ends of the scale of differences
    has_vendor: bool
    quantity: str
    method: str
    agreement: tuple[tuple[str, str], ...]  # name and value
    plot: Markup | None


def wave_section(finding: Finding, drawn: Pictures) -> WaveSection | None:
    """The section of one finding; None where the scanner's own map was measured."""
    waves = finding.waves
    if waves is None:
        return None
    reach = _reach(waves, finding.liver.liver)
    rows = tuple(_row(finding, waves, drawn, i, reach) for i in range(len(drawn.slices)))
    plot = bland_altman(finding, waves)
    vendor = waves.vendor_kpa is not None
    return WaveSection(
        rows, reach, DIFFERENCE_KPA, vendor, waves.quantity, waves.method, words.wave_agreement(waves), plot
    )


def _reach(waves: Waves, liver: np.ndarray) -> float:
    """Amplitude that the scale ends at, rad: of nine tenths of the liver, so that its bright rim hides no weak wave."""
    inside = waves.amplitude_rad[liver] if liver.any() else waves.amplitude_rad
    return max(0.1, float(np.ceil(10 * np.percentile(inside, 90)) / 10))


def _row(finding: Finding, waves: Waves, drawn: Pictures, index: int, reach: float) -> _Row:
    exam, row = finding.exam, finding.stiffness.slices[index]
    turn = upright(exam.slices[0].plane)

    def tile(image: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(turn.apply(image)[drawn.window])

    body = tile(waves.amplitude_rad[index]) > 0
    line = outline_of(index, "liver", "dark")
    wave = diverging_index(np.where(body, tile(waves.wave_rad[index]), np.nan), reach)
    amplitude = np.rint(255 * np.clip(tile(waves.amplitude_rad[index]) / reach, 0, 1)).astype(np.uint8)
    vendor = difference = None
    if waves.vendor_kpa is not None:
        theirs, ours = tile(waves.vendor_kpa[index]), exam.slices[index].stiffness_kpa
        shown = np.where(body, theirs, np.nan)
        faint = outline_of(index, "liver", "faint")
        vendor = panel(drawn, data_uri(encode(stiffness_index(shown), palette(), NO_VALUE)), faint, "the scanner's map")
        if ours is not None:
            gap = diverging_index(np.where(body, tile(ours) - theirs, np.nan), DIFFERENCE_KPA)
            image = data_uri(encode(gap, diverging(), NO_VALUE))
            difference = panel(drawn, image, line, "difference of the two maps")
    return _Row(
        number=index + 1,
        z_mm=row.z_mm,
        quality=words.wave_quality(waves, index),
        wave=panel(drawn, data_uri(encode(wave, diverging(), NO_VALUE)), line, "shear wave"),
        amplitude=panel(drawn, data_uri(encode(amplitude)), outline_of(index, "liver", "liver"), "wave amplitude"),
        vendor=vendor,
        difference=difference,
    )


_BINS_X, _BINS_Y = 120, 80


def bland_altman(finding: Finding, waves: Waves) -> Markup | None:
    """Difference against mean of the two maps over the compared pixels, as a density; None without enough pixels."""
    ours = finding.exam.stiffness_kpa
    if waves.agreement is None or waves.compared is None or waves.vendor_kpa is None or ours is None:
        return None
    a, b = ours[waves.compared].astype(float), waves.vendor_kpa[waves.compared].astype(float)
    mean, gap = (a + b) / 2, a - b
    top = float(max(2.0, np.ceil(np.percentile(mean, 99.8))))
    reach = float(max(1.0, np.ceil(np.percentile(np.abs(gap), 99.5))))
    count, _, _ = np.histogram2d(gap, mean, bins=(_BINS_Y, _BINS_X), range=((-reach, reach), (0, top)))
    dense = np.sqrt(count[::-1] / max(count.max(), 1))
    image = data_uri(encode(np.rint(255 - 225 * dense).astype(np.uint8)))
    return _axes(image, waves, top, reach)


def _axes(image: str, waves: Waves, top: float, reach: float) -> Markup:
    """The density with its lines: no difference, the mean difference, the limits of agreement."""
    numbers = waves.agreement or {}

    def y(gap_kpa: float | None) -> float:
        return 4 + 84 * (0.5 - 0.5 * (gap_kpa or 0.0) / reach)

    def level(gap_kpa: float | None, css: str) -> str:
        return f'<line class="{css}" x1="9%" x2="99%" y1="{y(gap_kpa):.2f}%" y2="{y(gap_kpa):.2f}%"/>'

    lines = level(0.0, "axis") + level(numbers.get("bias_kpa"), "slice-mean")
    lines += level(numbers.get("limit_low_kpa"), "exam-mean") + level(numbers.get("limit_high_kpa"), "exam-mean")
    ticks = "".join(
        f'<text x="{9 + 90 * v / top:.2f}%" y="95%" text-anchor="middle">{v}</text>' for v in range(1, int(top))
    )
    ticks += "".join(
        f'<text x="8%" y="{y(v):.2f}%" dy="4" text-anchor="end">{label}</text>'
        for v, label in ((-reach, f"−{reach:g}"), (0.0, "0 kPa"), (reach, f"+{reach:g}"))
    )
    return Markup(
        '<svg class="agree" width="100%" height="300" role="img" aria-label="difference against mean of both maps">'
        f'<image x="9%" y="4%" width="90%" height="84%" preserveAspectRatio="none" href="{image}"/>{lines}{ticks}'
        '<text x="54%" y="99.5%" text-anchor="middle">mean of both maps, kPa</text></svg>'
    )
