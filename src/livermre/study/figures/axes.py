"""A frame with scales: data to points, ticks, labels, and marks by small calls."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from livermre.study.figures.drawing import FAINT, INK, SOFT, WASH, Anchor, Box, Dot, Drawing, Shape, Stroke, Text

_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 10.0, 22.0, 34.0


@dataclass
class Axes:
    """A plot in the making; `finish` gives the drawing. Marks outside the limits are cut off at the frame.

    x, y  limits of the data
    """

    name: str
    title: str
    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    width: float = 252.0
    height: float = 210.0
    shapes: list[Shape] = field(default_factory=list)
    x_names: tuple[str, ...] = ()
    """Names in place of numbers below the frame, each in the middle of its unit."""

    @property
    def right(self) -> float:
        """Right edge of the frame, points."""
        return self.width - _RIGHT

    @property
    def bottom(self) -> float:
        """Lower edge of the frame, points."""
        return self.height - _BOTTOM

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pair of values lies, points; kept inside the frame."""
        across = min(max((x - self.x[0]) / (self.x[1] - self.x[0]), 0.0), 1.0)
        up = min(max((y - self.y[0]) / (self.y[1] - self.y[0]), 0.0), 1.0)
        return _LEFT + across * (self.right - _LEFT), self.bottom - up * (self.bottom - _TOP)

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        colour: str = INK,
        width: float = 1.0,
        dash: Sequence[float] = (),
    ) -> None:
        """A line through values; those that are not finite are left out."""
        points = [self.at(x, y) for x, y in zip(xs, ys, strict=True) if math.isfinite(x) and math.isfinite(y)]
        if len(points) > 1:
            self.shapes.append(Stroke(points, colour, width, tuple(dash)))

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> None:
        """An area between two lines."""
        points = [self.at(x, y) for x, y in zip(xs, low, strict=True)]
        points += [self.at(x, y) for x, y in zip(reversed(xs), reversed(high), strict=True)]
        self.shapes.append(Stroke(points, None, 0, (), colour, True, 0.18))

    def across(self, y: float, colour: str = SOFT, dash: Sequence[float] = (), width: float = 0.75) -> None:
        """A horizontal line over the whole frame."""
        self.line(self.x, (y, y), colour, width, dash)

    def dots(
        self, xs: Sequence[float], ys: Sequence[float], colour: str, radius: float = 1.8, ring: bool = False
    ) -> None:
        """A mark for each pair of values; rings instead of discs for a second group."""
        for x, y in zip(xs, ys, strict=True):
            if math.isfinite(x) and math.isfinite(y):
                px, py = self.at(x, y)
                fill, edge = (None, colour) if ring else (colour, None)
                self.shapes.append(Dot(px, py, radius, fill, edge, 0.8))

    def whisker(self, x: float, low: float, high: float, colour: str) -> None:
        """A vertical interval."""
        self.shapes.append(Stroke([self.at(x, low), self.at(x, high)], colour, 0.9))

    def note(
        self, x: float, y: float, text: str, anchor: Anchor = "start", colour: str = SOFT, size: float = 7
    ) -> None:
        """A word at a place of the data."""
        px, py = self.at(x, y)
        self.shapes.append(Text(px, py, text, size, colour, anchor))

    def legend(self, entries: Sequence[tuple[str, str, bool]], x: float = 0.98, y: float = 0.04) -> None:
        """(label, colour, ring) one below the other, right-aligned at a share of the frame from left and bottom."""
        right = _LEFT + x * (self.right - _LEFT)
        base = self.bottom - y * (self.bottom - _TOP) - 10.0 * (len(entries) - 1)
        widest = max((len(label) for label, _, _ in entries), default=0) * 3.6
        self.shapes.append(Box(right - widest - 14, base - 9, widest + 16, 10.0 * len(entries) + 3, None, "#ffffff"))
        for row, (label, colour, ring) in enumerate(entries):
            line = base + 10.0 * row
            fill, edge = (None, colour) if ring else (colour, None)
            self.shapes.append(Dot(right - widest - 7, line - 2.5, 2.4, fill, edge))
            self.shapes.append(Text(right - widest, line, label, 7, INK))

    def finish(self) -> Drawing:
        """The drawing: frame and ticks below what was drawn."""
        frame: list[Shape] = [Box(_LEFT, _TOP, self.right - _LEFT, self.bottom - _TOP, None, WASH)]
        for place, name in enumerate(self.x_names):
            frame.append(Text(self.at(place + 0.5, self.y[0])[0], self.bottom + 12, name, 8, INK, "middle"))
        for value in () if self.x_names else ticks(*self.x):
            px, _ = self.at(value, self.y[0])
            frame.append(Stroke([(px, self.bottom), (px, self.bottom + 3)], SOFT, 0.6))
            frame.append(Text(px, self.bottom + 11, _number(value, self.x), 7, SOFT, "middle"))
        for value in ticks(*self.y):
            _, py = self.at(self.x[0], value)
            frame.append(Stroke([(_LEFT, py), (self.right, py)], FAINT, 0.5))
            frame.append(Text(_LEFT - 4, py + 2.5, _number(value, self.y), 7, SOFT, "end"))
        middle = (_LEFT + self.right) / 2
        frame.append(Text(middle, self.height - 8, self.x_label, 8, INK, "middle"))
        frame.append(Text(11, (_TOP + self.bottom) / 2, self.y_label, 8, INK, "middle", turned=True))
        frame.append(Text(_LEFT, 12, self.title, 8.5, INK, bold=True))
        edge = [Stroke([(_LEFT, _TOP), (_LEFT, self.bottom), (self.right, self.bottom)], SOFT, 0.75)]
        return Drawing(self.name, self.title, self.width, self.height, (*frame, *self.shapes, *edge))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values between two limits, at most `most`."""
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _number(value: float, limits: tuple[float, float]) -> str:
    text = f"{value:.0f}" if abs(limits[1] - limits[0]) >= 5 else f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace("-", "−") if text not in ("-0", "") else "0"
