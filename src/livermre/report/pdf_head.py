"""The head of report.pdf: whose exam, the number and what speaks against it, change and stage."""

from collections.abc import Iterable

from livermre.exam.flags import Flag, Severity
from livermre.exam.types import Change, Finding, Identity, Stage, Stiffness
from livermre.report import words
from livermre.report.colours import (
    INK,
    SEVERITY_COLOUR,
    SEVERITY_WORD,
    SOFT,
    WASH,
    band_colours,
)
from livermre.report.sheet import INNER_MM, LEFT_MM, RIGHT_MM, Sheet
from livermre.report.words import stage_axis


def header(sheet: Sheet, identity: Identity | None, finding: Finding) -> None:
    """Title, and whose exam this is."""
    y = 14.0
    taken = sheet.text(LEFT_MM, y, "Liver MR elastography", 9, INK, bold=True) + 6
    patient, date = words.who(identity)
    exam = ("Exam", finding.exam.pseudonym)
    whose = (("Study date", date), ("Patient ID", patient))
    if sum(_wide(sheet, *pair) for pair in (exam, *whose)) <= INNER_MM - taken:
        _right(sheet, (exam, *whose), y, taken)
    else:  # whose exam it is may not be cut: two lines
        _right(sheet, whose, y - 4.2, 0.0)
        _right(sheet, (exam,), y, taken)
    sheet.line(LEFT_MM, y + 2.5, RIGHT_MM, y + 2.5, INK, 0.5)


def _wide(sheet: Sheet, name: str, value: str) -> float:
    return sheet.width(value, 9, bold=True) + 1.5 + sheet.width(name, 8) + 6


def _right(sheet: Sheet, pairs: Iterable[tuple[str, str]], y: float, taken: float) -> None:
    """Names and values from the right; one that no line could hold is cut."""
    x = RIGHT_MM
    for name, value in pairs:
        room = x - LEFT_MM - taken - sheet.width(name, 8) - 1.5
        x -= sheet.text(x, y, sheet.fit(value, 9, room, bold=True), 9, INK, bold=True, align="right") + 1.5
        x -= sheet.text(x, y, name, 8, SOFT, align="right") + 6


def hero(sheet: Sheet, finding: Finding) -> float:
    """The number and what speaks against it, side by side."""
    y = _number(sheet, finding) if finding.reportable else _refusal(sheet)
    sheet.text(LEFT_MM, y, sheet.fit(words.quantity(finding.exam.quantity), 7, 90), 7, SOFT)
    for line in sheet.wrap(words.technique(finding.exam.acquisition, finding.exam.stiffness_source), 7, 90, 3):
        y += 3.2
        sheet.text(LEFT_MM, y, line, 7, SOFT)
    below = _doubts(sheet, finding)
    y += 4.4
    for line in sheet.wrap(words.RESEARCH_USE, 7, 90, 2):
        sheet.text(LEFT_MM, y, line, 7, SOFT)
        y += 3.2
    return max(y - 0.5, below + 1.5)


def _number(sheet: Sheet, finding: Finding) -> float:
    found = finding.stiffness
    wide = sheet.text(LEFT_MM - 1, 36, words.kpa(found.mean_kpa), 54, INK, bold=True)
    sheet.text(LEFT_MM + wide + 1.5, 36, "kPa", 18, INK, bold=True)
    y = 42.5
    intervals = ((found.interval_95_kpa, "95 % interval"), (found.repeat_interval_95_kpa, "if measured again"))
    for interval, text in intervals:
        if interval:
            wide = sheet.text(LEFT_MM, y, words.span(interval), 9.5, INK, bold=True)
            sheet.text(LEFT_MM + wide + 1.5, y, text, 9.5, SOFT)
            y += 4.6
    if not found.interval_95_kpa:
        sheet.text(LEFT_MM, y, words.NO_INTERVAL, 9.5, SOFT)
        y += 4.6
    band = words.band(finding.stage.band) if finding.stage else "No stage given"
    wide = sheet.text(LEFT_MM, y + 2, sheet.fit(band, 13, 60, bold=True), 13, INK, bold=True)
    if finding.stage:
        text = words.band_note(finding.stage)
        sheet.text(LEFT_MM + wide + 2, y + 2, sheet.fit(text, 7.5, 86 - wide), 7.5, SOFT)
    return y + 7.2


def _refusal(sheet: Sheet) -> float:
    sheet.text(LEFT_MM, 34, "Not reportable", 32, SEVERITY_COLOUR[Severity.BLOCKING], bold=True)
    sheet.text(LEFT_MM, 42, "This exam gives no stiffness, no interval and no stage.", 9.5, SOFT)
    return 49.0


def _doubts(sheet: Sheet, finding: Finding) -> float:
    """The box of flags; as many as its ten lines hold, the rest counted."""
    x, top, wide = 108.0, 20.5, RIGHT_MM - 108.0
    room, lines, left = 10, [], 0
    for flag in finding.flags:
        words_of = sheet.wrap(f"{SEVERITY_WORD[flag.severity]}. {flag.message}", 7.5, wide - 11, 3)
        if room < len(words_of) or left:
            left += 1
            continue
        room -= len(words_of)
        lines.append((flag, words_of))
    used = 10 - room + (1 if left else 0)
    height = 7.5 + 3.4 * used + 0.8 * len(lines) + 10.5
    sheet.box(x, top, wide, height, WASH)
    sheet.text(x + 4, top + 5.8, words.doubt_title(finding), 9.5, INK, bold=True)
    y = top + 10.6
    for flag, words_of in lines:
        _flag(sheet, flag, words_of, x + 4, y)
        y += 3.4 * len(words_of) + 0.8
    if left:
        sheet.text(x + 8.2, y, f"and {left} more on report.html", 7.5, SOFT)
        y += 3.4
    _facts(sheet, finding, x + 4, y + 1.2)
    return top + height


