"""Repeated exams of one patient: how much the automatic number varies, beside the reference's own variation."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from livermre.evaluate.repeatability import Repeatability, repeatability
from livermre.study.sample import Sample
from livermre.study.tables import Table


def repeats(sample: Sample) -> dict[str, Repeatability]:
    """Within-patient variation of the automatic number and of every reference; empty where nobody was examined twice.

    Exams of one patient count as repeats where the table numbers them in a column `repeat`.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for i, (patient, number) in enumerate(zip(sample.patients, sample.row("repeat"), strict=True)):
        if number is not None:
            rows[patient].append(i)
    several = [r for r in rows.values() if len(r) > 1]
    if not several:
        return {}
    columns = {"automatic": sample.kpa, **sample.references}
    most = max(map(len, several))
    return {
        name: repeatability(np.array([[*values[r], *[np.nan] * (most - len(r))] for r in several]))
        for name, values in columns.items()
    }


def repeats_table(found: Mapping[str, Mapping[str, Repeatability]], title: str) -> Table:
    """Every network and whose number it is."""
    rows = tuple(
        (network, name, r.subjects, r.wsd, r.wcv_percent, r.rc, r.rc_percent)
        for network, by_name in found.items()
        for name, r in by_name.items()
    )
    columns = ("network", "number", "patients", "wSD, kPa", "wCV, %", "RC, kPa", "RC, %")
    note = "All exams of a patient that the table numbers as repeats; RC = 2.77 wSD. Chi-square intervals."
    return Table("repeatability", title, columns, rows, note, {"wCV, %": 1, "RC, %": 1})
