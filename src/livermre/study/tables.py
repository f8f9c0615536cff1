"""Tables of results: one source for the page, the PDF, CSV and LaTeX."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from livermre.evaluate.interval import Interval
from livermre.evaluate.proportion import Proportion

Cell = str | int | float | None | Interval | Proportion


@dataclass(frozen=True)
class Table:
    """A table: key (also its file's name), caption, column heads, rows of cells, and remarks below it.

    digits  decimals of the numbers, one for all columns, or by column head
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    digits: int | Mapping[str, int] = 3

    def texts(self) -> list[list[str]]:
        """Every cell as people read it."""
        return [[shown(cell, self._digits(column)) for column, cell in zip(self.columns, row)] for row in self.rows]

    def _digits(self, column: str) -> int:
        return self.digits if isinstance(self.digits, int) else self.digits.get(column, 3)


def shown(cell: Cell, digits: int = 3) -> str:
    """A cell for people: estimate (low to high), or an en dash where there is nothing."""
    if cell is None:
        return "–"
    if isinstance(cell, Proportion):
        if cell.share is None:
            return "–"
        interval = (
            "no interval" if cell.low is None or cell.high is None else f"{100 * cell.low:.0f}–{100 * cell.high:.0f}"
        )
        return f"{cell.count}/{cell.total} = {100 * cell.share:.1f} % ({interval})"
    if isinstance(cell, Interval):
        return _interval(cell, digits)
    if isinstance(cell, float):
        return _number(cell, digits)
    return str(cell)


def _interval(cell: Interval, digits: int) -> str:
    if cell.estimate is None:
        return "–"
    estimate = _number(cell.estimate, digits)
    if cell.low is None or cell.high is None:
        return f"{estimate} (no interval)"
    return f"{estimate} ({_number(cell.low, digits)} to {_number(cell.high, digits)})"


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}"
    return (text[1:] if text.strip("-0.") == "" and text.startswith("-") else text).replace("-", "−")


def to_csv(table: Table) -> str:
    """The table for programs: every estimate with low, high, n and reason in columns of their own, unrounded."""
    wide = [i for i in range(len(table.columns)) if any(isinstance(r[i], Interval | Proportion) for r in table.rows)]
    head: list[str] = []
    for i, column in enumerate(table.columns):
        head += [f"{column}{end}" for end in ("", " low", " high", " n", " reason")] if i in wide else [column]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for row in table.rows:
        cells: list[object] = []
        for i, cell in enumerate(row):
            cells += _wide(cell) if i in wide else [cell]
        writer.writerow(["" if c is None else c for c in cells])
    return text.getvalue()


def _wide(cell: Cell) -> list[object]:
    if isinstance(cell, Proportion):
        cell = cell.interval
    if isinstance(cell, Interval):
        return [cell.estimate, cell.low, cell.high, cell.n, cell.reason]
    return [cell, None, None, None, None]


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "−": "$-$", "≥": r"$\geq$", "≤": r"$\leq$",
    "<": "$<$", ">": "$>$", "|": "$|$", "±": r"$\pm$", "²": "$^2$", "κ": r"$\kappa$",
}  # fmt: skip


def to_latex(table: Table) -> str:
    """The table as LaTeX with booktabs rules, every sign escaped."""
    columns = "l" + "r" * (len(table.columns) - 1)
    lines = [
        r"\begin{table}", r"\centering", rf"\caption{{{latex(table.title)}}}", rf"\label{{tab:{table.key}}}",
        rf"\begin{{tabular}}{{{columns}}}", r"\toprule", _row(table.columns), r"\midrule",
        *map(_row, table.texts()), r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    if table.note:
        lines.append(rf"\par\smallskip\footnotesize {latex(table.note)}")
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(latex, cells)) + r" \\"


def latex(text: str) -> str:
    """A text with every sign that LaTeX would read as its own escaped."""
    return "".join(_LATEX.get(sign, sign) for sign in text)