def _flag(sheet: Sheet, flag: Flag, lines: list[str], x: float, y: float) -> None:
    colour = SEVERITY_COLOUR[flag.severity]
    if flag.severity == Severity.WARNING:
        sheet.polygon([(x + 1.3, y - 2.3), (x + 2.7, y + 0.2), (x - 0.1, y + 0.2)], colour)
    elif flag.severity == Severity.BLOCKING:
        sheet.box(x, y - 2.2, 2.4, 2.4, colour)
    else:
        sheet.dot(x + 1.3, y - 1.0, 1.2, colour)
    sign = {Severity.BLOCKING: "x", Severity.WARNING: "!", Severity.INFO: "i"}[flag.severity]
    sheet.text(x + 1.28, y - 0.1 - (0.15 if sign == "x" else 0), sign, 5.5, "#ffffff", bold=True, align="middle")
    for row, line in enumerate(lines):
        sheet.text(x + 4.2, y + 3.4 * row, line, 7.5, INK)


def _facts(sheet: Sheet, finding: Finding, x: float, y: float) -> None:
    for name, value in words.facts(finding):
        sheet.text(x, y, name, 6.5, SOFT)
        sheet.text(x, y + 3.8, value, 8.5, INK, bold=True)
        x += max(sheet.width(name, 6.5), sheet.width(value, 8.5, bold=True)) + 4


def change(sheet: Sheet, change: Change, top: float) -> float:
    """The change since an earlier exam in one line, its remark whole in the next ones: it may hold a caution."""
    text = f"Change {change.change_kpa:+.2f} kPa ({change.change_percent:+.0f} %)"
    wide = sheet.text(LEFT_MM, top + 3, text, 9, INK, bold=True)
    rest = (
        f"since {words.kpa(change.earlier_kpa)} kPa; {words.limit_verdict(change.exceeds_limit, change.limit_percent)}"
    )
    sheet.text(LEFT_MM + wide + 2, top + 3, sheet.fit(rest, 8, INNER_MM - wide - 2), 8, INK)
    y = top + 6.8
    for line in sheet.wrap(change.remark, 7.5, INNER_MM, 4):
        sheet.text(LEFT_MM, y, line, 7.5, SOFT)
        y += 3.3
    return y + 0.9


def stage(sheet: Sheet, stage: Stage, found: Stiffness, top: float) -> float:
    """The bands as a bar with the number and its intervals; below them name, range and chance of each."""
    low, high = stage_axis(stage, found)
    bar = top + 7

    def at(kpa: float) -> float:
        return LEFT_MM + INNER_MM * (min(max(kpa, low), high) - low) / (high - low)

    edges = [low, *stage.cutoffs_kpa, high]
    for a, b, colour in zip(edges, edges[1:], band_colours(len(edges) - 1)):
        sheet.box(at(a), bar, at(b) - at(a), 4, colour)
    labelled = LEFT_MM - 6
    for cut, text in zip(stage.cutoffs_kpa, words.cutoffs(stage)):
        sheet.line(at(cut), bar, at(cut), bar + 4.8, "#ffffff", 0.4)
        if at(cut) - labelled > 6:
            sheet.text(at(cut), bar + 7, text, 6.5, SOFT, align="middle")
            labelled = at(cut)
    for interval, thick in ((found.repeat_interval_95_kpa, 0.3), (found.interval_95_kpa, 1.2)):
        if interval:
            sheet.line(at(interval[0]), bar - 2, at(interval[1]), bar - 2, INK, thick)
    if found.mean_kpa is not None:
        x = at(found.mean_kpa)
        sheet.line(x, bar - 2, x, bar + 4, INK, 0.4)
        sheet.dot(x, bar - 2, 1.1, INK)
        inside = min(max(x, LEFT_MM + 6), RIGHT_MM - 6)
        sheet.text(inside, bar - 4.2, f"{words.kpa(found.mean_kpa)} kPa", 8, INK, bold=True, align="middle")
    _bands(sheet, stage, bar + 11)
    return bar + 21


def _bands(sheet: Sheet, stage: Stage, y: float) -> None:
    names = stage.bands or (stage.band,)
    wide = INNER_MM / len(names)
    for i, (name, colour) in enumerate(zip(names, band_colours(len(names)))):
        x, here = LEFT_MM + i * wide, name == stage.band
        sheet.box(x, y - 2.2, 2.4, 2.4, colour)
        sheet.text(x + 3.6, y, sheet.fit(words.band(name), 6.7, wide - 4, bold=here), 6.7, INK, bold=here)
        chance = (stage.probabilities or {}).get(name)
        text = words.band_range(stage, i) + (f" · {words.percent(chance)} %" if chance is not None else "")
        sheet.text(x + 3.6, y + 3.2, text, 7, SOFT, bold=here)
    note = f"Table {stage.table}. " + (f"{words.STAGE_CHANCES}" if stage.probabilities else "")
    sheet.text(LEFT_MM, y + 7, sheet.fit(note, 6.5, INNER_MM), 6.5, SOFT)
