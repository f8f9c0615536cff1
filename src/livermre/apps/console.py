"""What a person sees in the terminal: progress on standard error, tables on standard output."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from livermre.dicom import SeriesReport
from livermre.results import Outcome

_STYLE = {"measured": "green", "skipped": "dim", "not reportable": "yellow", "failed": "red"}


def say(sentence: str) -> None:
    """One line on standard output, at once."""
    print(sentence, flush=True)


class Bar:
    """A progress bar over inputs; `step` moves it and tells of a failure at once."""

    def __init__(self, progress: Progress, total: int, debug: bool) -> None:
        self._progress = progress
        self._debug = debug
        self._task = progress.add_task("exams", total=total)

    def step(self, outcomes: Iterable[Outcome]) -> None:
        """One input is finished."""
        for outcome in outcomes:
            if outcome.failed:
                self._tell(f"livermre: {outcome.exam}: {outcome.message}")
            if outcome.details and self._debug:
                self._tell(outcome.details)
        self._progress.advance(self._task)

    def _tell(self, text: str) -> None:
        self._progress.console.print(Text(text), soft_wrap=True)


@contextmanager
def progress_bar(total: int, debug: bool = False) -> Iterator[Bar]:
    """A bar on standard error, shown for several inputs at a terminal."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=total < 2 or not console.is_terminal, transient=True) as progress:
        yield Bar(progress, total, debug)


@contextmanager
def training_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for a training: called with what is going on, how many steps are done, and how many there are."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("")
        yield lambda text, done, total: progress.update(task, description=text, completed=done, total=total)


def show_series(reports: Sequence[SeriesReport]) -> None:
    """A table of series: role, how sure, why."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("series", "description", "vendor", "images", "role", "sure", "unit", "why"):
        table.add_column(
            heading, overflow="fold", justify="right" if heading in ("series", "images", "sure") else "left"
        )
    for r in reports:
        why = f"{r.why} ({r.note})" if r.note else r.why
        sure = f"{100 * r.confidence:.0f} %"
        cells = (str(r.series), r.description, r.vendor, str(r.images), r.role, sure, r.unit, why)
        table.add_row(*map(Text, cells), style="" if r.role not in ("other", "damaged") else "dim")
    _wide_console().print(table)


def _wide_console() -> Console:
    """As wide as the terminal; lines in a file or pipe are not broken at 80 columns."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)


def show_outcomes(outcomes: Sequence[Outcome], out: Path) -> None:
    """The result of one exam in words, of several as a table."""
    if len(outcomes) == 1 and not outcomes[0].failed:
        _show_one(outcomes[0], out)
    elif len(outcomes) > 1:
        _show_table(outcomes)
        print(out / "summary.csv")


def _show_one(outcome: Outcome, out: Path) -> None:
    row = outcome.row
    print(f"{outcome.exam}: {_value(row)}" + (f", {row['band']} by {row['table']}" if row.get("band") else ""))
    if outcome.status == "skipped":
        print("finished earlier with the same files and settings; --overwrite analyses it again")
    for sentence in outcome.remarks:
        print(f"  {sentence}")
    print(out / outcome.exam / "report.html")


def _show_table(outcomes: Sequence[Outcome]) -> None:
    table = Table(box=None, pad_edge=False)
    for heading in ("exam", "stiffness", "stage", "area mm2", "result"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "area mm2" else "left")
    for o in outcomes:
        area = o.row.get("roi_area_mm2")
        cells = (
            o.exam,
            _value(o.row) if not o.failed else "",
            str(o.row.get("band") or ""),
            f"{area:.0f}" if area else "",
        )
        table.add_row(*map(Text, cells), Text(o.status, style=_STYLE[o.status]))
    _wide_console().print(table)


def _value(row: Mapping) -> str:
    if row["stiffness_kpa"] is None:
        return "not measurable"
    low, high = row["interval_95_low_kpa"], row["interval_95_high_kpa"]
    interval = f" ({low:.2f}-{high:.2f})" if low is not None and high is not None else ""
    return f"{row['stiffness_kpa']:.2f} kPa{interval}"
