"""How the pictures of all slices fill the room that is left on a sheet."""

from collections.abc import Callable
from dataclasses import dataclass, replace

GAP, CAPTION, LINE = 1.2, 3.6, 2.7
_BELOW, _APART_MOST = 1.6, 18.0
_HISTOGRAM = 0.6
"""Height of a histogram below stacked tiles, as a share of theirs."""

_WITHOUT_HISTOGRAM, _WITHOUT_CAPTION = 0.7, 0.75
"""How much an arrangement is worth that leaves out histograms, or whose captions are cut."""


@dataclass(frozen=True)
class Grid:
    """Where slices lie: `across` of them beside one another, the panels of each in `columns`.

    tile       (width, height) mm
    histogram  its height in mm; 0 leaves histograms out
    room       width of the whole in mm
    lines      of the captions above the slices
    """

    across: int
    columns: int
    tile: tuple[float, float]
    histogram: float
    room: float
    lines: int = 1

    @property
    def caption(self) -> float:
        """Height of the captions, mm."""
        return CAPTION + LINE * (self.lines - 1)

    @property
    def slice_width(self) -> float:
        """Width of a slice with its panels, mm."""
        return self.columns * (self.tile[0] + GAP) - GAP

    @property
    def slice_height(self) -> float:
        """Height of a slice with its panels, without the caption, mm."""
        rows = {1: 3, 2: 2}.get(self.columns, 1)
        below = self.histogram + GAP if self.columns == 1 and self.histogram else 0.0
        return rows * (self.tile[1] + GAP) - GAP + below

    def corner(self, index: int) -> tuple[float, float]:
        """Upper left of a slice, its caption included, from the corner of the room."""
        row, column = divmod(index, self.across)
        apart = (self.room - self.across * self.slice_width) / max(1, self.across - 1)
        x = column * (self.slice_width + min(apart, _APART_MOST))
        return x, row * (self.slice_height + self.caption + _BELOW)

    def panel(self, kind: int) -> tuple[float, float]:
        """Upper left of a panel from the corner of its slice, the caption included."""
        row, column = divmod(kind, self.columns)
        return column * (self.tile[0] + GAP), self.caption + row * (self.tile[1] + GAP)


def arrange(
    count: int,
    aspect: float,
    width: float,
    height: float,
    caption: float,
    *,
    histograms: bool = True,
    lines: Callable[[float], int] = lambda width: 1,
) -> Grid:
    """The arrangement of `count` slices in a room (mm) that shows most: large pictures, histograms, whole captions.

    aspect      width over height of a picture
    caption     width that a caption's figures need, mm
    histograms  whether there are any to show
    lines       how many lines the longest caption takes in a width (mm)
    """
    room, shapes = (width, height), ((1, 2, 3, 4) if histograms else (1, 3))

    def worth(grid: Grid) -> float:
        whole = grid.slice_width >= caption
        shown = grid.histogram or not histograms
        return grid.tile[1] * (1 if shown else _WITHOUT_HISTOGRAM) * (1 if whole else _WITHOUT_CAPTION)

    def fit(across: int, columns: int) -> Grid:
        grid = _fit(count, aspect, room, across, columns, histograms, 1)
        needed = lines(grid.slice_width)
        grid = _fit(count, aspect, room, across, columns, histograms, needed) if needed > 1 else grid
        return replace(grid, lines=max(needed, lines(grid.slice_width)))

    return max((fit(a, c) for a in range(1, count + 1) for c in shapes), key=worth)


def _fit(
    count: int, aspect: float, room: tuple[float, float], across: int, columns: int, histograms: bool, lines: int
) -> Grid:
    width = ((room[0] - (across - 1) * GAP) / across - (columns - 1) * GAP) / columns
    high = room[1] / -(-count // across) - CAPTION - LINE * (lines - 1) - _BELOW
    share = _HISTOGRAM if histograms else 0.0
    rows = {1: 3 + share, 2: 2.0}.get(columns, 1.0)
    height = max(2.0, min(width / aspect, (high - (4 - columns) * GAP) / rows))
    histogram = {1: share * height, 3: 0.0}.get(columns, height)
    return Grid(across, columns, (height * aspect, height), histogram, room[0], lines)
