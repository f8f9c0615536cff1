"""inversion.png: every slice's magnitude, wave, stiffness and confidence, and the scanner's map where there is one."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from livermre.exam.flags import Severity
from livermre.exam.types import Exam, Waves
from livermre.report import words
from livermre.report.colours import (
    EMPTY,
    INK,
    NO_VALUE,
    SCALE,
    SEVERITY_COLOUR,
    SOFT,
    TOP_KPA,
    diverging,
    diverging_index,
    palette,
    rgb,
    stiffness_index,
)  # fmt: skip
from livermre.report.figure_text import draw_text, shorten
from livermre.report.png import encode
from livermre.report.upright import upright
from livermre.report.waves import DIFFERENCE_KPA

_WIDE, _GAP, _MARGIN, _HEAD, _FOOT, _SIDE = 250, 8, 24, 62, 74, 74
_LINE = 22  # a sentence that says why there is no number

SURE = 0.95
"""Confidence below which a colour is no measurement, as in every rule of livermre."""

_DOUBT, _STROKE, _EVERY = "#8b9097", "#3a3f46", 7  # grey, hatched from the lower left by lines so many pixels apart


def inversion_picture(exam: Exam, waves: Waves) -> bytes:
    """PNG of the inversion of one exam, one row a slice, foot to head from the top as on the page."""
    turn = upright(exam.slices[0].plane)
    columns = _columns(exam, waves)
    window = _window(turn.apply(waves.amplitude_rad > 0))
    tall = round(_WIDE * _ratio(turn.apply(exam.magnitude[0])[window].shape, turn.spacing_mm))
    reasons = [f.message for f in exam.flags if f.severity == Severity.BLOCKING]
    head = _HEAD + _LINE * len(reasons)
    size = (2 * _MARGIN + _SIDE + len(columns) * (_WIDE + _GAP), head + len(exam.slices) * (tall + _GAP) + _FOOT)
    canvas = Image.new("RGB", size, "#ffffff")
    pen = ImageDraw.Draw(canvas)
    simulated = "Simulated exam: " if _is_simulated(exam) else ""
    draw_text(pen, (_MARGIN, 12), f"{simulated}{waves.quantity} by livermre, method {waves.method}", 17, INK, bold=True)
    for i, reason in enumerate(reasons):
        text = shorten(f"No measurement: {reason}", 14, size[0] - 2 * _MARGIN)
        draw_text(pen, (_MARGIN, 36 + _LINE * i), text, 14, SEVERITY_COLOUR[Severity.BLOCKING])
    for c, (name, images, doubtful) in enumerate(columns):
        x = _MARGIN + _SIDE + c * (_WIDE + _GAP)
        draw_text(pen, (x, head - 24), name, 14, SOFT)
        for r, image in enumerate(images):
            turned = turn.apply(np.moveaxis(image, -1, 0)).transpose(1, 2, 0)[window]
            tile = Image.fromarray(np.ascontiguousarray(turned)).resize((_WIDE, tall), Image.Resampling.BILINEAR)
            if doubtful is not None:
                tile = _hatched(tile, turn.apply(doubtful[r])[window])
            canvas.paste(tile, (x, head + r * (tall + _GAP)))
    for r, z in enumerate(exam.positions_mm):
        at = head + r * (tall + _GAP) + tall / 2
        draw_text(pen, (_MARGIN, at - 10), f"{r + 1}", 17, INK, bold=True)
        draw_text(pen, (_MARGIN, at + 10), f"z {z:.1f}", 13, SOFT)
    _scale(canvas, pen, size[1] - _FOOT + 6)
    draw_text(pen, (_MARGIN, size[1] - 26), words.RESEARCH_USE, 13, SOFT)
    return encode(np.asarray(canvas))


def _is_simulated(exam: Exam) -> bool:
    """By its vendor, or by the flag of images written in another vendor's style."""
    return exam.acquisition.vendor == "simulated" or any(f.code == "simulated" for f in exam.flags)


