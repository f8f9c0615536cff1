"""Inline SVG for the page: tiles with their lines, and charts whose text keeps its size at every width."""

import base64
from collections.abc import Callable

import numpy as np
from markupsafe import Markup, escape

from livermre.exam.reasons import Reason
from livermre.exam.types import Change, Stage, Stiffness
from livermre.report import words
from livermre.report.colours import KEPT, NO_VALUE, TOP_KPA, band_colours, hex_of, palette, reason_colour
from livermre.report.pictures import HISTOGRAM_STEP_KPA, Pictures, SlicePictures
from livermre.report.png import encode

_ACROSS = 2000
"""Every tile is this many units wide: paths in whole units are short, and line widths look alike on all exams."""


def _loops(lines: list[np.ndarray], units_per_mm: float) -> str:
    """Path data of closed lines given in mm, in whole units."""
    parts = []
    for line in lines:
        whole = np.rint(line * units_per_mm).astype(int)
        steps = whole[1:] - whole[:-1]
        moves = " ".join(map(str, steps[steps.any(axis=1)].ravel().tolist()))
        if moves:
            parts.append(f"M{whole[0, 0]} {whole[0, 1]}l{moves}z")
    return "".join(parts)


def _strokes(strokes: np.ndarray, units_per_mm: float) -> str:
    """Path data of straight strokes (N, 2, 2) given in mm, in whole units."""
    whole = np.rint(strokes * units_per_mm).astype(int)
    flat = np.concatenate([whole[:, 0], whole[:, 1] - whole[:, 0]], axis=1).tolist()
    return "".join([f"M{x} {y}l{dx} {dy}" for x, y, dx, dy in flat])


def data_uri(png: bytes) -> str:
    """A PNG as the address of an inline image."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def panel(drawn: Pictures, image: str, lines: str, name: str) -> Markup:
    """One tile: an inline image, lines over it, the letter of its left side."""
    width, height = _ACROSS, round(_ACROSS / drawn.aspect)
    left = escape(drawn.letters[0])
    return Markup(
        f'<svg class="tile" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">'
        f'<image width="{width}" height="{height}" preserveAspectRatio="none" href="{image}"/>{lines}'
        f'<text class="side" x="36" y="{height / 2 + 32:.0f}">{left}</text>'
        "</svg>"
    )


def outline_of(index: int, kind: str, css: str) -> str:
    """A use of an outline that `outlines` defined: "liver" or "region" of a slice."""
    return f'<use href="#{kind}{index}" class="{css}"/>'


def outlines(index: int, one: SlicePictures, drawn: Pictures) -> Markup:
    """The outlines of a slice, defined once and used by its three tiles."""
    unit = _ACROSS / drawn.size_mm[0]
    kinds = (("liver", one.liver), ("region", one.region))
    return Markup("".join(f'<path id="{kind}{index}" d="{_loops(lines, unit)}"/>' for kind, lines in kinds))


def magnitude(index: int, one: SlicePictures, drawn: Pictures) -> Markup:
    """Magnitude with liver and region outline."""
    lines = outline_of(index, "liver", "liver") + outline_of(index, "region", "region thin")
    return panel(drawn, data_uri(encode(one.magnitude)), lines, "magnitude with liver outline")


def stiffness(index: int, one: SlicePictures, drawn: Pictures) -> Markup | None:
    """Stiffness in the clinical scale with the region's outline; None without a map."""
    if one.stiffness is None:
        return None
    image = data_uri(encode(one.stiffness, palette(), NO_VALUE))
    kinds = (("liver", "faint"), ("region", "casing"), ("region", "region"))
    lines = "".join(outline_of(index, kind, css) for kind, css in kinds)
    return panel(drawn, image, lines, "stiffness map with measured region")


def confidence(index: int, one: SlicePictures, drawn: Pictures) -> Markup | None:
    """Confidence with the part below the threshold hatched; None without a map."""
    if one.confidence is None:
        return None
    hatch = _strokes(one.hatch, _ACROSS / drawn.size_mm[0])
    lines = f'<path class="hatch" d="{hatch}"/>' + outline_of(index, "liver", "liver")
    return panel(drawn, data_uri(encode(one.confidence)), lines, "confidence, hatched where too low")


