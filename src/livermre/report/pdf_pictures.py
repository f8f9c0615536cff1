"""The pictures of report.pdf: tiles and histograms of all slices in whatever room is left on the sheet."""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image

from livermre.exam.types import Finding
from livermre.report import words
from livermre.report.colours import EMPTY, INK, LIVER, REGION, SCALE, SOFT, TOP_KPA, WASH, hex_of
from livermre.report.overlay import Tiles
from livermre.report.pdf_foot import table_height
from livermre.report.pdf_grid import CAPTION, LINE, Grid, arrange
from livermre.report.pictures import HISTOGRAM_STEP_KPA, Pictures, SlicePictures
from livermre.report.png import encode
from livermre.report.sheet import INNER_MM, LEFT_MM, Sheet

_TITLE = 7.5
_CAPTION_MM = {True: 34.0, False: 84.0}  # with a table of slices, and with all its figures in the caption
_CAPTION_LINES, _SMALL = 3, 6.5
_NUMBER = 5.0  # room of a slice's number before its caption, mm
_WITH_TABLE = 0.7
"""The table is whole where pictures keep this share of the height that they would have without it."""
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class Plan:
    """How pictures and table of slices share a sheet: table of all slices or of the exam alone, pictures in a grid."""

    table: bool
    grid: Grid


def plan_pictures(sheet: Sheet, finding: Finding, drawn: Pictures, top: float, bottom: float) -> Plan:
    """The plan for the room between two heights: slices are listed in the table where that costs little of pictures."""
    with_table, without = (_plan(sheet, finding, drawn, top, bottom, table) for table in (True, False))
    return with_table if with_table.grid.tile[1] >= _WITH_TABLE * without.grid.tile[1] else without


def _plan(sheet: Sheet, finding: Finding, drawn: Pictures, top: float, bottom: float, table: bool) -> Plan:
    count = len(drawn.slices)

    widest = max(sheet.width(_caption(finding, i, table), _SMALL) for i in range(count))

    def lines(width: float) -> int:  # lines that are broken between words are not quite full
        return min(_CAPTION_LINES, 1 + int(1.1 * widest / max(1.0, width - _NUMBER)) if widest > width - _NUMBER else 1)

    room = bottom - table_height(count if table else 0) - top - _TITLE
    shown, needed = finding.reportable, _CAPTION_MM[table]
    return Plan(table, arrange(count, drawn.aspect, INNER_MM, room, needed, histograms=shown, lines=lines))


def pictures_block(sheet: Sheet, finding: Finding, drawn: Pictures, painted: Tiles, top: float, plan: Plan) -> None:
    """All slices from a height of the sheet on, with the colour scale in the title line."""
    sheet.text(LEFT_MM, top + 3.2, "Slices, foot to head", 9, INK, bold=True)
    _legend(sheet, finding, drawn, top + 3.2)
    top += _TITLE
    grid = plan.grid
    for index, row in enumerate(painted):
        x, y = grid.corner(index)
        x, y = x + LEFT_MM, y + top
        base = y + CAPTION - 1.0
        sheet.text(x, base, f"{index + 1}", 7.5, INK, bold=True)
        text = _caption(finding, index, plan.table)
        for i, line in enumerate(sheet.wrap(text, _SMALL, grid.slice_width - _NUMBER, grid.lines)):
            sheet.text(x + _NUMBER, base + LINE * i, line, _SMALL, SOFT)
        for kind, tile in enumerate(row):
            right, down = grid.panel(kind)
            sheet.image(_jpeg(tile), x + right, y + down, *grid.tile)
        if grid.histogram:
            right, down = grid.panel(len(row))
            _histogram(sheet, finding, drawn, index, (x + right, y + down, grid.tile[0], grid.histogram))


def _jpeg(tile: Image.Image) -> bytes:
    # JPEG travels into a PDF as it is; full colour resolution keeps the thin outlines
    buffer = BytesIO()
    tile.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _legend(sheet: Sheet, finding: Finding, drawn: Pictures, y: float) -> None:
    x = LEFT_MM + 37
    for colour, text in ((LIVER, "liver"), (REGION, words.kept(finding))):
        sheet.box(x, y - 2.4, 5, 3, EMPTY)
        sheet.line(x + 0.6, y - 0.9, x + 4.4, y - 0.9, colour, 0.5)
        x += 6.2 + sheet.text(x + 6.2, y, text, 7, SOFT) + 4
    if any(s.confidence is not None for s in drawn.slices):
        sheet.text(x, y, f"hatched: confidence below {drawn.threshold:g}", 7, SOFT)
    _scale(sheet, LEFT_MM + INNER_MM - 62, y - 2.4, 56)


def _scale(sheet: Sheet, x: float, y: float, width: float) -> None:
    sheet.image(encode(np.ascontiguousarray(SCALE[None])), x, y, width, 2.6)
    for value in range(0, int(TOP_KPA) + 1, 2):
        at = x + width * value / TOP_KPA
        sheet.line(at, y + 2.6, at, y + 3.3, SOFT, 0.15)
        sheet.text(at, y + 5.9, f"≥ {value}" if value >= TOP_KPA else f"{value}", 6.5, SOFT, align="middle")
    sheet.text(x + width + 1.5, y + 2.3, "kPa", 6.5, SOFT)


def _caption(finding: Finding, index: int, table: bool) -> str:
    """The caption of a slice beside its number; without a table of slices it holds their figures."""
    row, ok = finding.stiffness.slices[index], finding.reportable
    mean = f"{words.kpa(row.mean_kpa)} ± {words.kpa(row.sd_kpa)} kPa" if ok and row.mean_kpa is not None else ""
    parts = [f"z {row.z_mm:.1f} mm", mean]
    if not table:
        share = (
            f"{words.cm2(row.area_mm2)} of {words.cm2(row.liver_area_mm2)} cm² ({words.percent(row.valid_fraction)} %)"
        )
        parts += [f"median {words.kpa(row.median_kpa)}" if mean else "", share]
    return " · ".join(part for part in (*parts, *(f.message for f in row.flags)) if part)


def _histogram(
    sheet: Sheet, finding: Finding, drawn: Pictures, index: int, box: tuple[float, float, float, float]
) -> None:
    x, y, width, height = box
    sheet.box(x, y, width, height, WASH)
    row = finding.stiffness.slices[index]
    if not row.pixels:
        sheet.text(x + width / 2, y + height / 2, "nothing measured", 6.5, SOFT, align="middle")
        return
    left, wide, base, deep = x + 1.5, width - 3, y + height - 4.2, height - 6.5
    _bars(sheet, drawn.slices[index], drawn, left, wide, base, deep)
    sheet.line(left, base, left + wide, base, SOFT, 0.2)
    for value in range(0, int(TOP_KPA) + 1, 2):
        sheet.text(left + wide * value / TOP_KPA, base + 3, f"{value}", 6, SOFT, align="middle")
    if row.mean_kpa is not None and row.mean_kpa <= TOP_KPA:
        at = left + wide * row.mean_kpa / TOP_KPA
        sheet.line(at, base, at, base - deep - 1, INK, 0.35)


def _bars(
    sheet: Sheet, one: SlicePictures, drawn: Pictures, left: float, wide: float, base: float, deep: float
) -> None:
    step = wide * HISTOGRAM_STEP_KPA / TOP_KPA
    peak = drawn.histogram_peak_mm2 or 1.0
    for i, area in enumerate(one.histogram_mm2.tolist()):
        if area > 0:
            tall = deep * area / peak
            sheet.box(left + i * step, base - tall, step * 0.9, tall, hex_of((i + 0.5) * HISTOGRAM_STEP_KPA))
