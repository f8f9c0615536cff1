"""The foot of report.pdf, built upwards: provenance, what was left out, the table of slices."""

from livermre.exam.reasons import SENTENCES
from livermre.exam.types import Finding
from livermre.report import words
from livermre.report.colours import INK, KEPT, LINE, SOFT, reason_colour
from livermre.report.pictures import Pictures
from livermre.report.sheet import INNER_MM, LEFT_MM, RIGHT_MM, Sheet

_BOTTOM = 289.0

_STEP = 3.7


def table_height(rows: int) -> float:
    """Height of a table of so many slices with the line of the exam, mm."""
    return 8.5 + _STEP * (rows + 1)


def slice_table(sheet: Sheet, finding: Finding, bottom: float, whole: bool) -> float:
    """The table of slices above a height; else only its last line: the pictures carry the others then."""
    shown = [_row(finding, i) for i in range(len(finding.stiffness.slices))] if whole else []
    top = bottom - table_height(len(shown)) + 4
    titles = ("slice", "z, mm", "mean, kPa", "SD", "median", "quartiles", "area, cm²", "liver, cm²", "measured")
    columns = [LEFT_MM + 8, *(LEFT_MM + 8 + 22.2 * (i + 1) for i in range(8))]
    for x, title in zip(columns, titles):
        sheet.text(x, top, title, 6.5, SOFT, align="right")
    sheet.line(LEFT_MM, top + 1.1, RIGHT_MM, top + 1.1, LINE, 0.2)
    y = top + 1.1
    for row in [*shown, _total(finding)]:
        y += _STEP
        if row[0] == "exam":
            sheet.line(LEFT_MM, y - _STEP + 0.9, RIGHT_MM, y - _STEP + 0.9, INK, 0.25)
        for i, (x, text) in enumerate(zip(columns, row)):
            sheet.text(x, y, text, 7, INK, bold=i == 2 or row[0] == "exam", align="right")
    return top - 4


def _row(finding: Finding, index: int) -> tuple[str, ...]:
    row, ok = finding.stiffness.slices[index], finding.reportable
    numbers = [words.kpa(v if ok else None) for v in (row.mean_kpa, row.sd_kpa, row.median_kpa)]
    areas = (words.cm2(row.area_mm2), words.cm2(row.liver_area_mm2), f"{words.percent(row.valid_fraction)} %")
    return (f"{index + 1}", f"{row.z_mm:.1f}", *numbers, words.span(row.iqr_kpa if ok else None), *areas)


def _total(finding: Finding) -> tuple[str, ...]:
    found, ok = finding.stiffness, finding.reportable
    liver = sum(s.liver_area_mm2 for s in found.slices)
    numbers = [words.kpa(v if ok else None) for v in (found.mean_kpa, found.sd_kpa)]
    areas = (words.cm2(found.area_mm2), words.cm2(liver), f"{words.percent(words.valid_share(finding))} %")
    return ("exam", "", *numbers, "", "", *areas)


def left_out(sheet: Sheet, finding: Finding, drawn: Pictures, bottom: float) -> float:
    """The liver's area by reason, as a bar with its legend, above a height."""
    kept, dropped = finding.stiffness.area_mm2, drawn.dropped_mm2
    total = kept + sum(dropped.values())
    if not total:
        return bottom
    items = [(KEPT, words.kept(finding), kept), *((reason_colour(r), SENTENCES[r], a) for r, a in dropped.items())]
    rows = -(-len(items) // 3)
    top = bottom - 3.4 * rows - 6.5
    sheet.text(LEFT_MM, top - 1.5, f"Liver area: {words.kept(finding)}, and left out because", 7.5, INK, bold=True)
    x = LEFT_MM
    for i, (colour, text, area) in enumerate(items):
        wide = INNER_MM * area / total
        sheet.box(x, top, max(0.0, wide - 0.3), 3, colour)
        x += wide
        column, row = i % 3, i // 3
        at, y = LEFT_MM + column * INNER_MM / 3, top + 6.6 + 3.4 * row
        sheet.box(at, y - 2.0, 2.2, 2.2, colour)
        label = f"{words.percent(area / total)} %  {text}"
        sheet.text(at + 3.4, y, sheet.fit(label, 6.8, INNER_MM / 3 - 5), 6.8, INK)
    return top - 6.5


def provenance(sheet: Sheet, finding: Finding) -> float:
    """What made this, in small type at the foot."""
    made = finding.provenance
    lines = sheet.wrap(words.INTERVAL_COVERS, 6.2, INNER_MM, 3) if _has_interval(finding) else []
    versions = ", ".join(f"{k} {v}" for k, v in made.versions.items())
    lines.append(f"livermre {made.livermre} · outline {made.model or 'given'} · {versions}")
    lines.append(f"inputs SHA-256 {made.inputs_sha256}" + (f" · series {_series(made.series)}" if made.series else ""))
    lines += [f"network SHA-256 {made.model_sha256}"] if made.model_sha256 else []
    top = _BOTTOM - 2.8 * len(lines)
    sheet.line(LEFT_MM, top - 0.5, RIGHT_MM, top - 0.5, LINE, 0.2)
    for row, line in enumerate(lines):
        sheet.text(LEFT_MM, top + 2.8 * (row + 1) - 0.2, sheet.fit(line, 6.2, INNER_MM), 6.2, SOFT)
    return top - 2


def _series(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _has_interval(finding: Finding) -> bool:
    return finding.reportable and finding.stiffness.interval_95_kpa is not None
