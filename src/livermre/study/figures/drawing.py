"""A drawing as a list of plain shapes, positions in points from the upper left: one source for SVG and PDF."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["start", "middle", "end"]
Points = Sequence[tuple[float, float]]

INK, SOFT, FAINT, WASH = "#14181d", "#5c6570", "#d9dee4", "#f4f6f8"
COLOURS = ("#0072b2", "#d55e00", "#1b7f5c", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's, safe for colour-blind eyes; always with another sign beside the colour."""


@dataclass(frozen=True)
class Stroke:
    """An open or closed line through points; filled where `fill` names a colour."""

    points: Points
    colour: str | None = INK
    width: float = 0.75
    dash: tuple[float, ...] = ()
    fill: str | None = None
    closed: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str | None = INK
    fill: str | None = None
    line: float = 0.75


@dataclass(frozen=True)
class Dot:
    """A disc."""

    x: float
    y: float
    radius: float
    fill: str | None = INK
    colour: str | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Text:
    """One line with its baseline at y; turned: read from below."""

    x: float
    y: float
    text: str
    size: float = 8.0
    colour: str = INK
    anchor: Anchor = "start"
    bold: bool = False
    turned: bool = False


@dataclass(frozen=True)
class Picture:
    """An encoded PNG."""

    png: bytes = field(repr=False)
    x: float
    y: float
    width: float
    height: float


Shape = Stroke | Box | Dot | Text | Picture


@dataclass(frozen=True)
class Drawing:
    """Shapes in the order of painting, their size in points, and what a reader who sees nothing is told."""

    name: str
    title: str
    width: float
    height: float
    shapes: tuple[Shape, ...] = field(repr=False)


def moved(shapes: Sequence[Shape], dx: float, dy: float) -> list[Shape]:
    """The same shapes elsewhere."""
    from dataclasses import replace

    found: list[Shape] = []
    for shape in shapes:
        if isinstance(shape, Stroke):
            found.append(replace(shape, points=[(x + dx, y + dy) for x, y in shape.points]))
        else:
            found.append(replace(shape, x=shape.x + dx, y=shape.y + dy))
    return found


def side_by_side(name: str, title: str, drawings: Sequence[Drawing], gap: float = 14.0) -> Drawing:
    """Several drawings as one, from left to right."""
    shapes: list[Shape] = []
    x = 0.0
    for one in drawings:
        shapes += moved(one.shapes, x, 0.0)
        x += one.width + gap
    return Drawing(name, title, x - gap, max(d.height for d in drawings), tuple(shapes))


def text_width(text: str, size: float, bold: bool = False) -> float:
    """About how wide a line is in points: Helvetica's mean letter, enough to leave room."""
    return len(text) * size * (0.56 if bold else 0.5)
