"""Bars and tables in the terminal, drawn by rich; imported where one is drawn, for a single exam needs neither."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from livermre.dicom import SeriesReport

Advance = Callable[[], None]
Tell = Callable[[str], None]


@contextmanager
def exam_bar(total: int) -> Iterator[tuple[Advance, Tell]]:
    """A bar on standard error over so many inputs: what moves it, and what says a line above it."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("exams", total=total)

        def tell(text: str) -> None:
            progress.console.print(Text(text), soft_wrap=True)

        yield lambda: progress.advance(task), tell


@contextmanager
def training_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for a training: called with what is going on, how many steps are done, and how many there are.

    It is there from the first call on: an error before any work stands alone.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    progress = Progress(*columns, console=Console(stderr=True))
    task = progress.add_task("")

    def report(text: str, done: int, total: int) -> None:
        progress.update(task, description=text, completed=done, total=total)
        progress.start()

    try:
        yield report
    finally:
        if progress.live.is_started:
            progress.stop()


def series_table(reports: Sequence[SeriesReport]) -> None:
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


def row_table(rows: Sequence[Mapping[str, object]]) -> None:
    """A table of rows with the same keys, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in rows[0]:
        table.add_column(name, justify="left" if name == "region" else "right")
    for row in rows:
        table.add_row(*(Text("" if v is None else str(v)) for v in row.values()))
    _wide_console().print(table)


def outcome_table(headings: Sequence[str], numbers: Sequence[str], rows: Sequence[tuple[Sequence[str], str]]) -> None:
    """A table of exams; each row is its cells and the style of the last one.

    numbers  the headings of columns that stand to the right
    """
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold", justify="right" if heading in numbers else "left")
    for cells, style in rows:
        table.add_row(*(Text(c) for c in cells[:-1]), Text(cells[-1], style=style))
    _wide_console().print(table)


def _wide_console() -> Console:
    """As wide as the terminal; lines in a file or pipe are not broken at 80 columns."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