def _window(inside: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns (turned) around what was inverted (S, R, C bool), with a margin; all where nothing was."""
    if not inside.any():
        return slice(None), slice(None)
    spans = []
    for axis, length in ((1, inside.shape[1]), (2, inside.shape[2])):
        at = np.flatnonzero(inside.any(axis=(0, 3 - axis)))
        margin = max(1, length // 40)
        spans.append(slice(max(0, int(at[0]) - margin), min(length, int(at[-1]) + margin + 1)))
    return spans[0], spans[1]


def _ratio(shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> float:
    return shape[0] * spacing_mm[0] / (shape[1] * spacing_mm[1])


def _hatched(tile: Image.Image, doubtful: np.ndarray) -> Image.Image:
    """The tile with hatched grey where doubtful (R, C) bool: a colour there would pass for a measurement."""
    wide, tall = tile.size
    mask = np.asarray(Image.fromarray(doubtful.astype(np.uint8)).resize((wide, tall), Image.Resampling.NEAREST)) > 0
    y, x = np.indices((tall, wide))
    stroke = ((x + y) % _EVERY < 2)[..., None]
    grey = np.where(stroke, np.array(rgb(_STROKE), np.uint8), np.array(rgb(_DOUBT), np.uint8))
    return Image.fromarray(np.where(mask[..., None], grey, np.asarray(tile)))


Column = tuple[str, list[np.ndarray], np.ndarray | None]


def _columns(exam: Exam, waves: Waves) -> list[Column]:
    """Title, one RGB image (R, C, 3) uint8 a slice, and where (S, R, C bool) it shows no measurement."""
    body = waves.amplitude_rad > 0
    reach = max(0.1, float(np.percentile(waves.amplitude_rad[body], 90))) if body.any() else 1.0
    magnitude = np.nan_to_num(exam.magnitude)
    top = float(np.percentile(magnitude, 99)) or 1.0
    kpa, sure = exam.stiffness_kpa, exam.confidence
    ours = None if sure is None else body & ~(np.nan_to_num(sure) >= SURE)
    columns: list[Column] = [
        ("magnitude", _grey(magnitude / top), None),
        (f"shear wave, ±{reach:.1f} rad", _diverging(np.where(body, waves.wave_rad, np.nan), reach), None),
    ]
    if kpa is not None:
        columns.append(("stiffness, livermre", _stiffness(kpa), ours))
    if sure is not None:
        columns.append(("confidence: black 0, white 1", _grey(np.nan_to_num(sure)), None))
    if waves.vendor_kpa is not None and kpa is not None:
        theirs = waves.vendor_confidence
        doubted = None if theirs is None else body & ~(np.nan_to_num(theirs) >= SURE)
        both = ours if ours is None or doubted is None else ours | doubted
        gap = np.where(body, kpa - waves.vendor_kpa, np.nan)
        columns.append(("stiffness, scanner", _stiffness(np.where(body, waves.vendor_kpa, np.nan)), doubted))
        columns.append((f"livermre − scanner, ±{DIFFERENCE_KPA:g} kPa", _diverging(gap, DIFFERENCE_KPA), both))
    return columns


def _grey(share: np.ndarray) -> list[np.ndarray]:
    level = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return [np.repeat(one[..., None], 3, axis=-1) for one in level]


def _diverging(values: np.ndarray, reach: float) -> list[np.ndarray]:
    return _through(diverging(), [diverging_index(v, reach) for v in values])


def _stiffness(kpa: np.ndarray) -> list[np.ndarray]:
    return _through(palette(), [stiffness_index(k) for k in kpa])


def _through(colours: np.ndarray, indices: Sequence[np.ndarray]) -> list[np.ndarray]:
    colours[NO_VALUE] = rgb(EMPTY)
    return [colours[i] for i in indices]


def _scale(canvas: Image.Image, pen: ImageDraw.ImageDraw, y: int) -> None:
    """The clinical scale of stiffness, 0 to 8 kPa."""
    wide = 420
    ramp = SCALE[np.linspace(0, len(SCALE) - 1, wide).round().astype(int)]
    canvas.paste(Image.fromarray(np.repeat(ramp[None], 12, axis=0)), (_MARGIN + _SIDE, y))
    for value in range(0, int(TOP_KPA) + 1, 2):
        at = _MARGIN + _SIDE + (wide - 1) * value / TOP_KPA
        pen.line((at, y + 12, at, y + 16), fill=INK)
        label = f"≥{value} kPa" if value == TOP_KPA else f"{value}"
        draw_text(pen, (at, y + 18), label, 13, INK, anchor="ma")
    beside = _MARGIN + _SIDE + wide + 60
    key = _hatched(Image.new("RGB", (40, 14)), np.ones((14, 40), bool))
    canvas.paste(key, (beside, y))
    draw_text(pen, (beside + 50, y - 1), f"confidence below {SURE:g}: no measurement", 13, INK)
