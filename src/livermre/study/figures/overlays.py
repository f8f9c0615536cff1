"""The best, the median and the worst exam: magnitude with the reference's outline and the network's."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from livermre.exam.types import Exam
from livermre.report.outline import outlines
from livermre.report.png import encode
from livermre.report.upright import upright
from livermre.study.figures.drawing import COLOURS, INK, SOFT, Drawing, Picture, Shape, Stroke, Text

_REFERENCE = "#ffd21f"
_TILE, _GAP, _MOST = 122.0, 6.0, 4


@dataclass(frozen=True)
class Overlay:
    """One exam to show.

    found, true  (S, R, C) bool
    """

    label: str
    exam: Exam = field(repr=False)
    found: np.ndarray = field(repr=False)
    true: np.ndarray = field(repr=False)


def overlays(name: str, title: str, shown: Sequence[Overlay], found_colour: str = COLOURS[5]) -> Drawing:
    """A row an exam, at most four slices evenly drawn from it, patient's right on the left and front on top."""
    shapes: list[Shape] = [
        Text(0, 10, title, 8.5, INK, bold=True),
        Stroke([(0, 20), (14, 20)], _REFERENCE, 2), Text(18, 23, "reference", 7, SOFT),
        Stroke([(66, 20), (80, 20)], found_colour, 2), Text(84, 23, "network", 7, SOFT),
    ]  # fmt: skip
    y = 34.0
    for one in shown:
        shapes.append(Text(0, y + 6, one.label, 8, INK))
        y += 12
        y += _row(shapes, one, y, found_colour) + 8
    return Drawing(name, title, _MOST * (_TILE + _GAP) - _GAP, y, tuple(shapes))


def _row(shapes: list[Shape], one: Overlay, y: float, colour: str) -> float:
    """Slices of an exam side by side; gives their height."""
    turn = upright(one.exam.slices[0].plane)
    count = len(one.exam.slices)
    picked = sorted({round(i * (count - 1) / max(min(count, _MOST) - 1, 1)) for i in range(min(count, _MOST))})
    top = float(np.percentile(one.exam.magnitude, 99.5)) or 1.0
    tall = 0.0
    for place, s in enumerate(picked):
        image = turn.apply(one.exam.slices[s].magnitude)
        grey = np.rint(255 * np.clip(image / top, 0, 1) ** 0.8).astype(np.uint8)
        rows, columns = image.shape
        step = _TILE / (columns * turn.spacing_mm[1])
        height = rows * turn.spacing_mm[0] * step
        x = place * (_TILE + _GAP)
        shapes.append(Picture(encode(grey), x, y, _TILE, height))
        for mask, line in ((one.true, _REFERENCE), (one.found, colour)):
            for loop in outlines(turn.apply(mask[s])):
                at = (loop[:, ::-1] + 0.5) * np.array([turn.spacing_mm[1], turn.spacing_mm[0]]) * step
                points = [(x + float(px), y + float(py)) for px, py in at]
                shapes.append(Stroke(points, line, 0.9, closed=True))
        tall = max(tall, height)
    return tall