def scale_gradient() -> Markup:
    """The clinical scale as a gradient, defined once; its stops are the scale's own corners."""
    stops = "".join(
        f'<stop offset="{value / TOP_KPA:.4f}" stop-color="{hex_of(value)}"/>' for value in range(int(TOP_KPA) + 1)
    )
    return Markup(f'<linearGradient id="scale">{stops}</linearGradient>')


def colour_bar() -> Markup:
    """The scale with its ticks."""
    ticks = "".join(_tick(value, 2 + 96 * value / TOP_KPA) for value in range(0, int(TOP_KPA) + 1, 2))
    return Markup(
        '<svg class="bar" width="100%" height="30" role="img" aria-label="colour scale 0 to 8 kPa">'
        f'<rect x="2%" y="2" width="96%" height="9" fill="url(#scale)"/>{ticks}</svg>'
    )


def _tick(value: int, at: float) -> str:
    anchor = "start" if value == 0 else "end" if value >= TOP_KPA else "middle"
    label = f"≥ {value}" if value >= TOP_KPA else f"{value}"
    return (
        f'<line class="axis" x1="{at:.2f}%" x2="{at:.2f}%" y1="11" y2="15"/>'
        f'<text x="{at:.2f}%" y="27" text-anchor="{anchor}">{label}</text>'
    )


_LEFT, _WIDE, _TOP, _DEEP = 3.0, 94.0, 8.0, 74.0  # plot area of a histogram, % of the tile


def histogram(one: SlicePictures, drawn: Pictures, slice_kpa: float | None, exam_kpa: float | None) -> Markup:
    """Area of kept pixels by stiffness, in the colours of the map; all slices share both axes."""
    peak = drawn.histogram_peak_mm2 or 1.0
    step = _WIDE * HISTOGRAM_STEP_KPA / TOP_KPA
    bars = []
    for i in np.nonzero(one.histogram_mm2)[0].tolist():
        tall = _DEEP * float(one.histogram_mm2[i]) / peak
        colour = hex_of((i + 0.5) * HISTOGRAM_STEP_KPA)
        bars.append(
            f'<rect x="{_LEFT + i * step:.2f}%" y="{_TOP + _DEEP - tall:.2f}%" width="{step * 0.9:.2f}%" '
            f'height="{tall:.2f}%" fill="{colour}"/>'
        )
    base = _TOP + _DEEP
    marks = _mark(exam_kpa, "exam-mean") + _mark(slice_kpa, "slice-mean")
    ticks = "".join(_histogram_tick(value, base) for value in range(0, int(TOP_KPA) + 1, 2))
    return Markup(
        f'<svg class="hist" width="100%" style="aspect-ratio:{drawn.aspect:.4f}" role="img" '
        f'aria-label="histogram of the measured pixels">{"".join(bars)}{marks}'
        f'<line class="axis" x1="{_LEFT}%" x2="{_LEFT + _WIDE}%" y1="{base}%" y2="{base}%"/>{ticks}</svg>'
    )


def _mark(value: float | None, css: str) -> str:
    if value is None or not 0 <= value <= TOP_KPA:
        return ""
    at = _LEFT + _WIDE * value / TOP_KPA
    return f'<line class="{css}" x1="{at:.2f}%" x2="{at:.2f}%" y1="{_TOP - 5}%" y2="{_TOP + _DEEP}%"/>'


def _histogram_tick(value: int, base: float) -> str:
    at = _LEFT + _WIDE * value / TOP_KPA
    anchor = "start" if value == 0 else "end" if value >= TOP_KPA else "middle"
    return f'<text x="{at:.2f}%" y="{base}%" dy="15" text-anchor="{anchor}">{value}</text>'


