"""Tables: unrounded for programs, rounded for people, escaped for LaTeX."""

import csv
import io

import numpy as np

from livermre.evaluate.interval import Interval, not_defined
from livermre.evaluate.proportion import proportion
from livermre.study.plain import plain
from livermre.study.tables import Table, latex, shown, to_csv, to_latex

TABLE = Table(
    "t", "A & B, 95 %", ("network", "Dice", "share"),
    (
        ("a_b", Interval(0.912345, 0.9, 0.92, n=7), proportion(9, 10)),
        ("c", not_defined("only one class", n=3), None),
    ),
    "≥ F2", {"Dice": 2},
)  # fmt: skip


def test_people_read_rounded_numbers() -> None:
    assert TABLE.texts() == [["a_b", "0.91 (0.90 to 0.92)", "9/10 = 90.0 % (60–98)"], ["c", "–", "–"]]
    assert shown(-0.0004, 2) == "0.00"  # no minus before nothing
    assert shown(-1.26, 1) == "−1.3"
    assert shown(Interval(0.5, None, None, reason="few"), 1) == "0.5 (no interval)"


def test_programs_read_all_digits_and_the_reason() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(TABLE))))
    assert float(rows[0]["Dice"]) == 0.912345
    assert (rows[0]["Dice low"], rows[0]["Dice n"], rows[0]["share"]) == ("0.9", "7", "0.9")
    assert (rows[1]["Dice"], rows[1]["Dice reason"], rows[1]["share n"]) == ("", "only one class", "")


def test_latex_has_no_sign_of_its_own_left() -> None:
    assert latex("50 % & a_b ≥ {x}") == r"50 \% \& a\_b $\geq$ \{x\}"
    text = to_latex(TABLE)
    assert r"\caption{A \& B, 95 \%}" in text
    assert r"a\_b & 0.91 (0.90 to 0.92)" in text
    assert text.count(r"\\") == 3


def test_plain_values_hold_no_nan() -> None:
    given = {"a": np.array([1.0, np.nan]), "b": (np.float64("inf"), np.int64(2))}
    assert plain(given) == {"a": [1.0, None], "b": [None, 2]}
    assert plain(Interval(1.0, None, None))["estimate"] == 1.0  # type: ignore[index]
