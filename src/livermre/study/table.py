"""The cohort's table: one line an exam, columns found by the names that people give them."""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from livermre.exam.errors import Contradiction, CorruptFile

TABLES = ("truth.csv", "table.csv")
"""Where a cohort keeps its table; the first is what `livermre simulate` writes."""

ALIASES: Mapping[str, tuple[str, ...]] = {
    "exam": ("exam", "name", "case", "id"),
    "patient": ("patient", "patient_id", "subject", "subject_id"),
    "stage": ("stage", "fibrosis", "fibrosis_stage", "f_stage"),
    "etiology": ("etiology", "aetiology", "cause"),
    "age": ("age", "age_years"),
    "sex": ("sex", "gender"),
    "bmi": ("bmi", "body_mass_index"),
    "vendor": ("vendor", "scanner", "manufacturer"),
    "field_t": ("field_t", "field", "field_strength", "tesla"),
    "sequence": ("sequence",),
    "r2star_per_s": ("r2star_per_s", "r2star", "r2*"),
    "ascites": ("ascites", "plan_ascites"),
    "reader": ("reader",),
    "reader_kpa": ("reader_kpa", "manual_kpa", "reference_kpa"),
    "true_kpa": ("true_kpa", "liver_kpa"),
    "diagnostic": ("diagnostic",),
    "repeat": ("repeat", "visit"),
}  # fmt: skip
NUMBERS = ("age", "bmi", "field_t", "r2star_per_s", "ascites", "reader_kpa", "true_kpa")
STAGES = ("F0", "F1", "F2", "F3", "F4")

Row = Mapping[str, str | float | None]


def read_rows(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV as they stand; CorruptFile for what is no table, Contradiction for a line with odd cells."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            rows, columns = list(reader), reader.fieldnames
    except (OSError, ValueError, csv.Error) as error:
        raise CorruptFile(f"{path.name} is no readable CSV in UTF-8 ({type(error).__name__})") from error
    if not columns:
        raise CorruptFile(f"{path.name} is empty; a table needs a line of column names with 'exam' among them")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise Contradiction(f"{path.name}, line {number}: it has not {len(columns)} cells as the first")
    return rows


def read_table(path: Path) -> dict[str, Row]:
    """Every exam's known columns by our names: numbers as float, stages as F0 to F4, empty cells as None.

    Raises Contradiction for a table without exams' names, an exam named twice, or a cell of the wrong kind.
    """
    rows = read_rows(path)
    columns = _columns(rows[0] if rows else {}, path.name)
    table: dict[str, Row] = {}
    for number, row in enumerate(rows, start=2):
        known = {name: _value(name, row[column], f"{path.name}, line {number}") for name, column in columns.items()}
        exam = str(known["exam"] or "")
        if not exam or exam in table:
            raise Contradiction(f"{path.name}, line {number}: exam {exam!r} is " + ("named twice" if exam else "empty"))
        table[exam] = known
    return table


def _columns(row: Mapping[str, str], name: str) -> dict[str, str]:
    """Our name of every known column -> the table's own."""
    given = {re.sub(r"[\s-]+", "_", c.strip().casefold()): c for c in row}
    found = {ours: given[a] for ours, aliases in ALIASES.items() for a in reversed(aliases) if a in given}
    if row and "exam" not in found:
        raise Contradiction(f"{name} has no column 'exam' with the names of the exams; found {', '.join(row)}")
    return found


def _value(name: str, cell: str, where: str) -> str | float | None:
    text = cell.strip()
    if text.casefold() in ("", "na", "nan", "none", "n/a"):
        return None
    if name == "stage":
        return _stage(text, where)
    if name not in NUMBERS:
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Contradiction(f"{where}: {name} must be a number, found {text!r}")
    return number


def _stage(text: str, where: str) -> str:
    found = re.fullmatch(r"[Ff]?([0-4])(?:\.0)?", text)
    if found is None:
        raise Contradiction(f"{where}: a stage is F0, F1, F2, F3 or F4, found {text!r}")
    return f"F{found[1]}"


def distinct(rows: Sequence[Row], name: str) -> list[str]:
    """The values of a column as words, sorted; empty cells are left out."""
    return sorted({words(row.get(name)) for row in rows if row.get(name) is not None})


def words(value: object) -> str:
    """A cell as a word: 3.0 is '3', nothing is 'unknown'."""
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