def stage_bar(stage: Stage, found: Stiffness) -> Markup:
    """The bands of the table with the number, its 95 % interval (thick) and the repeat interval (thin)."""
    low, high = words.stage_axis(stage, found)

    def at(kpa: float) -> float:
        return 100 * (min(max(kpa, low), high) - low) / (high - low)

    edges = [low, *stage.cutoffs_kpa, high]
    colours = band_colours(len(edges) - 1)
    parts = [
        f'<rect x="{at(a):.2f}%" y="44" width="{at(b) - at(a):.2f}%" height="20" fill="{colour}"/>'
        for a, b, colour in zip(edges, edges[1:], colours)
    ]
    labelled = -6.0
    for cut, text in zip(stage.cutoffs_kpa, words.cutoffs(stage)):
        parts.append(f'<line class="cut" x1="{at(cut):.2f}%" x2="{at(cut):.2f}%" y1="44" y2="69"/>')
        if at(cut) - labelled > 6:  # the table below has them all
            parts.append(f'<text x="{at(cut):.2f}%" y="82" text-anchor="middle">{text}</text>')
            labelled = at(cut)
    parts.append(_whisker(found.repeat_interval_95_kpa, at, "repeat", 5))
    parts.append(_whisker(found.interval_95_kpa, at, "interval", 0))
    if found.mean_kpa is not None:
        x = at(found.mean_kpa)
        anchor = "start" if x < 6 else "end" if x > 94 else "middle"
        parts.append(f'<line class="needle" x1="{x:.2f}%" x2="{x:.2f}%" y1="22" y2="64"/>')
        parts.append(f'<circle class="dot" cx="{x:.2f}%" cy="29" r="5.5"/>')
        parts.append(
            f'<text class="value" x="{x:.2f}%" y="15" text-anchor="{anchor}">{words.kpa(found.mean_kpa)} kPa</text>'
        )
    return Markup(
        '<svg class="stage" width="100%" height="88" role="img" '
        f'aria-label="stiffness on the bands of the table">{"".join(parts)}</svg>'
    )


def _whisker(interval: tuple[float, float] | None, at: Callable[[float], float], css: str, cap: int) -> str:
    if interval is None:
        return ""
    a, b = at(interval[0]), at(interval[1])
    line = f'<line class="{css}" x1="{a:.2f}%" x2="{b:.2f}%" y1="29" y2="29"/>'
    ends = (f'<line class="{css}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{29 - cap}" y2="{29 + cap}"/>' for x in (a, b))
    return line + ("".join(ends) if cap else "")


def reason_bar(kept_mm2: float, dropped_mm2: dict[Reason, float]) -> Markup:
    """The liver's area as one bar: measured, then what each reason took away."""
    total = kept_mm2 + sum(dropped_mm2.values())
    parts, x = [], 0.0
    for colour, area in [(KEPT, kept_mm2), *((reason_colour(r), a) for r, a in dropped_mm2.items())]:
        share = 100 * area / total if total else 0.0
        parts.append(f'<rect x="{x:.2f}%" y="0" width="{share:.2f}%" height="22" fill="{colour}"/>')
        if x:
            parts.append(f'<line class="seam" x1="{x:.2f}%" x2="{x:.2f}%" y1="0" y2="22"/>')
        x += share
    return Markup(
        '<svg class="reasons" width="100%" height="22" role="img" aria-label="liver area by reason">'
        f"{''.join(parts)}</svg>"
    )


def change_bar(change: Change) -> Markup:
    """The change in percent on a line, with the limit shaded around no change."""
    reach = max(2 * change.limit_percent, 1.15 * abs(change.change_percent))

    def at(percent: float) -> float:
        return 50 + 48 * percent / reach

    low, high, x = at(-change.limit_percent), at(change.limit_percent), at(change.change_percent)
    anchor = "start" if x < 8 else "end" if x > 92 else "middle"
    return Markup(
        '<svg class="change" width="100%" height="58" role="img" aria-label="change and its limit">'
        f'<rect x="{low:.2f}%" y="22" width="{high - low:.2f}%" height="14" fill="#e8edf2"/>'
        '<line class="axis" x1="2%" x2="98%" y1="29" y2="29"/><line class="axis" x1="50%" x2="50%" y1="22" y2="36"/>'
        f'<text x="{low:.2f}%" y="51" text-anchor="middle">−{change.limit_percent:g} %</text>'
        '<text x="50%" y="51" text-anchor="middle">no change</text>'
        f'<text x="{high:.2f}%" y="51" text-anchor="middle">+{change.limit_percent:g} %</text>'
        f'<circle class="dot" cx="{x:.2f}%" cy="29" r="6.5"/>'
        f'<text class="value" x="{x:.2f}%" y="14" text-anchor="{anchor}">{change.change_percent:+.0f} %</text></svg>'
    )
