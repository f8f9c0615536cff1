"""The cohort's table: columns by any of their names, cells of the right kind, every error with its line."""

from pathlib import Path

import pytest

from livermre.exam.errors import Contradiction, CorruptFile
from livermre.study.table import read_table


def table(folder: Path, text: str) -> Path:
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_names_of_columns_and_empty_cells(tmp_path: Path) -> None:
    text = "Exam,Subject ID,Fibrosis stage,Scanner,Field strength,BMI,comment\na,7,3,GE,3,24.5,x\nb,8,F0,,NA,,\n"
    found = read_table(table(tmp_path, text))
    assert found["a"] == {"exam": "a", "patient": "7", "stage": "F3", "vendor": "GE", "field_t": 3.0, "bmi": 24.5}
    assert found["b"]["stage"] == "F0"
    assert found["b"]["vendor"] is found["b"]["field_t"] is found["b"]["bmi"] is None


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("exam,stage\na,F5\n", Contradiction, "line 2: a stage is F0"),
        ("exam,bmi\na,heavy\n", Contradiction, "line 2: bmi must be a number, found 'heavy'"),
        ("exam,bmi\na,inf\n", Contradiction, "line 2: bmi must be a number"),
        ("exam\na\na\n", Contradiction, "line 3: exam 'a' is named twice"),
        ("patient,stage\n1,F1\n", Contradiction, "no column 'exam'"),
        ("exam,bmi\na\n", Contradiction, "line 2"),
        ("", CorruptFile, "is empty"),
    ],
)
def test_what_is_refused_and_why(tmp_path: Path, text: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        read_table(table(tmp_path, text))
