"""The pictures of report.pdf: tiles and histograms of all slices in whatever room is left on the sheet."""

from io import BytesIO

import numpy as np
from PIL import Image

from livermre.exam.types import Finding
from livermre.report import words
from livermre.report.colours import EMPTY, INK, LIVER, REGION, SCALE, SOFT, TOP_KPA, WASH, hex_of
from livermre.report.overlay import Tiles
from livermre.report.pdf_foot import TABLE_MOST
from livermre.report.pdf_grid import CAPTION, arrange
from livermre.report.pictures import HISTOGRAM_STEP_KPA, Pictures, SlicePictures
from livermre.report.png import encode
from livermre.report.sheet import INNER_MM, LEFT_MM, Sheet

_TITLE = 7.5
_CAPTION_MM = {True: 34.0, False: 84.0}  # with a table of slices, and with all its figures in the caption
_JPEG_QUALITY = 90


def pictures_block(sheet: Sheet, finding: Finding, drawn: Pictures, painted: Tiles, top: float, bottom: float) -> None:
    """All slices between two heights of the sheet, with the colour scale in the title line."""
    sheet.text(LEFT_MM, top + 3.2, "Slices, foot to head", 9, INK, bold=True)
    _legend(sheet, drawn, top + 3.2)
    top += _TITLE
    needed = _CAPTION_MM[len(painted) <= TABLE_MOST]
    grid = arrange(len(painted), drawn.aspect, INNER_MM, bottom - top, needed)
    for index, row in enumerate(painted):
        x, y = grid.corner(index)
        x, y = x + LEFT_MM, y + top
        _caption(sheet, finding, index, grid.slice_width, x, y + CAPTION - 1.0)
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


def _legend(sheet: Sheet, drawn: Pictures, y: float) -> None:
    x = LEFT_MM + 37
    for colour, text in ((LIVER, "liver"), (REGION, "measured")):
        sheet.box(x, y - 2.4, 5, 3, EMPTY)
        sheet.line(x + 0.6, y - 0.9, x + 4.4, y - 0.9, colour, 0.5)
        x += 6.2 + sheet.text(x + 6.2, y, text, 7, SOFT) + 4
    sheet.text(x, y, f"hatched: confidence below {drawn.threshold:g}", 7, SOFT)
    _scale(sheet, LEFT_MM + INNER_MM - 62, y - 2.4, 56)


def _scale(sheet: Sheet, x: float, y: float, width: float) -> None:
    sheet.image(encode(np.ascontiguousarray(SCALE[None])), x, y, width, 2.6)
    for value in range(0, int(TOP_KPA) + 1, 2):
        at = x + width * value / TOP_KPA
        sheet.line(at, y + 2.6, at, y + 3.3, SOFT, 0.15)
        sheet.text(at, y + 5.9, f"{value}", 6.5, SOFT, align="middle")
    sheet.text(x + width + 1.5, y + 2.3, "kPa", 6.5, SOFT)


def _caption(sheet: Sheet, finding: Finding, index: int, room: float, x: float, y: float) -> None:
    row, ok = finding.stiffness.slices[index], finding.reportable
    number = sheet.text(x, y, f"{index + 1}", 7.5, INK, bold=True) + 1.5
    mean = f"{words.kpa(row.mean_kpa)} ± {words.kpa(row.sd_kpa)} kPa" if ok and row.mean_kpa is not None else ""
    parts = [f"z {row.z_mm:.1f} mm", mean] if room > 30 else [f"{row.z_mm:.0f} mm"]
    if len(finding.stiffness.slices) > TABLE_MOST:  # no table then: its figures go here
        share = (
            f"{words.cm2(row.area_mm2)} of {words.cm2(row.liver_area_mm2)} cm² ({words.percent(row.valid_fraction)} %)"
        )
        parts += [f"median {words.kpa(row.median_kpa)}" if mean else "", share]
    text = " · ".join(part for part in (*parts, *(f.message for f in row.flags)) if part)
    sheet.text(x + number, y, sheet.fit(text, 6.5, room - number), 6.5, SOFT)


def _histogram(
    sheet: Sheet, finding: Finding, drawn: Pictures, index: int, box: tuple[float, float, float, float]
) -> None:
    x, y, width, height = box
    sheet.box(x, y, width, height, WASH)
    row = finding.stiffness.slices[index]
    if not finding.reportable or not row.pixels:
        text = "nothing measured" if finding.reportable else "withheld: not reportable"
        sheet.text(x + width / 2, y + height / 2, text, 6.5, SOFT, align="middle")
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
