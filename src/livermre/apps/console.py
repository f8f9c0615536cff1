"""What a person sees in the terminal: progress on standard error, tables on standard output."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from livermre.dicom import SeriesReport
from livermre.report import words
from livermre.results import Outcome

if TYPE_CHECKING:
    from livermre.inverting import InvertOutcome, InvertResult

_STYLE = {"measured": "green", "skipped": "dim", "not reportable": "yellow", "failed": "red"}
_ASCII = str.maketrans({"–": "-", "−": "-", "²": "2", "±": "+-", "≥": ">=", "≤": "<=", "…": "...", "·": "|"})


def say(sentence: str) -> None:
    """One line on standard output, at once; in signs that the terminal has."""
    print(_signs(sentence), flush=True)


def _signs(text: str) -> str:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return text.translate(_ASCII)
    return text


class Bar:
    """A progress bar over inputs; `step` moves it and tells of a failure at once."""

    def __init__(self, advance: Callable[[], None], tell: Callable[[str], None], debug: bool) -> None:
        self._advance = advance
        self._tell = tell
        self._debug = debug

    def step(self, outcomes: Iterable[Outcome]) -> None:
        """One input is finished."""
        for outcome in outcomes:
            if outcome.failed:
                self._tell(f"livermre: {_failure(outcome)}")
            if outcome.details and self._debug:
                self._tell(outcome.details)
        self._advance()


def _failure(outcome: Outcome) -> str:
    """Which exam failed and why, its name said once; where its row keeps an earlier finding, which input it was."""
    kept = outcome.row.get("status") != "failed"
    name = f"{outcome.exam} (from {outcome.source})" if kept and outcome.source else outcome.exam
    said_anyway = re.match(rf"{re.escape(name)}(?![\w./-])", outcome.message)
    return outcome.message if said_anyway else f"{name}: {outcome.message}"


@contextmanager
def progress_bar(total: int, debug: bool = False) -> Iterator[Bar]:
    """A bar on standard error, shown for several inputs at a terminal."""
    if total < 2:
        yield Bar(lambda: None, lambda text: print(text, file=sys.stderr), debug)
        return
    from livermre.apps.tables import exam_bar

    with exam_bar(total) as (advance, tell):
        yield Bar(advance, tell, debug)


@contextmanager
def training_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for a training: called with what is going on, how many steps are done, and how many there are.

    It is there from the first call on: an error before any work stands alone.
    """
    from livermre.apps import tables

    with tables.training_bar() as report:
        yield report


def show_series(reports: Sequence[SeriesReport]) -> None:
    """A table of series: role, how sure, why."""
    from livermre.apps.tables import series_table

    series_table(reports)


def show_outcomes(outcomes: Sequence[Outcome], out: Path) -> None:
    """The result of one exam in words, of several as a table."""
    if len(outcomes) == 1 and not outcomes[0].failed:
        _show_one(outcomes[0], out)
    elif len(outcomes) > 1:
        _show_table(outcomes)
        for outcome in outcomes:
            for line in _change(outcome):
                say(f"{outcome.exam}: {line}")
        say(str(out / "summary.csv"))


def show_inversion(outcome: "InvertOutcome", *, alone: bool) -> None:
    """What became of one exam: a line a slice, the regions measured, where to look; or why there is none."""
    made = outcome.result
    if outcome.error:
        name = "" if alone else f"{outcome.folder.name}: "
        print(f"livermre: {name}{outcome.error}", file=sys.stderr)
    elif made is None:
        say(f"{outcome.folder}: finished earlier with the same files and settings; --overwrite inverts it again")
    else:
        _show_maps(outcome.folder, made)


def _show_maps(folder: Path, made: "InvertResult") -> None:
    from livermre.apps.tables import row_table
    from livermre.inverting import PICTURE

    waves = made.waves
    say(f"{folder}: {waves.quantity} from {len(made.z_mm)} slices, method {waves.method}")
    for i, z in enumerate(made.z_mm):
        say(f"  z {z:.1f} mm: {words.wave_quality(waves, i) or 'no phase'}")
    if waves.agreement:
        say("against the scanner's map: " + ", ".join(f"{n} {v}" for n, v in words.wave_agreement(waves)))
    for sentence in made.messages:
        say(f"  {sentence}")
    if made.rows:
        row_table(made.rows)
    say(str(folder / PICTURE))


def _show_one(outcome: Outcome, out: Path) -> None:
    row = outcome.row
    say(f"{outcome.exam}: {_value(row)}" + (f", {row['band']} by {row['table']}" if row.get("band") else ""))
    for line in _change(outcome):
        say(line)
    if outcome.status == "skipped":
        say("finished earlier with the same files and settings; --overwrite analyses it again")
    for sentence in outcome.remarks:
        say(f"  {sentence}")
    say(str(out / outcome.exam / "report.html"))


def _change(outcome: Outcome) -> tuple[str, ...]:
    """The change since the earlier exam in one line, its remark in a second; nothing where there is none."""
    change = outcome.change
    if not change:
        return ()
    verdict = words.limit_verdict(change["exceeds_limit"], change["limit_percent"])  # type: ignore[arg-type]
    line = (
        f"change: {change['earlier_kpa']:.2f} kPa earlier, {outcome.row['stiffness_kpa']:.2f} kPa now, "
        f"{change['change_percent']:+.1f} %: {verdict}"
    )
    return line, f"  {change['remark']}"


def _show_table(outcomes: Sequence[Outcome]) -> None:
    from livermre.apps.tables import outcome_table

    headings = ("exam", "series", "slices", "Hz", "stiffness", "stage", "area, cm²", "result")
    rows = [
        (tuple(map(_signs, (o.exam, *(("",) * 6 if o.failed else _cells(o.row)), o.status))), _STYLE[o.status])
        for o in outcomes
    ]
    outcome_table([_signs(h) for h in headings], [_signs(h) for h in ("slices", "Hz", "area, cm²")], rows)


def _cells(row: Mapping) -> tuple[str, ...]:
    """What tells the exam of a row from others of its folder, and its numbers."""
    frequency, area = row.get("frequency_hz"), row.get("roi_area_mm2")
    which = (str(row.get("series") or ""), str(row.get("slices") or ""), f"{frequency:g}" if frequency else "")
    return (*which, _value(row), str(row.get("band") or ""), words.cm2(area) if area else "")


def _value(row: Mapping) -> str:
    if row["stiffness_kpa"] is None:
        return "not measurable"
    low, high = row["interval_95_low_kpa"], row["interval_95_high_kpa"]
    interval = f" ({words.span((low, high))})" if low is not None and high is not None else ""
    return f"{row['stiffness_kpa']:.2f} kPa{interval}"
