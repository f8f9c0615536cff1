"""Who is in each subset: the table of baseline characteristics."""

from collections.abc import Sequence

import numpy as np

from livermre.study.entry import Entry
from livermre.study.splitting import TEST, TRAINING, VALIDATION, Split
from livermre.study.table import NUMBERS, words
from livermre.study.tables import Cell, Table

_COUNTED = ("sex", "stage", "etiology", "vendor", "field_t", "sequence")
_MEASURED = tuple(n for n in ("age", "bmi", "r2star_per_s") if n in NUMBERS)
_NAMES = {
    "age": "age, years", "bmi": "BMI, kg/m2", "r2star_per_s": "R2*, 1/s", "field_t": "field, T", "etiology": "cause",
}  # fmt: skip


def baseline_table(entries: Sequence[Entry], splits: Sequence[Split]) -> Table:
    """Patients, exams, slices and what the table says of them, by subset; with folds all together."""
    groups = {"all": list(entries)}
    if len(splits) == 1:
        groups |= {s: [e for e in entries if splits[0][e.exam] == s] for s in (TRAINING, VALIDATION, TEST)}
    rows: list[tuple[Cell, ...]] = [
        ("patients", *(len({e.patient for e in g}) for g in groups.values())),
        ("exams", *(len(g) for g in groups.values())),
        ("slices", *(sum(e.slices for e in g) for g in groups.values())),
        ("slices with liver", *(sum(e.liver_slices for e in g) for g in groups.values())),
    ]
    for name in _MEASURED:
        if any(e.stratum(name) is not None for e in entries):
            rows.append((_NAMES.get(name, name), *(_middle(g, name) for g in groups.values())))
    for column in _COUNTED:
        seen = sorted({words(e.stratum(column)) for e in entries})
        if seen != ["unknown"]:
            rows += [
                (f"{_NAMES.get(column, column)}: {value}", *(_share(g, column, value) for g in groups.values()))
                for value in seen
            ]
    kpa = [(_kpa(g)) for g in groups.values()]
    rows.append(("reference stiffness, kPa", *kpa))
    note = "Numbers: median (quartiles). Counts are of exams, with their share."
    return Table("baseline", "Characteristics of the subsets", ("", *groups), tuple(rows), note)


def _middle(group: Sequence[Entry], name: str) -> str:
    return _quartiles([float(str(v)) for e in group if (v := e.stratum(name)) is not None])


def _kpa(group: Sequence[Entry]) -> str:
    return _quartiles([e.reference.mask_kpa for e in group if e.reference and e.reference.mask_kpa is not None])


def _quartiles(values: Sequence[float]) -> str:
    if not values:
        return "–"
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def _share(group: Sequence[Entry], name: str, value: str) -> str:
    count = sum(words(e.stratum(name)) == value for e in group)
    return f"{count} ({100 * count / len(group):.0f} %)" if group else "0"
