"""overlay.png: every slice as magnitude, stiffness and confidence with their outlines, to read in one look."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from livermre.exam.flags import Severity
from livermre.exam.types import Finding
from livermre.report import words
from livermre.report.colours import INK, SCALE, SEVERITY_COLOUR, SOFT, TOP_KPA
from livermre.report.figure_text import draw_text, shorten, text_width
from livermre.report.pictures import Pictures, pictures
from livermre.report.png import encode
from livermre.report.tiles import KINDS, tiles

Tiles = list[tuple[Image.Image, ...]]

_MARGIN, _GAP, _HEAD, _CAPTION, _GUTTER, _FOOT = 28, 8, 108, 28, 64, 40
_ACROSS = 5


@dataclass(frozen=True)
class _Layout:
    """Where each tile lies: slices across in blocks, kinds down; one or two slices lie on their side."""

    tile: tuple[int, int]
    count: int

    @property
    def sideways(self) -> bool:
        return self.count <= 2

    @property
    def across(self) -> int:
        return 1 if self.sideways else min(self.count, _ACROSS)

    @property
    def blocks(self) -> int:
        return -(-self.count // self.across)

    @property
    def size(self) -> tuple[int, int]:
        columns = len(KINDS) if self.sideways else self.across
        width = 2 * _MARGIN + columns * (self.tile[0] + _GAP) - _GAP + _GUTTER
        return width, _HEAD + self.blocks * self._block_height + _FOOT

    @property
    def _block_height(self) -> int:
        return (1 if self.sideways else len(KINDS)) * (self.tile[1] + _GAP) + _CAPTION

    def corner(self, index: int, kind: int) -> tuple[int, int]:
        """Upper left corner (x, y) of a tile."""
        block, column = divmod(index, self.across)
        column, row = (kind, 0) if self.sideways else (column, kind)
        x = _MARGIN + column * (self.tile[0] + _GAP)
        return x, _HEAD + block * self._block_height + _CAPTION + row * (self.tile[1] + _GAP)


def render_overlay(finding: Finding, drawn: Pictures | None = None, painted: Tiles | None = None) -> bytes:
    """The figure as PNG; pass what `pictures` and `tiles` gave to spare drawing them twice."""
    drawn = drawn or pictures(finding)
    return encode(np.asarray(_figure(finding, drawn, painted or tiles(drawn))))


def _figure(finding: Finding, drawn: Pictures, painted: Tiles) -> Image.Image:
    layout = _Layout(painted[0][0].size, len(painted))
    canvas = Image.new("RGB", layout.size, "#ffffff")
    pen = ImageDraw.Draw(canvas)
    _head(pen, finding)
    for index, row in enumerate(painted):
        _caption(pen, finding, index, layout)
        for kind, tile in enumerate(row):
            x, y = layout.corner(index, kind)
            canvas.paste(tile, (x, y))
            if index % layout.across == 0:
                draw_text(pen, (x + 7, y + 5), _name(kind, drawn), 14, "#ffffff", outline=True)
    for block in range(layout.blocks):
        _colour_bar(canvas, pen, layout, block)
    draw_text(pen, (_MARGIN, layout.size[1] - 29), words.RESEARCH_USE, 13, SOFT)
    return canvas


def _name(kind: int, drawn: Pictures) -> str:
    return KINDS[kind] + (f", hatched below {drawn.threshold:g}" if kind == 2 else "")


def _head(pen: ImageDraw.ImageDraw, finding: Finding) -> None:
    if finding.reportable:
        number = words.kpa(finding.stiffness.mean_kpa)
        draw_text(pen, (_MARGIN, 80), number, 64, INK, anchor="ls", bold=True)
        x = _MARGIN + text_width(number, 64) + 12
        draw_text(pen, (x, 80), "kPa", 26, INK, anchor="ls")
        x += 80
        lines = [_interval(finding), _stage(finding), words.measured(finding)]
    else:
        red = SEVERITY_COLOUR[Severity.BLOCKING]
        draw_text(pen, (_MARGIN, 72), "Not reportable", 44, red, anchor="ls", bold=True)
        x = _MARGIN + text_width("Not reportable", 44) + 32
        lines = [f.message for f in finding.flags if f.severity == Severity.BLOCKING][:3]
    right = pen.im.size[0] - _MARGIN
    name = shorten(finding.exam.pseudonym, 14, 260)
    draw_text(pen, (right, 42), name, 14, SOFT, anchor="rs")
    room = right - x - text_width(name, 14) - 24
    for row, line in enumerate(lines):
        draw_text(pen, (x, 42 + 22 * row), shorten(line, 16, room), 16, INK if row == 0 else SOFT, anchor="ls")


def _interval(finding: Finding) -> str:
    interval = finding.stiffness.interval_95_kpa
    return f"95 % interval {words.span(interval)} kPa" if interval else words.NO_INTERVAL


def _stage(finding: Finding) -> str:
    return f"{words.band(finding.stage.band)} (table {finding.stage.table})" if finding.stage else "no stage given"


def _caption(pen: ImageDraw.ImageDraw, finding: Finding, index: int, layout: _Layout) -> None:
    x, y = layout.corner(index, 0)
    row = finding.stiffness.slices[index]
    draw_text(pen, (x, y - 7), f"{index + 1}", 17, INK, anchor="ls", bold=True)
    text = f"z {row.z_mm:.1f} mm"
    if finding.reportable and row.mean_kpa is not None:
        text += f"   {words.kpa(row.mean_kpa)} ± {words.kpa(row.sd_kpa)} kPa"
    draw_text(pen, (x + 26, y - 7), shorten(text, 14, layout.tile[0] - 26), 14, SOFT, anchor="ls")


def _colour_bar(canvas: Image.Image, pen: ImageDraw.ImageDraw, layout: _Layout, block: int) -> None:
    """The clinical scale at the right of a block's stiffness tiles, 0 at the bottom."""
    y = layout.corner(block * layout.across, 1)[1]
    x, height = layout.size[0] - _MARGIN - _GUTTER + _GAP + 4, layout.tile[1]
    ramp = SCALE[np.linspace(len(SCALE) - 1, 0, height).round().astype(int)]
    canvas.paste(Image.fromarray(np.repeat(ramp[:, None], 14, axis=1)), (x, y))
    for value in range(0, int(TOP_KPA) + 1, 2):
        at = y + (height - 1) * (1 - value / TOP_KPA)
        pen.line((x + 14, at, x + 18, at), fill=INK)
        label, anchor = {TOP_KPA: ("8 kPa", "lt"), 0: ("0", "lb")}.get(value, (f"{value}", "lm"))
        draw_text(pen, (x + 21, at), label, 13, INK, anchor=anchor)
